"""``sojourn rebuild``: against the database and Temporal themselves, since the API may be away as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from journeys.language.durations import parse, say
from journeys.problems import Unavailable
from store.audit import Change
from store.rebuilding import CatchUp
from store.store import Store, opened, ping
from terminal.bars import Bars
from terminal.confirming import Words
from terminal.numbers import counted
from terminal.temporal import Place, connected
from workflows.rebuilding import Rebuild, Rebuilt, Wish
from workflows.restored import Restore, Restored

BY = "command line"
"""Who is named in the audit log: no key is asked."""

BEGIN_AGAIN = "What was done stays done: begin the same command again, and it goes on where it was."


class Where(NamedTuple):
    """A database, and a Temporal with the queue of our runs."""

    database: str
    task_queue: str
    temporal: Place


def catch_up(text: str) -> CatchUp:
    """What becomes of what came due, as it is typed and was read by its option."""
    if text == "now":
        return "now"
    return "skip" if text == "skip" else parse(text)


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
    were = "would be" if told.dry_run else "were"
    yield Text(f"Runs in Temporal that the database does not know: {told.strangers}, which {were} ended there.", "bold")
    for run in told.some_strangers:
        yield Text(f"    {run}", "dim")
    yield Text(f"Messages that it did not know: {told.remembered}, which {were} noted as Temporal tells of them.")
    runs = counted(told.begun_anew, "run would be" if told.dry_run else "run was", f"runs {were}")
    yield Text(f"{runs} begun anew where the database has them.")
    yield _erase_first() if told.dry_run else _goes_out_again()


def _erase_first() -> Text:
    return Text("Whom you erased since the backup is here again: erase them again first (docs/erasing.md).", "yellow")


def was_restored(told: Restored, would: Restored) -> Iterator[Text]:
    """What was put right, to whoever was told before what would be."""
    asked = "" if told.model_copy(update={"dry_run": True}) == would else " It is not what you were told before:"
    ended = f"{counted(told.strangers, 'run')} ended in Temporal"
    noted = f"{counted(told.remembered, 'message')} noted"
    yield Text(f"Done.{asked} {ended}, {noted}, {counted(told.begun_anew, 'run')} begun anew.")
    yield _goes_out_again()


def _goes_out_again() -> Text:
    return Text("Messages go out again. Who is missing: sojourn rebuild", "green")


def _asks_to_restore(would: Restored) -> str:
    return f"End {counted(would.strangers, 'run')} in Temporal, and let messages go out?"


RESTORE = Words(restored, _asks_to_restore, was_restored)


def words(wish: Wish) -> Words[Rebuilt]:
    """What is said of a rebuild as it is wished."""
    return Words(lambda told: rebuilt(told, wish), question, was_rebuilt)


def rebuilt(told: Rebuilt, wish: Wish) -> Iterator[Text]:
    """What was found, and what became of it, or would."""
    under_way = counted(told.under_way, "run is", "runs are")
    yield Text(f"{under_way} under way: {told.there} of them in Temporal, {told.starting} about to be started.")
    if told.ended:
        ended = f"{counted(told.ended, 'run')} ended in Temporal"
        yield Text(f"{ended}, and {_so('would end', 'ended', told)} here too.")
    if told.went_back:
        yield Text("Temporal was set back: it has nobody who started since.", "yellow")
    if told.sent_on:
        yield _sent_on(told)
    if not told.missing:
        more = "" if told.dry_run or not told.went_back else " any more"
        yield Text(f"No run is missing{more}.", "green")
        return
    missing = counted(told.missing, "run is", "runs are")
    if told.given_up:
        were = _so(
            "would be given up and end",
            "were given up and ended" if told.missing > 1 else "was given up and ended",
            told,
        )
        yield Text(f"{missing} missing, and {were}.", "bold")
        return
    yield Text(f"{missing} missing, and {_begin(told)}.", "bold")
    if told.due:
        yield Text(f"{told.due} of them had something to do meanwhile: {_becomes(wish.catch_up)}.")


def was_rebuilt(told: Rebuilt, would: Rebuilt) -> Iterator[Text]:
    """What was rebuilt, to whoever was told before what would be."""
    if told.model_copy(update={"dry_run": True}) != would:
        yield Text("It is not quite what you were told before, as runs went on meanwhile:", "dim")
    if told.ended:
        yield Text(f"{counted(told.ended, 'run')} ended here too.")
    if told.sent_on:
        yield _sent_on(told)
    if not told.missing:
        yield Text("No run is missing.", "green")
    else:
        does = "given up and ended" if told.given_up else _begin(told)
        yield Text(f"{counted(told.missing, 'run')} {does}.", "bold")


def _sent_on(told: Rebuilt) -> Text:
    is_ = "is" if told.sent_on == 1 else "are"
    return Text(f"{counted(told.sent_on, 'run')} {_so('would be', is_, told)} told where they stand here.")


def _begin(told: Rebuilt) -> str:
    begins, where = ("begins", "where it stands") if told.missing == 1 else ("begin", "where they stand")
    return f"{_so('would begin', begins, told)} again {where}"


def question(would: Rebuilt) -> str | None:
    """What is asked before it is done; None where there is nothing to do."""
    if would.given_up and would.missing:
        return f"End {counted(would.missing, 'run')} for good?"
    if would.missing:
        return f"Begin {counted(would.missing, 'run')} again?"
    if would.sent_on or would.ended:
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
        client = await connected(where.temporal)
        try:
            yield store, client
        except RPCError as error:
            said = error.message.rstrip(".")
            raise Unavailable(f"Temporal does not do its part: {said}. {BEGIN_AGAIN}") from None


def _now() -> datetime:
    return datetime.now(UTC)
