"""What is known of a run where it stands: all that a step's conditions, expressions and dates may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from journeys.language.scopes import Scope, scope_of, values_of
from journeys.versions import Version
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
    def scope(self) -> Scope:
        """What may be named, with its type."""
        schema = self.version.schemas[self.trigger]
        return scope_of(event=schema, customer=self.version.customer, customer_id=True, now=True, sent=True)

    @property
    def values(self) -> dict[str, object]:
        """What is there of it."""
        return values_of(
            event=(self.version.schemas[self.trigger], self.event),
            customer=(self.version.customer, self.customer),
            customer_id=self.customer_id,
            now=self.now,
            sent=self.sent,
        )
