"""Parts of times in zones: by the package's table, whatever the machine has, and no value opens a file."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.language.conditions import ConditionError, Verdict, compile_condition
from journeys.language.scopes import Scope
from journeys.language.zones import known_zone, zone_names

PARTS = (
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
)
SCOPE: Scope = {"now": "time", "event.shown": "time", "customer.zone": "text"}
INSTANTS = st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1 < at.year < 9999)
ROOT = Path(__file__).parents[3]


def asked(part: str, at: datetime, zone: str) -> Verdict:
    """Whether a part in the zone is what CEL's own function gives for what clocks show there, as if it were UTC."""
    known = known_zone(zone)
    shown = (at.astimezone(known) if known else at).replace(tzinfo=UTC)
    condition = compile_condition(f"now.{part}(customer.zone) == event.shown.{part}()", SCOPE)
    return condition.holds({"now": at, "event.shown": shown, "customer.zone": zone})


@pytest.mark.parametrize("part", PARTS)
@given(INSTANTS, st.sampled_from(sorted(zone_names())))
def test_every_part_is_what_clocks_show_in_the_zone(part: str, at: datetime, zone: str) -> None:
    assert asked(part, at.replace(microsecond=at.microsecond // 1000 * 1000), zone).holds


@pytest.mark.parametrize(("offset", "hour"), [("+02:30", 11), ("02:30", 11), ("-09:30", 23)])
def test_an_offset_is_a_zone_too(offset: str, hour: int) -> None:
    at = datetime(2026, 11, 24, 9, tzinfo=UTC)

    assert compile_condition(f'now.getHours("{offset}") == {hour}', SCOPE).holds({"now": at}).holds


def test_the_machine_s_table_is_not_asked(tmp_path: Path) -> None:
    code = (
        "from datetime import UTC, datetime\n"
        "from journeys.language.conditions import compile_condition\n"
        "asked = compile_condition('now.getHours(\"Europe/Oslo\") == 10', {'now': 'time'})\n"
        "print(asked.holds({'now': datetime(2026, 11, 24, 9, tzinfo=UTC)}).reason)\n"
    )
    nowhere = os.environ | {"TZDIR": str(tmp_path), "PYTHONTZPATH": str(tmp_path)}

    said = subprocess.run(
        [sys.executable, "-c", code], env=nowhere, cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout == 'now.getHours("Europe/Oslo") == 10 holds (now is 2026-11-24T09:00:00Z)\n'


@pytest.mark.parametrize("start", ["", "file:", "../../../../../.."])
def test_a_value_that_names_a_file_opens_none(start: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # whoever opens it waits for ever
    begun = datetime.now(UTC)

    verdict = asked("getHours", begun, f"{start}{pipe}")

    assert (verdict.holds, verdict.told) == (False, False)
    assert "there is no such time zone" in verdict.reason
    assert datetime.now(UTC) - begun < timedelta(seconds=5)


@pytest.mark.parametrize("part", PARTS)
def test_a_zone_that_is_written_out_is_checked_for_every_part(part: str) -> None:
    with pytest.raises(ConditionError, match=r'no time zone "Oslo"\. Did you mean "Europe/Oslo"\?'):
        compile_condition(f'now.{part}("Oslo") == 1', SCOPE)
