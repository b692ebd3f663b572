"""Triggers: the kinds of things that happen. Draft, then ready, then perhaps stopped."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.audit import ChangeDep
from api.bodies import AsWritten, Body, Yaml, aside, gives, in_yaml, ref, takes
from api.dependencies import Deps
from api.keys import needs
from api.names import TriggerName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import Trigger
from journeys.models import Frozen
from journeys.problems import Conflict, Unknown
from journeys.reading import read_trigger
from store import catalogue
from store.catalogue import TriggerView
from store.showing import Unreadable

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], responses=STANDARD)

TRIGGER = {
    "trigger": "abandoned-cart",
    "title": "A cart was left behind",
    "attributes": {"cart_id": "text", "total": "number", "coupon": "text?"},
}
PURCHASE = {
    "trigger": "purchase-completed",
    "title": "A purchase was completed",
    "attributes": {"cart_id": "text?", "total": "number?"},
}
TRIGGER_VIEW = {
    "trigger": TRIGGER,
    "state": "ready",
    "seen": 12,
    "last_seen_at": "2026-11-24T09:00:00Z",
    "journeys": ["abandoned-cart"],
    "created_at": "2026-11-23T08:00:00Z",
    "changed_at": "2026-11-23T08:00:00Z",
}
ANSWER = gives(TRIGGER_VIEW)


class TriggerAnswer(TriggerView):
    """A trigger as it was written, how often it was seen, and the journeys in use that listen to it."""

    trigger: AsWritten[Trigger]


class Triggers(Frozen):
    """All triggers, by name. Built-in ones, such as `email-opened`, are not listed.

    *unreadable*: what an earlier release let in and cannot be shown; to be put again.
    """

    triggers: tuple[TriggerAnswer, ...]
    unreadable: tuple[Unreadable, ...] = ()


@router.put(
    "/{name}",
    dependencies=[needs("definitions:write")],
    response_model=TriggerAnswer,
    responses=declare(Conflict, TooLarge, WrongType) | {200: ANSWER, 201: ANSWER | {"model": TriggerAnswer}},
    openapi_extra=takes(ref(Trigger), {"Abandoned cart": TRIGGER, "Purchase completed": PURCHASE}, yaml_too=True),
)
async def put_trigger(
    name: TriggerName, body: Body, deps: Deps, change: ChangeDep, response: Response
) -> TriggerAnswer:
    """Write a trigger. A new one is a draft; events of it are accepted once it is ready.

    Of a trigger that journeys listen to, attributes may be added, but optional ones only. `trigger` may be left out
    of the body: it is in the address.
    """
    if await catalogue.put_trigger(deps.store, await aside(read_trigger, body, name=name), change):
        response.status_code = 201
    return await _answer(deps, name)


@router.get(
    "/{name}",
    dependencies=[needs("definitions:read")],
    response_model=TriggerAnswer,
    responses=declare(Unknown, Conflict) | {200: gives(TRIGGER_VIEW, yaml=Trigger)},
)
async def get_trigger(name: TriggerName, deps: Deps, yaml: Yaml) -> TriggerAnswer | Response:
    """A trigger: JSON with its state, or with `Accept: application/yaml` the definition alone, to be put again."""
    answer = await _answer(deps, name)
    return await in_yaml(answer.trigger) if yaml else answer


@router.get(
    "",
    dependencies=[needs("definitions:read")],
    response_model=Triggers,
    responses={200: gives({"triggers": [TRIGGER_VIEW]})},
)
async def list_triggers(deps: Deps) -> Triggers:
    """All triggers, by name."""
    views, unreadable = await catalogue.list_triggers(deps.store)
    return Triggers(triggers=tuple(TriggerAnswer(**dict(view)) for view in views), unreadable=unreadable)


@router.post(
    "/{name}/ready",
    dependencies=[needs("definitions:write")],
    response_model=TriggerAnswer,
    responses=declare(Unknown, Conflict) | {200: ANSWER},
)
async def ready_trigger(name: TriggerName, deps: Deps, change: ChangeDep) -> TriggerAnswer:
    """Accept events of the trigger from now on, and let journeys that listen to it be published."""
    await catalogue.ready_trigger(deps.store, name, change)
    return await _answer(deps, name)


@router.post(
    "/{name}/stop",
    dependencies=[needs("definitions:write")],
    response_model=TriggerAnswer,
    responses=declare(Unknown, Conflict) | {200: ANSWER},
)
async def stop_trigger(name: TriggerName, deps: Deps, change: ChangeDep) -> TriggerAnswer:
    """Refuse events of the trigger from now on. The answer names the journeys in use that listen to it."""
    await catalogue.stop_trigger(deps.store, name, change)
    return await _answer(deps, name)


async def _answer(deps: Deps, name: str) -> TriggerAnswer:
    return TriggerAnswer(**dict(await catalogue.get_trigger(deps.store, name)))
