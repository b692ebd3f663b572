"""Events: what happened to customers, accepted one by one or in batches, and what each of them did."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import TypeAdapter, ValidationError

from api.bodies import JSON, Body, gives, ref, takes
from api.dependencies import Deps, IngestDep
from api.events_examples import EVENTS, RECEIPT, STORED_EVENT
from api.ingest import Ingest
from api.keys import require_key
from api.names import EventId, Stored
from api.problems import STANDARD, TooLarge, declare
from journeys.catalogue import Event
from journeys.notation.json_text import read_json
from journeys.notation.unreadable import Unreadable
from journeys.problems import Conflict, Flaw, Invalid, Unknown
from journeys.reading import text_of, validated
from store import events
from store.events import Receipt, StoredEvent

MOST_EVENTS = 2_500
MOST_BYTES_EACH = 32 * 1024

router = APIRouter(prefix="/v1/events", tags=["events"], dependencies=[Depends(require_key)], responses=STANDARD)

_ONE = TypeAdapter(Event)
_MANY = TypeAdapter(tuple[Event, ...])
_RECEIPTS = TypeAdapter(list[Receipt])


@router.post(
    "",
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
async def post_events(body: Body, ingest: IngestDep) -> Response:
    """Accept one event, or a list of them: all or none.

    The answer is the receipt, or the list of receipts. Posting the same event again changes nothing and answers
    the same receipt, marked `duplicate`; another event under its id is a conflict, and nothing is accepted.
    An interaction with a message, such as `email-opened`, is an event of a built-in trigger with the `send_id` as its
    attribute.

    `in_flight: 0` on the receipt of an exit means: from now on no request to a provider starts for the runs it ended.
    """
    given = read_events(body)
    # Written by hand: this is the one endpoint where every microsecond counts.
    if isinstance(given, Event):
        return Response((await _accept_one(given, ingest)).model_dump_json(), 202, media_type=JSON)
    return Response(_RECEIPTS.dump_json(await ingest.accept(given)), 202, media_type=JSON)


@router.get(
    "/{id:path}",
    response_model=StoredEvent,
    responses=declare(Unknown) | {200: gives(STORED_EVENT)},
)
async def get_event(
    deps: Deps,
    id: EventId,
    source: Annotated[Stored, Query(description="Where it came from.", examples=["api"])] = "api",
) -> StoredEvent:
    """An event and what each journey made of it, with the reason, also where that is nothing."""
    return await events.get_event(deps.store, source, id)


async def _accept_one(event: Event, ingest: Ingest) -> Receipt:
    try:
        return (await ingest.accept([event]))[0]
    except (Invalid, Conflict) as error:
        flaws = [flaw.model_copy(update={"path": flaw.path.removeprefix("[0]").lstrip(".")}) for flaw in error.flaws]
        raise type(error)(error.detail, flaws) from None


def read_events(body: bytes) -> Event | tuple[Event, ...]:
    """One event, or all events of a list. Raises Invalid with every flaw of each, and TooLarge."""
    body = body.removeprefix(BOM_UTF8)  # which a reader of JSON may skip
    many = body.lstrip()[:1] == b"["
    try:
        given = _MANY.validate_json(body) if many else _ONE.validate_json(body)
    except ValidationError:
        raise _every_flaw(body) from None
    if isinstance(given, Event):
        _check_sizes((given,), len(body))
        return given
    if not given:
        raise Invalid("The list of events is empty. Send at least one.")
    if len(given) > MOST_EVENTS:
        raise TooLarge(f"There are {len(given)} events in the list; at most {MOST_EVENTS} are accepted at once.")
    _check_sizes(given, len(body))
    return given


def _check_sizes(given: tuple[Event, ...], together: int) -> None:
    if together <= MOST_BYTES_EACH:
        return
    for index, event in enumerate(given):
        if (size := len(event.model_dump_json(exclude_unset=True))) > MOST_BYTES_EACH:
            where = f"Event [{index}]" if len(given) > 1 else "The event"
            raise TooLarge(f"{where} has {size} bytes; at most {MOST_BYTES_EACH} are accepted.")


def _every_flaw(body: bytes) -> Invalid:
    """The same once more and slowly, for messages that say what to do."""
    try:
        data = read_json(text_of(body))
    except Unreadable as error:
        return Invalid("The body is not JSON.", [error.flaw])
    if not isinstance(data, list):
        return Invalid("The event is not valid.", _flaws(data))
    flaws = [flaw.within(f"[{index}]") for index, item in enumerate(data) for flaw in _flaws(item)]
    wrong = len({flaw.path.partition("]")[0] for flaw in flaws})
    return Invalid(f"{wrong} of {len(data)} events are not valid, so none was accepted.", flaws)


def _flaws(item: object) -> tuple[Flaw, ...]:
    try:
        validated(Event, item, "event")
    except Invalid as error:
        return error.flaws
    return ()
