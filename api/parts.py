"""What the doors stand on, built by an entry point and handed in, and how endpoints ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from api.ingest import Ingest
from journeys.definition import INTERACTIONS, Kind
from journeys.pace import DAY
from store.store import Store


@dataclass(frozen=True)
class Parts:
    """Everything the API needs of its surroundings.

    *relay_nudge* says that there is work in the outbox. *now* is the one wall clock, aware UTC.
    *day* is how long a day lasts in the runs started here. *channels*: the kinds of message that can be sent.
    *drain_for* is how long the answer to an exit waits for sends that are under way.
    """

    store: Store
    relay_nudge: Callable[[], None]
    key: str = field(repr=False)
    now: Callable[[], datetime]
    day: timedelta = DAY
    channels: frozenset[Kind] = frozenset(INTERACTIONS)
    drain_for: timedelta = timedelta(seconds=15)
    public_url: str = ""


# Like every dependency here it is async with nothing to await: FastAPI sends plain functions to a thread each time.
async def parts_of(request: Request) -> Parts:
    """The parts that the app was made with."""
    parts: Parts = request.app.state.parts
    return parts


async def ingest_of(request: Request) -> Ingest:
    """The app's one queue of events."""
    ingest: Ingest = request.app.state.ingest
    return ingest


TheParts = Annotated[Parts, Depends(parts_of)]
TheIngest = Annotated[Ingest, Depends(ingest_of)]
