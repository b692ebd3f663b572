"""A condition on a text that no index is asked for, where the order of another column is what counts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FunctionElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Unsought(FunctionElement[str]):
    """The text itself. *Source*: https://sqlite.org/optoverview.html, disqualifying terms by a unary plus."""

    type = Text()
    inherit_cache = True


def unsought(column: ColumnElement[str]) -> Unsought:
    """*column*, by whose index SQLite would take very many rows and sort them all, for the first few of another order.

    PostgreSQL knows how many they are.
    """
    return Unsought(column)


@compiles(Unsought, "sqlite")
def _plus(element: Unsought, compiler: SQLCompiler, **how: Any) -> str:
    return "+" + compiler.process(element.clauses, **how)


@compiles(Unsought, "postgresql")
def _itself(element: Unsought, compiler: SQLCompiler, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))
