"""What the tables hold of a person: the list is whole."""

from __future__ import annotations

import pytest

from store import erasing
from store.personal import PERSONAL, Clears, Goes, Renames, erased
from store.schema import metadata


def test_every_table_is_in_the_list() -> None:
    assert set(PERSONAL) == set(metadata.tables)


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_every_column_says_what_becomes_of_it(table: str) -> None:
    of = PERSONAL[table]

    assert isinstance(of, Goes) or set(of) == set(metadata.tables[table].columns.keys())


def test_all_that_is_personal_is_counted_by_an_erasure() -> None:
    personal = {
        table
        for table, of in PERSONAL.items()
        if isinstance(of, Goes) or any(isinstance(column, Clears | Renames) for column in of.values())
    }

    assert set(erasing._FOUND) == personal


def test_an_erased_row_has_a_new_value_in_each_personal_column() -> None:
    for name, of in PERSONAL.items():
        if isinstance(of, Goes):
            continue
        changed = {column for column, what in of.items() if isinstance(what, Clears | Renames)}
        assert set(erased(metadata.tables[name])) == changed, name
