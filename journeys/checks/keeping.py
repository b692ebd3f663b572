"""What must be right about how long the house keeps what is over: that nothing is pruned that still decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from journeys.clearance.keeping import LEAST, Keep, say_kept
from journeys.clearance.policy import LONGEST_CAP, Policy
from journeys.findings import Findings, flaw
from journeys.language.durations import say
from journeys.problems import Flaw


def check_keep(policy: Policy) -> Iterator[Findings]:
    """What is wrong with what a policy keeps."""
    keep = policy.keep
    wrong = list(_too_short(keep))
    yield from wrong
    if not wrong:
        yield from _looked_back_on(policy)


def keeps_less(keep: Keep, before: Keep) -> tuple[Flaw, ...]:
    """What is to be known of what is kept for less long than *before*: nobody brings back what is pruned."""
    shorter = [name for name in Keep.model_fields if getattr(keep, name) < getattr(before, name)]
    return tuple(_less(name, getattr(keep, name), getattr(before, name)) for name in shorter)


def _less(name: str, now: timedelta, before: timedelta) -> Flaw:
    message = f"{say_kept(now)} instead of {say_kept(before)}: what is older is pruned within ten minutes, for good."
    keep = f"keep: {{{name}: {say_kept(before)}}}"
    hint = f"How much that is: sojourn prune --dry-run --policy FILE. To keep it, say {keep}."
    return Flaw(path=f"keep.{name}", message=message, hint=hint)


def _too_short(keep: Keep) -> Iterator[Findings]:
    for name in Keep.model_fields:
        if (how_long := getattr(keep, name)) < LEAST:
            yield flaw(f"keep.{name}", f"found {say(how_long)}; expected {say(LEAST)} or more.")


def _looked_back_on(policy: Policy) -> Iterator[Findings]:
    """Who was sent what, and who entered, is what caps and the brake count."""
    told = (window for window in _windows(policy) if window[1] <= LONGEST_CAP)  # else it is said there
    where, per = max(told, key=lambda window: window[1], default=("", timedelta()))
    if policy.keep.runs < per:
        message = f"found {say(policy.keep.runs)}, but {where} looks back on {say(per)}."
        yield flaw("keep.runs", message, f"Keep runs for {say(per)} or more.")


def _windows(policy: Policy) -> Iterator[tuple[str, timedelta]]:
    yield from ((f"caps[{index}]", cap.per) for index, cap in enumerate(policy.caps))
    for name in ("same_content", "entries"):
        if rate := getattr(policy.brake, name):
            yield f"brake.{name}", rate.per
