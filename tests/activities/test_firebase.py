"""The Firebase channel, by the real SDK, against the fake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from activities.channels import Accepted, Down, NotNow, Refused
from activities.channels.calls import Limits, NoAnswer
from activities.channels.firebase import Firebase
from embedded.fakes.fcm import FakeFcm
from tests.fakes.messages import answer, assert_outcome, handed, outgoing

FAULTS = [
    ("429:QUOTA_EXCEEDED", NotNow),
    ("429:QUOTA_EXCEEDED-delay", NotNow),
    ("400:INVALID_ARGUMENT", Refused),
    ("400:TOKEN", Refused),
    ("404:UNREGISTERED", Refused),
    ("403:SENDER_ID_MISMATCH", Refused),
    ("404", Refused),
    ("413", Refused),
    ("403:THIRD_PARTY_AUTH_ERROR", Down),
    ("403", Down),
    ("500", NoAnswer),
    ("500-after", NoAnswer),
    ("502", NoAnswer),
    ("502-after", NoAnswer),
    ("503", NoAnswer),
    ("503-after", NoAnswer),
    ("503-delay", NoAnswer),
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
PHONE, TABLET = "fid-1:ada-s-phone", "fid-2:ada-s-tablet"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[FakeFcm]:
    async with FakeFcm() as fake:
        yield fake


@pytest.fixture
def fake(server: FakeFcm) -> FakeFcm:
    server.ledger.clear()
    server.requests.clear()
    server.faults.clear()
    server.gone.clear()
    server.gives_access = True
    return server


@pytest.fixture
async def channel(fake: FakeFcm, limits: Limits) -> AsyncIterator[Firebase]:
    channel = Firebase(fake.account, url=fake.url, limits=limits)
    yield channel
    await channel.close()


async def test_a_push_goes_out_with_all_that_belongs_to_it(channel: Firebase, fake: FakeFcm) -> None:
    message = outgoing("push")
    id = message.send_id

    sent = await answer(channel, message)

    [kept] = fake.accepted(id)
    assert sent == Accepted(kept.provider_id)
    assert kept.content == {
        "token": PHONE,
        "notification": {"title": "Your cart", "body": "A planted body."},
        "data": {"send_id": id, "link": "https://shop.example.com/cart"},
        "android": {"collapse_key": id, "ttl": "14400s", "priority": "high", "notification": {"tag": id}},
        "apns": {
            "headers": {
                "apns-collapse-id": id,
                "apns-expiration": str(int((message.at + timedelta(hours=4)).timestamp())),
                "apns-priority": "10",
            }
        },
        "webpush": {
            "headers": {"TTL": "14400", "Topic": id},
            "notification": {"tag": id},
            "fcm_options": {"link": "https://shop.example.com/cart"},
        },
    }


async def test_a_link_into_the_app_travels_as_data_only(channel: Firebase, fake: FakeFcm) -> None:
    await answer(channel, outgoing("push", link="shop://cart"))

    assert fake.ledger[0].content["data"]["link"] == "shop://cart"
    assert "fcm_options" not in fake.ledger[0].content["webpush"]


async def test_an_installation_id_serves_as_well_as_a_token(channel: Firebase, fake: FakeFcm) -> None:
    assert isinstance(await answer(channel, outgoing("push", to="cFid123")), Accepted)
    assert fake.ledger[0].content["fid"] == "cFid123"
    assert "token" not in fake.ledger[0].content


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=[fault for fault, _ in FAULTS])
async def test_every_fault_has_its_outcome_in_one_request(
    channel: Firebase, fake: FakeFcm, caplog: pytest.LogCaptureFixture, fault: str, expected: type
) -> None:
    await assert_outcome(channel, fake, "push", fault, expected, caplog, fake._access, "PRIVATE KEY")


async def test_a_repeat_is_seen_once(channel: Firebase, fake: FakeFcm) -> None:
    message = outgoing("push")
    fake.misbehave("503-after")

    first = await answer(channel, message)
    assert await channel.find(handed(message)) is None
    second = await answer(channel, message)

    assert isinstance(first, NoAnswer)
    assert isinstance(second, Accepted)
    assert len(fake.accepted(message.send_id)) == 2
    assert fake.shown == {(PHONE, message.send_id)}


DEVICES = [
    ((), Accepted, 0),
    (("404:UNREGISTERED",), Accepted, 1),
    (("404:UNREGISTERED", "403:SENDER_ID_MISMATCH"), Refused, 2),
    (("400:TOKEN", "400"), Refused, 1),
    (("503-after", "404:UNREGISTERED"), NoAnswer, 0),
    (("503", "429"), NoAnswer, 0),
    (("429", "404:UNREGISTERED"), NotNow, 0),
    (("403:THIRD_PARTY_AUTH_ERROR", "429"), Down, 0),
    (("403:THIRD_PARTY_AUTH_ERROR",), Accepted, 0),
]


@pytest.mark.parametrize(("faults", "expected", "dead"), DEVICES)
async def test_one_device_that_takes_it_is_enough(
    channel: Firebase, fake: FakeFcm, faults: tuple[str, ...], expected: type, dead: int
) -> None:
    message = outgoing("push", to=f"{PHONE}, {TABLET},{PHONE},")
    fake.misbehave(*faults)

    sent = await answer(channel, message)

    assert isinstance(sent, expected), sent
    assert len(fake.sends) == 2
    assert len(getattr(sent, "dead", ())) == dead
    assert len(fake.accepted(message.send_id)) == 2 - len([fault for fault in faults if "after" not in fault])


async def test_the_tokens_of_devices_without_the_app_are_named(channel: Firebase, fake: FakeFcm) -> None:
    fake.gone.add(TABLET)

    sent = await answer(channel, outgoing("push", to=f"{PHONE},{TABLET}"))

    assert isinstance(sent, Accepted)
    assert sent.dead == (TABLET,)


async def test_no_token_is_refused_before_it_is_sent(channel: Firebase, fake: FakeFcm) -> None:
    assert isinstance(await answer(channel, outgoing("push", to=" , ")), Refused)
    assert fake.requests == []


async def test_the_providers_own_delay_is_passed_on(channel: Firebase, fake: FakeFcm) -> None:
    fake.misbehave("429-delay", "429")

    delays = [getattr(await answer(channel, outgoing("push")), "after", None) for _ in range(2)]

    assert delays[0]
    assert timedelta(seconds=6) < delays[0] <= timedelta(seconds=7)
    assert delays[1] == timedelta(minutes=1)


async def test_a_key_that_gets_no_access_stops_the_channel(channel: Firebase, fake: FakeFcm) -> None:
    fake.gives_access = False

    sent = await answer(channel, outgoing("push"))

    assert isinstance(sent, Down)
    assert fake.sends == []


@pytest.mark.parametrize("fault", ["401", "401:THIRD_PARTY_AUTH_ERROR"])
async def test_on_a_401_a_new_access_token_is_tried_which_repeats_nothing_that_was_taken(
    channel: Firebase, fake: FakeFcm, fault: str
) -> None:
    fake.misbehave(fault, fault, fault)

    sent = await answer(channel, outgoing("push"))

    assert isinstance(sent, Down)
    assert len(fake.sends) == 3
    assert fake.ledger == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid"], ids=["refused", "no-such-host"])
async def test_what_never_left_may_be_sent_again(fake: FakeFcm, url: str) -> None:
    channel = Firebase(fake.account, url=url, limits=Limits(timedelta(seconds=5)))

    sent = await answer(channel, outgoing("push"))

    assert isinstance(sent, NotNow)
    assert sent.unreachable
    await channel.close()


async def test_without_access_tokens_nothing_is_sent_yet(fake: FakeFcm, limits: Limits) -> None:
    channel = Firebase(fake.account | {"token_uri": "http://127.0.0.1:9/token"}, url=fake.url, limits=limits)

    assert isinstance(await answer(channel, outgoing("push")), NotNow)
    assert fake.sends == []
    await channel.close()
