"""Every fault of every provider, from the send to its settled outcome: by the real SDKs, against fakes that keep books.

What the fake took is the truth. For emails and texts it is one message at most, whatever happens, and where it took one
or can tell that it took none, the outcome, the diary and the run say so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels import Channel
from activities.channels.calls import Limits
from activities.channels.firebase import Firebase
from activities.channels.sendgrid import SendGrid
from activities.channels.twilio import Twilio
from activities.circuit_breaker import CircuitBreaker
from activities.deliver import Deliver
from activities.reconcile import Reconcile
from embedded.fakes.fcm import FakeFcm
from embedded.fakes.sendgrid import FakeSendGrid
from embedded.fakes.server import Fake
from embedded.fakes.twilio import FakeTwilio
from journeys.definition import send_id
from journeys.interactions import Kind
from journeys.walk.diary import Delivery, Held, Moved
from journeys.walk.world import Visit
from store.customers import put_customer
from store.runs import get_run
from store.store import Store, open_store
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import Shop, message, to_its_end, visit

LATER = ("429", "429-delay")
LOST = ("408", "500", "503", "hang", "reset", "close")
LOST_AFTER = ("408-after", "500-after", "502-after", "503-after", "hang-after", "reset-after", "close-after")
OF_EACH: dict[Kind, dict[str, tuple[str, ...]]] = {
    "email": {
        "accepted": ("", "slow", "garbled-after", *LATER, *LOST, "421", *LOST_AFTER, "cut-after", "200-after"),
        "failed": ("400", "400:personalizations.0.to.0.email", "406", "413", "415"),
        "down": ("401", "403", "404", "405", "400:from.email"),
    },
    "text": {
        "accepted": ("", "slow", *LATER, "400:63038", *LOST, *LOST_AFTER, "cut-after", "garbled-after", "302-after"),
        "failed": ("400:21211", "400:21610", "400:21617", "400:21408"),
        "down": ("401:20003", "400:21606", "403:20005"),
    },
    "push": {
        "accepted": ("", "slow", *LATER, *LOST, *LOST_AFTER, "cut-after", "garbled-after"),
        "failed": ("400", "404:UNREGISTERED", "403:SENDER_ID_MISMATCH"),
        "down": ("403", "401:THIRD_PARTY_AUTH_ERROR"),
    },
}
CASES = [
    pytest.param(kind, fault, outcome, id=f"{kind}-{fault or 'none'}")
    for kind, outcomes in OF_EACH.items()
    for outcome, faults in outcomes.items()
    for fault in faults
]
ADDRESSES = {"email": "ada@example.com", "phone": "+15550001111", "push_token": "fid-1:ada-s-phone"}
CONTENTS: dict[Kind, tuple[str, str]] = {
    "email": ("initial-email-reminder", "customer.email"),
    "text": ("second-text-reminder", "customer.phone"),
    "push": ("final-push-notification", "customer.push_token"),
}


@asynccontextmanager
async def provider(kind: Kind, limits: Limits) -> AsyncIterator[tuple[Fake, Channel]]:
    """A fake, and the real channel that reaches it."""
    fake, channel = await _pair(kind, limits)
    try:
        yield fake, channel
    finally:
        await channel.close()
        await fake.close()


async def _pair(kind: Kind, limits: Limits) -> tuple[Fake, Channel]:
    match kind:
        case "email":
            sendgrid = FakeSendGrid()
            await sendgrid.start()
            return sendgrid, SendGrid(sendgrid.key, "Shop <shop@example.com>", url=sendgrid.url, limits=limits)
        case "text":
            twilio = FakeTwilio()
            await twilio.start()
            callback = "https://journeys.example.com/webhooks/twilio"
            secret, sender = twilio.token, twilio.number
            channel = Twilio(twilio.account, secret, sender, callback=callback, url=twilio.url, limits=limits)
            return twilio, channel
        case "push":
            fcm = FakeFcm()
            await fcm.start()
            return fcm, Firebase(fcm.account, url=fcm.url, limits=limits)


@dataclass
class Walked:
    """One message step, delivered as the walk and Temporal would: again after "not now", asked about when unknown."""

    store: Store
    run: str
    kind: Kind
    channel: Channel
    attempts: int = 0
    asked: int = 0

    async def settled(self) -> Delivery:
        while True:
            delivery = await self._delivered()
            if delivery.outcome != "unknown":
                return delivery
            if isinstance(settled := await self._found_out(), Delivery):
                return settled

    async def _delivered(self) -> Delivery:
        breaker = CircuitBreaker(self.store, probe=timedelta(0))
        deliver = Deliver(self.store, {self.kind: self.channel}, breaker=breaker, call=timedelta(seconds=2))
        while True:
            self.attempts += 1
            assert self.attempts < 5
            try:
                return await ActivityEnvironment().run(to_its_end(deliver), self._visit())
            except ApplicationError as error:
                if error.type != "NotNow":
                    raise

    def _visit(self) -> Visit:
        step = message(self.kind, "reminder", *CONTENTS[self.kind])
        return visit(self.run, step, now=datetime.now(UTC), following="pause")

    async def _found_out(self) -> Delivery | Moved | None:
        reconcile = Reconcile(self.store, {self.kind: self.channel})
        ask = self._visit()
        environment = ActivityEnvironment()
        while True:
            self.asked += 1
            environment.info = replace(environment.info, attempt=self.asked)
            try:
                answer = await environment.run(reconcile.reconcile, ask)
                assert not isinstance(answer, Held)
                return answer
            except ApplicationError as error:
                if error.type != "CannotTell":
                    raise


@pytest.fixture
async def shop(sqlite_url: str) -> AsyncIterator[Shop]:
    store = open_store(sqlite_url)
    shop = Shop(store, datetime.now(UTC) - timedelta(seconds=1))
    await shop.stock()
    await put_customer(store, "ada", CUSTOMER | ADDRESSES, shop.now)
    yield shop
    await store.close()


async def under_way(shop: Shop, kind: Kind, channel: Channel) -> Walked:
    content, to = CONTENTS[kind]
    await shop.publish(
        abandoned_cart(steps=[{"id": "reminder", kind: content, "to": to}, {"id": "pause", "wait": "1 day"}])
    )
    return Walked(shop.store, await shop.start(cart_id="c1"), kind, channel)


async def assert_all_agree(walked: Walked, delivery: Delivery, fake: Fake) -> None:
    """The answer to the walk, the ledger of sends, the diary, and the provider's own books."""
    seen = await get_run(walked.store, walked.run)
    (send,) = seen.sends
    kept = fake.accepted(send_id(walked.run, "reminder"))
    assert send.state == delivery.outcome
    assert send.at == delivery.at
    assert seen.step == "pause"
    assert [(line.n, line.step, line.did) for line in seen.diary] == [
        (0, "reminder", "entered"),
        (1, "reminder", "passed"),
        (2, "pause", "entered"),
    ]
    assert seen.diary[1].why.partition(":")[0] == delivery.outcome
    if walked.kind != "push":
        assert len(kept) <= 1
    if delivery.outcome == "accepted":
        # SendGrid's logs name a message by its X-Message-Id and more; an answer that was garbled names none.
        assert any((send.provider_id or one.provider_id).startswith(one.provider_id) for one in kept)
    if delivery.outcome == "failed":
        assert kept == []


