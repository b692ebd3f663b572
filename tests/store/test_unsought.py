"""What is asked for a few runs takes as long among a million others: SQLite goes by the index that finds these."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from store import events, people, positions
from store.store import open_store


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        pytest.param(people._NEXT, "SEARCH runs USING INDEX sqlite_autoindex_runs_1 (id>?)", id="who is moved next"),
        pytest.param(positions._BECAME, "SEARCH sends USING INDEX ix_sends_run_step (run=?)", id="what runs were sent"),
        pytest.param(events._SENDS, "SEARCH sends USING INDEX ix_sends_run_step (run=?)", id="what an exit finds sent"),
    ],
)
async def test_it_goes_by_the_index_that_finds_a_few(asked: Select[Any], index: str, sqlite_url: str) -> None:
    given = asked.params(runs=["a run"], named="a journey", number=2, after="", most=60)
    written = str(given.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}))
    store = open_store(sqlite_url)

    plan = await store.read(
        lambda connection: connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {written}", (None,) * written.count("?")
        ).all()
    )
    await store.close()

    assert index in [row.detail for row in plan]
