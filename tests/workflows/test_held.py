"""Messages that clearance holds: a durable wait, and then everything is looked at again.

No rule of this release holds a message yet, so one is put in its place here: quiet for the first three hours.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from journeys.clearance.circumstances import Circumstances, Clearance
from journeys.clearance.clearance import clearance
from journeys.walk.diary import Held
from journeys.walk.world import Visit
from store.runs import RunView
from tests.engine import Clock, Engine, engine
from tests.ledger import Ledger
from tests.samples import abandoned_cart
from tests.stories import EMAIL, PUSH, TEXT

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def told(
    server: WorkflowEnvironment, url: str, monkeypatch: pytest.MonkeyPatch, ledger: Ledger, *, buys: bool
) -> tuple[RunView, timedelta, list[str]]:
    """A run that is quiet at first: how it ended, when its email went out, and what it waited for."""
    clock = Clock(server)
    async with engine(server.client, url, ledger=ledger, clock=clock) as played:
        await clock.start()
        until = clock.begin + 3 * HOUR

        def quiet(visit: Visit, known: Circumstances) -> Clearance:
            return Held(until=until, why="quiet until then") if visit.now < until else clearance(visit, known)

        monkeypatch.setattr("store.sends.clearance", quiet)
        await played.customer("hal")
        await played.publish(abandoned_cart())
        run = await played.start("hal")
        await played.until_waiting(run)
        if buys:
            await clock.move(HOUR)
            await played.happen("purchase-completed", "hal")
        await clock.move(timedelta(days=4))
        await played.until_ended(run)
        (seen,) = await played.runs("hal")
        at = [send.at - clock.begin for send in seen.sends if send.at]
        return seen, round(at[0] / MINUTE) * MINUTE if at else timedelta(0), await waits(played, run)


async def waits(played: Engine, run: str) -> list[str]:
    history = await played.handle(run).fetch_history()
    summaries = (event.user_metadata.summary.data.decode() for event in history.events)
    return [summary.strip('"') for summary in summaries if summary.startswith('"Hold')]


async def test_it_goes_out_when_it_is_let_go(
    skipping: WorkflowEnvironment, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger()

    seen, at, holds = await told(skipping, sqlite_url, monkeypatch, ledger, buys=False)

    assert ledger.steps == [EMAIL, TEXT, PUSH]
    assert (at, seen.ended) == (3 * HOUR, "completed")
    (hold,) = holds
    assert hold.startswith("Hold initial-email-reminder until ")
    assert hold.endswith(": quiet until then")
    assert [(line.n, line.did) for line in seen.diary[:3]] == [(0, "entered"), (1, "passed"), (2, "entered")]


async def test_an_exit_while_it_is_held_keeps_it(
    skipping: WorkflowEnvironment, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger()

    seen, _, _ = await told(skipping, sqlite_url, monkeypatch, ledger, buys=True)

    assert ledger.steps == []
    assert (seen.ended, seen.sends) == ("exited", ())