@pytest.mark.parametrize(("kind", "fault", "outcome"), CASES)
async def test_a_fault_is_got_over(kind: Kind, fault: str, outcome: str, shop: Shop, limits: Limits) -> None:
    async with provider(kind, limits) as (fake, channel):
        walked = await under_way(shop, kind, channel)
        if fault:
            fake.misbehave(fault)

        delivery = await walked.settled()

        assert delivery.outcome == ("accepted" if outcome == "down" else outcome)
        await assert_all_agree(walked, delivery, fake)
        if outcome != "failed":  # nothing lost
            assert len(fake.accepted(send_id(walked.run, "reminder"))) >= 1
        if isinstance(fake, FakeFcm):  # a repeat replaces what is there
            assert len(fake.shown) <= 1


@pytest.mark.parametrize("fault", ["503", "503-after", "hang-after"])
async def test_an_email_that_nobody_can_tell_of_is_left_and_said_to_be_unknown(
    fault: str, shop: Shop, limits: Limits
) -> None:
    async with provider("email", limits) as (fake, channel):
        assert isinstance(fake, FakeSendGrid)
        fake.may_read_logs = False
        walked = await under_way(shop, "email", channel)
        fake.misbehave(fault)

        delivery = await walked.settled()

        assert delivery.outcome == "unknown"
        assert walked.asked == 4
        assert len(fake.sends) == 1
        await assert_all_agree(walked, delivery, fake)


async def test_a_text_that_nobody_can_tell_from_another_is_left(shop: Shop, limits: Limits) -> None:
    async with provider("text", limits) as (fake, channel):
        walked = await under_way(shop, "text", channel)
        by_hand = {"To": ADDRESSES["phone"], "From": "+15005550006", "Body": "Hello by hand"}
        fake.keep("", ADDRESSES["phone"], "SM-by-hand", by_hand)
        fake.misbehave("503")

        delivery = await walked.settled()

        assert delivery.outcome == "unknown"
        await assert_all_agree(walked, delivery, fake)


async def test_fault_after_fault_ends_with_one_message(shop: Shop, limits: Limits) -> None:
    async with provider("email", limits) as (fake, channel):
        walked = await under_way(shop, "email", channel)
        fake.misbehave("429", "503", "reset", "503-after")

        delivery = await walked.settled()

        assert (delivery.outcome, walked.attempts, walked.asked) == ("accepted", 4, 3)
        assert len(fake.ledger) == 1
        await assert_all_agree(walked, delivery, fake)
