"""What Temporal still knows of the messages of a run: its history names each that was handed to a provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError

from journeys.steps import Message
from journeys.walk.diary import Delivery
from journeys.walk.world import Visit
from store.remembering import Remembered
from workflows.asking import is_unknown

SENDING = frozenset({"deliver", "reconcile"})

_VISIT = TypeAdapter(Visit)
_DELIVERY = TypeAdapter(Delivery)


async def messages_of(client: Client, run: str, customer: str, earlier: Sequence[str] = ()) -> list[Remembered]:
    """The messages of a run, by the history of its latest execution and of those that it went on from.

    *earlier*: executions in whose stead it began, the latest first, whose messages are its own. What Temporal keeps no
    more of them is passed. Raises RPCError where it does not answer.
    """
    told = dict[str, Remembered]()
    async for history in _histories(client, run, earlier):
        for message in _messages(history, customer):
            # Later histories come first, and know better; but what was accepted stays so.
            if message.step not in told or message.outcome == "accepted":
                told[message.step] = message
    return list(told.values())


async def _histories(client: Client, run: str, earlier: Sequence[str]) -> AsyncIterator[list[HistoryEvent]]:
    read = set[str | None]()
    for last in (None, *earlier):
        run_id: str | None = last
        while run_id not in read:
            read.add(run_id)
            history = await _history(client, run, run_id)
            if not history:
                break
            yield history
            run_id = history[0].workflow_execution_started_event_attributes.continued_execution_run_id or None


async def _history(client: Client, run: str, run_id: str | None) -> list[HistoryEvent]:
    """The history of an execution; nothing where Temporal has none, or keeps it no more, as it ended long ago."""
    try:
        return [event async for event in client.get_workflow_handle(run, run_id=run_id).fetch_history_events()]
    except RPCError as error:
        if is_unknown(error):
            return []
        raise


def _messages(history: list[HistoryEvent], customer: str) -> list[Remembered]:
    scheduled, told = dict[int, Visit](), dict[str, Remembered]()
    for event in history:
        if event.HasField("activity_task_scheduled_event_attributes"):
            asked = event.activity_task_scheduled_event_attributes
            visit = _visit(asked.input) if asked.activity_type.name in SENDING else None
            if visit is not None and isinstance(visit.step, Message):
                scheduled[event.event_id] = visit
                told[visit.at_step] = _remembered(visit, customer, Delivery(outcome="unknown", at=visit.now))
        elif event.HasField("activity_task_completed_event_attributes"):
            done = event.activity_task_completed_event_attributes
            if visit := scheduled.get(done.scheduled_event_id):
                became = _delivery(done.result)
                if became:
                    told[visit.at_step] = _remembered(visit, customer, became)
                else:  # it was held, or had not heard of something: nothing was sent
                    told.pop(visit.at_step, None)
    return list(told.values())


def _remembered(visit: Visit, customer: str, became: Delivery) -> Remembered:
    message = visit.message
    return Remembered(visit.run, customer, visit.at_step, message.kind, message.content, became.outcome, became.at)


def _visit(given: Payloads) -> Visit | None:
    """What an activity was given; None where release 0.1 gave it, which told no version."""
    try:
        return _VISIT.validate_json(given.payloads[0].data)
    except (ValidationError, IndexError):
        return None


def _delivery(result: Payloads) -> Delivery | None:
    try:
        return _DELIVERY.validate_json(result.payloads[0].data)
    except (ValidationError, IndexError):
        return None
