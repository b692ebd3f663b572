"""What the API depends on, built by an entry point and handed in, and how endpoints ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from activities.channels import Channel
from activities.channels.reports import Reader
from activities.reports import Taken
from api.ingest import Ingest
from api.keyring import Keyring
from journeys.interactions import INTERACTIONS, Kind
from journeys.walk.pace import DAY
from store.store import Store


@dataclass(frozen=True)
class Dependencies:
    """Everything the API needs of its surroundings.

    *relay_nudge* says that there is work in the outbox. *now* is the one wall clock, aware UTC.
    *day* is how long a day lasts in the runs started here. *channels*: the kinds of message that can be sent.
    *drain_for* is how long the answer to an exit waits for sends that are under way.
    *send*: the channels themselves, for test messages; *webhooks*: what reads those of each provider that reports.
    *secret* signs unsubscribe links, and seals what endpoints are signed with.
    *local_endpoints*: endpoints may be on this machine.
    """

    store: Store
    relay_nudge: Callable[[], None]
    key: str = field(repr=False)
    now: Callable[[], datetime]
    day: timedelta = DAY
    channels: frozenset[Kind] = frozenset(INTERACTIONS)
    drain_for: timedelta = timedelta(seconds=15)
    public_url: str = ""
    send: Mapping[Kind, Channel] = field(default_factory=dict)
    webhooks: Mapping[str, Reader] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    local_endpoints: bool = False


# Like every dependency here it is async with nothing to await: FastAPI sends plain functions to a thread each time.
async def dependencies_of(request: Request) -> Dependencies:
    """What the app was made with."""
    deps: Dependencies = request.app.state.dependencies
    return deps


async def ingest_of(request: Request) -> Ingest:
    """The app's one queue of events."""
    ingest: Ingest = request.app.state.ingest
    return ingest


async def keyring_of(request: Request) -> Keyring:
    """The app's one ring of keys."""
    keyring: Keyring = request.app.state.keyring
    return keyring


async def taken_of(request: Request) -> dict[str, Taken]:
    """What was taken of each provider's webhooks since the app started."""
    taken: dict[str, Taken] = request.app.state.taken
    return taken


Deps = Annotated[Dependencies, Depends(dependencies_of)]
IngestDep = Annotated[Ingest, Depends(ingest_of)]
KeyringDep = Annotated[Keyring, Depends(keyring_of)]
AllTaken = Annotated[dict[str, Taken], Depends(taken_of)]
