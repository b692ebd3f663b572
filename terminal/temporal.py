"""The Temporal that a command asks itself: the one that Temporal's own variables name, else the embedded stack's."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from temporalio.client import Client

from journeys.problems import Unavailable
from terminal.client import kept_connection
from workflows.client import connect, named


class Place(NamedTuple):
    """The address of a Temporal, and the namespace of our runs there; None where its own variables say."""

    address: str | None = None
    namespace: str | None = None


def beside(data: Path) -> Place:
    """What the embedded stack left in *data*, as far as nothing else is named. Raises Invalid."""
    told, kept = named(), kept_connection(data)
    if kept is None or "target_host" in told:
        return Place()
    return Place(kept.temporal, told.get("namespace") or kept.namespace)


async def connected(where: Place) -> Client:
    """A client of it. Raises Unavailable where it does not answer, and Invalid where its settings will not do."""
    try:
        return await connect(address=where.address, namespace=where.namespace)
    except RuntimeError:
        at = f" at {where.address}" if where.address else ""
        raise Unavailable(f"No Temporal answers{at}. Set TEMPORAL_ADDRESS to where it is.") from None
