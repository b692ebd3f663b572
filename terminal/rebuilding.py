"""``sojourn rebuild``: against the database and Temporal themselves, since the API may be away as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import typer
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from journeys.language.durations import parse, say
from journeys.problems import Unavailable
from store.audit import Change
from store.rebuilding import CatchUp
from store.store import Store, opened, ping
from terminal.bars import Bars
from workflows.client import connect
from workflows.rebuilding import Rebuild, Rebuilt, Wish
from workflows.restored import Restore, Restored

BY = "command line"
"""Who is named in the audit log: no key is asked."""

BEGIN_AGAIN = "What was done stays done: begin the same command again, and it goes on where it was."


class Where(NamedTuple):
    """A database, and a Temporal with the queue of our runs. *temporal*: its address, unless its own variables say."""

    database: str
    task_queue: str
    temporal: str | None = None


def catch_up(text: str) -> CatchUp:
    """What becomes of what came due, as it is typed."""
    if text == "now":
        return "now"
    if text == "skip":
        return "skip"
    try:
        return parse(text)
    except ValueError:
        raise typer.BadParameter(f'"{text}" is none of now, skip or a duration such as "30 minutes".') from None


async def rebuild(where: Where, wish: Wish) -> Rebuilt:
    """Compare, and do what is wanted, with a bar for who watches.

    Raises Unavailable where the database or Temporal does not answer.
    """
    async with _both(where) as (store, client):
        with Bars() as bars:
            return await Rebuild(store, client, where.task_queue, bars.tell).do(wish, Change(BY, _now()))


async def restore(where: Where, *, dry_run: bool) -> Restored:
    """The database was set back: put right what Temporal has beyond it, and let everything go again. As rebuild()."""
    async with _both(where) as (store, client):
        with Bars() as bars:
            change = Change(BY, _now())
            return await Restore(store, client, where.task_queue, _now, bars.tell).do(change, dry_run=dry_run)


def restored(told: Restored) -> Iterator[Text]:
    """What Temporal had beyond the database, and what became of it, or would."""
    would = "would be" if told.dry_run else "were"
    yield Text(f"{told.strangers} in Temporal that the database does not know: they {would} ended there.", "bold")
    for run in told.some_strangers:
        yield Text(f"    {run}", "dim")
    yield Text(f"{told.remembered} messages of which it did not know: they {would} noted as Temporal tells of them.")
    yield Text(f"{told.begun_anew} {would} begun anew where the database has them.")
    if not told.dry_run:
        yield Text("Messages go out again. Who is missing: sojourn rebuild", "green")


def asks_to_restore(would: Restored) -> str:
    """What is asked before it is done."""
    return f"End {would.strangers} runs in Temporal, and let messages go out?"


def words(told: Rebuilt, wish: Wish) -> Iterator[Text]:
    """What was found, and what became of it, or would."""
    yield Text(f"{told.under_way} under way, {told.there} of them in Temporal, {told.starting} about to be started.")
    if told.ended:
        yield Text(f"{told.ended} ended in Temporal, and {_so('would end', 'ended', told)} here too.")
    if told.went_back:
        yield Text("Temporal was set back: it has nobody who started since.", "yellow")
    if told.sent_on:
        yield Text(f"{told.sent_on} {_so('would be', 'are', told)} told where they stand here.")
    if not told.missing:
        yield Text("None is missing." if told.dry_run or not told.went_back else "None is missing any more.", "green")
        return
    if told.given_up:
        yield Text(
            f"{told.missing} missing: {_so('would be', 'were', told)} given up, and {_so('end', 'ended', told)}.",
            "bold",
        )
        return
    yield Text(f"{told.missing} missing: {_so('would begin', 'begin', told)} again where they stand.", "bold")
    if told.due:
        yield Text(f"{told.due} of them had something to do meanwhile: {_becomes(wish.catch_up)}.")


def question(would: Rebuilt) -> str | None:
    """What is asked before it is done; None where there is nothing to do."""
    if would.given_up and would.missing:
        return f"End {would.missing} runs for good?"
    if would.missing or would.sent_on or would.ended:
        return "Do it?"
    return None


def _so(would: str, does: str, told: Rebuilt) -> str:
    return would if told.dry_run else does


def _becomes(way: CatchUp) -> str:
    match way:
        case "now":
            return "it is done now, spread by the policy where it is much"
        case "skip":
            return "its messages and actions are left out"
        case _:
            return f"it is done over {say(way)}"


@asynccontextmanager
async def _both(where: Where) -> AsyncIterator[tuple[Store, Client]]:
    """The database and Temporal. Raises Unavailable where either does not answer, and Invalid for wrong settings."""
    async with opened(where.database) as store:
        await ping(store)
        client = await _temporal(where.temporal)
        try:
            yield store, client
        except RPCError as error:
            said = error.message.rstrip(".")
            raise Unavailable(f"Temporal does not do its part: {said}. {BEGIN_AGAIN}") from None


async def _temporal(address: str | None) -> Client:
    try:
        return await connect(address=address)
    except RuntimeError:
        at = f" at {address}" if address else ""
        raise Unavailable(f"No Temporal answers{at}. Set TEMPORAL_ADDRESS to where it is.") from None


def _now() -> datetime:
    return datetime.now(UTC)
