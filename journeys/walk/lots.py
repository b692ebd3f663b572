"""What is kept on the virtual clock of who drew what. There is one customer, so that no test is ever won."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from journeys.ab_tests import AS_BEFORE, BY_LOT, ABTest, after_the_end
from journeys.chance import arm_of
from journeys.known import Known
from journeys.walk.diary import Choice
from journeys.walk.pace import later


class _Drawn(NamedTuple):
    """What the customer drew in a test, when it began with them."""

    arm: str
    at: datetime
    test: ABTest


class StagedLots:
    """As store/lots.py keeps them, for one stage."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._tests: dict[tuple[str, str, str], _Drawn] = {}
        self._measured: dict[str, datetime] = {}

    def place(self, step: str, places: Mapping[str, int], known: Known) -> str | None:
        """The arm in which the customer has a place, or now takes the first one that is free. None: all are taken."""
        taken = {arm: self._places[known.version.name, step, arm] for arm in places}
        if held := next((arm for arm, people in taken.items() if known.customer_id in people), None):
            return held
        free = next((arm for arm, people in taken.items() if len(people) < places[arm]), None)
        if free:
            taken[free].add(known.customer_id)
        return free

    def arm(self, test: ABTest, known: Known) -> Choice:
        """The arm that the customer takes in a test; after its end the default, for one person decides nothing."""
        name = (test.journey, test.step, test.arms)
        drawn = self._tests.get(name)
        if drawn is None:
            arm = arm_of(test.journey, test.step, test.shares, known.customer_id)
            self._tests[name] = _Drawn(arm, known.now, test)
            if test.by == "goal":
                until = later(known.now, test.within)
                self._measured[known.run] = max(until, self._measured.get(known.run, until))
            return Choice(arm=arm, why=BY_LOT)
        began = drawn.test
        ends_at = later(drawn.at, began.after) if began.after else None
        if ends_at and ends_at <= known.now:
            return Choice(arm=began.default, why=after_the_end(ends_at, decided=False))
        return Choice(arm=drawn.arm, why=AS_BEFORE)

    def measured_until(self, run: str) -> datetime | None:
        """How long the goal of a run is counted in a test; None where it is in none."""
        return self._measured.get(run)
