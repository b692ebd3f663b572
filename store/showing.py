"""What an earlier release let in and nobody can show: told by its name, and in nobody's way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from journeys.models import Frozen
from journeys.problems import Conflict
from store.schema import AnyRow

View = TypeVar("View", bound=Frozen)
Read = TypeVar("Read", bound=BaseModel)


class Unreadable(Frozen):
    """Something that is stored and cannot be shown. *detail* says what to do."""

    name: str
    detail: str


def shown(what: str, row: AnyRow, view: Callable[[AnyRow], View]) -> View:
    """The view of a row. Raises Conflict where it cannot be read or written any more, such as half a surrogate pair."""
    try:
        made = view(row)
        made.model_dump_json()
    except (ValueError, RecursionError):
        detail = f'The {what} "{row.name}" was stored by an earlier release, and cannot be shown. Put it again.'
        raise Conflict(detail) from None
    return made


def all_shown(
    what: str, rows: Iterable[AnyRow], view: Callable[[AnyRow], View]
) -> tuple[list[View], tuple[Unreadable, ...]]:
    """The views of all rows that can be shown, and the others by name."""
    views: list[View] = []
    unreadable: list[Unreadable] = []
    for row in rows:
        try:
            views.append(shown(what, row, view))
        except Conflict as error:
            unreadable.append(Unreadable(name=row.name, detail=error.detail))
    return views, tuple(unreadable)


def readable(
    rows: Iterable[AnyRow], model: type[Read], data: Callable[[AnyRow], object]
) -> Iterator[tuple[AnyRow, Read]]:
    """The rows that hold a *model*, with it."""
    for row in rows:
        with suppress(ValidationError, RecursionError):
            yield row, model.model_validate(data(row))
