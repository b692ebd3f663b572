"""The fakes as others use them: over HTTP, as a process, misbehaving by lot; and the channels when they do."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hpack
import httpx
import pytest

from activities.channels import Accepted, Channel, Found, NotFound, Outgoing, Refused
from activities.channels.calls import Limits, NoAnswer, delay, hush, without_addresses
from activities.channels.firebase import Firebase
from activities.channels.firebase import channel as firebase
from activities.channels.reports import Report
from activities.channels.sendgrid import SendGrid
from activities.channels.sendgrid import channel as sendgrid
from activities.channels.sendgrid import read_reports as read_sendgrid
from activities.channels.twilio import Twilio
from activities.channels.twilio import channel as twilio
from activities.channels.twilio import read_reports as read_twilio
from embedded.fakes.fcm import FakeFcm
from embedded.fakes.sendgrid import FakeSendGrid
from embedded.fakes.server import Fake, Fault, Said, Seen
from embedded.fakes.twilio import FakeTwilio
from journeys.interactions import Kind
from tests.fakes.messages import answer, handed, outgoing

ROOT = Path(__file__).parent.parent.parent
SDKS = ["sendgrid", "python_http_client", "twilio", "firebase_admin", "google.auth", "requests"]
LIMITS = Limits(timeout=timedelta(seconds=0.3), connections=8)
FAULTS = ["429", "500", "500-after", "503-after", "reset", "reset-after", "close-after", "hang-after", "cut-after"]


class Door(Fake):
    """Our webhooks, as far as a provider sees them: takes what is posted, after refusing the first."""

    def is_send(self, request: Seen) -> bool:
        return False

    def answer(self, request: Seen) -> Said:
        return Said(503 if len(self.requests) == 1 else 204)


@asynccontextmanager
async def pair(kind: Kind) -> AsyncIterator[tuple[Channel, Fake]]:
    channel: Channel
    fake: Fake
    match kind:
        case "email":
            fake = FakeSendGrid()
            await fake.start()
            channel = SendGrid(fake.key, "shop@example.com", url=fake.url, limits=LIMITS)
        case "text":
            fake = FakeTwilio()
            await fake.start()
            callback = "https://journeys.example.com/webhooks/twilio"
            channel = Twilio(fake.account, fake.token, fake.number, callback=callback, url=fake.url, limits=LIMITS)
        case "push":
            fake = FakeFcm()
            await fake.start()
            channel = Firebase(fake.account, url=fake.url, limits=LIMITS)
    yield channel, fake
    await channel.close()
    await fake.close()


async def until_it_is_there(channel: Channel, message: Outgoing) -> None:
    """What the walk does with answers: again after a refusal for now; ask before again where nobody knows."""
    for _ in range(20):
        sent = await answer(channel, message)
        if isinstance(sent, Accepted):
            return
        if isinstance(sent, NoAnswer):
            found = await channel.find(handed(message))
            if isinstance(found, Found):
                return
            assert found or message.kind == "push", "only a push may be sent again where nobody can tell"
    pytest.fail("not there after 20 attempts")


def address(kind: Kind, number: int) -> str:
    """One for emails. Texts to the same number are told apart by their wording only, so each goes to another."""
    addresses: dict[Kind, str] = {"text": f"+1555000{number:04d}", "push": f"fid-{number}:phone", "email": ""}
    return addresses[kind]


@pytest.mark.parametrize("kind", ["email", "text", "push"])
async def test_whatever_happens_each_message_is_there_and_not_twice(kind: Kind) -> None:
    async with pair(kind) as (channel, fake):
        fake.misbehave_often(0.5, 1, *FAULTS)
        messages = [outgoing(kind, to=address(kind, number)) for number in range(24)]

        await asyncio.gather(*(until_it_is_there(channel, message) for message in messages))

        assert len(fake.misbehaved) > 8
        times = [len(fake.accepted(message.send_id)) for message in messages]
        if kind == "push":  # Firebase cannot be asked; what is shown counts
            assert isinstance(fake, FakeFcm)
            assert min(times) >= 1
            assert len(fake.shown) == 24
        else:
            assert set(times) == {1}


@pytest.mark.parametrize("kind", ["email", "text"])
async def test_a_message_that_was_lost_is_not_found(kind: Kind) -> None:
    async with pair(kind) as (channel, fake):
        message = outgoing(kind)
        fake.misbehave("reset")

        assert isinstance(await answer(channel, message), NoAnswer)
        assert await channel.find(handed(message)) == NotFound()


async def read(kind: Kind, fake: Fake, door: Door) -> list[Report]:
    now = datetime.now(UTC)
    if isinstance(fake, FakeSendGrid):
        posts = [(post.headers, post.body, door.url) for post in door.requests]
        return [report for post in posts for report in read_sendgrid(*post, key=fake.webhook_key, now=now).reports]
    assert isinstance(fake, FakeTwilio)
    urls = [f"{door.url}{post.path}?send_id={post.query['send_id'][0]}" for post in door.requests]
    posts = [(post.headers, post.body, url) for post, url in zip(door.requests, urls, strict=True)]
    return [report for post in posts for report in read_twilio(*post, key=fake.token, now=now).reports]


@pytest.mark.parametrize("kind", ["email", "text"])
async def test_reports_are_posted_until_they_are_taken(kind: Kind) -> None:
    async with Door() as door, pair(kind) as (channel, fake):
        fake.webhook = f"{door.url}/webhooks/{fake.name}"
        if isinstance(channel, Twilio):
            channel._callback = fake.webhook
        message = outgoing(kind)
        await answer(channel, message)

        await fake.report(fake.ledger[0], "delivered")

        reports = await read(kind, fake, door)
        assert {report.interaction for report in reports} == {None, "delivered"}
        assert {report.send_id for report in reports} == {message.send_id}
        assert len(reports) > len({report.id for report in reports}), "the first was posted twice"


async def test_the_fakes_run_as_a_process() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "embedded.fakes", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    how: dict[str, dict[str, Any]] = json.loads(await process.stdout.readline())
    channels: list[tuple[Kind, str, Channel]] = [
        ("email", "sendgrid", SendGrid(how["sendgrid"]["key"], "shop@example.com", url=how["sendgrid"]["url"])),
        ("text", "twilio", _twilio(how["twilio"])),
        ("push", "firebase", Firebase(how["firebase"]["account"], url=how["firebase"]["url"])),
    ]
    async with httpx.AsyncClient() as client:
        for kind, name, channel in channels:
            message, lost = outgoing(kind), outgoing(kind)

            assert isinstance(await answer(channel, message), Accepted)
            await client.post(f"{how[name]['url']}/faults", json=["400"])
            assert isinstance(await answer(channel, lost), Refused)

            ledger = (await client.get(f"{how[name]['url']}/ledger")).json()
            assert [kept["send_id"] for kept in ledger] == [message.send_id]
            await channel.close()
    process.terminate()
    assert await process.wait() == 0


def _twilio(how: dict[str, str]) -> Twilio:
    return Twilio(how["account"], how["token"], how["sender"], callback="https://example.com/t", url=how["url"])


async def test_an_sdk_is_imported_only_with_its_channel() -> None:
    code = f"import activities.channels.registry, sys; print([name for name in {SDKS} if name in sys.modules])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE)

    printed, _ = await process.communicate()

    assert printed == b"[]\n"


def test_the_sdks_loggers_say_nothing_even_when_all_may_be_said(caplog: pytest.LogCaptureFixture) -> None:
    hush(*sendgrid.LOGGERS, *twilio.LOGGERS, *firebase.LOGGERS)
    caplog.set_level("DEBUG")

    hpack.Encoder().encode([("authorization", "Bearer a-planted-token")])  # HTTP/2 headers, as httpx sends them
    for name in ("python_http_client.client", "twilio.http_client", "httpx", "urllib3.connectionpool", "google.auth"):
        logging.getLogger(name).info("planted")

    assert caplog.records == []


@pytest.mark.parametrize("fault", ["teapot", "500-before", "slow:1-never"])
def test_a_fault_that_is_none_is_an_error(fault: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        Fault.read(fault)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "1e9"}, None),
        ({"Retry-After": "Fri, 01 Jan 2016 00:00:00 GMT"}, 1),
        ({"Retry-After": "Fri, 01 Jan 2016 00:00:00 -0000"}, None),
        ({"Retry-After": "99999999999999999999"}, None),
        ({"Retry-After": "9999999"}, 86_400),
        ({"X-RateLimit-Reset": "1700000000"}, 1),
        ({"X-RateLimit-Reset": "never"}, None),
    ],
)
def test_a_delay_is_read_or_unknown_but_never_endless(headers: dict[str, str], seconds: int | None) -> None:
    wait = delay(headers)

    assert (wait and round(wait.total_seconds())) == seconds


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("The 'To' number +1 555 000 1111 is not valid", "The 'To' number … is not valid"),
        ("about ada@example.com, again", "about … again"),
        ("token fid-1:" + "x" * 60, "token …"),
        ("error 21606 in field from.email", "error 21606 in field from.email"),
    ],
)
def test_operators_read_no_addresses(words: str, left: str) -> None:
    assert without_addresses(words) == left
