"""The SendGrid channel, by the real SDK, against the fake."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.channels import Accepted, Down, Handed, NotFound, NotNow, Refused
from activities.channels.calls import Limits, NoAnswer
from activities.channels.reports import LONGEST, Forged, Report, Told
from activities.channels.sendgrid import SendGrid, read_reports
from activities.channels.sendgrid.reports import EVENTS as EVENTS_READ
from embedded.fakes.sendgrid import FakeSendGrid
from embedded.fakes.server import Webhook
from tests.fakes.messages import answer, assert_outcome, handed, outgoing
from tests.tables import page_of

FAULTS = [
    ("429", NotNow),
    ("429-delay", NotNow),
    ("400", Refused),
    ("400:personalizations.0.to.0.email", Refused),
    ("400:from.email", Down),
    ("401", Down),
    ("403", Down),
    ("404", Down),
    ("405", Down),
    ("406", Refused),
    ("413", Refused),
    ("415", Refused),
    ("408", NoAnswer),
    ("408-after", NoAnswer),
    ("421", NoAnswer),
    ("500", NoAnswer),
    ("500-after", NoAnswer),
    ("502", NoAnswer),
    ("502-after", NoAnswer),
    ("503", NoAnswer),
    ("503-after", NoAnswer),
    ("504-after", NoAnswer),
    ("200-after", NoAnswer),
    ("hang", NoAnswer),
    ("hang-after", NoAnswer),
    ("reset", NoAnswer),
    ("reset-after", NoAnswer),
    ("close", NoAnswer),
    ("close-after", NoAnswer),
    ("cut-after", NoAnswer),
    ("garbled-after", Accepted),  # 202 is enough: its body says nothing
    ("slow", Accepted),
]


@pytest.fixture
async def fake() -> AsyncIterator[FakeSendGrid]:
    async with FakeSendGrid() as fake:
        fake.webhook = "http://127.0.0.1/webhooks/sendgrid"
        yield fake


@pytest.fixture
async def channel(fake: FakeSendGrid, limits: Limits) -> AsyncIterator[SendGrid]:
    channel = SendGrid(fake.key, "Shop <shop@example.com>", reply_to="help@example.com", url=fake.url, limits=limits)
    yield channel
    await channel.close()


async def test_an_email_goes_out_with_all_that_belongs_to_it(channel: SendGrid, fake: FakeSendGrid) -> None:
    message = outgoing("email", unsubscribe_url="https://journeys.example.com/u/token")

    sent = await answer(channel, message)

    [kept] = fake.accepted(message.send_id)
    assert sent == Accepted(kept.provider_id)
    assert kept.content == {
        "personalizations": [{"to": [{"email": "ada@example.com"}]}],
        "from": {"email": "shop@example.com", "name": "Shop"},
        "reply_to": {"email": "help@example.com"},
        "subject": "Your cart",
        "content": [
            {"type": "text/plain", "value": "A planted body."},
            {"type": "text/html", "value": "<p>A planted body.</p>"},
        ],
        "custom_args": {"sojourn_send_id": message.send_id},
        "headers": {
            "List-Unsubscribe": "<https://journeys.example.com/u/token>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    }


@pytest.mark.parametrize(
    ("sender", "name"),
    [("Shop@Home <shop@acme.example>", "Shop@Home"), ("Acme, Inc. <shop@acme.example>", "Acme, Inc.")],
)
async def test_a_shop_is_called_as_it_is_written(fake: FakeSendGrid, limits: Limits, sender: str, name: str) -> None:
    channel = SendGrid(fake.key, sender, reply_to="Fish: Chips <help@acme.example>", url=fake.url, limits=limits)
    message = outgoing("email")

    await answer(channel, message)

    [kept] = fake.accepted(message.send_id)
    assert kept.content["from"] == {"email": "shop@acme.example", "name": name}
    assert kept.content["reply_to"] == {"email": "help@acme.example", "name": "Fish: Chips"}
    await channel.close()


@pytest.mark.parametrize("sender", ["Shop", "Shop <shop>", "Shop@Home", "A <a@acme.example>, B <b@acme.example>", ""])
def test_a_sender_without_one_address_is_told(sender: str) -> None:
    with pytest.raises(
        ValueError, match=r"^\".*\" is (no|not one) email address: .* Write it as Shop <shop@example.com>$"
    ):
        SendGrid("SG.made-up", sender)


async def test_an_email_without_a_body_is_refused_before_it_is_sent(channel: SendGrid, fake: FakeSendGrid) -> None:
    sent = await answer(channel, outgoing("email", text="", html=""))

    assert isinstance(sent, Refused)
    assert fake.requests == []


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=[fault for fault, _ in FAULTS])
async def test_every_fault_has_its_outcome_in_one_request(
    channel: SendGrid, fake: FakeSendGrid, caplog: pytest.LogCaptureFixture, fault: str, expected: type
) -> None:
    await assert_outcome(channel, fake, "email", fault, expected, caplog, fake.key)


async def test_a_refusal_quotes_the_provider(channel: SendGrid, fake: FakeSendGrid) -> None:
    sent = await answer(channel, outgoing("email", to="nobody"))

    assert sent == Refused("SendGrid: The personalizations.0.to.0.email does not contain a valid value. (400)")


async def test_a_wrong_key_stops_the_channel_and_names_no_customer(fake: FakeSendGrid, limits: Limits) -> None:
    channel = SendGrid("SG.wrong", "shop@example.com", url=fake.url, limits=limits)

    sent = await answer(channel, outgoing("email"))

    assert sent == Down("SendGrid does not take the API key (401): This is the error 401, about …")
    await channel.close()


async def test_the_providers_own_delay_is_passed_on(channel: SendGrid, fake: FakeSendGrid) -> None:
    fake.misbehave("429-delay", "429")

    with_delay, without = await answer(channel, outgoing("email")), await answer(channel, outgoing("email"))

    assert isinstance(with_delay, NotNow)
    assert with_delay.after
    assert timedelta(seconds=5) <= with_delay.after <= timedelta(seconds=7)
    assert isinstance(without, NotNow)
    assert without.after is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid"], ids=["refused", "no-such-host"])
async def test_what_never_left_may_be_sent_again(url: str) -> None:
    channel = SendGrid("SG.key", "shop@example.com", url=url, limits=Limits(timedelta(seconds=5)))

    sent = await answer(channel, outgoing("email"))

    assert isinstance(sent, NotNow)
    assert sent.unreachable
    await channel.close()


async def test_when_all_connections_hang_the_next_send_is_not_called(fake: FakeSendGrid) -> None:
    channel = SendGrid(fake.key, "shop@example.com", url=fake.url, limits=Limits(timedelta(seconds=1), connections=1))
    channel._threads._patience = 0.1
    fake.misbehave("hang")

    first, second = await asyncio.gather(*(answer(channel, outgoing("email")) for _ in range(2)))

    assert isinstance(first, NoAnswer)
    assert isinstance(second, NotNow)
    assert len(fake.sends) == 1
    await channel.close()


async def test_who_may_not_read_the_logs_cannot_tell(channel: SendGrid, fake: FakeSendGrid) -> None:
    fake.may_read_logs = False

    assert await channel.find(handed(outgoing("email"))) is None


async def test_another_mail_to_the_same_address_is_not_taken_for_ours(channel: SendGrid, fake: FakeSendGrid) -> None:
    await answer(channel, outgoing("email"))
    lost = outgoing("email")

    assert await channel.find(handed(lost)) == NotFound()


async def test_an_address_with_a_quote_is_not_asked_for(channel: SendGrid, fake: FakeSendGrid) -> None:
    assert await channel.find(Handed("s1", 'a" OR "b@example.com', datetime.now(UTC))) is None
    assert fake.requests == []


def told_by(fake: FakeSendGrid, webhook: Webhook) -> Told:
    return read_reports(webhook.headers, webhook.body, webhook.url, key=fake.webhook_key, now=datetime.now(UTC))


def read(fake: FakeSendGrid, webhook: Webhook) -> list[Report]:
    return told_by(fake, webhook).reports


EVENTS = [
    ("processed", {}, {"interaction": None}),
    ("deferred", {}, {"interaction": None, "reason": "451 try again later"}),
    ("delivered", {}, {"interaction": "delivered"}),
    ("open", {}, {"interaction": "opened", "machine": False}),
    ("open", {"sg_machine_open": True}, {"interaction": "opened", "machine": True}),
    ("open", {"useragent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"}, {"machine": False}),
    ("open", {"useragent": "Barracuda Sentinel (EE)"}, {"machine": True}),
    ("click", {}, {"interaction": "clicked", "link": "https://shop.example.com/cart", "machine": False}),
    ("click", {"useragent": "Mozilla/5.0 (compatible; LinkScanner/1.0)"}, {"machine": True}),
    ("bounce", {}, {"interaction": "bounced", "retracts": "delivered", "dead": True}),
    ("bounce", {"type": "blocked"}, {"interaction": "bounced", "retracts": "delivered", "dead": False}),
    ("dropped", {"reason": "Bounced Address"}, {"interaction": "bounced", "dead": True, "opt_out": False}),
    ("dropped", {"reason": "Unsubscribed Address"}, {"interaction": "bounced", "dead": False, "opt_out": True}),
    ("dropped", {"reason": "Spam Content"}, {"interaction": "bounced", "dead": False, "opt_out": False}),
    ("spamreport", {}, {"interaction": "unsubscribed", "opt_out": True, "dead": True}),
    ("unsubscribe", {}, {"interaction": "unsubscribed", "opt_out": True}),
    ("group_unsubscribe", {"asm_group_id": 1}, {"interaction": "unsubscribed", "opt_out": True}),
    ("group_resubscribe", {"asm_group_id": 1}, {"interaction": None, "opt_in": True}),
]


@pytest.mark.parametrize(("name", "fields", "expected"), EVENTS)
async def test_every_event_is_read_in_our_words(
    channel: SendGrid, fake: FakeSendGrid, name: str, fields: dict[str, object], expected: dict[str, object]
) -> None:
    message = outgoing("email")
    await answer(channel, message)
    event = fake.event(fake.ledger[0], name, **fields)

    [report] = read(fake, fake.signed([event]))

    assert {field: getattr(report, field) for field in expected} == expected
    assert (report.send_id, report.id, report.address) == (message.send_id, event["sg_event_id"], message.to)
    assert str(report.provider_id).startswith(fake.ledger[0].provider_id)
    assert report.at == datetime.fromtimestamp(event["timestamp"], UTC)


async def test_events_of_others_mail_are_left_out_but_not_their_opt_outs(channel: SendGrid, fake: FakeSendGrid) -> None:
    await answer(channel, outgoing("email"))
    events = [fake.event(fake.ledger[0], name) for name in ("delivered", "unsubscribe", "account_status_change")]
    for event in events:
        del event["sojourn_send_id"]

    [report] = read(fake, fake.signed(events))

    assert report.opt_out
    assert report.send_id is None
    assert report.address == "ada@example.com"


UNREADABLE = {
    "no-time": {"event": "open", "sg_event_id": "x"},
    "no-number": {"event": "open", "timestamp": "soon"},
    "a-time-beyond-all": {"event": "open", "timestamp": 10**30},
    "no-time-at-all": {"event": "open", "timestamp": float("nan")},
    "a-list-for-a-link": {"event": "click", "timestamp": 1, "url": ["https://a"]},
    "an-object-for-a-send": {"event": "click", "timestamp": 1, "sojourn_send_id": {}},
    "a-list-for-a-name": {"event": ["open"], "timestamp": 1},
    "no-name": {"timestamp": 1},
    "a-number": 7,
    "null": None,
    "a-text": "open",
    "a-list": [],
}


@pytest.mark.parametrize("broken", UNREADABLE.values(), ids=UNREADABLE)
async def test_one_event_that_cannot_be_read_keeps_no_other_from_being_heard(
    channel: SendGrid, fake: FakeSendGrid, broken: Any
) -> None:
    await answer(channel, outgoing("email"))
    events = [broken, fake.event(fake.ledger[0], "bounce"), broken]

    told = told_by(fake, fake.signed(events))

    assert [report.interaction for report in told.reports] == ["bounced"]
    assert told.unreadable == 2


@pytest.mark.parametrize("body", [b"", b"soon", b"[" * 100_000, b'{"event": "open"}', b"[1e999999"])
def test_a_body_that_is_no_list_of_events_is_one_that_cannot_be_read(fake: FakeSendGrid, body: bytes) -> None:
    assert told_by(fake, fake.signed_body(body)) == Told([], unreadable=1)


async def test_what_no_database_keeps_is_left_out_of_a_text(channel: SendGrid, fake: FakeSendGrid) -> None:
    await answer(channel, outgoing("email"))
    fields = {"url": "https://a/\0\ud800", "sg_event_id": "\ud800", "reason": "\0" * 9_000}

    [report] = read(fake, fake.signed([fake.event(fake.ledger[0], "click", **fields)]))

    assert (report.link, len(report.reason)) == ("https://a/��", LONGEST)
    assert len(report.id) == 40


async def test_repeated_and_shuffled_reports_are_the_same_reports(channel: SendGrid, fake: FakeSendGrid) -> None:
    await answer(channel, outgoing("email"))
    events = [fake.event(fake.ledger[0], name) for name in ("processed", "delivered", "open", "click")]
    again = random.Random(1).sample(events * 2, 8)

    first, second = read(fake, fake.signed(events)), read(fake, fake.signed(again))

    assert {report.id: report for report in first} == {report.id: report for report in second}
    assert len({report.id for report in first}) == 4


async def test_a_replayed_webhook_holds_the_same_ids(channel: SendGrid, fake: FakeSendGrid) -> None:
    await answer(channel, outgoing("email"))
    webhook = fake.signed([fake.event(fake.ledger[0], "open")], ago=timedelta(hours=24))

    assert read(fake, webhook) == read(fake, webhook)


async def test_only_what_sendgrid_signed_is_read(channel: SendGrid, fake: FakeSendGrid) -> None:
    await answer(channel, outgoing("email"))
    good = fake.signed([fake.event(fake.ledger[0], "open")])
    signature, timestamp = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
    other = FakeSendGrid().signed([fake.event(fake.ledger[0], "open")])
    forged = {
        "unsigned": good.unsigned(),
        "altered": good.altered(b'"open"', b'"click"'),
        "stripped": good.altered(b"\r\n", b""),
        "not UTF-8": good.altered(b"open", b"\xff\xfe"),
        "another time": Webhook(good.url, good.headers | {timestamp: "1700000000"}, good.body, signature),
        "no time": Webhook(good.url, good.headers | {timestamp: "soon"}, good.body, signature),
        "no base64": Webhook(good.url, good.headers | {signature: "!"}, good.body, signature),
        "another signature": Webhook(
            good.url, good.headers | {signature: base64.b64encode(b"x" * 70).decode()}, good.body, signature
        ),
        "another key": other,
        "too old": fake.signed([fake.event(fake.ledger[0], "open")], ago=timedelta(hours=40)),
        "from the future": fake.signed([fake.event(fake.ledger[0], "open")], ago=timedelta(hours=-1)),
    }

    assert len(read(fake, good)) == 1
    for name, webhook in forged.items():
        with pytest.raises(Forged):
            pytest.fail(f"{name} was read: {read(fake, webhook)}")


def test_every_event_is_documented() -> None:
    page = page_of("sendgrid").read_text()

    assert [name for name in EVENTS_READ if f"`{name}`" not in page] == []
