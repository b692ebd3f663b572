"""Durations: what is read, how it is said, and why the rest is refused."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from journeys.language.durations import FORM, Duration, parse, say


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 day", timedelta(days=1)),
        ("36 hours", timedelta(hours=36)),
        ("90 minutes", timedelta(minutes=90)),
        ("45 seconds", timedelta(seconds=45)),
        ("2 weeks", timedelta(weeks=2)),
        ("1 day 12 hours", timedelta(hours=36)),
        ("1 day, 12 hours", timedelta(hours=36)),
        ("1 day and 12 hours", timedelta(hours=36)),
        ("1d12h", timedelta(hours=36)),
        ("3h", timedelta(hours=3)),
        ("5 MINS", timedelta(minutes=5)),
        ("1.5 hours", timedelta(minutes=90)),
        ("0.000001 seconds", timedelta(microseconds=1)),
        ("0 days", timedelta()),
        (" 1 day ", timedelta(days=1)),
        ("P1DT12H", timedelta(hours=36)),
        ("PT90M", timedelta(minutes=90)),
        ("P2W", timedelta(weeks=2)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("p1d", timedelta(days=1)),
        ("999999999 days 23 hours 59 minutes 59.999999 seconds", timedelta.max),
    ],
)
def test_reads(text: str, expected: timedelta) -> None:
    assert parse(text) == expected
    assert re.search(FORM, text)


@pytest.mark.parametrize("text", ["1 month", "P1M", "86400", "1 day 12", "-1 day", "500 ms", "5 hous", "soon", ""])
def test_what_is_no_duration_has_another_form(text: str) -> None:
    assert not re.search(FORM, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 month", "a month has no fixed length; write days, such as 30 days"),
        ("3 mo", "a month has no fixed length"),
        ("P1M", "a month has no fixed length"),
        ("P1Y2M3DT4H", "a year has no fixed length; write days, such as 365 days"),
        ("2 years", "a year has no fixed length"),
        ("P1Y", "a year has no fixed length"),
        ("86400", '"86400" has no unit: write it with its unit, such as "1 day"'),
        ("1 day 12", "12 has no unit"),
        ("-1 day", "is negative"),
        ("P-1D", "is negative"),
        ("-P1D", "is negative"),
        ("1 day -2 hours", "is negative"),
        ("500 ms", 'there is no unit "ms"'),
        ("5 hous", 'Did you mean "hours"?'),
        ("3 fortnights", "There is: days, hours, minutes, seconds, weeks."),
        ("1 day 1 day", "says days twice"),
        ("soon", '"soon" is not a duration: write it with its unit'),
        ("", "is not a duration"),
        ("P", "is not a duration"),
        ("P1DT", "is not a duration"),
        ("P1H", "is not a duration"),
        ("1,5 hours", "write 1.5 hours"),
        ("999999999 days 24 hours", "the longest duration is 365000 days"),
        ("9" * 100 + " days", "the longest duration is 365000 days"),
        ("9" * 5000 + " days", "5005 characters long"),
    ],
)
def test_refuses(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(text)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(days=1), "1 day"),
        (timedelta(hours=36), "1 day 12 hours"),
        (timedelta(weeks=2), "14 days"),
        (timedelta(minutes=61, seconds=1), "1 hour 1 minute 1 second"),
        (timedelta(seconds=1.5), "1.5 seconds"),
        (timedelta(microseconds=1), "0.000001 seconds"),
        (timedelta(), "0 seconds"),
        (timedelta(days=-1), "-1 day"),
    ],
)
def test_says(duration: timedelta, expected: str) -> None:
    assert say(duration) == expected


@given(st.timedeltas(min_value=timedelta()))
def test_what_is_said_is_read_back_exactly(duration: timedelta) -> None:
    assert parse(say(duration)) == duration
    assert re.search(FORM, say(duration))


@given(st.text(max_size=40) | st.from_regex(r"P?[0-9.]* ?(day|h|M|T|w)?.{0,9}", fullmatch=True))
def test_any_text_is_a_duration_or_a_short_refusal(text: str) -> None:
    try:
        said = say(parse(text))
        assert re.search(FORM, text)
    except ValueError as refusal:
        said = str(refusal)

    assert len(said) < 300


class Wait(BaseModel):
    for_: Duration


def test_a_field_reads_text_and_writes_text() -> None:
    wait = Wait.model_validate_json('{"for_": "36 hours"}')

    assert wait.for_ == timedelta(hours=36)
    assert wait == Wait(for_=timedelta(hours=36))
    assert wait.model_dump() == {"for_": "1 day 12 hours"}
    assert Wait.model_validate(wait.model_dump()) == wait


@pytest.mark.parametrize("found", [86400, 1.5, True, None, ["1 day"], timedelta(days=-1)], ids=repr)
def test_a_field_refuses_what_has_no_unit_or_goes_back(found: object) -> None:
    with pytest.raises(ValidationError):
        Wait.model_validate({"for_": found})


def test_the_schema_of_a_field_is_text_with_examples() -> None:
    schema = Wait.model_json_schema()["properties"]["for_"]

    assert schema["type"] == "string"
    assert all(parse(example) for example in schema["examples"])
