"""Journeys: the draft as it is written, and its versions once published."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field, StrictBool

from api.audit import ChangeDep
from api.bodies import AsWritten, Body, Yaml, aside, gives, in_yaml, ref, takes
from api.dependencies import Deps
from api.journeys_examples import JOURNEY, JOURNEY_VIEW, LET_GO, PAUSED, PUBLISHED, RESUMED, TEST_VIEW, WELCOME
from api.keys import needs
from api.names import JourneyName
from api.problems import STANDARD, TooLarge, WrongType, declare
from api.steps_examples import JOURNEYS
from journeys.clearance.releases import CATCH_UP, CatchUp
from journeys.definition import Journey
from journeys.models import Frozen, Model
from journeys.people import AskedNames, AskedPeople
from journeys.problems import Conflict, Unknown
from journeys.reading import read, read_journey
from store import journeys, pausing
from store.ab_views import Tests, list_tests
from store.held_journeys import LetGo, let_go
from store.journeys import JourneyView
from store.pausing import Paused, Resumed
from store.publishing import PublishedFor, publish_for
from store.showing import Unreadable

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], responses=STANDARD)

ANSWER = gives(JOURNEY_VIEW)


class JourneyAnswer(JourneyView):
    """A journey: the draft as it was written, its versions, and what became of everybody in them."""

    definition: AsWritten[Journey]


class Release(Model):
    """*dry_run*: only say what letting the journey go would do."""

    dry_run: StrictBool = False


class Pause(Model):
    """*dry_run*: only say what pausing the journey would do."""

    dry_run: StrictBool = False


class Resume(Model):
    """*catch_up*: what becomes of what waits: now, skip, or {over: 30 minutes}.

    *dry_run*: only say what resuming the journey would do.
    """

    catch_up: Annotated[CatchUp, CATCH_UP] = "now"
    dry_run: StrictBool = False


def _may_take(model: type[Model], examples: dict[str, object]) -> dict[str, Any]:
    """A body that may be left out."""
    taken = takes(ref(model), examples, yaml_too=True)
    return {"requestBody": taken["requestBody"] | {"required": False}}


RELEASES = _may_take(Release, {"What it would do": {"dry_run": True}})
PAUSES = _may_take(Pause, {"What it would do": {"dry_run": True}})
RESUMES = _may_take(
    Resume,
    {
        "All that waited within half an hour": {"catch_up": {"over": "30 minutes"}},
        "What it would do": {"catch_up": "skip", "dry_run": True},
    },
)


class Publishing(Model):
    """What is published, and for whom.

    *people*: what becomes of those inside older versions: `stay`, `move` or `drain`, which is what `stay` does.
    *map*: what steps of older versions are called now, where that is another name.
    *dry_run*: only say what publishing would do.
    """

    people: AskedPeople = "stay"
    map: AskedNames = Field(default_factory=dict)
    dry_run: StrictBool = False


PUBLISHES = _may_take(Publishing, {"Who can, goes on in it": {"people": "move", "map": {"pause": "rest"}}})


class Journeys(Frozen):
    """All journeys, by name. *unreadable*: what an earlier release let in and cannot be shown; to be put again."""

    journeys: tuple[JourneyAnswer, ...]
    unreadable: tuple[Unreadable, ...] = ()


@router.put(
    "/{name}",
    dependencies=[needs("definitions:write")],
    response_model=JourneyAnswer,
    responses=declare(TooLarge, WrongType) | {200: ANSWER, 201: ANSWER | {"model": JourneyAnswer}},
    openapi_extra=takes(
        ref(Journey),
        {"Abandoned cart": JOURNEY, "A split, a test and a branch": WELCOME, **JOURNEYS},
        yaml_too=True,
    ),
)
async def put_journey(
    name: JourneyName, body: Body, deps: Deps, change: ChangeDep, response: Response
) -> JourneyAnswer:
    """Write a journey's draft, in JSON or YAML. Nobody walks it before it is published.

    `journey` may be left out of the body: it is in the address.
    """
    if await journeys.put_journey(deps.store, await aside(read_journey, body, name=name), change):
        response.status_code = 201
    return await _answer(deps, name)


@router.get(
    "/{name}",
    dependencies=[needs("definitions:read")],
    response_model=JourneyAnswer,
    responses=declare(Unknown, Conflict) | {200: gives(JOURNEY_VIEW, yaml=Journey)},
)
async def get_journey(name: JourneyName, deps: Deps, yaml: Yaml) -> JourneyAnswer | Response:
    """A journey: JSON with versions and counts, or with `Accept: application/yaml` the draft alone, to be put again."""
    answer = await _answer(deps, name)
    return await in_yaml(answer.definition) if yaml else answer


@router.get(
    "",
    dependencies=[needs("definitions:read")],
    response_model=Journeys,
    responses={200: gives({"journeys": [JOURNEY_VIEW]})},
)
async def list_journeys(
    deps: Deps, *, archived: Annotated[bool, Query(description="Also those that are archived.")] = False
) -> Journeys:
    """All journeys, by name, but for those that are archived."""
    views, unreadable = await journeys.list_journeys(deps.store, deps.now(), archived=archived)
    return Journeys(journeys=tuple(JourneyAnswer(**dict(view)) for view in views), unreadable=unreadable)


@router.get(
    "/{name}/tests",
    dependencies=[needs("analytics:read")],
    response_model=Tests,
    responses=declare(Unknown) | {200: gives({"tests": [TEST_VIEW]})},
)
async def get_tests(name: JourneyName, deps: Deps) -> Tests:
    """The tests of the journey's arms as they stand: who is in them, what they did, when and how each is decided.

    However often it is asked, a test ends when it would have ended.
    """
    return await list_tests(deps.store, name, deps.now(), deps.day)


@router.post(
    "/{name}/publish",
    dependencies=[needs("publish")],
    response_model=PublishedFor,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(PUBLISHED)},
    openapi_extra=PUBLISHES,
)
async def publish_journey(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> PublishedFor:
    """Make the draft the version that newcomers take, and say what it changes, and for how many people inside.

    `people` says what becomes of those inside: they finish their version (`stay`), or go on in the new one where they
    stand (`move`), as far as they can. `map` gives steps of older versions the names that they have now. With `dry_run`
    nothing is done, and the answer says what would be.
    The answer comes after some seconds at the latest: with `to_move` above 0, workers go on with as many people, and
    the journey's version tells how far that is.
    A published version never changes. Publishing the same draft again changes nothing: `new` is false.
    What is wrong with the draft is answered all at once. One that is archived is to be taken back first.
    """
    asked = await aside(read, Publishing, body, "request") if body else Publishing()
    published = await publish_for(
        deps.store, name, change, deps.channels, people=asked.people, names=asked.map, dry_run=asked.dry_run
    )
    deps.relay_nudge()
    return published


@router.post(
    "/{name}/release",
    dependencies=[needs("publish")],
    response_model=LetGo,
    responses=declare(Unknown, TooLarge, WrongType) | {200: gives(LET_GO)},
    openapi_extra=RELEASES,
)
async def release_journey(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> LetGo:
    """Let a journey go that the brake holds. What waited is looked at again, and goes out over the policy's `spread`.

    What the brake counts begins anew. One that is not held stays as it is: `held` is null. With `dry_run` nothing is
    done, and the answer says what would be.
    """
    asked = await aside(read, Release, body, "release") if body else Release()
    released = await let_go(deps.store, name, change, dry_run=asked.dry_run)
    deps.relay_nudge()
    return released


@router.post(
    "/{name}/pause",
    dependencies=[needs("publish")],
    response_model=Paused,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(PAUSED)},
    openapi_extra=PAUSES,
)
async def pause_journey(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> Paused:
    """Let nobody enter and nothing go out, until the journey is resumed. Waits and questions go on, and nobody is lost.

    An event that would start it is kept as `waiting`. One that is paused stays as it is: `changed` is false. With
    `dry_run` nothing is done, and the answer says what would be.
    """
    asked = await aside(read, Pause, body, "pause") if body else Pause()
    return await pausing.pause(deps.store, name, change, dry_run=asked.dry_run)


@router.post(
    "/{name}/resume",
    dependencies=[needs("publish")],
    response_model=Resumed,
    responses=declare(Unknown, TooLarge, WrongType) | {200: gives(RESUMED)},
    openapi_extra=RESUMES,
)
async def resume_journey(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> Resumed:
    """Let a journey go on that was paused. Everything that waited is looked at again.

    With `catch_up` `now` it goes out over the policy's `spread`, with `{over: 30 minutes}` over that; with `skip` it is
    left out. One that is not paused stays as it is: `paused` is null. With `dry_run` nothing is done.
    """
    asked = await aside(read, Resume, body, "resume") if body else Resume()
    resumed = await pausing.resume(deps.store, name, change, asked.catch_up, dry_run=asked.dry_run)
    deps.relay_nudge()
    return resumed


async def _answer(deps: Deps, name: str) -> JourneyAnswer:
    return JourneyAnswer(**dict(await journeys.get_journey(deps.store, name, deps.now())))
