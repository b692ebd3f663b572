"""A journey before it is published: who would get what and when, for one customer and over every path."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, Field, StrictBool

from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Dependencies, Deps
from api.keys import needs
from api.names import JourneyName
from api.previews_examples import PATHS, PREVIEWED, PREVIEWS
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import CustomerId
from journeys.checks.policy import check_policy
from journeys.checks.review import Catalogue
from journeys.clearance.consent import Consent, said
from journeys.clearance.policy import Policy
from journeys.definition import Journey
from journeys.language.attributes import Attributes, check_attributes
from journeys.models import Model, Time
from journeys.problems import Conflict, Flaw, Invalid, Unknown
from journeys.publishing import check, version_of, warn
from journeys.reading import parse, read_journey, validated
from journeys.versions import Version
from journeys.walk.paths import Path, Paths, WayCount, every_path
from journeys.walk.preview import preview
from journeys.walk.publications import check_publications
from journeys.walk.script import DEFAULT_START, Happening, check_happening
from journeys.walk.timeline import Timeline
from store.catalogue import read_catalogue
from store.journeys import get_journey

MOST_LINES = 200
LAST_YEAR = 7000
"""Of a script's beginning: its last line, and what then follows, may each be a thousand years later."""

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], responses=STANDARD)


def _before_the_end_of_time(at: datetime) -> datetime:
    """What follows must have a date too, and the last year is 9999."""
    if at.year >= LAST_YEAR:
        raise ValueError(f"a time before the year {LAST_YEAR} is expected")
    return at


class PreviewBody(Model):
    """A sample customer and a script of what happens. Without *definition* it is the stored journey's.

    *consents* are held against the policy. Where it is left out, nobody is asked for consent.
    *policy*: instead of the one in force; *paths* know of neither: they are as if nothing were held.
    """

    customer: Attributes = Field(default_factory=dict)
    customer_id: CustomerId = "sample"
    consents: tuple[Consent, ...] | None = Field(None, max_length=100)
    script: tuple[Happening, ...] = Field((), max_length=MOST_LINES)
    started_at: Annotated[Time, AfterValidator(_before_the_end_of_time)] = DEFAULT_START
    definition: Journey | None = None
    policy: Policy | None = None
    paths: StrictBool = False


class Preview(Timeline):
    """What would happen. *paths*: ways through, if asked for, and *ways*: how many there are in all.

    *flaws*: why it could not be published now. *warnings*: what it could be published with, and you should know.
    """

    ways: WayCount | None = None
    paths: tuple[Path, ...] = ()
    flaws: tuple[Flaw, ...] = ()
    warnings: tuple[Flaw, ...] = ()


@router.post(
    "/{name}/preview",
    dependencies=[needs("definitions:read")],
    response_model=Preview,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(PREVIEWED)},
    openapi_extra=takes(ref(PreviewBody), PREVIEWS, yaml_too=True),
)
async def preview_journey(name: JourneyName, body: Body, deps: Deps) -> Preview:
    """See who would get what and when, on a virtual clock. Nothing is sent, nothing is kept.

    Needs neither a published journey nor contents that are ready; what publishing would still refuse is in `flaws`.
    """
    asked = await aside(_read, body, name)
    journey = asked.definition or (await get_journey(deps.store, name, deps.now())).definition
    catalogue = await deps.store.read(lambda connection: read_catalogue(connection, deps.channels))
    if asked.policy:
        _check_policy(asked.policy, catalogue)
        catalogue = replace(catalogue, policy=asked.policy)
    # In a thread: a long script must not keep events waiting.
    return await asyncio.to_thread(_play, asked, journey, catalogue, deps)


@router.get(
    "/{name}/paths",
    dependencies=[needs("definitions:read")],
    response_model=Paths,
    responses=declare(Unknown, Conflict) | {200: gives(PATHS)},
)
async def get_paths(name: JourneyName, deps: Deps) -> Paths:
    """How many ways there are through the journey, and the first of them, with when each message would go.

    Where there are more than 200, or where they are long, some are shown: every step lies on one of them at least.
    The times are those without a policy: quiet times and caps may hold a message for longer, or block it.
    """
    journey = (await get_journey(deps.store, name, deps.now())).definition
    return await asyncio.to_thread(every_path, journey)


