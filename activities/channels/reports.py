"""What providers report of messages, by their webhooks, in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from journeys.interactions import Interaction


@dataclass(frozen=True)
class Report:
    """One thing that a provider reports, in our words.

    Reports come repeated and in any order: *id* is the same for the same report, *at* is when it happened (aware UTC).
    Without *interaction* it only says that the provider has the message.
    Without *send_id* it is about the *address*: a text that a customer sent, or an opt-out from other mail.
    """

    id: str
    at: datetime
    send_id: str | None = None
    interaction: Interaction | None = None
    provider_id: str | None = None
    address: str = ""
    link: str = ""
    """What was clicked."""
    reply: str = ""
    """What the customer wrote."""
    reason: str = ""
    machine: bool = False
    """Not by a person: a mail program fetched the pictures in advance."""
    retracts: Interaction | None = None
    """What was reported earlier, or will be later, and is not true."""
    opt_out: bool = False
    opt_in: bool = False
    dead: bool = False
    """The address takes nothing, now or later."""


class Told(NamedTuple):
    """What one webhook told: its reports, and how many of its events could not be read.

    One that cannot be read keeps no other from being heard: the provider would post all of them again, in vain.
    """

    reports: list[Report]
    unreadable: int = 0


class Forged(Exception):
    """A webhook that is not signed by the provider, was altered on the way, or is too old. Nothing of it was read."""


class Reader(Protocol):
    """Reads the webhooks of one provider, each verified before anything else."""

    def __call__(self, headers: Mapping[str, str], body: bytes, url: str, *, now: datetime) -> Told:
        """What one POST tells. *url* is the public one, as the provider called it. Raises Forged."""
        ...


LONGEST = 4_000
_NO_TEXT = re.compile("[\\x00\\ud800-\\udfff]")


def storable(value: object) -> str:
    """What a provider gave where a text is expected, as one that every database keeps. Nothing, where it gave none.

    Raises TypeError where it is something else, such as a list.
    """
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise TypeError(f"{type(value).__name__} where a text is expected")
    return _NO_TEXT.sub("�", str(value))[:LONGEST]
