"""Who may not be messaged: what is said, what holds, and what the claim makes of it at the last moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.event import listen, remove

from journeys.clearance.consent import Choice, Consent, Enforcement, Rules
from journeys.definition import Journey, send_id
from journeys.problems import Unavailable
from store import catalogue
from store.consents import ConsentLine, get_consents, opt, opt_out, put_consents
from store.customers import put_customer
from store.lifecycle import lock_customer_and_run
from store.links import find_link
from store.schema import customers, sends, suppressions
from store.sends import Go, get_send, latest_send, release
from store.store import open_store
from store.suppressions import suppress
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart
from tests.shop import Shop, by_us
from tests.transactions import execute, rows, under_way

ASKED = Rules(transactional="restrictive")
ADDRESS = "ada@example.com"
NUMBER = "+15550100"


def texts() -> Journey:
    """The abandoned cart with a text as its first message."""
    return abandoned_cart(
        steps=[
            {"id": "hello", "text": "second-text-reminder", "to": "customer.phone"},
            {"id": "more", "text": "second-text-reminder", "to": "customer.phone"},
        ]
    )


@pytest.fixture
async def run(shop: Shop) -> str:
    """A run of ada's at its first step, an email."""
    await shop.publish()
    return await shop.start()


@pytest.fixture
async def texting(shop: Shop) -> str:
    """A run of ada's at its first step, a text."""
    await shop.publish(texts())
    return await shop.start()


async def say(shop: Shop, *consents: Consent, customer: str = "ada") -> None:
    await put_consents(shop.store, customer, consents, "tests", shop.now)


def email(choice: Choice, **more: Any) -> Consent:
    return Consent(channel="email", choice=choice, **more)


async def refusal(shop: Shop, run: str, step: str = "initial-reminder", **more: Any) -> str:
    """Why a claim is refused; nothing where it is not."""
    claimed = await shop.claim(run, step, **{"rules": ASKED, **more})
    if isinstance(claimed, Go):
        return ""
    assert claimed.delivery.outcome == "blocked"
    return claimed.delivery.reason


async def change(shop: Shop, **changes: Any) -> None:
    """Change what the first email is about."""
    content = CONTENTS["initial-email-reminder"].model_copy(update=changes)
    await catalogue.put_content(shop.store, content, by_us(shop.now))
    await catalogue.ready_content(shop.store, content.content, by_us(shop.now))


async def test_the_log_keeps_all_that_was_said_and_the_latest_holds(shop: Shop) -> None:
    await say(shop, email("in"), email("in", topic="news"), Consent(channel="text", choice="in"))
    then = shop.now
    later = shop.later(days=1)
    await put_consents(shop.store, "ada", [email("out")], "preferences", later, "page 2")

    seen = await get_consents(shop.store, "ada")

    assert set(seen.said) == {email("out"), email("in", topic="news"), Consent(channel="text", choice="in")}
    assert [(line.choice, line.source, line.at, line.detail) for line in seen.log] == [
        ("in", "tests", then, ""),
        ("in", "tests", then, ""),
        ("in", "tests", then, ""),
        ("out", "preferences", later, "page 2"),
    ]
    assert (await get_consents(shop.store, "cleo")).log == ()


async def test_what_was_said_earlier_but_heard_of_later_does_not_hold(shop: Shop) -> None:
    await put_consents(shop.store, "ada", [email("in")], "preferences", shop.now)

    await put_consents(shop.store, "ada", [email("out")], "sendgrid", shop.now - timedelta(hours=1), "event-1")

    seen = await get_consents(shop.store, "ada")
    assert seen.said == (email("in"),)
    assert [line.choice for line in seen.log] == ["out", "in"]


async def test_a_report_that_comes_again_is_logged_once(shop: Shop) -> None:
    for _ in range(3):
        await put_consents(shop.store, "ada", [email("out")], "sendgrid", shop.now, "event-1")
    await put_consents(shop.store, "ada", [email("out")], "another", shop.now, "event-1")

    assert [line.source for line in (await get_consents(shop.store, "ada")).log] == ["sendgrid", "another"]


