"""Which windows of the policy the sends of a customer fill, asked in one statement that reads no more than it must."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, ScalarSelect, Select, String, bindparam, func, or_, select, union_all

from journeys.clearance.consent import Purpose
from journeys.clearance.windows import Taken, Window
from journeys.interactions import Kind
from store.schema import AnyRow, Time, sends

_N = Integer()
_TAKES_A_PLACE = or_(*(sends.c.state == state for state in ("accepted", "claimed", "unknown")))
"""The customer has it, or may have it."""
_OLD = "commercial"
"""What was sent before purposes were kept."""


class _Shape(NamedTuple):
    """What makes the statement for a window another one: of the same shape, it is built once."""

    channels: tuple[Kind, ...]
    purposes: tuple[Purpose, ...]
    of_content: bool


def taken_by(connection: Connection, customer: str, windows: Sequence[Window]) -> Taken:
    """The windows that are full, each with when the send was claimed that takes its last place."""
    if not windows:
        return {}
    about: dict[str, object] = {"customer": customer}
    for n, window in enumerate(windows):
        about |= {f"since_{n}": window.since, f"places_{n}": window.places, f"but_{n}": window.places - 1}
        about |= {f"content_{n}": window.content} if window.content else {}
    shapes = tuple(_Shape(window.channels, window.purposes, window.content is not None) for window in windows)
    row: AnyRow = connection.execute(_statement(shapes), about).one()
    return {window: at for window, at in zip(windows, row, strict=True) if at is not None}


@lru_cache(maxsize=256)
def _statement(shapes: tuple[_Shape, ...]) -> Select[Any]:
    columns: list[ScalarSelect[Any]] = [_last_place(n, shape) for n, shape in enumerate(shapes)]
    return select(*columns)


def _last_place(n: int, shape: _Shape) -> ScalarSelect[datetime]:
    """When the send was claimed that takes a window's last place: for each channel, its index is read backwards."""
    each = [select(_latest(n, shape, channel).subquery().c.claimed_at) for channel in shape.channels]
    latest = union_all(*each).subquery().c.claimed_at
    return select(latest).order_by(latest.desc()).limit(1).offset(bindparam(f"but_{n}", type_=_N)).scalar_subquery()


def _latest(n: int, shape: _Shape, channel: Kind) -> Select[tuple[datetime]]:
    of_content = [sends.c.content == bindparam(f"content_{n}", type_=String())] if shape.of_content else []
    return (
        select(sends.c.claimed_at)
        .where(
            sends.c.customer == bindparam("customer", type_=String()),
            sends.c.kind == channel,
            sends.c.claimed_at > bindparam(f"since_{n}", type_=Time()),
            _TAKES_A_PLACE,
            # Not IN: its list would be written into the statement anew each time.
            or_(*(func.coalesce(sends.c.purpose, _OLD) == purpose for purpose in shape.purposes)),
            *of_content,
        )
        .order_by(sends.c.claimed_at.desc())
        .limit(bindparam(f"places_{n}", type_=_N))
    )
