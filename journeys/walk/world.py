"""What a walk needs of the world that it happens in. Temporal is one world; a virtual clock is another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from pydantic import AwareDatetime, SerializerFunctionWrapHandler, field_serializer, model_serializer

from journeys.language.moments import Moment
from journeys.models import Frozen
from journeys.steps import AnyStep, Message
from journeys.walk.diary import Choice, Delivery, Did, Entry, Held
from journeys.walk.position import Position


class Visit(Frozen):
    """One run that stands at one step: what the walk hands to the outside, whole.

    *run* and *version*: whose, and of which version; a walk that is no run's, such as along a path, names neither.
    *step*: the step itself, if it has no arms. With them it may be long, and what Temporal is told is kept there, so
    whoever needs it reads the version.
    *now*: the instant, which changes where the same visit is tried again later (aware UTC).
    *unwritten*: the lines of the diary that the store may not have yet; they end where *position* says.
    *known*: the events that were heard of for questions that these lines pass.
    *following*: the step that comes next; None at the end of the journey. *returns*: it is the one around this step.
    *expires_at*: from then on a message is not to be sent any more.
    """

    run: str
    version: int
    step: AnyStep | None = None
    position: Position
    now: AwareDatetime
    unwritten: tuple[Entry, ...] = ()
    known: tuple[str, ...] = ()
    following: str | None = None
    returns: bool = False
    expires_at: AwareDatetime | None = None

    @property
    def at_step(self) -> str:
        """The id of the step."""
        return self.position.step

    @property
    def message(self) -> Message:
        """The step, which must be one that sends."""
        if isinstance(self.step, Message):
            return self.step
        raise TypeError(f'the step "{self.at_step}" sends no message')

    def at(self, now: datetime) -> Visit:
        """The same visit, as it is at *now*."""
        return self.model_copy(update={"now": now})

    def expiring(self, at: datetime | None) -> Visit:
        """The same visit, whose message is not to be sent any more from *at* on."""
        return self.model_copy(update={"expires_at": at})

    def lines_after(self, delivery: Delivery) -> tuple[Entry, ...]:
        """The lines that a send or an action adds to the diary, as passed() says."""
        why = delivery.outcome + (f": {delivery.reason}" if delivery.reason else "")
        return self.passed(delivery.at, why)

    def passed(self, at: datetime, why: str, step: AnyStep | None = None, arm: str | None = None) -> tuple[Entry, ...]:
        """The lines that end the visit: its step is passed, and the following one, if any, is entered.

        Of a *step* with arms, that is the first one in the *arm*. Whoever records what came of the visit and the walk
        both write them, so that no further activity is needed for the position.
        """
        n, inner = self.position.lines, step.arm(arm).steps if step and arm else ()
        following = inner[0].id if inner else self.following
        did: Did = "returned" if self.returns and not inner else "entered"
        passed = Entry(n=n, at=at, step=self.at_step, did="passed", arm=arm, why=why)
        if following is None:
            return (passed,)
        return (passed, Entry(n=n + 1, at=at, step=following, did=did))

    @model_serializer(mode="wrap")
    def _without_what_is_empty(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value not in (None, (), [], False)}

    @field_serializer("position")
    def _without_what_the_store_has(self, position: Position) -> dict[str, Any]:
        return position.model_dump(mode="json", exclude={"sent", "heard", "taken"}, exclude_defaults=True)


class World(Protocol):
    """The verbs of a world: those that a step needs. A verb comes with the first step that cannot do without it.

    What only Temporal's world has to do, such as asking a provider in doubt or writing the diary ahead, is no verb.
    """

    def now(self) -> datetime:
        """The time in this world, aware UTC."""
        ...

    async def deliver(self, visit: Visit) -> Delivery | Held:
        """Send a message, and say what became of it for good; or until when it is held."""
        ...

    async def perform(self, visit: Visit) -> Delivery | Held:
        """Do what an action says, once, and say what became of it for good; or until when it is not tried again."""
        ...

    async def decide(self, visit: Visit) -> Choice | None:
        """Choose an arm by what is known, as of when the step was entered. None: a question has no answer yet."""
        ...

    async def moment(self, visit: Visit) -> Moment:
        """The instant that a step waits for, which depends on dates and zones of people: computed once, and kept."""
        ...

    async def wait(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> bool:
        """Wait until *arrived* holds or *until* (aware UTC) comes, if it ever does.

        Returns True for the arrival, False for the time. A tie counts as arrival.
        """
        ...
