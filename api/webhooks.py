"""Webhooks: where SendGrid and Twilio report what became of messages. Open to all, so each is verified first."""

from __future__ import annotations

import asyncio
from functools import partial

from fastapi import APIRouter, Request, Response

from activities.channels import reports
from activities.reports import Source, Taken, take
from api.bodies import whole_body
from api.parts import AllTaken, Parts, TheIngest, TheParts
from api.problems import Forged, TooLarge, declare
from journeys.problems import SojournError, Unavailable, Unknown

MOST_BYTES = 4 * 1024 * 1024
"""SendGrid posts up to 768 KB of events at once."""

TWIML = "application/xml"
NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

router = APIRouter(
    prefix="/webhooks", tags=["webhooks"], responses=declare(Forged, Unknown, TooLarge, SojournError, Unavailable)
)


@router.post(
    "/sendgrid",
    status_code=204,
    responses={204: {"description": "Durable."}},
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "array"}, "example": []}}}},
)
async def sendgrid(request: Request, parts: TheParts, ingest: TheIngest, taken: AllTaken) -> Response:
    """SendGrid's Event Webhook, signed: deliveries, bounces, opens, clicks and opt-outs of emails.

    What SendGrid has told before changes nothing. Nothing else than SendGrid needs to call this.
    """
    await _take(request, parts, ingest, taken, Source("sendgrid", "email", parts.now()))
    return Response(status_code=204)


@router.post(
    "/twilio",
    responses={200: {"description": "Durable.", "content": {TWIML: {"example": NO_ANSWER}}}},
    response_class=Response,
    openapi_extra={"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}},
)
async def twilio(request: Request, parts: TheParts, ingest: TheIngest, taken: AllTaken) -> Response:
    """Twilio's status callbacks and incoming texts, signed: deliveries, failures, replies, STOP and START.

    What Twilio has told before changes nothing. Customers are answered nothing: Twilio does that by itself.
    """
    await _take(request, parts, ingest, taken, Source("twilio", "text", parts.now()))
    return Response(NO_ANSWER, media_type=TWIML)


async def _take(request: Request, parts: Parts, ingest: TheIngest, taken: dict[str, Taken], source: Source) -> None:
    read = parts.webhooks.get(source.provider)
    if read is None:
        raise Unknown(f"No webhook of {source.provider} is expected here: it is not set up.")
    body = await whole_body(request, MOST_BYTES)
    count = taken[source.provider]
    try:
        # In a thread: the SDK that verifies is imported at the first one, and a body may be long.
        told = await asyncio.to_thread(read, request.headers, body, _public_url(request, parts), now=source.now)
    except reports.Forged:
        count.forged += 1
        raise Forged("This webhook is not taken.") from None
    now = await take(parts.store, partial(ingest.accept, drain=False), source, told)
    count.new += now.new
    count.repeated += now.repeated


def _public_url(request: Request, parts: Parts) -> str:
    """The address as the provider called it. Not as we see it: a proxy may have changed it, and a Host may lie."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{parts.public_url.rstrip('/')}{request.url.path}" + (f"?{query}" if query else "")
