"""The types of customers' attributes: what every customer may have, and what others had or somebody declared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Connection, insert, select

from journeys.catalogue import CUSTOMER
from journeys.language.attributes import (
    AttributeType,
    Declaration,
    Value,
    declaration_of,
    say_type,
    types,
)
from journeys.problems import Flaw
from store.schema import customer_attributes


class Fixed(NamedTuple):
    """An attribute's type, and what fixed it: somebody who *declared* it, or its first value.

    *since*: None of what was fixed by an earlier release.
    """

    type: AttributeType
    declared: bool
    since: datetime | None


def fixed_types(connection: Connection) -> dict[str, Fixed]:
    """The attributes that are not built in, by name."""
    rows = connection.execute(select(customer_attributes))
    return {row.name: Fixed(types({row.name: row.type})[row.name], row.declared, row.since) for row in rows}


def schema_of(fixed: Mapping[str, Fixed]) -> dict[str, Declaration]:
    """All attributes that customers may have. Each of them may be missing."""
    return {**CUSTOMER, **{name: optional(known.type) for name, known in fixed.items()}}


def customer_schema(connection: Connection) -> dict[str, Declaration]:
    """All attributes that customers may have. Each of them may be missing."""
    return schema_of(fixed_types(connection))


def optional(kind: AttributeType) -> Declaration:
    """The declaration of an attribute of this type that may be missing."""
    return cast(Declaration, f"{kind}?")


def fix_types(connection: Connection, first: Mapping[str, Value], now: datetime) -> None:
    """The *first* values of attributes fix their types for all customers."""
    rows = [{"name": name, "type": declaration_of(value), "since": now} for name, value in first.items()]
    if rows:
        connection.execute(_INSERT, rows)


def explained(flaw: Flaw, value: Value, fixed: Mapping[str, Fixed]) -> Flaw:
    """A flaw of an attribute's *value* with what fixed the type that it has not, where that is what is wrong."""
    known = fixed.get(flaw.path)
    if known is None or declaration_of(value) == optional(known.type):
        return flaw
    since = f" since {known.since:%d %B %Y}".replace(" 0", " ") if known.since else ""
    how = f"declared as {known.type}" if known.declared else f"{say_type(known.type)}, by its first value,"
    hint = f"{flaw.path} is {how}{since}. PUT /v1/customer-attributes/{flaw.path} changes that."
    return flaw.model_copy(update={"hint": hint})


_INSERT = insert(customer_attributes)
