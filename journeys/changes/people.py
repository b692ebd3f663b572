"""How many of the people inside an old version stand before what is otherwise in a new one, at it, and behind it."""

from __future__ import annotations

from collections.abc import Mapping

from journeys.changes.changes import Change
from journeys.models import Frozen
from journeys.versions import Version


class Standing(Frozen):
    """People who may still come to it, who stand at it, and who have passed it or went another way."""

    before: int = 0
    at: int = 0
    behind: int = 0


class Ways:
    """The ways of an old version, seen from a new one. *names*: what old steps are called there."""

    def __init__(self, old: Version, new: Version, names: Mapping[str, str]) -> None:
        self._old, self._new, self._names = old, new, names
        self._called = {names.get(id, id): id for id in old.steps}

    def standing(self, change: Change, people: Mapping[str, int]) -> Standing | None:
        """Where *people*, so many at each step of the old version, stand to a change. None: it is of no step."""
        if change.step is None:
            return None
        told = {"before": 0, "at": 0, "behind": 0}
        for step, number in people.items():
            told[self._stand(step, change, change.step)] += number
        return Standing(**told)

    def _stand(self, step: str, change: Change, changed: str) -> str:
        if change.what == "added":
            return "before" if changed in self._ahead_there(step) else "behind"
        was = changed if change.what == "removed" else self._called[changed]
        if was == step or was in self._old.around(step):
            return "at"
        return "before" if was in self._old.soonest(step) else "behind"

    def _ahead_there(self, step: str) -> Mapping[str, object]:
        """What comes in the new version from a step of the old one on, or from the next one that is still there."""
        here = next((name for name in self._from(step) if name in self._new.steps), None)
        return self._new.soonest(here) if here else {}

    def _from(self, step: str) -> list[str]:
        return [self._names.get(id, id) for id in self._old.soonest(step)]
