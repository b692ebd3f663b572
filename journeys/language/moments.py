"""Until when a run waits: a time of day, an instant, or a date of the event or the customer; and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, ClassVar, assert_never

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Discriminator,
    StrictBool,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from journeys.language import durations
from journeys.language.attributes import reference
from journeys.language.clock import EVERY_DAY, Days, TimeOfDay, day_named, is_time, say_days, say_instant, say_time
from journeys.language.durations import Duration, say
from journeys.models import Expected, Frozen, Model, Time
from journeys.nearest import nearest


def _no_duration(value: object) -> object:
    if isinstance(value, str) and _is_duration(value):
        raise ValueError(f'"{value.strip()}" is a duration, no time of day: a wait of it is written without until')
    return value


def _is_duration(text: str) -> bool:
    try:
        durations.parse(text)
    except ValueError:
        return False
    return True


class UntilTimeOfDay(Model):
    """The next time that clocks show it, strictly later than the step is entered, on one of the days named."""

    what: ClassVar[str] = "a time of day"

    until: Annotated[TimeOfDay, BeforeValidator(_no_duration)]
    on: Days = EVERY_DAY


def _more_than_a_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        raise ValueError(f"{value.strip()} is a day, no moment: add its time and offset, such as T09:00:00+01:00")
    return value


class UntilInstant(Model):
    """One moment for everybody."""

    what: ClassVar[str] = "an instant"

    until: Annotated[Time, BeforeValidator(_more_than_a_day)]


class Moment(Frozen):
    """The instant until which a run waits (aware UTC); None where there is none.

    *late*: it had passed already when the step was entered, or there is none. *why*: in words that tell nothing
    personal but the zone.
    """

    at: AwareDatetime | None = None
    late: bool = False
    why: str = ""


_A_MOMENT = 'a time of day such as "09:00", a time with its offset, or a date of the event or the customer'
_BRACED = re.compile(r"\{\{\s*([\w.]+)[^}]*\}\}")
_CALCULATED = re.compile(r"\s*(?:event|customer)\.\w+\s*[-+−].*")


def _reference(text: str) -> str:
    written = text.strip()
    if found := _BRACED.fullmatch(written):
        raise ValueError(f'"{written[:60]}" is a placeholder, as contents have it: write {found[1]}')
    if _CALCULATED.fullmatch(written):
        raise ValueError(f'"{written[:60]}" is no date: write before or after beside it, such as before: 3 days')
    word, _, at = written.lower().partition(" ")
    if is_time(at) and (on := day_named(word)):
        raise ValueError(f'"{written}" is written as {{until: "{at}", on: {on}}}')
    if day := day_named(written.lower()):
        raise ValueError(f'"{written}" is no moment: write the time of day, and on: {day} beside it')
    if re.fullmatch(r"[a-z][a-z0-9_]{0,60}", text):
        attribute = f"event.{text} or customer.{text} where it is an attribute"
        raise ValueError(f'"{text}" is no moment: write {attribute}, or a time of day such as "09:00"')
    reference(text)
    return text


Reference = Annotated[
    str,
    AfterValidator(_reference),
    WithJsonSchema({"type": "string", "pattern": r"^(event|customer)\.[a-z][a-z0-9_]*$"}),
    Expected(_A_MOMENT),
]


def _no_question(value: object) -> object:
    if isinstance(value, dict) and {"trigger", "message", "becomes"} & value.keys():
        raise ValueError("a wait ends at a moment: to wait until something happens, write if: with what stands here")
    return value


class UntilDate(Model):
    """A date of the event or the customer, and so long before or after it.

    *at*: that time of the local day; *before* and *after* are calendar days then, and without it 24 hours are a day.
    *yearly*: its next anniversary; of the 29th of February it is the 28th in other years.
    """

    what: ClassVar[str] = "a date of the event or the customer"

    until: Annotated[Reference, BeforeValidator(_no_question)]
    before: Duration | None = None
    after: Duration | None = None
    at: TimeOfDay | None = None
    yearly: Annotated[StrictBool, Expected("true or false")] = False

    @field_validator("after")
    @classmethod
    def _one_of_both(cls, after: timedelta | None, info: ValidationInfo) -> timedelta | None:
        if after is not None and info.data.get("before") is not None:
            raise ValueError("a moment is before a date or after it, not both: leave one of them out")
        return after

    @field_validator("at")
    @classmethod
    def _whole_days(cls, at: time | None, info: ValidationInfo) -> time | None:
        for name in ("before", "after"):
            by = info.data.get(name)
            if at is not None and isinstance(by, timedelta) and by % timedelta(days=1):
                hint = f"leave at out, or write {name} in days, such as {name}: 1 day"
                raise ValueError(f"at goes with whole days only, and {name} is {say(by)}: {hint}")
        return at


_INSTANT_LIKE = re.compile(r"\s*(?:[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}|.*\b(?:19|20|21)[0-9]{2}\b)")
_MOST_CLOCK = 2_400
"""A number above that is no time of day, such as ``0900`` or ``9.30``, but seconds since 1970."""
_CLOCK_LIKE = re.compile(r"\s*(?:[-+]?[0-9]|noon\b|midday\b|midnight\b|P[0-9T])", re.IGNORECASE)


def _kind(until: object) -> str | None:
    """Which of the three shapes is meant, so that what is wrong with it is said of that one alone."""
    match until:
        case UntilTimeOfDay() | UntilInstant() | UntilDate():
            return until.what
        case {"until": int() | float() as value} if value > _MOST_CLOCK:
            return UntilInstant.what
        case {"until": time() | int() | float() as value} if not isinstance(value, bool):
            return UntilTimeOfDay.what
        case {"until": datetime()}:
            return UntilInstant.what
        case {"until": str(text)} if _INSTANT_LIKE.match(text):
            return UntilInstant.what
        case {"until": str(text)} if _CLOCK_LIKE.match(text):
            return UntilTimeOfDay.what
        case {"until": _}:
            return UntilDate.what
        case dict() if any(nearest(str(name), ("until",)) for name in until):
            return UntilTimeOfDay.what if "on" in until else UntilDate.what
        case _:
            return None


def is_moment(value: object) -> bool:
    """Whether *value* is what a wait waits until, wherever it stands."""
    match value:
        case {"until": _}:
            return True
        case str() if len(value) <= 60:
            return any(like.match(value) for like in (_INSTANT_LIKE, _CLOCK_LIKE)) or value == _referred(value)
        case _:
            return isinstance(value, datetime | time)


_IN_A_SENTENCE = re.compile(r"until\s+", re.IGNORECASE)


def no_moment(like: str, *, clocks: bool = True) -> BeforeValidator:
    """Of what is a moment, say how it is written where a duration may stand; *like* has a place for it.

    *clocks*: whether a time of day may stand there as well as a date.
    """

    def checked(value: object) -> object:
        if isinstance(value, str) and len(value) <= 60:
            bare = _IN_A_SENTENCE.sub("", value.strip(), count=1)
            clock = clocks and is_time(bare)
            if clock or bare == _referred(bare):
                meant = like.format(f'"{bare}"' if clock else bare)
                raise ValueError(f'"{value.strip()}" is a moment, no duration: write {meant}')
        return value

    return BeforeValidator(checked)


def _referred(text: str) -> str | None:
    try:
        return ".".join(reference(text))
    except ValueError:
        return None


def _duration_or_kind(value: object) -> str | None:
    return _kind(value) if isinstance(value, dict | Model) else "a duration"


Until = Annotated[
    Annotated[UntilTimeOfDay, Tag(UntilTimeOfDay.what)]
    | Annotated[UntilInstant, Tag(UntilInstant.what)]
    | Annotated[UntilDate, Tag(UntilDate.what)],
    Discriminator(_kind),
    Expected('a moment such as {until: "09:00", on: weekdays}'),
]
"""A moment that depends on clocks, and on dates of people."""

DurationOrUntil = Annotated[
    Annotated[Duration, no_moment("wait: {{until: {}}}"), Tag("a duration")]
    | Annotated[UntilTimeOfDay, Tag(UntilTimeOfDay.what)]
    | Annotated[UntilInstant, Tag(UntilInstant.what)]
    | Annotated[UntilDate, Tag(UntilDate.what)],
    Discriminator(_duration_or_kind),
    Expected('a duration such as 1 day, or a moment such as {until: "09:00", on: weekdays}'),
]
"""What a wait waits: so long, or until then."""


def say_until(until: Until) -> str:
    """*until* in words: ``until 09:00 on weekdays``, ``until 3 days before event.trial_ends_at, at 09:00``."""
    match until:
        case UntilTimeOfDay():
            return f"until {say_time(until.until)} {say_days(until.on)}".rstrip()
        case UntilInstant():
            return f"until {say_instant(until.until)}"
        case UntilDate():
            return f"until {_around(until)}"
        case _:
            assert_never(until)


def _around(until: UntilDate) -> str:
    said = f"the next anniversary of {until.until}" if until.yearly else until.until
    if until.before is not None:
        said = f"{say(until.before)} before {said}"
    if until.after is not None:
        said = f"{say(until.after)} after {said}"
    return f"{said}, at {say_time(until.at)}" if until.at is not None else said


_GOES_WITH: Mapping[str, type[UntilDate | UntilTimeOfDay]] = {
    **dict.fromkeys(("at", "before", "after", "yearly"), UntilDate),
    "on": UntilTimeOfDay,
}
_EXAMPLES: Mapping[type[Model], str] = {
    UntilDate: 'Such as {until: event.trial_ends_at, before: 3 days, at: "09:00"}.',
    UntilTimeOfDay: 'Such as {until: "09:00", on: weekdays}.',
}
_ZONE = ("time_zone", "timezone", "zone", "tz")


def out_of_place(model: type[BaseModel] | None, field: str) -> tuple[str, str] | None:
    """Why *field* cannot be in *model*, and what to do, where it has its place in another kind of moment."""
    if model is not None and "wait" in model.model_fields and field in ("until", *_GOES_WITH):
        example = _EXAMPLES[_GOES_WITH.get(field, UntilTimeOfDay)]
        return "is of the moment that is waited for.", f"Write it within wait. {example}"
    if model is None or not issubclass(model, UntilTimeOfDay | UntilInstant | UntilDate):
        return None
    if field in ("then", "late"):
        return "stands beside wait, not in it.", "Such as {id: pause, wait: {until: event.ends_at}, late: []}."
    if field in _ZONE:
        return "the zone is the customer's own.", "What holds for the others is time_zone at the top of the journey."
    if (other := _GOES_WITH.get(field)) is None or other is model:
        return None
    return f"goes with {other.what}, and until is {model.what} here.", _EXAMPLES[other]
