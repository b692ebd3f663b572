"""What was spent: CPU of each part by its own clock, and the time on the wall."""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass

from bench.processes import cpu_of
from bench.sides import Side


@dataclass(frozen=True)
class Spent:
    """Seconds: on the wall, and of CPU for each part."""

    wall: float
    worker: float
    starter: float
    temporal: float
    database: float

    def since(self, before: Spent) -> Spent:
        """What was spent since *before*."""
        return Spent(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))

    def without(self, idle: Spent) -> Spent:
        """What was spent beyond waiting, which in another length of time has cost *idle*."""
        share = self.wall / idle.wall
        return Spent(
            wall=self.wall,
            worker=self.worker - share * idle.worker,
            starter=self.starter - share * idle.starter,
            temporal=self.temporal - share * idle.temporal,
            database=self.database - share * idle.database,
        )


def spent(side: Side, temporal: int) -> Spent:
    """What a side has spent so far. *temporal*: the server's process."""
    return Spent(
        wall=time.monotonic(),
        worker=cpu_of(side.worker.pid),
        starter=cpu_of(side.starter.pid),
        temporal=cpu_of(temporal),
        database=side.database.cpu if side.database else 0.0,
    )
