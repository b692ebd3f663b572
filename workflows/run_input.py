"""What a run is started with. It is apart from the workflow, which is imported anew for each run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, model_serializer

from journeys.models import Frozen
from journeys.steps import Steps
from journeys.walk.pace import DAY
from journeys.walk.position import Position


class RunInput(Frozen):
    """What a run is started with: its id, its version's number and steps, and how long a day lasts if not a day.

    *position*: where it begins, unless at its first step. Release 0.1 did not tell the number.
    """

    id: str
    version: int = 0
    steps: Steps
    started_at: AwareDatetime
    day: timedelta = DAY
    position: Position | None = None

    @model_serializer
    def _compact(self) -> dict[str, Any]:
        steps = [step.model_dump(mode="json", by_alias=True, exclude_defaults=True) for step in self.steps]
        pace = {} if self.day == DAY else {"day": self.day}
        told = {"id": self.id, "version": self.version, "started_at": self.started_at, "steps": steps, **pace}
        if self.position is not None:
            told["position"] = self.position.model_dump(mode="json", exclude_defaults=True)
        return told
