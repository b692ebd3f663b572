"""The Twilio channel, by the real SDK, against the fake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from activities.channels import Accepted, Down, Handed, NotFound, NotNow, Refused
from activities.channels.calls import Limits, NoAnswer
from activities.channels.reports import Forged, Report
from activities.channels.segments import segments
from activities.channels.twilio import Twilio, read_reports
from activities.channels.twilio.channel import DOWN, LATER, OPTED_OUT
from activities.channels.twilio.reports import DEAD_AFTERWARDS
from activities.channels.twilio.reports import STATUSES as STATUSES_READ
from activities.channels.twilio.words import WORDS
from embedded.fakes.server import Webhook
from embedded.fakes.twilio import FakeTwilio
from tests.fakes.messages import answer, assert_outcome, handed, outgoing
from tests.tables import page_of

CALLBACK = "https://journeys.example.com/webhooks/twilio"
FAULTS = [
    ("429", NotNow),
    ("429-delay", NotNow),
    ("400:21611", NotNow),
    ("400:63017", NotNow),
    ("400:63038", NotNow),
    ("400:21211", Refused),
    ("400:21214", Refused),
    ("400:21217", Refused),
    ("400:21614", Refused),
    ("400:21612", Refused),
    ("400:21408", Refused),
    ("400:21617", Refused),
    ("400:21604", Refused),
    ("400:21602", Refused),
    ("400:21610", Refused),
    ("400:9457", Refused),  # in the newer shape of errors
    ("413", Refused),
    ("401:20003", Down),
    ("403:20005", Down),
    ("400:30002", Down),
    ("400:21606", Down),
    ("400:21703", Down),
    ("400:30034", Down),
    ("404:20404", Down),
    ("403:21408", Refused),
    ("401:70051", Down),
    ("408-after", NoAnswer),
    ("500", NoAnswer),
    ("500-after", NoAnswer),
    ("502", NoAnswer),
    ("502-after", NoAnswer),
    ("503", NoAnswer),
    ("503-after", NoAnswer),
    ("302-after", NoAnswer),
    ("hang", NoAnswer),
    ("hang-after", NoAnswer),
    ("reset", NoAnswer),
    ("reset-after", NoAnswer),
    ("close", NoAnswer),
    ("close-after", NoAnswer),
    ("cut-after", NoAnswer),
    ("garbled-after", NoAnswer),
    ("slow", Accepted),
]


@pytest.fixture
async def fake() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as fake:
        fake.webhook = CALLBACK
        yield fake


@pytest.fixture
async def channel(fake: FakeTwilio, limits: Limits) -> AsyncIterator[Twilio]:
    channel = Twilio(fake.account, fake.token, fake.number, callback=CALLBACK, url=fake.url, limits=limits)
    yield channel
    await channel.close()


async def test_a_text_goes_out_with_all_that_belongs_to_it(channel: Twilio, fake: FakeTwilio) -> None:
    message = outgoing("text")

    sent = await answer(channel, message)

    [kept] = fake.accepted(message.send_id)
    assert sent == Accepted(kept.provider_id)
    assert kept.content == {
        "To": "+15550001111",
        "From": fake.number,
        "Body": "A planted body.",
        "ValidityPeriod": "14400",
        "StatusCallback": f"{CALLBACK}?send_id={message.send_id}#rc=5&rp=all",
    }


async def test_a_messaging_service_and_an_api_key_serve_as_well(fake: FakeTwilio, limits: Limits) -> None:
    service = "MG" + "0" * 32
    channel = Twilio(fake.account, f"{fake.account}:{fake.token}", service, url=fake.url, limits=limits)

    assert isinstance(await answer(channel, outgoing("text")), Accepted)
    assert fake.ledger[0].content["MessagingServiceSid"] == service
    await channel.close()


async def test_a_sender_is_a_number_however_it_is_written(fake: FakeTwilio, limits: Limits) -> None:
    channel = Twilio(fake.account, fake.token, "+1 (500) 555-0006\u202c", url=fake.url, limits=limits)

    await answer(channel, outgoing("text"))

    assert fake.ledger[0].content["From"] == fake.number
    await channel.close()
    with pytest.raises(ValueError, match="too short"):
        Twilio(fake.account, fake.token, "+1555", url=fake.url)


@pytest.mark.parametrize("body", ["", " ", "x" * 1601, "😀" * 801], ids=["none", "blank", "long", "long-emoji"])
async def test_a_text_of_no_good_length_is_refused_before_it_is_sent(
    channel: Twilio, fake: FakeTwilio, body: str
) -> None:
    assert isinstance(await answer(channel, outgoing("text", body=body)), Refused)
    assert fake.requests == []


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=[fault for fault, _ in FAULTS])
async def test_every_fault_has_its_outcome_in_one_request(
    channel: Twilio, fake: FakeTwilio, caplog: pytest.LogCaptureFixture, fault: str, expected: type
) -> None:
    await assert_outcome(channel, fake, "text", fault, expected, caplog, fake.token, fake.account)


@pytest.mark.parametrize("code", ["21211", "21214", "21217", "21614"])
async def test_a_number_that_is_none_is_dead(channel: Twilio, fake: FakeTwilio, code: str) -> None:
    fake.misbehave(f"400:{code}")

    sent = await answer(channel, outgoing("text"))

    assert isinstance(sent, Refused)
    assert sent.dead == ("+15550001111",)
    assert not sent.opt_out


async def test_who_told_twilio_to_stop_has_opted_out(channel: Twilio, fake: FakeTwilio) -> None:
    fake.incoming("+15550001111", "STOP")

    sent = await answer(channel, outgoing("text"))

    assert isinstance(sent, Refused)
    assert sent.opt_out
    assert sent.dead == ()


async def test_the_providers_own_delay_is_passed_on(channel: Twilio, fake: FakeTwilio) -> None:
    fake.misbehave("429-delay", "429", "400:21611")

    delays = [getattr(await answer(channel, outgoing("text")), "after", timedelta(0)) for _ in range(3)]

    assert delays[0]
    assert timedelta(seconds=6) < delays[0] <= timedelta(seconds=7)
    assert delays[1:] == [None, timedelta(hours=1)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid"], ids=["refused", "no-such-host"])
async def test_what_never_left_may_be_sent_again(url: str) -> None:
    channel = Twilio("AC1", "token", "+15005550006", url=url, limits=Limits(timedelta(seconds=5)))

    sent = await answer(channel, outgoing("text"))

    assert isinstance(sent, NotNow)
    assert sent.unreachable
    await channel.close()


async def test_only_the_wording_tells_which_text_is_ours(channel: Twilio, fake: FakeTwilio) -> None:
    other = outgoing("text", body="Something else.")
    await answer(channel, other)
    lost = outgoing("text")

    assert await channel.find(handed(lost)) is None
    assert await channel.find(Handed(lost.send_id, lost.to, lost.at)) is None
    taken = frozenset({fake.ledger[0].provider_id})
    assert await channel.find(Handed(lost.send_id, lost.to, lost.at, "A planted body.", taken)) == NotFound()


async def test_a_text_from_before_is_not_taken_for_ours(channel: Twilio, fake: FakeTwilio) -> None:
    await answer(channel, outgoing("text"))
    lost = outgoing("text")
    later = Handed(lost.send_id, lost.to, lost.at + timedelta(minutes=5), "A planted body.")

    assert await channel.find(later) == NotFound()


@pytest.mark.parametrize(
    ("body", "number", "alphabet"),
    [
        ("", 1, "GSM-7"),
        ("x" * 160, 1, "GSM-7"),
        ("x" * 161, 2, "GSM-7"),
        ("x" * 306, 2, "GSM-7"),
        ("x" * 307, 3, "GSM-7"),
        ("€" * 80, 1, "GSM-7"),  # two each
        ("€" * 81, 2, "GSM-7"),
        ("x" * 152 + "€" + "x" * 152, 3, "GSM-7"),  # the escaped one does not fit into the first segment's last place
        ("é" * 160, 1, "GSM-7"),
        ("ê", 1, "UCS-2"),
        ("я" * 70, 1, "UCS-2"),
        ("я" * 71, 2, "UCS-2"),
        ("я" * 135, 3, "UCS-2"),
        ("😀" * 35, 1, "UCS-2"),
        ("😀" * 36, 2, "UCS-2"),
        ("😀" * 67, 3, "UCS-2"),  # 33 in each
        ("’" + "x" * 69, 1, "UCS-2"),
        ("’" + "x" * 70, 2, "UCS-2"),
    ],
)
def test_segments_are_counted_as_phones_do(body: str, number: int, alphabet: str) -> None:
    assert segments(body) == (number, alphabet)


def read(fake: FakeTwilio, webhook: Webhook) -> list[Report]:
    return read_reports(webhook.headers, webhook.body, webhook.url, key=fake.token, now=datetime.now(UTC)).reports


STATUSES = [
    ("queued", None, {"interaction": None}),
    ("sending", None, {"interaction": None}),
    ("sent", None, {"interaction": None}),
    ("delivered", None, {"interaction": "delivered"}),
    ("read", None, {"interaction": "delivered"}),
    ("undelivered", 30003, {"interaction": "bounced", "retracts": "delivered", "dead": False}),
    ("undelivered", 30005, {"interaction": "bounced", "dead": True}),
    ("undelivered", 30006, {"interaction": "bounced", "dead": True, "reason": "Twilio error 30006"}),
    ("failed", 21610, {"interaction": "bounced", "opt_out": True}),
    ("failed", 30036, {"interaction": "bounced", "dead": False, "opt_out": False}),
    ("canceled", None, {"interaction": "bounced"}),
]


@pytest.mark.parametrize(("status", "error", "expected"), STATUSES)
async def test_every_status_is_read_in_our_words(
    channel: Twilio, fake: FakeTwilio, status: str, error: int | None, expected: dict[str, object]
) -> None:
    message = outgoing("text")
    await answer(channel, message)

    [report] = read(fake, fake.status(fake.ledger[0], status, error))

    assert {field: getattr(report, field) for field in expected} == expected
    assert (report.send_id, report.provider_id) == (message.send_id, fake.ledger[0].provider_id)
    assert report.id == f"{fake.ledger[0].provider_id}:{status}"


INCOMING = [
    ("STOP", {}, {"interaction": "unsubscribed", "opt_out": True, "opt_in": False}),
    (" stop ", {}, {"interaction": "unsubscribed", "opt_out": True}),
    ("Arrêt", {"OptOutType": "STOP"}, {"interaction": "unsubscribed", "opt_out": True}),
    ("START", {}, {"interaction": None, "opt_out": False, "opt_in": True}),
    ("HELP", {}, {"interaction": None, "opt_out": False, "opt_in": False}),
    ("Please stop by later", {}, {"interaction": "replied", "opt_out": False, "reply": "Please stop by later"}),
    ("YES", {}, {"interaction": "replied", "opt_in": False}),
    ("YES", {"OptOutType": "START"}, {"interaction": None, "opt_in": True}),
]


@pytest.mark.parametrize(("body", "more", "expected"), INCOMING)
def test_a_text_from_a_customer_is_read(body: str, more: dict[str, str], expected: dict[str, object]) -> None:
    fake = FakeTwilio()
    fake.webhook = CALLBACK

    [report] = read(fake, fake.incoming("+15550001111", body, **more))

    assert {field: getattr(report, field) for field in expected} == expected
    assert (report.send_id, report.address) == (None, "+15550001111")


async def test_a_replayed_callback_has_the_same_id(channel: Twilio, fake: FakeTwilio) -> None:
    await answer(channel, outgoing("text"))
    webhook = fake.status(fake.ledger[0], "delivered")

    assert [report.id for report in read(fake, webhook)] == [report.id for report in read(fake, webhook)]


async def test_only_what_twilio_signed_is_read(channel: Twilio, fake: FakeTwilio) -> None:
    await answer(channel, outgoing("text"))
    good = fake.status(fake.ledger[0], "delivered")
    other = FakeTwilio(token="another").signed(good.url, {"MessageSid": "SM1", "MessageStatus": "delivered"})
    forged = {
        "unsigned": good.unsigned(),
        "altered": good.altered(b"delivered", b"undelivered"),
        "one more": good.altered(b"&", b"&ErrorCode=30006&"),
        "another send": Webhook(good.url + "1", good.headers, good.body, good.signature),
        "http": Webhook(good.url.replace("https", "http"), good.headers, good.body, good.signature),
        "another token": other,
        "an algorithm of no name": Webhook(
            good.url, good.headers | {"X-Twilio-Webhooks-Signature-Settings": "algorithm=none"}, good.body, ""
        ),
        "not UTF-8": Webhook(good.url, good.headers, b"MessageSid=\xff", good.signature),
        "no form": Webhook(good.url, good.headers, b"{}", good.signature),
        "a form without end": Webhook(good.url, good.headers, b"&".join([b"a=b"] * 101), good.signature),
        "not ASCII": Webhook(good.url, good.headers | {"X-Twilio-Signature": "é" * 28}, good.body, good.signature),
    }

    assert len(read(fake, good)) == 1
    for name, webhook in forged.items():
        with pytest.raises(Forged):
            pytest.fail(f"{name} was read: {read(fake, webhook)}")


def test_a_signature_by_a_shared_key_is_read() -> None:
    fake = FakeTwilio()
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}

    [report] = read(fake, fake.signed(f"{CALLBACK}?send_id=s1", form, "HMAC_SHA256"))

    assert report.send_id == "s1"


def test_every_code_status_and_word_is_documented() -> None:
    codes = {str(code) for code in DOWN | DEAD_AFTERWARDS | LATER.keys() | {OPTED_OUT}}

    page = page_of("twilio").read_text()

    assert [word for word in {*codes, *STATUSES_READ, *WORDS} if word not in page] == []
