"""Endpoints by name: what is posted, sealed and signed; closed after a 410; and what is said where they cannot be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from activities.channels import Accepted, NotNow, Refused
from activities.endpoints import Caller, Endpoints, Seal, TooLong, payload
from activities.endpoints.payload import MOST_BYTES
from activities.endpoints.signing import new_secret, signed
from journeys.endpoints import Endpoint
from journeys.problems import Conflict
from store.endpoints import BOTH_SIGN, get_endpoint, open_endpoint, put_endpoint, rotate_endpoint
from store.store import Store
from tests.engine import HOUSE
from tests.fakes.receiver import Receiver, says
from tests.shop import by_us

BODY = b'{"type":"win-back.crm"}'


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


def endpoints(store: Store, house: str = HOUSE) -> Endpoints:
    return Endpoints(store, Caller(allow_local=True), Seal(house))


async def registered(store: Store, receiver: Receiver, now: datetime) -> str:
    secret = new_secret()
    await put_endpoint(store, Endpoint(endpoint="crm", url=receiver.url), Seal(HOUSE).seal(secret), by_us(now))
    return secret


async def test_a_call_is_signed_with_the_secrets_that_hold(store: Store, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    old, new = await registered(store, receiver, now - BOTH_SIGN), new_secret()
    await rotate_endpoint(store, "crm", Seal(HOUSE).seal(new), by_us(now - timedelta(hours=1)))

    assert await endpoints(store).call("crm", "k3v9", BODY, now) == Accepted()
    assert await endpoints(store).call("crm", "k3v9", BODY, now + BOTH_SIGN) == Accepted()

    both, one = receiver.posted
    for secret in (old, new):
        Webhook(secret).verify(both.body, both.headers)
    assert one.headers["webhook-signature"] == signed("k3v9", now + BOTH_SIGN, BODY, [new])["webhook-signature"]


async def test_410_closes_an_endpoint_until_it_is_opened(store: Store, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    await registered(store, receiver, now)
    receiver.answer = says(410, body=b"ada@example.com has left")

    with capture_logs() as logs:
        first = await endpoints(store).call("crm", "k3v9", BODY, now)
        second = await endpoints(store).call("crm", "x2mq", BODY, now)

    assert first == second == Refused('the endpoint "crm" is closed: it answered 410 Gone')
    assert (await get_endpoint(store, "crm", now)).state == "closed"
    assert len(receiver.posted) == 1
    assert [(line["log_level"], line["endpoint"]) for line in logs] == [("error", "crm")]
    assert "ada" not in str(logs)

    receiver.answer = says(200)
    await open_endpoint(store, "crm", by_us(now))
    assert await endpoints(store).call("crm", "x2mq", BODY, now) == Accepted()


async def test_whatever_is_said_names_the_endpoint_and_quotes_nothing(store: Store, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    await registered(store, receiver, now)
    said = []
    for status in (200, 302, 400, 503):
        receiver.answer = says(status, "Retry-After: 7", "Location: /x?who=ada", body=b"ada@example.com")
        said.append(await endpoints(store).call("crm", "k3v9", BODY, now))

    accepted, redirected, refused, again = said
    assert accepted == Accepted()
    assert isinstance(redirected, Refused)
    assert refused == Refused('the endpoint "crm": it answered 400 Bad Request')
    assert isinstance(again, NotNow)
    assert again.reason == 'the endpoint "crm": it answered 503 Service Unavailable'
    assert again.after is not None
    assert "ada" not in repr(said)


async def test_one_that_is_not_there_is_not_called(store: Store) -> None:
    assert await endpoints(store).call("crm", "k3v9", BODY, datetime.now(UTC)) == Refused('there is no endpoint "crm"')


@pytest.mark.parametrize("house", ["another secret of thirty-two letters", ""])
async def test_with_another_secret_of_the_house_nothing_goes_out_unsigned(
    store: Store, receiver: Receiver, house: str
) -> None:
    now = datetime.now(UTC)
    await registered(store, receiver, now)

    with capture_logs() as logs:
        answer = await endpoints(store, house).call("crm", "k3v9", BODY, now)

    assert isinstance(answer, NotNow)
    assert "SOJOURN_SECRET" in answer.reason
    assert [line["log_level"] for line in logs] == ["error"]
    assert receiver.connections == 0


# --- sealing ----------------------------------------------------------------------------------------


def test_what_is_sealed_is_read_by_who_has_the_secret_only() -> None:
    secret = new_secret()
    sealed = Seal(HOUSE).seal(secret)

    assert secret not in sealed
    assert Seal(HOUSE).seal(secret) != sealed
    assert Seal(HOUSE).unseal(sealed) == secret
    assert [Seal(other).unseal(sealed) for other in ("", HOUSE + "x")] == [None, None]
    assert Seal(HOUSE).unseal(sealed[:-4] + "AAA=") is None
    assert Seal(HOUSE).unseal("no seal") is None


def test_without_a_secret_nothing_is_sealed() -> None:
    with pytest.raises(Conflict, match="SOJOURN_SECRET is not set"):
        Seal("").seal("whsec_x")


# --- what is posted ---------------------------------------------------------------------------------


def test_secrets_are_of_32_bytes_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert all(secret.startswith("whsec_") and len(secret) == len("whsec_") + 44 for secret in secrets)


def test_an_id_has_no_dot() -> None:
    with pytest.raises(ValueError, match="dot"):
        signed("a.b", datetime.now(UTC), BODY, [new_secret()])


def test_the_payload_is_as_standard_webhooks_recommends() -> None:
    at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    data = {"customer": "ada", "total": 60.5, "gold": True, "since": at, "city": "Malmö", "none": None}

    body = payload("win-back", "crm", at, data)

    assert json.loads(body) == {
        "type": "win-back.crm",
        "timestamp": "2026-11-24T09:00:00Z",
        "data": {**data, "since": "2026-11-24T09:00:00Z"},
    }
    assert payload("win-back", "crm", at, data) == body


def test_no_payload_is_invalid_json() -> None:
    body = payload("win-back", "crm", datetime.now(UTC), {"nan": float("nan"), "inf": float("inf")})

    assert json.loads(body, parse_constant=pytest.fail)["data"] == {"nan": None, "inf": None}


def test_a_payload_has_a_limit() -> None:
    at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    room = MOST_BYTES - len(payload("win-back", "crm", at, {"x": ""}))

    assert len(payload("win-back", "crm", at, {"x": "a" * room})) == MOST_BYTES
    with pytest.raises(TooLong, match=f"{MOST_BYTES + 1} bytes; at most {MOST_BYTES}"):
        payload("win-back", "crm", at, {"x": "a" * (room + 1)})
