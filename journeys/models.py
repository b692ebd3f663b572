"""What data is made of, in every room: frozen, and where people write it, strict about names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, ClassVar, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
)

Value = TypeVar("Value")

WRITTEN = "written"
"""The context in which pydantic reads what somebody writes now, not what was stored, or given to a run, before."""


def when_written(check: Callable[[Value], Value]) -> AfterValidator:
    """Hold to *check* what is written now. What an earlier release let through is read as it is, and goes on."""

    def checked(value: Value, info: ValidationInfo) -> Value:
        return check(value) if info.context == WRITTEN else value

    return AfterValidator(checked)


class Frozen(BaseModel):
    """Never changed once it is made."""

    # What a library says of an input that is wrong could end in a log, and the input be an address.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Model(Frozen):
    """Strict about names too: an unknown field is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)

    exactly_one: ClassVar[tuple[str, ...]] = ()
    """The fields of which one is given, and no other one."""
    at_least_one: ClassVar[tuple[str, ...]] = ()
    """The fields of which one is given, or more."""


class Expected(NamedTuple):
    """What people are told that a field takes, wherever they give it something else: a note on its type."""

    words: str


FORM_OF_NAMES = r"^[a-z][a-z0-9-]{0,62}$"

Name = Annotated[
    str,
    StringConstraints(pattern=FORM_OF_NAMES),
    Expected("a name of lower-case letters, digits and dashes, such as abandoned-cart"),
]
"""A name for people and for URLs: lower-case letters, digits and dashes, such as ``abandoned-cart``."""


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999 in UTC is expected") from None


def _no_number(at: object) -> object:
    # pydantic would count seconds since 1970, or milliseconds where there are many.
    if isinstance(at, int | float):
        raise ValueError("a time with its offset is expected, such as 2026-11-24T09:00:00Z")
    return at


Time = Annotated[
    AwareDatetime,
    BeforeValidator(_no_number),
    AfterValidator(_in_utc),
    Expected("a time with its offset, such as 2026-11-24T09:00:00Z"),
]
"""An instant. Written with its offset, kept as UTC."""

LAST = datetime(9999, 12, 31, tzinfo=UTC)
"""The last moment that every database keeps."""
