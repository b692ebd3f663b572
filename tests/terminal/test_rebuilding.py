"""``sojourn rebuild`` as it is typed: what it says, asks and does, against a real database and a real Temporal."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

import cli
from store.house import hold_all
from store.runs import list_runs
from store.schema import outbox
from tests.engine import Engine, engine, until
from tests.samples import abandoned_cart
from tests.transactions import execute, rows
from tests.typed import Terminal
from workflows.rebuilding import Rebuild
from workflows.rounds import running

Typed = Callable[..., Awaitable[str]]


@pytest.fixture
async def played(
    temporal: WorkflowEnvironment, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Engine]:
    """Three runs that Temporal does not know, and settings that lead to them."""
    async with engine(temporal.client, sqlite_url, working=False) as built:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SOJOURN_DATABASE_URL", sqlite_url)
        monkeypatch.setenv("SOJOURN_TASK_QUEUE", built.task_queue)
        monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.client.service_client.config.target_host)
        await built.publish(abandoned_cart())
        for person in ("ada", "bob", "eve"):
            await built.customer(person)
            await built.accept(built.event("abandoned-cart", person, cart_id="c", total=60))
        await execute(built.store, delete(outbox))
        yield built


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types ``sojourn rebuild …``, checks the exit code, and returns all that was printed."""

    async def run(*arguments: str, code: int = 0) -> str:
        ended = await asyncio.to_thread(cli.run, ["rebuild", *arguments])
        printed = capsys.readouterr()
        assert ended == code, printed
        return printed.out + printed.err

    return run


def sits_there(monkeypatch: pytest.MonkeyPatch, answer: str) -> Terminal:
    """Somebody sits at a terminal, and answers that. Returns what is shown there beside the answer of the command."""
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


async def starts(played: Engine) -> int:
    return len(await rows(played.store, select(outbox).where(outbox.c.kind == "start")))


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(played: Engine, typed: Typed) -> None:
    said = await typed("--dry-run", "--catch-up", "30 minutes")

    assert said.splitlines() == [
        "3 runs are under way: 0 of them in Temporal, 0 about to be started.",
        "3 runs are missing, and would begin again where they stand.",
        "3 of them had something to do meanwhile: it is done over 30 minutes.",
    ]
    assert await starts(played) == 0


async def test_a_script_is_not_asked_and_may_read_json(played: Engine, typed: Typed) -> None:
    done = json.loads(await typed("--json"))

    assert (done["missing"], done["due"], done["dry_run"]) == (3, 3, False)
    assert await starts(played) == 3
    assert "No run is missing." in await typed("--dry-run")


async def test_at_a_terminal_it_asks_and_shows_how_far_it_is(
    played: Engine, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = sits_there(monkeypatch, "n")
    await typed(code=1)
    assert "3 runs are missing, and would begin again where they stand." in shown.getvalue()
    assert shown.getvalue().endswith("Begin 3 runs again? [y/N] Nothing was done.\n")
    assert await starts(played) == 0

    shown = sits_there(monkeypatch, "y")
    said = await typed()

    assert "3 runs begin again where they stand." in said
    assert "under way" not in said  # it was told before
    assert "Compare" in shown.getvalue()
    assert "Begin again" in shown.getvalue()
    assert "3/3" in shown.getvalue()
    assert await starts(played) == 3


async def test_giving_up_asks_whether_they_shall_end_for_good(
    played: Engine, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = sits_there(monkeypatch, "n")
    await typed("--give-up", code=1)
    assert "End 3 runs for good?" in shown.getvalue()
    monkeypatch.undo()
    assert len((await list_runs(played.store, active=True)).runs) == 3


async def test_giving_up_ends_them(played: Engine, typed: Typed) -> None:
    assert "3 runs are missing, and were given up and ended." in await typed("--give-up", "--yes")

    assert {(run.ended, run.ended_by) for run in (await list_runs(played.store)).runs} == {("aborted", "missing")}
    assert await starts(played) == 0


async def test_of_one_journey_by_its_name_alone(played: Engine, typed: Typed) -> None:
    for wrong in ("abandoned-car", "x' OR ExecutionStatus = 'Running"):
        said = await typed("--journey", wrong, code=1)
        assert f'There is no journey "{wrong}".' in said.replace("\n", " ")
    assert "Did you mean" in await typed("--journey", "abandoned-car", code=1)
    assert await starts(played) == 0

    assert "3 runs are missing, and begin again" in await typed("--journey", "abandoned-cart")


async def test_of_one_journey_those_that_temporal_has_are_found_by_their_ids(played: Engine, typed: Typed) -> None:
    await played.customer("tess")
    await played.start("tess")

    async def listed() -> bool:  # Temporal's list comes a little late
        return [run async for run in played.client.list_workflows(running(played.task_queue))] != []

    await until(listed)

    assert "4 runs are under way: 1 of them in Temporal" in await typed("--journey", "abandoned-cart", "--dry-run")


async def test_a_set_back_database_is_let_go_only_by_whom_says_yes(played: Engine, typed: Typed) -> None:
    await hold_all(played.store, "a test says so", played.now())

    said = await typed("--database-went-back", code=1)
    assert "End 0 runs in Temporal, and let messages go out? Nobody is here to be asked: say --yes." in said

    said = await typed("--database-went-back", "--dry-run")
    assert "erase them again first (docs/erasing.md)" in said
    assert "Messages go out again" not in said

    said = await typed("--database-went-back", "--yes")
    assert "erase them again" not in said
    assert "Runs in Temporal that the database does not know: 0, which were ended there." in said
    assert "Messages go out again. Who is missing: sojourn rebuild" in said


@pytest.mark.parametrize(
    ("setting", "code", "words"),
    [
        ("TEMPORAL_ADDRESS=127.0.0.1:1", 3, "No Temporal answers. Set TEMPORAL_ADDRESS to where it is."),
        ("TEMPORAL_ADDRESS=x:y", 1, "TEMPORAL_ADDRESS is no address: expected host:port"),
        ("TEMPORAL_PROFILE=none", 1, "Temporal's settings cannot be used: Profile 'none' not found."),
        ("TEMPORAL_NAMESPACE=elsewhere", 3, "Temporal does not do its part: Namespace elsewhere is not found."),
    ],
)
async def test_a_temporal_that_is_not_there_is_told_in_words(
    setting: str, code: int, words: str, played: Engine, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*setting.split("=", 1))

    assert words in " ".join((await typed("--yes", code=code)).split())
    assert await starts(played) == 0


async def test_one_that_goes_away_in_the_middle_is_told_and_the_next_goes_on(
    played: Engine, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def goes_away(*_: object, **__: object) -> None:
        raise RPCError("tcp connect error", RPCStatusCode.UNAVAILABLE, b"")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Rebuild, "_ask", goes_away)
        said = " ".join((await typed("--yes", code=3)).split())
    assert said.endswith("begin the same command again, and it goes on where it was.")
    assert await starts(played) == 0

    assert "3 runs are missing, and begin again" in await typed("--yes")


@pytest.mark.parametrize("odd", ["soon", "-1 day", ""])
async def test_an_odd_way_to_catch_up_is_refused(odd: str, played: Engine, typed: Typed) -> None:
    assert "is none of now, skip or a duration" in " ".join((await typed("--catch-up", odd, code=2)).split())
    assert await starts(played) == 0