async def test_ten_reports_at_once_are_one(shop: Shop) -> None:
    said = (put_consents(shop.store, "ada", [email("out")], "sendgrid", shop.now, "event-1") for _ in range(10))
    await asyncio.gather(*said)

    assert len((await get_consents(shop.store, "ada")).log) == 1


MATRIX: dict[Enforcement, dict[Choice, str]] = {
    "restrictive": {
        "out": "opted out of commercial email",
        "unset": "has not opted in to commercial email",
        "in": "",
    },
    "non-restrictive": {"out": "opted out of commercial email", "unset": "", "in": ""},
    "disabled": {"out": "", "unset": "", "in": ""},
}


@pytest.mark.parametrize("enforcement", MATRIX)
@pytest.mark.parametrize("choice", ["out", "unset", "in"])
async def test_the_matrix_holds_at_the_claim(shop: Shop, run: str, enforcement: Enforcement, choice: Choice) -> None:
    if choice != "unset":
        await say(shop, email(choice))

    assert await refusal(shop, run, rules=Rules(email=enforcement)) == MATRIX[enforcement][choice]


async def test_unset_again_is_unset(shop: Shop, run: str) -> None:
    await say(shop, email("in"))
    await say(shop, email("unset"))

    assert await refusal(shop, run, rules=Rules(email="restrictive")) == "has not opted in to commercial email"


@pytest.mark.parametrize(
    ("consents", "refused"),
    [
        pytest.param([email("in"), email("in", topic="carts")], "", id="both"),
        pytest.param([email("in")], "has not opted in to commercial email about carts", id="not-the-topic"),
        pytest.param([email("in", topic="carts")], "has not opted in to commercial email", id="not-the-purpose"),
        pytest.param(
            [email("in"), email("in", topic="carts"), email("out", topic="carts")],
            "opted out of commercial email about carts",
            id="out-of-the-topic",
        ),
        pytest.param(
            [Consent(channel="text", choice="in"), email("in", purpose="transactional"), email("in", topic="news")],
            "has not opted in to commercial email",
            id="others-do-not-count",
        ),
    ],
)
async def test_a_topic_needs_both(shop: Shop, run: str, consents: list[Consent], refused: str) -> None:
    await change(shop, topic="carts")
    await say(shop, *consents)

    assert await refusal(shop, run, rules=Rules(email="restrictive")) == refused


async def test_a_transactional_message_asks_for_its_own_consent(shop: Shop, run: str) -> None:
    await change(shop, purpose="transactional")
    await say(shop, email("out"))

    assert await refusal(shop, run) == "has not opted in to transactional email"
    assert await refusal(shop, await shop.start(cart_id="B"), rules=Rules()) == ""


async def test_push_is_asked_too(shop: Shop, run: str) -> None:
    await say(shop, Consent(channel="push", choice="out"))

    assert await refusal(shop, run, "final-reminder", following=None) == "opted out of commercial push"


async def test_what_somebody_else_said_does_not_count(shop: Shop, run: str) -> None:
    await put_customer(shop.store, "bob", {**CUSTOMER, "email": "bob@example.com"}, shop.now)
    await say(shop, email("out"), customer="bob")

    assert await refusal(shop, run) == ""


async def test_an_opt_out_under_one_id_holds_at_the_address_for_every_id(shop: Shop, run: str) -> None:
    await put_customer(shop.store, "bob", {"email": "Ada@Example.com"}, shop.now)

    await say(shop, email("out"), Consent(channel="text", choice="in"), customer="bob")

    assert await refusal(shop, run) == "opted out of commercial email"
    assert (await get_consents(shop.store, "ada")).said == (email("out"),)
    assert [line.choice for line in (await get_consents(shop.store, "bob")).log] == ["out", "in"]


async def test_an_id_that_comes_later_with_the_address_is_opted_out_as_well(shop: Shop, run: str) -> None:
    await say(shop, email("out"))
    await put_customer(shop.store, "new", CUSTOMER, shop.now)

    assert await refusal(shop, await shop.start("new")) == "opted out of commercial email"


async def test_who_opts_in_again_opts_in_under_that_id_alone(shop: Shop, run: str) -> None:
    await say(shop, email("out"), customer="bob")
    shop.later(minutes=1)

    await say(shop, email("in"))

    assert await refusal(shop, run) == ""
    assert await refusal(shop, await shop.start("bob")) == "opted out of commercial email"


