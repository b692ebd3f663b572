"""Where a quiet time begins and ends: at two times of day, or on two dates."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Tag

from journeys.language.clock import Date, TimeOfDay, day_named, is_like_a_date, is_time, say_time
from journeys.models import Expected


def _edge(value: object) -> str:
    is_day = isinstance(value, date | datetime) or (isinstance(value, str) and is_like_a_date(value))
    return "a date" if is_day else "a time of day"


def _without_a_day(value: object) -> object:
    word, _, at = value.strip().lower().partition(" ") if isinstance(value, str) else ("", "", "")
    if is_time(at) and (on := day_named(word)):
        raise ValueError(f'"{value}" is a day and a time: write the time alone, "{at}", and on: [{on}] beside it')
    return value


Edge = Annotated[
    Annotated[TimeOfDay, BeforeValidator(_without_a_day), Tag("a time of day")] | Annotated[Date, Tag("a date")],
    Discriminator(_edge),
    Expected('a time of day such as "21:00", or a date such as 2026-12-24'),
]
"""Where a quiet time begins or ends."""

LONGEST_DATES = timedelta(days=3_660)
"""Ten years: whoever writes dates that are further apart has mistyped one, or means every week."""


def wrong_with_edges(begins: time | date | None, ends: time | date | None) -> str:
    """What is wrong with the two together; nothing where they are two times of day, or two dates in their order."""
    match begins, ends:
        case None, None:
            return ""
        case (date() as alone, None) | (None, date() as alone):
            return f"from and to go together: for one day alone write from: {alone}, to: {alone}"
        case (_, None) | (None, _):
            return 'from and to go together: the day begins and ends at "00:00", and for whole days leave both out'
        case time(), time():
            all_day = f'"{say_time(begins)}" to "{say_time(ends)}" is no time at all: for all day leave from and to out'
            return all_day if begins == ends else ""
        case date(), date():
            return _wrong_dates(begins, ends)
        case _:
            return "one of from and to is a date and the other a time of day: write two dates, or two times of day"


def _wrong_dates(first: date, last: date) -> str:
    if last < first:
        return f"to is {last}, which is before {first}: write the earlier date into from"
    if last - first > LONGEST_DATES:
        longest = f"at most {LONGEST_DATES.days // 366} years go"
        return f"{first} to {last} are {last.year - first.year} years: {longest}; for every week name no dates, but on"
    return ""
