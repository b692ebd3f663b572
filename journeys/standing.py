"""How far a send has come, by everything that was reported of it, in whatever order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from journeys.interactions import Interaction
from journeys.walk.diary import Outcome

SendState = Literal["claimed", "released"] | Outcome
"""What the ledger knows of a send: under way, to be tried again, or an outcome."""

RANKS: tuple[Interaction, ...] = ("delivered", "bounced", "opened", "clicked", "replied", "unsubscribed")
"""From what says least to what says most. What was bounced was not delivered, whichever was reported first; but what
a customer has read, they have.
"""


class Reported(NamedTuple):
    """Something that was reported of a send. *machine*: a program did it, not a person."""

    interaction: Interaction
    machine: bool = False


def standing(state: SendState, reports: Iterable[Reported]) -> SendState | Interaction:
    """The highest rank that was reported; what the ledger knows where nothing was."""
    # A mail program that opens what nobody reads has at least got it.
    said = {"delivered" if machine else interaction for interaction, machine in reports}
    return next((rank for rank in reversed(RANKS) if rank in said), state)
