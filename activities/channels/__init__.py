"""What a channel is: it hands one message to one provider, and says what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from journeys.interactions import Kind


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
    """The provider has it. *provider_id* is the provider's own id of it, where it has one.

    *dead* are those of the addresses that the provider says no longer exist.
    """

    provider_id: str | None = None
    dead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """The provider will never take it. The reason goes into our database only, so it may quote the provider.

    *dead* are addresses that do not exist, to be used no more. *opt_out*: the customer told the provider to stop.
    """

    reason: str
    dead: tuple[str, ...] = ()
    opt_out: bool = False


@dataclass(frozen=True)
class NotNow:
    """The provider surely did not take it, and may later: *after* that long, where it said so.

    *unreachable*: it was not even asked, since there is no way to it. Then the reason is for operators.
    """

    reason: str
    after: timedelta | None = None
    unreachable: bool = False


@dataclass(frozen=True)
class Down:
    """The provider takes nothing from us: a wrong key, a suspended account, a sender that is not set up.

    Nothing was sent, and no customer is at fault: the channel stops, loudly, and is tried again later.
    The reason is for operators, so it names no customer.
    """

    reason: str


ProviderAnswer = Accepted | Refused | NotNow | Down
"""What a provider says to one message."""


@dataclass(frozen=True)
class Handed:
    """A send that was handed over and got no answer, and when (aware UTC).

    *text* is the text that was sent, where it is known, and *taken* are ids that the provider gave to other sends:
    Twilio keeps nothing of ours with a message, so that only these tell it from others to the same number.
    """

    send_id: str
    to: str
    at: datetime
    text: str = ""
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """The provider has it."""

    provider_id: str


@dataclass(frozen=True)
class NotFound:
    """The provider does not have it. It may list a message seconds after taking it: ask minutes later, not at once."""


@dataclass(frozen=True)
class NeverTells:
    """There is nobody to ask, now or later, and a repeat would be seen twice."""


Finding = Found | NotFound | NeverTells | None
"""None: the provider cannot tell."""


class Channel(Protocol):
    """One way out."""

    async def send(self, message: Outgoing) -> ProviderAnswer:
        """Hand *message* to the provider, once. A channel never tries again by itself.

        Raising, or taking too long, means that nobody knows whether the message went out.
        """
        ...

    async def find(self, handed: Handed) -> Finding:
        """Ask the provider whether it has that send."""
        ...

    async def close(self) -> None:
        """Let go of threads and connections. Calls that are under way go on to their end."""
        ...
