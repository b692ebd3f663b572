"""What must hold when all is over, whatever was killed: promise by promise, for each customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError

from activities.deliver import ABANDONED_AFTER
from journeys.problems import Unknown
from store.events import StoredEvent, get_event
from store.outbox import backlog
from store.runs import RunView, get_run, list_runs
from store.sends import give_up_stale
from store.store import Store
from tests.chaos.customers import Customer, Shop
from tests.chaos.processes import Line, Stack
from tests.recount import check_counts

STEPS = ("initial-reminder", "second-reminder", "final-reminder")

CANCEL = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
SIGNAL = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
STARTED = EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED

History = list["EventType.ValueType"]


@dataclass(frozen=True)
class Outcome:
    """All there is to look at: what was told, what was sent, what is in the store and what is in Temporal."""

    seed: int
    customers: Sequence[Customer]
    shop: Shop
    ledger: list[Line]
    views: dict[str, RunView]
    histories: dict[str, History]
    events: dict[str, StoredEvent]
    given_up: int


async def is_over(stack: Stack, store: Store) -> bool:
    """Whether every run has ended in the store, and Temporal has heard of everything and is done with it."""
    if (await list_runs(store, active=True, limit=1)).runs or (await backlog(store)).waiting:
        return False
    try:
        return (await stack.client.count_workflows("ExecutionStatus = 'Running'")).count == 0
    except RPCError:  # it has just been started again
        return False


async def collect(seed: int, customers: Sequence[Customer], shop: Shop, stack: Stack, store: Store) -> Outcome:
    """Look at everything, after the sweep that comes two minutes later. The counters add up."""
    given_up = await give_up_stale(store, datetime.now(UTC) + ABANDONED_AFTER, ABANDONED_AFTER)
    views: dict[str, RunView] = {}
    histories: dict[str, History] = {}
    stored: dict[str, StoredEvent] = {}
    for run in (await list_runs(store, limit=10_000)).runs:
        views[run.id] = await get_run(store, run.id)
        history = await stack.client.get_workflow_handle(run.id).fetch_history()
        histories[run.id] = [event.event_type for event in history.events]
    for event in shop.acknowledged:
        try:
            stored[event] = await get_event(store, "api", event)
        except Unknown:
            continue
    await check_counts(store)
    return Outcome(seed, customers, shop, stack.ledger.look(), views, histories, stored, given_up)


def violations(outcome: Outcome) -> list[str]:
    """Every broken promise, with the seed and the customer to find it again by."""
    found = [(customer, said) for customer in outcome.customers for said in _broken(customer, outcome)]
    lines = [f"{customer.id}, who {customer.does}: {said}" for customer, said in found]
    twice = [send for send, count in Counter(line.send_id for line in outcome.ledger).items() if count > 1]
    known = {customer.run for customer in outcome.customers}
    lines += [f"{line.run}: {line.step} went out twice" for line in outcome.ledger if line.send_id in twice]
    lines += [
        f"{line.run}: {line.step} went out, and nobody knows why" for line in outcome.ledger if line.run not in known
    ]
    return [f"seed {outcome.seed}, {line}" for line in lines]


def _broken(customer: Customer, outcome: Outcome) -> Iterator[str]:
    sent = [line for line in outcome.ledger if line.run == customer.run]
    yield from _acknowledged(customer, outcome)
    run = outcome.views.get(customer.run)
    if customer.does == "bought before":
        if run or sent:
            yield "has a run, and had bought before it"
        return
    if run is None:
        yield "has no run"
        return
    history = outcome.histories[run.id]
    yield from _ends_as_scripted(customer, run, history, outcome)
    yield from _temporal_agrees(run, history)
    yield from _diary(run)
    yield from _sends(run, sent)
    yield from _after_the_exit(customer, sent, outcome)


def _acknowledged(customer: Customer, outcome: Outcome) -> Iterator[str]:
    """Each acknowledged event is in the store, and every receipt of it told the same."""
    for event, answers in outcome.shop.acknowledged.items():
        if not event.startswith(f"{customer.id}-"):
            continue
        if event not in outcome.events:
            yield f"{event} was acknowledged, and is not in the store"
            continue
        if any(answer.receipt.decisions != outcome.events[event].decisions for answer in answers):
            yield f"{event}: its receipts and the store tell different decisions"
        if sum(not answer.receipt.duplicate for answer in answers) > 1:
            yield f"{event}: two receipts say that it is new"


def _ends_as_scripted(customer: Customer, run: RunView, history: History, outcome: Outcome) -> Iterator[str]:
    steps = [send.step for send in sorted(run.sends, key=lambda send: STEPS.index(send.step))]
    exited = any(answer.receipt.exited for answer in outcome.shop.acknowledged.get(f"{customer.id}-purchase", ()))
    if exited:
        if run.ended != "exited":
            yield f"bought, and the run is {run.ended}: {run.why}"
        if steps != list(STEPS[: len(steps)]):
            yield f"got {steps}"
        return
    if run.ended != "completed":
        yield f"the run is {run.ended}: {run.why}"
    arm = next((entry.arm for entry in run.diary if entry.step == "opened" and entry.did == "passed"), None)
    if arm == "yes" and f"{customer.id}-opening" not in outcome.shop.acknowledged:
        yield "never opened the email, and the run says so"
    if arm == "no" and first(history, SIGNAL) < _decided(history) and _in_time(customer, run, outcome):
        yield "opened the email, Temporal heard of it in time, and the run does not know"
    expected = STEPS[:1] if arm == "yes" else STEPS
    if steps != list(expected):
        yield f"got {steps}"


def _in_time(customer: Customer, run: RunView, outcome: Outcome) -> bool:
    """Whether the email was opened before the limit. While Temporal or the workers are down, limits pass unheard."""
    opened_at = outcome.events[f"{customer.id}-opening"].occurred_at
    return opened_at <= next(entry.at for entry in run.diary if entry.did == "passed") + run.day


def _decided(history: History) -> int:
    """Where the workflow task begins that sends the second message. What comes before it, it knows."""
    second = [index for index, kind in enumerate(history) if kind == SCHEDULED][1]
    return max(index for index, kind in enumerate(history[:second]) if kind == STARTED)


def _temporal_agrees(run: RunView, history: History) -> Iterator[str]:
    match run.ended, history[-1]:
        case ("completed", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED):
            pass
        case ("exited", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED):
            pass
        case ("exited", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) if CANCEL not in history:
            pass  # it was through, its last sends blocked, before it heard of the exit
        case _:
            yield f"the run is {run.ended}, and in Temporal {EventType.Name(history[-1])}"


def _diary(run: RunView) -> Iterator[str]:
    if [entry.n for entry in run.diary] != list(range(len(run.diary))):
        yield "there are holes in the diary"
    entered = Counter(entry.step for entry in run.diary if entry.did == "entered")
    closed = Counter(entry.step for entry in run.diary if entry.did != "entered")
    if entered != closed or max(entered.values()) > 1 or run.step:
        yield f"entered {dict(entered)}, and passed or left {dict(closed)}"


def _sends(run: RunView, sent: Sequence[Line]) -> Iterator[str]:
    """The store tells the truth about what went out: what is accepted did, and what did is accepted or unknown."""
    out = {line.send_id for line in sent}
    for send in run.sends:
        match send.state:
            case "accepted" if send.id not in out:
                yield f"{send.step} is accepted, and never went out"
            case "accepted" | "unknown":
                pass
            case "blocked" if run.ended == "exited" and send.id not in out:
                pass
            case _:
                yield f"{send.step} is {send.state}: {send.reason}"
    for line in sent:
        if line.send_id not in {send.id for send in run.sends}:
            yield f"{line.step} went out, and is not in the store"


def _after_the_exit(customer: Customer, sent: Sequence[Line], outcome: Outcome) -> Iterator[str]:
    """Once the purchase was acknowledged, nothing more goes out than what the receipt calls under way."""
    for answer in outcome.shop.acknowledged.get(f"{customer.id}-purchase", ()):
        receipt = answer.receipt
        late = [line.step for line in sent if line.position >= answer.ledger]
        if receipt.exited and len(late) > receipt.in_flight:
            yield f"{late} went out after an exit that was acknowledged with {receipt.in_flight} in flight"
        unnamed = {line.step for line in sent} - {*receipt.already_sent}
        if receipt.exited and len(unnamed) > receipt.in_flight:
            yield f"{sorted(unnamed)} went out, and a receipt of the exit does not name it"


def first(history: History, kind: EventType.ValueType) -> float:
    return history.index(kind) if kind in history else float("inf")
