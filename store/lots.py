"""What is kept of who drew what, in the transaction in which it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from journeys.ab_tests import ABTest
from journeys.known import Known
from journeys.walk.diary import Choice
from store.ab_tests import take_arm
from store.places import take_place


@dataclass(frozen=True)
class StoredLots:
    """Who has a place, and who is in which arm of a test. The run's lock and its customer's are held."""

    connection: Connection

    def place(self, step: str, places: Mapping[str, int], known: Known) -> str | None:
        """The arm in which the customer has a place, or now takes the first one that is free. None: all are taken."""
        return take_place(self.connection, known.version.name, step, places, known.customer_id)

    def arm(self, test: ABTest, known: Known) -> Choice:
        """The arm that the customer takes in a test, or after its end; whoever comes first then decides it."""
        return take_arm(self.connection, test, known.customer_id, known.run, known.now)
