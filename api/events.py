"""Events: what happened to customers, accepted one by one or in batches, and what each of them did."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from api.bodies import JSON, Body, aside, gives, ref, takes
from api.dependencies import Deps, IngestDep
from api.events_examples import EVENTS, RECEIPT, STORED_EVENT
from api.ingest import Ingest
from api.keys import CallerDep, needs
from api.limits import LimitsDep
from api.names import EventId, Stored
from api.posting import all_posted_by, posted_by, told
from api.problems import MOST_FLAWS, STANDARD, TooLarge, declare
from journeys.catalogue import Event
from journeys.notation.json_text import read_json
from journeys.notation.unreadable import Unreadable
from journeys.problems import Conflict, Flaw, Invalid, Unknown
from journeys.reading import text_of, validated
from store import events
from store.events import Receipt, StoredEvent

MOST_EVENTS = 2_500
MOST_BYTES_EACH = 32 * 1024
SHORT = 4 * 1024
"""Bytes of an event that is read on the spot."""

router = APIRouter(prefix="/v1/events", tags=["events"], responses=STANDARD)

_ONE = TypeAdapter(Event)
_RECEIPTS = TypeAdapter(list[Receipt])


@router.post(
    "",
    dependencies=[needs("events:write")],
    status_code=202,
    response_model=Receipt | list[Receipt],
    responses=declare(Conflict, TooLarge, Invalid)
    | {202: {"description": "Durable, whatever dies next."} | gives(RECEIPT)},
    openapi_extra=takes(
        {
            "oneOf": [
                ref(Event),
                {"type": "array", "items": ref(Event), "minItems": 1, "maxItems": MOST_EVENTS},
            ]
        },
        EVENTS,
    ),
)
async def post_events(
    body: Body, ingest: IngestDep, caller: CallerDep, limits: LimitsDep, request: Request
) -> Response:
    """Accept one event, or a list of them: all or none.

    The answer is the receipt, or the list of receipts. Posting the same event again changes nothing and answers
    the same receipt, marked `duplicate`; another event under its id is a conflict, and nothing is accepted.
    An interaction with a message, such as `email-opened`, is an event of a built-in trigger with the `send_id` as its
    attribute. Where an event names no `source`, it is the name of the key, or `api` with `SOJOURN_KEY`.
    A key with `triggers` posts events of these alone: others are refused (403), each with its flaw.
    A key with `origins`, which whoever sees a page has, gets receipts without decisions.

    `in_flight: 0` on the receipt of an exit means: from now on no request to a provider starts for the runs it ended.
    """
    given = _read_quickly(body)
    if given is None:
        given = await aside(read_events, body)
    if isinstance(given, Event):
        receipt = told(caller, await _accept_one(posted_by(caller, given), ingest))
        return Response(receipt.model_dump_json(), 202, media_type=JSON)
    limits.take(request, caller, len(given) - 1, before=1)
    accepted = await ingest.accept(await aside(all_posted_by, caller, given))
    receipts = [told(caller, receipt) for receipt in accepted]
    return Response(await aside(_RECEIPTS.dump_json, receipts), 202, media_type=JSON)


@router.get(
    "/{id:path}",
    dependencies=[needs("runs:read")],
    response_model=StoredEvent,
    responses=declare(Unknown) | {200: gives(STORED_EVENT)},
)
async def get_event(
    deps: Deps,
    id: EventId,
    caller: CallerDep,
    source: Annotated[
        Stored | None, Query(description="Where it came from. Left out, it is what this key posts.", examples=["api"])
    ] = None,
) -> StoredEvent:
    """An event and what each journey made of it, with the reason, also where that is nothing."""
    return await events.get_event(deps.store, caller.source if source is None else source, id)


async def _accept_one(event: Event, ingest: Ingest) -> Receipt:
    try:
        return (await ingest.accept([event]))[0]
    except (Invalid, Conflict) as error:
        flaws = [flaw.model_copy(update={"path": flaw.path.removeprefix("[0]").lstrip(".")}) for flaw in error.flaws]
        raise type(error)(error.detail, flaws) from None


def read_events(body: bytes) -> Event | tuple[Event, ...]:
    """One event, or all events of a list. Raises Invalid with every flaw of each, and TooLarge."""
    try:
        given: Any = from_json(body)
    except ValueError:
        raise _no_json(body) from None
    if not isinstance(given, list):
        _check_size(given, "The event")
        return validated(Event, given, "event")
    if not given:
        raise Invalid("The list of events is empty. Send at least one.")
    if len(given) > MOST_EVENTS:
        raise TooLarge(f"There are {len(given)} events in the list; at most {MOST_EVENTS} are accepted at once.")
    if len(body) > MOST_BYTES_EACH:
        for index, item in enumerate(given):
            _check_size(item, f"Event [{index}]")
    return _all_of(given)


def _no_json(body: bytes) -> Invalid:
    """The same once more and slowly, for a message that says what to do."""
    try:
        read_json(text_of(body))
    except Unreadable as error:
        return Invalid("The body is not JSON.", [error.flaw])
    return Invalid("The body is not JSON.")


def _read_quickly(body: bytes) -> Event | tuple[Event, ...] | None:
    """A short event that is as it should be: most are, and for these every microsecond counts."""
    if len(body) > SHORT:
        return None
    try:
        return _ONE.validate_json(body)
    except ValidationError:
        return None


def _check_size(item: object, what: str) -> None:
    if (size := len(to_json(item))) > MOST_BYTES_EACH:
        raise TooLarge(f"{what} has {size} bytes; at most {MOST_BYTES_EACH} are accepted.")


def _all_of(given: list[object]) -> tuple[Event, ...]:
    """Every item as an event. Raises Invalid: that counts all that are wrong, and tells why of the first ones."""
    read: list[Event] = []
    flaws: list[Flaw] = []
    for index, item in enumerate(given):
        try:
            read.append(_ONE.validate_python(item))
        except ValidationError:
            if len(flaws) < MOST_FLAWS:
                flaws += [flaw.within(f"[{index}]") for flaw in _flaws(item)]
    if wrong := len(given) - len(read):
        raise Invalid(f"{wrong} of {len(given)} events are not valid, so none was accepted.", flaws)
    return tuple(read)


def _flaws(item: object) -> tuple[Flaw, ...]:
    try:
        validated(Event, item, "event")
    except Invalid as error:
        return error.flaws
    return ()
