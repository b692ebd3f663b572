"""Unsubscribing by the link in an email: a page with one button, and the one click of mail programs (RFC 8058).

Open to whoever has the link, which names one send, is signed, and holds for ever. Link scanners open every link they
see, so that to open it changes nothing.
"""

from __future__ import annotations

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from activities.channels.links import read
from api.dependencies import Dependencies, Deps, IngestDep
from api.keys import OPEN
from api.problems import declare
from api.sources import UNSUBSCRIBE_LINK
from journeys.catalogue import INTERACTION_TRIGGERS, Event
from journeys.interactions import Kind, interaction_trigger
from journeys.problems import SojournError, Unavailable
from store.consents import opt_out
from store.links import Linked, find_link

CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
NAMES: dict[Kind, str] = {"email": "emails", "text": "text messages", "push": "notifications"}

PAGE = {"content": {"text/html": {"schema": {"type": "string"}}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page for people."} | PAGE,
    404: {"description": "No such link."} | PAGE,
}

router = APIRouter(
    prefix="/u",
    tags=["unsubscribe"],
    dependencies=[OPEN],
    default_response_class=HTMLResponse,
    responses=ANSWERS | declare(SojournError, Unavailable),
)

Token = Annotated[str, Path(description="What the link was signed with.", examples=["k3v9x2mqk3v9x2mqk3v9.AbCd…"])]


@router.get("/{token}")
async def ask_to_unsubscribe(token: Token, deps: Deps) -> HTMLResponse:
    """The page behind the link of an email, with a button. Opening it changes nothing."""
    link = await _linked(deps, token)
    if link is None:
        return _no_such_link()
    button = '<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>'
    return _page("Unsubscribe", f"<p>You get {_what(link)} from us. Do you want no more of them?</p>{button}")


@router.post(
    "/{token}",
    openapi_extra={"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}},
)
async def unsubscribe(token: Token, deps: Deps, ingest: IngestDep) -> HTMLResponse:
    """Opt out of what the email was about when it was sent: its topic, or else its purpose.

    Mail programs post `List-Unsubscribe=One-Click`, the page's button the same. The run that sent the email hears of
    it as `email-unsubscribed`.
    """
    link = await _linked(deps, token)
    if link is None or not await opt_out(deps.store, link, UNSUBSCRIBE_LINK, deps.now()):
        return _no_such_link()
    trigger = interaction_trigger(link.kind, "unsubscribed")
    if trigger in INTERACTION_TRIGGERS:
        event = Event(id=link.send, source=UNSUBSCRIBE_LINK, trigger=trigger, attributes={"send_id": link.send})
        await ingest.accept([event], drain=False)
    return _page("Unsubscribed", f"<p>You will get no more {_what(link)}. What is on its way may still arrive.</p>")


async def _linked(deps: Dependencies, token: str) -> Linked | None:
    """What a link is about; None for a link that we have not made."""
    id = read(token, deps.secret) if deps.secret else None
    return await find_link(deps.store, id) if id else None


def _what(link: Linked) -> str:
    about = link.about
    what = f"{'marketing ' if about.purpose == 'commercial' else ''}{NAMES[about.channel]}"
    return escape(f"{what} about {about.topic}" if about.topic else what)


def _no_such_link() -> HTMLResponse:
    return _page("This link does not work", "<p>Perhaps a part of it is missing. Copy all of it.</p>", 404)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;"
        "padding:0 1rem}button{font:inherit;padding:.6rem 1.2rem}</style>"
        f"<h1>{title}</h1>{body}</html>"
    )
    return HTMLResponse(page, status, headers={"Content-Security-Policy": CSP})
