"""Whether a content that a journey sends can be filled in there, with what the journey knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from journeys.catalogue import Content
from journeys.checks.review import Review
from journeys.contents import check_content, check_use
from journeys.findings import Findings, flaw, gathered
from journeys.language.attributes import under
from journeys.language.template_check import Known
from journeys.language.templates import names, readable
from journeys.nearest import did_you_mean
from journeys.problems import Flaw
from journeys.steps import Message, Step, every_step
from journeys.steps.uses import ContentUse


def check_sent(review: Review, path: str, use: ContentUse) -> Iterator[Findings]:
    """What is wrong with a content that a step sends."""
    content, state = review.catalogue.contents.get(use.content, (None, None))
    if content is None:
        yield flaw(path, f'no content "{use.content}".', did_you_mean(use.content, review.catalogue.contents))
        return
    if content.kind != use.kind:
        message = f'"{use.content}" is for {content.kind}, this step sends {use.kind}.'
        yield flaw(path, message, f"Choose a content for {use.kind}.")
    if state != "ready":
        hint = f"Mark it ready: POST /v1/contents/{use.content}/ready."
        yield flaw(path, f'content "{use.content}" is {state}, not ready to send.', hint)
    if review.first_sent[use.content] == path:
        yield _filled_in(review, path, content)


def _filled_in(review: Review, path: str, content: Content) -> Findings:
    """What keeps a content from being filled in here: what it has by itself, or else what this journey has not."""
    own = check_content(content)
    unknown = gathered(_unknown(review, path, content))
    told = Findings() if content.content in review.told else own
    if own.flaws or unknown.flaws or review.event is None:
        return Findings(_of(content, path, told.flaws)) + unknown
    found = check_use(content, _known_to(review, content))
    warnings = () if found.flaws else _of(content, path, (*told.warnings, *found.warnings))
    return Findings(_of(content, path, found.flaws), warnings)


def _unknown(review: Review, path: str, content: Content) -> Iterator[Findings]:
    known = review.names
    for part, source in content.parts.items():
        for name in sorted(names(source)) if readable(source) else ():
            if review.event is None and name.startswith("event."):
                continue  # the trigger itself is not known, and said to be
            if name not in known:
                message = f'content "{content.content}" uses {name} in its {part}, which is not known here.'
                yield flaw(path, message, review.meant(name, known))


def _known_to(review: Review, content: Content) -> Known:
    """What a content may name. The address that it is sent to is there, or it is not sent."""
    declared = under("event", review.event or {}) | under("customer", review.catalogue.customer)
    to = {step.addresses for step in every_step(review.journey.steps) if _sends(step, content)}
    there = {addresses[0] for addresses in to} if len(to) == 1 and all(len(named) == 1 for named in to) else set()
    optional = {name for name, kind in declared.items() if kind.endswith("?")}
    return Known(review.names, frozenset(optional - there))


def _sends(step: Step, content: Content) -> TypeGuard[Message]:
    return isinstance(step, Message) and step.content == content.content


def _of(content: Content, path: str, found: tuple[Flaw, ...]) -> tuple[Flaw, ...]:
    """What was found in a content, told at the step that sends it."""
    return tuple(
        Flaw(path=path, message=f'content "{content.content}", {each.path}: {each.message}', hint=each.hint)
        for each in found
    )
