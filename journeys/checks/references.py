"""Whether what a journey names is there: triggers, attributes, messages, endpoints and channels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from journeys.catalogue import BUILT_IN_NAMES
from journeys.checks.review import Review
from journeys.findings import Findings, flaw, warning
from journeys.interactions import INTERACTIONS, Kind
from journeys.language.attributes import AttributeType, reference
from journeys.nearest import did_you_mean, nearest
from journeys.steps import MEANWHILE, AnyStep, Message, every_step
from journeys.steps.uses import DateUse, MessageUse
from journeys.walk.position import way_to

DATES = ("time", "date")
"""The types of attributes that a run can wait for."""


_BRACED = re.compile(r"\{\{\s*([\w.]+)[^}]*\}\}")


def check_trigger(review: Review, path: str, trigger: str) -> Iterator[Findings]:
    """Whether a trigger is there, and ready."""
    if trigger in BUILT_IN_NAMES:
        return
    known = review.catalogue.triggers
    if trigger not in known:
        yield flaw(path, f'no trigger "{trigger}".', did_you_mean(trigger, {*known, *BUILT_IN_NAMES}))
    elif (state := known[trigger][1]) != "ready":
        hint = f"Mark it ready: POST /v1/triggers/{trigger}/ready."
        yield flaw(path, f'trigger "{trigger}" is {state}, not ready.', hint)


def check_channel(review: Review, path: str, kind: Kind) -> Iterator[Findings]:
    """Whether there is a channel for messages of a *kind*."""
    if kind not in review.catalogue.channels:
        hint = f"Set SOJOURN_{kind.upper()}, for example to console."
        yield flaw(path, f"no channel is configured for {kind} messages.", hint)


def check_endpoint(review: Review, path: str, name: str) -> Iterator[Findings]:
    """Whether an endpoint is registered, and open."""
    known = review.catalogue.endpoints
    if name not in known:
        hint = did_you_mean(name, known)
        hint = f"{hint} {'Or register' if nearest(name, known) else 'Register'} it: PUT /v1/endpoints/{name}."
        yield flaw(path, f'no endpoint "{name}".', hint)
    elif known[name] == "closed":
        hint = f"Why, says GET /v1/endpoints/{name}. To open it: POST /v1/endpoints/{name}/open."
        yield warning(path, f'endpoint "{name}" is closed: nothing is posted to it.', hint)


def check_key(review: Review, key: str) -> Iterator[Findings]:
    """Whether the key of a start is an attribute of its event."""
    of_the_event = {name: kind for name, kind in review.names.items() if name.startswith("event.")}
    yield from check_attribute(review, "start.key", key, of_the_event)


def check_address(review: Review, path: str, name: str) -> Iterator[Findings]:
    """Whether an address is an attribute, and a text."""
    yield from check_attribute(review, path, name, review.names)
    if review.names.get(name, "text") != "text":
        yield flaw(path, f"{name} is a {review.names[name]}; an address is a text.")


def check_date(review: Review, path: str, use: DateUse) -> Iterator[Findings]:
    """Whether what a step waits for is an attribute, and a time."""
    yield from check_attribute(review, path, use.attribute, review.names, "date")
    if (kind := review.names.get(use.attribute)) is not None and kind not in DATES:
        yield flaw(path, f"{use.attribute} is a {kind}; a time or a date is expected.")
    if use.yearly and review.journey.start.repeat == "never":
        message = "it comes once in a life: repeat is never, so nobody enters again for the next anniversary."
        yield warning(path, message, "Let people enter again, such as by repeat: {after: 300 days}.")


def check_attribute(
    review: Review, path: str, name: str, known: Mapping[str, AttributeType], kind: AttributeType = "text"
) -> Iterator[Findings]:
    """Whether a name with its root is one of those *known*; else one of that *kind* is to be declared."""
    try:
        source, _ = reference(name)
    except ValueError as error:
        several = [part for part in re.split(r"[\s,|]+|\bor\b", name) if part]
        are_names = len(several) > 1 and all(re.fullmatch(r"\w+\.\w+", part) for part in several)
        hint = f"Of several, write a list: [{', '.join(several)}]." if are_names else ""
        if braced := _BRACED.fullmatch(name.strip()):
            hint = f"Write it without braces: {braced[1]}."
        yield flaw(path, f"{error}.", hint)
        return
    of_the_unknown = source == "event" and review.event is None  # of a trigger that is not known, and said to be
    if name not in known and not of_the_unknown:
        yield flaw(path, f'no attribute "{name}".', review.meant(name, known, kind))


def check_message(review: Review, path: str, use: MessageUse, certain: set[str]) -> Iterator[Findings]:
    """Whether a step may ask what became of a message: *certain* are those that precede it on every way."""
    steps = review.journey.steps
    asked = review.journey.message(use.message)
    if asked is None:
        yield flaw(f"{path}.message", f'no message step "{use.message}".', _message_meant(steps, use.message))
        return
    if use.message not in certain:
        series = _series_of(review, use.message)
        sent_in = f': it is sent in the series "{series}", which may be left before' if series else ""
        message = f'"{use.message}" does not precede this step on every path{sent_in}.'
        before = ", ".join(sorted(certain)) or "there is none yet"
        yield flaw(f"{path}.message", message, f"Ask about one that does: {before}.")
    if use.interaction not in INTERACTIONS[asked.kind]:
        a = "an" if asked.kind == "email" else "a"
        message = f"nothing tells whether {a} {asked.kind} message was {use.interaction}."
        yield flaw(f"{path}.is", message, f"For {asked.kind} there is: {', '.join(INTERACTIONS[asked.kind])}.")


def _message_meant(steps: Sequence[AnyStep], name: str) -> str:
    """What to do where *name* is that of no message step: it may be that of a content, or of a step that acts."""
    messages = [step for step in every_step(steps) if isinstance(step, Message)]
    if sending := [step.id for step in messages if step.content == name]:
        return f"It is the content that {sending[0]} sends: write {sending[0]}."
    if any(step.id == name and step.has_outcome for step in every_step(steps)):
        return f'What became of it is asked by a branch: when: sent["{name}"] == "accepted".'
    return did_you_mean(name, {step.id for step in messages})


def _series_of(review: Review, message: str) -> str | None:
    """The outermost series that a message is sent in, if it is."""
    turns = way_to(review.journey.steps, message) or ()
    return next((turn.step for turn in turns if turn.arm == MEANWHILE), None)
