"""One try at an endpoint, against a real server: where it goes, how long it may take, and what the answer means."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpcore
import pytest
from httpcore import SOCKET_OPTION
from standardwebhooks import Webhook

from activities.channels import Accepted, NotNow, ProviderAnswer, Refused
from activities.channels.calls import Limits
from activities.endpoints.answers import Gone, NotPosted
from activities.endpoints.caller import Caller
from activities.endpoints.lanes import MOST_IN_LINE
from activities.endpoints.signing import new_secret
from activities.webhooks import pause
from journeys.endpoints import Endpoint
from tests.fakes.receiver import Posted, Receiver, certificate, hangs, says, writes

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECRET = new_secret()
BODY = '{"type":"win-back.crm","data":{"city":"Malmö"}}'.encode()
PUBLIC = "93.184.215.14"
PLENTY = Limits(timeout=timedelta(minutes=1), connections=4)
A_MOMENT = Limits(timeout=timedelta(seconds=0.5), connections=4)


class Dial(httpcore.AsyncNetworkBackend):
    """The internet, as far as it is needed: every address leads to one port here, and is noted."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._real = httpcore.AnyIOBackend()
        self.dialled: list[str] = []
        self.dead: set[str] = set()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore has it
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append(host)
        if host in self.dead:
            raise httpcore.ConnectError("unreachable")
        return await self._real.connect_tcp("127.0.0.1", self._port, timeout, local_address, socket_options)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def call(receiver: Receiver) -> Call:
    def call(limits: Limits = PLENTY, url: str = "") -> asyncio.Task[ProviderAnswer | Gone | NotPosted]:
        return asyncio.create_task(_call(Caller(allow_local=True, limits=limits), url or receiver.url))

    return call


Call = Callable[..., asyncio.Task[ProviderAnswer | Gone | NotPosted]]


async def _call(caller: Caller, url: str, name: str = "crm") -> ProviderAnswer | Gone | NotPosted:
    return await caller.call(Endpoint(endpoint=name, url=url), [SECRET], "k3v9", BODY, NOW)


