"""A system of somebody's own beside a demonstration: it takes the calls of journeys, and looks who has signed them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from standardwebhooks import Webhook

from api.serve import serve
from terminal.lifetimes import beside


@dataclass
class Receiver:
    """Keeps what was posted to it, by the id of the call. *secrets*: what each endpoint signs with."""

    url: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    calls: dict[str, Any] = field(default_factory=dict)

    def url_of(self, endpoint: str) -> str:
        """Where it takes the calls of an endpoint."""
        return f"{self.url}/hooks/{endpoint}"

    async def take(self, endpoint: str, request: Request) -> None:
        """Take a call whose signature is right, whatever its time: the clock of a demonstration is ahead of ours."""
        id, body = request.headers["webhook-id"], (await request.body()).decode()
        at = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        if Webhook(self.secrets[endpoint]).sign(id, at, body) not in request.headers["webhook-signature"].split():
            raise HTTPException(401, "This was signed by somebody else.")
        self.calls[id] = await request.json()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine, until the end of the block."""
    receiver, app = Receiver(), FastAPI(openapi_url=None)
    app.post("/hooks/{endpoint}")(receiver.take)
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with beside(serve(app, "127.0.0.1", 0, ready=listening.set_result)):
        receiver.url = await listening
        yield receiver
