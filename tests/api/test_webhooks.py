"""The way back: what providers report, verified, in any order and any number of times, reaches the run that sent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs

from activities.channels.registry import build_readers
from embedded.fakes.sendgrid import FakeSendGrid
from embedded.fakes.server import Kept, Webhook
from store.consents import opt
from store.customers import put_customer
from store.erasing import erase
from store.pruning import prune
from store.schema import outbox
from store.sends import Done, lost
from store.store import Store, open_store
from tests.api.door import Clock, deps_for, opened, problem
from tests.api.sandbox import PUBLIC, Sandbox, Sent, open_sandbox
from tests.engine import PATIENCE
from tests.samples import abandoned_cart
from tests.searching import found
from tests.shop import by_us
from tests.transactions import execute

LINK = "https://shop.example.com/cart"
Tamper = Callable[[Webhook], Webhook]


async def test_an_open_reaches_the_run_that_sent_the_email_and_no_other(sandbox: Sandbox) -> None:
    ada, bob = await sandbox.send("ada"), await sandbox.send("bob")
    assert ada.kept.to == bob.kept.to

    await sandbox.report(ada, "processed", "delivered", "open")

    assert await sandbox.heard(ada) == ["delivered", "opened"]
    assert await sandbox.did(ada) == ["resumed"]
    assert (await sandbox.view(ada)).standing == "opened"
    assert await sandbox.heard(bob) == await sandbox.did(bob) == []


async def test_a_text_that_was_delivered_is_known_by_its_own_callback(sandbox: Sandbox) -> None:
    ada, bob = await sandbox.send("ada", "text"), await sandbox.send("bob", "text")

    answer = await sandbox.post(sandbox.texts.status(ada.kept, "delivered"))

    assert answer.headers["content-type"] == "application/xml"
    assert answer.text.endswith("<Response/>")
    assert (await sandbox.view(ada)).standing == "delivered"
    assert (await sandbox.view(bob)).standing == "accepted"


async def test_the_relay_hears_of_it_at_once(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    before = sandbox.clock.nudges

    await sandbox.report(sent, "open")

    assert sandbox.clock.nudges == before + 1


TAMPERING: dict[str, Tamper] = {
    "unsigned": Webhook.unsigned,
    "altered": lambda webhook: webhook.altered(b"d", b"D"),
    "cut": lambda webhook: Webhook(webhook.url, webhook.headers, webhook.body[:-3], webhook.signature),
    "empty": lambda webhook: Webhook(webhook.url, webhook.headers, b"", webhook.signature),
}


@pytest.mark.parametrize("tamper", TAMPERING.values(), ids=TAMPERING)
@pytest.mark.parametrize("provider", ["sendgrid", "twilio"])
async def test_what_is_not_as_it_was_signed_is_refused_and_counted(
    sandbox: Sandbox, provider: str, tamper: Tamper
) -> None:
    sent = await sandbox.send(kind="email" if provider == "sendgrid" else "text")
    genuine = (
        sandbox.mail.signed([sandbox.mail.event(sent.kept, "delivered")])
        if provider == "sendgrid"
        else sandbox.texts.status(sent.kept, "delivered")
    )

    answer = await sandbox.post(tamper(genuine))

    assert problem(answer, 403, "forged")["detail"] == "This webhook is not taken."
    assert await sandbox.heard(sent) == []
    assert (await sandbox.taken())[provider] == {"new": 0, "repeated": 0, "unreadable": 0, "forged": 1}


async def test_a_webhook_of_another_account_is_refused(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    other = FakeSendGrid()
    other.webhook = sandbox.mail.webhook

    answer = await sandbox.post(other.signed([other.event(sent.kept, "open")]))

    problem(answer, 403, "forged")
    assert await sandbox.heard(sent) == []


async def test_a_callback_is_refused_for_another_send_than_it_was_signed_for(sandbox: Sandbox) -> None:
    ada, bob = await sandbox.send("ada", "text"), await sandbox.send("bob", "text")
    genuine = sandbox.texts.status(ada.kept, "delivered")

    url = genuine.url.replace(ada.id, bob.id)
    answer = await sandbox.post(Webhook(url, genuine.headers, genuine.body, genuine.signature))

    problem(answer, 403, "forged")
    assert await sandbox.heard(bob) == []


async def test_a_host_header_does_not_decide_what_was_signed(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")
    forged = sandbox.texts.signed(
        f"https://evil.example.com/webhooks/twilio?send_id={sent.id}", {"MessageStatus": "read"}
    )

    answer = await sandbox.http.post(
        f"/webhooks/twilio?send_id={sent.id}",
        content=forged.body,
        headers={**forged.headers, "Host": "evil.example.com", "X-Forwarded-Proto": "https"},
    )

    problem(answer, 403, "forged")


async def test_what_sendgrid_signed_days_ago_is_refused(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    webhook = sandbox.mail.signed([sandbox.mail.event(sent.kept, "open")], ago=timedelta(days=3))

    problem(await sandbox.post(webhook), 403, "forged")
    assert await sandbox.heard(sent) == []


async def test_a_report_that_comes_again_later_is_a_repeated_one_and_no_fault(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")
    webhook = sandbox.texts.status(sent.kept, "delivered")
    await sandbox.take(webhook)
    sandbox.clock.now += timedelta(minutes=1)

    with capture_logs() as logs:
        await sandbox.take(webhook)

    assert logs == []
    assert (await sandbox.taken())["twilio"] == {"new": 1, "repeated": 1, "unreadable": 0, "forged": 0}


async def test_a_replayed_webhook_changes_nothing_and_is_counted(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    webhook = sandbox.mail.signed([sandbox.mail.event(sent.kept, "delivered"), sandbox.mail.event(sent.kept, "open")])
    await sandbox.take(webhook)
    before = await sandbox.run(sent)

    await sandbox.take(webhook, webhook)

    assert await sandbox.run(sent) == before
    assert (await sandbox.taken())["sendgrid"] == {"new": 2, "repeated": 4, "unreadable": 0, "forged": 0}


@pytest.mark.parametrize("seed", range(4))
async def test_reports_may_come_doubled_and_in_any_order(sandbox: Sandbox, seed: int) -> None:
    sent, other = await sandbox.send("ada"), await sandbox.send("bob")
    hour_ago = int(datetime.now(UTC).timestamp()) - 3600
    early = [sandbox.mail.event(sent.kept, name, timestamp=hour_ago) for name in ("processed", "delivered")]
    events = [*early, *(sandbox.mail.event(sent.kept, name) for name in ("open", "open", "click"))]
    shuffled = [*events, *events]
    random.Random(seed).shuffle(shuffled)

    for half in (shuffled[:5], shuffled[5:]):
        await sandbox.take(sandbox.mail.signed(half))

    assert await sandbox.heard(sent) == ["clicked", "delivered", "opened", "opened"]
    assert (await sandbox.view(sent)).standing == "clicked"
    assert (await sandbox.did(sent)).count("resumed") == 1, "each open is one event; one answers"
    assert await sandbox.did(other) == []


@pytest.mark.parametrize("order", [("delivered", "bounce"), ("bounce", "delivered")], ids="-then-".join)
async def test_a_bounce_retracts_delivered_whichever_comes_first(sandbox: Sandbox, order: tuple[str, str]) -> None:
    sent = await sandbox.send()

    await sandbox.report(sent, *order)

    assert (await sandbox.view(sent)).standing == "bounced"


async def test_a_text_that_failed_after_all_was_not_delivered(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")

    await sandbox.take(*(sandbox.texts.status(sent.kept, status) for status in ("undelivered", "delivered", "sent")))

    assert (await sandbox.view(sent)).standing == "bounced"


@pytest.mark.parametrize("kind", ["email", "text"])
async def test_an_address_that_bounced_for_good_is_written_to_no_more(sandbox: Sandbox, kind: str) -> None:
    if kind == "email":
        sent = await sandbox.send()
        await sandbox.report(sent, "bounce")
        _, claimed = await sandbox.claim("bob")
    else:
        sent = await sandbox.send(kind="text")
        await sandbox.take(sandbox.texts.status(sent.kept, "undelivered", 30006))
        _, claimed = await sandbox.claim("bob", "text")

    assert isinstance(claimed, Done)
    assert claimed.delivery.outcome == "blocked"
    assert "suppressed: bounced" in claimed.delivery.reason
    assert "@" not in claimed.delivery.reason, "Temporal sees why we block"


async def test_a_mailbox_that_was_full_is_written_to_again(sandbox: Sandbox) -> None:
    await sandbox.report(await sandbox.send(), "bounce", type="blocked")

    assert not isinstance((await sandbox.claim())[1], Done)


async def test_an_open_by_a_machine_is_marked_and_answers_nothing(sandbox: Sandbox) -> None:
    sent = await sandbox.send()

    await sandbox.report(sent, "open", sg_machine_open=True)

    assert [seen.machine for seen in (await sandbox.view(sent)).interactions] == [True]
    assert (await sandbox.did(sent)) == ["ignored"]
    assert (await sandbox.view(sent)).standing == "delivered"

    await sandbox.report(sent, "open", sg_machine_open=False)

    assert (await sandbox.did(sent)) == ["ignored", "resumed"]


Clicks = Sequence[tuple[str, int, str]]  # what, how many seconds after the delivery, and on which link
SCANNED: dict[str, Clicks] = {
    "as-soon-as-it-is-there": [("delivered", 0, ""), ("click", 0, "cart")],
    "a-second-later": [("delivered", 0, ""), ("click", 1, "cart")],
    "before-it-is-there": [("delivered", 0, ""), ("click", -2, "cart")],
    "all-links-at-once": [("delivered", 0, ""), ("click", 900, "cart"), ("click", 900, "help")],
    "all-links-in-two-seconds": [("click", 900, "cart"), ("click", 901, "help"), ("click", 902, "terms")],
}
BY_PEOPLE: dict[str, Clicks] = {
    "two-seconds-later": [("delivered", 0, ""), ("click", 2, "cart")],
    "nobody-told-of-the-delivery": [("click", 0, "cart")],
    "one-link-twice-at-once": [("delivered", 0, ""), ("click", 900, "cart"), ("click", 900, "cart")],
    "two-links-one-after-the-other": [("delivered", 0, ""), ("click", 900, "cart"), ("click", 902, "help")],
}


async def clicks_of_machines(sandbox: Sandbox, sent: Sent, told: Clicks, *, apart: bool) -> list[bool]:
    start = int(datetime.now(UTC).timestamp()) - 3600
    events = [
        sandbox.mail.event(sent.kept, name, timestamp=start + after, url=f"https://shop.example.com/{link}")
        for name, after, link in told
    ]
    for batch in [[event] for event in events] if apart else [events]:
        await sandbox.take(sandbox.mail.signed(batch))
    return [seen.machine for seen in (await sandbox.view(sent)).interactions if seen.interaction == "clicked"]


@pytest.mark.parametrize("backwards", [False, True], ids=["in-order", "backwards"])
@pytest.mark.parametrize("told", SCANNED.values(), ids=SCANNED)
async def test_a_scanner_s_clicks_are_marked_and_answer_nothing(
    sandbox: Sandbox, told: Clicks, backwards: bool
) -> None:
    sent = await sandbox.send()

    machines = await clicks_of_machines(sandbox, sent, told[::-1] if backwards else told, apart=False)

    assert machines
    assert all(machines)
    assert "resumed" not in await sandbox.did(sent)


@pytest.mark.parametrize("told", BY_PEOPLE.values(), ids=BY_PEOPLE)
async def test_a_person_s_clicks_are_theirs(sandbox: Sandbox, told: Clicks) -> None:
    sent = await sandbox.send()

    assert not any(await clicks_of_machines(sandbox, sent, told, apart=False))


@pytest.mark.parametrize("told", SCANNED.values(), ids=SCANNED)
async def test_what_is_found_out_later_is_shown_apart_all_the_same(sandbox: Sandbox, told: Clicks) -> None:
    sent = await sandbox.send()

    assert all(await clicks_of_machines(sandbox, sent, told[::-1], apart=True))


async def test_clicks_on_two_emails_at_once_are_two_people_s(sandbox: Sandbox) -> None:
    sent, other = await sandbox.send("ada"), await sandbox.send("bob")
    events = [sandbox.mail.event(one.kept, "click", url=f"https://a/{n}") for n, one in enumerate((sent, other))]

    await sandbox.take(sandbox.mail.signed(events))

    views = [await sandbox.view(sent), await sandbox.view(other)]
    assert [seen.machine for view in views for seen in view.interactions] == [False, False]


async def test_a_click_knows_its_link(sandbox: Sandbox) -> None:
    sent = await sandbox.send()

    await sandbox.report(sent, "click")

    assert [seen.link for seen in (await sandbox.view(sent)).interactions] == [LINK]


async def test_a_report_proves_a_send_whose_worker_died(sandbox: Sandbox) -> None:
    sent = await sandbox.send(record=False)
    assert (await sandbox.view(sent)).state == "claimed"

    await sandbox.report(sent, "processed")

    assert (await sandbox.view(sent)).state == "accepted"


async def test_a_report_proves_a_send_that_got_no_answer(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text", record=False)
    await lost(sandbox.shop.store, sandbox.shop.visit(sent.run, "second-reminder"), 1, reason="no answer")

    await sandbox.take(sandbox.texts.status(sent.kept, "sending"))

    view = await sandbox.view(sent)
    assert (view.state, view.provider_id) == ("accepted", sent.kept.provider_id)


async def test_it_was_accepted_no_later_than_the_first_report_says(sandbox: Sandbox) -> None:
    sent = await sandbox.send(record=False)
    sandbox.clock.now += timedelta(minutes=2)
    now = int(sandbox.clock.now.timestamp())
    events = [
        sandbox.mail.event(sent.kept, name, timestamp=now - ago) for name, ago in (("open", 10), ("processed", 60))
    ]

    await sandbox.take(sandbox.mail.signed(events))

    assert (await sandbox.view(sent)).at == datetime.fromtimestamp(now - 60, UTC)


async def test_a_provider_whose_clock_is_ahead_is_heard(sandbox: Sandbox) -> None:
    sent = await sandbox.send()

    await sandbox.report(sent, "open", timestamp=int(datetime.now(UTC).timestamp()) + 900)

    assert await sandbox.heard(sent) == ["opened"]


async def test_sendgrid_has_nothing_to_say_about_a_text(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")
    kept = replace(sent.kept, content={"custom_args": {"sojourn_send_id": sent.id}})

    await sandbox.take(sandbox.mail.signed([sandbox.mail.event(kept, "bounce")]))

    assert await sandbox.heard(sent) == []


async def test_who_moved_opts_out_by_an_email_to_the_old_address_too(sandbox: Sandbox) -> None:
    old = await sandbox.send()
    sandbox.shop.later(days=1)
    await put_customer(sandbox.shop.store, "ada", {"email": "ada@new.example.com"}, sandbox.shop.now)
    await sandbox.send()

    await sandbox.report(old, "unsubscribe")

    assert await sandbox.said() == {("email", "commercial", "out"), ("email", "transactional", "out")}


@pytest.mark.parametrize("name", ["spamreport", "unsubscribe", "group_unsubscribe"])
async def test_an_opt_out_at_sendgrid_is_one_here(sandbox: Sandbox, name: str) -> None:
    sent = await sandbox.send()

    await sandbox.report(sent, name)

    assert await sandbox.said() == {("email", "commercial", "out"), ("email", "transactional", "out")}
    assert await sandbox.heard(sent) == ["unsubscribed"]


async def test_who_complains_is_written_to_no_more_whatever_it_is_about(sandbox: Sandbox) -> None:
    sent = await sandbox.send()

    await sandbox.report(sent, "spamreport", "group_resubscribe")

    _, claimed = await sandbox.claim("bob")
    assert isinstance(claimed, Done)
    assert "suppressed" in claimed.delivery.reason


async def test_who_opted_out_and_in_again_has_opted_in_in_any_order(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    now = int(datetime.now(UTC).timestamp())
    out = sandbox.mail.event(sent.kept, "group_unsubscribe", timestamp=now - 60)
    back = sandbox.mail.event(sent.kept, "group_resubscribe", timestamp=now - 30)

    await sandbox.take(sandbox.mail.signed([back]), sandbox.mail.signed([out]), sandbox.mail.signed([back, out]))

    assert await sandbox.said() == {("email", "commercial", "in"), ("email", "transactional", "in")}


async def test_stop_then_start(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")
    stop, start = sandbox.texts.incoming(sent.kept.to, "STOP"), sandbox.texts.incoming(sent.kept.to, "START")

    await sandbox.take(stop)

    assert await sandbox.said() == {("text", "commercial", "out"), ("text", "transactional", "out")}
    assert await sandbox.heard(sent) == ["unsubscribed"]
    assert isinstance((await sandbox.claim(kind="text"))[1], Done)

    sandbox.clock.now += timedelta(minutes=1)
    await sandbox.take(start)

    assert await sandbox.said() == {("text", "commercial", "in"), ("text", "transactional", "in")}
    assert not isinstance((await sandbox.claim(kind="text"))[1], Done)


async def test_a_stop_that_is_replayed_after_a_start_stops_nothing(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")
    stop, start = sandbox.texts.incoming(sent.kept.to, "STOP"), sandbox.texts.incoming(sent.kept.to, "START")
    await sandbox.take(stop)
    sandbox.clock.now += timedelta(minutes=1)
    await sandbox.take(start)
    sandbox.clock.now += timedelta(minutes=1)

    await sandbox.take(stop)

    assert await sandbox.said() == {("text", "commercial", "in"), ("text", "transactional", "in")}
    assert not isinstance((await sandbox.claim(kind="text"))[1], Done)


async def test_help_says_nothing_about_consent(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")

    await sandbox.take(sandbox.texts.incoming(sent.kept.to, "HELP"))

    assert await sandbox.said() == set()
    assert await sandbox.heard(sent) == []


async def test_a_reply_is_about_the_latest_text_to_its_sender(sandbox: Sandbox) -> None:
    first = await sandbox.send("ada", "text")
    sandbox.shop.later(minutes=1)
    latest = await sandbox.send("bob", "text")

    await sandbox.take(sandbox.texts.incoming(latest.kept.to, "yes please"))

    assert [(seen.interaction, seen.reply) for seen in (await sandbox.view(latest)).interactions] == [
        ("replied", "yes please")
    ]
    assert await sandbox.heard(first) == []


async def test_a_text_from_a_stranger_is_taken_and_means_nothing(sandbox: Sandbox) -> None:
    sent = await sandbox.send(kind="text")

    await sandbox.take(sandbox.texts.incoming("+15550009999", "who is this?"))

    assert await sandbox.heard(sent) == []


async def test_reports_of_other_systems_on_the_same_account_are_left_alone(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    theirs = Kept("a-send-of-theirs", "eve@example.com", "id", sent.kept.at, {"custom_args": {}})
    named = Kept("", "eve@example.com", "id", sent.kept.at, {"custom_args": {"sojourn_send_id": "not-one-of-ours"}})

    await sandbox.take(sandbox.mail.signed([sandbox.mail.event(theirs, "open"), sandbox.mail.event(named, "click")]))

    assert await sandbox.heard(sent) == []
    assert (await sandbox.taken())["sendgrid"] == {"new": 0, "repeated": 0, "unreadable": 0, "forged": 0}


async def test_an_event_that_cannot_be_read_keeps_no_other_from_being_taken(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    bad = {"email": "a@example.com", "event": "open", "sg_event_id": "x"}

    await sandbox.take(sandbox.mail.signed([bad, sandbox.mail.event(sent.kept, "bounce"), 7]))  # type: ignore[list-item]

    assert await sandbox.heard(sent) == ["bounced"]
    assert (await sandbox.taken())["sendgrid"] == {"new": 1, "repeated": 0, "unreadable": 2, "forged": 0}


async def test_what_cannot_be_stored_is_left_out_of_a_report(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    events = [sandbox.mail.event(sent.kept, "click", url="\x00"), sandbox.mail.event(sent.kept, "open")]

    await sandbox.take(sandbox.mail.signed(events))

    assert await sandbox.heard(sent) == ["clicked", "opened"]


async def test_a_large_batch_is_few_commits(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    before = sandbox.clock.nudges

    await sandbox.take(sandbox.mail.signed([sandbox.mail.event(sent.kept, "click") for _ in range(600)]))

    assert (await sandbox.taken())["sendgrid"]["new"] == 600
    assert sandbox.clock.nudges - before <= 5


async def test_an_exit_by_a_report_does_not_hold_up_the_answer(store: Store) -> None:
    async with open_sandbox(store, drain_for=timedelta(hours=1)) as sandbox:
        await sandbox.shop.publish(abandoned_cart(exit=[{"trigger": "email-bounced"}]))
        sent = await sandbox.send()
        await sandbox.shop.claim(sent.run, "second-reminder", following="pause")  # and it stays under way

        await asyncio.wait_for(sandbox.report(sent, "bounce"), PATIENCE)

        assert (await sandbox.run(sent)).ended == "exited"


async def test_a_webhook_that_is_not_set_up_is_unknown(sandbox: Sandbox) -> None:
    async with opened(deps_for(sandbox.shop.store, sandbox.clock)) as (_, http):
        for provider in ("sendgrid", "twilio", "mailgun"):
            problem(await http.post(f"/webhooks/{provider}"), 404, "unknown")


@pytest.mark.parametrize(("provider", "most"), [("sendgrid", 4 * 1024 * 1024), ("twilio", 64 * 1024)])
async def test_a_body_without_end_is_not_read_to_its_end(sandbox: Sandbox, provider: str, most: int) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1024
            yield b"=&" * 512

    problem(await sandbox.http.post(f"/webhooks/{provider}", content=endless()), 413, "too-large")
    assert read <= most + 2048


async def test_a_form_of_many_fields_is_not_read_before_its_signature(sandbox: Sandbox) -> None:
    form = b"&".join([b"a=b"] * 16_000)

    answer = await sandbox.http.post(
        "/webhooks/twilio", content=form, headers={"content-type": "application/x-www-form-urlencoded"}
    )

    problem(answer, 403, "forged")


async def test_without_a_database_the_provider_is_asked_to_post_again() -> None:
    fake = FakeSendGrid()
    kept = Kept("s1", "ada@example.com", "id", datetime.now(UTC), {"custom_args": {"sojourn_send_id": "s1"}})
    away = open_store("postgresql://nobody@127.0.0.1:1/nothing")
    readers = build_readers({"sendgrid": fake.webhook_key})
    async with opened(deps_for(away, Clock(datetime.now(UTC)), webhooks=readers, public_url=PUBLIC)) as (
        _,
        http,
    ):
        webhook = fake.signed([fake.event(kept, "open")])
        answer = await http.post("/webhooks/sendgrid", content=webhook.body, headers=webhook.headers)

    problem(answer, 503, "unavailable")


async def test_a_complaint_in_the_moment_of_an_erasure_brings_nobody_back(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_customer(sandbox.shop.store, "zq-1", {"email": "zelda@secret.example"}, sandbox.shop.now)
    sent = await sandbox.send("zq-1")

    async def erased_first(*args: Any) -> tuple[str, ...]:
        await erase(sandbox.shop.store, "zq-1", by_us(sandbox.shop.now))
        return await opt(*args)

    monkeypatch.setattr("activities.reports.opt", erased_first)
    await sandbox.report(sent, "spamreport")

    await execute(sandbox.shop.store, delete(outbox))  # Temporal has forgotten it
    assert await found(sandbox.shop.store, "zq-1", "zelda@secret.example") == {}


async def test_a_complaint_about_what_was_pruned_is_heard_for_the_address(sandbox: Sandbox) -> None:
    sent = await sandbox.send()
    await sandbox.shop.post("purchase-completed")
    await execute(sandbox.shop.store, delete(outbox))  # Temporal has it
    assert (await prune(sandbox.shop.store, sandbox.shop.now + timedelta(days=401)))["sends"] == 1

    await sandbox.report(sent, "spamreport")

    assert ("email", "commercial", "out") in await sandbox.said()
    _, claimed = await sandbox.claim()
    assert isinstance(claimed, Done)
