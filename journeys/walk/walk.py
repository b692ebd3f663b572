"""The walk: one customer's way through the tree of steps. The world gives it time, messages and answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from journeys.language.clock import clock, say_instant
from journeys.language.durations import say
from journeys.steps import (
    IN_TIME,
    LATE,
    MEANWHILE,
    AnyStep,
    Asking,
    Await,
    BecomesQuestion,
    Branch,
    Email,
    End,
    EventQuestion,
    If,
    Message,
    Push,
    Question,
    Raise,
    Set,
    Split,
    Steps,
    Test,
    Text,
    Until,
    Wait,
    Webhook,
)
from journeys.walk.answer_window import Window, asked, in_vain, window
from journeys.walk.diary import Delivery, Diary, Entry, Held, say_until
from journeys.walk.pace import DAY, at_pace, later
from journeys.walk.position import Arrival, Position, Turn, way_to
from journeys.walk.world import Visit, World

ALL_DONE = "all steps done"
"""Why a run is complete that came to its last step."""

SKEW = timedelta(minutes=1)
"""By so much clocks of machines may differ: what occurred so soon after a moment may have come before it."""


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
        self._no_sooner = at.moved_at or at.since  # what has come due by a move is due with it, and not long ago
        self._deliveries = dict(at.sent)
        self._series: list[_Series] = []  # what is walked within, from the outside in
        self._inside = dict(at.inside)  # since when, also of those that were left
        self._arrivals: dict[str, Arrival] = {}
        self._let_go = 0  # how often it was told to look again at what it holds
        self._taken = {event: _Taken(0, around) for event, around in at.taken.items()}
        for arrival in at.heard:
            self.arrive(arrival)

    @property
    def position(self) -> Position:
        """Where it stands: another walk can begin there."""
        entered = next(entry for entry in reversed(self.diary.entries) if entry.stands)
        return Position(
            step=entered.step,
            since=entered.at,
            turns=self._turns,
            lines=entered.n + 1,
            sent=dict(self._deliveries),
            heard=self.heard,
            taken={event: taken.around for event, taken in self._taken.items()},
            inside=self._around(entered, self._turns),
            moved_at=self._moved_at(entered),
        )

    @property
    def heard(self) -> tuple[Arrival, ...]:
        """What has arrived, in that order."""
        return tuple(self._arrivals.values())

    @property
    def known(self) -> tuple[str, ...]:
        """The events that it had heard of for the questions that it passed and the store knows nothing of yet.

        Those for the steps around it are among them: they may be answered at any moment.
        """
        steps = {entry.step for entry in self.diary.unwritten if entry.arm}
        steps |= {series.step.id for series in self._series}
        return tuple(heard.event for heard in self._arrivals.values() if not steps.isdisjoint(heard.steps))

    def anew(self, arrivals: Iterable[Arrival]) -> Walk:
        """Another walk, from where the store knows this one to stand, that has heard of *arrivals* as well."""
        stands = self.diary.written
        turns = way_to(self._steps, stands.step) or ()
        position = Position(
            step=stands.step,
            since=stands.at,
            turns=turns,
            lines=stands.n + 1,
            sent=dict(self._deliveries),
            heard=(*arrivals, *self._arrivals.values()),
            taken={event: taken.around for event, taken in self._taken.items() if taken.line <= stands.n},
            inside=self._around(stands, turns),
            moved_at=self._moved_at(stands),
        )
        return Walk(
            self._steps,
            position,
            run=self._run,
            version=self._version,
            day=self._day,
            from_hearing=self._from_hearing,
        )

    def _around(self, stands: Entry, turns: Iterable[Turn]) -> dict[str, datetime]:
        """The series that it is inside of at a line of the diary, with when they were entered."""
        around = [turn.step for turn in turns if turn.arm == MEANWHILE]
        around += [stands.step] if stands.did == "returned" else []
        return {step: self._inside[step] for step in around if step in self._inside}

    def _moved_at(self, stands: Entry) -> datetime | None:
        return self._begin.moved_at if stands.n == self._begin.lines - 1 else None

    def there(self, window: Window) -> Window:
        """When an answer counts that is there already as its step is entered; what occurred afterwards is none yet."""
        return window.up_to(self._at)

    def arrive(self, arrival: Arrival) -> None:
        """Record an arrival; an event that was seen before changes nothing."""
        self._arrivals.setdefault(arrival.event, arrival)

    def let_go(self) -> None:
        """Look again at the message that is held, if one is."""
        self._let_go += 1

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

    async def _through(self, steps: Sequence[AnyStep], then: str | None, turns: tuple[Turn, ...], world: World) -> None:
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
            if isinstance(step, Until) and arm == MEANWHILE:
                arm = await self._meanwhile(step, turns, world)
            if arm is not None:
                await self._through(step.arm(arm).steps, following, (*turns, Turn(step.id, arm)), world)

    async def _take(self, step: AnyStep, following: str | None, world: World) -> str | None:
        """Enter a step and pass it. Returns the arm to go on in, if it has any."""
        self._leave_if_over(self._at)
        self.diary.enter(step.id, self._at)
        match step:
            case Email() | Text() | Push():
                await self._send(step, following, world)
            case Raise() | Set() | Webhook():
                await self._act(step, following, world)
            case Wait(wait=timedelta() as duration):
                await self._pass_time(step, duration, world)
            case Wait():
                return await self._wait_until(step, following, world)
            case If() | Await():
                return await self._ask(step, following, world)
            case Branch() | Split() | Test():
                return await self._choose(step, following, world)
            case Until():
                return await self._begin_series(step, following, world)
            case End():
                self.diary.passed(step.id, self._at, step.end)
                raise _Over(step.end)
        return None

    def _visit(self, step: AnyStep, following: str | None, world: World, expires_at: datetime | None = None) -> Visit:
        return Visit(
            run=self._run,
            version=self._version,
            step=None if step.arms else step,
            position=self.position,
            now=world.now(),
            unwritten=self.diary.unwritten,
            known=self.known,
            following=following,
            returns=bool(self._series) and following == self._series[-1].step.id,
            expires_at=expires_at,
        )

    async def _send(self, step: Email | Text | Push, following: str | None, world: World) -> None:
        expires_at = self._in(step.expires) if isinstance(step.expires, timedelta) else None
        await self._do(world.deliver, step, following, expires_at, world)

    async def _act(self, step: Raise | Set | Webhook, following: str | None, world: World) -> None:
        expires_at = self._in(step.within) if isinstance(step, Webhook) else None
        await self._do(world.perform, step, following, expires_at, world)

    async def _do(
        self,
        act: Callable[[Visit], Awaitable[Delivery | Held]],
        step: Email | Text | Push | Raise | Set | Webhook,
        following: str | None,
        expires_at: datetime | None,
        world: World,
    ) -> None:
        """Send or act, as soon as it is not held any more: each time everything is looked at anew."""
        while True:
            self._leave_before_doing(world.now())
            visit = self._visit(step, following, world, expires_at)
            let_go = self._let_go
            answer = await act(visit)
            if not isinstance(answer, Held):
                return self._did(visit, answer)
            self.diary.wrote_all()
            # Nothing is held longer than it may be sent: what has expired by then is blocked. Not so what is parked: a
            # message says until when itself, and the time of a call is over already.
            is_over = expires_at is not None and expires_at <= world.now()
            ends = None if answer.by == "park" or is_over else expires_at
            until = min(filter(None, (answer.until, ends)), default=None)
            what = step.content if isinstance(step, Message) else step.words
            why = f"Hold {what} until {say_until(until, answer.by, world.now())}: {answer.why}"
            await self._hold(until, let_go, why, world)

    async def _hold(self, until: datetime | None, let_go: int, why: str, world: World) -> None:
        """Wait until then, or until it is let go, but no longer than the steps around this one are walked."""
        limits = [series.window.until for series in self._series]

        def arrived() -> bool:
            return self._let_go != let_go or any(map(self._is_answered, self._series))

        await world.wait(min([*filter(None, [until]), *limits], default=None), arrived, why)

    def _did(self, visit: Visit, delivery: Delivery) -> None:
        self.diary.already(visit.lines_after(delivery))
        self._deliveries[visit.at_step] = delivery
        self._at = delivery.at

    async def _pass_time(self, step: Wait, duration: timedelta, world: World) -> None:
        until = self._in(duration)
        await self._wait(until, _nothing, f"Wait {say(duration)} until {clock(until, world.now())}", world)
        # The next step is entered when the wait was due, not when somebody woke up: waits do not drift.
        self._at = max(until, self._no_sooner)
        self.diary.passed(step.id, self._at, f"waited {say(duration)}")

    async def _wait_until(self, step: Wait, following: str | None, world: World) -> str | None:
        """Wait until a moment, unless it has passed or there is none. Returns the arm, if the step has any."""
        moment = await world.moment(self._visit(step, following, world))
        self.diary.wrote_all()
        arm, why = LATE, "late: it does not wait"
        if moment.at is not None and not moment.late:
            arm, why = IN_TIME, f"waited until {say_instant(moment.at)}"
            await self._wait(moment.at, _nothing, f"Wait until {say_instant(moment.at)}", world)
            self._at = moment.at
        self._at = max(self._at, self._no_sooner)
        taken = arm if step.arms else None
        self.diary.passed(step.id, self._at, why, taken)
        return taken

    async def _choose(self, step: Branch | Split | Test, following: str | None, world: World) -> str:
        arm = await self._decided(step, following, world)
        if arm is None:
            raise LookupError(f'nothing chose an arm of "{step.id}"')
        return arm

    async def _decided(self, step: AnyStep, following: str | None, world: World) -> str | None:
        """The arm that is taken by what is known now; with it, the step is passed."""
        self._leave_before_doing(world.now())
        visit = self._visit(step, following, world)
        choice = await world.decide(visit)
        self.diary.wrote_all()
        if choice is None:
            return None
        self.diary.already(visit.passed(self._at, choice.why, step, choice.arm))
        return choice.arm

    async def _ask(self, step: If | Await, following: str | None, world: World) -> str:
        window = self._window(step)
        if arm := await self._answered(step, window, following, world):
            return arm
        # Kept when it occurred in time, even if it is heard of late; never once the limit has been taken.
        why = f"Wait for {asked(step)} until {clock(window.until, world.now())}"
        await self._wait(window.until, lambda: self._answer(step, window), why, world)
        return self._take_answer(step, window, world) or self._take_none(step, window.until, in_vain(step))

    async def _answered(self, step: Asking, window: Window, following: str | None, world: World) -> str | None:
        """The arm of the answer that is there when a step is entered."""
        if arm := self._take_answer(step, self.there(window), world):
            return arm
        becomes = any(isinstance(question, BecomesQuestion) for question in step.questions.values())
        if becomes and self._answer(step, window) is None:
            return await self._decided(step, following, world)
        return None

    def _take_answer(self, step: Asking, window: Window, world: World) -> str | None:
        """Pass a step by the arm of its answer, if there is one."""
        answer = self._answer(step, window)
        if answer is None:
            return None
        # What comes next counts from when it occurred, so that it is all the same how late it was heard of.
        self._at = max(world.now() if self._from_hearing else answer.at, self._at)
        around = tuple(series.step.id for series in self._series)
        self._taken[answer.event] = _Taken(self.diary.lines, around)
        self.diary.passed(step.id, self._at, step.questions[answer.arm].words, answer.arm)
        return answer.arm

    def _take_none(self, step: Asking, at: datetime, why: str) -> str:
        """Pass a step by the arm for no answer, which is the last one."""
        self._at = max(at, self._at, self._no_sooner)
        arm = step.arms[-1].name
        self.diary.passed(step.id, self._at, why, arm)
        return arm

    async def _begin_series(self, step: Until, following: str | None, world: World) -> str:
        """Walk the steps within, unless what they are walked until is there already."""
        if self._has_returned_to(step):
            return MEANWHILE
        window = self._window(step)
        why = f"Look for {asked(step)}"
        there = self.there(window)
        await world.wait(self._at, lambda: self._answer(step, there) is not None, why)  # no time passes
        if arm := await self._answered(step, window, following, world):
            return arm
        self._inside[step.id] = self._at
        return MEANWHILE

    async def _meanwhile(self, step: Until, turns: tuple[Turn, ...], world: World) -> str:
        """Walk the steps within, as far as the run comes in them. Returns the arm to go on in then."""
        series = _Series(step, self._window(step))
        self._series.append(series)
        try:
            if not self._has_returned_to(step):
                await self._through(step.steps, step.id, (*turns, Turn(step.id, MEANWHILE)), world)
            window, at, why = series.window.up_to(later(self._at, SKEW)), self._at, "all within is done"
        except _Left as left:
            if left.series is not series:
                raise
            window, at, why = series.window, series.window.until, in_vain(step)
            self._leave(series, at, why)
        finally:
            self._series.pop()
        self._turns = turns
        return self._take_answer(step, window, world) or self._take_none(step, at, why)

    def _leave(self, series: _Series, at: datetime, why: str) -> None:
        """Note that the step within, where the run stands, is not finished: for the answer, or else for *why*."""
        if self.diary.at_step == series.step.id:
            return  # none of them was entered
        if answer := self._answer(series.step, series.window):
            at, why = answer.at, series.step.questions[answer.arm].words
        self.diary.leave(why, max(at, self._at))

    async def _wait(self, until: datetime, answer: Callable[[], _Answer | None], why: str, world: World) -> None:
        """Wait, but no longer than the steps around this one are walked. Raises _Left where they are not any more."""
        limits = [series.window.until for series in self._series]

        def arrived() -> bool:
            return answer() is not None or any(map(self._is_answered, self._series))

        await world.wait(min([until, *limits]), arrived, why)
        # Much may have come meanwhile: what occurred first counts, and an answer before what ends at the same instant.
        own = answer()
        self._leave_if_over(own.at - timedelta.resolution if own else until)

    def _has_returned_to(self, step: Until) -> bool:
        last = self.diary.entries[-1]
        return last.did == "returned" and last.step == step.id

    def _ends_at(self, series: _Series) -> datetime:
        """When steps around this one are left, as far as it is known: at their answer, or else at their limit."""
        answer = self._answer(series.step, series.window)
        return answer.at if answer else series.window.until

    def _is_answered(self, series: _Series) -> bool:
        return self._answer(series.step, series.window) is not None

    def _leave_if_over(self, at: datetime) -> None:
        """Raise _Left for the steps around this one that are over first by then; of two at one instant, the outer."""
        if over := [series for series in self._series if self._ends_at(series) <= at]:
            raise _Left(min(over, key=self._ends_at))

    def _leave_before_doing(self, now: datetime) -> None:
        """The same, before anything is done: an answer that is known counts, even by a clock that is ahead of ours."""
        answered = [self._ends_at(series) for series in self._series if self._is_answered(series)]
        self._leave_if_over(max([now, *answered]))

    def _in(self, duration: timedelta) -> datetime:
        """So long after now, at the pace of the run."""
        return later(self._at, at_pace(duration, self._day))

    def _window(self, step: Asking) -> Window:
        counts_from = step.limit_counts_from
        # A run that was moved may have none: its limit counts from the question then.
        sent = self._deliveries.get(counts_from) if counts_from else None
        return window(step, self._inside.get(step.id, self._at), sent.at if sent else None, self._day)

    def _answer(self, step: Asking, window: Window) -> _Answer | None:
        """The earliest arrival that answers the step in time; of two at one instant, the one written first."""
        found = [
            _Answer(arrival.at, place, arm, arrival.event)
            for place, (arm, question) in enumerate(step.questions.items())
            for arrival in self._arrivals.values()
            if step.answer_name(arm) in arrival.answers
            and window.has(arrival.at, question)
            and not self._is_used(arrival, step, question)
        ]
        return found[0] if found and self._from_hearing else min(found, default=None)

    def _is_used(self, arrival: Arrival, step: Asking, question: Question) -> bool:
        """One event is not the visit and the next visit as well; but what was asked around the first hears of it."""
        if not isinstance(question, EventQuestion) or self._from_hearing:
            return False
        taken = self._taken.get(arrival.event)
        return taken is not None and step.id not in taken.around


class _Taken(NamedTuple):
    """The line of the diary that says that an event answered a question, and the series around that."""

    line: int
    around: tuple[str, ...]


class _Answer(NamedTuple):
    """What answers a step. The least of several is the one that counts."""

    at: datetime
    place: int
    arm: str
    event: str


class _Series(NamedTuple):
    """Steps that are walked until something happens, and when that counts."""

    step: Until
    window: Window


class _Left(Exception):
    """The steps within a series are left, wherever the run is in them."""

    def __init__(self, series: _Series) -> None:
        super().__init__()
        self.series = series


def _nothing() -> None:
    return None
