"""Contents: the templates of emails, texts and push notifications. Draft, then ready, then perhaps stopped."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from api.audit import ChangeDep
from api.bodies import AsWritten, Body, Yaml, aside, gives, in_yaml, ref, takes
from api.dependencies import Deps
from api.keys import needs
from api.names import ContentName
from api.problems import STANDARD, TooLarge, WrongType, declare
from journeys.catalogue import Content
from journeys.contents import check_content
from journeys.models import Frozen
from journeys.problems import Conflict, Flaw, Unknown
from journeys.reading import read_content
from store import catalogue
from store.catalogue import ContentView
from store.showing import Unreadable

router = APIRouter(prefix="/v1/contents", tags=["contents"], responses=STANDARD)

EMAIL = {
    "content": "initial-email-reminder",
    "title": "Initial email reminder",
    "email": {
        "subject": "Your cart is waiting, {{ customer.first_name | default: 'friend' }}",
        "text": 'You left {{ event.total | money: "EUR" }} in your cart. No more of these: {{ unsubscribe_url }}',
    },
}
TEXT = {
    "content": "second-text-reminder",
    "text": {"body": "Still thinking about cart {{ event.cart_id }}?"},
}
PUSH = {
    "content": "final-push-notification",
    "push": {"title": "Last call", "body": "Your cart is still here."},
}
CONTENT_VIEW = {
    "content": EMAIL,
    "ready": EMAIL,
    "state": "ready",
    "journeys": ["abandoned-cart"],
    "created_at": "2026-11-23T08:00:00Z",
    "changed_at": "2026-11-23T08:00:00Z",
}
ANSWER = gives(CONTENT_VIEW | {"flaws": [], "warnings": []})


class ContentAnswer(ContentView):
    """A content as it was written, what is sent of it meanwhile, and the journeys in use that send it."""

    content: AsWritten[Content]
    ready: AsWritten[Content] | None


class CheckedContent(ContentAnswer):
    """A content, with what was found in its draft: *flaws* keep it from being made ready, *warnings* do not."""

    flaws: tuple[Flaw, ...]
    warnings: tuple[Flaw, ...]


class Contents(Frozen):
    """All contents, by name. *unreadable*: what an earlier release let in and cannot be shown; to be put again."""

    contents: tuple[ContentAnswer, ...]
    unreadable: tuple[Unreadable, ...] = ()


@router.put(
    "/{name}",
    dependencies=[needs("definitions:write")],
    response_model=CheckedContent,
    responses=declare(TooLarge, WrongType) | {200: ANSWER, 201: ANSWER | {"model": CheckedContent}},
    openapi_extra=takes(ref(Content), {"Email": EMAIL, "Text": TEXT, "Push": PUSH}, yaml_too=True),
)
async def put_content(
    name: ContentName, body: Body, deps: Deps, change: ChangeDep, response: Response
) -> CheckedContent:
    """Write a content's draft. It is sent once it is ready, and until then as it was made ready last.

    Subjects and bodies are Liquid templates over `event.…`, `customer.…` and, in emails, `unsubscribe_url`. What is
    wrong with them is in `flaws`: a draft may be unfinished, but is not made ready so. `content` may be left out of the
    body: it is in the address.
    """
    if await catalogue.put_content(deps.store, await aside(read_content, body, name=name), change):
        response.status_code = 201
    return await _answer(deps, name)


@router.get(
    "/{name}",
    dependencies=[needs("definitions:read")],
    response_model=CheckedContent,
    responses=declare(Unknown, Conflict) | {200: gives(CONTENT_VIEW | {"flaws": [], "warnings": []}, yaml=Content)},
)
async def get_content(name: ContentName, deps: Deps, yaml: Yaml) -> CheckedContent | Response:
    """A content: JSON with its state, or with `Accept: application/yaml` the definition alone, to be put again."""
    answer = await _answer(deps, name)
    return await in_yaml(answer.content) if yaml else answer


@router.get(
    "",
    dependencies=[needs("definitions:read")],
    response_model=Contents,
    responses={200: gives({"contents": [CONTENT_VIEW]})},
)
async def list_contents(deps: Deps) -> Contents:
    """All contents, by name."""
    views, unreadable = await catalogue.list_contents(deps.store)
    return Contents(contents=tuple(ContentAnswer(**dict(view)) for view in views), unreadable=unreadable)


@router.post(
    "/{name}/ready",
    dependencies=[needs("definitions:write")],
    response_model=CheckedContent,
    responses=declare(Unknown, Conflict) | {200: ANSWER},
)
async def ready_content(name: ContentName, deps: Deps, change: ChangeDep) -> CheckedContent:
    """Send the content as its draft is now: ready to send. Refused with its flaws, or where a live journey would break.

    A flaw is what would fail, or go out as nobody meant it: a filter that is not there or misses its argument, a name
    that nobody knows, `{first_name}` in the braces of another product.
    """
    await catalogue.ready_content(deps.store, name, change)
    return await _answer(deps, name)


@router.post(
    "/{name}/stop",
    dependencies=[needs("definitions:write")],
    response_model=CheckedContent,
    responses=declare(Unknown, Conflict) | {200: ANSWER},
)
async def stop_content(name: ContentName, deps: Deps, change: ChangeDep) -> CheckedContent:
    """Send the content no more. Refused while live journeys send it; the answer names them."""
    await catalogue.stop_content(deps.store, name, change)
    return await _answer(deps, name)


async def _answer(deps: Deps, name: str) -> CheckedContent:
    view = await catalogue.get_content(deps.store, name)
    found = await asyncio.to_thread(check_content, view.content)
    return CheckedContent(**dict(view), flaws=found.flaws, warnings=found.warnings)