async def test_an_opt_out_stays_with_the_customer_who_moves_on(shop: Shop, run: str) -> None:
    await say(shop, email("out"))
    await put_customer(shop.store, "ada", {**CUSTOMER, "email": "ada@new.example.com"}, shop.now)

    assert await refusal(shop, run) == "opted out of commercial email"
    assert len((await get_consents(shop.store, "ada")).log) == 1


async def test_an_address_in_an_attribute_of_our_own_is_heard_of_too(shop: Shop) -> None:
    steps = [{"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.work_email"}]
    await put_customer(shop.store, "bob", {"work_email": ADDRESS}, shop.now)
    await shop.publish(abandoned_cart(steps=steps))

    await say(shop, email("out"))

    run = await shop.start("bob")
    assert await refusal(shop, run, following=None) == "opted out of commercial email"


async def test_a_link_opts_out_whoever_has_the_address(shop: Shop, run: str) -> None:
    await shop.claim(run)
    link = await find_link(shop.store, send_id(run, "initial-reminder"))
    assert link

    for written in (ADDRESS, "ADA@example.com", ADDRESS):
        sent_to = link.model_copy(update={"recipient": written})
        assert await opt_out(shop.store, sent_to, "unsubscribe-link", shop.now)

    assert len((await get_consents(shop.store, "ada")).log) == 1
    assert await refusal(shop, await shop.start("bob")) == "opted out of commercial email"
    shop.later(minutes=1)
    await say(shop, email("in"), customer="bob")
    await shop.claim(await shop.start("bob", cart_id="B"))
    shop.later(minutes=1)

    await opt_out(shop.store, link, "unsubscribe-link", shop.now)  # the old link, once more

    assert await refusal(shop, await shop.start("bob", cart_id="C")) == "opted out of commercial email"


async def test_a_refused_message_is_written_down_and_the_run_goes_on(shop: Shop, run: str) -> None:
    await change(shop, topic="carts")
    await say(shop, email("out"))

    await refusal(shop, run, expires_at=shop.now + timedelta(days=1))

    send = await get_send(shop.store, send_id(run, "initial-reminder"))
    assert (send.state, send.reason) == ("blocked", "opted out of commercial email")
    assert (send.purpose, send.topic, send.recipient) == ("commercial", "carts", None)
    assert send.expires_at == shop.now + timedelta(days=1)


async def test_a_send_keeps_what_it_was_about(shop: Shop, run: str) -> None:
    await change(shop, topic="carts")
    await shop.claim(run)
    await change(shop, topic="news", purpose="transactional")

    send = await get_send(shop.store, send_id(run, "initial-reminder"))

    assert (send.run, send.customer, send.purpose, send.topic) == (run, "ada", "commercial", "carts")


async def test_an_opt_out_while_a_send_is_held_back_blocks_it(shop: Shop, run: str) -> None:
    assert await refusal(shop, run) == ""
    await release(shop.store, shop.visit(run), 1, reason="429")

    await say(shop, email("out"))

    assert await refusal(shop, run, now=shop.later(minutes=1)) == "opted out of commercial email"


async def test_an_opt_out_waits_for_claims_under_way(shop: Shop, run: str, database_url: str) -> None:
    elsewhere = open_store(database_url)
    async with under_way(shop.store) as do:
        await do(lambda connection: lock_customer_and_run(connection, run))  # as a claim does, before it looks
        opting = asyncio.create_task(say(Shop(elsewhere), email("out")))
        await asyncio.sleep(0.2)

        assert not opting.done()

    await opting
    assert await refusal(shop, run) == "opted out of commercial email"
    await elsewhere.close()


async def test_many_opt_outs_and_claims_at_once_get_out_of_each_others_way(shop: Shop) -> None:
    await shop.publish()
    runs = [await shop.start(cart_id=str(number)) for number in range(5)]

    await asyncio.gather(
        *(shop.claim(run, rules=ASKED) for run in runs),
        *(say(shop, email("out")) for _ in range(5)),
        *(shop.post("purchase-completed", cart_id=str(number)) for number in range(3)),
        *(opt(shop.store, "email", ADDRESS, "out", "tests", shop.now) for _ in range(5)),
    )

    assert len((await get_consents(shop.store, "ada")).log) >= 5


