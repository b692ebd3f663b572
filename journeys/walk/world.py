"""What a walk needs of the world that it happens in. Temporal is one world; a virtual clock is another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from pydantic import AwareDatetime, SerializerFunctionWrapHandler, field_serializer, model_serializer

from journeys.models import Frozen
from journeys.steps import AnyStep, Message
from journeys.walk.diary import Delivery, Entry, Held
from journeys.walk.position import Position


class Visit(Frozen):
    """One run that stands at one step: what the walk hands to the outside, whole.

    *run* and *version*: whose, and of which version; a walk that is no run's, such as along a path, names neither.
    *now*: the instant, which changes where the same visit is tried again later (aware UTC).
    *unwritten*: the lines of the diary that the store may not have yet; they end where *position* says.
    *known*: the events that were heard of for questions that these lines pass.
    *following*: the step that comes next; None at the end of the journey.
    *expires_at*: from then on a message is not to be sent any more.
    """

    run: str
    version: int
    step: AnyStep
    position: Position
    now: AwareDatetime
    unwritten: tuple[Entry, ...] = ()
    known: tuple[str, ...] = ()
    following: str | None = None
    expires_at: AwareDatetime | None = None

    @property
    def message(self) -> Message:
        """The step, which must be one that sends."""
        if isinstance(self.step, Message):
            return self.step
        raise TypeError(f'the step "{self.step.id}" sends no message: it {self.step.words}')

    def at(self, now: datetime) -> Visit:
        """The same visit, as it is at *now*."""
        return self.model_copy(update={"now": now})

    def lines_after(self, delivery: Delivery) -> tuple[Entry, ...]:
        """The lines that a send adds to the diary: its step is passed, and the following one, if any, is entered.

        The record of a send and the walk both write them, so that no further activity is needed for the position.
        """
        n, why = self.position.lines, delivery.outcome + (f": {delivery.reason}" if delivery.reason else "")
        passed = Entry(n=n, at=delivery.at, step=self.step.id, did="passed", why=why)
        if self.following is None:
            return (passed,)
        return (passed, Entry(n=n + 1, at=delivery.at, step=self.following, did="entered"))

    @model_serializer(mode="wrap")
    def _without_what_is_empty(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value not in (None, (), [])}

    @field_serializer("position")
    def _without_what_the_store_has(self, position: Position) -> dict[str, Any]:
        # It goes to Temporal with each message, where every byte is kept.
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

    async def wait(self, until: datetime, arrived: Callable[[], bool], why: str) -> bool:
        """Wait until *arrived* holds or *until* (aware UTC) comes.

        Returns True for the arrival, False for the time. A tie counts as arrival.
        """
        ...
