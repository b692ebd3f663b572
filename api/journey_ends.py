"""How journeys end: stopped where everybody stands, or completed by the last one inside; then put away."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictInt

from api.audit import ChangeDep
from api.bodies import Body, aside, gives, ref, takes
from api.dependencies import Deps
from api.journeys_examples import ARCHIVED, COMPLETED, STOPPED
from api.keys import needs
from api.names import JourneyName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.models import Model
from journeys.problems import Conflict, Unknown
from journeys.reading import read
from store.completing import Archived, Completed, archive, complete
from store.stopping import Stopped, stop

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], responses=STANDARD)


class Stop(Model):
    """*version*: stop this one alone. *dry_run*: only say what stopping would do."""

    version: StrictInt | None = Field(None, ge=1, le=2**31 - 1)
    dry_run: StrictBool = False


class Completion(Model):
    """*dry_run*: only say what completing the journey would do."""

    dry_run: StrictBool = False


class Archive(Model):
    """*archived*: false takes the journey back. *dry_run*: only say what it would do."""

    archived: StrictBool = True
    dry_run: StrictBool = False


def _may_take(model: type[Model], examples: Mapping[str, object]) -> dict[str, object]:
    """A body that may be left out."""
    body = takes(ref(model), examples, yaml_too=True)["requestBody"]
    return {"requestBody": body | {"required": False}}


DRY = {"What it would do": {"dry_run": True}}


@router.post(
    "/{name}/stop",
    dependencies=[needs("publish")],
    response_model=Stopped,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(STOPPED)},
    openapi_extra=_may_take(Stop, DRY | {"One version": {"version": 2}}),
)
async def stop_journey(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> Stopped:
    """Let nobody enter any more, and end every run where it stands. `in_flight` messages may still be on their way.

    With `version`, only the runs of that one end. Where it is the one that newcomers take, nobody enters before the
    next one is published, and people of other versions go on. With `dry_run` nothing is done, and the answer says what
    would be.
    """
    asked = await aside(read, Stop, body, "stop") if body else Stop()
    stopped = await stop(deps.store, name, change, version=asked.version, dry_run=asked.dry_run)
    deps.relay_nudge()
    return stopped


@router.post(
    "/{name}/complete",
    dependencies=[needs("publish")],
    response_model=Completed,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(COMPLETED)},
    openapi_extra=_may_take(Completion, DRY),
)
async def complete_journey(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> Completed:
    """Let nobody enter any more; people inside finish, and with the last one the journey is completed by itself.

    To publish opens it again. With `dry_run` nothing is done, and the answer says what would be.
    """
    asked = await aside(read, Completion, body, "completion") if body else Completion()
    return await complete(deps.store, name, change, dry_run=asked.dry_run)


@router.post(
    "/{name}/archive",
    dependencies=[needs("publish")],
    response_model=Archived,
    responses=declare(Unknown, Conflict, TooLarge, WrongType) | {200: gives(ARCHIVED)},
    openapi_extra=_may_take(Archive, DRY | {"Take it back": {"archived": False}}),
)
async def archive_journey(name: JourneyName, body: Body, deps: Deps, change: ChangeDep) -> Archived:
    """Hide a journey that is over from the list of journeys. It is kept, and shown by its name as before.

    With `archived: false` it is in the list again. With `dry_run` nothing is done, and the answer says what would be.
    """
    asked = await aside(read, Archive, body, "archive") if body else Archive()
    return await archive(deps.store, name, change, archived=asked.archived, dry_run=asked.dry_run)
