"""Channels: which kinds of message can be sent, and whether their providers take them."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import AwareDatetime

from api.bodies import gives
from api.dependencies import Deps
from api.keys import needs
from api.problems import STANDARD
from journeys.interactions import Kind
from journeys.models import Frozen
from store.channels import channels

router = APIRouter(prefix="/v1/channels", tags=["channels"], responses=STANDARD)

CHANNELS = {
    "channels": [
        {
            "kind": "email",
            "state": "down",
            "reason": "SendGrid does not take the API key (401)",
            "since": "2026-11-24T09:00:00Z",
        },
        {"kind": "text", "state": "unused", "reason": "", "since": None},
    ]
}


class Channel(Frozen):
    """One channel. ``down``: its provider takes nothing from us or cannot be reached, for that *reason*.

    It is tried again by itself, once a minute or more often.
    """

    kind: Kind
    state: Literal["ok", "down", "unused"]
    reason: str = ""
    since: AwareDatetime | None = None


class Channels(Frozen):
    """The channels that are set up."""

    channels: tuple[Channel, ...]


@router.get("", dependencies=[needs("runs:read")], response_model=Channels, responses={200: gives(CHANNELS)})
async def list_channels(deps: Deps) -> Channels:
    """The channels that are set up. While one is down, its messages wait and no customer is failed for it."""
    known = await channels(deps.store)
    return Channels(
        channels=tuple(
            Channel(**dict(known[kind])) if kind in known else Channel(kind=kind, state="unused")
            for kind in sorted(deps.channels)
        )
    )