def _play(asked: PreviewBody, journey: Journey, catalogue: Catalogue, deps: Dependencies) -> Preview:
    ready = _as_if_ready(journey, catalogue)
    version = version_of(journey, 1, ready)
    _check_sample(asked, version, ready)
    contents = {name: content for name, (content, _) in catalogue.contents.items()}
    try:
        timeline = preview(
            version,
            asked.script,
            asked.customer,
            customer_id=asked.customer_id,
            contents=contents,
            said=None if asked.consents is None else said(asked.consents),
            policy=catalogue.policy,
            started_at=asked.started_at,
            compiled=partial(version_of, catalogue=ready),
        )
    except ValueError as error:
        raise Invalid("The script does not go with the journey.", [Flaw(path="script", message=f"{error}.")]) from None
    ways = dict(every_path(journey)) if asked.paths else {}
    flaws, warnings = tuple(check(journey, catalogue, now=deps.now())), tuple(warn(journey, catalogue))
    return Preview(**dict(timeline), **ways, flaws=flaws, warnings=warnings)


def _read(body: bytes, name: str) -> PreviewBody:
    data = parse(body, "preview")
    flaws = [*_read_journey_in(data, "definition", name)]
    lines = data.get("script")
    for index, line in enumerate(lines if isinstance(lines, list) else ()):
        if isinstance(line, dict):
            flaws += (flaw.within(f"script[{index}]") for flaw in _read_journey_in(line, "publish", name))
    if flaws:
        raise Invalid("This preview is not valid.", flaws)
    return validated(PreviewBody, data, "preview")


def _read_journey_in(data: dict[str, Any], field: str, name: str) -> list[Flaw]:
    """Put the journey in the place of what is written in a field. Returns what is wrong with it."""
    if not isinstance(data.get(field), dict):
        return []
    try:
        data[field] = read_journey(data[field], name=name)
    except Invalid as error:
        return [flaw.within(field) for flaw in error.flaws or (Flaw(path="", message=error.detail),)]
    return []


def _as_if_ready(journey: Journey, catalogue: Catalogue) -> Catalogue:
    """The catalogue with everything in it ready. Raises Invalid for what cannot be played even so."""
    ready = replace(
        catalogue,
        triggers={name: (trigger, "ready") for name, (trigger, _) in catalogue.triggers.items()},
        contents={name: (content, "ready") for name, (content, _) in catalogue.contents.items()},
        channels=frozenset(("email", "text", "push")),
    )
    if flaws := check(journey, ready, told=catalogue.contents):  # what a content cannot do, the timeline shows
        raise Invalid(f'The journey "{journey.journey}" cannot be previewed as it is.', flaws)
    return ready


def _check_policy(policy: Policy, catalogue: Catalogue) -> None:
    if flaws := check_policy(policy, catalogue.customer).flaws:
        raise Invalid("The preview's policy is not valid.", [flaw.within("policy") for flaw in flaws])


def _check_sample(asked: PreviewBody, version: Version, catalogue: Catalogue) -> None:
    flaws = [flaw.within("customer") for flaw in check_attributes(version.customer, asked.customer)]
    journeys = [version.journey, *(line.publish for line in asked.script if line.publish)]
    for index, line in enumerate(asked.script):
        flaws += [flaw.within(f"script[{index}]") for flaw in _wrong_line(line, journeys, catalogue)]
    published = check_publications(version, asked.script, catalogue, told=catalogue.contents)
    flaws += [flaw.within(f"script[{index}]") for index, flaw in published]
    if flaws:
        raise Invalid("The preview's sample is not valid.", flaws)


def _wrong_line(line: Happening, journeys: Sequence[Journey], catalogue: Catalogue) -> Iterator[Flaw]:
    if line.message is not None and not any(journey.message(line.message) for journey in journeys):
        yield Flaw(path="message", message=f'the journey has no message step "{line.message}".')
    yield from check_happening(line, catalogue)
