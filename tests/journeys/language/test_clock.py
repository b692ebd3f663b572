"""Times of day and days of the week: what is read, how it is written, and what is said of the rest."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from journeys.language.clock import (
    EVERY_DAY,
    Days,
    TimeOfDay,
    clock,
    parse_days,
    parse_time,
    say_days,
    say_time,
    write_days,
)

TIMES = st.times().map(lambda at: at.replace(microsecond=0))
SOME_DAYS = st.frozensets(st.integers(0, 6), min_size=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("09:00", time(9)), ("00:00", time(0)), ("23:59:59", time(23, 59, 59)), ("09:00:00", time(9))],
)
def test_a_time_of_day_is_read(text: str, expected: time) -> None:
    assert parse_time(text) == expected


MEANT = {
    "9:00": "09:00",
    "9": "09:00",
    "9am": "09:00",
    "9 AM": "09:00",
    "9 p.m.": "21:00",
    "9:30pm": "21:30",
    "12am": "00:00",
    "12pm": "12:00",
    "0900": "09:00",
    "930": "09:30",
    "9.30": "09:30",
    "09.30 Uhr": "09:30",
    "21h": "21:00",
    "21h30": "21:30",
    "7 o'clock": "07:00",
    "09:00:00.000": "09:00",
    "09:00:30.5": "09:00:30",
    " 09:00": "09:00",
    "noon": "12:00",
    "Midnight": "00:00",
}


@pytest.mark.parametrize(("text", "meant"), MEANT.items())
def test_what_is_meant_is_what_to_write(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f'"{text}" is no time of day: write "{meant}"')):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("24:00", 'midnight is "00:00", when the day begins'),
        ("24:00:00", 'midnight is "00:00", when the day begins'),
        ("25:00", "hours go from 00 to 23, minutes and seconds from 00 to 59"),
        ("09:60", "hours go from 00 to 23"),
        ("09:00:60", "hours go from 00 to 23"),
        ("09:00Z", 'without a zone or an offset: "09:00"'),
        ("9:30+01:00", 'without a zone or an offset: "09:30"'),
        ("09:00 -05:00", 'without a zone or an offset: "09:00"'),
        ("09:00 UTC", 'without a zone or an offset: "09:00"'),
        ("09:00 Europe/Oslo", 'without a zone or an offset: "09:00"'),
        ("", 'such as "09:00"'),
        ("13pm", 'such as "09:00"'),
        ("0am", 'such as "09:00"'),
        ("99", 'such as "09:00"'),
        ("morning", 'such as "09:00"'),
        ("09:00-10:00", "without a zone or an offset"),
        ("2026-12-01T09:00:00Z", 'such as "09:00"'),
        ("\u0660\u0669:\u0660\u0660", 'such as "09:00"'),
        ("x" * 10_000, "x…"),
    ],
)
def test_what_is_no_time_of_day_is_refused_with_what_to_write(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="is no time of day: ") as caught:
        parse_time(text)

    assert why in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_an_hour_alone_is_told_as_it_is_written(hour: int) -> None:
    with pytest.raises(ValidationError, match=f'{hour} is no time of day: write "{hour:02}:00"'):
        TypeAdapter(TimeOfDay).validate_python(hour)


@pytest.mark.parametrize("value", [24, 9.0, 540, True, None, [9, 0], {"hour": 9}, 10**500, time(9, tzinfo=UTC)])
def test_what_is_no_text_is_no_time_of_day(value: object) -> None:
    with pytest.raises(ValidationError, match=r'is no time of day: write it in quotes, such as "09:00"'):
        TypeAdapter(TimeOfDay).validate_python(value)


@given(TIMES)
def test_a_time_of_day_is_written_as_it_is_read(at: time) -> None:
    field: TypeAdapter[time] = TypeAdapter(TimeOfDay)

    assert parse_time(say_time(at)) == at
    assert field.validate_json(field.dump_json(at)) == at


@given(st.text(alphabet="0123456789:.apmh +-Z", max_size=12))
def test_whatever_is_written_is_read_or_refused_in_words(text: str) -> None:
    try:
        said = say_time(parse_time(text))
    except ValueError as error:
        said = ""
        refused = str(error)
    else:
        refused = ""

    assert said in (text, text.removesuffix(":00")) if said else "is no time of day" in refused
    if meant := re.search(r'write "([^"]+)"$', refused):
        assert say_time(parse_time(meant[1])) == meant[1]


@pytest.mark.parametrize(
    ("written", "days", "said"),
    [
        ("every day", {0, 1, 2, 3, 4, 5, 6}, ""),
        ("weekdays", {0, 1, 2, 3, 4}, "on weekdays"),
        ("weekends", {5, 6}, "on weekends"),
        ("mon", {0}, "on Monday"),
        (["mon"], {0}, "on Monday"),
        (["thu", "mon"], {0, 3}, "on Monday and Thursday"),
        (["sun", "tue", "fri"], {1, 4, 6}, "on Tuesday, Friday and Sunday"),
        (["sun", "sat"], {5, 6}, "on weekends"),
        (["mon", "tue", "wed", "thu", "fri", "sat", "sun"], {0, 1, 2, 3, 4, 5, 6}, ""),
    ],
)
def test_days_are_read_and_said(written: object, days: set[int], said: str) -> None:
    assert parse_days(written) == days
    assert say_days(frozenset(days)) == said


@given(SOME_DAYS)
def test_days_are_written_as_they_are_read(days: frozenset[int]) -> None:
    field: TypeAdapter[frozenset[int]] = TypeAdapter(Days)

    assert parse_days(write_days(days)) == days
    assert field.validate_json(field.dump_json(days)) == days


def test_the_same_days_are_written_in_one_way() -> None:
    assert write_days(parse_days(["fri", "thu", "wed", "tue", "mon"])) == "weekdays"
    assert write_days(EVERY_DAY) == "every day"
    assert write_days(parse_days(["sun", "mon"])) == ["mon", "sun"]


LIKE = "write weekdays, weekends, every day, or a list such as [mon, thu]"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ([], f"there is no day in it: {LIKE}"),
        ("", f'"" is no day: {LIKE}'),
        ("Mon", '"Mon" is no day: did you mean "mon"?'),
        ("monday", '"monday" is no day: did you mean "mon"?'),
        (["Thursday"], '"Thursday" is no day: did you mean "thu"?'),
        (["tues."], '"tues." is no day: did you mean "tue"?'),
        ("fridays", '"fridays" is no day: did you mean "fri"?'),
        ("fryday", '"fryday" is no day: did you mean "fri"?'),
        ("mo", '"mo" is no day: did you mean "mon"?'),
        ("weekday", '"weekday" is no day: did you mean "weekdays"?'),
        ("Weekends", '"Weekends" is no day: did you mean "weekends"?'),
        ("everyday", '"everyday" is no day: did you mean "every day"?'),
        ("daily", '"daily" is no day: did you mean "every day"?'),
        ("business days", '"business days" is no day: did you mean "weekdays"?'),
        ("mon, thu", '"mon, thu" is no day: write [mon, thu]'),
        ("mon-fri", '"mon-fri" is no day: write weekdays'),
        ("Sat and Sun", '"Sat and Sun" is no day: write weekends'),
        ("fri-mon", '"fri-mon" is no day: write [mon, fri, sat, sun]'),
        (["mon-wed"], '"mon-wed" is no day: write [mon, tue, wed]'),
        (["weekdays", "sat"], '"weekdays" stands alone, in no list: write on: weekdays, or name each day'),
        (["mon", "thu", "mon"], '"mon" is there twice: name each day once'),
        ("xyz", f'"xyz" is no day: {LIKE}'),
        ([1, 2], f"1 is no day: {LIKE}"),
        (0, f"0 is no day: {LIKE}"),
        (True, f"true is no day: {LIKE}"),
        (None, f"nothing is no day: {LIKE}"),
        ({"mon": True}, f"this is no day: {LIKE}"),
        (frozenset[int](), f"this is no day: {LIKE}"),
        (frozenset({7}), f"this is no day: {LIKE}"),
        ([None], f"nothing is no day: {LIKE}"),
        ([["mon"]], f"this is no day: {LIKE}"),
    ],
    ids=repr,
)
def test_what_is_no_day_is_refused_with_what_to_write(written: object, why: str) -> None:
    with pytest.raises(ValueError, match="day") as caught:
        parse_days(written)

    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ((2026, 11, 24, 9), "24 Nov 09:00"),
        ((2026, 11, 4, 9, 0, 7, 500_000), "4 Nov 09:00:07"),
        ((2027, 1, 2, 9), "2 Jan 2027 09:00"),
        ((2025, 12, 31, 23, 59, 59), "31 Dec 2025 23:59:59"),
    ],
)
def test_a_time_tells_its_year_where_it_is_not_that_in_which_it_is_said(at: tuple[int, ...], said: str) -> None:
    assert clock(datetime(*at, tzinfo=UTC), datetime(2026, 12, 30, tzinfo=UTC)) == said  # type: ignore[misc,arg-type]
