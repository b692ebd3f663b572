"""Windows: what is asked of the sends of a customer, so that a cap or the brake can be held against them.

A rule names its windows; each world answers them in its own way, and the rule decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from journeys.clearance.consent import Purpose
from journeys.clearance.policy import ALL_CHANNELS, Cap, Policy, SameContent
from journeys.interactions import Kind
from journeys.walk.pace import DAY, at_pace


class Window(NamedTuple):
    """The sends of one customer later than *since* that a provider has, may have, or is being given.

    Those to *channels* and of *purposes*; where it is named, of one *content*. Asked is when the one was claimed that
    takes the last of *places*: the latest but as many.
    """

    channels: tuple[Kind, ...]
    purposes: tuple[Purpose, ...]
    content: str | None
    places: int
    since: datetime


Taken = Mapping[Window, datetime]
"""The windows that are full, each with when the send was claimed that takes its last place (aware UTC)."""


class Sent(NamedTuple):
    """One send that takes a place, as a window sees it."""

    channel: Kind
    purpose: Purpose
    content: str
    at: datetime


def window_of_cap(cap: Cap, now: datetime, day: timedelta = DAY) -> Window:
    """What a cap looks at. A place is free again exactly after its time, at the run's pace."""
    return Window(_ordered(cap.channels), tuple(sorted(cap.purpose)), None, cap.at_most, now - at_pace(cap.per, day))


def window_of_copies(
    rule: SameContent,
    channel: Kind,
    content: str,
    now: datetime,
    day: timedelta = DAY,
    anew: datetime | None = None,
) -> Window:
    """What the brake looks at; copies of before its journey was let go, *anew*, are forgiven."""
    since = now - at_pace(rule.per, day)
    if anew is not None:  # what goes out at that very instant has been let go, and counts
        since = max(since, anew - timedelta.resolution)
    return Window((channel,), tuple(sorted(rule.purpose)), content, rule.at_most, since)


def windows_of(
    policy: Policy,
    channel: Kind,
    purpose: Purpose,
    content: str,
    now: datetime,
    *,
    day: timedelta = DAY,
    anew: datetime | None = None,
) -> tuple[Window, ...]:
    """All windows that decide about a message."""
    asked = [window_of_cap(cap, now, day) for cap in policy.caps if cap.is_about(channel, purpose)]
    same = policy.brake.same_content
    if same is not None and purpose in same.purpose:
        asked.append(window_of_copies(same, channel, content, now, day, anew))
    return tuple(dict.fromkeys(asked))


def taken(windows: Iterable[Window], sends: Iterable[Sent]) -> dict[Window, datetime]:
    """The windows that these sends fill."""
    known = sorted(sends, key=lambda sent: sent.at, reverse=True)
    full: dict[Window, datetime] = {}
    for window in windows:
        within = [sent.at for sent in known if _is_within(sent, window)]
        if len(within) >= window.places:
            full[window] = within[window.places - 1]
    return full


def _is_within(sent: Sent, window: Window) -> bool:
    return (
        sent.channel in window.channels
        and sent.purpose in window.purposes
        and window.content in (None, sent.content)
        and sent.at > window.since
    )


def _ordered(channels: Iterable[Kind]) -> tuple[Kind, ...]:
    named = frozenset(channels)
    return tuple(channel for channel in ALL_CHANNELS if channel in named)
