"""Sojourn without its doors, for tests: a store, a worker, a relay, and a channel that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.endpoints import Caller, Endpoints, Seal
from embedded import skipping
from journeys.catalogue import Event
from journeys.definition import Journey, send_id
from journeys.interactions import INTERACTIONS
from journeys.walk.diary import Ended
from journeys.walk.pace import DAY
from journeys.walk.script import DEFAULT_START
from store.customers import put_customer
from store.events import Receipt, accept
from store.journeys import publish, put_journey
from store.outbox import backlog
from store.runs import RunView, get_run, list_runs
from store.store import Store, opened
from tests.ledger import Ledger
from tests.recount import check_counts
from tests.samples import CUSTOMER
from tests.shop import CHANNELS, Shop, by_us
from worker import build_worker
from workflows.journey import JourneyWorkflow
from workflows.relay import Relay

PATIENCE = 180.0
HOUSE = "the house's own secret, of 32 letters"
"""With which the secrets of endpoints are sealed."""

_numbers = count(1)


@dataclass
class Engine:
    """What a test plays with. *now* is the clock of the doors, and of the relay where *relays* is not its clock."""

    store: Store
    client: Client
    task_queue: str
    ledger: Ledger
    now: Callable[[], datetime]
    day: timedelta
    relays: Callable[[], datetime] | None = None
    relay: Relay = field(init=False)

    def __post_init__(self) -> None:
        self.relay = Relay(self.store, self.client, self.task_queue, self.relays or self.now)

    async def publish(self, journey: Journey) -> None:
        await put_journey(self.store, journey, by_us(self.now()))
        await publish(self.store, journey.journey, by_us(self.now()), CHANNELS)

    async def customer(self, id: str, attributes: Mapping[str, str | None] = CUSTOMER) -> None:
        await put_customer(self.store, id, attributes, self.now())

    def event(self, trigger: str, customer: str | None = None, **attributes: str | float) -> Event:
        """An event that was not heard of before."""
        return Event(id=f"event-{next(_numbers)}", trigger=trigger, customer=customer, attributes={**attributes})

    async def accept(self, event: Event) -> Receipt:
        return (await accept(self.store, [event], self.now(), day=self.day))[0]

    async def happen(self, trigger: str, customer: str | None = None, **attributes: str | float) -> Receipt:
        """Accept an event, and have Temporal told, if it answers."""
        receipt = await self.accept(self.event(trigger, customer, **attributes))
        await self.relay.drain_once()
        return receipt

    async def start(self, customer: str, **attributes: str | float) -> str:
        """Let *customer* abandon a cart, and return the run that starts."""
        receipt = await self.happen("abandoned-cart", customer, **{"cart_id": "c1", "total": 60, **attributes})
        return next(made.run for made in receipt.decisions if made.did == "started" and made.run)

    async def interact(self, run: str, step: str, trigger: str = "email-opened") -> Receipt:
        return await self.happen(trigger, send_id=send_id(run, step))

    async def runs(self, customer: str) -> list[RunView]:
        """The runs of a customer in the order they were entered."""
        page = await list_runs(self.store, customer=customer)
        return [await get_run(self.store, run.id) for run in sorted(page.runs, key=lambda run: run.entered_at)]

    def handle(self, run: str) -> WorkflowHandle[JourneyWorkflow, Ended]:
        return self.client.get_workflow_handle_for(JourneyWorkflow.run, run)

    async def events(self, run: str) -> list[str]:
        """The history of a run as the names of its events: ``TIMER_STARTED``."""
        history = await self.handle(run).fetch_history()
        return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]

    async def until_waiting(self, run: str) -> None:
        """Until the run has nothing to do but wait on a timer."""
        await until(lambda: self._is_waiting(run))

    async def _is_waiting(self, run: str) -> bool:
        events = await self.events(run)
        return events[-1] == "TIMER_STARTED"

    async def until_ended(self, run: str) -> None:
        """Until the store and Temporal agree that the run is over."""
        await until(lambda: self._is_over(run))

    async def _is_over(self, run: str) -> bool:
        described = await self.handle(run).describe()
        return (await get_run(self.store, run)).ended is not None and described.close_time is not None

    async def waiting(self) -> int:
        """How many jobs Temporal does not have yet."""
        return (await backlog(self.store)).waiting


@asynccontextmanager
async def engine(
    client: Client,
    database_url: str,
    *,
    ledger: Ledger | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Clock | None = None,
    day: timedelta = DAY,
    working: bool = True,
) -> AsyncIterator[Engine]:
    """An engine on a fresh database, with a task queue of its own, and a worker unless *working* is False.

    *clock*: of a server that skips time. Whatever was played, the counters add up in the end.
    """
    relays = None
    if clock:
        now, relays = (lambda: clock.now), (lambda: clock.relays)
    async with opened(database_url) as store:
        built = Engine(store, client, f"queue-{next(_numbers)}", ledger or Ledger(), now, day, relays)
        await Shop(store, now()).stock()
        async with worker(built) if working else nullcontext():
            yield built
        await check_counts(store)


def worker(built: Engine, client: Client | None = None) -> Worker:
    """A worker for the engine's task queue, by the engine's own client or another."""
    channels = dict.fromkeys(INTERACTIONS, built.ledger)
    # At once, before the run goes on: where time is skipped, what it started would begin too late else.
    told = built.relay.drain_once
    endpoints = Endpoints(built.store, Caller(allow_local=True), Seal(HOUSE))
    return build_worker(client or built.client, built.store, built.task_queue, channels, told=told, endpoints=endpoints)


class Clock(skipping.Clock):
    """The clock of a test server, and of the doors."""

    def __init__(self, server: WorkflowEnvironment) -> None:
        super().__init__(server.client, DEFAULT_START)

    async def begin_at(self, begin: datetime) -> None:
        """Let time pass until then, and begin there."""
        await self.move(begin - self.begin)
        self.begin = begin


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it holds. Only for what another process does in its own time, however busy this machine is."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110 - another process cannot set an event of ours
            await asyncio.sleep(0.02)
