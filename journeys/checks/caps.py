"""What must be right about caps and the brake: that they look back on some time, and that a cap is ever reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from journeys.checks.durations import check_positive
from journeys.clearance.policy import LONGEST_CAP, Brake, Cap
from journeys.findings import Findings, flaw, gathered, warning
from journeys.language.durations import say


def check_caps(caps: Sequence[Cap]) -> Iterator[Findings]:
    """What is wrong with the caps of a policy."""
    wrong = gathered(each for index, cap in enumerate(caps) for each in check_per(f"caps[{index}].per", cap.per))
    yield wrong
    if not wrong.flaws:
        yield from _never_reached(caps)


def check_brake(brake: Brake) -> Iterator[Findings]:
    """What is wrong with the brake of a policy."""
    for name, rate in (("same_content", brake.same_content), ("entries", brake.entries)):
        if rate is not None:
            yield from check_per(f"brake.{name}.per", rate.per)


def check_per(path: str, per: timedelta) -> Iterator[Findings]:
    """Whether so long can be looked back."""
    if per > LONGEST_CAP:
        message = f"found {say(per)}; at most {say(LONGEST_CAP)} go: so long is kept who was sent what."
        yield flaw(path, message)
    else:
        yield from check_positive(path, per)


def _never_reached(caps: Sequence[Cap]) -> Iterator[Findings]:
    placed = list(enumerate(caps))
    for index, cap in placed:
        others = (other for other, _ in placed if other != index and _is_needless(placed[index], placed[other]))
        if (other := next(others, None)) is not None:
            number = most(caps[other], cap.per)
            out = f"{number} {'goes' if number == 1 else 'go'} out in {say(cap.per)}"
            message = f"it is never reached: by caps[{other}], no more than {out}."
            yield warning(f"caps[{index}]", message, "Remove one of the two.")


def most(cap: Cap, within: timedelta) -> int:
    """How many messages a cap lets out at most in a time: a place is free again after each *per*."""
    return cap.at_most * -(-within // cap.per)


def _is_needless(one: tuple[int, Cap], other: tuple[int, Cap]) -> bool:
    """Whether the *other* is reached first. Of two that say the same it is the one that blocks, else the first."""
    (place, cap), (other_place, other_cap) = one, other
    if not _is_as_strict(other_cap, cap):
        return False
    mutual = _is_as_strict(cap, other_cap)
    return not mutual or (cap.over == "hold", place) > (other_cap.over == "hold", other_place)


def _is_as_strict(cap: Cap, other: Cap) -> bool:
    """Whether *cap* counts all that the *other* counts, and lets out no more of it."""
    counts_all = {*other.channels} <= {*cap.channels} and {*other.purpose} <= {*cap.purpose}
    return counts_all and most(cap, other.per) <= other.at_most
