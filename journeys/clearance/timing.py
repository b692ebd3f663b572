"""Whether a message may go out just now: not in quiet times, not above a cap, and not where the brake holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from journeys.clearance.circumstances import Blocked, Circumstances
from journeys.clearance.policy import Cap, QuietTime
from journeys.clearance.quiet import Quiet, applying, asked_of, next_quiet, quiet_time
from journeys.clearance.releases import Release
from journeys.clearance.windows import window_of_cap, window_of_copies
from journeys.definition import send_id
from journeys.interactions import Kind
from journeys.language.clock import clock
from journeys.language.durations import say
from journeys.walk.diary import Held
from journeys.walk.pace import at_pace, later
from journeys.walk.world import Visit

MOST_OF_IT = 0.9
"""Who is let go shortly before it is too late, or quiet again, is so within nine tenths of the time that is left."""


class NotNow(NamedTuple):
    """Why a message may not go out at this instant; None where it may. *notes*: rules that do not apply, and why."""

    answer: Held | Blocked | None
    notes: tuple[str, ...] = ()


def not_now(visit: Visit, known: Circumstances) -> NotNow:
    """The first reason of quiet times, caps and the brake, in this order, why a message may not go out just now."""
    if waits := its_turn(visit, known.released, known.day):
        return NotNow(waits)
    rules, notes = _quiet_rules(visit, known)
    quiet = quiet_time(rules, known.zone, visit.now)
    full = _full_caps(visit, known)
    if quiet is None and (why := next((_words(cap) for cap, _ in full if cap.over == "block"), "")):
        return NotNow(Blocked(why))
    waiting = [(cap, free) for cap, free in full if cap.over == "hold"]
    if quiet is not None or waiting:
        return NotNow(_until_clear(visit, known, rules, quiet, waiting))
    return NotNow(_braked(visit, known), notes)


def _until_clear(
    visit: Visit,
    known: Circumstances,
    rules: Sequence[QuietTime],
    quiet: Quiet | None,
    waiting: Sequence[tuple[Cap, datetime]],
) -> Held:
    """Held until there is a place under every cap and nothing is quiet, as far as that is known now."""
    at = max([visit.now, *(free for _, free in waiting)])
    then = quiet_time(rules, known.zone, at)
    whys = [quiet.why if quiet else "", *(_words(cap) for cap, _ in waiting), then.why if then else ""]
    again = then.again if then else next_quiet(rules, known.zone, at)
    until = _spread(visit, at_pace(known.policy.spread, known.day), then.until if then else at, again)
    why = "; ".join(dict.fromkeys(filter(None, whys)))
    return Held(until=until, why=why, by="quiet time" if quiet else "cap")


def its_turn(visit: Visit, released: Release | None, day: timedelta) -> Held | None:
    """Until when it waits for its turn, where it was let go with others; None where it waits no more."""
    if released is None:
        return None
    until = _spread(visit, at_pace(released.over, day), released.at)
    what = "it was" if released.why in ("repaired", "moved") else "its journey was"
    why = f"{what} {released.why} at {clock(released.at, visit.now)}, and all that waited goes out one after the other"
    return Held(until=until, why=why, by="release") if visit.now < until else None


def _spread(visit: Visit, over: timedelta, at: datetime, again: datetime | None = None) -> datetime:
    """*at*, or somewhat later: for each send its own part of the time, but before it expires or is quiet."""
    ends = [end for end in (visit.expires_at, again) if end is not None]
    room = min([over, *((end - at) * MOST_OF_IT for end in ends)])
    return later(at, max(room, timedelta()) * _share(send_id(visit.run, visit.at_step)))


def _share(send: str) -> float:
    """A part of one, the same for the same send, and spread evenly over all of them."""
    return int.from_bytes(hashlib.sha256(f"spread\0{send}".encode()).digest()[:6]) / 2**48


def _quiet_rules(visit: Visit, known: Circumstances) -> tuple[list[QuietTime], tuple[str, ...]]:
    if "quiet" in known.ignored or not known.policy.quiet:
        return [], ()
    holds = asked_of(known.schema, known.customer)
    rules, notes = applying(known.policy, visit.message.kind, known.purpose, holds)
    return rules, tuple(notes)


def _full_caps(visit: Visit, known: Circumstances) -> list[tuple[Cap, datetime]]:
    """The caps that leave no place now, each with when the next one is free."""
    if "caps" in known.ignored:
        return []
    caps = [cap for cap in known.policy.caps if cap.is_about(visit.message.kind, known.purpose)]
    last = [(cap, known.taken.get(window_of_cap(cap, visit.now, known.day))) for cap in caps]
    return [(cap, later(at, at_pace(cap.per, known.day))) for cap, at in last if at is not None]


def _words(cap: Cap) -> str:
    return f"the cap of {_messages(cap)} within {say(cap.per)} is reached"


def _messages(cap: Cap) -> str:
    """How many of what: ``3 emails``, ``1 message by email and text``."""
    if len(cap.channels) == 1:
        (channel,) = cap.channels
        return f"{cap.at_most} {channel if cap.at_most == 1 else _SEVERAL[channel]}"
    return f"{cap.at_most} {'message' if cap.at_most == 1 else 'messages'} by {_and(cap.channels)}"


_SEVERAL: Mapping[Kind, str] = {"email": "emails", "text": "texts", "push": "pushes"}


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _braked(visit: Visit, known: Circumstances) -> Held | None:
    same = known.policy.brake.same_content
    if same is None or known.purpose not in same.purpose:
        return None
    kind, content = visit.message.kind, visit.message.content
    if window_of_copies(same, kind, content, visit.now, known.day, known.let_go_at) not in known.taken:
        return None
    copies = f'{same.at_most} copies of "{content}" went to one customer within {say(same.per)}'
    return Held(until=None, why=f"the brake: {copies}, and this would be one more", by="brake")
