"""Keys in the store: made, rotated, revoked, and known by the hashes of their secrets."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from journeys.problems import Conflict, Invalid, Unknown
from journeys.reading import read
from store.keys import (
    MOST_SECRETS,
    PREFIX,
    USED_EVERY,
    Key,
    KeyView,
    Secret,
    add_key,
    change_key,
    digest_of,
    get_key,
    known_keys,
    list_keys,
    new_secret,
    note_used,
    revoke_key,
    revoke_secret,
    rotate_key,
)
from store.schema import key_secrets, keys
from store.store import Store
from tests.shop import NOON, by_us

SHOP = Key(key="shop", scopes=("events:write", "runs:read"), triggers=("abandoned-cart",), per_second=2.5)
LATER = NOON + timedelta(hours=1)


def id_of(secret: str) -> str:
    return digest_of(secret)[:12]


def test_a_secret_is_told_by_its_beginning_and_guessed_by_nobody() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert all(secret.startswith(PREFIX) and len(secret) == len(PREFIX) + 43 for secret in made)


async def test_a_new_key_has_one_secret_and_only_its_hash_is_kept(store: Store) -> None:
    view = await add_key(store, SHOP, "sojourn_1", by_us(NOON))

    only = Secret(id=id_of("sojourn_1"), created_at=NOON, until=None, used_at=None)
    assert view == KeyView(**dict(SHOP), secrets=(only,), created_at=NOON)
    assert view == await get_key(store, "shop", NOON)
    assert await list_keys(store, NOON) == [view]
    [known] = await known_keys(store)
    assert (known.digest, known.key, known.until) == (digest_of("sojourn_1"), SHOP, None)
    rows = await store.read(lambda connection: [*connection.execute(select(keys)), *connection.execute(_SECRETS)])
    assert "sojourn_1" not in str(rows)


async def test_a_name_is_taken_once_also_by_two_at_once(store: Store) -> None:
    tried = await asyncio.gather(
        *(add_key(store, SHOP, f"sojourn_{n}", by_us(NOON)) for n in range(5)), return_exceptions=True
    )

    assert [type(each) for each in tried if not isinstance(each, KeyView)] == [Conflict] * 4
    assert len(await known_keys(store)) == 1


async def test_a_key_that_ends_before_it_begins_is_refused(store: Store) -> None:
    with pytest.raises(Conflict, match="would end before it begins, at 24 Nov 2026"):
        await add_key(store, SHOP.model_copy(update={"until": NOON}), "sojourn_1", by_us(NOON))


async def test_changed_it_opens_something_else_with_the_same_secret(store: Store) -> None:
    made = await add_key(store, SHOP, "sojourn_1", by_us(NOON))
    other = Key(key="shop", scopes=("publish",), until=LATER)

    changed = await change_key(store, other, by_us(NOON))

    assert changed == KeyView(**dict(other), secrets=made.secrets, created_at=NOON)
    assert [known.key for known in await known_keys(store)] == [other]


async def test_rotated_it_has_two_secrets_and_keeps_its_name(store: Store) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOON))

    view = await rotate_key(store, "shop", "sojourn_2", by_us(LATER))

    assert [secret.id for secret in view.secrets] == [id_of("sojourn_2"), id_of("sojourn_1")]
    assert {known.digest: known.key.key for known in await known_keys(store)} == {
        digest_of("sojourn_1"): "shop",
        digest_of("sojourn_2"): "shop",
    }


async def test_a_secret_that_was_rotated_ends_when_it_is_said_to_and_no_later_than_before(store: Store) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOON))
    await rotate_key(store, "shop", "sojourn_2", by_us(NOON), LATER)
    view = await rotate_key(store, "shop", "sojourn_3", by_us(NOON + timedelta(minutes=1)), LATER + timedelta(hours=1))

    assert {secret.id: secret.until for secret in view.secrets} == {
        id_of("sojourn_1"): LATER,
        id_of("sojourn_2"): LATER + timedelta(hours=1),
        id_of("sojourn_3"): None,
    }
    assert [secret.id for secret in (await get_key(store, "shop", LATER)).secrets] == [
        id_of("sojourn_3"),
        id_of("sojourn_2"),
    ]
    assert [len(key.secrets) for key in await list_keys(store, LATER)] == [2]


async def test_so_many_secrets_are_enough_and_those_that_ended_are_forgotten(store: Store) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOON))
    await rotate_key(store, "shop", "sojourn_2", by_us(NOON), LATER)
    for number in range(3, MOST_SECRETS + 1):
        await rotate_key(store, "shop", f"sojourn_{number}", by_us(NOON))

    with pytest.raises(Conflict, match=f"has {MOST_SECRETS} valid secrets"):
        await rotate_key(store, "shop", "sojourn_9", by_us(NOON))
    await rotate_key(store, "shop", "sojourn_9", by_us(LATER))

    assert digest_of("sojourn_1") not in {known.digest for known in await known_keys(store)}


async def test_a_key_that_has_ended_gets_no_other_secret(store: Store) -> None:
    await add_key(store, SHOP.model_copy(update={"until": LATER}), "sojourn_1", by_us(NOON))

    with pytest.raises(Conflict, match="ended at 24 Nov 2026 13:00 UTC"):
        await rotate_key(store, "shop", "sojourn_2", by_us(LATER))


async def test_revoked_nothing_is_left_of_it_and_the_name_is_free(store: Store) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOON))
    await rotate_key(store, "shop", "sojourn_2", by_us(NOON))
    await add_key(store, SHOP.model_copy(update={"key": "crm"}), "sojourn_3", by_us(NOON))

    await revoke_key(store, "shop", by_us(NOON))

    assert [known.digest for known in await known_keys(store)] == [digest_of("sojourn_3")]
    assert [key.key for key in await list_keys(store, NOON)] == ["crm"]
    await add_key(store, SHOP, "sojourn_4", by_us(NOON))


async def test_one_secret_is_revoked(store: Store) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOON))
    await rotate_key(store, "shop", "sojourn_2", by_us(LATER))

    view = await revoke_secret(store, "shop", id_of("sojourn_1"), by_us(LATER))

    assert [secret.id for secret in view.secrets] == [id_of("sojourn_2")]
    with pytest.raises(Unknown, match='has no secret "'):
        await revoke_secret(store, "shop", id_of("sojourn_1"), by_us(LATER))


async def test_what_is_not_there_is_told_with_what_is(store: Store) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOON))

    for asked in (
        get_key(store, "shpo", NOON),
        change_key(store, SHOP.model_copy(update={"key": "shpo"}), by_us(NOON)),
        rotate_key(store, "shpo", "sojourn_2", by_us(NOON)),
        revoke_key(store, "shpo", by_us(NOON)),
        revoke_secret(store, "shpo", "x", by_us(NOON)),
    ):
        with pytest.raises(Unknown, match=r'no key "shpo"\. Did you mean "shop"\?'):
            await asked


async def test_when_it_was_used_is_written_once_a_minute(store: Store) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOON))
    digest = digest_of("sojourn_1")

    async def used(at: timedelta) -> object:
        await note_used(store, {digest: NOON + at, digest_of("revoked meanwhile"): NOON})
        return (await get_key(store, "shop", NOON)).secrets[0].used_at

    assert await used(timedelta(0)) == NOON
    assert await used(USED_EVERY / 2) == NOON
    assert await used(USED_EVERY) == NOON + USED_EVERY
    assert await used(timedelta(0)) == NOON + USED_EVERY


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a name in capitals": ({"key": "Shop"}, "key: "),
    "no scope": ({"scopes": []}, "scopes: "),
    "a scope that is none": ({"scopes": ["events:read"]}, "scopes[0]: "),
    "an origin with a path": ({"origins": ["https://shop.example.com/"]}, "write https://shop.example.com"),
    "an origin in capitals": ({"origins": ["https://Shop.example.com"]}, "write https://shop.example.com"),
    "an origin with a port that goes without saying": (
        {"origins": ["https://shop.example.com:443"]},
        "browsers leave out a port that goes without saying: write https://shop.example.com",
    ),
    "an origin that is none": ({"origins": ["shop.example.com"]}, "such as https://shop.example.com"),
    "any origin": ({"origins": ["*"]}, "such as https://shop.example.com"),
    "origins and another scope": (
        {"origins": ["https://shop.example.com"], "scopes": ["events:write", "runs:read"], "triggers": ["cart"]},
        "one with origins has the scope events:write alone",
    ),
    "origins and any trigger": (
        {"origins": ["https://shop.example.com"], "scopes": ["events:write"]},
        "one with origins says in triggers what it may post",
    ),
    "triggers and no events": ({"scopes": ["runs:read"], "triggers": ["cart"]}, "go with the scope events:write"),
    "a limit and no events": ({"scopes": ["runs:read"], "per_second": 5}, "go with the scope events:write"),
    "no events a second": ({"per_second": 0}, "per_second: "),
    "hardly ever an event": ({"per_second": 1e-300}, "per_second: "),
    "endless events a second": ({"per_second": 1e9}, "per_second: "),
    "an end without an offset": ({"until": "2027-01-01"}, "until: "),
    "a secret of one's own": ({"secret": "1234"}, "secret: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_told(name: str) -> None:
    given, told = WRONG[name]

    with pytest.raises(Invalid) as refused:
        written(**given)

    assert told in str(refused.value)


def test_scopes_are_kept_in_one_order_and_once() -> None:
    assert written(scopes=["runs:read", "events:write", "runs:read"]).scopes == ("events:write", "runs:read")
    assert written(origins=["http://localhost:3000"], triggers=["cart"]).origins == ("http://localhost:3000",)


def written(**given: Any) -> Key:
    return read(Key, {"key": "shop", "scopes": ["events:write"]} | given, "key")


_SECRETS = select(key_secrets)
