"""Webhooks: where providers report what became of messages. Open to all, so each is verified first."""

from __future__ import annotations

from functools import partial
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response

from activities.channels import reports
from activities.channels.provider import WEBHOOKS, Webhook
from activities.channels.registry import PROVIDERS
from activities.reports import Source, Taken, take
from api.bodies import aside, whole_body
from api.dependencies import AllTaken, Dependencies, Deps, IngestDep
from api.keys import OPEN
from api.problems import Forged, TooLarge, declare
from journeys.problems import SojournError, Unavailable, Unknown

log = structlog.get_logger(__name__)

router = APIRouter(
    prefix=WEBHOOKS,
    tags=["webhooks"],
    dependencies=[OPEN],
    responses=declare(Forged, Unknown, TooLarge, SojournError, Unavailable),
)


def _add(provider: str, webhook: Webhook[Any]) -> None:
    """The door of one provider, documented and answered as it declares."""

    async def reports_of(request: Request, deps: Deps, ingest: IngestDep, taken: AllTaken) -> Response:
        # Whole before anything else, so that who only begins to send is hung up on, and hears nothing.
        body = await whole_body(request, webhook.most_bytes)
        await _take(request, body, deps, ingest, taken, Source(provider, webhook.kind, deps.now()))
        return Response(webhook.body, webhook.status, media_type=webhook.media_type or None)

    router.add_api_route(
        f"/{provider}",
        reports_of,
        methods=["POST"],
        name=f"{provider}_webhook",
        description=webhook.description,
        status_code=webhook.status,
        responses={webhook.status: {"description": "Durable."} | _body(webhook)},
        response_class=Response,
        openapi_extra={"requestBody": {"content": dict(webhook.takes)}},
    )


def _body(webhook: Webhook[Any]) -> dict[str, Any]:
    return {"content": {webhook.media_type: {"example": webhook.body}}} if webhook.body else {}


for _name, _provider in PROVIDERS.items():
    if _provider.webhook:
        _add(_name, _provider.webhook)


async def _take(
    request: Request, body: bytes, deps: Dependencies, ingest: IngestDep, taken: dict[str, Taken], source: Source
) -> None:
    read = deps.webhooks.get(source.provider)
    if read is None:
        raise Unknown(f"No webhook of {source.provider} is expected here: it is not set up.")
    count = taken[source.provider]
    try:
        # In a thread: the SDK that verifies is imported at the first one, and a body may be long.
        told = await aside(read, request.headers, body, _public_url(request, deps), now=source.now)
    except reports.Forged:
        count.forged += 1
        raise Forged("This webhook is not taken.") from None
    if told.unreadable:  # without what it was, which is about people
        log.warning("a webhook told what cannot be read", provider=source.provider, events=told.unreadable)
    count.unreadable += told.unreadable
    now = await take(deps.store, partial(ingest.accept, drain=False), source, told.reports)
    count.new += now.new
    count.repeated += now.repeated


def _public_url(request: Request, deps: Dependencies) -> str:
    """The address as the provider called it. Not as we see it: a proxy may have changed it, and a Host may lie."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{deps.public_url.rstrip('/')}{request.url.path}" + (f"?{query}" if query else "")
