"""Where a run of one version goes on in another one: at the same step, by the same way, with all it had."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from journeys.models import Frozen
from journeys.nearest import did_you_mean
from journeys.problems import Flaw
from journeys.steps import Question, Webhook
from journeys.versions import Version
from journeys.walk.position import Arrival, Position, Turn, way_to

People = Literal["stay", "move", "drain"]
"""What becomes of the people inside where a version is published: they finish theirs, or go on in the new one where
they can. ``drain`` says by name what ``stay`` does: nobody enters an old version any more, and those inside finish it.
"""

Names = Mapping[str, str]
"""What steps of an old version are called in the new one, where that is another name."""

NO_NAMES: Names = {}

BEING_SENT = "its message is being sent"
"""Why a run is not moved just now."""


class Stays(Frozen):
    """A run finishes its version, and *why*, in words that are the same for all with that reason."""

    why: str


def moved(
    old: Version, new: Version, at: Position, names: Names = NO_NAMES, left: Collection[str] = ()
) -> Position | Stays:
    """Where a run that is *at* a place in the *old* version goes on in the *new* one.

    *left*: of what repeated() names, what it had of steps that it left before they were passed.

    What it waits for keeps the instant at which it began. Nobody is put where a message, or an action, is still to come
    that they have had already.
    """
    done = at.step in at.inside
    why = hindrance(old, new, at.step, names) or had_already(new, at.step, {*at.sent, *left}, names, done=done)
    if why:
        return Stays(why=why)
    answers = answer_names(old, new, at.step, names)
    return at.model_copy(
        update={
            "step": _named(at.step, names),
            "turns": _turns(at.turns, names),
            "sent": {_named(step, names): delivery for step, delivery in at.sent.items()},
            "heard": tuple(_heard(arrival, answers) for arrival in at.heard),
            "taken": {event: tuple(_named(step, names) for step in around) for event, around in at.taken.items()},
            "inside": {_named(step, names): since for step, since in at.inside.items()},
        }
    )


def hindrance(old: Version, new: Version, step: str, names: Names = NO_NAMES) -> str:
    """Why nobody who stands at a step of the old version can go on in the new one; nothing where that is no hindrance.

    The same steps of the same kinds have to lead there, by the same arms.
    """
    there = _named(step, names)
    way = way_to(new.journey.steps, there)
    if way is None:
        return f"{there} is no step of version {new.number}"
    if type(new.steps[there]) is not type(old.steps[step]):
        return f"{there} is another kind of step in version {new.number}"
    came = way_to(old.journey.steps, step) or ()
    same = all(type(old.steps[turn.step]) is type(new.steps.get(_named(turn.step, names))) for turn in came)
    if not same or way != _turns(came, names):
        return f"another way leads to {there} in version {new.number}"
    return ""


def another(old: Version, new: Version, step: str, names: Names = NO_NAMES) -> bool:
    """Whether a step is another one in the new version, but for its name: what failed there may not fail any more."""
    return new.steps[_named(step, names)].model_copy(update={"id": step}) != old.steps[step]


def posts_another(old: Version, new: Version, step: str, names: Names = NO_NAMES) -> bool:
    """Whether something else is posted there, or to another endpoint, so that a try there is none of the same call."""
    was, now = old.steps[step], new.steps[_named(step, names)]
    if not (isinstance(was, Webhook) and isinstance(now, Webhook)):
        return False
    return (was.webhook, was.with_) != (now.webhook, now.with_)


def had_already(new: Version, step: str, had: Collection[str], names: Names = NO_NAMES, *, done: bool = False) -> str:
    """The same for a run that could go on from a step, but for what it *had* been sent, or done, by step.

    *done*: all that is within the step, which is a series, lies behind the run.
    """
    there, had = _named(step, names), set(had)
    if twice := had.intersection(names.values()):
        return f"it had {min(twice)} already, in an earlier version"
    named = {_named(id, names) for id in had} - (new.within(there) if done else frozenset())
    again = next((id for id in new.soonest(there) if id in named), None)
    return f"it had {again} already, which comes after {there} in version {new.number}" if again else ""


def repeated(old: Version, new: Version, step: str, names: Names = NO_NAMES) -> frozenset[str]:
    """What a run at a step of the old version may have had, and would come to in the new one. Not what comes in both.

    What is within the step itself may be behind the run, or come.
    It may have had it in an even earlier version, and so are steps among it whose names others are given.
    """
    ahead, there = old.soonest(step).keys() - old.within(step), new.soonest(_named(step, names))
    had = {id for id in (*old.steps, *new.steps, *names) if id not in ahead and _named(id, names) in there}
    return frozenset(had.union(names.values()))


def answer_names(old: Version, new: Version, step: str, names: Names = NO_NAMES) -> Mapping[str, str | None]:
    """What answers are called in the new version that a run at a step has heard, where that is not what they were.

    None: to what is still asked, and asks for something else now.
    """
    ahead = old.soonest(step)
    called: dict[str, str | None] = {}
    for asked in old.questions:
        there = new.steps.get(_named(asked.step.id, names))
        question = there.questions.get(asked.arm) if there else None
        if there is None or question is None or question.whole != _named_in(asked.question, names).whole:
            name = None if asked.step.id in ahead else asked.answer
        else:
            name = there.answer_name(asked.arm)
        if name != asked.answer:
            called[asked.answer] = name
    return called


def flaws_of_names(
    olds: Sequence[Version], new: Version, names: Names, known: Collection[str] = frozenset()
) -> Iterator[Flaw]:
    """What is wrong with names that somebody gives: steps that are not there, and two that would be one.

    *olds*: the versions with people inside. *known*: steps of others, which may be named as well.
    """
    before = {id for version in olds for id in version.steps}
    for old, there in names.items():
        path = f"map.{old}"
        if old not in before and old not in known:
            message = f'no older version has a step "{old}".'
            yield Flaw(path=path, message=message, hint=did_you_mean(old, {*before, *known}))
        if old in new.steps:
            message = f'version {new.number} has a step "{old}" too: nobody could tell who goes on where.'
            yield Flaw(path=path, message=message, hint="Give one of the two steps a name that is new.")
        if there not in new.steps:
            message = f'version {new.number} has no step "{there}".'
            yield Flaw(path=path, message=message, hint=did_you_mean(there, new.steps))
        elif there in before:
            message = f'"{there}" is a step of a version with people inside too, and goes on as itself.'
            yield Flaw(path=path, message=message, hint="Name a step that is new, or leave the line out.")
    given = [*names.values()]
    for there in sorted({name for name in given if given.count(name) > 1}):
        whose = ", ".join(old for old, name in names.items() if name == there)
        message = f'{whose} cannot all be "{there}".'
        yield Flaw(path="map", message=message, hint="Each step of an old version is one of the new one.")


def say_move(old: Version, new: Version) -> str:
    """What the diary says where a run is moved."""
    return f"version {old.number} → {new.number}"


def _named(step: str, names: Names) -> str:
    return names.get(step, step)


def _named_in(question: Question, names: Names) -> Question:
    """The question by the name that its message has now, if it is about one."""
    return question.model_copy(update={"message": _named(question.about, names)}) if question.about else question


def _turns(turns: Iterable[Turn], names: Names) -> tuple[Turn, ...]:
    return tuple(Turn(_named(turn.step, names), turn.arm) for turn in turns)


def _heard(arrival: Arrival, called: Mapping[str, str | None]) -> Arrival:
    answers = (called.get(answer, answer) for answer in arrival.answers)
    return arrival.model_copy(update={"answers": tuple(answer for answer in answers if answer is not None)})