@pytest.mark.parametrize("written", [ADDRESS, " Ada@Example.COM "])
async def test_a_suppressed_address_is_not_written_to(shop: Shop, run: str, written: str) -> None:
    await suppress(shop.store, "email", written, "hard bounce", shop.now)
    await suppress(shop.store, "email", ADDRESS, "complaint", shop.now)

    assert await refusal(shop, run) == "the address is suppressed: hard bounce"
    stored = await rows(shop.store, suppressions.select())
    assert [row.reason for row in stored] == ["hard bounce", "complaint"]
    assert ADDRESS not in str(stored)


async def test_a_suppressed_address_is_suppressed_on_its_channel_only(shop: Shop, run: str) -> None:
    await suppress(shop.store, "text", ADDRESS, "landline", shop.now)

    assert await refusal(shop, run) == ""


async def test_an_address_is_suppressed_whatever_the_rules(shop: Shop, run: str) -> None:
    await suppress(shop.store, "email", ADDRESS, "hard bounce", shop.now)

    assert await refusal(shop, run, rules=Rules(email="disabled")) == "the address is suppressed: hard bounce"


async def test_of_several_devices_the_suppressed_ones_are_left_out(shop: Shop, run: str) -> None:
    await put_customer(shop.store, "ada", {**CUSTOMER, "push_token": "old, new ,newer"}, shop.now)
    await suppress(shop.store, "push", "old", "unregistered", shop.now)

    claimed = await shop.claim(run, "final-reminder", following=None)

    assert isinstance(claimed, Go)
    assert claimed.to == "new,newer"


async def stop(shop: Shop, address: str = NUMBER, choice: Any = "out", detail: str = "") -> tuple[str, ...]:
    return await opt(shop.store, "text", address, choice, "twilio", shop.now, detail)


async def test_stop_opts_out_whom_the_latest_text_went_to(shop: Shop, texting: str) -> None:
    await shop.claim(texting, "hello", following="more")

    assert await stop(shop, detail="SM1") == ("ada",)

    log = (await get_consents(shop.store, "ada")).log
    about = {"channel": "text", "topic": None, "choice": "out", "source": "twilio", "at": shop.now, "detail": "SM1"}
    assert list(log) == [
        ConsentLine(purpose="commercial", **about),  # type: ignore[arg-type]
        ConsentLine(purpose="transactional", **about),  # type: ignore[arg-type]
    ]
    assert await refusal(shop, texting, "more", following=None) == "opted out of commercial text"


async def test_stop_then_start_sends_again(shop: Shop, texting: str) -> None:
    await shop.claim(texting, "hello", following="more")
    await stop(shop)
    shop.later(minutes=1)

    assert await stop(shop, choice="in") == ("ada",)

    assert await refusal(shop, texting, "more", following=None) == ""


async def test_a_stop_that_is_reported_again_after_the_start_does_nothing(shop: Shop, texting: str) -> None:
    await shop.claim(texting, "hello", following="more")
    await stop(shop, detail="SM1")
    shop.later(minutes=1)
    await stop(shop, choice="in", detail="SM2")
    shop.later(minutes=1)

    await stop(shop, detail="SM1")

    assert await refusal(shop, texting, "more", following=None) == ""


async def test_stop_stops_texts_that_no_consent_is_asked_for(shop: Shop, texting: str) -> None:
    await stop(shop, "+1 555 0100")  # before the number was ever written to

    refused = await refusal(shop, texting, "hello", following="more", rules=Rules(text="disabled"))

    assert refused == "the address is suppressed: opted out by a text"


async def test_start_does_not_bring_back_a_dead_number(shop: Shop, texting: str) -> None:
    await shop.claim(texting, "hello", following="more")
    await stop(shop)
    await suppress(shop.store, "text", NUMBER, "landline", shop.now)
    shop.later(minutes=1)

    await stop(shop, choice="in")

    assert await refusal(shop, texting, "more", following=None) == "the address is suppressed: landline"


