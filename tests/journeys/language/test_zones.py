"""Time zones: which names are known, whose table decides, and who is asked first."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from journeys.language import zones
from journeys.language.zones import TABLE, check_zone, known_zone, zone_names, zone_of

SUMMER = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - it is given the zones that are tried


@pytest.fixture
def another_table_on_the_machine(tmp_path: Path) -> Iterator[None]:
    """The system's table calls Tokyo Oslo."""
    (tmp_path / "Europe").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "Europe" / "Oslo").write_bytes(tokyo)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    zones._read.cache_clear()
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()
    zones._read.cache_clear()


@pytest.mark.usefixtures("another_table_on_the_machine")
def test_the_table_of_the_machine_does_not_decide() -> None:
    oslo = known_zone("Europe/Oslo")

    assert zoneinfo.ZoneInfo("Europe/Oslo").utcoffset(SUMMER) == timedelta(hours=9)
    assert oslo is not None
    assert oslo.utcoffset(SUMMER) == timedelta(hours=2)


def test_every_name_of_the_table_has_its_zone() -> None:
    for name in zone_names():
        zone = known_zone(name)

        assert zone is not None
        assert zone.key == name
        assert zone.utcoffset(SUMMER) is not None


def test_a_zone_is_read_once() -> None:
    assert known_zone("Europe/Oslo") is known_zone("Europe/Oslo")


def test_the_edition_of_the_table_is_told() -> None:
    assert re.fullmatch(r"20[0-9]{2}[a-z]", TABLE)
    assert files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text().startswith(f"# version {TABLE}")


UNKNOWN = [
    *("", " ", "Europe", "Europe/", "/Europe/Oslo", "../Europe/Oslo", "Europe/../Europe/Oslo", "Europe//Oslo"),
    *("/etc/localtime", "localtime", "posixrules", "right/Europe/Oslo", "posix/Europe/Oslo", "Factory"),
    *("zones", "tzdata.zi", "zone.tab", "__init__.py", "Europe/__init__.py", "Europe\\Oslo", "Europe/Oslo\0"),
    *("europe/oslo", "EUROPE/OSLO", "Europe/oslo", "Europe/Oslo ", "utc", "Europe/Olso", "Oslo"),
    *("+02:00", "UTC+2", "CEST", "W. Europe Standard Time", "x" * 100_000),
]


@pytest.mark.parametrize("name", UNKNOWN, ids=lambda name: repr(name[:30]))
def test_only_names_of_the_table_are_zones(name: str) -> None:
    assert known_zone(name) is None
    assert check_zone(name) is not None


@pytest.mark.parametrize("value", [None, 1, 1.5, True, ["Europe/Oslo"], b"Europe/Oslo"])
def test_what_is_no_text_is_no_zone(value: object) -> None:
    assert known_zone(value) is None


@pytest.mark.parametrize("name", ["Europe/Oslo", "UTC", "America/Argentina/Buenos_Aires", "Asia/Calcutta", "Etc/GMT-3"])
def test_nothing_is_wrong_with_a_zone_of_the_table(name: str) -> None:
    assert check_zone(name) is None


PLACE = "Name a place, such as Europe/Oslo: an offset or an abbreviation knows nothing of summer time."
HINTS = {
    "Europe/Olso": 'Did you mean "Europe/Oslo"?',
    "europe/oslo": 'Did you mean "Europe/Oslo"?',
    "Europe/Oslo ": 'Did you mean "Europe/Oslo"?',
    "Oslo": 'Did you mean "Europe/Oslo"?',
    "New York": 'Did you mean "America/New_York"?',
    "America/New York": 'Did you mean "America/New_York"?',
    "US/New_York": 'Did you mean "America/New_York"?',
    "utc": 'Did you mean "UTC"?',
    "+02:00": PLACE,
    "UTC+2": PLACE,
    "GMT +1": PLACE,
    "CEST": PLACE,
    "PDT": PLACE,
    "W. Europe Standard Time": "Name a place as the IANA does, such as Europe/Oslo or America/New_York.",
}


@pytest.mark.parametrize(("name", "hint"), HINTS.items(), ids=repr)
def test_a_hint_says_what_to_write_instead(name: str, hint: str) -> None:
    flaw = check_zone(name)

    assert flaw is not None
    assert str(flaw.within("time_zone")) == f'time_zone: there is no time zone "{name}". {hint}'


def test_a_long_name_is_shortened() -> None:
    flaw = check_zone("x" * 1_000)

    assert flaw is not None
    assert len(flaw.message) < 100


OF_THE_CUSTOMER, OF_THE_JOURNEY, OF_THE_HOUSE = "customer.time_zone", "the journey", "the house"


@pytest.mark.parametrize(
    ("customer", "journey", "house", "name", "why"),
    [
        ("Asia/Tokyo", "Europe/Oslo", "Europe/Paris", "Asia/Tokyo", "Asia/Tokyo of customer.time_zone"),
        (None, "Europe/Oslo", "Europe/Paris", "Europe/Oslo", "Europe/Oslo of the journey"),
        ("", "Europe/Oslo", None, "Europe/Oslo", "Europe/Oslo of the journey"),
        (None, None, "Europe/Paris", "Europe/Paris", "Europe/Paris of the house"),
        (None, None, None, "UTC", "UTC"),
        (
            *("Ada's/Street", "Europe/Oslo", None, "Europe/Oslo"),
            "customer.time_zone names no zone that is known, so Europe/Oslo of the journey",
        ),
        ("asia/tokyo", None, None, "UTC", "customer.time_zone names no zone that is known, so UTC"),
        (7, None, None, "UTC", "customer.time_zone names no zone that is known, so UTC"),
        (
            *("x", "y", "Europe/Paris", "Europe/Paris"),
            "customer.time_zone and the journey name no zone that is known, so Europe/Paris of the house",
        ),
    ],
)
def test_the_first_zone_that_is_known_is_taken(customer: object, journey: str, house: str, name: str, why: str) -> None:
    zone = zone_of([(OF_THE_CUSTOMER, customer), (OF_THE_JOURNEY, journey), (OF_THE_HOUSE, house)])

    assert (zone.name, zone.zone, zone.why) == (name, known_zone(name), why)


def test_without_candidates_it_is_utc() -> None:
    assert zone_of([]).name == "UTC"
