"""Every way through a journey, with when each message would go on it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

from pydantic import StringConstraints, TypeAdapter

from journeys.definition import Journey
from journeys.interactions import Kind
from journeys.language.durations import Duration
from journeys.language.moments import Moment
from journeys.models import Model
from journeys.problems import Invalid
from journeys.publishing import check_tree
from journeys.steps import LATE, MEANWHILE, AnyStep, Asking, Message, Step, every_step
from journeys.walk.answer_window import Window, asked, window
from journeys.walk.diary import Choice, Delivery, Held
from journeys.walk.pace import DAY
from journeys.walk.position import Arrival, Position, way_to
from journeys.walk.script import DEFAULT_START
from journeys.walk.walk import Walk
from journeys.walk.ways import LEFT, Way, Ways
from journeys.walk.world import Visit

_STEPS: TypeAdapter[tuple[AnyStep, ...]] = TypeAdapter(tuple[AnyStep, ...])

MOST_PATHS = 200
MOST_STEPS_SHOWN = 20_000
"""On all paths together, beyond those that are needed to cover every step."""


class PathMessage(Model):
    """A message on a path: no earlier than *earliest* and no later than *latest* after entering the journey."""

    step: str
    kind: Kind
    content: str
    earliest: Duration
    latest: Duration


class PathChoice(Model):
    """Which arm of a step a path takes."""

    step: str
    arm: str
    why: str


class Path(Model):
    """One way through the journey, its messages, and how long it takes."""

    choices: tuple[PathChoice, ...]
    messages: tuple[PathMessage, ...]
    earliest_end: Duration
    latest_end: Duration


WayCount = Annotated[str, StringConstraints(pattern="^[0-9]+$")]
"""A number of any length, to the last digit."""


class Paths(Model):
    """Ways through a journey, with when each message would go. *ways*: how many there are in all, for arms multiply.

    *paths*: all of them, or the first ones, among which every step lies on one at least.
    """

    ways: WayCount
    paths: tuple[Path, ...]


def every_path(journey: Journey) -> Paths:
    """The ways through *journey* that reach its end, as if every message were accepted at once.

    An answer may come at any moment up to its limit, so that a message after it has an earliest and a latest time.
    At most MOST_PATHS are shown unless more are needed to cover every step, and of a long journey fewer; an exit can
    end any of them at any moment. Raises Invalid where nobody could walk it.
    """
    if flaws := check_tree(journey):
        raise Invalid(f'The journey "{journey.journey}" cannot be walked as it is.', flaws)
    ways = Ways(journey.steps)
    shown = _shown(ways, sum(1 for _ in every_step(journey.steps)))
    stretches = [Stretch(steps) for steps in apart(journey.steps)]
    return Paths(ways=str(ways.number), paths=tuple(path_by(stretches, way) for way in shown))


def _shown(ways: Ways, steps: int) -> list[Way]:
    """The ways that are shown: all of them, or some that cover every step, and then the first ones."""
    most = min(ways.number, MOST_PATHS, max(1, MOST_STEPS_SHOWN // steps))
    first = [ways.nth(number) for number in range(most)]
    if most == ways.number:
        return first
    covering = ways.covering()
    return list(dict.fromkeys([*covering, *first]))[: max(most, len(covering))]


def apart(steps: Sequence[AnyStep]) -> Iterator[tuple[AnyStep, ...]]:
    """Stretches of steps that take as long whenever they are entered, and ask about no message before them.

    Such a stretch is walked once for each way through it, however many ways lead to it.
    """
    begin, needed = 0, 0
    asking = _last_asking(steps)
    for index, step in enumerate(steps):
        for inner in every_step([step]):
            needed = max(needed, asking.get(inner.id, 0))
            if inner.moment is not None:
                needed = len(steps)  # how long it takes depends on when it is entered, and all that comes after on that
        if index >= needed:
            yield tuple(steps[begin : index + 1])
            begin = index + 1
    if begin < len(steps):
        yield tuple(steps[begin:])


def _last_asking(steps: Sequence[AnyStep]) -> dict[str, int]:
    """For each message that is asked about, the place of the last step in which it is."""
    return {
        question.about: index
        for index, step in enumerate(steps)
        for inner in every_step([step])
        for question in inner.questions.values()
        if question.about
    }


class _Part(NamedTuple):
    """One way through a stretch. Times count from entering it."""

    choices: list[PathChoice]
    messages: list[tuple[Message, timedelta, timedelta]]
    earliest: timedelta
    latest: timedelta
    ended: bool


class Stretch:
    """Steps that can be walked apart from the others, and the ways through them that were walked."""

    def __init__(self, steps: tuple[AnyStep, ...]) -> None:
        self._steps = steps
        self._by_id = {step.id: step for step in every_step(steps)}
        self._walked: dict[Way, _Part] = {}

    def __contains__(self, step: str) -> bool:
        return step in self._by_id

    def part(self, turns: Way) -> _Part:
        """The way through it by these *turns*."""
        if turns not in self._walked:
            self._walked[turns] = self._walk(turns)
        return self._walked[turns]

    def _walk(self, turns: Way) -> _Part:
        steps = _without(self._steps, {turn.step for turn in turns if turn.arm == LEFT})
        at_once, at_last = (_trace(steps, self._by_id, dict(turns), late=late) for late in (False, True))
        last = {step.id: at for step, at in at_last.sent}
        for step, _ in at_once.sent:
            last.setdefault(step.id, self._left(step, at_last))
        messages = [(step, at, last[step.id]) for step, at in at_once.sent]
        end = self._by_id[at_once.last]
        latest = at_last.elapsed if end.leads_on or at_last.last == end.id else self._left(end, at_last)
        return _Part(at_once.asked, messages, at_once.elapsed, latest, not end.leads_on)

    def _left(self, step: Step, at_last: _Trace) -> timedelta:
        """The latest time of a step that is not walked any more at the last moment: its series was left then."""
        around = {turn.step for turn in way_to(self._steps, step.id) or () if turn.arm == MEANWHILE}
        left = (entry.at for entry in at_last.walk.diary.entries if entry.did == "passed" and entry.step in around)
        return min(left, default=DEFAULT_START) - DEFAULT_START


def path_by(stretches: Sequence[Stretch], way: Way) -> Path:
    """The path that is this way, stretch by stretch."""
    choices: list[PathChoice] = []
    messages: list[PathMessage] = []
    earliest = latest = timedelta(0)
    begin = 0
    for stretch in stretches:
        end = next((n for n in range(begin, len(way)) if way[n].step not in stretch), len(way))
        part, begin = stretch.part(way[begin:end]), end
        choices += part.choices
        messages += [_message(step, earliest + early, latest + late) for step, early, late in part.messages]
        earliest, latest = earliest + part.earliest, latest + part.latest
        if part.ended:
            break
    return Path(choices=tuple(choices), messages=tuple(messages), earliest_end=earliest, latest_end=latest)


def _message(step: Message, earliest: timedelta, latest: timedelta) -> PathMessage:
    return PathMessage(step=step.id, kind=step.kind, content=step.content, earliest=earliest, latest=latest)


def _without(steps: tuple[AnyStep, ...], ends: set[str]) -> tuple[AnyStep, ...]:
    """The same steps, but where some *end*, the run stands until its series is left."""
    if not ends:
        return steps
    return _STEPS.validate_python(_waiting(_STEPS.dump_python(steps, by_alias=True, exclude_unset=True), ends))


def _waiting(written: object, ends: set[str]) -> object:
    match written:
        case {"id": str(id), "end": _} if id in ends:
            return {"id": id, "wait": timedelta(days=36_500)}
        case dict():
            return {name: _waiting(value, ends) for name, value in written.items()}
        case list() | tuple():
            return [_waiting(value, ends) for value in written]
        case _:
            return written


def _trace(steps: tuple[AnyStep, ...], by_id: Mapping[str, AnyStep], arms: Mapping[str, str], *, late: bool) -> _Trace:
    trace = _Trace(steps, by_id, arms, late=late)
    walking: Generator[None, None, str] = trace.walk.go(trace).__await__()  # nothing in this world ever suspends
    for _ in walking:
        raise AssertionError("a path never waits")
    return trace


class _Along(Walk):
    """A walk to which all answers are there when their step is entered: its time goes on to the last of them then."""

    def there(self, window: Window) -> Window:
        return window


class _Trace:
    """A world in which every step with arms goes a given way: by an answer at once, or at the last moment for it."""

    def __init__(
        self, steps: tuple[AnyStep, ...], by_id: Mapping[str, AnyStep], arms: Mapping[str, str], *, late: bool
    ) -> None:
        self.walk = _Along(steps, Position.at_start(steps[0].id, DEFAULT_START))
        self.sent: list[tuple[Message, timedelta]] = []
        self.asked: list[PathChoice] = []
        self._steps = by_id
        self._arms = arms
        self._late = late
        self._now = DEFAULT_START

    @property
    def elapsed(self) -> timedelta:
        return self._now - DEFAULT_START

    @property
    def last(self) -> str:
        """The step of the last line of the diary."""
        return self.walk.diary.entries[-1].step

    def now(self) -> datetime:
        return self._now

    async def deliver(self, visit: Visit) -> Delivery:
        self.sent.append((visit.message, self.elapsed))
        return Delivery(outcome="accepted", at=self._now)

    async def perform(self, visit: Visit) -> Delivery | Held:
        if self._late and visit.expires_at and self._now < visit.expires_at:
            return Held(until=visit.expires_at, why="")  # it may be tried for so long
        return Delivery(outcome="accepted", at=self._now)

    async def decide(self, visit: Visit) -> Choice | None:
        step = self._steps[visit.at_step]
        if step.questions:
            return None  # answers come while it waits
        return Choice(arm=self._arm_of(step), why="")

    async def moment(self, visit: Visit) -> Moment:
        step = self._steps[visit.at_step]
        if step.arms and self._arm_of(step) == LATE:
            return Moment(late=True)
        return Moment(at=self._now + step.longest * self._late)

    async def wait(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> bool:
        del why
        assert until is not None  # noqa: S101 - nothing is held here without an end
        step = self._steps.get(self.walk.diary.at_step or "")
        answered = step is not None and bool(step.questions) and self._choose(step, until)
        if not answered or self._late:
            self._now = max(self._now, until)
        return arrived()

    def _choose(self, step: Step, until: datetime) -> bool:
        """Take the arm that is given for a step that asks. Returns whether it was answered."""
        arm = self._arm_of(step)
        if arm not in step.questions:
            return False
        last = self._limit(step, until)
        self._now = max(self._now, last) if self._late else self._now
        at = last if self._late else min(self._now, last)
        self.walk.arrive(Arrival(event=step.id, at=at, answers=(step.answer_name(arm),)))
        return True

    def _limit(self, step: Step, until: datetime) -> datetime:
        """The last moment for an answer. That to a series comes before its steps are walked, up to its limit."""
        if not isinstance(step, Asking) or not any(arm.meanwhile for arm in step.arms):
            return until
        sent = next((DEFAULT_START + at for message, at in self.sent if message.id == step.limit_counts_from), None)
        return window(step, self._now, sent, DAY).until  # it may be over when the step is entered

    def _arm_of(self, step: Step) -> str:
        """The arm that is given for a step, or else its last one, which is the one for no answer."""
        arm = self._arms.get(step.id, step.arms[-1].name)
        why = step.condition_of(arm) or (f"no {asked(step)}" if step.questions else "")
        self.asked.append(PathChoice(step=step.id, arm=arm, why=why))
        return arm
