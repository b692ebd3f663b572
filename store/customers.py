"""Customers and their attributes, each attribute with one type for all customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from sqlalchemy import Connection, bindparam, insert, select, update

from journeys.catalogue import CUSTOMER, CustomerId
from journeys.clearance.addresses import normal_each
from journeys.language.attributes import (
    AttributeName,
    Attributes,
    Declaration,
    Schema,
    Value,
    check_attributes,
    declaration_of,
)
from journeys.model_words import flaws_of
from journeys.models import Frozen
from journeys.problems import Flaw, Invalid, Unknown
from store.addresses import address_attributes, spelled
from store.locks import lock_customers
from store.schema import customer_attributes, customers
from store.store import read_transaction, write_transaction


class CustomerView(Frozen):
    """A customer."""

    id: str
    attributes: Attributes
    created_at: AwareDatetime
    changed_at: AwareDatetime


@write_transaction
def put_customer(connection: Connection, id: str, attributes: Mapping[str, Value], now: datetime) -> bool:
    """Make *attributes* all that the customer has; null is as good as missing. Returns whether the customer is new.

    The first value of an attribute fixes its type for all customers. Addresses are kept in their one spelling.
    Raises Invalid with every flaw.
    """
    given = {name: value for name, value in attributes.items() if value is not None}
    lock_customers(connection, [id])
    schema = customer_schema(connection)
    new = {name: declaration_of(value) for name, value in given.items() if name not in schema}
    present, unsendable = spelled(given, address_attributes(connection))
    _check(id, given, {**schema, **new}, unsendable)
    row = {"customer": id, "to_attributes": present, "now": now}
    if new:
        connection.execute(_INSERT_ATTRIBUTE, [{"name": name, "type": kind} for name, kind in new.items()])
    if connection.execute(_UPDATE, row).rowcount:
        return False
    connection.execute(_INSERT, row)
    return True


@write_transaction
def forget_tokens(connection: Connection, customer: str, attribute: str, dead: Sequence[str]) -> bool:
    """Take addresses that no longer exist out of an attribute that holds some, with commas between them.

    Returns whether any of them was there. The customer may not be known, or have others meanwhile.
    """
    lock_customers(connection, [customer])
    row = connection.execute(_ONE, {"customer": customer}).one_or_none()
    held = row.attributes.get(attribute) if row else None
    known = normal_each("push", held) if isinstance(held, str) else []
    left = [address for address in known if address not in dead]
    if row is None or left == known:
        return False
    others = {name: value for name, value in row.attributes.items() if name != attribute}
    attributes = {**others, attribute: ",".join(left)} if left else others
    connection.execute(_UPDATE, {"customer": customer, "to_attributes": attributes, "now": row.changed_at})
    return True


@read_transaction
def get_customer(connection: Connection, id: str) -> CustomerView:
    """A customer. Raises Unknown."""
    row = connection.execute(_ONE, {"customer": id}).one_or_none()
    if row is None:
        raise Unknown(f'There is no customer "{id}".')
    return CustomerView(**row._asdict())


@read_transaction
def list_customers(connection: Connection, *, limit: int = 50, after: str | None = None) -> list[CustomerView]:
    """Customers by id. *after*: the last id of the page before."""
    rows = connection.execute(_PAGE, {"after": after or "", "limit": limit})
    return [CustomerView(**row._asdict()) for row in rows]


def customer_schema(connection: Connection) -> dict[str, Declaration]:
    """The attributes that customers are known to have. Each of them may be missing."""
    rows = connection.execute(select(customer_attributes))
    return {**CUSTOMER, **{row.name: row.type for row in rows}}


def _check(id: str, attributes: Mapping[str, Value], schema: Schema, unsendable: Iterable[Flaw]) -> None:
    flaws = [flaw.within("id") for flaw in _wrong(CustomerId, id)]
    flaws += [flaw.within(f"attributes.{name}") for name in attributes for flaw in _wrong(AttributeName, name)]
    wrong = check_attributes(schema, attributes)
    mistyped = {flaw.path for flaw in wrong}
    wrong += [flaw for flaw in unsendable if flaw.path not in mistyped]
    flaws += [flaw.within("attributes") for flaw in wrong]
    if flaws:
        raise Invalid(f'Customer "{id}" is not valid.', flaws)


def _wrong(expected: Any, value: str) -> list[Flaw]:  # noqa: ANN401 - an annotation
    try:
        _adapter(expected).validate_python(value)
    except ValidationError as error:
        return flaws_of(error.errors(), expected)
    return []


@cache
def _adapter(expected: Any) -> TypeAdapter[str]:  # noqa: ANN401
    return TypeAdapter(expected)


_INSERT_ATTRIBUTE = insert(customer_attributes)
_INSERT = insert(customers).values(
    id=bindparam("customer"),
    attributes=bindparam("to_attributes"),
    created_at=bindparam("now"),
    changed_at=bindparam("now"),
)
_UPDATE = (
    update(customers)
    .where(customers.c.id == bindparam("customer"))
    .values(attributes=bindparam("to_attributes"), changed_at=bindparam("now"))
)
_ONE = select(customers).where(customers.c.id == bindparam("customer"))
_PAGE = select(customers).where(customers.c.id > bindparam("after")).order_by(customers.c.id).limit(bindparam("limit"))
