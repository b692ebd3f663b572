"""What must be right about the tree of steps, and about everything that its steps use, in the order it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from journeys.checks.actions import KnownThen, check_raise, check_set, check_told
from journeys.checks.choices import check_choice
from journeys.checks.conditions import check_listening, check_of_customer
from journeys.checks.contents import check_sent
from journeys.checks.durations import check_positive, check_whole
from journeys.checks.earlier import Earlier
from journeys.checks.references import check_address, check_channel, check_date, check_endpoint, check_message
from journeys.checks.review import Review
from journeys.findings import Findings, flaw
from journeys.language.clock import say_instant
from journeys.links import flaw_of
from journeys.replies import folded
from journeys.steps import AnyStep, Step, lead_on, placed
from journeys.steps.uses import (
    AddressUse,
    BecomesUse,
    ChannelUse,
    ConditionsUse,
    ContentUse,
    DateUse,
    DurationUse,
    EndpointUse,
    ExpressionUse,
    InstantUse,
    LinkUse,
    MessageUse,
    RaiseUse,
    ReplyUse,
    SetUse,
    SharesUse,
    TriggerUse,
    Use,
    WinnerUse,
)

MOST_BYTES = 2_000_000
"""Of all steps as JSON: a run is given them whole, and Temporal takes 2 MiB at most."""


def check_steps(review: Review, of: tuple[type[Use], ...] | None = None) -> Iterator[Findings]:
    """What is wrong with the tree and with what its steps use, or only with those *of* these types."""
    steps = review.journey.steps
    yield from _ids(steps)
    yield from check_whole(steps)
    yield from _size(review)
    yield from _each(review, steps, "steps", Earlier(), of)


def _ids(steps: Sequence[AnyStep]) -> Iterator[Findings]:
    seen: dict[str, str] = {}
    for path, step in placed(steps, "steps"):
        if step.id in seen:
            message = f'"{step.id}" is already the id of {seen[step.id]}.'
            yield flaw(f"{path}.id", message, "Give every step an id of its own.")
        seen.setdefault(step.id, path)


def _size(review: Review) -> Iterator[Findings]:
    written = review.journey.model_dump_json(include={"steps"}, by_alias=True, exclude_defaults=True)
    if (size := len(written.encode())) > MOST_BYTES:
        message = f"take {size:,} bytes as JSON; at most {MOST_BYTES:,} can be handed to a run."
        yield flaw("steps", message, "Write shorter conditions, or make a journey of each part.")


def _each(
    review: Review, steps: Sequence[AnyStep], path: str, earlier: Earlier, of: tuple[type[Use], ...] | None
) -> Iterator[Findings]:
    """What is found in *steps*. What comes *earlier* grows on the way."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if index and not steps[index - 1].leads_on:
            message = f'nothing leads to "{step.id}": every run ends at "{steps[index - 1].id}".'
            yield flaw(here, message, "Remove what comes after it, or let a run go on there.")
        for use in step.uses:
            if of is None or isinstance(use, of):
                yield from _use(review, here, use, earlier)
        earlier.come_to(step)
        yield from _arm_names(step, here)
        joining: list[Earlier] = []
        for arm in step.arms:
            inside = earlier.on_the_way()
            yield from _each(review, arm.steps, f"{here}.{arm.field}", inside, of)
            if arm.meanwhile:
                earlier.left_anywhere(inside)
            elif lead_on(arm.steps):
                joining.append(inside)
        earlier.joined(joining)


def _arm_names(step: Step, path: str) -> Iterator[Findings]:
    seen: set[str] = set()
    for arm in sorted(step.arms, key=lambda arm: arm.is_named):  # the names that the step gives come first
        if arm.name in seen:
            message = f'"{arm.name}" is already the name of an arm of "{step.id}".'
            field = f"{path}.{arm.field.rpartition('.')[0]}.arm"
            yield flaw(field, message, "Give every arm of a step a name of its own.")
        seen.add(arm.name)


def _use(review: Review, path: str, use: Use, earlier: Earlier) -> Iterator[Findings]:  # noqa: C901, PLR0912 - a list of cases
    """What is wrong with one thing that the step at *path* refers to, or takes."""
    here = f"{path}.{use.path}"
    match use:
        case ChannelUse(kind=kind):
            yield from check_channel(review, here, kind)
        case AddressUse(attribute=attribute):
            yield from check_address(review, here, attribute)
        case ContentUse():
            yield from check_sent(review, here, use)
        case TriggerUse(trigger=trigger, where=where):
            yield from check_listening(review, here, trigger, where)
        case EndpointUse(endpoint=endpoint):
            yield from check_endpoint(review, here, endpoint)
        case BecomesUse(condition=condition):
            yield from check_of_customer(review, here, condition, "becomes")
        case DateUse():
            yield from check_date(review, here, use)
        case InstantUse():
            yield from _instant(review, here, use)
        case RaiseUse() | SetUse() | ExpressionUse():
            yield _action(review, use).within(path)
        case DurationUse(duration=duration):
            yield from check_positive(here, duration)
        case MessageUse():
            yield from check_message(review, here, use, earlier.surely)
        case LinkUse() | ReplyUse():
            yield from _detail(here, use)
        case ConditionsUse() | SharesUse() | WinnerUse():
            yield check_choice(here, use, review.scope(sent=True), earlier, review.journey)


def _detail(path: str, use: LinkUse | ReplyUse) -> Iterator[Findings]:
    """What is wrong with the link of a click that is asked for, or with the words of a reply."""
    match use:
        case LinkUse(interaction="clicked", link=link):
            if wrong := flaw_of(link):
                yield flaw(path, f'found "{link}"; {wrong}.')
        case LinkUse(interaction=interaction):
            message = f"only a click has a link, and what is asked for is {interaction}."
            yield flaw(path, message, "Ask whether the message was clicked, or leave the link out.")
        case ReplyUse(interaction="replied", replies=replies):
            for reply in replies:
                if not folded(reply):
                    yield flaw(
                        path, "an answer that nobody sees is none.", "Write words, digits or symbols, such as 👍."
                    )
        case ReplyUse(interaction=interaction):
            message = f"only a reply has words, and what is asked for is {interaction}."
            yield flaw(path, message, "Ask whether the text was replied.")


def _instant(review: Review, path: str, use: InstantUse) -> Iterator[Findings]:
    if review.now is not None and use.at <= review.now:
        message = f"{say_instant(use.at)} has passed: everybody would be late."
        yield flaw(path, message, "Give a later time, or leave it out.")


def _action(review: Review, use: RaiseUse | SetUse | ExpressionUse) -> Findings:
    """What is wrong with what a step works out and does."""
    scope = review.scope()
    if review.event is None or scope is None:
        return Findings()  # the trigger itself is not known, and said to be
    known = KnownThen(scope, review.event, review.catalogue.customer)
    match use:
        case RaiseUse():
            return check_raise(use, review.catalogue.triggers, known)
        case SetUse():
            return check_set(use, known)
        case ExpressionUse():
            return check_told(use, known)
