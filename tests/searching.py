"""Where something of a customer is looked for: in every table, and in all that is logged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy import Text, cast, select

from store.schema import metadata
from store.store import Store
from terminal.logs import log_to
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


@contextmanager
def logged(file: Path) -> Iterator[Path]:
    """All that is logged meanwhile, at the level that tells most."""
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    log_to(file, "debug")
    try:
        yield file
    finally:
        structlog.reset_defaults()
        for handler in root.handlers:
            handler.close()
        root.handlers[:], root.level = before
