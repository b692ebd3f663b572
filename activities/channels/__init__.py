"""What a channel is: it hands one message to one provider, and says what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from journeys.definition import Kind


@dataclass(frozen=True)
class Outgoing:
    """One message, filled in.

    *send_id* is its id for life: it goes to the provider, and comes back with what the provider reports.
    *at* is the time of the run that sends it (aware UTC), which need not be the time on the wall.
    """

    send_id: str
    run: str
    step: str
    kind: Kind
    to: str
    parts: dict[str, str]
    at: datetime


@dataclass(frozen=True)
class Accepted:
    """The provider has it. *provider_id* is the provider's own id of it, where it has one."""

    provider_id: str | None = None


@dataclass(frozen=True)
class Refused:
    """The provider will never take it. The reason goes into our database only, so it may quote the provider."""

    reason: str


@dataclass(frozen=True)
class NotNow:
    """The provider surely did not take it, and may later: *after* that long, where it said so."""

    reason: str
    after: timedelta | None = None


Sent = Accepted | Refused | NotNow


class Channel(Protocol):
    """One way out.

    Raising, or taking too long, means that nobody knows whether the message went out: it is not sent again.
    """

    async def send(self, message: Outgoing) -> Sent:
        """Hand *message* to the provider, once. A channel never tries again by itself."""
        ...
