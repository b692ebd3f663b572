"""A store in which the abandoned-cart journey can be published, and a few words to play it with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, get_args

from activities.deliver import Deliver
from journeys.catalogue import Event, Trigger
from journeys.clearance.consent import Rules
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.definition import Journey
from journeys.interactions import Kind
from journeys.language.attributes import Value
from journeys.reading import read_trigger
from journeys.steps import STEP_TYPES, Email, Message
from journeys.walk.diary import Delivery, Entry
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store import catalogue, customers, events, journeys, runs, sends
from store.audit import Change
from store.customers import CustomerChange
from store.events import Receipt
from store.policy import put_policy
from store.sends import Done, Go
from store.store import Store
from tests.samples import CONTENTS, CUSTOMER, TRIGGERS, abandoned_cart

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CHANNELS: frozenset[Kind] = frozenset(get_args(Kind))
_numbers = count(1)


@dataclass
class Shop:
    """The store and its clock, which stands still unless it is moved."""

    store: Store
    now: datetime = NOON
    walks: dict[str, int] = field(default_factory=dict, repr=False)
    """The version that each run began with."""
    lines: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)
    """How many lines the diary of a run had when it came to a step at which it was put."""

    async def stock(self) -> None:
        """Make everything ready that the abandoned-cart journey refers to, and know ada and bob."""
        for trigger in TRIGGERS.values():
            await self.ready(trigger)
        for content in CONTENTS.values():
            await catalogue.put_content(self.store, content, by_us(self.now))
            await catalogue.ready_content(self.store, content.content, by_us(self.now))
        for customer in ("ada", "bob"):
            await customers.put_customer(self.store, customer, CUSTOMER, self.now)

    async def ready(self, trigger: Trigger | dict[str, Any]) -> None:
        """Write a trigger and make it ready."""
        trigger = read_trigger(trigger) if isinstance(trigger, dict) else trigger
        await catalogue.put_trigger(self.store, trigger, by_us(self.now))
        await catalogue.ready_trigger(self.store, trigger.trigger, by_us(self.now))

    async def publish(self, journey: Journey | None = None) -> journeys.Published:
        """Publish a journey, the abandoned cart by default."""
        journey = journey or abandoned_cart()
        await journeys.put_journey(self.store, journey, by_us(self.now))
        return await journeys.publish(self.store, journey.journey, by_us(self.now), CHANNELS)

    def event(self, trigger: str, /, customer: str | None = "ada", *, at: datetime | None = None, **more: Any) -> Event:
        """An event; *more* are its attributes, or its id or source."""
        names = {name: more.pop(name) for name in ("id", "source") if name in more}
        return Event(
            **{"id": f"event-{next(_numbers)}", **names},
            trigger=trigger,
            customer=customer,
            occurred_at=at,
            attributes=more,
        )

    async def post(self, trigger: str, /, customer: str | None = "ada", **more: Any) -> Receipt:
        """Accept one event."""
        return (await events.accept(self.store, [self.event(trigger, customer, **more)], self.now))[0]

    async def change(self, customer: str = "ada", **attributes: Value) -> CustomerChange:
        """Give a customer these attributes, beside those there are."""
        return await customers.patch_customer(self.store, customer, attributes, self.now)

    async def start(self, customer: str = "ada", **more: Any) -> str:
        """Abandon a cart, and return the run that this starts."""
        receipt = await self.post("abandoned-cart", customer, **{"total": 60, **more})
        assert receipt.decisions[-1].did == "started", receipt
        run = receipt.decisions[-1].run or ""
        self.walks[run] = receipt.decisions[-1].version
        return run

    def visit(self, run: str, step: str = "initial-reminder", **more: Any) -> Visit:
        """A visit to a message step, by default the first one of the abandoned cart. *n*: its next diary line."""
        known = {"now": self.now, "version": self.walks.get(run, 1), "n": self.lines.get((run, step), 1)}
        return visit(run, step, **{**known, **more})

    async def come_to(self, run: str, step: str) -> None:
        """Let a run stand at a step where it never was, whatever comes before that."""
        view = await runs.get_run(self.store, run)
        if not view.ended and all(entry.step != step for entry in view.diary):
            entered = Entry(n=len(view.diary), at=self.now, step=step, did="entered")
            await runs.note(self.store, run, [entered])
            self.lines[run, step] = entered.n + 1

    async def rule(self, **said: Any) -> None:
        """Put a policy in force. What is not said of consent and the brake is not asked."""
        written = {"consent": NO_POLICY.consent, "brake": NO_POLICY.brake, **said}
        await put_policy(self.store, Policy.model_validate(written), by_us(self.now))

    async def claim(
        self, run: str, step: str = "initial-reminder", *, rules: Rules | None = None, **more: Any
    ) -> Go | Done:
        """Claim a send that nothing holds, by default the first one of the abandoned cart. *rules*: of consent."""
        if rules:
            await self.rule(consent=rules)
        if step != "initial-reminder" and not more.keys() & {"n", "entries"}:
            await self.come_to(run, step)
        claimed = await sends.claim(self.store, self.visit(run, step, **more))
        assert isinstance(claimed, Go | Done), claimed
        return claimed

    async def record(
        self, run: str, step: str = "initial-reminder", outcome: Any = "accepted", attempt: int = 1, **more: Any
    ) -> Delivery:
        """Record the outcome of an attempt at a send."""
        delivery = Delivery(outcome=outcome, at=more.pop("at", self.now))
        provider_id = more.pop("provider_id", "p-1")
        await sends.record(self.store, self.visit(run, step, **more), attempt, delivery, provider_id)
        return delivery

    def later(self, **duration: float) -> datetime:
        """Move the clock."""
        self.now += timedelta(**duration)
        return self.now


def by_us(at: datetime) -> Change:
    """A change that we make."""
    return Change("us", at)


def visit(
    run: str,
    step: str | Message = "initial-reminder",
    *,
    now: datetime = NOON,
    n: int = 1,
    entries: tuple[Entry, ...] = (),
    following: str | None = "opened",
    returns: bool = False,
    expires_at: datetime | None = None,
    since: datetime | None = None,
    version: int = 1,
) -> Visit:
    """A visit to a message step: of the abandoned cart by its id, else to an email. *n*: its next diary line.

    *following*: the step that comes next, or that is around it, if it *returns*. *since*: when the step was entered, if
    not just now.
    """
    if isinstance(step, str):
        named = abandoned_cart().message(step)
        step = named or Email(id=step, email="initial-email-reminder", to="customer.email")
    told = {"now": now, "unwritten": entries, "following": following, "returns": returns, "expires_at": expires_at}
    position = Position(step=step.id, since=since or now, lines=n)
    return Visit.model_validate({"run": run, "version": version, "step": step, "position": position, **told})


def message(kind: Kind, id: str, content: str, to: str) -> Message:
    """A message step."""
    step = STEP_TYPES[kind].model_validate({"id": id, kind: content, "to": to})
    assert isinstance(step, Message)
    return step


def to_its_end(deliver: Deliver) -> Callable[[Visit], Awaitable[Delivery]]:
    """The activity, for messages that nothing holds."""

    async def delivered(at: Visit) -> Delivery:
        answer = await deliver.deliver(at)
        assert isinstance(answer, Delivery), answer
        return answer

    return delivered
