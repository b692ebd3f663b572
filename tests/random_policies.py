"""Policies by chance: a few rules of each kind, of edges and times that come together with nothing else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from journeys.clearance.consent import NOT_ASKED
from journeys.clearance.policy import ALL_CHANNELS, Policy, QuietTime
from journeys.clearance.quiet import quiet_by_clocks
from journeys.language.clock import DAYS
from journeys.reading import validated
from tests.random_journeys import SWEDISH

ZONES = (
    "Europe/Oslo",
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Casablanca",  # back in spring
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)
"""Clocks of customers. In the first four they are changed twice a year."""

CHANGING = ZONES[:4]
PURPOSES: list[dict[str, Any]] = [{}, {}, {"purpose": ["commercial", "transactional"]}, {"purpose": "transactional"}]


@st.composite
def policies(draw: st.DrawFn, today: date, *, brake: bool = True) -> Policy:
    """A policy under which every channel may send at some time of each week. *today*: dates come soon after it."""
    least = draw(st.integers(0, 1))
    said: dict[str, Any] = {
        "consent": NOT_ASKED.model_dump(),
        "time_zone": draw(st.sampled_from(ZONES)),
        "spread": draw(st.sampled_from(["0 seconds", "15 minutes", "2 hours"])),
        "quiet": draw(st.lists(quiet_times(today), min_size=least, max_size=3)),
        "caps": draw(st.lists(caps(), min_size=least, max_size=3)),
        "brake": draw(st.sampled_from([{}, *([{"same_content": rate} for rate in RATES] if brake else [])])),
    }
    policy = validated(Policy, said, "policy")
    return policy if not quiet_by_clocks(policy.quiet).always else policy.model_copy(update={"quiet": ()})


RATES = [
    {"at_most": at_most, "per": per} for at_most in (1, 2) for per in ("5 hours 17 minutes", "31 hours 17 minutes")
]


@st.composite
def quiet_times(draw: st.DrawFn, today: date) -> dict[str, Any]:
    days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=2, unique=True)
    match draw(st.sampled_from(["night", "night", "nights", "days", "dates"])):
        case "night":
            when: dict[str, Any] = draw(nights())
        case "nights":
            when = {"on": draw(days), **draw(nights())}
        case "days":
            when = {"on": draw(days)}
        case _:
            first = today + timedelta(days=draw(st.integers(-1, 4)))
            when = {"from": first.isoformat(), "to": (first + timedelta(days=draw(st.integers(0, 1)))).isoformat()}
    return {**when, **draw(about()), **draw(st.sampled_from([{}, {}, {"where": SWEDISH}]))}


@st.composite
def nights(draw: st.DrawFn) -> dict[str, str]:
    begins, hours, half = draw(st.integers(0, 23)), draw(st.integers(1, 12)), draw(st.sampled_from(["00", "30"]))
    return {"from": f"{begins:02}:{half}", "to": f"{(begins + hours) % 24:02}:{half}"}


@st.composite
def caps(draw: st.DrawFn) -> dict[str, Any]:
    per = f"{draw(st.integers(1, 60))} hours 23 minutes"
    over = draw(st.sampled_from([{}, {"over": "hold"}, {"over": "hold"}]))
    return {"at_most": draw(st.integers(1, 3)), "per": per, **over, **draw(about())}


@st.composite
def about(draw: st.DrawFn) -> dict[str, Any]:
    """Of which messages a rule is."""
    channels = st.lists(st.sampled_from(ALL_CHANNELS), min_size=1, unique=True)
    return {**draw(st.sampled_from([{}, {"channels": draw(channels)}])), **draw(st.sampled_from(PURPOSES))}


def before_a_change(now: datetime, zone: str) -> datetime:
    """The same time on the next day on which clocks in a zone are changed within 24 hours."""
    days = (now + timedelta(days=number) for number in range(400))
    return next(at for at in days if _ahead(at, zone) != _ahead(at + timedelta(days=1), zone))


def _ahead(at: datetime, zone: str) -> timedelta | None:
    return at.astimezone(ZoneInfo(zone)).utcoffset()


def later_by(policy: Policy, by: timedelta) -> Policy:
    """A policy whose dates come so much later."""
    quiet = [rule.model_copy(update=dates_of(rule, by)) for rule in policy.quiet]
    return policy.model_copy(update={"quiet": tuple(quiet)})


def dates_of(rule: QuietTime, by: timedelta) -> dict[str, date]:
    edges = {"from_": rule.from_, "to": rule.to}
    return {name: edge + by for name, edge in edges.items() if isinstance(edge, date)}
