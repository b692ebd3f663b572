"""What is looked for in every table: a customer who was erased stands in none."""

from __future__ import annotations

from sqlalchemy import Text, cast, select

from store.schema import metadata
from store.store import Store
from tests.transactions import rows


async def found(store: Store, *needles: str) -> dict[str, set[str]]:
    """The tables and columns in which each of the needles stands, as text, in letters of either size."""
    seen: dict[str, set[str]] = {}
    for table in metadata.tables.values():
        every = select(*(cast(column, Text).label(column.name) for column in table.columns))
        for row in await rows(store, every):
            for column, text in row._asdict().items():
                for needle in needles:
                    if needle.lower() in (text or "").lower():
                        seen.setdefault(needle, set()).add(f"{table.name}.{column}")
    return seen
