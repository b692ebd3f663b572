"""Commands for the database itself: bring it up to date, and prune what it keeps no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from terminal.bars import Bars

if TYPE_CHECKING:
    from store.ahead import Ahead, Step
    from store.pruning import Pruned


async def bring_up_to_date(url: str, data: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Say what it does, and do it. *data*: the folder of the embedded stack, where the database is in it."""
    from store.ahead import ahead
    from store.migrate import check_place, migrate
    from store.store import opened
    from terminal.asking import answer
    from terminal.data import keep_private
    from terminal.show import tell

    if data and not dry_run:
        keep_private(data)
    check_place(url)
    async with opened(url) as store:
        to_do = await ahead(store)
    if dry_run:
        answer(_as_data(to_do), _to_be_done(to_do), as_json=as_json)
        return
    if not as_json:
        tell(line for each in to_do if any(step.rows for step in each.steps) for line in _told(each))
    done: list[str] = []
    await migrate(url, done=lambda script: done.append(script.revision))
    made = [each for each in to_do if each.revision in done]
    answer(_as_data(made), [*_done(made), Text("The database is up to date.")], as_json=as_json)


async def prune_now(url: str, *, policy: Path | None, dry_run: bool, as_json: bool) -> None:
    """Count what would go, and let it go. *policy*: the file of one that is not in force, for a dry run."""
    from journeys.problems import Invalid
    from journeys.reading import read_policy
    from store.pruning import prune, would_prune
    from store.store import opened
    from terminal.asking import answer
    from terminal.folder import bytes_of

    if policy and not dry_run:
        raise Invalid("What is pruned goes by the policy in force. With --policy, say --dry-run.")
    now, keep = datetime.now(UTC), read_policy(bytes_of(policy)).keep if policy else None
    async with opened(url) as store:
        expected = await would_prune(store, now, keep)
        if dry_run:
            answer(dict(expected), _counted("Would go", expected), as_json=as_json)
            return
        with Bars() as bars:
            gone = await prune(store, now, _told_by(bars, expected.total()))
    answer(dict(gone), _counted("Gone", gone), as_json=as_json)


def _told_by(bars: Bars, expected: int) -> Callable[[Pruned], None]:
    """Tells with each lot of rows that is gone how many are."""
    done = 0

    def on(gone: Pruned) -> None:
        nonlocal done
        done += gone.total()
        if done:
            bars.tell("pruning", done, expected)

    return on


def _as_data(ahead: Sequence[Ahead]) -> list[dict[str, object]]:
    return [each.model_dump(mode="json") for each in ahead]


def _to_be_done(ahead: Sequence[Ahead]) -> Iterator[Text]:
    if not ahead:
        yield Text("The database is up to date: there is nothing to do.")
    for each in ahead:
        yield from _told(each)


def _told(each: Ahead) -> Iterator[Text]:
    yield Text.assemble((each.revision, "bold"), f"  {each.title}")
    yield from map(_step, each.steps)


def _step(step: Step) -> Text:
    of = "" if step.does.endswith(f" {step.table}") else f" of {step.table}"
    where = f"{of}, about {step.rows:,} rows" if step.rows else of
    waits = (f": {step.waits}", "yellow") if step.waits else (": nobody waits", "dim")
    return Text.assemble(f"    {step.does}{where}", waits)


def _done(made: Sequence[Ahead]) -> Iterator[Text]:
    if made:
        yield Text(f"{len(made)} {'migration is' if len(made) == 1 else 'migrations are'} done.")


def _counted(what: str, gone: Mapping[str, int]) -> Iterator[Text]:
    from terminal.rows import listed

    if not gone:
        yield Text("Nothing is kept longer than the policy says.")
    else:
        yield Text(f"{what}:", "bold")
        yield from listed(gone)
