"""A send, attempt by attempt, against a real store and a provider that keeps its own books."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels import Accepted, Channel, Down, NotNow, Outgoing, ProviderAnswer, Refused
from activities.channels.calls import NoAnswer
from activities.channels.links import Links, read
from activities.circuit_breaker import CircuitBreaker
from activities.deliver import Deliver
from journeys.catalogue import CHANGED
from journeys.clearance.consent import Rules
from journeys.definition import send_id
from journeys.interactions import INTERACTIONS
from journeys.steps import Email, Push
from journeys.walk.diary import Delivery, Held
from journeys.walk.world import Visit
from store.catalogue import put_content, ready_content
from store.channels import channels
from store.consents import get_consents
from store.customers import get_customer, put_customer
from store.events import accept
from store.runs import RunView, SendView, get_run, list_runs
from store.sends import give_up_stale, prove
from store.store import Store
from tests.ledger import Ledger
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart
from tests.shop import NOON, Shop, by_us, to_its_end, visit
from tests.transactions import execute

STEP = "initial-reminder"


@dataclass(frozen=True)
class Sending:
    """A run that is about to send its first message."""

    shop: Shop
    run: str

    @property
    def visit(self) -> Visit:
        return visit(self.run, STEP)

    async def attempt(self, channel: Channel, *, after: int = 0, at: Visit | None = None, **options: Any) -> Delivery:
        """One attempt, started *after* so many seconds from when the first one was scheduled."""
        environment = ActivityEnvironment()
        started = environment.info.scheduled_time + timedelta(seconds=after)
        environment.info = replace(environment.info, started_time=started)
        deliver = Deliver(self.shop.store, dict.fromkeys(INTERACTIONS, channel), **options)
        return await environment.run(to_its_end(deliver), at or self.visit)

    async def attempt_that_dies(self) -> None:
        """One attempt that ends between the provider's call and the record."""
        provider = Hanging()
        attempt = asyncio.ensure_future(self.attempt(provider))
        await provider.reached.wait()
        attempt.cancel()
        await asyncio.wait([attempt])

    async def seen(self) -> RunView:
        return await get_run(self.shop.store, self.run)

    async def booked(self) -> SendView:
        (send,) = (await self.seen()).sends
        return send

    async def buys(self) -> int:
        """The purchase ends the run; returns how many of its sends are in flight."""
        return (await self.shop.post("purchase-completed")).in_flight


@pytest.fixture
async def sending(store: Store) -> Sending:
    shop = Shop(store)
    await shop.stock()
    await shop.publish()
    return Sending(shop, await shop.start(cart_id="c1"))


