"""The database itself: its tables' history, its locks, and what happens when it is not there."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection

from activities.deliver import GONE
from journeys.definition import send_id
from journeys.problems import Invalid, Unavailable
from journeys.walk.diary import EndedBy
from store.catalogue import put_trigger
from store.customers import list_customers
from store.journeys import get_journey, list_journeys
from store.migrate import downgrade, migrate
from store.runs import close, get_run
from store.schema import customers, metadata
from store.sends import get_send, latest_send
from store.store import Again, Store, open_store, ping, write_transaction
from store.store import database_url as normal
from store.suppressions import get_address, suppress
from tests.samples import TRIGGERS, abandoned_cart
from tests.shop import NOON, Shop, by_us
from tests.transactions import execute, rows, under_way

CUSTOMERS: list[dict[str, Any]] = [
    {"id": id, "attributes": {}, "created_at": NOON, "changed_at": NOON} for id in ("ada", "bob")
]


async def tables(store: Store) -> set[str]:
    names = await store.read(lambda connection: inspect(connection).get_table_names())
    return set(names) - {"alembic_version"}


async def test_the_migrated_tables_are_the_declared_ones(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert await store.read(differences) == []


async def test_migrations_go_down_and_up_again(store: Store, database_url: str) -> None:
    await downgrade(database_url)
    assert await tables(store) == set()

    await migrate(database_url)
    assert await tables(store) == set(metadata.tables)


async def test_what_was_stored_before_consent_was_asked_stays(shop: Shop, database_url: str) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run)
    await shop.record(run)
    await shop.post("email-opened", None, send_id=send_id(run, "initial-reminder"))

    await downgrade(database_url, "0001")
    assert await tables(shop.store) == set(metadata.tables) - {
        "ab_people",
        "ab_tests",
        "actions",
        "audit",
        "calls",
        "channels",
        "consents",
        "counts",
        "endpoints",
        "entries",
        "erasures",
        "house",
        "key_secrets",
        "keys",
        "known_events",
        "liftings",
        "links",
        "people",
        "places",
        "places_taken",
        "policies",
        "pruned_counts",
        "repairs",
        "suppressions",
        "test_sends",
        "waiting_starts",
    }
    await migrate(database_url)

    [send] = (await get_run(shop.store, run)).sends
    assert (send.state, send.purpose, send.expires_at, send.standing) == ("accepted", None, None, "opened")
    assert (await get_send(shop.store, send.id)).customer == "ada"


async def test_what_was_counted_before_there_were_counters_is_counted_still(shop: Shop, database_url: str) -> None:
    await shop.publish()
    for customer, cart in (("ada", "A"), ("ada", "B"), ("bob", "C"), ("cleo", "D")):
        await shop.start(customer, cart_id=cart)
    await shop.post("purchase-completed", "ada")
    await shop.publish(abandoned_cart(exit=[]))
    await shop.start("ada", cart_id="E")
    run = await shop.start("dan", cart_id="F")
    await shop.claim(run, following=None)
    await shop.record(run, following=None)
    await shop.post("purchase-completed", "bob")
    before = await get_journey(shop.store, "abandoned-cart", shop.now)
    assert before.goal
    assert (before.counts.active, before.counts.exited, before.goal.entered, before.goal.met) == (2, 3, 4, 2)

    await downgrade(database_url, "0002")
    await migrate(database_url)

    assert await get_journey(shop.store, "abandoned-cart", shop.now) == before


async def test_what_ended_a_run_before_that_was_kept_is_told_still(shop: Shop, database_url: str) -> None:
    parallel = {"trigger": "abandoned-cart", "overlap": "parallel"}
    await shop.publish(abandoned_cart(start=parallel))
    runs: dict[EndedBy | None, str] = {}
    ends: tuple[tuple[EndedBy, str], ...] = (
        ("done", "all steps done"),
        ("exit", "exit: purchase-completed"),
        ("restart", "restarted"),
        ("stop", "the journey was stopped"),
        ("operator", "restarted"),
        ("terminated", "terminated in Temporal"),
        ("missing", "Temporal does not know it any more"),
    )
    for by, why in ends:
        runs[by] = await shop.start(by)
        await close(shop.store, runs[by], by, why, shop.now, ())
    runs[None] = await shop.start("under-way")

    await downgrade(database_url, "0018")
    await migrate(database_url)

    assert {(await get_run(shop.store, run)).ended_by: run for run in runs.values()} == runs


async def test_addresses_of_before_are_heard_in_their_one_spelling(shop: Shop, database_url: str) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run, "second-reminder", following="pause")
    await suppress(shop.store, "text", "+15550100", "landline", shop.now)
    await downgrade(database_url, "0004")
    before = text("UPDATE sends SET recipient = '15550100', address = 'of 15550100'")
    await execute(shop.store, before, text("UPDATE suppressions SET address = 'of 15550100'"))

    await migrate(database_url)

    latest = await latest_send(shop.store, "text", "+15550100")
    assert latest
    assert latest.recipient == "15550100"
    [kept] = (await get_address(shop.store, "text", "+15550100")).suppressions
    assert (kept.reason, kept.customer) == ("landline", "ada")


@pytest.mark.parametrize(("recipient", "left"), [("+1 (555) 0100", []), ("+15550100", [GONE])])
async def test_the_refusal_of_a_spelling_of_before_speaks_against_no_number(
    shop: Shop, database_url: str, recipient: str, left: list[str]
) -> None:
    await shop.publish()
    run = await shop.start()
    await shop.claim(run, "second-reminder", following="pause")
    await suppress(shop.store, "text", "+15550100", GONE, shop.now)
    await downgrade(database_url, "0004")
    await execute(shop.store, text("UPDATE sends SET state = 'failed', recipient = :it"), it=recipient)

    await migrate(database_url)

    found = await get_address(shop.store, "text", "+15550100")
    assert [each.reason for each in found.suppressions] == left


async def test_the_refusal_of_a_number_holds_though_a_spelling_of_it_was_refused_too(
    shop: Shop, database_url: str
) -> None:
    await shop.publish()
    for customer in ("ada", "bob"):
        await shop.claim(await shop.start(customer), "second-reminder", following="pause")
    await suppress(shop.store, "text", "+15550100", GONE, shop.now)
    await downgrade(database_url, "0004")
    refused = text("UPDATE sends SET state = 'failed', recipient = :it WHERE customer = :whose")
    for customer, recipient in (("ada", "+1 (555) 0100"), ("bob", "+15550100")):
        await execute(shop.store, refused, it=recipient, whose=customer)

    await migrate(database_url)

    found = await get_address(shop.store, "text", "+15550100")
    assert [each.reason for each in found.suppressions] == [GONE]


async def test_several_processes_may_migrate_at_once(store: Store, database_url: str) -> None:
    await downgrade(database_url)

    await asyncio.gather(*(migrate(database_url) for _ in range(3)))

    assert await tables(store) == set(metadata.tables)


async def test_a_time_comes_back_as_the_same_moment_in_utc(store: Store) -> None:
    summer = datetime(2026, 7, 1, 14, 30, 0, 250, tzinfo=timezone(timedelta(hours=2)))
    row = {"id": "ada", "attributes": {}, "created_at": summer, "changed_at": NOON}

    await execute(store, customers.insert(), **row)
    [found] = await rows(store, customers.select())

    assert found.created_at == summer
    assert found.created_at.tzinfo is UTC


async def test_what_fails_half_way_is_not_written(store: Store) -> None:
    def half(connection: Connection) -> None:
        connection.execute(customers.insert(), CUSTOMERS)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(half)

    assert await rows(store, customers.select()) == []


async def test_what_nobody_waits_for_any_more_is_not_written(store: Store) -> None:
    async def cancelled() -> None:
        async with under_way(store) as do:
            await do(lambda connection: connection.execute(customers.insert(), CUSTOMERS))
            do.whole.cancel()

    with pytest.raises(asyncio.CancelledError):
        await cancelled()

    assert await rows(store, customers.select()) == []
    await put_trigger(store, TRIGGERS["store-visit"], by_us(NOON))


async def test_what_could_not_be_read_leaves_the_next_ones_a_view_of_today(store: Store, database_url: str) -> None:
    await store.write(lambda connection: connection.execute(customers.insert(), CUSTOMERS))
    await execute(store, text("UPDATE customers SET attributes = '[]' WHERE id = 'ada'"))
    with pytest.raises(ValueError, match="attributes") as failed:
        await list_customers(store)

    elsewhere = open_store(database_url)
    await execute(elsewhere, text("UPDATE customers SET attributes = '{}' WHERE id = 'ada'"))

    assert [customer.id for customer in await list_customers(store)] == ["ada", "bob"]
    await put_trigger(store, TRIGGERS["store-visit"], by_us(NOON))
    assert failed.value.__traceback__ is not None  # it is known still, with all that it has seen
    await elsewhere.close()


async def test_what_waits_for_its_turn_can_be_cancelled(store: Store) -> None:
    async with under_way(store) as do:
        await do(lambda connection: connection.execute(text("UPDATE triggers SET seen = 0")))
        waiting = asyncio.create_task(execute(store, customers.insert(), **CUSTOMERS[0]))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting], timeout=1)

        assert waiting.cancelled() or store.dialect == "postgresql"  # where nobody has to wait

    assert store.dialect == "postgresql" or await rows(store, customers.select()) == []
    await put_trigger(store, TRIGGERS["store-visit"], by_us(NOON))


async def test_a_file_that_another_process_keeps_locked_is_unavailable(sqlite_url: str) -> None:
    store = open_store(sqlite_url, patience=timedelta(milliseconds=50))
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="locked"):
        await put_trigger(store, TRIGGERS["store-visit"], by_us(NOON))

    other.execute("ROLLBACK")
    other.close()
    assert await put_trigger(store, TRIGGERS["store-visit"], by_us(NOON))
    await store.close()


async def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    async with under_way(store) as do:
        await do(lambda connection: connection.execute(text("UPDATE triggers SET seen = 0")))

        assert await list_journeys(store, NOON) == ([], ())


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/at/all/sojourn.db",
        "postgresql://ada@127.0.0.1:1/sojourn",
        "postgresql://ada@/x?host=/nowhere",
    ],
    ids=["no folder", "no server", "no socket"],
)
async def test_a_database_that_is_not_there_is_unavailable(url: str) -> None:
    store = open_store(url, patience=timedelta(seconds=1))

    with pytest.raises(Unavailable):
        await ping(store)

    await store.close()


async def test_a_database_without_tables_is_unavailable(store: Store, database_url: str) -> None:
    await downgrade(database_url)

    with pytest.raises(Unavailable, match="outbox"):
        await ping(store)

    await migrate(database_url)


async def test_a_server_that_drops_its_connections_is_unavailable_and_then_there_again(postgres_url: str) -> None:
    store = open_store(postgres_url)

    async def be_dropped() -> None:
        async with under_way(store) as do:
            own = await do(lambda connection: connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
            await execute(store, text("SELECT pg_terminate_backend(:own)"), own=own)
            await do(lambda connection: connection.execute(text("SELECT 1")))

    with pytest.raises(Unavailable):
        await be_dropped()

    await ping(store)
    await store.close()


async def test_two_who_lock_in_opposite_order_both_come_through(postgres_url: str) -> None:
    store = open_store(postgres_url)
    await store.write(lambda connection: connection.execute(customers.insert(), CUSTOMERS))
    tries = 0

    @write_transaction
    def touch(connection: Connection, first: str, second: str) -> None:
        nonlocal tries
        tries += 1
        connection.execute(customers.update().where(customers.c.id == first).values(changed_at=NOON))
        connection.execute(text("SELECT pg_sleep(0.1)"))
        connection.execute(customers.update().where(customers.c.id == second).values(changed_at=NOON))

    await asyncio.gather(touch(store, "ada", "bob"), touch(store, "bob", "ada"))

    assert tries > 2
    await store.close()


async def test_a_transaction_is_tried_again_only_so_often(store: Store) -> None:
    tries = 0

    @write_transaction
    def hopeless(connection: Connection) -> None:
        del connection
        nonlocal tries
        tries += 1
        raise Again("no")

    with pytest.raises(Unavailable):
        await hopeless(store)

    assert 1 < tries < 10


@pytest.mark.parametrize(
    ("url", "driver", "query"),
    [
        ("sqlite:///data/sojourn.db", "sqlite", {}),
        ("postgres://ada@db/sojourn", "postgresql+asyncpg", {}),
        ("postgresql+psycopg2://ada@db/sojourn", "postgresql+asyncpg", {}),
        ("postgresql://ada@db/sojourn?sslmode=require", "postgresql+asyncpg", {"ssl": "require"}),
    ],
)
def test_urls_get_our_drivers(url: str, driver: str, query: dict[str, str]) -> None:
    address = normal(url)

    assert (address.drivername, dict(address.query)) == (driver, query)


@pytest.mark.parametrize("url", ["mysql://ada:secret@db/sojourn", "nonsense", ""])
def test_other_urls_are_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(Invalid) as error:
        normal(url)

    assert "postgresql://" in str(error.value)
    assert "secret" not in str(error.value)


async def test_a_connection_that_was_just_used_is_not_asked(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(AsyncAdapt_asyncpg_connection, "ping", asked.append)
    store = open_store(postgres_url)

    for _ in range(3):
        await ping(store)

    assert asked == []
    await store.close()


async def test_connections_that_are_known_to_be_closed_are_not_used(postgres_url: str) -> None:
    store = open_store(postgres_url)
    await ping(store)

    await drop_connections(postgres_url)
    await asyncio.sleep(0.1)  # the driver hears of it

    await ping(store)
    await store.close()


async def drop_connections(url: str) -> None:
    drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sojourn' AND pid <> :own"
    other = open_store(url)
    [(own,)] = await rows(other, text("SELECT pg_backend_pid()"))
    await execute(other, text(drop), own=own)
    await other.close()


async def test_a_server_that_came_back_meanwhile_is_not_noticed(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.postgresql.IDLE", 0.0)
    store = open_store(postgres_url)
    await ping(store)

    await drop_connections(postgres_url)

    await ping(store)
    await store.close()
