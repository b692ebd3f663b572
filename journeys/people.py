"""What may be asked for the people inside, where a version of their journey is published."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated

from journeys.models import Expected, Name
from journeys.moving import Names, People, flaws_of_names
from journeys.problems import Flaw
from journeys.versions import Version

AskedPeople = Annotated[People, Expected("stay, move or drain")]

AskedNames = Annotated[dict[Name, Name], Expected("old step ids with new ones, such as {pause: rest}")]


def flaws_of_asking(
    people: People, names: Names, olds: Sequence[Version], new: Version, known: Collection[str] = frozenset()
) -> Iterator[Flaw]:
    """What is wrong with what somebody asks. *olds*: versions with people inside; *known*: steps of others."""
    yield from flaws_of_names(olds, new, names, known)
    if names and people != "move":
        hint = "Nobody else takes a step's other name. Say people: move, or leave map out."
        yield Flaw(path="map", message="it goes with people: move.", hint=hint)
