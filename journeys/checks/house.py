"""What a journey does that the house's policy does not let through: seldom meant, though it may be published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from journeys.checks.course import SECOND, Course
from journeys.checks.holding import check_quiet, course
from journeys.checks.often import MOST_ABOVE, Crowd, Limit, above
from journeys.checks.review import Review
from journeys.clearance.policy import Cap, Rate, Rule, SameContent
from journeys.findings import Findings, warning
from journeys.language.durations import say
from journeys.steps import Ignored, Message, placed

MOST_NAMED = 5
"""Messages, and arms of a way, that are named; how many more there are is said."""


def check_house(review: Review) -> Iterator[Findings]:
    """Warnings of quiet times, caps and the brake, as the policy has them now."""
    messages = [_Sent(path, step) for path, step in placed(review.journey.steps, "steps") if isinstance(step, Message)]
    if not messages:
        return
    way = course(review)
    yield from check_quiet(review, way)
    for cap in review.catalogue.policy.caps:
        yield from _capped(review, way, cap, messages)
    if same := review.catalogue.policy.brake.same_content:
        for content in sorted({sent.step.content for sent in messages}):
            yield from _braked(review, way, same, [sent for sent in messages if sent.step.content == content])
    yield from _needless(review, messages)


class _Sent(NamedTuple):
    """A message of the journey, and where it is written."""

    path: str
    step: Message


def _capped(review: Review, way: Course, cap: Cap, messages: Sequence[_Sent]) -> Iterator[Findings]:
    """Whether a cap leaves a place for each message, on whatever way."""
    about = [sent.step for sent in messages if cap.is_about(sent.step.kind, review.purpose(sent.step))]
    held_to = [step for step in about if "caps" not in review.journey.ignored(step)]
    found = above(_limit(cap, about, held_to), review.journey.steps, way)
    if found.crowd is None:
        return
    becomes = "held until there is a place" if cap.over == "hold" else "blocked"
    message = f"{_due(found.crowd, cap)}, and the cap lets {cap.at_most} through: what is above it is {becomes}."
    if found.never and cap.over == "block":
        message += f" {_and(found.never)} can never go out where those before did."
    hint = "Put more time between them, raise the cap, or say caps: ignore where it is not to hold."
    yield warning(_place(messages, found.crowd.messages[cap.at_most]), message, hint)


def _braked(review: Review, way: Course, same: SameContent, copies: Sequence[_Sent]) -> Iterator[Findings]:
    """Whether the journey would hold itself by sending one content too often."""
    about = [sent.step for sent in copies if review.purpose(sent.step) in same.purpose]
    found = above(_limit(same, about, about), review.journey.steps, way)
    if found.crowd is None:
        return
    copy = found.crowd.messages[same.at_most]
    content = copies[0].step.content
    message = (
        f'{_due(found.crowd, same)}, all of them "{content}", and the brake lets {same.at_most} copies through: '
        f'at "{copy}" it holds the journey for everybody, until somebody lets it go.'
    )
    yield warning(_place(copies, copy), message, "Send another content there, or put more time between them.")


def _limit(rate: Rate | Cap, about: Iterable[Message], held_to: Iterable[Message]) -> Limit:
    messages, held = frozenset(step.id for step in about), frozenset(step.id for step in held_to)
    return Limit(messages, held, rate.at_most, rate.per // SECOND)


def _due(crowd: Crowd, rate: Rate | Cap) -> str:
    """How many messages come due, which these are, and on which way."""
    number = len(crowd.messages)
    more = " or more" if number == rate.at_most + MOST_ABOVE else ""
    by = f"; by {', '.join(_some(f'{turn.step}: {turn.arm}' for turn in crowd.way))}" if crowd.way else ""
    return f"{number}{more} messages may come due within {say(rate.per)} ({_and(crowd.messages)}{by})"


def _needless(review: Review, messages: Sequence[_Sent]) -> Iterator[Findings]:
    """Where rules are ignored that do not hold for a message in any case."""
    policy, journey = review.catalogue.policy, review.journey
    kinds: Sequence[tuple[Ignored, Sequence[Rule], str]] = (
        ("quiet", policy.quiet, "quiet times"),
        ("caps", policy.caps, "caps"),
    )
    for name, rules, words in kinds:
        needless = _is_needless(review, rules)
        message = f"changes nothing: the policy's {words} are about commercial messages, and {{}} transactional."
        if getattr(journey, name) and all(map(needless, messages)):
            yield warning(name, message.format("all of these are"), "Leave it out.")
        for sent in messages:
            if getattr(sent.step, name) and needless(sent):
                yield warning(f"{sent.path}.{name}", message.format("this one is"), "Leave it out.")


def _is_needless(review: Review, rules: Sequence[Rule]) -> Callable[[_Sent], bool]:
    def needless(sent: _Sent) -> bool:
        about = [rule for rule in rules if sent.step.kind in rule.channels]
        return (
            review.purpose(sent.step) == "transactional"
            and bool(about)
            and not any("transactional" in rule.purpose for rule in about)
        )

    return needless


def _place(messages: Iterable[_Sent], id: str) -> str:
    return next(sent.path for sent in messages if sent.step.id == id)


def _and(ids: Sequence[str]) -> str:
    *others, last = _some(f'"{id}"' for id in ids)
    return f"{', '.join(others)} and {last}" if others else last


def _some(named: Iterable[str]) -> list[str]:
    each = list(named)
    return each if len(each) <= MOST_NAMED + 1 else [*each[:MOST_NAMED], f"{len(each) - MOST_NAMED} more"]
