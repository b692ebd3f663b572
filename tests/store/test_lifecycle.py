"""Who writes what is known of a run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import store

ROOM = Path(store.__file__).parent
OF_A_RUN = {"runs", "diary", "counts", "people"}


def written(tree: ast.AST) -> Iterator[str]:
    """The tables that a module writes: ``insert(runs)``, ``sqlite.insert(schema.diary)``, ``runs.delete()``.

    Also one after the other: ``for table in (diary, sends): … update(table)``.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            one, of = ast.unparse(node.target), [ast.unparse(each).rpartition(".")[2] for each in node.iter.elts]
            for part in node.body:
                yield from (table for name in written(part) if name == one for table in of)
        match node:
            case ast.Call(
                func=ast.Name(id="insert" | "update" | "delete") | ast.Attribute(attr="insert"), args=[to, *_]
            ):
                yield ast.unparse(to).rpartition(".")[2]
            case ast.Call(func=ast.Attribute(value=to, attr="insert" | "update" | "delete"), args=[]):
                yield ast.unparse(to).rpartition(".")[2]
            case _:
                pass


DELETES = {("lifecycle_pruning.py", "runs"), ("lifecycle_pruning.py", "diary")}
"""What ends the keeping of a run."""


def test_one_module_writes_what_is_known_of_a_run_and_one_that_it_owns_erases_it() -> None:
    writers = {
        (module.name, table)
        for module in ROOM.glob("*.py")
        for table in OF_A_RUN.intersection(written(ast.parse(module.read_text())))
    }

    renaming = {("lifecycle_erased.py", table) for table in OF_A_RUN - {"counts"}}
    beside = ("lifecycle_letting_go.py", "lifecycle_moves.py", "lifecycle_parked.py", "missing.py")
    of_its_own = {(module, "runs") for module in beside}
    named = {("lifecycle_names.py", "diary")}
    assert writers == {("lifecycle.py", table) for table in OF_A_RUN} | of_its_own | renaming | named | DELETES


def test_no_module_writes_them_in_sql_of_its_own() -> None:
    for module in ROOM.glob("*.py"):
        for table in OF_A_RUN:
            for verb in ("INSERT INTO", "UPDATE", "DELETE FROM"):
                assert f"{verb} {table}".lower() not in module.read_text().lower(), module.name
