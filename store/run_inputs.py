"""What Temporal is told of a run: where it starts, and where it begins anew. Of the customer, nothing but the id."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from journeys.versions import Version
from journeys.walk.pace import DAY
from journeys.walk.position import Position


def run_input(
    id: str,
    version: Version,
    *,
    customer: str | None,
    trigger: str,
    entered_at: datetime,
    day: timedelta,
    position: Position | None = None,
) -> Mapping[str, object]:
    """The payload of a job that starts or moves a run. *position*: where it begins, unless at its first step."""
    told: dict[str, object] = {
        "steps": version.steps_told,
        "id": id,
        "started_at": entered_at.isoformat(),
        "day": None if day == DAY else day.total_seconds(),
        "journey": version.name,
        "version": version.number,
        "customer": customer,
        "trigger": trigger,
    }
    if position is not None:
        told["position"] = position.model_dump(mode="json", exclude_defaults=True)
    return told
