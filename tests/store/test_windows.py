"""What the database says of windows is what the rule says of the same sends, and it reads no more than it must."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event, insert, text

from journeys.clearance.policy import ALL_CHANNELS
from journeys.clearance.windows import Sent, Window, taken
from store.schema import sends
from store.store import Store
from store.windows import taken_by
from tests.shop import NOON

HOUR = timedelta(hours=1)
PURPOSES = ("commercial", "transactional")
COUNTED = ("accepted", "claimed", "unknown")


def stored(
    number: int, sent: Sent, state: str = "accepted", customer: str = "ada", *, old: bool = False
) -> dict[str, object]:
    return {
        "id": f"send-{number}",
        "run": f"run-{number}",
        "customer": customer,
        "step": "hello",
        "kind": sent.channel,
        "content": sent.content,
        "purpose": None if old else sent.purpose,
        "state": state,
        "attempt": 1,
        "claimed_at": sent.at,
        "reason": "",
    }


def some_sent(chance: random.Random) -> Sent:
    at = NOON - chance.randrange(1, 60) * HOUR
    return Sent(chance.choice(ALL_CHANNELS), chance.choice(PURPOSES), chance.choice("ab"), at)  # type: ignore[arg-type]


def some_window(chance: random.Random) -> Window:
    channels = tuple(channel for channel in ALL_CHANNELS if chance.random() < 0.6) or ALL_CHANNELS
    purposes = chance.choice([("commercial",), ("transactional",), PURPOSES])
    since = NOON - chance.randrange(1, 60) * HOUR
    return Window(channels, purposes, chance.choice([None, "a", "b"]), chance.randrange(1, 5), since)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
async def test_the_database_and_the_rule_agree(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    sent = [(some_sent(chance), chance.choice([*COUNTED, "blocked", "failed", "released"])) for _ in range(30)]
    rows = [stored(n, each, state) for n, (each, state) in enumerate(sent)]
    rows += [stored(100 + n, some_sent(chance), customer="bob") for n in range(10)]
    windows = [some_window(chance) for _ in range(6)]
    await store.write(lambda connection: connection.execute(insert(sends), rows))

    found = await store.read(lambda connection: taken_by(connection, "ada", windows))

    assert found == taken(windows, [each for each, state in sent if state in COUNTED])


async def test_what_was_sent_before_purposes_were_kept_counts_as_commercial(store: Store) -> None:
    window = Window(("email",), ("commercial",), None, 1, NOON - HOUR)
    sent = Sent("email", "commercial", "a", NOON)
    await store.write(lambda connection: connection.execute(insert(sends), [stored(1, sent, old=True)]))

    assert await store.read(lambda connection: taken_by(connection, "ada", [window])) == {window: NOON}


async def test_a_customer_with_very_many_sends_costs_no_more_than_the_places(store: Store) -> None:
    """Of 20,000 sends to one customer, a cap of three over all channels reads backwards as far as the third of each."""
    sent = [
        Sent(channel, "commercial", "a", NOON - n * timedelta(minutes=1))
        for n in range(6_666)
        for channel in ALL_CHANNELS
    ]
    rows = [stored(n, each) for n, each in enumerate(sent)]
    await store.write(lambda connection: connection.execute(insert(sends), rows))
    window = Window(ALL_CHANNELS, ("commercial",), None, 4, NOON - timedelta(days=7))

    assert await store.read(lambda connection: taken_by(connection, "ada", [window])) == {
        window: NOON - timedelta(minutes=1)
    }
    how = await store.read(lambda connection: plan(connection, window))
    assert how.count("ix_sends_customer_kind_claimed_at") == len(ALL_CHANNELS), how


def plan(connection: Connection, window: Window) -> str:
    """How the database would read it."""
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE sends"))
    told: list[str] = []

    def explained(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        told.append(statement)
        said.append(parameters)

    said: list[object] = []
    event.listen(connection, "before_cursor_execute", explained)
    taken_by(connection, "ada", [window])
    event.remove(connection, "before_cursor_execute", explained)
    return "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {told[0]}", said[0]))  # type: ignore[arg-type]