def verify(posted: Posted, secret: str) -> bool:
    """As Standard Webhooks has it, by hand."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{posted.headers['webhook-id']}.{posted.headers['webhook-timestamp']}.".encode() + posted.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in posted.headers["webhook-signature"].split(" ")


# --- what is posted ---------------------------------------------------------------------------------


async def test_it_is_a_signed_post(receiver: Receiver, call: Call) -> None:
    assert await call(url=f"{receiver.url};v=1?source=a%20b") == Accepted()

    [posted] = receiver.posted
    assert posted.line == "POST /hooks;v=1?source=a%20b HTTP/1.1"
    assert posted.body == BODY
    assert posted.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["user-agent"].startswith("Sojourn/")
    assert (posted.headers["webhook-id"], posted.headers["webhook-timestamp"]) == ("k3v9", str(int(NOW.timestamp())))
    assert verify(posted, SECRET)
    assert not verify(posted, new_secret())
    assert not verify(replace(posted, body=BODY + b" "), SECRET)


async def test_after_a_rotation_both_secrets_verify(receiver: Receiver) -> None:
    old, new = new_secret(), new_secret()
    endpoint = Endpoint(endpoint="crm", url=receiver.url)

    await Caller(allow_local=True).call(endpoint, [new, old], "k3v9", BODY, datetime.now(UTC))

    [posted] = receiver.posted
    assert len(posted.headers["webhook-signature"].split(" ")) == 2
    assert verify(posted, old)
    assert verify(posted, new)
    for secret in (old, new):
        assert Webhook(secret).verify(posted.body, posted.headers)["type"] == "win-back.crm"


async def test_the_time_is_the_same_in_every_zone(receiver: Receiver) -> None:
    oslo = NOW.astimezone(tz=datetime.fromisoformat("2026-11-24T10:00:00+01:00").tzinfo)

    await Caller(allow_local=True).call(Endpoint(endpoint="crm", url=receiver.url), [SECRET], "k3v9", BODY, oslo)

    assert receiver.posted[0].headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert verify(receiver.posted[0], SECRET)


# --- what the answer means --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_what_is_a_success(receiver: Receiver, call: Call, status: int) -> None:
    receiver.answer = writes(f"HTTP/1.1 {status} Fine\r\nConnection: close\r\n\r\n".encode())

    assert await call() == Accepted()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 507, 599])
async def test_what_is_tried_again(receiver: Receiver, call: Call, status: int) -> None:
    receiver.answer = says(status, body=b"ada@example.com is not known")

    answer = await call()

    assert isinstance(answer, NotNow)
    assert answer.reason.startswith(f"it answered {status}")
    assert answer.after is None
    assert "ada" not in repr(answer)
    assert len(receiver.posted) == 1


@pytest.mark.parametrize("status", [300, 304, 305, 400, 401, 403, 404, 405, 409, 413, 418, 422, 451, 499, 700])
async def test_what_is_final(receiver: Receiver, call: Call, status: int) -> None:
    receiver.answer = says(status, body=b"ada@example.com is not known")

    answer = await call()

    assert isinstance(answer, Refused)
    assert answer.reason.startswith(f"it answered {status}")
    assert "ada" not in repr(answer)


async def test_410_is_for_good(receiver: Receiver, call: Call) -> None:
    receiver.answer = says(410)

    assert await call() == Gone("it answered 410 Gone")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_named_and_never_followed(receiver: Receiver, call: Call, status: int) -> None:
    async with Receiver() as other:
        location = f"http://ada:pw@127.0.0.1:{other.port}/new/ada%40example.com/x?token=secret#part"
        receiver.answer = says(status, f"Location: {location}")

        answer = await call()

    assert isinstance(answer, Refused)
    assert f"leads to http://127.0.0.1:{other.port}/new/…/x, which is not followed" in answer.reason
    assert not any(word in answer.reason for word in ("ada", "pw", "token", "secret", "part"))
    assert other.connections == 0


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("/hooks/", "/hooks/"),
        ("//other.example/x?y=z", "http://other.example/x,"),
        ("http://[", "what is no address"),
        ("", ""),
        ("http://a.example/\xe9%00%0a+15550100002/x", "http://a.example/…………/x"),
        (f"http://a.example/{'x' * 5000}", "http://a.example/"),
    ],
)
async def test_whatever_a_redirect_says_is_told_in_short(
    receiver: Receiver, call: Call, location: str, place: str
) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    receiver.answer = writes(head.encode("latin-1"))

    answer = await call()

    assert isinstance(answer, Refused)
    assert place in answer.reason
    assert len(answer.reason) < 300


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_how_long_it_asks_to_wait_is_heeded(receiver: Receiver, call: Call, status: int) -> None:
    receiver.answer = says(status, "retry-after: 120")
    by_seconds = await call()
    receiver.answer = says(
        status, f"Retry-After: {format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}"
    )
    by_date = await call()

    assert isinstance(by_seconds, NotNow)
    assert by_seconds.after is not None
    assert timedelta(seconds=119) < by_seconds.after <= timedelta(seconds=120)
    assert isinstance(by_date, NotNow)
    assert by_date.after is not None
    assert timedelta(minutes=58) < by_date.after <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("0", timedelta(seconds=1)),
        ("Tue, 24 Nov 2020 09:00:00 GMT", timedelta(seconds=1)),
        ("99999999999999999999", None),
        ("864000", timedelta(days=1)),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_what_cannot_be_meant_is_no_time_to_wait(
    receiver: Receiver, call: Call, said: str, after: timedelta | None
) -> None:
    receiver.answer = says(503, f"Retry-After: {said}")

    answer = await call()

    assert isinstance(answer, NotNow)
    assert answer.after == after


async def test_what_is_counted_from_who_knows_when_is_no_time_to_wait(receiver: Receiver, call: Call) -> None:
    """To one system it is seconds from now, to another since 1970: each second would be a try."""
    receiver.answer = says(429, "X-RateLimit-Reset: 60")

    answer = await call()

    assert isinstance(answer, NotNow)
    assert answer.after is None


@pytest.mark.parametrize(
    ("tries", "after", "pauses"),
    [
        (1, None, 2),
        (2, None, 4),
        (40, None, 3600),
        (1, 1, 2),
        (40, 1, 60),
        (1, 120, 120),
        (40, 86_400, 86_400),
    ],
)
def test_one_that_asks_for_the_next_try_at_once_is_not_tried_each_second(
    tries: int, after: int | None, pauses: int
) -> None:
    assert pause(tries, None if after is None else timedelta(seconds=after)) == timedelta(seconds=pauses)


# --- answers that are none --------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
NO_ANSWERS = {
    "hangs": (hangs, "within 0.5 seconds"),
    "head-drips": (writes(OK, for_ever=b"X: y\r\n", every=0.05), "within 0.5 seconds"),
    "early-hints-drip": (writes(for_ever=b"HTTP/1.1 103 Early\r\n\r\n", every=0.05), "within 0.5 seconds"),
}
NO_HTTP = {
    "hangs-up": (writes(), "answer"),
    "hangs-up-amid-the-head": (writes(OK), "answer"),
    "another-protocol": (says(101), "HTTP"),
    "garbage": (writes(b"SSH-2.0-OpenSSH\r\n" * 9), "HTTP"),
    "endless-head": (writes(OK, for_ever=b"X: " + b"y" * 500 + b"\r\n"), "64 KiB"),
    "endless-header": (writes(OK + b"X: ", for_ever=b"y" * 500), "64 KiB"),
    "endless-early-hints": (writes(for_ever=b"HTTP/1.1 103 Early\r\n\r\n" * 50), "64 KiB"),
}


@pytest.mark.parametrize("how", NO_ANSWERS)
async def test_no_answer_in_time_is_tried_again(receiver: Receiver, call: Call, how: str) -> None:
    receiver.answer, said = NO_ANSWERS[how]
    began = time.monotonic()

    answer = await call(A_MOMENT)

    assert isinstance(answer, NotNow)
    assert said in answer.reason
    assert time.monotonic() - began < 10  # of a busy machine; for ever is what it would be


@pytest.mark.parametrize("how", NO_HTTP)
async def test_no_answer_that_is_one_is_tried_again(receiver: Receiver, call: Call, how: str) -> None:
    receiver.answer, said = NO_HTTP[how]

    answer = await call()

    assert isinstance(answer, NotNow)
    assert said in answer.reason
    assert not answer.unreachable


@pytest.mark.parametrize("how", ["endless-head", "endless-header"])
async def test_no_more_is_read_of_what_comes_encrypted(tmp_path: Path, how: str) -> None:
    shown, trusted = certificate(tmp_path, "crm.example.com")
    async with Receiver(tls=shown) as receiver:
        receiver.answer, said = NO_HTTP[how]
        caller = Caller(names=lambda _host, _port: [PUBLIC], trusted=trusted, dial=Dial(receiver.port), limits=PLENTY)

        answer = await _call(caller, "https://crm.example.com")

    assert isinstance(answer, NotNow)
    assert said in answer.reason


async def test_nobody_there_is_tried_again(receiver: Receiver, call: Call) -> None:
    url = receiver.url
    await receiver.__aexit__()

    assert await call(url=url) == NotNow("it cannot be reached: nobody listens there", unreachable=True)


async def test_a_name_that_leads_nowhere_is_tried_again(receiver: Receiver) -> None:
    caller = Caller(names=lambda _host, _port: _unknown(), dial=(dial := Dial(receiver.port)))

    answer = await _call(caller, "https://crm.example.com")

    assert answer == NotNow("it cannot be reached: its name leads nowhere", unreachable=True)
    assert dial.dialled == []


def _unknown() -> Sequence[str]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize("status", [200, 503])
async def test_a_status_counts_whatever_comes_after_it(receiver: Receiver, call: Call, status: int) -> None:
    head = f"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    drips = writes(head, for_ever=b"1\r\nx\r\n", every=0.05)
    floods = writes(head, for_ever=b"400\r\n" + b"x" * 1024 + b"\r\n")
    broken = writes(head + b"zz\r\n")
    hung_up = writes(head + b"5\r\nx")

    for receiver.answer, limits in [(drips, A_MOMENT), (floods, PLENTY), (broken, PLENTY), (hung_up, PLENTY)]:
        receiver.hung_up.clear()
        assert isinstance(await call(limits), Accepted if status == 200 else NotNow)
        await asyncio.wait_for(receiver.hung_up.wait(), 30)


async def test_a_packed_answer_is_not_unpacked(receiver: Receiver, call: Call) -> None:
    receiver.answer = says(200, "Content-Encoding: gzip", body=b"no gzip at all")

    assert await call() == Accepted()


async def test_who_gives_up_on_a_call_hangs_up(receiver: Receiver, call: Call) -> None:
    receiver.answer = hangs
    calling = call()
    await receiver.has(1)

    calling.cancel()

    await asyncio.wait_for(receiver.hung_up.wait(), 30)
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_nothing_of_it_is_logged(receiver: Receiver, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answer = says(200, "X-Who: ada@example.com", body=b"ada@example.com")

    with caplog.at_level(logging.DEBUG):
        await call()

    assert "ada" not in caplog.text
    assert SECRET not in caplog.text


# --- where it goes ----------------------------------------------------------------------------------


async def test_ipv6_is_called_by_its_name_in_brackets() -> None:
    async with Receiver("::1") as receiver:
        assert await _call(Caller(allow_local=True), receiver.url) == Accepted()

    assert receiver.posted[0].headers["host"] == f"[::1]:{receiver.port}"


async def test_the_address_that_was_checked_is_the_one_that_is_called(tmp_path: Path) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    shown, trusted = certificate(tmp_path, "crm.example.com")
    async with Receiver(tls=shown) as receiver:
        caller = Caller(names=rebinding, trusted=trusted, dial=(dial := Dial(receiver.port)), allow_local=True)

        first = await _call(caller, "https://crm.example.com/hooks")
        second = await _call(caller, "https://crm.example.com/hooks")

    assert first == Accepted()
    assert second == Refused("it leads to an address that is not public (loopback)")
    assert asked == ["crm.example.com"] * 2
    assert dial.dialled == [PUBLIC]
    assert [(posted.headers["host"], posted.name) for posted in receiver.posted] == [("crm.example.com",) * 2]


@pytest.mark.parametrize(
    "found",
    [
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["::1"],
        ["fe80::1%lo"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::a00:1"],
        [PUBLIC, "192.168.0.1"],
        ["2606:4700::1111", "fd00:ec2::254"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("allow_local", [False, True])
async def test_one_address_that_is_not_public_is_enough(
    receiver: Receiver, found: list[str], allow_local: bool
) -> None:
    caller = Caller(names=lambda _host, _port: found, dial=(dial := Dial(receiver.port)), allow_local=allow_local)

    answer = await _call(caller, "https://crm.example.com")

    assert isinstance(answer, Refused)
    assert "not public" in answer.reason
    assert not any(address in answer.reason for address in found)
    assert dial.dialled == []


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://2130706433/"])
async def test_an_address_that_was_stored_before_is_checked_as_well(receiver: Receiver, url: str) -> None:
    dial = Dial(receiver.port)

    answer = await _call(Caller(dial=dial), url)

    assert isinstance(answer, Refused)
    assert dial.dialled == []


async def test_this_machine_is_called_only_where_that_is_allowed(receiver: Receiver) -> None:
    answer = await _call(Caller(), receiver.url)

    assert isinstance(answer, Refused)
    assert "SOJOURN_LOCAL_ENDPOINTS" in answer.reason
    assert receiver.connections == 0


async def test_a_local_name_must_lead_to_this_machine(receiver: Receiver) -> None:
    caller = Caller(names=lambda _host, _port: [PUBLIC], dial=(dial := Dial(receiver.port)), allow_local=True)

    answer = await _call(caller, "http://localhost:9000")

    assert isinstance(answer, Refused)
    assert dial.dialled == []


async def test_localhost_by_name(receiver: Receiver, call: Call) -> None:
    assert await call(url=receiver.url.replace("127.0.0.1", "localhost")) == Accepted()


async def test_where_one_address_is_dead_the_next_one_is_called(tmp_path: Path) -> None:
    shown, trusted = certificate(tmp_path, "crm.example.com")
    async with Receiver(tls=shown) as receiver:
        dial = Dial(receiver.port)
        dial.dead.add("2606:4700::1111")
        found = ["2606:4700::1111", PUBLIC]
        caller = Caller(names=lambda _host, _port: found, trusted=trusted, dial=dial)

        assert await _call(caller, "https://crm.example.com") == Accepted()

    assert dial.dialled == found


@pytest.mark.parametrize("scheme", ["HTTP", "HTTPS", "ALL"])
async def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, call: Call, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    async with Receiver() as proxy:
        for name in (f"{scheme}_PROXY", f"{scheme}_proxy".lower()):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

        assert await call() == Accepted()

    assert (len(receiver.posted), proxy.connections) == (1, 0)


@pytest.mark.parametrize(
    "url", ["https://crm.example.com:8443/x", "https://crm.example.com./x", "https://CRM.example.com"]
)
async def test_a_certificate_is_for_the_name_not_for_the_address(tmp_path: Path, url: str) -> None:
    shown, trusted = certificate(tmp_path, "crm.example.com")
    async with Receiver(tls=shown) as receiver:
        caller = Caller(names=lambda _host, _port: [PUBLIC], trusted=trusted, dial=Dial(receiver.port))

        assert await _call(caller, url) == Accepted()

    assert receiver.posted[0].name == "crm.example.com"


@pytest.mark.parametrize("trusts", ["another name", "nobody"])
async def test_a_certificate_that_does_not_fit_is_told(tmp_path: Path, trusts: str) -> None:
    shown, trusted = certificate(tmp_path, "other.example.com")
    async with Receiver(tls=shown) as receiver:
        context = trusted if trusts == "another name" else None
        caller = Caller(names=lambda _host, _port: [PUBLIC], trusted=context, dial=Dial(receiver.port))

        answer = await _call(caller, "https://crm.example.com")

    assert answer == NotNow("it cannot be reached: its certificate is not trusted", unreachable=True)
    assert receiver.posted == []


async def test_https_where_plain_http_is_spoken() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        dial = Dial(server.sockets[0].getsockname()[1])
        answered = await _call(Caller(names=lambda _host, _port: [PUBLIC], dial=dial), "https://crm.example.com")

    assert answered == NotNow("it cannot be reached: it does not speak TLS as we do", unreachable=True)


# --- how many at once -------------------------------------------------------------------------------


async def test_one_that_hangs_holds_up_no_other(receiver: Receiver) -> None:
    receiver.answer = hangs
    caller = Caller(allow_local=True, limits=PLENTY)
    hanging = [asyncio.create_task(_call(caller, receiver.url)) for _ in range(PLENTY.connections)]
    await receiver.has(PLENTY.connections)

    in_line = [asyncio.create_task(_call(caller, receiver.url)) for _ in range(MOST_IN_LINE)]
    await asyncio.sleep(0)
    sent_away = await _call(caller, receiver.url)
    assert not any(waiting.done() for waiting in in_line)
    async with Receiver() as other:
        others = await _call(caller, other.url, "other")
    waited = await asyncio.gather(*in_line)

    assert others == Accepted()
    assert {type(answer) for answer in (sent_away, *waited)} == {NotPosted}
    assert receiver.connections == PLENTY.connections
    for each in hanging:
        each.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    receiver.answer = says(200)
    assert await _call(caller, receiver.url) == Accepted()


async def test_a_name_server_that_hangs_is_not_waited_for(receiver: Receiver) -> None:
    release = threading.Event()

    def hanging(_host: str, _port: int) -> list[str]:
        release.wait(60)
        return [PUBLIC]

    caller = Caller(names=hanging, dial=Dial(receiver.port), limits=A_MOMENT)

    answer = await _call(caller, "https://crm.example.com")

    assert answer == NotNow("it gave no answer within 0.5 seconds")
    release.set()
    caller.close()
