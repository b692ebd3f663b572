"""What commands say of a new version: what is otherwise, for how many people inside, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from store.move_progress import Move
from store.new_versions import ChangeFor, FromVersion
from store.publishing import PublishedFor
from terminal.show import warnings


def published(told: PublishedFor) -> Iterator[Text]:
    """Which version newcomers take, or would."""
    for before in told.changes:
        yield from _changes(before)
    if told.move:
        yield from _move(told, told.move)
    new = "published as" if told.new else "live already, as"
    would = f"would be {new}" if told.dry_run and told.new else f"is {new}"
    stay = "" if told.move else "; people inside stay on theirs"
    yield Text.assemble((told.journey, "bold"), f" {would} v{told.version}. Newcomers take it{stay}.")
    yield from warnings(told.warnings)


def question(would: PublishedFor) -> str | None:
    """What is asked before it is published; None where nothing would be done."""
    moved = would.move.moved if would.move else 0
    if not would.new and not moved:
        return None
    move = f" and move {_people(moved)}" if moved else ""
    return f"Publish {would.journey} as v{would.version}{move}?" if would.new else f"Move {_people(moved)}?"


def _changes(before: FromVersion) -> Iterator[Text]:
    yield Text.assemble((f"From v{before.version}", "bold"), f", with {_people(before.people)} inside:")
    for change in before.changes:
        yield Text(f"  {change.words}{_standing(change)}")
    if not before.changes:
        yield Text("  nothing is otherwise", "dim")


def _standing(change: ChangeFor) -> str:
    people = change.people
    if people is None or not (people.before or people.at or people.behind):
        return ""
    return f"  ({people.before} before, {people.at} at, {people.behind} behind it)"


def _move(told: PublishedFor, move: Move) -> Iterator[Text]:
    go, stay = ("would go on", "would stay") if told.dry_run else ("went on", "stayed")
    yield Text.assemble((f"{_people(move.moved)} {go}", "bold"), f" in v{told.version}.")
    for step, people in move.steps.items():
        yield Text(f"  {people} at {step}")
    for stays in move.stays:
        yield Text(f"{_people(stays.people)} {stay}: {stays.why}. Such as {', '.join(stays.runs)}")
    if move.gone:
        yield Text(f"{_people(move.gone)} had come to their end meanwhile.")


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"
