"""What the tables hold of a person, column by column, and what becomes of it where a customer is erased.

A test holds this list against the tables: a column that is new says here whose it is, or nothing is released.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Table, bindparam, case

from store.schema import diary

Id = Literal["customer", "run", "send", "event", "digest", "key"]


class Goes(NamedTuple):
    """The whole row goes."""

    holds: str


class Clears(NamedTuple):
    """The column is emptied: what it *holds* may be about somebody."""

    holds: str
    to: object = None


class Renames(NamedTuple):
    """The column names a customer, and is given a name of chance instead; ``digest`` is a hash of the id."""

    holds: str
    by: Id


class Stays(NamedTuple):
    """The column is as it was, *because* of this."""

    because: str


Column = Clears | Renames | Stays


def _stay(columns: str, because: str) -> dict[str, Column]:
    return dict.fromkeys(columns.split(), Stays(because))


_DEFINED = "what the house has defined, and nobody's"
_TOLD = "what happened in numbers and times, from which nobody is known"
_HASH = "a hash of an address, which protects whoever has it: nobody is written to against their word"

_CUSTOMER = Renames("the customer's id", "customer")
_RUN = Renames("the run's id, which has the customer's in it", "run")
_SAID = Clears("words, which may quote values or what a provider said", "")

PERSONAL: Mapping[str, Goes | Mapping[str, Column]] = {
    "customers": Goes("the customer's id and attributes"),
    "events": Goes("ids, attributes, and what the customer was before a change"),
    "waiting_starts": Goes("the customer's id, and that of an event"),
    "decisions": Goes("the ids of the event and the run, and what the event answered"),
    "runs": {
        "id": _RUN,
        "customer": _CUSTOMER,
        "key": Clears("a value of the event that started it, such as a cart's id"),
        "event_id": Clears("the id of the event that started it", ""),
        "why": _SAID,
        "held_why": Clears("words, which may quote values"),
        "skip_why": Clears("words, which may quote values"),
        **_stay("journey version trigger event_source chain", _DEFINED),
        **_stay("entered_at started_at day_seconds ended ended_at ended_by goal_met_at goal_until lines", _TOLD),
        **_stay("step step_at step_until held_by held_since held_until skip_until missing_since repaired_at", _TOLD),
    },
    "diary": {
        "run": _RUN,
        # Of a move it says from which version to which.
        "why": Clears("words, which may quote values", case((diary.c.did == "moved", diary.c.why), else_="")),
        **_stay("n at step did arm", _TOLD),
    },
    "people": {"customer": _CUSTOMER, **_stay("journey met_goal", _TOLD)},
    "entries": {
        "customer": _CUSTOMER,
        "key": Renames("a value of the event that started it, such as a cart's id", "key"),
        **_stay("journey keyed first_at last_at met_goal", _TOLD),
    },
    "links": Goes("the customer's id, and that of a send, which is in an email"),
    "places": {"customer": _CUSTOMER, **_stay("journey step arm", _TOLD)},
    "ab_people": {"customer": _CUSTOMER, "run": _RUN, **_stay("journey step arms arm at until", _TOLD)},
    "sends": {
        "id": Renames("an id that providers know, and that is made of the run's", "send"),
        "run": _RUN,
        "customer": _CUSTOMER,
        "recipient": Clears("the address that it went to"),
        "address": Clears("a hash of that address"),
        "provider_id": Clears("the message's id at the provider, who knows whose it was"),
        "reason": _SAID,
        **_stay("step kind content purpose topic state attempt repeats", _TOLD),
        **_stay("expires_at claimed_at at", _TOLD),
    },
    "actions": {"run": _RUN, "reason": _SAID, **_stay("step outcome at", _TOLD)},
    "calls": {
        "run": _RUN,
        "id": Clears("the call's id, which receivers know"),
        "data": Clears("what was posted"),
        "reason": _SAID,
        **_stay("step endpoint tries first_at tried_at next_at", _TOLD),
    },
    "interactions": {
        "event": Renames("the id of the event that told of it", "event"),
        "send": Renames("the send's id, which providers know", "send"),
        "link": Clears("the link that was clicked"),
        "reply": Clears("what the customer wrote"),
        **_stay("source interaction at machine", _TOLD),
    },
    "consents": {
        "customer": Renames("the customer's id: who has it finds the proof by its hash, nobody else does", "digest"),
        "detail": Clears("a report's id", ""),
        **_stay("id channel purpose topic choice source at", "the proof of what was said, when and where"),
        **_stay("address", _HASH),
    },
    "liftings": {
        "why": Clears("why somebody wanted the address written to again, in their words", ""),
        **_stay("id channel reason suppressed_at source at", "the log of what was lifted, and by whom"),
        **_stay("address", _HASH),
    },
    "suppressions": {**_stay("id channel reason at", "why nobody writes there"), **_stay("address", _HASH)},
    "test_sends": _stay("id address at", f"{_HASH}; it goes within the hour"),
    "outbox": {
        **_stay("run kind payload", "the run's id, until Temporal has deleted it: then the row goes"),
        **_stay("id created_at due_at attempts error refused_at bulk", "it goes with the row"),
    },
    "known_events": _stay("digest at", "a hash, so that an event that comes again is no new one"),
    "erasures": _stay("digest at", "a hash, which tells whoever has the id that it was erased"),
    "audit": _stay("id at by did what detail", "nothing in it is about a customer"),
    "counts": _stay("journey version did shard n", "numbers"),
    "pruned_counts": _stay("journey version did n", "numbers"),
    "places_taken": _stay("journey step arm n", "numbers"),
    "ab_tests": _stay("journey step arms rules started_at due_at decision", "figures of everybody together"),
    "triggers": _stay("name definition state seen last_seen_at created_at changed_at", _DEFINED),
    "contents": _stay("name draft ready state created_at changed_at", _DEFINED),
    "customer_attributes": _stay("name type declared since", "what attributes are called, for all customers"),
    "channels": _stay("kind state reason since", "what a provider says of its service, and of no message"),
    "endpoints": _stay("name definition secrets state reason since created_at changed_at", _DEFINED),
    "journeys": _stay(
        "name definition live_version stopped_at held_at held_why released_at paused_at resumed_at catch_up "
        "catch_up_over closed_at archived_at created_at changed_at",
        _DEFINED,
    ),
    "house": _stay("id set_back_at set_back_why", "what was found out about the whole database"),
    "repairs": _stay(
        "id journey step reason since instead at after", "it goes as soon as all are told, within moments"
    ),
    "policies": _stay("number policy customer changed_at changed_by", _DEFINED),
    "versions": {
        **_stay("journey number hash definition schemas customer published_at stopped_at moving_at moved_at", _DEFINED),
        "moving": Stays("some ids of runs that stayed behind, without those of who is erased: see people_erased.py"),
    },
    "keys": _stay("name scopes triggers origins per_second until created_at", "keys of systems, not of customers"),
    "key_secrets": _stay("digest key created_at until used_at", "keys of systems, not of customers"),
}


def erased(table: Table) -> dict[str, ColumnElement[Any] | object]:
    """What an erased row of *table* has in its columns: emptied ones, and new names, as parameters ``to_run`` etc."""
    of = PERSONAL[table.name]
    assert isinstance(of, Mapping)  # noqa: S101 - rows that go have nothing
    values: dict[str, ColumnElement[Any] | object] = {}
    for name, column in of.items():
        match column:
            case Clears(to=to):
                values[name] = to
            case Renames(by=by):
                values[name] = bindparam(f"to_{by}")
            case Stays():
                pass
    return values