@pytest.mark.parametrize("stored", ["15550100002", "00 1 555-010-0002", "tel:+15550100002", "\u202a+15550100002\u202c"])
async def test_stop_is_heard_whatever_spelling_was_stored(shop: Shop, texting: str, stored: str) -> None:
    attributes = {**CUSTOMER, "phone": stored}  # as a release before this one stored it
    await execute(shop.store, customers.update().where(customers.c.id == "ada").values(attributes=attributes))

    await stop(shop, "+15550100002")

    said = {(line.purpose, line.choice) for line in (await get_consents(shop.store, "ada")).log}
    assert said == {("commercial", "out"), ("transactional", "out")}
    assert await refusal(shop, texting, "hello", following="more") != ""


async def test_stop_is_heard_whatever_else_fails(shop: Shop, texting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise Unavailable("The database does not answer.")

    await shop.claim(texting, "hello", following="more")
    with monkeypatch.context() as broken:
        broken.setattr("store.consents.lock_customers", fails)
        with pytest.raises(Unavailable):
            await stop(shop, detail="SM1")

    refused = await refusal(shop, texting, "more", following=None, rules=Rules(text="disabled"))

    assert refused == "the address is suppressed: opted out by a text"
    assert await stop(shop, detail="SM1") == ("ada",)  # as the provider reports it once more


async def test_a_stop_costs_the_same_however_many_texts_there_were(shop: Shop, texting: str) -> None:
    async def cost() -> list[str]:
        statements: list[str] = []

        def count(*executed: Any) -> None:
            statements.append(executed[2])

        listen(shop.store.engine, "before_cursor_execute", count)
        await stop(shop)
        remove(shop.store.engine, "before_cursor_execute", count)
        return statements

    await shop.claim(texting, "hello", following="more")
    await stop(shop)
    once = await cost()
    [sent] = await rows(shop.store, sends.select())
    past = [
        {**sent._mapping, "id": f"s{n}", "run": f"r{n}", "claimed_at": shop.now - timedelta(hours=n)}
        for n in range(4000)
    ]
    await shop.store.write(lambda connection: connection.execute(sends.insert(), past))

    assert await cost() == once


async def test_a_number_that_went_to_somebody_else_opts_out_only_them(shop: Shop, texting: str) -> None:
    await shop.claim(texting, "hello", following="more")
    shop.later(days=1)
    await put_customer(shop.store, "ada", {**CUSTOMER, "phone": "+15550199"}, shop.now)
    await shop.claim(texting, "more", following=None)
    bobs = await shop.start("bob")
    await put_customer(shop.store, "bob", {**CUSTOMER, "phone": "+15550177"}, shop.now)
    await shop.claim(bobs, "hello", following="more")
    shop.later(days=1)
    await put_customer(shop.store, "bob", CUSTOMER, shop.now)
    await shop.claim(bobs, "more", following=None)

    assert await stop(shop) == ("bob",)
    assert await stop(shop, "+15550177") == ()


async def test_an_opt_out_by_email_leaves_the_address_to_transactional_mail(shop: Shop, run: str) -> None:
    await shop.claim(run)

    await opt(shop.store, "email", "ADA@example.com", "out", "sendgrid", shop.now)

    other = await shop.start(cart_id="B")
    assert await refusal(shop, other) == "opted out of commercial email"
    await change(shop, purpose="transactional")
    assert await refusal(shop, await shop.start(cart_id="C"), rules=Rules()) == ""


async def test_an_answer_is_about_the_latest_send(shop: Shop, texting: str) -> None:
    assert await latest_send(shop.store, "text", NUMBER) is None
    await shop.claim(texting, "hello", following="more")
    shop.later(minutes=1)
    await shop.claim(texting, "more", following=None)

    latest = await latest_send(shop.store, "text", "+1 555 0100")

    assert latest
    assert (latest.step, latest.customer) == ("more", "ada")
    assert await latest_send(shop.store, "email", NUMBER) is None


async def test_a_message_that_has_expired_is_blocked(shop: Shop, run: str) -> None:
    until = shop.now + timedelta(hours=1)
    assert await refusal(shop, run, expires_at=until, now=until - timedelta(seconds=1)) == ""
    await release(shop.store, shop.visit(run), 1, reason="429")

    assert await refusal(shop, run, expires_at=until, now=until) == "it expired at 24 Nov 13:00"
