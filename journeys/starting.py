"""Which run of a journey an event starts, and why it starts none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from journeys.catalogue import INTERACTION_TRIGGERS, Event
from journeys.chains import circle
from journeys.clearance.releases import SKIPPED
from journeys.definition import After, run_id
from journeys.facts import Decision, Facts
from journeys.language.clock import say_instant
from journeys.language.durations import say
from journeys.versions import Version, key_of
from journeys.walk.pace import at_pace

WAITED = "waited for a pause; "
"""What the reason begins with of a decision about a start that has waited."""


def start(event: Event, at: datetime, version: Version, facts: Facts) -> Iterator[Decision]:
    """The run of *version* that an event starts, after those that it restarts; or why it starts none."""
    key = key_of(version, event)
    enters_at = _entering(at, facts)

    def made(did: Literal["started", "ignored", "refused", "waiting"], why: str, run: str | None = None) -> Decision:
        return Decision(journey=version.name, version=version.number, run=run, did=did, why=why)

    if refusal := _may_not_enter(event, at, version, key, facts):
        yield made("ignored", refusal)
        return
    if refusal := circle(facts.made_by, version.name):
        yield made("refused", refusal)
        return
    same = [run for run in facts.runs if run.active and run.version.name == version.name and run.key == key]
    if same and version.journey.start.overlap == "ignore":
        yield made("ignored", f"overlap is ignore, and {same[0].id} is still under way")
        return
    if version.journey.start.overlap == "restart" and any(run.entered_at > enters_at for run in same):
        yield made("ignored", f"a later run, {max(same, key=lambda run: run.entered_at).id}, is under way")
        return
    if version.name in facts.paused:
        yield made("waiting", "the journey is paused")
        return
    if version.journey.start.overlap == "restart":
        yield from (run.decision("restarted", "its customer entered anew") for run in same)
    assert event.customer is not None  # noqa: S101 - the door gives interactions the customer of their send
    yield made("started", event.trigger, run_id(version.name, event.customer, event.source, event.id))


def start_after_a_pause(
    event: Event, at: datetime, version: Version, facts: Facts, *, skip: bool
) -> Iterator[Decision]:
    """The same for an event whose start has waited until the journey was resumed, decided by all that is known then."""
    refusal = SKIPPED if skip else ""
    if event.trigger not in version.journey.start.triggers:
        refusal = f"version {version.number} does not start on {event.trigger}"
    if refusal:
        why = f"{WAITED}{refusal}"
        yield Decision(journey=version.name, version=version.number, did="ignored", why=why)
        return
    for decision in start(event, at, version, facts):
        is_of_another = decision.did == "restarted"
        yield decision if is_of_another else decision.model_copy(update={"why": f"{WAITED}{decision.why}"})


def _entering(at: datetime, facts: Facts) -> datetime:
    """When it enters what it starts: as it occurs, or as soon as the journey is resumed for which it has waited."""
    return at if facts.resumed_at is None else max(at, facts.resumed_at)


def _may_not_enter(event: Event, at: datetime, version: Version, key: str | None, facts: Facts) -> str:
    start = version.journey.start
    if start.from_ and at < start.from_:
        return f"it occurred at {say_instant(at)}, before the journey's start at {say_instant(start.from_)}"
    if start.until and at >= start.until:
        return f"it occurred at {say_instant(at)}, after the journey's end at {say_instant(start.until)}"
    enters_at = _entering(at, facts)
    if start.until and enters_at >= start.until:
        return f"it would enter at {say_instant(enters_at)}, after the journey's end at {say_instant(start.until)}"
    if facts.received_at and at < facts.received_at - start.newest:
        # Not at the run's pace: a news is old by our clock.
        return f"it occurred at {say_instant(at)}, more than {say(start.newest)} before it came in (newest)"
    verdict = version.holds(start.where, event, facts.customer)
    if not verdict.holds:
        return f"unmet condition: {verdict.reason}"
    if why := version.exited_by(facts.customer):
        return f"already exited: {why} holds"
    if leaving := _known_exit(at, version, key, facts):
        return f"already exited: {leaving.trigger} ({leaving.id}) occurred at {say_instant(leaving.occurred_at or at)}"
    last = facts.last_entries.get((version.name, key))
    match start.repeat:
        case "never" if last:
            return f"repeat is never, and this customer entered at {say_instant(last)}"
        case After(after=after) if last and enters_at - last < at_pace(after, facts.day):
            return f"repeat is after {say(after)}, and this customer entered at {say_instant(last)}"
        case _:
            return ""


def _known_exit(at: datetime, version: Version, key: str | None, facts: Facts) -> Event | None:
    """The first exit of this customer and key that occurred at or after *at* but came to us before the start did."""
    since = [known for known in facts.known if known.occurred_at and known.occurred_at >= at]
    exits = sorted(since, key=lambda known: (known.occurred_at, known.id))
    return next((known for known in exits if _would_have_ended(known, version, key, facts)), None)


def _would_have_ended(known: Event, version: Version, key: str | None, facts: Facts) -> bool:
    if known.trigger in INTERACTION_TRIGGERS:
        return False  # an interaction belongs to the run that sent the message, and keeps no other from starting
    known_key = key_of(version, known)
    if key is not None and known_key is not None and known_key != key:
        return False
    name = (version.name, version.number, known.source, known.id)
    if name not in facts.leaving:  # a list may have very many starts, and as many events that could end them
        facts.leaving[name] = any(
            leaving.trigger == known.trigger and version.holds(leaving.where, known, facts.customer).holds
            for leaving in version.journey.event_exits
        )
    return facts.leaving[name]
