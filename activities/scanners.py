"""Clicks that no person makes: what scans mail follows its links as soon as it is there, and all of them at once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from activities.channels.reports import Report
from store.interactions import Seen, clicks_near, mark_as_machines
from store.sends import Send
from store.store import Store

AT_ONCE = timedelta(seconds=1)
"""Providers tell whole seconds, so that what happens at once may be told as one apart."""
ON_ITS_WAY = timedelta(hours=1)
"""How long before its delivery an email is scanned: a receiver may look into it before it takes it."""


class _Click(NamedTuple):
    at: datetime
    link: str


async def tell_apart(
    store: Store, source: str, reports: Sequence[Report], sends: Mapping[str, Send]
) -> Sequence[Report]:
    """The *reports* with the clicks of scanners marked. Clicks that were told earlier are marked where they are kept.

    *sends*: what they are about, by their ids. What a run has heard before it was found out stays its answer.
    """
    about = {
        report.id: sends[report.id].id
        for report in reports
        if report.interaction in ("delivered", "clicked") and report.id in sends and sends[report.id].kind == "email"
    }
    told = [report for report in reports if report.id in about]
    if not told:
        return reports
    times = [report.at for report in told]
    before = await clicks_near(store, sorted(set(about.values())), min(times) - ON_ITS_WAY, max(times) + AT_ONCE)
    scanned = _Scanned(
        delivered=[
            *((about[report.id], report.at) for report in told if report.interaction == "delivered"),
            *((seen.send, seen.at) for seen in before if seen.interaction == "delivered"),
        ],
        clicks=[
            *((about[report.id], _Click(report.at, report.link)) for report in told if report.interaction == "clicked"),
            *((seen.send, _click(seen)) for seen in before if seen.interaction == "clicked"),
        ],
    )
    late = [seen for seen in before if seen.interaction == "clicked" and scanned.holds(seen.send, _click(seen))]
    if machines := [seen.event for seen in late if seen.source == source and not seen.machine]:
        await mark_as_machines(store, source, machines)
    return list(_marked(reports, about, scanned))


def _marked(reports: Iterable[Report], about: Mapping[str, str], scanned: _Scanned) -> Iterator[Report]:
    for report in reports:
        is_click = report.interaction == "clicked" and report.id in about
        if is_click and scanned.holds(about[report.id], _Click(report.at, report.link)):
            yield replace(report, machine=True)
        else:
            yield report


def _click(seen: Seen) -> _Click:
    return _Click(seen.at, seen.link or "")


class _Scanned:
    """When each email was delivered, and which of its links were clicked when."""

    def __init__(self, delivered: Iterable[tuple[str, datetime]], clicks: Iterable[tuple[str, _Click]]) -> None:
        self._delivered: dict[str, datetime] = {}
        for send, at in delivered:
            self._delivered[send] = min(at, self._delivered.get(send, at))
        self._links: dict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
        for send, click in sorted(clicks):
            self._links[send][click.link].append(click.at)

    def holds(self, send: str, click: _Click) -> bool:
        """Whether a click came with the delivery, or together with one on another link of the same email."""
        delivered = self._delivered.get(send)
        if delivered is not None and click.at <= delivered + AT_ONCE:
            return True
        return any(
            bisect_left(times, click.at - AT_ONCE) < bisect_right(times, click.at + AT_ONCE)
            for link, times in self._links[send].items()
            if link != click.link
        )
