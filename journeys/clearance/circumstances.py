"""All that decides whether a message may go out, as it is known at one instant; and the answers that there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from journeys.catalogue import CUSTOMER, Content, State
from journeys.clearance.consent import About, Choice, Purpose
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.clearance.releases import Release
from journeys.clearance.windows import Taken
from journeys.language.attributes import Schema
from journeys.language.zones import Zone, zone_of
from journeys.steps import Ignored
from journeys.walk.diary import Held
from journeys.walk.pace import DAY


@dataclass(frozen=True)
class Clear:
    """It may, to this address: of several devices, those that are left, with commas between.

    *notes*: rules that do not apply, as something that they ask for is missing.
    """

    to: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blocked:
    """It may not, now or later."""

    why: str


Clearance = Clear | Held | Blocked


@dataclass(frozen=True)
class Circumstances:
    """All that decides about a message, as it is known at the instant of the visit.

    *event*: attributes of the event that started the run; *customer*: the customer's own.
    *said*: their consents. *suppressed*: addresses that must not be written to any more, with the reason.
    *content* is what would be sent, as far as it is known; only one that is ready is.
    *ended*: why the run is over, if it is. *held*: why its journey is held, if it is; *let_go_at*: when it was let go
    last. *paused*: whether its journey is. *released*: what let this message go, if it waited for that.
    *skipped*: why it is left out, if it is.
    *policy*: the house's, and *schema* the types of customers' attributes that its conditions name; *ignored*: what of
    it does not hold here. *zone*: the customer's. *taken*: the windows of the policy that are full. *day*: how long a
    day lasts in the run.
    """

    event: Mapping[str, object]
    customer: Mapping[str, object]
    said: Mapping[About, Choice] = field(default_factory=dict)
    suppressed: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None
    content_state: State | None = "ready"
    ended: str | None = None
    held: str | None = None
    let_go_at: datetime | None = None
    paused: bool = False
    released: Release | None = None
    skipped: str | None = None
    policy: Policy = NO_POLICY
    schema: Schema = field(default_factory=lambda: CUSTOMER)
    ignored: frozenset[Ignored] = frozenset()
    zone: Zone = field(default_factory=lambda: zone_of([]))
    taken: Taken = field(default_factory=dict)
    day: timedelta = DAY

    @property
    def purpose(self) -> Purpose:
        """What the message is for. A preview need not have the content: then it is taken for a commercial one."""
        return self.content.purpose if self.content else "commercial"
