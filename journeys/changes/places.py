"""Where the steps of a journey stand in its tree, and which of them stand elsewhere in another one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from journeys.steps import AnyStep
from journeys.walk.position import Turn


class Place(NamedTuple):
    """In which arm a step stands, if it is in one, and after which step there. *within*: of steps that it walks."""

    arm: Turn | None
    after: str | None
    within: bool

    @property
    def words(self) -> str:
        """For people: ``after hello``, ``first in "yes" of reaction``."""
        if self.arm is None:
            return f"after {self.after}" if self.after else "at the beginning"
        inside = f"within {self.arm.step}" if self.within else f'in "{self.arm.arm}" of {self.arm.step}'
        return f"{inside}, after {self.after}" if self.after else f"first {inside}"


Places = Mapping[str, tuple[AnyStep, Place]]
"""By id, all steps of a tree in the order they are written, each with where it stands."""


def places(steps: Sequence[AnyStep]) -> Places:
    """Where each of these steps, and of those in their arms, stands."""
    return {step.id: (step, place) for step, place in _placed(steps, None, within=False)}


def _placed(steps: Sequence[AnyStep], arm: Turn | None, *, within: bool) -> Iterator[tuple[AnyStep, Place]]:
    after = None
    for step in steps:
        yield step, Place(arm, after, within)
        for each in step.arms:
            yield from _placed(each.steps, Turn(step.id, each.name), within=each.meanwhile)
        after = step.id


def moved(old: Places, new: Places, names: Mapping[str, str]) -> frozenset[str]:
    """The steps of the *new* tree that stand in another arm than in the *old* one, or in another order there.

    *names*: what steps of the old one are called in the new one, where that is another name.
    """
    before = {names.get(id, id): _renamed(place.arm, names) for id, (_, place) in old.items()}
    both = [id for id in new if id in before]
    elsewhere = {id for id in both if before[id] != new[id][1].arm}
    beside = [_by_arm((id for id in ids if id in new and id not in elsewhere), new) for ids in (before, both)]
    return frozenset(elsewhere.union(*(_out_of_order(beside[0][arm], order) for arm, order in beside[1].items())))


def _renamed(arm: Turn | None, names: Mapping[str, str]) -> Turn | None:
    return arm and Turn(names.get(arm.step, arm.step), arm.arm)


def _by_arm(ids: Iterator[str], where: Places) -> defaultdict[Turn | None, list[str]]:
    siblings = defaultdict[Turn | None, list[str]](list)
    for id in ids:
        siblings[where[id][1].arm].append(id)
    return siblings


def _out_of_order(before: Sequence[str], now: Sequence[str]) -> set[str]:
    """Those that others have to go round: without them, the rest is in the order that it had."""
    blocks = SequenceMatcher(None, before, now, autojunk=False).get_matching_blocks()
    return set(now).difference(*(now[block.b : block.b + block.size] for block in blocks))
