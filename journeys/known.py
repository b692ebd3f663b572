"""What is known of a run where it stands: all that a step's conditions, expressions and dates may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from journeys.language.attributes import AttributeType, typed, types, under
from journeys.listening import Version
from journeys.walk.pace import DAY


@dataclass(frozen=True)
class Known:
    """What is known of the run with the id *run*, as of *now* (aware UTC).

    *trigger* and *event*: the event that started it, with its attributes. *customer*: the customer's attributes.
    *sent*: what became of its messages and actions, by step: ``accepted``, ``blocked``, ``failed`` or ``unknown``.
    """

    version: Version
    run: str
    customer_id: str
    trigger: str
    event: Mapping[str, object]
    customer: Mapping[str, object]
    now: datetime
    sent: Mapping[str, str]
    day: timedelta = DAY

    @property
    def scope(self) -> dict[str, AttributeType]:
        """What may be named, with its type."""
        version = self.version
        return under("event", types(version.schemas[self.trigger])) | under("customer", types(version.customer))

    @property
    def values(self) -> dict[str, object]:
        """What is there of it."""
        version = self.version
        event, customer = typed(version.schemas[self.trigger], self.event), typed(version.customer, self.customer)
        return under("event", event) | under("customer", customer)
