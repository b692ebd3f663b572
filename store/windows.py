"""Which windows of the policy the sends of a customer fill, asked in one statement that reads no more than it must."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Integer, ScalarSelect, String, bindparam, func, literal_column, select

from journeys.clearance.windows import Taken, Window
from store.schema import TAKES_A_PLACE, Time, sends

_OLD = "commercial"
"""What was sent before purposes were kept."""


def taken_by(connection: Connection, customer: str, windows: Sequence[Window]) -> Taken:
    """The windows that are full, each with when the send was claimed that takes its last place."""
    if not windows:
        return {}
    about: dict[str, object] = {"customer": customer}
    for n, window in enumerate(windows):
        about |= {f"since_{n}": window.since, f"but_{n}": window.places - 1}
        about |= {f"content_{n}": window.content} if window.content else {}
    row = connection.execute(select(*(_last_place(n, window) for n, window in enumerate(windows))), about).one()
    return {window: at for window, at in zip(windows, row, strict=True) if at is not None}


def _last_place(n: int, window: Window) -> ScalarSelect[object]:
    """When the send was claimed that takes a window's last place, read backwards along an index for this."""
    of_content = [sends.c.content == bindparam(f"content_{n}", type_=String())] if window.content else []
    return (
        select(sends.c.claimed_at)
        .where(
            sends.c.customer == bindparam("customer", type_=String()),
            literal_column(TAKES_A_PLACE),
            sends.c.claimed_at > bindparam(f"since_{n}", type_=Time()),
            sends.c.kind.in_(window.channels),
            func.coalesce(sends.c.purpose, _OLD).in_(window.purposes),
            *of_content,
        )
        .order_by(sends.c.claimed_at.desc())
        .limit(1)
        .offset(bindparam(f"but_{n}", type_=Integer()))
        .scalar_subquery()
    )
