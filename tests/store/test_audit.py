"""The audit log: who changed what and when, page by page, and only what was committed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from journeys.catalogue import CustomerAttribute
from journeys.clearance.policy import Policy
from journeys.endpoints import Endpoint
from journeys.problems import Conflict, Invalid
from journeys.reading import read_content
from store.audit import AuditEntry, Change, list_audit, record
from store.catalogue import put_content, ready_content
from store.customer_attributes import delete_attribute, put_attribute
from store.endpoints import close_endpoint, put_endpoint, rotate_endpoint
from store.journeys import publish, put_journey
from store.keys import Key, add_key, change_key, digest_of, revoke_key, revoke_secret, rotate_key
from store.policy import begin_with, put_policy
from store.stopping import stop
from store.store import Store, write_transaction
from store.suppressions import lift, list_suppressions, suppress
from tests.samples import abandoned_cart
from tests.shop import CHANNELS, NOON, Shop, by_us

DONE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("grace", "journey published", "journey/welcome", {"version": 1}),
    ("shop", "trigger put", "trigger/cart", {}),
    ("grace", "journey published", "journey/welcome-back", {"version": 1}),
    ("grace", "journey stopped", "journey/welcome", {"runs": 3}),
]


@write_transaction
def put_down(connection: Connection, *, and_fail: bool = False) -> None:
    for hours, (by, did, what, detail) in enumerate(DONE):
        record(connection, Change(by, NOON + timedelta(hours=hours)), did, what, detail)
    if and_fail:
        raise Conflict("This is refused after all.")


async def numbers(store: Store, **asked: Any) -> list[int]:
    """Which of DONE are listed, in what order."""
    entries = (await list_audit(store, **asked)).entries
    return [DONE.index((each.by, each.did, each.what, each.detail)) for each in entries]


async def test_changes_are_listed_with_who_made_them_the_latest_first(store: Store) -> None:
    await put_down(store)

    latest, *rest = (await list_audit(store)).entries

    stopped: dict[str, Any] = {
        "by": "grace",
        "did": "journey stopped",
        "what": "journey/welcome",
        "detail": {"runs": 3},
    }
    assert latest == AuditEntry(id=latest.id, at=NOON + timedelta(hours=3), **stopped)
    assert [each.at.hour for each in rest] == [14, 13, 12]


async def test_they_are_listed_page_by_page(store: Store) -> None:
    await put_down(store)

    first = await list_audit(store, limit=3)
    rest = await list_audit(store, limit=3, before=first.next)

    assert [each.what for each in first.entries[1:]] == ["journey/welcome-back", "trigger/cart"]
    assert ([each.at for each in rest.entries], rest.next) == ([NOON], None)
    assert (await list_audit(store, limit=4)).next is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"what": "journey"}, [3, 2, 0]),
        ({"what": "journey/welcome"}, [3, 0]),
        ({"what": "journey/w%"}, []),
        ({"what": "Journey"}, []),
        ({"what": "j" * 60_000}, []),
        ({"by": "shop"}, [1]),
        ({"by": "Grace"}, []),
        ({"since": NOON + timedelta(hours=2)}, [3, 2]),
        ({"what": "journey", "by": "grace", "since": NOON + timedelta(hours=1), "limit": 1}, [3]),
    ],
    ids=[
        "a kind",
        "one thing",
        "no pattern",
        "in capitals",
        "very long",
        "by somebody",
        "as it is written",
        "since",
        "all of it",
    ],
)
async def test_they_are_asked_for_by_what_by_whom_and_since_when(
    store: Store, asked: dict[str, Any], found: list[int]
) -> None:
    await put_down(store)

    assert await numbers(store, **asked) == found


async def test_what_is_undone_was_not_changed(store: Store) -> None:
    with pytest.raises(Conflict):
        await put_down(store, and_fail=True)

    assert await numbers(store) == []


async def details(store: Store, what: str) -> list[tuple[str, dict[str, object]]]:
    """What was done to a thing, or to a kind of things, from the first to the latest."""
    return [(each.did, each.detail) for each in reversed((await list_audit(store, what=what)).entries)]


def hello(text: str, **more: str) -> dict[str, Any]:
    return {"content": "hello", "text": {"body": text}, **more}


async def test_of_a_definition_the_fields_are_kept_that_are_others_now(store: Store) -> None:
    for content in (hello("Hi."), hello("Hi."), hello("Hello Ada.", title="Hello")):
        await put_content(store, read_content(content), by_us(NOON))

    put = "content put"
    assert await details(store, "content") == [(put, {"new": True}), (put, {"changed": ["text", "title"]})]


async def test_what_is_made_ready_says_what_is_sent_otherwise_than_before(store: Store) -> None:
    for text in ("Hi.", "Hello."):
        await put_content(store, read_content(hello(text)), by_us(NOON))
        await ready_content(store, "hello", by_us(NOON))
        await ready_content(store, "hello", by_us(NOON))

    assert [each for each in await details(store, "content") if "ready" in each[0]] == [
        ("content made ready", {}),
        ("content made ready", {"changed": ["text"]}),
    ]


async def test_a_journey_is_published_with_its_version_and_stopped_with_who_was_inside(shop: Shop) -> None:
    await shop.publish()
    await shop.start("ada")
    await shop.start("bob")
    await shop.publish()
    second = await shop.publish(abandoned_cart(exit=[]))
    for _ in range(2):
        await stop(shop.store, "abandoned-cart", by_us(shop.now))

    first = abandoned_cart().hash
    assert await details(shop.store, "journey/abandoned-cart") == [
        ("journey put", {"new": True}),
        ("journey published", {"version": 1, "hash": first}),
        ("journey put", {"changed": ["exit"]}),
        ("journey published", {"version": 2, "hash": second.hash}),
        ("journey stopped", {"versions": [1, 2], "runs": 2}),
    ]


async def test_what_cannot_be_published_was_not_published(shop: Shop) -> None:
    await put_journey(shop.store, abandoned_cart(start={"trigger": "nothing"}), by_us(shop.now))

    with pytest.raises(Invalid):
        await publish(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS)

    assert await details(shop.store, "journey/abandoned-cart") == [("journey put", {"new": True})]


async def test_published_twice_at_once_it_is_recorded_once(shop: Shop) -> None:
    await put_journey(shop.store, abandoned_cart(), by_us(shop.now))

    await asyncio.gather(*(publish(shop.store, "abandoned-cart", by_us(shop.now), CHANNELS) for _ in range(4)))

    assert [did for did, _ in await details(shop.store, "journey")] == ["journey put", "journey published"]


async def test_an_endpoint_that_wants_no_more_is_closed_by_nobody_and_no_secret_is_kept(store: Store) -> None:
    there, elsewhere = (Endpoint(endpoint="crm", url=f"https://{name}.example.com") for name in ("crm", "new"))
    await put_endpoint(store, there, "sealed 1", by_us(NOON))
    await rotate_endpoint(store, "crm", "sealed 2", by_us(NOON))
    await close_endpoint(store, "crm", there.url, "it answered 410", NOON)
    await close_endpoint(store, "crm", there.url, "it answered 410", NOON)
    await put_endpoint(store, elsewhere, "sealed 3", by_us(NOON))

    entries = list(reversed((await list_audit(store)).entries))

    assert [(each.by, each.did, each.detail) for each in entries] == [
        ("us", "endpoint put", {"new": True}),
        ("us", "endpoint given another secret", {}),
        ("Sojourn", "endpoint closed", {}),
        ("us", "endpoint put", {"changed": ["url"]}),
        ("us", "endpoint opened", {}),
    ]


async def test_an_attribute_is_declared_with_its_type(store: Store) -> None:
    for kind in ("date", "date", "text"):
        await put_attribute(store, CustomerAttribute(attribute="born", type=kind), by_us(NOON))
    await delete_attribute(store, "born", by_us(NOON))

    assert await details(store, "attribute/born") == [
        ("attribute declared", {"new": True, "type": "date"}),
        ("attribute declared", {"type": "text"}),
        ("attribute forgotten", {}),
    ]


async def test_who_is_written_to_again_is_not_in_it(store: Store) -> None:
    await suppress(store, "email", "ada@example.com", "bounced, as sendgrid reports", NOON)
    [there] = (await list_suppressions(store)).suppressions

    lifted = await lift(store, there.id, "Ada asked for it.", "grace", by_us(NOON))

    kept = {"channel": "email", "lifting": lifted.id}
    assert await details(store, f"suppression/{there.id}") == [("suppression lifted", kept)]


async def test_a_policy_says_its_number_and_what_is_another_now(store: Store) -> None:
    await begin_with(store, Policy(time_zone="Europe/Oslo"), NOON)
    for _ in range(2):
        await put_policy(store, Policy(time_zone="Europe/Paris"), by_us(NOON))

    put, first = (await list_audit(store)).entries

    assert (first.by, first.detail) == ("Sojourn", {"number": 1})
    assert (put.by, put.detail) == ("us", {"number": 2, "changed": ["time_zone"]})


async def test_a_key_says_what_it_opens_and_no_secret(store: Store) -> None:
    shop = Key(key="shop", scopes=("events:write",))
    await add_key(store, shop, "sojourn_1", by_us(NOON))
    for _ in range(2):
        await change_key(store, shop.model_copy(update={"scopes": ("admin",)}), by_us(NOON))
    await rotate_key(store, "shop", "sojourn_2", by_us(NOON))
    first = digest_of("sojourn_1")[:12]
    await revoke_secret(store, "shop", first, by_us(NOON))
    await revoke_key(store, "shop", by_us(NOON))

    assert await details(store, "key/shop") == [
        ("key created", {"scopes": ["events:write"]}),
        ("key changed", {"changed": ["scopes"], "scopes": ["admin"]}),
        ("key given another secret", {}),
        ("secret revoked", {"secret": first}),
        ("key revoked", {}),
    ]
