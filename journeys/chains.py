"""Chains: the journeys that led to something since the last event from outside. They keep circles from running.

Time that passes breaks no chain, and neither does an action, nor what machines tell of a message: only what comes from
outside does, such as a click.
"""

from __future__ import annotations

from typing import NamedTuple

from journeys.catalogue import INTERACTION_TRIGGERS, Event
from journeys.definition import short_id

Chain = tuple[str, ...]
"""Names of journeys, in the order in which one led to the next."""

LONGEST_CHAIN = 8

SOURCE = "journey:"
"""What the source of an event begins with that a journey made; its name follows."""


class Maker(NamedTuple):
    """The run that made an event, at a step, and the chain that led to it: the run's own journey is the last one.

    Without a run, it is what a machine told of a message of that journey. *version*: where another step of the run,
    which was called so before the run was moved to this version, has made the event of that id.
    """

    run: str
    step: str
    chain: Chain
    version: int | None = None

    @property
    def source(self) -> str:
        """Where the event comes from."""
        return f"{SOURCE}{self.chain[-1]}"

    @property
    def event(self) -> str:
        """The id of the event. The same step of the same run always makes the same one."""
        step = self.step if self.version is None else f"{self.step} of version {self.version}"
        return short_id("action", self.run, step, length=20)

    def of_version(self, number: int) -> Maker:
        """The same, which makes an event of another id."""
        return self._replace(version=number)


def maker(run: str, step: str, journey: str, chain: Chain) -> Maker:
    """The maker of what a run of *journey* does at a step, where *chain* has led to it."""
    return Maker(run, step, (*(name for name in chain if name != journey), journey))


def machine(event: Event, journey: str, chain: Chain) -> Maker | None:
    """The maker of what is told of a message of *journey*, unless it is somebody's doing, such as a click.

    A message that is delivered or bounces, or is opened by a program, does so by itself.
    """
    _, interaction = INTERACTION_TRIGGERS.get(event.trigger, ("", ""))
    if interaction in ("delivered", "bounced") or (interaction and event.attributes.get("machine")):
        return maker("", "", journey, chain)
    return None


def joined(chain: Chain, made_by: Maker | None) -> Chain:
    """The chain of a run that is resumed: what leads on from there. An event that no journey made begins anew."""
    if made_by is None:
        return ()
    return (*chain, *(name for name in made_by.chain if name not in chain))


def circle(made_by: Maker | None, journey: str) -> str:
    """Why an event starts no run of *journey*, where that would go in a circle or on for ever; else nothing."""
    if made_by is None:
        return ""
    way = " → ".join([*made_by.chain, journey])
    if journey in made_by.chain:
        return f"it would go in a circle: {way}, and nothing came from outside in between"
    if len(made_by.chain) > LONGEST_CHAIN:
        return f"at most {LONGEST_CHAIN} journeys start one another, and nothing came from outside in between: {way}"
    return ""
