"""Addresses that are not written to any more: listed, explained and lifted, with a line that says who wanted it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.problems import Conflict, Unknown
from store.consents import get_consents, opt
from store.customers import put_customer
from store.sends import Go
from store.suppressions import STOPPED, get_address, lift, list_liftings, list_suppressions, suppress
from tests.samples import CUSTOMER
from tests.shop import Shop, by_us

ADDRESS = "ada@example.com"
NUMBER = "+15550100"
BOUNCED = "bounced, as sendgrid reports"


async def test_what_is_suppressed_is_listed_with_whom_it_is_about(shop: Shop) -> None:
    await shop.publish()
    await shop.claim(await shop.start())
    await suppress(shop.store, "text", "+15550199", "gone", shop.now)
    await suppress(shop.store, "email", "ADA@example.com", BOUNCED, shop.later(days=1))

    bounced, gone = (await list_suppressions(shop.store)).suppressions

    assert (bounced.channel, bounced.reason, bounced.at) == ("email", BOUNCED, shop.now)
    assert (bounced.customer, bounced.recipient) == ("ada", ADDRESS)
    assert "lift it" in bounced.hint
    assert (gone.channel, gone.customer, gone.recipient) == ("text", None, None)  # never written to


async def test_they_are_listed_page_by_page_and_by_channel(shop: Shop) -> None:
    for number in range(5):
        await suppress(shop.store, "text", f"+1555010{number}", "gone", shop.now)
        await suppress(shop.store, "email", f"c{number}@example.com", BOUNCED, shop.now)

    first = await list_suppressions(shop.store, limit=7)
    rest = await list_suppressions(shop.store, limit=7, before=first.next)
    texts = await list_suppressions(shop.store, channel="text", limit=5)

    ids = [each.id for each in (*first.suppressions, *rest.suppressions)]
    assert ids == sorted(ids, reverse=True)
    assert (len(first.suppressions), len(rest.suppressions), rest.next) == (7, 3, None)
    assert ({each.channel for each in texts.suppressions}, len(texts.suppressions), texts.next) == ({"text"}, 5, None)


async def test_a_lifted_address_is_written_to_again_and_who_wanted_it_is_kept(shop: Shop) -> None:
    await shop.publish()
    await suppress(shop.store, "email", ADDRESS, BOUNCED, shop.now)
    [there] = (await get_address(shop.store, "email", "mailto:Ada@example.com")).suppressions
    then = shop.now

    lifted = await lift(shop.store, there.id, "The mailbox was made.", "grace", by_us(shop.later(days=1)))

    assert (lifted.reason, lifted.suppressed_at, lifted.why, lifted.source, lifted.at) == (
        BOUNCED,
        then,
        "The mailbox was made.",
        "grace",
        shop.now,
    )
    assert isinstance(await shop.claim(await shop.start()), Go)
    seen = await get_address(shop.store, "email", ADDRESS)
    assert (seen.suppressions, [line.id for line in seen.lifted]) == ((), [lifted.id])
    assert [line.id for line in (await list_liftings(shop.store)).lifted] == [lifted.id]
    with pytest.raises(Unknown, match="There is no suppression"):
        await lift(shop.store, there.id, "Again.", "grace", by_us(shop.now))


async def test_each_reason_is_lifted_by_itself(shop: Shop) -> None:
    for reason in ("gone", BOUNCED, "gone"):
        await suppress(shop.store, "email", ADDRESS, reason, shop.now)
    latest, first = (await list_suppressions(shop.store)).suppressions

    await lift(shop.store, first.id, "Mended.", "grace", by_us(shop.now))

    assert [each.id for each in (await get_address(shop.store, "email", ADDRESS)).suppressions] == [latest.id]


async def test_nobody_lifts_a_stop(shop: Shop) -> None:
    await opt(shop.store, "text", NUMBER, "out", "twilio", shop.now)
    await suppress(shop.store, "text", NUMBER, "gone", shop.now)
    gone, stopped = (await list_suppressions(shop.store)).suppressions

    await lift(shop.store, gone.id, "It is a new line.", "grace", by_us(shop.now))
    with pytest.raises(Conflict, match="Only START from that number"):
        await lift(shop.store, stopped.id, "We want to.", "grace", by_us(shop.now))

    [left] = (await get_address(shop.store, "text", "0015550100")).suppressions
    assert left.reason == STOPPED
    assert "Only START" in left.hint


async def test_lifting_takes_back_nothing_that_the_customer_said(shop: Shop) -> None:
    await shop.publish()
    await shop.claim(await shop.start())
    await opt(shop.store, "email", ADDRESS, "out", "sendgrid", shop.now)
    await suppress(shop.store, "email", ADDRESS, "unsubscribed, as sendgrid reports", shop.now)
    [complaint] = (await list_suppressions(shop.store)).suppressions

    await lift(shop.store, complaint.id, "By mistake.", "grace", by_us(shop.now))

    assert {consent.choice for consent in (await get_consents(shop.store, "ada")).said} == {"out"}


async def test_a_start_takes_back_the_stop_alone(shop: Shop) -> None:
    await opt(shop.store, "text", NUMBER, "out", "twilio", shop.now)
    await suppress(shop.store, "text", NUMBER, "gone", shop.now)

    await opt(shop.store, "text", NUMBER, "in", "twilio", shop.now + timedelta(minutes=1))

    assert [each.reason for each in (await get_address(shop.store, "text", NUMBER)).suppressions] == ["gone"]


async def test_a_mended_number_is_written_to(shop: Shop) -> None:
    await shop.publish()
    await suppress(shop.store, "text", "+15550100", "gone", shop.now)

    await put_customer(shop.store, "ada", {**CUSTOMER, "phone": "+15550102"}, shop.now)

    assert isinstance(await shop.claim(await shop.start(), "second-reminder", following="pause"), Go)
