"""The walk: one customer's way through the tree of steps. The world gives it time, messages and answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from journeys.language.durations import say
from journeys.steps import AnyStep, End, EventQuestion, If, Message, MessageQuestion, Question, Steps, Wait
from journeys.walk.diary import Delivery, Diary, Held
from journeys.walk.pace import DAY, at_pace
from journeys.walk.position import Arrival, Position, Turn, way_to
from journeys.walk.world import Visit, World

ALL_DONE = "all steps done"
"""Why a run is complete that came to its last step."""


class _Over(Exception):
    """The walk is over, for the reason that a step gives."""


class Walk:
    """One run's walk: where it stands, what arrived, what was sent, and the diary of it.

    It begins *at* any position in *steps*. *run* and *version* are what its visits say they are of.
    *from_hearing*: after a yes, time counts from when its answer was heard, as it did in release 0.1, and what occurs
    after that by the clock of the doors answers the next question too.
    """

    def __init__(
        self,
        steps: Steps,
        at: Position,
        *,
        run: str = "",
        version: int = 0,
        day: timedelta = DAY,
        from_hearing: bool = False,
    ) -> None:
        self.diary = Diary(at.entered)
        self._steps = steps
        self._run = run
        self._version = version
        self._day = day
        self._from_hearing = from_hearing
        self._begin = at
        self._ahead = deque[tuple[str, str | None]]([*at.turns, (at.step, None)])  # the way to where it begins
        self._turns: tuple[Turn, ...] = ()
        self._at = at.since
        self._deliveries = dict(at.sent)
        self._arrivals: dict[str, Arrival] = {}
        self._taken = dict.fromkeys(at.taken, 0)  # events that answered a question, with the line that says so
        for arrival in at.heard:
            self.arrive(arrival)

    @property
    def position(self) -> Position:
        """Where it stands: another walk can begin there."""
        entered = next(entry for entry in reversed(self.diary.entries) if entry.did == "entered")
        return Position(
            step=entered.step,
            since=entered.at,
            turns=self._turns,
            lines=entered.n + 1,
            sent=dict(self._deliveries),
            heard=tuple(self._arrivals.values()),
            taken=tuple(self._taken),
        )

    @property
    def known(self) -> tuple[str, ...]:
        """The events that it had heard of for the questions that it passed and the store knows nothing of yet."""
        passed = {entry.step for entry in self.diary.unwritten if entry.arm}
        return tuple(heard.event for heard in self._arrivals.values() if passed.intersection(heard.answers))

    def anew(self, arrivals: Iterable[Arrival]) -> Walk:
        """Another walk, from where the store knows this one to stand, that has heard of *arrivals* as well."""
        stands = self.diary.written
        position = Position(
            step=stands.step,
            since=stands.at,
            turns=way_to(self._steps, stands.step) or (),
            lines=stands.n + 1,
            sent=dict(self._deliveries),
            heard=(*arrivals, *self._arrivals.values()),
            taken=tuple(event for event, n in self._taken.items() if n <= stands.n),
        )
        return Walk(
            self._steps,
            position,
            run=self._run,
            version=self._version,
            day=self._day,
            from_hearing=self._from_hearing,
        )

    def arrive(self, arrival: Arrival) -> None:
        """Record an arrival; an event that was seen before changes nothing."""
        self._arrivals.setdefault(arrival.event, arrival)

    async def go(self, world: World) -> str:
        """Walk on to the end, and return the reason why it is one; the world ends it earlier by raising.

        Raises LookupError where the position that it begins at is not among the steps.
        """
        try:
            await self._through(self._steps, None, (), world)
        except _Over as over:
            return str(over)
        if self._ahead:
            way = ", ".join([*(f"{turn.step} ({turn.arm})" for turn in self._begin.turns), self._begin.step])
            raise LookupError(f"these steps have no such place to begin at: {way}")
        return ALL_DONE

    async def _through(self, steps: Steps, then: str | None, turns: tuple[Turn, ...], world: World) -> None:
        """Take *steps*, which lie in the arms of *turns*; *then* is the step that follows them."""
        for step, following in zip(steps, [*(step.id for step in steps[1:]), then], strict=False):
            arm = None
            if self._ahead:  # to where the walk begins, steps are only gone past
                taken = len(self._begin.turns) + 1 - len(self._ahead)
                if step.id != self._ahead[0][0] or taken != len(turns):
                    continue
                arm = self._ahead.popleft()[1]
            if arm is None:
                self._turns = turns
                arm = await self._take(step, following, world)
            if arm is not None:
                await self._through(step.arm(arm).steps, following, (*turns, Turn(step.id, arm)), world)

    async def _take(self, step: AnyStep, following: str | None, world: World) -> str | None:
        """Enter a step and pass it. Returns the arm to go on in, if it has any."""
        self.diary.enter(step.id, self._at)
        match step:
            case Message():
                await self._send(self._visit(step, following, world), world)
            case Wait():
                await self._pass_time(step, world)
            case If():
                return await self._ask(step, world)
            case End():
                self.diary.passed(step.id, self._at, step.end)
                raise _Over(step.end)
        return None

    def _visit(self, step: AnyStep, following: str | None, world: World) -> Visit:
        expires = step.expires if isinstance(step, Message) else None
        return Visit(
            run=self._run,
            version=self._version,
            step=step,
            position=self.position,
            now=world.now(),
            unwritten=self.diary.unwritten,
            known=self.known,
            following=following,
            expires_at=None if expires is None else self._at + at_pace(expires, self._day),
        )

    async def _send(self, visit: Visit, world: World) -> None:
        delivery = await self._delivered(visit, world)
        self.diary.already(visit.lines_after(delivery))
        self._deliveries[visit.step.id] = delivery
        self._at = delivery.at

    async def _delivered(self, visit: Visit, world: World) -> Delivery:
        """Send, as soon as it is not held any more: each time everything is looked at anew."""
        while isinstance(answer := await world.deliver(visit), Held):
            self.diary.wrote_all()
            # Nothing is held longer than it may be sent: what has expired by then is blocked.
            until = min(answer.until, visit.expires_at or answer.until)
            why = f"Hold {visit.message.content} until {clock(until)}: {answer.why}"
            await world.wait(until, lambda: False, why)
            visit = self._visit(visit.step, visit.following, world)
        return answer

    async def _pass_time(self, step: Wait, world: World) -> None:
        until = self._at + at_pace(step.wait, self._day)
        await world.wait(until, lambda: False, f"Wait {say(step.wait)} until {clock(until)}")
        # The next step is entered when the wait was due, not when somebody woke up: waits do not drift.
        self._at = until
        self.diary.passed(step.id, until, f"waited {say(step.wait)}")

    async def _ask(self, step: If, world: World) -> str:
        window = self._window(step.if_)
        what = step.if_.words
        # Kept when it occurred in time, even if it is heard of late; never once the limit has been taken.
        yes = await world.wait(
            window.until,
            lambda: self._answer(step, window) is not None,
            f"Wait for {what} until {clock(window.until)}",
        )
        answer = self._answer(step, window) if yes else None
        if answer is None:
            self._at = max(window.until, self._at)
            self.diary.passed(step.id, self._at, f"no {what} within {say(step.if_.within)}", "no")
            return "no"
        # What comes next counts from when it occurred, so that it is all the same how late it was heard of.
        self._at = max(world.now() if self._from_hearing else answer.at, self._at)
        self._taken[answer.event] = self.diary.lines
        self.diary.passed(step.id, self._at, what, "yes")
        return "yes"

    def _window(self, question: Question) -> Window:
        sent = self._deliveries[question.message].at if isinstance(question, MessageQuestion) else None
        return window(question, self._at, sent, self._day)

    def _answer(self, step: If, window: Window) -> Arrival | None:
        """The first arrival that answers the step in time. One event is not the visit and the next visit as well."""
        once = isinstance(step.if_, EventQuestion) and not self._from_hearing
        used = self._taken if once else ()
        heard = (arrival for arrival in self._arrivals.values() if arrival.event not in used)
        return next((arrival for arrival in heard if step.id in arrival.answers and window.has(arrival.at)), None)


class Window(NamedTuple):
    """From when on (None: any time) and until when an answer counts, both included (aware UTC)."""

    since: datetime | None
    until: datetime

    def has(self, at: datetime) -> bool:
        """Whether an answer counts that occurred then."""
        return (self.since is None or self.since <= at) and at <= self.until


def window(question: Question, asked_at: datetime, sent_at: datetime | None, day: timedelta) -> Window:
    """When an answer to *question* counts. *sent_at*: when the message that it is about was sent, if it is about one.

    Dynamics 365: "within one day after it was sent". The limit counts from the send, not from the if.
    """
    if sent_at is not None:
        return Window(None, sent_at + at_pace(question.within, day))
    return Window(asked_at, asked_at + at_pace(question.within, day))


def clock(at: datetime) -> str:
    """A time for people: ``24 Nov 09:00`` (UTC). Seconds are shown only where they are not zero."""
    at = at.replace(microsecond=0)
    return f"{at.day} {at:%b %H:%M:%S}" if at.second else f"{at.day} {at:%b %H:%M}"
