"""The walk: one customer's way through the tree of steps. The world gives it time, messages and answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from journeys.definition import EventQuestion, If, Message, MessageQuestion, Question, Steps, Wait
from journeys.diary import Delivery, Diary, after_send, at_start
from journeys.durations import say
from journeys.pace import DAY, at_pace

TELLING = timedelta(minutes=2)
"""How long a provider gets to tell of a message whose sending had no answer. Real time: no pace changes a provider."""


class Arrival(BaseModel):
    """An event that answers some of a run's ``if`` steps. *at* is when it occurred, not when it was heard of."""

    model_config = ConfigDict(frozen=True)

    event: str
    at: AwareDatetime
    answers: tuple[str, ...]


class World(Protocol):
    """What a walk needs of the world it happens in. Temporal is one world; a virtual clock is another."""

    def now(self) -> datetime:
        """The time in this world, aware UTC."""
        ...

    async def deliver(self, step: Message, following: str | None, expires_at: datetime | None) -> Delivery:
        """Send a message, unless *expires_at* (aware UTC) has come. What got no answer is in doubt.

        *following* is the step that comes next, None at the end of the journey.
        """
        ...

    async def reconcile(self, step: Message, following: str | None) -> Delivery | None:
        """Find out what became of a message that is in doubt, and settle it.

        Returns None where it may be sent again: the provider surely has not got it, or a repeat does no harm.
        """
        ...

    async def wait(self, until: datetime, arrived: Callable[[], bool], why: str) -> bool:
        """Wait until *arrived* holds or *until* (aware UTC) comes.

        Returns True for the arrival, False for the time. A tie counts as arrival.
        """
        ...


class Walk:
    """One run's walk: where it stands, what arrived, what was sent, and the diary of it."""

    def __init__(self, steps: Steps, started_at: datetime, day: timedelta = DAY) -> None:
        self.diary = Diary()
        self.diary.already([at_start(steps[0].id, started_at)])
        self._steps = steps
        self._day = day
        self._at = started_at
        self._deliveries: dict[str, Delivery] = {}
        self._arrivals: dict[str, Arrival] = {}

    def arrive(self, arrival: Arrival) -> None:
        """Record an arrival; an event that was seen before changes nothing."""
        self._arrivals.setdefault(arrival.event, arrival)

    async def go(self, world: World) -> None:
        """Walk through all steps. Returns when the last one is passed; the world ends it earlier by raising."""
        await self._through(self._steps, None, world)

    async def _through(self, steps: Steps, then: str | None, world: World) -> None:
        for step, following in zip(steps, [*(step.id for step in steps[1:]), then], strict=False):
            self.diary.enter(step.id, self._at)
            match step:
                case Message():
                    await self._send(step, following, world)
                case Wait():
                    await self._pass_time(step, world)
                case If():
                    arm = await self._ask(step, world)
                    await self._through(step.arm(arm).steps, following, world)

    async def _send(self, step: Message, following: str | None, world: World) -> None:
        n = len(self.diary.entries)
        expires_at = self._at + at_pace(step.expires, self._day) if step.expires is not None else None
        delivery = await self._delivered(step, following, expires_at, world)
        self.diary.already(after_send(n, step.id, delivery, following))
        self._deliveries[step.id] = delivery
        self._at = delivery.at

    async def _delivered(
        self, step: Message, following: str | None, expires_at: datetime | None, world: World
    ) -> Delivery:
        while True:
            delivery = await world.deliver(step, following, expires_at)
            if not delivery.in_doubt:  # what an earlier release knew no more of is not asked about now
                return delivery
            # It may or may not have gone out: give the provider time to tell, then ask.
            until = world.now() + TELLING
            await world.wait(until, lambda: False, f"Wait for news of {step.content} until {clock(until)}")
            if settled := await world.reconcile(step, following):
                return settled

    async def _pass_time(self, step: Wait, world: World) -> None:
        until = self._at + at_pace(step.wait, self._day)
        await world.wait(until, lambda: False, f"Wait {say(step.wait)} until {clock(until)}")
        # The next step is entered when the wait was due, not when somebody woke up: waits do not drift.
        self._at = until
        self.diary.passed(step.id, until, f"waited {say(step.wait)}")

    async def _ask(self, step: If, world: World) -> str:
        since, until = self._limit(step.if_)
        what = step.if_.words
        # Kept when it occurred in time, even if it is heard of late; never once the limit has been taken.
        yes = await world.wait(
            until, lambda: self._answered(step, since, until), f"Wait for {what} until {clock(until)}"
        )
        self._at = max(world.now(), self._at) if yes else max(until, self._at)
        why = what if yes else f"no {what} within {say(step.if_.within)}"
        arm = "yes" if yes else "no"
        self.diary.passed(step.id, self._at, why, arm)
        return arm

    def _limit(self, question: Question) -> tuple[datetime | None, datetime]:
        """From when on an arrival counts (None: any), and the last moment at which it does."""
        match question:
            case MessageQuestion(message=message, within=within):
                # Dynamics 365: "within one day after it was sent". The limit counts from the send, not from the if.
                return None, self._deliveries[message].at + at_pace(within, self._day)
            case EventQuestion(within=within):
                return self._at, self._at + at_pace(within, self._day)

    def _answered(self, step: If, since: datetime | None, until: datetime) -> bool:
        return any(
            step.id in arrival.answers and (since is None or since <= arrival.at) and arrival.at <= until
            for arrival in self._arrivals.values()
        )


def clock(at: datetime) -> str:
    """A time for people: ``24 Nov 09:00`` (UTC). Seconds are shown only where they are not zero."""
    at = at.replace(microsecond=0)
    return f"{at.day} {at:%b %H:%M:%S}" if at.second else f"{at.day} {at:%b %H:%M}"
