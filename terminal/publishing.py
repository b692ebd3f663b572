"""What commands say of a new version: what is otherwise, for how many people inside, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from store.move_progress import Move, Stayed, move_of
from store.new_versions import ChangeFor, FromVersion
from store.publishing import PublishedFor
from terminal.client import Api
from terminal.confirming import Words
from terminal.numbers import counted, otherwise
from terminal.show import warnings
from terminal.waiting import find_view, how_far, until_done

NOBODY = move_of({}, Stayed())


async def publish(api: Api, name: str, asked: Mapping[str, object], *, dry_run: bool) -> PublishedFor:
    """Publish a journey's draft as it is *asked*, and wait until everybody inside is moved who is to be."""
    body = {**asked, "dry_run": dry_run}
    told = await api.post(PublishedFor, "journeys", name, "publish", body=body)
    if told.move is None or dry_run:
        return told
    return told.model_copy(update={"move": await _until_moved(api, told, told.move)})


async def _until_moved(api: Api, told: PublishedFor, move: Move) -> Move:
    """What became of everybody, or of as many as there were when nobody was moved any more."""

    async def look() -> Move | None:
        view = await find_view(api, told.journey)
        return next((each.move for each in view.versions if each.number == told.version), None) if view else None

    return await until_done(move, look, lambda seen: seen.to_move, _looked_at(move) + move.to_move, "moving people")


def _looked_at(move: Move) -> int:
    return move.moved + move.stayed + move.gone


def published(told: PublishedFor) -> Iterator[Text]:
    """What is otherwise, what becomes of people inside, and which version newcomers take, or would."""
    yield from inside(told)
    new = "published as" if told.new else "live already, as"
    would = f"would be {new}" if told.dry_run and told.new else f"is {new}"
    stay = "; people inside stay on theirs" if _anybody(told) and not told.move else ""
    yield Text.assemble((told.journey, "bold"), f" {would} v{told.version}. Newcomers take it{stay}.")
    yield from warnings(told.warnings)


def inside(told: PublishedFor) -> Iterator[Text]:
    """What is otherwise than in older versions, for how many people inside, and what becomes of them."""
    for before in told.changes:
        yield from _changes(before)
    if told.move and not _anybody(told):
        yield Text("Nobody is inside an older version.")
    elif told.move:
        yield from _move(told, told.move)
        yield from _to_be_named(told)


def question(would: PublishedFor) -> str | None:
    """What is asked before it is published; None where nothing would be done."""
    moved = would.move.moved if would.move else 0
    if not would.new and not moved:
        return None
    move = f" and move {_people(moved)}" if moved else ""
    return f"Publish {would.journey} as v{would.version}{move}?" if would.new else f"Move {_people(moved)}?"


def was_published(told: PublishedFor, would: PublishedFor) -> Iterator[Text]:
    """What publishing did, to whoever was told before what it would do."""
    new = "published as" if told.new else "live already, as"
    yield Text.assemble((told.journey, "bold"), f" is {new} v{told.version}.")
    yield from what_became(told, would)
    yield from warnings(each for each in told.warnings if each not in would.warnings)


def what_became(told: PublishedFor, would: PublishedFor) -> Iterator[Text]:
    """How many people went on, and who did not, where that was not told before."""
    if told.move is None or would.move is None:
        return
    if told.move.moved or would.move.moved:
        went_on = f"{_people(told.move.moved)} went on in it{otherwise(told.move.moved, would.move.moved)}."
        yield Text(went_on, "bold")
    as_told = would.model_copy(update={"dry_run": False})
    before = {line.plain for line in _left_behind(as_told, would.move)}
    yield from (line for line in _left_behind(told, told.move) if line.plain not in before)


def question_of_all(would: Sequence[PublishedFor]) -> str | None:
    """The same of several journeys."""
    asked = [each for each in would if question(each)]
    if len(asked) < 2:
        return question(asked[0]) if asked else None
    moved = sum(each.move.moved for each in asked if each.move)
    return f"Publish {len(asked)} journeys anew{f' and move {_people(moved)}' if moved else ''}?"


WORDS = Words(published, question, was_published)


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
    go = "would go on" if told.dry_run else "went on"
    yield Text.assemble((f"{_people(move.moved)} {go}", "bold"), f" in v{told.version}.")
    for step, people in move.steps.items():
        yield Text(f"  {people} at {step}")
    yield from _left_behind(told, move)


def _left_behind(told: PublishedFor, move: Move) -> Iterator[Text]:
    """Who is not moved, and why."""
    stay = "would stay" if told.dry_run else "stayed"
    for stays in move.stays:
        yield Text(f"{_people(stays.people)} {stay}: {stays.why}. Such as {', '.join(stays.runs)}")
    if move.gone:
        yield Text(f"{_people(move.gone)} had come to their end meanwhile.")
    if move.to_move:
        yield Text(f"{still_to_move(move)}: workers go on with them.", "yellow")
        yield Text(how_far(told.journey))


def _to_be_named(told: PublishedFor) -> Iterator[Text]:
    """How people go on whose step has another name now, where there are any at a step that is gone."""
    changes = [change for before in told.changes for change in before.changes]
    left = {change.step for change in changes if change.what == "removed" and change.people and change.people.at}
    if steps := sorted(filter(None, left)):
        names = " ".join(f"--map {step}=…" for step in steps)
        yield Text(f"Where such a step has another name now: sojourn publish {told.journey} --people move {names}")


def _anybody(told: PublishedFor) -> bool:
    """Whether somebody is inside an older version, or was when it was published."""
    return any(before.people for before in told.changes) or bool(told.move and told.move != NOBODY)


def still_to_move(move: Move) -> str:
    """That a move is not over."""
    are = "1 person is" if move.to_move == 1 else f"{move.to_move} people are"
    return f"{are} still to be moved"


def _people(number: int) -> str:
    return counted(number, "person", "people")
