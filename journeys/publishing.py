"""What must be right before a journey may be published. Everything that is wrong is found in one go."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from journeys.checks.advice import advise
from journeys.checks.caps import check_per
from journeys.checks.circles import check_circles
from journeys.checks.conditions import check_listening, check_of_customer, check_start
from journeys.checks.durations import check_positive
from journeys.checks.references import check_key, check_trigger
from journeys.checks.review import Catalogue, Review
from journeys.checks.steps import check_steps
from journeys.definition import After, ConditionExit, EventExit, Journey
from journeys.findings import Findings, flaw, gathered
from journeys.language.zones import check_zone
from journeys.problems import Flaw
from journeys.steps.uses import DurationUse, MessageUse
from journeys.versions import Version


def version_of(journey: Journey, number: int, catalogue: Catalogue) -> Version:
    """The version that publishing makes: the journey with the attribute types it was checked against."""
    schemas = {trigger: catalogue.schema(trigger) or {} for trigger in journey.triggers | journey.raises}
    return Version(number=number, journey=journey, schemas=schemas, customer=catalogue.customer)


def check(
    journey: Journey, catalogue: Catalogue, *, told: Collection[str] = (), now: datetime | None = None
) -> list[Flaw]:
    """Every reason why *journey* may not be published, in the order in which it is written. Empty: it may.

    *told*: the contents whose own flaws are told elsewhere. *now*: when it would be published, if that is to be held
    against the instants that it waits for.
    """
    return [*gathered(_all(Review(journey, catalogue, frozenset(told), now))).flaws]


def warn(journey: Journey, catalogue: Catalogue, *, told: Collection[str] = ()) -> list[Flaw]:
    """What *journey* may be published with, and its author should know."""
    review = Review(journey, catalogue, frozenset(told))
    return [*gathered(advise(review)).warnings, *gathered(_all(review)).warnings]


def check_tree(journey: Journey) -> list[Flaw]:
    """Every reason why nobody could walk *journey*, whatever else there is or is not: it needs no catalogue."""
    review = Review(journey, Catalogue({}, {}))
    return [*gathered(check_steps(review, (DurationUse, MessageUse))).flaws]


def _all(review: Review) -> Iterator[Findings]:
    yield from _start(review)
    yield from _goal(review)
    yield from _exits(review)
    yield from _zone(review)
    if brake := review.journey.brake:
        yield from check_per("brake.entries.per", brake.entries.per)
    yield from check_steps(review)
    yield check_circles(review.journey, review.catalogue.live)


def _start(review: Review) -> Iterator[Findings]:
    start = review.journey.start
    for index, trigger in enumerate(start.triggers):
        here = "start.trigger" if isinstance(start.trigger, str) else f"start.trigger[{index}]"
        yield from check_trigger(review, here, trigger)
        if trigger in start.triggers[:index]:
            yield flaw(here, f'"{trigger}" is named twice.', "Leave one of them out.")
    yield from check_start(review)
    if start.key is not None:
        yield from check_key(review, start.key)
    if start.from_ and start.until and start.until <= start.from_:
        message = f"found {start.until.isoformat()}, which is not after from."
        yield flaw("start.until", message, "Nobody could enter. Give a later time.")
    if isinstance(start.repeat, After):
        yield from check_positive("start.repeat.after", start.repeat.after)
    yield from check_positive("start.newest", start.newest)


def _goal(review: Review) -> Iterator[Findings]:
    goal = review.journey.goal
    if goal is None:
        return
    yield from check_listening(review, "goal", goal.trigger, goal.where)
    yield from check_positive("goal.within", goal.within)
    if goal.target is not None and float(str(goal.target).rstrip("%")) <= 0:
        yield flaw("goal.target", f"found {goal.target}; expected more than nothing.")


def _exits(review: Review) -> Iterator[Findings]:
    for index, leaving in enumerate(review.journey.exit):
        match leaving:
            case EventExit(trigger=trigger, where=where):
                yield from check_listening(review, f"exit[{index}]", trigger, where)
            case ConditionExit(when=when):
                yield from check_of_customer(review, f"exit[{index}].when", when)


def _zone(review: Review) -> Iterator[Findings]:
    zone = review.journey.time_zone
    if zone is not None and (wrong := check_zone(zone)):
        yield Findings((wrong,)).within("time_zone")
