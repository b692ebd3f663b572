"""``python worker.py`` as a process: it works, it waits for Temporal, and it ends in order."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from journeys.ab_tests import all_tests
from journeys.definition import send_id
from store.ab_tests import take_arm
from store.ab_views import list_tests
from store.store import write_transaction
from tests.engine import engine
from tests.programs import PATIENCE, ROOT, environment
from tests.samples import abandoned_cart


@asynccontextmanager
async def python_worker(folder: Path, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, which is ended at the end of the block if it did not end by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "worker.py"),
        cwd=folder,
        env=environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line_with(process: asyncio.subprocess.Process, text: str) -> str:
    """The next line it prints that has *text* in it."""
    assert process.stdout
    async with asyncio.timeout(PATIENCE):
        async for line in process.stdout:
            if text in line.decode():
                return line.decode()
    raise AssertionError(f"it ended without a line about {text}")


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """The exit code, and the rest of what it printed."""
    async with asyncio.timeout(PATIENCE):
        rest, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, rest.decode()


async def test_it_starts_runs_sends_their_messages_and_ends_at_sigterm(
    temporal: WorkflowEnvironment, sqlite_url: str, tmp_path: Path
) -> None:
    address = temporal.client.service_client.config.target_host
    async with engine(temporal.client, sqlite_url, day=timedelta(hours=1), working=False) as built:
        await built.publish(abandoned_cart())
        await built.customer("wil")
        await built.accept(built.event("abandoned-cart", "wil", total=60))
        settings = {
            "TEMPORAL_ADDRESS": address,
            "SOJOURN_DATABASE_URL": sqlite_url,
            "SOJOURN_TASK_QUEUE": built.task_queue,
        }
        async with python_worker(tmp_path, **settings) as process:
            (run,) = await built.runs("wil")

            assert send_id(run.id, "initial-reminder") in await line_with(process, "Email to ada@example.com")
            await built.until_waiting(run.id)
            process.send_signal(signal.SIGTERM)

            code, _ = await ended(process)
            assert code == 0
            assert await built.waiting() == 0


async def test_it_decides_a_test_that_is_over(temporal: WorkflowEnvironment, sqlite_url: str, tmp_path: Path) -> None:
    ago = datetime.now(UTC) - timedelta(days=20)
    async with engine(temporal.client, sqlite_url, working=False) as built:
        arms: list[dict[str, object]] = [{"arm": arm, "share": "50%", "then": []} for arm in ("plain", "witty")]
        compared = {"winner": {"by": "goal", "after": "2 weeks"}, "arms": arms, "default": "plain"}
        journey = abandoned_cart(steps=[{"id": "subject", "test": compared}])
        await built.publish(journey)
        tested = all_tests(journey)["subject"]
        await write_transaction(take_arm)(built.store, tested, "wil", "run", ago)
        settings = {
            "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
            "SOJOURN_DATABASE_URL": sqlite_url,
            "SOJOURN_TASK_QUEUE": built.task_queue,
        }

        async with python_worker(tmp_path, **settings) as process:
            await line_with(process, "tests were decided")

        [shown] = (await list_tests(built.store, journey.journey, datetime.now(UTC))).tests
        assert (shown.state, shown.ends_at) == ("decided", ago + timedelta(days=14))


async def test_it_waits_for_temporal_and_says_so(sqlite_url: str, tmp_path: Path) -> None:
    settings = {"TEMPORAL_ADDRESS": "127.0.0.1:1", "SOJOURN_DATABASE_URL": sqlite_url}
    async with python_worker(tmp_path, **settings) as process:
        await line_with(process, "Temporal does not answer yet")
        process.send_signal(signal.SIGTERM)

        assert (await ended(process))[0] == 0


async def test_it_waits_for_its_namespace_and_says_how_to_make_it(
    temporal: WorkflowEnvironment, sqlite_url: str, tmp_path: Path
) -> None:
    address = temporal.client.service_client.config.target_host
    settings = {"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "nowhere", "SOJOURN_DATABASE_URL": sqlite_url}
    async with python_worker(tmp_path, **settings) as process:
        said = await line_with(process, 'Temporal has no namespace "nowhere"')
        assert "temporal operator namespace create -n nowhere" in said
        process.send_signal(signal.SIGTERM)

        assert (await ended(process))[0] == 0


async def test_without_a_database_it_ends_and_says_why(tmp_path: Path) -> None:
    settings = {"SOJOURN_DATABASE_URL": f"sqlite:///{tmp_path}/nothing.db"}
    async with python_worker(tmp_path, **settings) as process:
        code, said = await ended(process)

    assert code == 3
    assert "The database does not answer: no such table: outbox" in said
    assert "Traceback" not in said
