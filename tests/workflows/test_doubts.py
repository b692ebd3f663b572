"""Messages that got no answer: the walk waits for news, asks, and goes on with what stands.

On the virtual clock every provider answers, so these stories are told on Temporal only, with time skipped.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities.channels import Accepted
from activities.reconcile import ASK_AGAIN, TELLING
from journeys.definition import Journey, send_id
from journeys.walk.diary import Entry
from store.runs import RunView
from store.sends import prove
from tests.engine import Clock, Engine, engine
from tests.ledger import Ledger, Silent
from tests.samples import abandoned_cart
from tests.stories import EMAIL, PUSH, TEXT

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NOW = timedelta(0)


@dataclass
class Play:
    """Dora's run. Times count from its beginning, to the minute: the server's clock goes on while we work."""

    played: Engine
    clock: Clock
    run: str

    async def end(self) -> RunView:
        await self.clock.move(timedelta(days=4))
        await self.played.until_ended(self.run)
        return await self.seen()

    async def seen(self) -> RunView:
        (seen,) = await self.played.runs("dora")
        return seen

    async def timers(self) -> list[str]:
        """What operators see in Temporal of what the run waited for."""
        history = await self.played.handle(self.run).fetch_history()
        summaries = (event.user_metadata.summary.data for event in history.events)
        return [json.loads(told) for told in summaries if told.startswith(b'"Wait')]

    def sends(self, seen: RunView) -> list[tuple[str, str, timedelta]]:
        return [(send.step, send.state, self._since(send.at or self.clock.begin)) for send in seen.sends]

    def _since(self, at: datetime) -> timedelta:
        return round((at - self.clock.begin) / MINUTE) * MINUTE


@asynccontextmanager
async def playing(
    server: WorkflowEnvironment, url: str, ledger: Ledger, journey: Journey | None = None
) -> AsyncIterator[Play]:
    clock = Clock(server)
    async with engine(server.client, url, ledger=ledger, clock=clock) as played:
        await clock.start()
        await played.customer("dora")
        await played.publish(journey or abandoned_cart())
        yield Play(played, clock, await played.start("dora"))


def only(**step: str) -> Journey:
    return abandoned_cart(steps=[{"id": "only", **step}])


async def test_found_to_be_there(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger(Silent(took=True))
    async with playing(skipping, sqlite_url, ledger) as play:
        seen = await play.end()

        # The day within which she may open it counts from when it was sent, not from when we knew.
        assert play.sends(seen) == [(EMAIL, "accepted", NOW), (TEXT, "accepted", DAY), (PUSH, "accepted", 2 * DAY)]
        assert ledger.steps == [EMAIL, TEXT, PUSH]
        assert [handed.send_id for handed in ledger.asked_for] == [send_id(play.run, EMAIL)]
        assert_whole(seen.diary)


async def test_a_text_found_to_be_there(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger(Accepted(), Silent(took=True))
    async with playing(skipping, sqlite_url, ledger) as play:
        seen = await play.end()

        assert play.sends(seen)[1] == (TEXT, "accepted", DAY)
        assert ledger.steps == [EMAIL, TEXT, PUSH]


async def test_proved_by_a_report_before_anybody_asks(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger(Silent(took=True))
    async with playing(skipping, sqlite_url, ledger) as play:
        await play.played.until_waiting(play.run)
        assert (await play.seen()).step == EMAIL
        (waits,) = await play.timers()
        assert waits.startswith("Wait for news of initial-email-reminder until ")
        await prove(play.played.store, send_id(play.run, EMAIL), "provider-7", play.clock.begin + MINUTE)

        seen = await play.end()

        assert play.sends(seen)[0] == (EMAIL, "accepted", MINUTE)
        assert seen.sends[0].provider_id == "provider-7"
        assert ledger.steps == [EMAIL, TEXT, PUSH]
        assert ledger.asked_for == []
        assert_whole(seen.diary)


async def test_not_found_and_then_sent_once(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger(Silent(took=False))
    async with playing(skipping, sqlite_url, ledger) as play:
        seen = await play.end()

        assert play.sends(seen) == [
            (EMAIL, "accepted", TELLING),
            (TEXT, "accepted", TELLING + DAY),
            (PUSH, "accepted", TELLING + 2 * DAY),
        ]
        assert [send.attempt for send in seen.sends] == [2, 1, 1]
        assert ledger.steps == [EMAIL, TEXT, PUSH]
        assert_whole(seen.diary)


async def test_no_answer_twice_in_a_row(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger(Silent(took=False), Silent(took=True))
    async with playing(skipping, sqlite_url, ledger) as play:
        seen = await play.end()

        assert play.sends(seen)[0] == (EMAIL, "accepted", TELLING)
        assert len(ledger.asked_for) == 2
        assert ledger.steps == [EMAIL, TEXT, PUSH]


@pytest.mark.parametrize("in_doubt", ["leave", "repeat"])
async def test_where_nobody_can_tell_the_step_decides(
    in_doubt: str, skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    asked = 1 + len(ASK_AGAIN)
    ledger = Ledger(Silent(took=True), findings=[None] * asked)
    journey = only(email="initial-email-reminder", to="customer.email", in_doubt=in_doubt)
    async with playing(skipping, sqlite_url, ledger, journey) as play:
        seen = await play.end()

        assert seen.ended == "completed"
        if in_doubt == "leave":
            assert play.sends(seen) == [("only", "unknown", NOW)]
            assert (len(ledger.asked), len(ledger.asked_for)) == (1, asked)
        else:
            assert play.sends(seen) == [("only", "accepted", TELLING)]
            assert (len(ledger.asked), len(ledger.asked_for)) == (2, 1)
        assert_whole(seen.diary)


async def test_a_push_is_sent_again_where_nobody_can_tell(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger(Silent(took=True), findings=[None])
    journey = only(push="final-push-notification", to="customer.push_token")
    async with playing(skipping, sqlite_url, ledger, journey) as play:
        seen = await play.end()

        assert play.sends(seen) == [("only", "accepted", TELLING)]
        assert ledger.steps == ["only", "only"]


async def test_what_expires_in_doubt_is_not_sent_late(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    ledger = Ledger(Silent(took=False))
    journey = only(email="initial-email-reminder", to="customer.email", expires="1 minute")
    async with playing(skipping, sqlite_url, ledger, journey) as play:
        seen = await play.end()

        assert play.sends(seen) == [("only", "blocked", TELLING)]
        assert len(ledger.asked) == 1
        assert seen.ended == "completed"


async def test_a_purchase_while_in_doubt_ends_it_and_nothing_is_sent_again(
    skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    ledger = Ledger(Silent(took=False))
    async with playing(skipping, sqlite_url, ledger) as play:
        await play.played.until_waiting(play.run)

        receipt = await play.played.happen("purchase-completed", "dora")

        assert receipt.already_sent == (EMAIL,)  # it may have gone out, and the receipt says so
        assert receipt.in_flight == 0
        with pytest.raises(WorkflowFailureError):
            await play.played.handle(play.run).result()
        assert len(ledger.asked) == 1
        assert (await play.seen()).ended == "exited"


def assert_whole(diary: tuple[Entry, ...]) -> None:
    """No line is missing, and each step that was entered was passed."""
    assert [entry.n for entry in diary] == list(range(len(diary)))
    assert [entry.did for entry in diary] == ["entered", "passed"] * (len(diary) // 2)