class Hanging(Ledger):
    """A provider that takes the message and never answers. *reached* is set when it has it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def send(self, message: Outgoing) -> ProviderAnswer:
        self.reached.set()
        await asyncio.Event().wait()
        raise AssertionError(message)


async def test_accepted(sending: Sending) -> None:
    ledger = Ledger(Accepted("provider-7"))

    delivery = await sending.attempt(ledger)

    assert (delivery.outcome, delivery.reason) == ("accepted", "")
    assert NOON <= delivery.at < NOON + timedelta(seconds=5)
    (message,) = ledger.took
    assert message.to == "ada@example.com"
    assert message.send_id == send_id(sending.run, STEP)
    assert message.parts["subject"] == "Your cart is waiting, Ada"
    assert message.parts["text"].startswith("You left 60 in your cart.")
    send = await sending.booked()
    assert (send.state, send.provider_id, send.at) == ("accepted", "provider-7", delivery.at)
    seen = await sending.seen()
    assert (seen.step, seen.step_at) == ("opened", delivery.at)
    assert [(entry.n, entry.step, entry.did, entry.why) for entry in seen.diary] == [
        (0, STEP, "entered", ""),
        (1, STEP, "passed", "accepted"),
        (2, "opened", "entered", ""),
    ]


async def test_refused_for_good_is_failed_and_the_reason_stays_with_us(sending: Sending) -> None:
    delivery = await sending.attempt(Ledger(Refused("no mailbox ada@example.com")))

    assert (delivery.outcome, delivery.reason) == ("failed", "")
    send = await sending.booked()
    assert (send.state, send.reason) == ("failed", "no mailbox ada@example.com")
    assert (await sending.seen()).step == "opened"


async def test_not_now_is_tried_again_when_the_provider_says(sending: Sending) -> None:
    ledger = Ledger(NotNow("too many requests from ada@example.com", timedelta(seconds=90)), Accepted())

    with pytest.raises(ApplicationError) as raised:
        await sending.attempt(ledger)
    assert raised.value.next_retry_delay == timedelta(seconds=90)
    assert "ada" not in str(raised.value)
    assert (await sending.booked()).state == "released"

    delivery = await sending.attempt(ledger, after=90)

    assert delivery.outcome == "accepted"
    assert delivery.at >= NOON + timedelta(seconds=90)
    assert (await sending.booked()).attempt == 2
    assert len(ledger.took) == 1


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(ConnectionResetError("while sending to ada@example.com"), "ConnectionResetError", id="any"),
        pytest.param(NoAnswer("SendGrid answered 503"), "SendGrid answered 503", id="known"),
    ],
)
async def test_without_an_answer_the_outcome_is_unknown_and_the_step_not_passed(
    sending: Sending, error: Exception, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = await sending.attempt(Ledger(error))

    assert (delivery.outcome, delivery.reason) == ("unknown", "")
    assert (await sending.booked()).reason == f"the provider gave no answer: {why}"
    seen = await sending.seen()
    assert seen.step == STEP
    assert [(entry.step, entry.did) for entry in seen.diary] == [(STEP, "entered")]
    assert "ada@example.com" not in capsys.readouterr().out


async def test_a_provider_that_hangs_leaves_the_outcome_unknown(sending: Sending) -> None:
    delivery = await sending.attempt(Hanging(), call=timedelta(seconds=0.05))

    assert delivery.outcome == "unknown"
    assert (await sending.booked()).reason == "the provider gave no answer: TimeoutError"


async def test_after_an_attempt_that_died_the_outcome_is_unknown_and_nobody_calls(sending: Sending) -> None:
    await sending.attempt_that_dies()
    assert (await sending.booked()).state == "claimed"

    ledger = Ledger()
    delivery = await sending.attempt(ledger, after=31)

    assert delivery.outcome == "unknown"
    assert ledger.asked == []
    assert (await sending.booked()).state == "unknown"
    assert (await sending.seen()).step == STEP


async def test_after_an_attempt_that_died_a_report_can_prove_that_it_went_out(sending: Sending) -> None:
    await sending.attempt_that_dies()
    await prove(sending.shop.store, send_id(sending.run, STEP), "provider-7", NOON + timedelta(seconds=9))

    ledger = Ledger()
    delivery = await sending.attempt(ledger, after=41, at=sending.visit.model_copy(update={"following": None}))

    assert (delivery.outcome, delivery.at) == ("accepted", NOON + timedelta(seconds=9))
    assert ledger.asked == []
    seen = await sending.seen()
    assert [(entry.step, entry.did) for entry in seen.diary] == [(STEP, "entered"), (STEP, "passed")]
    assert seen.ended == "completed"


async def test_after_an_attempt_that_recorded_the_outcome_is_the_same(sending: Sending) -> None:
    ledger = Ledger()
    first = await sending.attempt(ledger)

    again = await sending.attempt(ledger, after=31)

    assert again == first
    assert len(ledger.took) == 1


async def test_an_exit_before_the_claim_blocks(sending: Sending) -> None:
    assert await sending.buys() == 0

    ledger = Ledger()
    delivery = await sending.attempt(ledger)

    assert (delivery.outcome, delivery.reason) == ("blocked", "the run has ended: exit: purchase-completed")
    assert ledger.asked == []


async def test_an_exit_between_two_attempts_blocks_the_second(sending: Sending) -> None:
    ledger = Ledger(NotNow("later"))
    with pytest.raises(ApplicationError):
        await sending.attempt(ledger)

    assert await sending.buys() == 0
    delivery = await sending.attempt(ledger, after=60)

    assert delivery.outcome == "blocked"
    assert ledger.took == []


async def test_an_exit_while_the_provider_is_called_is_told_that_a_send_is_in_flight(sending: Sending) -> None:
    in_flight: list[int] = []

    async def taking_its_time() -> ProviderAnswer:
        in_flight.append(await sending.buys())
        return Accepted("p1")

    delivery = await sending.attempt(Ledger(taking_its_time))

    assert in_flight == [1]
    assert delivery.outcome == "accepted"
    assert (await sending.booked()).state == "accepted"
    seen = await sending.seen()
    assert (seen.ended, seen.step) == ("exited", None)


async def test_a_claim_that_nobody_reports_on_is_given_up_once_the_run_has_ended(sending: Sending) -> None:
    await sending.attempt_that_dies()
    hour = NOON + timedelta(hours=1)
    assert await give_up_stale(sending.shop.store, hour, timedelta(minutes=2)) == 0  # a retry will report on it

    assert await sending.buys() == 1
    assert await give_up_stale(sending.shop.store, hour, timedelta(minutes=2)) == 1

    assert (await sending.booked()).state == "unknown"


async def test_no_provider_is_called_long_after_the_claim(sending: Sending) -> None:
    ledger = Ledger()

    with pytest.raises(ApplicationError, match="to be tried again"):
        await sending.attempt(ledger, call_before=timedelta(0))

    assert ledger.asked == []
    assert (await sending.booked()).state == "released"


async def test_no_address_blocks_and_the_run_goes_on(sending: Sending) -> None:
    await put_customer(sending.shop.store, "ada", {"phone": "+15550100"}, NOON)
    ledger = Ledger()

    delivery = await sending.attempt(ledger)

    assert (delivery.outcome, delivery.reason) == ("blocked", "customer.email is missing")
    assert ledger.asked == []
    assert (await sending.seen()).step == "opened"


async def test_a_template_that_goes_too_far_is_parked_and_not_tried_again(sending: Sending) -> None:
    endless = "{% for a in (1..9999) %}{% for b in (1..9999) %}{{ a }}{% endfor %}{% endfor %}"
    await execute(  # it cannot be made ready, so it is put there by hand
        sending.shop.store,
        text("UPDATE contents SET ready = :ready WHERE name = 'initial-email-reminder'"),
        ready=f'{{"content": "initial-email-reminder", "email": {{"subject": "s", "text": "{endless}"}}}}',
    )
    ledger = Ledger()

    deliver = Deliver(sending.shop.store, dict.fromkeys(INTERACTIONS, ledger))

    held = await ActivityEnvironment().run(deliver.deliver, sending.visit)

    assert held == Held(until=None, why="the content cannot be filled in", by="park")
    assert ledger.asked == []
    assert (await sending.booked()).reason.startswith("the content cannot be filled in: ")


async def test_without_a_channel_nothing_is_claimed(sending: Sending) -> None:
    deliver = Deliver(sending.shop.store, {})

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(deliver.deliver, sending.visit)

    assert raised.value.type == "KeyError"
    assert (await sending.seen()).sends == ()


async def test_the_last_send_completes_the_run(sending: Sending) -> None:
    deliver = Deliver(sending.shop.store, dict.fromkeys(INTERACTIONS, Ledger()))
    last = sending.visit.model_copy(update={"following": None})

    delivery = await ActivityEnvironment().run(to_its_end(deliver), last)

    seen = await sending.seen()
    assert (seen.ended, seen.ended_at) == ("completed", delivery.at)


async def test_what_has_expired_is_blocked_not_sent_late(sending: Sending) -> None:
    ledger = Ledger(NotNow("later", timedelta(hours=1)))
    expiring = sending.visit.model_copy(update={"expires_at": NOON + timedelta(minutes=10)})

    with pytest.raises(ApplicationError) as raised:
        await sending.attempt(ledger, at=expiring)
    # Not in an hour, as the provider says: the walk goes on when the message expires.
    assert raised.value.next_retry_delay is not None
    assert timedelta(minutes=9) < raised.value.next_retry_delay <= timedelta(minutes=10, seconds=1)
    delivery = await sending.attempt(ledger, at=expiring, after=601)

    assert (delivery.outcome, delivery.reason) == ("blocked", "it expired at 24 Nov 12:10")
    assert len(ledger.asked) == 1
    assert (await sending.seen()).step == "opened"


async def test_consent_is_asked_at_the_last_moment(sending: Sending) -> None:
    ledger = Ledger()

    await sending.shop.rule(consent=Rules(email="restrictive"))
    delivery = await sending.attempt(ledger)

    assert (delivery.outcome, delivery.reason) == ("blocked", "has not opted in to commercial email")
    assert ledger.asked == []


async def test_a_channel_that_is_down_stops_loudly_and_is_tried_by_one_at_a_time(
    sending: Sending, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = sending.shop
    other = Sending(shop, await shop.start("bob", cart_id="c2"))
    breaker = CircuitBreaker(shop.store, probe=timedelta(seconds=0.3))
    ledger = Ledger(Down("SendGrid does not take the API key (401)"), Down("SendGrid does not take the API key (401)"))

    for sender in (sending, other):
        with pytest.raises(ApplicationError) as raised:
            await sender.attempt(ledger, breaker=breaker)
        assert raised.value.next_retry_delay is not None
        assert raised.value.next_retry_delay <= timedelta(seconds=0.3)
    assert len(ledger.asked) == 1
    assert (await sending.booked()).state == "released"
    assert (await other.seen()).sends == ()
    [down] = (await channels(shop.store)).values()
    assert (down.kind, down.state, down.reason) == ("email", "down", "SendGrid does not take the API key (401)")

    await asyncio.sleep(0.3)
    for sender in (other, sending):
        with pytest.raises(ApplicationError):
            await sender.attempt(ledger, breaker=breaker)
    assert len(ledger.asked) == 2

    await asyncio.sleep(0.3)
    for sender in (sending, other):
        assert (await sender.attempt(ledger, breaker=breaker)).outcome == "accepted"
    [works] = (await channels(shop.store)).values()
    assert works.state == "ok"
    assert capsys.readouterr().out.count("channel down") == 1


async def test_a_provider_that_cannot_be_reached_is_seen_at_once_and_tried_again_at_once(sending: Sending) -> None:
    breaker = CircuitBreaker(sending.shop.store)
    no_way = NotNow("SendGrid cannot be reached: ConnectionError", unreachable=True)
    ledger = Ledger(Accepted(), no_way, Accepted())
    other = Sending(sending.shop, await sending.shop.start("bob", cart_id="c2"))

    await other.attempt(ledger, breaker=breaker)
    with pytest.raises(ApplicationError):
        await sending.attempt(ledger, breaker=breaker)

    [seen] = (await channels(sending.shop.store)).values()
    assert (seen.kind, seen.state, seen.reason) == ("email", "down", no_way.reason)

    assert (await sending.attempt(ledger, breaker=breaker)).outcome == "accepted"
    [seen] = (await channels(sending.shop.store)).values()
    assert seen.state == "ok"


async def test_an_expired_message_does_not_wait_for_a_channel_that_is_down(sending: Sending) -> None:
    breaker = CircuitBreaker(sending.shop.store)
    await breaker.open("email", "no key", NOON)
    expired = sending.visit.model_copy(update={"expires_at": NOON})

    delivery = await sending.attempt(Ledger(), breaker=breaker, at=expired)

    assert delivery.outcome == "blocked"


EXPIRING = {"email": "initial-email-reminder", "to": "customer.email", "expires": {"at": "event.ends_at"}}


async def until_date(sending: Sending, ends_at: str) -> tuple[Sending, Visit]:
    """A run whose first message expires at a date, and the visit to it, which does not tell that date."""
    message = Email.model_validate({"id": STEP, **EXPIRING})
    journey = abandoned_cart(
        start={"trigger": "trial-started", "overlap": "parallel"}, steps=[message.model_dump(exclude_defaults=True)]
    )
    published = await sending.shop.publish(journey)
    receipt = await sending.shop.post("trial-started", total=60, ends_at=ends_at)
    run = receipt.decisions[-1].run or ""
    return Sending(sending.shop, run), visit(run, message, following=None, version=published.version)


async def test_a_date_is_known_where_a_channel_is_down(sending: Sending) -> None:
    breaker = CircuitBreaker(sending.shop.store)
    await breaker.open("email", "no key", NOON)
    expired, late = await until_date(sending, "2026-11-24T12:00:00Z")
    waiting, soon = await until_date(sending, "2026-11-24T12:00:20Z")

    delivery = await expired.attempt(Ledger(), breaker=breaker, at=late)
    with pytest.raises(ApplicationError) as raised:
        await waiting.attempt(Ledger(), breaker=breaker, at=soon)

    assert (delivery.outcome, delivery.reason) == ("blocked", "it expired at 24 Nov 12:00")
    assert raised.value.next_retry_delay is not None
    assert raised.value.next_retry_delay <= timedelta(seconds=21)


async def test_no_try_comes_later_than_the_date(sending: Sending) -> None:
    expiring, first = await until_date(sending, "2026-11-24T12:10:00Z")
    ledger = Ledger(NotNow("later", timedelta(hours=1)))

    with pytest.raises(ApplicationError) as raised:
        await expiring.attempt(ledger, at=first)
    assert raised.value.next_retry_delay is not None
    assert timedelta(minutes=9) < raised.value.next_retry_delay <= timedelta(minutes=10, seconds=1)
    delivery = await expiring.attempt(ledger, at=first, after=601)

    assert (delivery.outcome, delivery.reason) == ("blocked", "it expired at 24 Nov 12:10")
    assert len(ledger.asked) == 1


async def test_one_channel_that_is_down_stops_no_other(sending: Sending) -> None:
    breaker = CircuitBreaker(sending.shop.store)
    await breaker.open("text", "suspended", NOON)

    assert (await sending.attempt(Ledger(), breaker=breaker)).outcome == "accepted"


async def test_dead_tokens_are_used_no_more(sending: Sending) -> None:
    await put_customer(sending.shop.store, "ada", CUSTOMER | {"push_token": "old, new"}, NOON)
    push = Push(id=STEP, push="final-push-notification", to="customer.push_token")

    await sending.attempt(Ledger(Accepted("p-1", dead=("old",))), at=visit(sending.run, push))

    assert (await get_customer(sending.shop.store, "ada")).attributes["push_token"] == "new"


async def test_what_a_dead_token_starts_goes_at_the_pace_of_the_run(sending: Sending) -> None:
    shop, pause = sending.shop, {"id": "pause", "wait": "1 day"}
    await put_customer(shop.store, "ada", CUSTOMER | {"push_token": "old, new"}, NOON)
    await shop.publish(abandoned_cart(journey="moves", start={"trigger": CHANGED}, goal=None, exit=[], steps=[pause]))
    cart, minute = shop.event("abandoned-cart", total=60, cart_id="c2"), timedelta(minutes=1)
    (receipt,) = await accept(shop.store, [cart], NOON, day=minute)
    push = Push(id=STEP, push="final-push-notification", to="customer.push_token")

    await sending.attempt(Ledger(Accepted("p-1", dead=("old",))), at=visit(receipt.decisions[-1].run or "", push))

    (started,) = (await list_runs(shop.store, journey="moves")).runs
    assert started.day == minute


async def test_an_address_that_does_not_exist_is_used_no_more(sending: Sending) -> None:
    ledger = Ledger(Refused("no mailbox", dead=("ada@example.com",)))
    assert (await sending.attempt(ledger)).outcome == "failed"

    again = Sending(sending.shop, await sending.shop.start(cart_id="c2"))
    delivery = await again.attempt(ledger)

    assert delivery.outcome == "blocked"
    assert delivery.reason == "the address is suppressed: the provider says that it does not exist"
    assert len(ledger.asked) == 1


async def test_who_told_the_provider_to_stop_has_opted_out(sending: Sending) -> None:
    await sending.attempt(Ledger(Refused("error 21610", opt_out=True)))

    told = await get_consents(sending.shop.store, "ada")
    assert {(said.channel, said.purpose, said.choice) for said in told.said} == {
        ("email", "commercial", "out"),
        ("email", "transactional", "out"),
    }


@pytest.mark.parametrize("purpose", ["commercial", "transactional"])
async def test_emails_show_a_link_to_unsubscribe(sending: Sending, purpose: str) -> None:
    content = CONTENTS["initial-email-reminder"].model_copy(update={"purpose": purpose})
    await put_content(sending.shop.store, content, by_us(NOON))
    await ready_content(sending.shop.store, content.content, by_us(NOON))
    ledger = Ledger()

    await sending.attempt(ledger, links=Links("https://journeys.example.com/", "a-secret"))

    parts = ledger.took[0].parts
    address = parts["text"].rpartition(" ")[2]
    assert address.startswith("https://journeys.example.com/u/")
    assert parts.get("unsubscribe_url") == (address if purpose == "commercial" else None)  # what the header is made of
    assert read(address.rpartition("/")[2], "a-secret") == send_id(sending.run, STEP)
