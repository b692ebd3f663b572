"""Erasing a customer: all that is personal goes, by the list in ``personal.py``, and their runs end.

Two transactions: the first ends the runs, so that what is under way is recorded; the second lets everything go.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, or_, select, tuple_, update

from journeys.definition import send_id
from journeys.models import Frozen
from journeys.problems import Unknown
from store.addresses import address_attributes, fingerprints
from store.audit import Change, record
from store.effects import tell_each
from store.erasures import digest_of, erased_before, note_erasure, subject_of
from store.events import in_flight
from store.known_events import remember
from store.lifecycle_erased import end_runs_of, lock_runs_of, rename_runs
from store.lifecycle_pruning import carry_over
from store.locks import lock_customers, take_time
from store.many import write_each
from store.outbox import LONGEST_LEASE
from store.people_erased import forget_who_stayed
from store.personal import erased
from store.schema import (
    ab_people,
    ab_tests,
    actions,
    among,
    calls,
    consents,
    customers,
    decisions,
    diary,
    entries,
    events,
    interactions,
    liftings,
    links,
    outbox,
    people,
    places,
    places_taken,
    runs,
    sends,
    waiting_starts,
)
from store.store import Store, read_transaction, write_transaction

DRAIN = timedelta(seconds=5)
PAUSE = timedelta(seconds=0.05)


class Erasure(Frozen):
    """What is erased of a customer, or would be (*dry_run*): *rows* of each table that go, or lose what is personal.

    *ended*: how many runs were under way. *in_flight*: sends of theirs that may still be on their way to a provider.
    *erased_before*: when this id was erased the last time before.
    """

    customer: str
    rows: dict[str, int]
    ended: int
    in_flight: int
    erased_before: AwareDatetime | None
    dry_run: bool


async def erase(
    store: Store, customer: str, change: Change, *, dry_run: bool = False, drain: timedelta = DRAIN
) -> Erasure:
    """Erase a customer; again, it changes nothing. Raises Unknown where nothing was ever known of the id.

    What is being sent is waited for, but no longer than *drain*: its outcome is not known then, and kept nowhere.
    """
    if dry_run:
        return await _would(store, customer)
    ended = await _end(store, customer, change.at)
    until = asyncio.get_running_loop().time() + drain.total_seconds()
    while await in_flight(store, ended):
        if asyncio.get_running_loop().time() >= until:
            break
        await asyncio.sleep(PAUSE.total_seconds())
    return await _erase(store, customer, change, len(ended))


@read_transaction
def _would(connection: Connection, customer: str) -> Erasure:
    return _erasure(connection, customer, dry_run=True)


@write_transaction
def _end(connection: Connection, customer: str, now: datetime) -> list[str]:
    lock_customers(connection, [customer])
    return end_runs_of(connection, customer, now)


@write_transaction
def _erase(connection: Connection, customer: str, change: Change, ended: int) -> Erasure:
    """Erase it, whose runs are over: so many have *ended* for it."""
    take_time(connection)
    lock_customers(connection, [customer])
    forget_who_stayed(connection, connection.execute(_runs_of, {"of_customer": customer}).scalars().all())
    locked = lock_runs_of(connection, customer)
    erasure = _erasure(connection, customer, dry_run=False)
    erasure = erasure.model_copy(update={"ended": erasure.ended + ended})
    if not erasure.rows:
        return erasure
    end_runs_of(connection, customer, change.at)  # of those who came in since
    nobody = f"erased-{token_hex(6)}"
    # Of chance: nobody finds by the new id what the old one was.
    names = {run: f"{run.partition('/')[0]}/{nobody}/{token_hex(5)}" for run in locked}
    _forget_addresses(connection, customer)
    _rename_sends(connection, customer, nobody, names)
    _rename_choices(connection, customer, nobody, names)
    _rename_entries(connection, customer, nobody)
    _forget_events(connection, customer, change.at)
    _forget_jobs(connection, names, change.at)
    rename_runs(connection, customer, nobody, names)
    connection.execute(_CONSENTS, {"of_customer": customer, "to_digest": digest_of(customer)})
    connection.execute(_CUSTOMER, {"of_customer": customer})
    note_erasure(connection, customer, change.at)
    record(connection, change, "customer erased", subject_of(customer), {"rows": erasure.rows, "ended": erasure.ended})
    return erasure


def _erasure(connection: Connection, customer: str, *, dry_run: bool) -> Erasure:
    """What is there to be erased. Raises Unknown."""
    asked = {"of_customer": customer, "addresses": sorted(_prints(connection, customer))}
    rows = {table: connection.execute(statement, asked).scalar_one() for table, statement in _FOUND.items()}
    standing = connection.execute(_STANDING, asked).one()
    rows["diary"] += standing.lines  # that their ends will write
    before = erased_before(connection, customer)
    if not (any(rows.values()) or before):
        raise Unknown(f'There is no customer "{customer}", and nothing that is about them.')
    found = {table: number for table, number in sorted(rows.items()) if number}
    sending = connection.execute(_SENDING, asked).scalar_one()
    return Erasure(
        customer=customer,
        rows=found,
        ended=standing.runs,
        in_flight=sending,
        erased_before=before,
        dry_run=dry_run,
    )


def _prints(connection: Connection, customer: str) -> set[str]:
    """The hashes of all addresses that the customer has, or was written to at."""
    attributes = connection.execute(_ATTRIBUTES, {"of_customer": customer}).scalar_one_or_none()
    known = {print_ for _, print_ in fingerprints(attributes or {}, address_attributes(connection))}
    return known | set(connection.execute(_WRITTEN_TO, {"of_customer": customer}).scalars())


def _forget_addresses(connection: Connection, customer: str) -> None:
    connection.execute(_LIFTINGS, {"addresses": sorted(_prints(connection, customer))})


def _rename_sends(connection: Connection, customer: str, nobody: str, names: Mapping[str, str]) -> None:
    """A send's id is made of its run's, as always; reports of the old one find nobody."""
    rows = connection.execute(_SENDS, {"of_customer": customer}).all()
    sent = {row.id: (names[row.run], send_id(names[row.run], row.step)) for row in rows}
    told = connection.execute(_TOLD, {"of_customer": customer}).all()
    write_each(
        connection,
        _INTERACTION,
        [
            {
                "of_event": row.event,
                "of_source": row.source,
                "to_event": f"{nobody}-{number}",
                "to_send": sent[row.send][1],
            }
            for number, row in enumerate(told)
        ],
    )
    write_each(
        connection,
        _SEND,
        [
            {"of_send": id, "to_run": run, "to_send": to_send, "to_customer": nobody}
            for id, (run, to_send) in sent.items()
        ],
    )
    for statement in (_ACTIONS, _CALLS):
        write_each(connection, statement, [{"of_run": run, "to_run": to_run} for run, to_run in names.items()])


def _rename_choices(connection: Connection, customer: str, nobody: str, names: Mapping[str, str]) -> None:
    connection.execute(_PLACES, {"of_customer": customer, "to_customer": nobody})
    tested = connection.execute(_TESTED, {"of_customer": customer}).all()
    rows = [
        {
            "in_journey": row.journey,
            "at_step": row.step,
            "of_arms": row.arms,
            "of_customer": customer,
            "to_customer": nobody,
            "to_run": names.get(row.run, nobody),
        }
        for row in tested
    ]
    write_each(connection, _AB_PEOPLE, rows)


def _rename_entries(connection: Connection, customer: str, nobody: str) -> None:
    """What is kept of runs that were pruned; each has a key of its own still."""
    found = connection.execute(_ENTERED, {"of_customer": customer}).all()
    rows = [
        {
            "in_journey": row.journey,
            "of_keyed": row.keyed,
            "of_key": row.key,
            "of_customer": customer,
            "to_customer": nobody,
            "to_key": str(number) if row.keyed else "",
        }
        for number, row in enumerate(found)
    ]
    write_each(connection, _ENTRY, rows)


def _forget_events(connection: Connection, customer: str, now: datetime) -> None:
    """Events go, and with them what was decided of them; that they were here is known still, and counted."""
    whose = {"of_customer": customer}
    connection.execute(_NO_STARTS, whose)  # first: whoever is telling just now that one never happens decides, too
    names = [(row.source, row.id) for row in connection.execute(_EVENTS, whose)]
    remember(connection, names, now)
    refused = connection.execute(_REFUSED, whose)
    carry_over(connection, Counter({(row.journey, row.version, "refused"): row.n for row in refused}))
    connection.execute(_DECISIONS, whose)
    connection.execute(_NO_EVENTS, whose)
    connection.execute(_NO_LINKS, whose)


def _forget_jobs(connection: Connection, ids: Iterable[str], now: datetime) -> None:
    """Temporal is to forget the runs. A start comes first that may be on its way there; one for later does not."""
    runs = list(ids)
    connection.execute(_NO_JOBS, {"runs": runs, "later": now + LONGEST_LEASE})
    tell_each(connection, runs, "forget", now)


def _whose(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column == bindparam("of_customer")


_events_of = select(events.c.id, events.c.source).where(_whose(events.c.customer))
_runs_of = select(runs.c.id).where(_whose(runs.c.customer))
_sends_of = select(sends.c.id).where(_whose(sends.c.customer))
_about_them = tuple_(decisions.c.event, decisions.c.source).in_(_events_of)
# By all places and tests that there are: their keys end with the customer.
_places_of = _whose(places.c.customer) & tuple_(places.c.journey, places.c.step, places.c.arm).in_(
    select(places_taken.c.journey, places_taken.c.step, places_taken.c.arm)
)
_tests_of = _whose(ab_people.c.customer) & tuple_(ab_people.c.journey, ab_people.c.step, ab_people.c.arms).in_(
    select(ab_tests.c.journey, ab_tests.c.step, ab_tests.c.arms)
)
_said_why = among(liftings.c.address, "addresses") & (liftings.c.why != "")

_FOUND = {
    table.name: select(func.count()).select_from(table).where(which)
    for table, which in (
        (customers, _whose(customers.c.id)),
        (consents, _whose(consents.c.customer)),
        (liftings, _said_why),
        (events, _whose(events.c.customer)),
        (decisions, _about_them),
        (runs, _whose(runs.c.customer)),
        (waiting_starts, _whose(waiting_starts.c.customer)),
        (diary, diary.c.run.in_(_runs_of)),
        (people, _whose(people.c.customer)),
        (entries, _whose(entries.c.customer)),
        (links, _whose(links.c.customer)),
        (places, _places_of),
        (ab_people, _tests_of),
        (sends, _whose(sends.c.customer)),
        (actions, actions.c.run.in_(_runs_of)),
        (calls, calls.c.run.in_(_runs_of)),
        (interactions, interactions.c.send.in_(_sends_of)),
    )
}
_STANDING = select(func.count(runs.c.id).label("runs"), func.count(runs.c.step).label("lines")).where(
    _whose(runs.c.customer), runs.c.ended.is_(None)
)
_SENDING = select(func.count()).select_from(sends).where(_whose(sends.c.customer), sends.c.state == "claimed")
_ATTRIBUTES = select(customers.c.attributes).where(_whose(customers.c.id))
_WRITTEN_TO = select(sends.c.address).where(_whose(sends.c.customer), sends.c.address.is_not(None)).distinct()

_LIFTINGS = update(liftings).where(_said_why).values(erased(liftings))
_SENDS = select(sends.c.id, sends.c.run, sends.c.step).where(_whose(sends.c.customer))
_TOLD = select(interactions.c.event, interactions.c.source, interactions.c.send).where(
    interactions.c.send.in_(_sends_of)
)
_INTERACTION = (
    update(interactions)
    .where(interactions.c.event == bindparam("of_event"), interactions.c.source == bindparam("of_source"))
    .values(erased(interactions))
)
_SEND = update(sends).where(sends.c.id == bindparam("of_send")).values(erased(sends))
_ACTIONS = update(actions).where(actions.c.run == bindparam("of_run")).values(erased(actions))
_CALLS = update(calls).where(calls.c.run == bindparam("of_run")).values(erased(calls))
_PLACES = update(places).where(_places_of).values(erased(places))
_TESTED = select(ab_people).where(_tests_of)
_AB_PEOPLE = (
    update(ab_people)
    .where(
        ab_people.c.journey == bindparam("in_journey"),
        ab_people.c.step == bindparam("at_step"),
        ab_people.c.arms == bindparam("of_arms"),
        _whose(ab_people.c.customer),
    )
    .values(erased(ab_people))
)
_EVENTS = _events_of
_DECISIONS = delete(decisions).where(_about_them)
_REFUSED = (
    select(decisions.c.journey, decisions.c.version, func.count().label("n"))
    .where(_about_them, decisions.c.did == "refused")
    .group_by(decisions.c.journey, decisions.c.version)
)
_NO_EVENTS = delete(events).where(_whose(events.c.customer))
_NO_STARTS = delete(waiting_starts).where(_whose(waiting_starts.c.customer))
_NO_LINKS = delete(links).where(_whose(links.c.customer))
_ENTERED = select(entries).where(_whose(entries.c.customer))
_ENTRY = (
    update(entries)
    .where(
        entries.c.journey == bindparam("in_journey"),
        entries.c.keyed == bindparam("of_keyed"),
        entries.c.key == bindparam("of_key"),
        _whose(entries.c.customer),
    )
    .values(erased(entries))
)
_for_later = (outbox.c.attempts == 0) & (outbox.c.due_at > bindparam("later"))
_NO_JOBS = delete(outbox).where(
    among(outbox.c.run, "runs"), or_(outbox.c.kind != "start", outbox.c.refused_at.is_not(None), _for_later)
)
_CONSENTS = update(consents).where(_whose(consents.c.customer)).values(erased(consents))
_CUSTOMER = delete(customers).where(_whose(customers.c.id))
