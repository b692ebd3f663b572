"""Until when a run waits, as it is written: what is read, how it is said, and what is said of mistakes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from journeys.language.clock import parse_days
from journeys.language.durations import say
from journeys.language.moments import (
    DurationOrUntil,
    Until,
    UntilDate,
    UntilInstant,
    UntilTimeOfDay,
    say_until,
)
from journeys.models import LAST, Model
from journeys.problems import Invalid
from journeys.reading import parse, validated, write

WEEKDAYS = parse_days("weekdays")
THREE_DAYS = timedelta(days=3)


class Waiting(Model):
    """A step that waits, as far as it matters here."""

    wait: DurationOrUntil


def read(written: str) -> object:
    return validated(Waiting, parse(f"wait: {written}", "step"), "step").wait


def flaws(written: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read(written)
    return [str(flaw) for flaw in caught.value.flaws]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("1 day", timedelta(days=1)),
        ('{until: "09:00", on: weekdays}', UntilTimeOfDay(until=time(9), on=WEEKDAYS)),
        ("{until: 21:00}", UntilTimeOfDay(until=time(21))),
        ("{until: 07:30:15, on: [thu, mon]}", UntilTimeOfDay(until=time(7, 30, 15), on=frozenset({0, 3}))),
        ("{until: 2026-12-01T09:00:00+01:00}", UntilInstant(until=datetime(2026, 12, 1, 8, tzinfo=UTC))),
        ("{until: 2026-12-01 08:00Z}", UntilInstant(until=datetime(2026, 12, 1, 8, tzinfo=UTC))),
        ("{until: event.trial_ends_at}", UntilDate(until="event.trial_ends_at")),
        (
            '{until: event.trial_ends_at, before: 3 days, at: "09:00"}',
            UntilDate(until="event.trial_ends_at", before=THREE_DAYS, at=time(9)),
        ),
        ("{until: event.x, after: 36 hours}", UntilDate(until="event.x", after=timedelta(hours=36))),
        (
            "{until: event.x, before: 48 hours, at: 09:00}",
            UntilDate(until="event.x", before=2 * timedelta(1), at=time(9)),
        ),
        (
            "{until: customer.birthday, yearly: true, at: 09:00}",
            UntilDate(until="customer.birthday", yearly=True, at=time(9)),
        ),
    ],
)
def test_what_is_written_is_read(written: str, read_as: object) -> None:
    assert read(written) == read_as


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{until: "09:00"}', "until 09:00"),
        ('{until: "09:00", on: weekdays}', "until 09:00 on weekdays"),
        ("{until: 09:00:30, on: [mon, thu]}", "until 09:00:30 on Monday and Thursday"),
        ("{until: 2026-12-01T09:00:00+01:00}", "until 1 Dec 2026 08:00 UTC"),
        ("{until: event.trial_ends_at}", "until event.trial_ends_at"),
        ("{until: event.trial_ends_at, at: 09:00}", "until event.trial_ends_at, at 09:00"),
        (
            "{until: event.trial_ends_at, before: 3 days, at: 09:00}",
            "until 3 days before event.trial_ends_at, at 09:00",
        ),
        ("{until: event.starts_at, after: 90 minutes}", "until 1 hour 30 minutes after event.starts_at"),
        (
            "{until: customer.birthday, before: P1W, at: 09:00, yearly: true}",
            "until 7 days before the next anniversary of customer.birthday, at 09:00",
        ),
    ],
)
def test_a_moment_is_said_in_words(written: str, said: str) -> None:
    until = read(written)

    assert isinstance(until, UntilTimeOfDay | UntilInstant | UntilDate)
    assert say_until(until) == said


TIMES = st.times().map(lambda at: at.replace(microsecond=0))
DAYS = st.integers(1, 400).map(timedelta)
UNTILS = st.one_of(
    st.builds(UntilTimeOfDay, until=TIMES, on=st.frozensets(st.integers(0, 6), min_size=1)),
    st.builds(UntilInstant, until=st.datetimes(max_value=LAST.replace(tzinfo=None), timezones=st.just(UTC))),
    st.builds(
        UntilDate,
        until=st.sampled_from(["event.trial_ends_at", "customer.birthday"]),
        before=st.none() | DAYS,
        at=st.none() | TIMES,
        yearly=st.booleans(),
    ),
    st.builds(UntilDate, until=st.just("event.x"), after=st.timedeltas(timedelta(seconds=1), timedelta(days=400))),
)


@given(UNTILS)
def test_a_moment_is_written_as_it_is_read(until: Until) -> None:
    waiting = Waiting(wait=until)

    assert validated(Waiting, parse(write(waiting), "step"), "step") == waiting
    assert Waiting.model_validate_json(waiting.model_dump_json(exclude_defaults=True)) == waiting


def test_what_means_the_same_is_written_in_one_way() -> None:
    spellings = [
        '{until: "09:00"}',
        "{until: 09:00:00, on: every day}",
        "{until: 09:00, on: [tue, mon, wed, thu, fri, sat, sun]}",
    ]

    meanings = {Waiting(wait=read(each)).model_dump_json(exclude_defaults=True) for each in spellings}  # type: ignore[arg-type]

    assert meanings == {'{"wait":{"until":"09:00"}}'}


def test_a_schema_tells_each_of_the_shapes() -> None:
    schema = TypeAdapter(DurationOrUntil).json_schema()

    assert {each.get("$ref", each.get("title")) for each in schema["oneOf"]} == {
        "Duration",
        "#/$defs/UntilTimeOfDay",
        "#/$defs/UntilInstant",
        "#/$defs/UntilDate",
    }
    assert "weekdays" in str(schema["$defs"]["UntilTimeOfDay"]["properties"]["on"])


A_MOMENT = 'a time of day such as "09:00", a time with its offset, or a date of the event or the customer'
AN_OBJECT = 'a duration such as 1 day, or a moment such as {until: "09:00", on: weekdays}'
WITH_DATE = 'Such as {until: event.trial_ends_at, before: 3 days, at: "09:00"}.'
WITH_TIME = 'Such as {until: "09:00", on: weekdays}.'
A_DATE = "a date of the event or the customer"
TOP = "What holds for the others is time_zone at the top of the journey."
NO_OFFSET = "has no offset, so it is not one moment. Add Z or an offset such as +02:00."

MISTAKES = {
    # times of day
    "{until: 9:00}": ['wait.until: "9:00" is no time of day: write "09:00".'],
    "{until: 9am}": ['wait.until: "9am" is no time of day: write "09:00".'],
    "{until: 24:00}": ['wait.until: "24:00" is no time of day: midnight is "00:00", when the day begins.'],
    "{until: 9}": ['wait.until: 9 is no time of day: write "09:00".'],
    "{until: noon}": ['wait.until: "noon" is no time of day: write "12:00".'],
    "{until: 3 days}": [
        'wait.until: "3 days" is a duration, no time of day: a wait of it is written without until.'
    ],
    "{until: P3D}": ['wait.until: "P3D" is a duration, no time of day: a wait of it is written without until.'],
    # days
    "{until: 09:00, on: []}": [
        "wait.on: there is no day in it: write weekdays, weekends, every day, or a list such as [mon, thu]."
    ],
    "{until: 09:00, on: Monday}": ['wait.on: "Monday" is no day: did you mean "mon"?'],
    "{until: 9:00, on: [weekdays]}": [
        'wait.until: "9:00" is no time of day: write "09:00".',
        'wait.on: "weekdays" stands alone, in no list: write on: weekdays, or name each day.',
    ],
    # instants
    "{until: 2026-12-01}": [
        "wait.until: 2026-12-01 is a day, no moment: add its time and offset, such as T09:00:00+01:00."
    ],
    "{until: 2026-12-01T09:00}": [f'wait.until: "2026-12-01T09:00" {NO_OFFSET}'],
    "{until: 2026-12-01 09:00:00}": [f'wait.until: "2026-12-01 09:00:00" {NO_OFFSET}'],
    "{until: 2026-13-01T09:00Z}": [
        'wait.until: found "2026-13-01T09:00Z"; expected a time with its offset, such as 2026-11-24T09:00:00Z.'
    ],
    "{until: 01.12.2026}": [
        'wait.until: found "01.12.2026"; expected a time with its offset, such as 2026-11-24T09:00:00Z.'
    ],
    "{until: 0001-01-01T00:00:00+14:00}": [
        "wait.until: a time between the years 1 and 9999 in UTC is expected."
    ],
    # dates of the event or the customer
    "{until: trial_ends_at}": [
        ('wait.until: "trial_ends_at" is no moment: write event.trial_ends_at or customer.trial_ends_at where it is an '
        'attribute, or a time of day such as "09:00".')
    ],
    "{until: Monday}": ['wait.until: "Monday" is no moment: write the time of day, and on: mon beside it.'],
    "{until: event.ends_at - 3 days}": [
        'wait.until: "event.ends_at - 3 days" is no date: write before or after beside it, such as before: 3 days.'
    ],
    '{until: "{{ event.ends_at }}"}': [
        'wait.until: "{{ event.ends_at }}" is a placeholder, as contents have it: write event.ends_at.'
    ],
    "{until: Event.ends_at}": [
        'wait.until: "Event.ends_at" is not a reference: write event. or customer. and a name, such as event.cart_id.'
    ],
    "{until: event.x, before: 1 day, after: 1 day}": [
        "wait.after: a moment is before a date or after it, not both: leave one of them out."
    ],
    "{until: event.x, before: 2 hours, at: 09:00}": [
        ("wait.at: at goes with whole days only, and before is 2 hours: leave at out, or write before in days, such as "
        "before: 1 day.")
    ],
    "{until: event.x, after: 36 hours, at: 09:00}": [
        ("wait.at: at goes with whole days only, and after is 1 day 12 hours: leave at out, or write after in days, "
        "such as after: 1 day.")
    ],
    "{until: event.x, before: 3 dys, at: 9:00}": [
        'wait.before: "3 dys": there is no unit "dys". Did you mean "days"?',
        'wait.at: "9:00" is no time of day: write "09:00".',
    ],
    "{until: event.x, before: 1 month}": [
        'wait.before: "1 month": a month has no fixed length; write days, such as 30 days.'
    ],
    "{until: event.x, yearly: yes}": ['wait.yearly: found "yes"; expected true or false.'],
    # fields that belong elsewhere
    "{until: 09:00, at: 10:00}": [f"wait.at: goes with {A_DATE}, and until is a time of day here. {WITH_DATE}"],
    "{until: 09:00, before: 1 day, yearly: true}": [
        f"wait.before: goes with {A_DATE}, and until is a time of day here. {WITH_DATE}",
        f"wait.yearly: goes with {A_DATE}, and until is a time of day here. {WITH_DATE}",
    ],
    "{until: 2026-12-01T09:00Z, after: 1 day}": [
        f"wait.after: goes with {A_DATE}, and until is an instant here. {WITH_DATE}"
    ],
    "{until: 2026-12-01T09:00Z, on: weekdays}": [
        f"wait.on: goes with a time of day, and until is an instant here. {WITH_TIME}"
    ],
    "{until: event.x, on: weekdays}": [f"wait.on: goes with a time of day, and until is {A_DATE} here. {WITH_TIME}"],
    "{until: 09:00, timezone: Europe/Oslo}": [
        f"wait.timezone: the zone is the customer's own. {TOP}"
    ],
    # other shapes
    "{untill: 09:00}": ['wait.untill: there is no such field. Did you mean "until"?'],
    "{untill: 09:00, on: weekdays}": ['wait.untill: there is no such field. Did you mean "until"?'],
    "{until: event.x, befor: 1 day}": ['wait.befor: there is no such field. Did you mean "before"?'],
    "{days: 3}": [f"wait: found an object; expected {AN_OBJECT}. Write wait: 3 days."],
    "{at: 09:00}": [f"wait: found an object; expected {AN_OBJECT}."],
    "{}": [f"wait: found an object; expected {AN_OBJECT}."],
    "{until: }": [f"wait.until: found nothing; expected {A_MOMENT}."],
    "{until: true}": [f"wait.until: found true; expected {A_MOMENT}."],
    "{until: [mon]}": [f"wait.until: found a list; expected {A_MOMENT}."],
    "{until: {trigger: bought, within: 1 day}}": [
        "wait.until: a wait ends at a moment: to wait until something happens, write if: with what stands here."
    ],
    "until 09:00": [
        'wait: "until 09:00" is a moment, no duration: write wait: {until: "09:00"}.'
    ],
    "[1, day]": [
        'wait: this is not a duration: write it with its unit, such as "1 day", "36 hours" or "P1DT12H".'
    ],
}  # fmt: skip


@pytest.mark.parametrize(("written", "said"), MISTAKES.items())
def test_a_mistake_is_answered_so_that_one_can_go_on(written: str, said: list[str]) -> None:
    assert flaws(written) == said


@given(st.timedeltas(timedelta(0), timedelta(days=400)), st.sampled_from(["before", "after"]))
def test_a_time_of_day_goes_with_whole_days_only(by: timedelta, name: str) -> None:
    written = f'{{until: event.x, {name}: "{say(by)}", at: "09:00"}}'

    if by % timedelta(days=1):
        assert [flaw.partition(":")[0] for flaw in flaws(written)] == ["wait.at"]
    else:
        assert isinstance(read(written), UntilDate)
