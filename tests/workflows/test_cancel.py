"""The end of a run that does not come from its steps: our exits, and an operator's cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment

from activities.channels import Accepted, ProviderAnswer
from journeys.definition import Journey
from store import stopping
from store.journeys import get_journey
from store.runs import close
from store.stopping import finish_stops, stop
from tests.engine import Clock, Engine, engine, until, worker
from tests.ledger import Ledger
from tests.samples import abandoned_cart
from tests.shop import by_us
from workflows.cancels import is_marked, marked

SECOND = "second-text-reminder"
RUN = "abandoned-cart/ada/k3v9x2mq"


@asynccontextmanager
async def playing(
    temporal: WorkflowEnvironment, url: str, ledger: Ledger | None = None, *, working: bool = True
) -> AsyncIterator[Engine]:
    async with engine(temporal.client, url, ledger=ledger, working=working) as built:
        await built.publish(abandoned_cart())
        await built.customer("cat")
        yield built


class Slow:
    """A provider that takes its time: *asked* when it was called, and it answers once *answer* is set."""

    def __init__(self) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> ProviderAnswer:
        self.asked.set()
        await self.answer.wait()
        return Accepted("p1")


async def canceled(built: Engine, run: str) -> None:
    """Until Temporal says so."""
    with pytest.raises(WorkflowFailureError) as raised:
        await built.handle(run).result()
    assert isinstance(raised.value.cause, CancelledError)
    assert (await built.handle(run).describe()).status == WorkflowExecutionStatus.CANCELED


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        pytest.param("wrong audience", "wrong audience", id="with-a-reason"),
        pytest.param("", "cancelled by an operator", id="without"),
        pytest.param("restarted", "restarted", id="like-a-restart"),
        pytest.param("stopped: by hand", "stopped: by hand", id="like-a-stop"),
        pytest.param("exit: x", "exit: x", id="like-an-exit"),
    ],
)
async def test_an_operator_s_cancel_is_known_to_the_store(
    reason: str, kept: str, temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    async with playing(temporal, sqlite_url) as built:
        run = await built.start("cat")
        await built.until_waiting(run)

        await built.handle(run).cancel(reason=reason)

        await canceled(built, run)
        (seen,) = await built.runs("cat")
        assert (seen.ended, seen.why, seen.step) == ("cancelled", kept, None)
        assert seen.ended_by == "operator"
        assert [(entry.step, entry.did) for entry in seen.diary][-2:] == [("opened", "entered"), ("opened", "left")]


async def test_a_cancel_before_the_first_step_is_known_to_the_store(
    temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    async with playing(temporal, sqlite_url, working=False) as built:
        run = await built.start("cat")
        await built.handle(run).cancel(reason="never mind")

        async with worker(built):
            await canceled(built, run)

        (seen,) = await built.runs("cat")
        assert (seen.ended, seen.why) == ("cancelled", "never mind")
        assert built.ledger.asked == []


async def test_an_exit_before_the_first_step_sends_nothing(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(temporal, sqlite_url, working=False) as built:
        run = await built.start("cat")
        await built.happen("purchase-completed", "cat")

        async with worker(built):
            await canceled(built, run)

        assert built.ledger.asked == []
        assert "ACTIVITY_TASK_SCHEDULED" not in await built.events(run)


@pytest.mark.parametrize("ours", [pytest.param(True, id="exit"), pytest.param(False, id="operator")])
async def test_a_send_under_way_is_finished_and_recorded(
    ours: bool, temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    provider = Slow()
    async with playing(temporal, sqlite_url, Ledger(provider)) as built:
        run = await built.start("cat")
        await provider.asked.wait()

        if ours:
            assert (await built.happen("purchase-completed", "cat")).in_flight == 1
        else:
            await built.handle(run).cancel(reason="wrong audience")
        await canceled(built, run)
        provider.answer.set()

        await until(lambda: _is_recorded(built))
        (seen,) = await built.runs("cat")
        assert [(send.state, send.provider_id) for send in seen.sends] == [("accepted", "p1")]
        assert seen.ended == ("exited" if ours else "cancelled")


async def test_a_worker_that_is_shut_down_finishes_its_sends(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    provider = Slow()
    async with playing(temporal, sqlite_url, Ledger(provider), working=False) as built:
        run = await built.start("cat")
        async with worker(built):
            await provider.asked.wait()
            asyncio.get_running_loop().call_later(0.3, provider.answer.set)
        (seen,) = await built.runs("cat")
        assert [send.state for send in seen.sends] == ["accepted"]

        async with worker(built):
            await built.until_waiting(run)

        assert len(built.ledger.asked) == 1


async def test_another_worker_goes_on_where_one_left_off(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(temporal, sqlite_url, working=False) as built:
        built.day = timedelta(seconds=2)
        run = await built.start("cat")
        async with worker(built):
            await built.until_waiting(run)

        async with worker(built):
            assert await built.handle(run).result() == "completed"

        assert built.ledger.steps == ["initial-reminder", "second-reminder", "final-reminder"]


@pytest.mark.parametrize(
    ("reason", "ours"),
    [
        pytest.param(marked("exit: purchase-completed", RUN), True, id="exit"),
        pytest.param(marked("stopped: the journey was stopped", RUN), True, id="stop"),
        pytest.param(marked("restarted", RUN), True, id="restart"),
        pytest.param(marked("restarted", "abandoned-cart/bob/k3v9x2mq"), False, id="of-another-run"),
        pytest.param(marked("restarted", RUN).replace("restarted", "stopped"), False, id="of-another-reason"),
        pytest.param("restarted", False, id="an-operator-s-restart"),
        pytest.param("stopped: by hand", False, id="an-operator-s-stop"),
        pytest.param("exit: x [12345678]", False, id="an-operator-s-brackets"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_whose_cancel_it_is(reason: str, ours: bool) -> None:
    assert is_marked(reason, RUN) is ours


async def test_an_exit_is_told_to_temporal_in_words_and_is_no_operator_s(
    temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    async with playing(temporal, sqlite_url) as built:
        run = await built.start("cat")
        await built.until_waiting(run)

        await built.happen("purchase-completed", "cat")
        await canceled(built, run)

        [cancel] = [
            event.workflow_execution_cancel_requested_event_attributes
            async for event in built.handle(run).fetch_history_events()
            if event.HasField("workflow_execution_cancel_requested_event_attributes")
        ]
        assert cancel.cause.startswith("exit: purchase-completed [")
        assert "MARKER_RECORDED" not in await built.events(run)  # nobody has to tell the store


async def test_a_run_that_ends_itself_does_no_more(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(temporal, sqlite_url) as built:
        await built.publish(ending_itself())
        run = await built.start("cat")

        await canceled(built, run)

        assert not [event for event in await built.events(run) if event.startswith("ACTIVITY_TASK")]
        assert built.ledger.took == []


async def test_a_run_that_has_ended_does_not_wait_for_ever_for_its_cancel(
    skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    """As one that an operator reset in Temporal after its end."""
    async with playing(skipping, sqlite_url, working=False) as built:
        await built.publish(ending_itself())
        run = await built.start("cat")
        await close(built.store, run, "exit", "exit: long ago", built.now(), ())

        clock = Clock(skipping)
        await clock.start()
        async with worker(built):
            await built.until_waiting(run)
            await clock.move(timedelta(minutes=2))

            assert await built.handle(run).result() == "exited"
        assert (await built.events(run)).count("TIMER_FIRED") == 1


def ending_itself() -> Journey:
    return abandoned_cart(
        steps=[{"id": "tag", "set": {"country": "'NO'"}}, {"id": "never", "text": SECOND, "to": "customer.phone"}],
        exit=[{"when": "customer.country == 'NO'"}],
    )


async def _is_recorded(built: Engine) -> bool:
    (seen,) = await built.runs("cat")
    return [send.state for send in seen.sends] != ["claimed"]


async def test_whoever_a_worker_ends_after_the_answer_to_a_stop_ends_in_temporal_too(
    temporal: WorkflowEnvironment, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "TOGETHER", 1)
    monkeypatch.setattr(stopping, "A_REQUEST", 0)
    ledger = Ledger()
    async with playing(temporal, sqlite_url, ledger) as played:
        await played.customer("dan")
        runs = [await played.start(customer) for customer in ("cat", "dan")]
        for run in runs:
            await played.until_waiting(run)

        assert (await stop(played.store, "abandoned-cart", by_us(played.now()))).to_go == 1
        assert await finish_stops(played.store, played.now()) == 1
        await played.relay.drain_once()

        for run in runs:
            await canceled(played, run)
        assert (await get_journey(played.store, "abandoned-cart", played.now())).counts.stopped == 2
        assert len(ledger.took) == 2
