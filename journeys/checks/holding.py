"""What quiet times do to the messages of a journey: how long they hold them, and which they never let out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import time, timedelta

from journeys.checks.course import ANY, NO_TIME, SECOND, Clocks, Course, Elapsed, Part, clocks
from journeys.checks.review import Review
from journeys.clearance.policy import QuietTime, say_quiet_time
from journeys.clearance.quiet import DAY, WEEK, QuietByClocks, quiet_by_clocks
from journeys.findings import Findings, warning
from journeys.language.clock import say_time
from journeys.language.durations import say
from journeys.steps import Message, placed
from journeys.steps.messages import AtDate


def course(review: Review) -> Course:
    """When the steps of a journey are entered, where the policy holds its messages."""

    def hold(step: Message, now: Clocks) -> tuple[Clocks, Elapsed]:
        after, takes = _held(review, step, now)
        caps = [] if "caps" in review.journey.ignored(step) else review.catalogue.policy.caps
        about = [cap for cap in caps if cap.over == "hold" and cap.is_about(step.kind, review.purpose(step))]
        return (ANY, Elapsed(0, takes.most + max(cap.per for cap in about) // SECOND)) if about else (after, takes)

    return Course(review.journey.steps, hold)


def check_quiet(review: Review, course: Course) -> Iterator[Findings]:
    """A warning for each message that quiet times never let out, and for each that they always hold."""
    for path, step in placed(review.journey.steps, "steps"):
        if isinstance(step, Message) and (now := course.entered.get(step.id)):
            each = (_always(path, step, now, where, review) for where in (None, *_conditions(review, step)))
            yield from next(filter(None, map(list, each)), [])


def _always(path: str, step: Message, now: Clocks, where: str | None, review: Review) -> Iterator[Findings]:
    """What is always so of a message, for everybody or only *where* that holds: clocks show nothing else there."""
    rules = _rules(review, step, where)
    plan = quiet_by_clocks(tuple(rules))
    if plan.always:
        of = f"for customers of whom {where} holds, " if where else ""
        yield warning(path, f"{of}nothing ever lets it out: {_said(rules)} leaves no time of the week.", _HINT)
        return
    parts = now.parts(plan.weekly) if now.known else []
    if not parts or any(part.end is None for part in parts):
        return
    within = f"reached {_shown(now)}, within {_said(_quiet_in(rules, parts))}" + (f" (where {where})" if where else "")
    least = min(part.end - part.last for part in parts if part.end is not None)
    if isinstance(step.expires, timedelta) and least >= step.expires / SECOND:
        message = f"it never goes out: it is {within}, and expires after {say(step.expires)}, before that is over."
        yield warning(f"{path}.expires", message, f"Let it be reached at another time, or wait longer. {_HINT}")
    else:
        yield warning(path, f"it is {within}, and so always held, until {_ends(parts)}.", f"{_ELSE} {_HINT}")


_HINT = "If it may go out then, say quiet: ignore."
_ELSE = "Wait until a time that is not quiet, if that is not meant."


def _held(review: Review, step: Message, now: Clocks) -> tuple[Clocks, Elapsed]:
    """What clocks show after a message, and how long quiet times hold it."""
    if not (rules := _rules(review, step, None)):
        return now, NO_TIME
    plan, spread = quiet_by_clocks(tuple(rules)), -(-review.catalogue.policy.spread // SECOND)
    if plan.always:
        return ANY, Elapsed(0, WEEK)
    parts = now.parts(plan.weekly)
    left = [out for part in parts for out in _left(part, step, spread)]
    holds = [(0, 0) if part.end is None else (part.end - part.last, part.end - part.first) for part in parts]
    least, most = min(least for least, _ in holds), max(most for _, most in holds)
    expires = 0 if isinstance(step.expires, AtDate) else least if step.expires is None else step.expires // SECOND
    return clocks(left), Elapsed(min(least, expires), most + spread)


def _left(part: Part, step: Message, spread: int) -> Iterator[tuple[int, int]]:
    """When a message is passed that is reached then: as it is let out, or blocked as it expires before."""
    if part.end is None:
        yield part.first, part.last
        return
    match step.expires:
        case None:
            yield part.end, part.end + spread
        case timedelta() as after:
            expires = -(-after // SECOND)
            if part.end - part.last < expires:
                yield part.end, part.end + spread
            if part.end - part.first >= expires:
                yield part.first + expires, min(part.last + expires, part.end)
        case _:  # a date, which may be any
            yield part.first, part.end + spread


def _rules(review: Review, step: Message, where: str | None) -> list[QuietTime]:
    """The rules that hold for a message and everybody, and where *where* does."""
    if "quiet" in review.journey.ignored(step):
        return []
    purpose = review.purpose(step)
    about = (rule for rule in review.catalogue.policy.quiet if rule.is_about(step.kind, purpose))
    return [rule for rule in about if rule.where in (None, where)]


def _conditions(review: Review, step: Message) -> Iterable[str]:
    purpose = review.purpose(step)
    about = (rule for rule in review.catalogue.policy.quiet if rule.is_about(step.kind, purpose))
    return dict.fromkeys(rule.where for rule in about if rule.where is not None)


def _quiet_in(rules: Iterable[QuietTime], parts: Sequence[Part]) -> list[QuietTime]:
    """Those of the rules that make some part of these quiet."""
    return [rule for rule in rules if any(_is_quiet(quiet_by_clocks((rule,)), part) for part in parts)]


def _is_quiet(plan: QuietByClocks, part: Part) -> bool:
    begins = plan.weekly.beginning(part.first % WEEK)
    return begins is not None and part.end is not None and begins - part.first % WEEK < part.end - part.first


def _said(rules: Sequence[QuietTime]) -> str:
    """The quiet times of some rules, in words."""
    named = list(dict.fromkeys(map(say_quiet_time, rules)))
    more = [f"{len(named) - 3} more"] if len(named) > 3 else []
    *others, last = [*named[:3], *more]
    return f"quiet time {', '.join(others)} and {last}" if others else f"quiet time {last}"


def _shown(now: Clocks) -> str:
    """When a message is reached, in words."""
    days = sorted({(first % DAY, last - first) for first, last in now.within})
    said = [
        f"at {_clock(first)}" if lasts == 0 else f"between {_clock(first)} and {_clock(first + lasts)}"
        for first, lasts in days
        if lasts < DAY
    ]
    return " or ".join(said) if 0 < len(said) <= 3 and len(said) == len(days) else "only then"


def _ends(parts: Iterable[Part]) -> str:
    ends = sorted({part.end % DAY for part in parts if part.end is not None})
    return " or ".join(map(_clock, ends)) if len(ends) <= 3 else "it is over"


def _clock(second: int) -> str:
    minutes, seconds = divmod(second % DAY, 60)
    return say_time(time(minutes // 60, minutes % 60, seconds))
