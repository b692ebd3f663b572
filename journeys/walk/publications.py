"""What a script publishes: each version, held against all that holds for publishing, and against those before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from journeys.checks.review import Catalogue
from journeys.people import flaws_of_asking
from journeys.problems import Flaw
from journeys.publishing import check, version_of
from journeys.versions import Version
from journeys.walk.script import Happening


def check_publications(
    first: Version, script: Sequence[Happening], catalogue: Catalogue, *, told: Collection[str] = ()
) -> Iterator[tuple[int, Flaw]]:
    """What is wrong with the versions that a script publishes, each flaw with the index of its line.

    *told*: the contents whose own flaws are told elsewhere.
    """
    olds: list[Version] = []
    live = first
    for index, line in sorted(enumerate(script), key=lambda each: each[1].at):
        if line.publish is None:
            continue
        if line.publish.journey != first.name:
            message = f'found "{line.publish.journey}", but it is "{first.name}" that is previewed.'
            yield index, Flaw(path="publish.journey", message=message, hint="Publish a version of the same journey.")
            continue
        if line.publish.hash != live.journey.hash:
            olds.append(live)
            live = version_of(line.publish, live.number + 1, catalogue)
        yield from ((index, flaw.within("publish")) for flaw in check(line.publish, catalogue, told=told))
        yield from ((index, flaw) for flaw in flaws_of_asking(line.people, line.map, olds, live))
