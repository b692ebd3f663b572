"""The policy as it is written: what is taken, what is refused and with which words, and that it reads back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import jsonschema_rs
import pytest
from pydantic import ValidationError

from journeys.clearance.policy import NO_POLICY, Policy, QuietTime, say_quiet_time
from journeys.problems import Invalid
from journeys.reading import read, write

WRITTEN = """
time_zone: Europe/Oslo
quiet:
  - {channels: [text, push], from: "21:00", to: "08:00"}
  - {on: [sun]}
  - {from: 2026-12-24, to: 2026-12-26}
  - {channels: text, where: customer.country == "FR", from: "20:00", to: "10:00"}
caps:
  - {channels: [email], at_most: 3, per: 7 days}
  - {at_most: 1, per: 24 hours, over: hold}
spread: 20 minutes
brake:
  same_content: {at_most: 3, per: 24 hours}
  entries: {at_most: 50000, per: 1 hour}
consent: {text: restrictive}
"""


def policy(text: str) -> Policy:
    return read(Policy, text, "policy")


def flaws(text: str) -> list[str]:
    with pytest.raises(Invalid) as refused:
        policy(text)
    return [str(flaw) for flaw in refused.value.flaws]


def test_a_policy_is_read() -> None:
    night, sundays, christmas, in_france = policy(WRITTEN).quiet

    assert (night.from_, night.to) == (time(21), time(8))
    assert (sundays.on, sundays.from_) == (frozenset({6}), None)
    assert (christmas.from_, christmas.to) == (date(2026, 12, 24), date(2026, 12, 26))
    assert (in_france.channels, in_france.where) == (("text",), 'customer.country == "FR"')
    assert policy(WRITTEN).caps[1].over == "hold"
    assert policy(WRITTEN).spread == timedelta(minutes=20)


def test_a_policy_reads_back_as_it_was_written() -> None:
    as_data = policy(WRITTEN).model_dump(mode="json", by_alias=True)

    assert policy(write(policy(WRITTEN))) == policy(WRITTEN)
    assert Policy.model_validate(as_data) == policy(WRITTEN)
    assert as_data["quiet"][2]["from"] == "2026-12-24"


def test_where_nothing_is_said_the_fourth_copy_of_a_content_within_a_day_holds_its_journey() -> None:
    by_default = policy("{}").brake.same_content
    assert by_default is not None
    assert (by_default.at_most, by_default.per) == (3, timedelta(days=1))
    assert policy("brake: {}").brake.same_content is None
    assert NO_POLICY.brake.same_content is None


REFUSED = [
    (
        '{from: "08:00", to: "08:00"}',
        'quiet[0]: "08:00" to "08:00" is no time at all: for all day leave from and to out.',
    ),
    (
        '{from: "21:00"}',
        'quiet[0]: from and to go together: the day begins and ends at "00:00", and for whole days leave both out.',
    ),
    (
        "{to: 2026-12-24}",
        "quiet[0]: from and to go together: for one day alone write from: 2026-12-24, to: 2026-12-24.",
    ),
    (
        '{from: 2026-12-24, to: "08:00"}',
        "quiet[0]: one of from and to is a date and the other a time of day: write two dates, or two times of day.",
    ),
    (
        "{from: 2026-12-26, to: 2026-12-24}",
        "quiet[0]: to is 2026-12-24, which is before 2026-12-26: write the earlier date into from.",
    ),
    (
        "{from: 2026-01-01, to: 2062-12-26}",
        "quiet[0]: 2026-01-01 to 2062-12-26 are 36 years: at most 10 years go; for every week name no dates, but on.",
    ),
    (
        "{from: 24.12.2026, to: 2026-12-26}",
        'quiet[0].from: "24.12.2026" is no date: write the year, the month and the day, such as 2026-12-24.',
    ),
    (
        "{from: 12-24, to: 12-26}",
        'quiet[0].from: "12-24" is no date: write the year, the month and the day, such as 2026-12-24.',
    ),
    ("{from: 2026-2-1, to: 2026-02-03}", 'quiet[0].from: "2026-2-1" is no date: write 2026-02-01.'),
    ("{from: 2026-02-30, to: 2026-03-03}", 'quiet[0].from: "2026-02-30" is no date: the calendar has no such day.'),
    (
        "{from: 2026-12-24T18:00:00+01:00, to: 2026-12-26}",
        'quiet[0].from: "2026-12-24T18:00:00+01:00" is no date: it is an instant, and days are those of the customer\'s own calendar, so write 2026-12-24 alone.',  # noqa: E501
    ),
    ('{from: 9pm, to: "08:00"}', 'quiet[0].from: "9pm" is no time of day: write "21:00".'),
    (
        '{from: "21:00", to: "24:00"}',
        'quiet[0].to: "24:00" is no time of day: midnight is "00:00", when the day begins.',
    ),
]


@pytest.mark.parametrize(("rule", "said"), REFUSED, ids=lambda value: value[:40])
def test_a_quiet_time_that_is_none_is_refused(rule: str, said: str) -> None:
    first, *others = flaws(f"quiet:\n  - {rule}")

    assert first == said
    assert all("12-26" in other for other in others)  # the same of to


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (QuietTime(from_=time(22), to=time(6), on=frozenset({4})), "22:00–06:00 on Friday"),
        (QuietTime(from_=time(22), to=time(6)), "22:00–06:00"),
        (QuietTime(on=frozenset({5, 6})), "on weekends"),
        (QuietTime(from_=date(2026, 12, 24), to=date(2026, 12, 24)), "2026-12-24"),
        (QuietTime(from_=date(2026, 12, 24), to=date(2026, 12, 26)), "2026-12-24 to 2026-12-26"),
        (QuietTime(), "at all times"),
    ],
)
def test_a_quiet_time_is_said_in_words(rule: QuietTime, said: str) -> None:
    assert say_quiet_time(rule) == said


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"channels": "text", "from": "21:00", "to": "08:00"}, True),
        ({"channels": ["text", "push"], "purpose": "transactional", "on": "sun"}, True),
        ({"from": "2026-12-24", "to": "2026-12-26"}, True),
        ({"channels": "sms"}, False),
        ({"channels": []}, False),
        ({"from": "9pm", "to": "08:00"}, False),
        ({"from": "24.12.2026", "to": "26.12.2026"}, False),
    ],
)
def test_the_schema_takes_what_is_taken(rule: dict[str, object], fits: bool) -> None:
    schema = jsonschema_rs.Draft202012Validator(Policy.model_json_schema(), validate_formats=True)

    assert schema.is_valid({"quiet": [rule]}) == fits
    if fits:
        Policy.model_validate({"quiet": [rule]})
    else:
        with pytest.raises(ValidationError):
            Policy.model_validate({"quiet": [rule]})


def test_what_is_said_to_be_kept_forever_is_older_than_everything() -> None:
    written = policy("keep: {runs: 90 days, audit: forever, ids: forever}")

    assert written.keep.runs == timedelta(days=90)
    assert written.keep.events == timedelta(days=400)  # as usual
    assert datetime(2026, 11, 28, tzinfo=UTC) - written.keep.audit < datetime(1100, 1, 1, tzinfo=UTC)
    assert policy(write(written)) == written
    assert "audit: forever" in write(written)
