"""What became of a send that got no answer: found, not found, proved meanwhile, or nobody can tell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels import Accepted, Channel, Finding, Handed, NeverTells, NotFound
from activities.deliver import Deliver
from activities.reconcile import MOST_ATTEMPTS, MOST_REPEATS, NEVER_ANSWERS, NOBODY_KNOWS, Reconcile
from journeys.definition import send_id
from journeys.interactions import INTERACTIONS, Kind
from journeys.walk.diary import Delivery, Held, Moved
from journeys.walk.world import Visit
from store.remembering import Remembered, remember
from store.runs import RunView, SendView, get_run
from store.schema import sends
from store.sends import prove, record
from store.store import Store
from tests.ledger import Ledger, Silent
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop, to_its_end, visit
from tests.transactions import execute

STEPS: dict[Kind, str] = {"email": "initial-reminder", "text": "second-reminder", "push": "final-reminder"}
MINUTE = timedelta(minutes=1)


class InDoubt:
    """A send that got no answer."""

    def __init__(self, shop: Shop, run: str, kind: Kind = "email", version: int = 1) -> None:
        self.shop, self.run, self.kind, self.step, self.version = shop, run, kind, STEPS[kind], version

    @property
    def visit(self) -> Visit:
        return self.shop.visit(self.run, self.step, version=self.version)

    async def send(self, ledger: Ledger) -> Delivery:
        await self.shop.come_to(self.run, self.step)
        deliver = Deliver(self.shop.store, _all(ledger))
        return await ActivityEnvironment().run(to_its_end(deliver), self.visit)

    async def ask(self, channel: Channel, *, attempt: int = 1, repeats: bool = False) -> Delivery | Moved | None:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        asking = Reconcile(self.shop.store, _all(channel), call=timedelta(seconds=0.5), ask_again=(MINUTE,))
        step = self.visit.message.model_copy(update={"in_doubt": "repeat" if repeats else "leave"})
        answer = await environment.run(
            asking.reconcile, visit(self.run, step, version=self.version, n=self.visit.position.lines)
        )
        assert not isinstance(answer, Held)
        return answer

    async def seen(self) -> RunView:
        return await get_run(self.shop.store, self.run)

    async def booked(self) -> SendView:
        (send,) = (await self.seen()).sends
        return send

    async def lines(self) -> list[tuple[str, str]]:
        return [(entry.step, entry.why) for entry in (await self.seen()).diary]


def _all(channel: Channel) -> dict[Kind, Channel]:
    return dict.fromkeys(INTERACTIONS, channel)


@pytest.fixture
async def shop(store: Store) -> Shop:
    shop = Shop(store)
    await shop.stock()
    await shop.publish()
    return shop


@pytest.fixture
async def doubt(shop: Shop) -> InDoubt:
    return InDoubt(shop, await shop.start(cart_id="c1"))


async def test_what_the_provider_has_is_accepted_as_of_its_claim(doubt: InDoubt) -> None:
    ledger = Ledger(Silent(took=True))
    lost = await doubt.send(ledger)
    assert lost.outcome == "unknown"

    delivery = await doubt.ask(ledger)

    assert isinstance(delivery, Delivery)
    assert delivery.outcome == "accepted"
    assert NOON <= delivery.at <= lost.at
    send = await doubt.booked()
    assert (send.state, send.provider_id) == ("accepted", f"found-{send.id}")
    assert await doubt.lines() == [(doubt.step, ""), (doubt.step, "accepted"), ("opened", "")]


async def test_what_the_provider_has_not_got_is_sent_again(doubt: InDoubt) -> None:
    ledger = Ledger(Silent(took=False))
    await doubt.send(ledger)

    assert await doubt.ask(ledger) is None
    assert (await doubt.send(ledger)).outcome == "accepted"

    assert len(ledger.took) == 1
    assert (await doubt.booked()).attempt == 2
    assert await doubt.lines() == [(doubt.step, ""), (doubt.step, "accepted"), ("opened", "")]


async def test_an_ask_that_died_after_its_answer_gives_the_same_one(doubt: InDoubt) -> None:
    ledger = Ledger(Silent(took=False))
    await doubt.send(ledger)
    assert await doubt.ask(ledger) is None

    assert await doubt.ask(ledger, attempt=2) is None

    assert len(ledger.asked_for) == 1


async def test_no_provider_is_asked_for_what_went_nobody_knows_whereto(doubt: InDoubt) -> None:
    await doubt.shop.come_to(doubt.run, doubt.step)
    content = doubt.visit.message.content
    told = Remembered(doubt.run, "ada", doubt.step, "email", content, "unknown", NOON)
    assert await remember(doubt.shop.store, [told]) == 1
    asked = Ledger(findings=[NotFound(), NotFound()])  # as of a search for no address

    with pytest.raises(ApplicationError) as raised:
        await doubt.ask(asked)
    delivery = await doubt.ask(asked, attempt=2)

    assert raised.value.next_retry_delay == MINUTE
    assert isinstance(delivery, Delivery)
    assert (delivery.outcome, asked.asked_for) == ("unknown", [])
    assert (await doubt.send(asked)).outcome == "unknown"
    assert asked.asked == []


async def test_where_nobody_can_tell_it_is_asked_again_and_then_left(doubt: InDoubt) -> None:
    ledger = Ledger(Silent(took=True), findings=[None, None])
    await doubt.send(ledger)

    with pytest.raises(ApplicationError) as raised:
        await doubt.ask(ledger)
    assert raised.value.next_retry_delay == MINUTE
    assert (await doubt.seen()).step == doubt.step
    delivery = await doubt.ask(ledger, attempt=2)

    assert isinstance(delivery, Delivery)
    assert (delivery.outcome, delivery.reason) == ("unknown", "")
    assert (await doubt.booked()).reason == NOBODY_KNOWS
    assert await doubt.lines() == [(doubt.step, ""), (doubt.step, f"unknown: {NOBODY_KNOWS}"), ("opened", "")]


@pytest.mark.parametrize("repeats", [False, True])
async def test_what_a_channel_can_never_tell_is_left_at_once(doubt: InDoubt, repeats: bool) -> None:
    ledger = Ledger(Silent(took=True), findings=[NeverTells()])
    await doubt.send(ledger)

    delivery = await doubt.ask(ledger, repeats=repeats)

    assert isinstance(delivery, Delivery)
    assert delivery.outcome == "unknown"
    assert len(ledger.took) == 1


async def test_a_push_that_nobody_can_tell_of_is_sent_again(shop: Shop) -> None:
    push = {"id": "final-reminder", "push": "final-push-notification", "to": "customer.push_token"}
    await shop.publish(abandoned_cart(steps=[push, {"id": "opened", "wait": "1 day"}]))
    doubt = InDoubt(shop, await shop.start(cart_id="c1"), "push", version=2)
    ledger = Ledger(Silent(took=True), findings=[None])
    await doubt.send(ledger)

    assert await doubt.ask(ledger, repeats=True) is None
    assert (await doubt.send(ledger)).outcome == "accepted"

    assert [message.send_id for message in ledger.took] == [send_id(doubt.run, doubt.step)] * 2


async def test_what_nobody_can_tell_of_is_not_sent_again_for_ever(doubt: InDoubt) -> None:
    ledger = Ledger(*[Silent(took=True)] * 9, findings=[None] * 9)
    asked: list[Delivery | Moved | None] = []

    while not any(asked):
        await doubt.send(ledger)
        asked.append(await doubt.ask(ledger, attempt=2, repeats=True))

    assert len(ledger.took) == 1 + MOST_REPEATS
    assert (await doubt.booked()).state == "unknown"
    assert (await doubt.seen()).step == "opened"


async def test_what_never_arrives_fails_in_the_end(doubt: InDoubt) -> None:
    ledger = Ledger(*[Silent(took=False)] * 2)
    await doubt.send(ledger)
    await execute(doubt.shop.store, update(sends).values(repeats=MOST_ATTEMPTS - 1))

    assert await doubt.ask(ledger) is None
    await doubt.send(ledger)
    failed = await doubt.ask(ledger)

    assert isinstance(failed, Delivery)
    assert (failed.outcome, (await doubt.booked()).reason) == ("failed", NEVER_ANSWERS)
    assert (await doubt.seen()).step == "opened"


async def test_a_report_goes_before_all_asking(doubt: InDoubt) -> None:
    ledger = Ledger(Silent(took=True))
    await doubt.send(ledger)
    await prove(doubt.shop.store, send_id(doubt.run, doubt.step), "provider-7", NOON + MINUTE)

    delivery = await doubt.ask(ledger)

    assert delivery == Delivery(outcome="accepted", at=NOON + MINUTE)
    assert ledger.asked_for == []
    assert (await doubt.booked()).provider_id == "provider-7"
    assert (await doubt.seen()).step == "opened"


async def test_a_report_that_comes_while_the_provider_is_asked_forbids_a_repeat(doubt: InDoubt) -> None:
    class Proving(Ledger):
        async def find(self, handed: Handed) -> Finding:
            await prove(doubt.shop.store, handed.send_id, "provider-7", NOON + MINUTE)
            return None

    ledger = Proving(Silent(took=True))
    await doubt.send(ledger)

    delivery = await doubt.ask(ledger, repeats=True)

    assert isinstance(delivery, Delivery)
    assert delivery.outcome == "accepted"
    assert (await doubt.seen()).step == "opened"


async def test_an_attempt_that_ends_after_all_is_believed(doubt: InDoubt) -> None:
    ledger = Ledger(Silent(took=False))
    await doubt.send(ledger)
    late = Delivery(outcome="failed", at=NOON + MINUTE, reason="no mailbox ada@example.com")
    await record(doubt.shop.store, doubt.visit, 1, late, None)

    delivery = await doubt.ask(ledger)

    assert delivery == late.model_copy(update={"reason": ""})
    assert ledger.asked_for == []


async def test_a_provider_that_hangs_cannot_tell(doubt: InDoubt) -> None:
    class Hanging(Ledger):
        async def find(self, handed: Handed) -> Finding:
            await asyncio.Event().wait()
            raise AssertionError(handed)

    ledger = Hanging(Silent(took=True))
    await doubt.send(ledger)

    with pytest.raises(ApplicationError, match="cannot tell yet"):
        await doubt.ask(ledger)


async def test_a_text_is_looked_for_by_its_wording_among_others_to_that_number(shop: Shop) -> None:
    other = InDoubt(shop, await shop.start("bob", cart_id="c2"), "text")  # bob has ada's number
    await other.send(Ledger(Accepted("SM-of-bob")))
    doubt = InDoubt(shop, await shop.start(cart_id="c1"), "text")
    ledger = Ledger(Silent(took=True))
    lost = await doubt.send(ledger)

    await doubt.ask(ledger)

    [handed] = ledger.asked_for
    assert (handed.to, handed.text) == ("+15550100", "Still thinking about cart c1?")
    assert handed.text == ledger.took[0].parts["body"]
    assert handed.at <= lost.at
    assert handed.taken == {"SM-of-bob"}
