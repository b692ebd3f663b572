"""What has come before a step, on every way to it or on some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from journeys.steps import Message, Step


@dataclass
class Earlier:
    """The messages that *surely* precede a step, and all steps that have an outcome and *perhaps* do, by id."""

    surely: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)

    def come_to(self, step: Step) -> None:
        """From now on *step* is among them."""
        if isinstance(step, Message):
            self.surely.add(step.id)
        if step.has_outcome:
            self.perhaps.add(step.id)

    def on_the_way(self) -> Earlier:
        """The same, for the steps of an arm."""
        return Earlier(set(self.surely), set(self.perhaps))

    def left_anywhere(self, steps: Earlier) -> None:
        """What comes after steps that may be left wherever a run is in them."""
        self.perhaps |= steps.perhaps

    def joined(self, arms: Sequence[Earlier]) -> None:
        """What comes after arms that lead on."""
        if arms:
            self.surely |= set.intersection(*(arm.surely for arm in arms))
            self.perhaps |= set.union(*(arm.perhaps for arm in arms))
