"""What commands say of the tests of a journey: who is in which arm, and what decides between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from journeys.language.durations import say
from journeys.language.shares import say_share
from store.ab_views import TestArm, TestView
from terminal.show import columns

COLOURS = {"waiting": "dim", "running": "cyan", "over": "yellow", "decided": "green"}


def tests(found: Sequence[TestView], journey: str) -> Iterator[Text]:
    """The tests of a journey, the newest first."""
    if not found:
        yield Text(f"{journey} has no tests.")
    for number, test in enumerate(found):
        if number:
            yield Text()
        yield from _test(test)


def _test(test: TestView) -> Iterator[Text]:
    versions = ", ".join(f"v{number}" for number in sorted(test.versions))
    yield Text.assemble((test.step, "bold"), f" of {versions}, by {test.by}: ", (test.state, COLOURS[test.state]))
    yield Text(f"  {_when(test)}")
    for line in columns([("Arm", "Share", "People", "Counted", "Hits", "Rate", "Left out"), *map(_row, test.arms)]):
        yield Text.assemble("  ", line)
    yield Text(f"  {_what_counts(test)}", "dim")
    if test.verdict:
        yield Text.assemble("  ", (f"{test.verdict.winner}: ", "bold"), test.verdict.why)
    else:
        yield Text(f"  {test.default} is taken by everybody where the difference is not significant.", "dim")


def _when(test: TestView) -> str:
    if test.started_at is None:
        return "Nobody has come to it yet."
    began = f"Since {_at(test.started_at)}"
    if test.state == "over" and test.ends_at:
        return f"{began}; its end was {_at(test.ends_at)}, and it is decided within a minute."
    if test.ends_at:
        return f"{began}; {'decided as of' if test.state == 'decided' else 'is decided on'} {_at(test.ends_at)}."
    return f"{began}; ends when the time of {test.needed} people is over, of whom {test.people} have come."


def _what_counts(test: TestView) -> str:
    ago = "before its end" if test.state in ("over", "decided") else "ago"
    return f"Counted is who came {say(test.within)} {ago} or earlier: what they did within that time is a hit."


def _row(arm: TestArm) -> tuple[str, ...]:
    rate = "–" if arm.rate is None else f"{100 * arm.rate:.1f}%"
    return arm.arm, say_share(arm.share), str(arm.people), str(arm.counted), str(arm.hits), rate, str(arm.left_out)


def _at(at: datetime) -> str:
    return f"{at.day} {at:%b %Y %H:%M} UTC"
