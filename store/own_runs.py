"""The runs of one customer, found by what an event may do to them: somebody may have thousands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from journeys.catalogue import Event
from journeys.facts import RunFacts
from journeys.listening import MOST_OTHERS
from journeys.versions import Version, key_of

_VersionName = tuple[str, int]


class OwnRuns:
    """All runs, in the order in which they were entered, and those that are still to be asked by version and key."""

    def __init__(self) -> None:
        self._runs: dict[str, RunFacts] = {}
        self._place: dict[str, int] = {}
        self._versions: dict[_VersionName, Version] = {}
        self._open: dict[_VersionName, dict[str | None, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
        self._active: dict[_VersionName, dict[str, None]] = defaultdict(dict)

    def __getitem__(self, id: str) -> RunFacts:
        return self._runs[id]

    def put(self, run: RunFacts) -> None:
        """A run as it stands now; a new one comes last."""
        name = (run.version.name, run.version.number)
        self._runs[run.id] = run
        self._place.setdefault(run.id, len(self._place))
        self._versions[name] = run.version
        _keep(self._active[name], run.id, run.active)
        _keep(self._open[name][run.key], run.id, run.active or (bool(run.version.journey.goal) and not run.goal_met))

    def touched(self, event: Event, starts: Iterable[Version], sender: str | None) -> Sequence[RunFacts]:
        """All that *event* may do something to, or that say whether it starts one of *starts*, in their order.

        *sender*: the run whose message an interaction is about. It is about no other.
        """
        ids = {sender} & self._runs.keys() if sender else set(self._listening(event))
        for version in starts:
            ids.update(self._inside(version, event))
        return [self._runs[id] for id in sorted(ids, key=self._place.__getitem__)]

    def _listening(self, event: Event) -> Iterator[str]:
        for name, version in self._versions.items():
            if event.trigger not in version.run_triggers:
                continue
            key = key_of(version, event)
            if key is None:
                yield from (id for runs in self._open[name].values() for id in runs)
                continue
            about = self._open[name]
            yield from about.get(key, ())
            yield from about.get(None, ())
            yield from islice((id for id in self._active[name] if self._runs[id].key not in (key, None)), MOST_OTHERS)

    def _inside(self, version: Version, event: Event) -> Iterator[str]:
        """Those of the same journey and key, whatever their version."""
        for name in self._versions:
            if name[0] == version.name:
                yield from self._open[name].get(key_of(version, event), ())


def _keep(runs: dict[str, None], id: str, holds: bool) -> None:  # noqa: FBT001
    if holds:
        runs[id] = None
    else:
        runs.pop(id, None)
