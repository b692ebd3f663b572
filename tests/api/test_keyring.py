"""The ring of keys: what it asks the database, how seldom, and how long it goes by what it heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection
from sqlalchemy.event import listen, remove
from structlog.testing import capture_logs

from api.keyring import ASKED_AGAIN, FRESH_FOR, Keyring
from api.keys import ROOT, Caller
from journeys.problems import Unauthorized, Unavailable
from store.keys import Key, add_key, get_key, revoke_key, rotate_key
from store.store import Store, open_store
from tests.api.door import KEY, NOW
from tests.shop import by_us

Result = TypeVar("Result")

SHOP = Key(key="shop", scopes=("events:write",), triggers=("abandoned-cart",), per_second=5)


@dataclass
class Seconds:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def keyring(store: Store, seconds: Seconds) -> Keyring:
    return Keyring(store, KEY, lambda: NOW, seconds)


class Slow(Store):
    """The same database, whose answers to what is read take until they are let through."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._database)
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.away = False
        self.times = 0

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        self.times += 1
        answer = await super().read(work)
        self.asked.set()
        await self.answers.wait()
        if self.away:
            raise Unavailable("The database does not answer.")
        return answer


@pytest.fixture
def slow(store: Store) -> Slow:
    return Slow(store)


@contextmanager
def statements_of(store: Store) -> Iterator[list[str]]:
    """Every statement about keys, as it is executed."""
    executed: list[str] = []

    def note(*told: Any) -> None:
        if "key" in told[2]:
            executed.append(told[2])

    listen(store.engine, "before_cursor_execute", note)
    yield executed
    remove(store.engine, "before_cursor_execute", note)


def test_the_page_says_how_old_it_may_be() -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text()

    assert f"What it knows is {FRESH_FOR:g} seconds old at most" in page
    assert ASKED_AGAIN == 1  # "elsewhere within a second"


async def test_a_thousand_requests_ask_the_database_once(store: Store, keyring: Keyring) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOW))

    with statements_of(store) as executed:
        callers = await asyncio.gather(*(keyring.caller("sojourn_1") for _ in range(1000)))

    assert set(callers) == {Caller("shop", frozenset({"events:write"}), ("abandoned-cart",), (), 5.0)}
    assert len(executed) == 2  # of each table


async def test_the_root_needs_no_database(seconds: Seconds) -> None:
    keyring = Keyring(open_store("postgresql://nobody@127.0.0.1:1/nothing"), KEY, lambda: NOW, seconds)

    assert await keyring.caller(KEY) == ROOT
    with pytest.raises(Unavailable):
        await keyring.caller("sojourn_1")


async def test_what_another_process_revokes_is_taken_for_seconds_and_no_longer(
    store: Store, keyring: Keyring, seconds: Seconds
) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOW))
    await keyring.caller("sojourn_1")
    await revoke_key(store, "shop", by_us(NOW))

    seconds.now += FRESH_FOR - 0.1
    assert (await keyring.caller("sojourn_1")).name == "shop"
    seconds.now += 0.1
    with pytest.raises(Unauthorized):
        await keyring.caller("sojourn_1")


async def test_what_another_process_makes_is_known_within_a_second(
    store: Store, keyring: Keyring, seconds: Seconds
) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOW))
    await keyring.caller("sojourn_1")
    await rotate_key(store, "shop", "sojourn_2", by_us(NOW))

    with pytest.raises(Unauthorized):
        await keyring.caller("sojourn_2")
    seconds.now += ASKED_AGAIN
    assert (await keyring.caller("sojourn_2")).name == "shop"


async def test_whoever_tries_secrets_makes_it_ask_once_a_second(
    store: Store, keyring: Keyring, seconds: Seconds
) -> None:
    with statements_of(store) as executed:
        for number in range(100):
            seconds.now += 0.05
            with pytest.raises(Unauthorized):
                await keyring.caller(f"sojourn_{number}")

    assert 2 * 4 <= len(executed) <= 2 * 6  # in five seconds


async def test_forgotten_it_asks_again_also_where_it_was_asking(slow: Slow, seconds: Seconds) -> None:
    keyring = Keyring(slow, KEY, lambda: NOW, seconds)
    await add_key(slow, SHOP, "sojourn_1", by_us(NOW))
    before = asyncio.create_task(keyring.caller("sojourn_1"))
    await slow.asked.wait()
    await revoke_key(slow, "shop", by_us(NOW))
    keyring.forget()
    after = asyncio.create_task(keyring.caller("sojourn_1"))
    await asyncio.sleep(0)
    slow.answers.set()

    assert (await before).name == "shop"  # it came before the key was revoked
    with pytest.raises(Unauthorized):
        await after
    with pytest.raises(Unauthorized):
        await keyring.caller("sojourn_1")


async def test_whoever_goes_away_keeps_nobody_waiting(slow: Slow, seconds: Seconds) -> None:
    keyring = Keyring(slow, KEY, lambda: NOW, seconds)
    await add_key(slow, SHOP, "sojourn_1", by_us(NOW))
    first, second = (asyncio.create_task(keyring.caller("sojourn_1")) for _ in range(2))
    await slow.asked.wait()
    first.cancel()
    await asyncio.wait([first])
    slow.answers.set()

    assert first.cancelled()
    assert (await second).name == "shop"
    assert slow.times == 1


async def test_many_who_wait_for_a_database_that_is_away_wait_once(slow: Slow, seconds: Seconds) -> None:
    keyring = Keyring(slow, KEY, lambda: NOW, seconds)
    many = [asyncio.create_task(keyring.caller(f"sojourn_{number}")) for number in range(20)]
    await slow.asked.wait()
    slow.away = True
    slow.answers.set()

    told = await asyncio.gather(*many, return_exceptions=True)

    assert {type(each) for each in told} == {Unavailable}
    assert slow.times == 1


async def test_when_it_was_used_is_written_once_a_minute(store: Store, keyring: Keyring, seconds: Seconds) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOW))
    running = asyncio.create_task(keyring.run())

    with statements_of(store) as executed:
        for _ in range(130):
            await keyring.caller("sojourn_1")
            await asyncio.sleep(0.001)
            seconds.now += 1
        keyring.close()
        await running

    assert len([statement for statement in executed if statement.startswith("UPDATE")]) == 3
    assert (await get_key(store, "shop", NOW)).secrets[0].used_at == NOW


async def test_nobody_hears_of_it_when_that_cannot_be_written(
    store: Store, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_key(store, SHOP, "sojourn_1", by_us(NOW))
    await keyring.caller("sojourn_1")
    monkeypatch.setattr(keyring, "_store", open_store("postgresql://nobody@127.0.0.1:1/nothing"))
    keyring.close()

    with capture_logs() as logs:
        await keyring.run()

    assert [line["event"] for line in logs] == ["when keys were used cannot be written"]
