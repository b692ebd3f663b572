"""Customers and their attributes. A change of them is an event, decided in the transaction that writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from secrets import token_hex
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from sqlalchemy import Connection, bindparam, insert, select, update

from journeys.address_attributes import spelled
from journeys.catalogue import CHANGED, CREATED, CUSTOMER_SOURCE, CustomerEvent, CustomerId
from journeys.chains import Maker
from journeys.clearance.addresses import normal_each
from journeys.inputs.flaws import flaws_of
from journeys.language.attributes import (
    AttributeName,
    Attributes,
    Value,
    check_attributes,
    declaration_of,
    merged,
)
from journeys.models import Frozen
from journeys.problems import Flaw, Invalid, Unknown
from journeys.walk.pace import DAY
from store.addresses import address_attributes
from store.customer_types import explained, fix_types, fixed_types, schema_of
from store.erasures import note_new_customer
from store.events import EventName, Receipt, take_effect
from store.locks import lock_customers
from store.schema import customers
from store.store import read_transaction, write_transaction


class CustomerView(Frozen):
    """A customer."""

    id: str
    attributes: Attributes
    created_at: AwareDatetime
    changed_at: AwareDatetime


class CustomerChange(Frozen):
    """What became of a change. *receipt*: what it did, as an event is answered; None where nothing was another."""

    customer: CustomerView
    created: bool
    receipt: Receipt | None


Given = Mapping[str, Value] | Callable[[Attributes], Mapping[str, Value]]
"""New attributes of a customer, or what makes them of those there are. null takes one away."""


@write_transaction
def put_customer(
    connection: Connection, id: str, attributes: Mapping[str, Value], now: datetime, *, day: timedelta = DAY
) -> CustomerChange:
    """Make *attributes* all that the customer has; null is as good as missing. See change_customer()."""
    return change_customer(connection, id, attributes, now, whole=True, day=day)


@write_transaction
def patch_customer(
    connection: Connection, id: str, attributes: Mapping[str, Value], now: datetime, *, day: timedelta = DAY
) -> CustomerChange:
    """Give the customer *attributes*, beside those there are; null takes one away. See change_customer()."""
    return change_customer(connection, id, attributes, now, day=day)


def change_customer(
    connection: Connection,
    id: str,
    given: Given,
    now: datetime,
    *,
    whole: bool = False,
    day: timedelta = DAY,
    named: EventName | Maker | None = None,
) -> CustomerChange:
    """Change a customer, or make one, and do what the change does as an event, all in one transaction.

    *whole*: what is not given is gone. *named*: the source and the id of the event, or the run that makes it; by
    default its id is a new one. *day* is the pace of the runs that it starts.
    What leaves everything as it was is no change and no event.
    The first value of an attribute fixes its type for all customers. Addresses are kept in their one spelling.
    It takes the locks of the house, the customer and their runs: whoever needs the lock of a run takes it afterwards.
    Raises Invalid with every flaw.
    """
    lock_customers(connection, [id])
    row = connection.execute(_ONE, {"customer": id}).one_or_none()
    before: Attributes = dict(row.attributes) if row else {}
    told = _checked(connection, id, given(dict(before)) if callable(given) else given, now)
    after = merged({} if whole else before, told)
    (source, event), made_by = _name(named)
    view = CustomerView(id=id, attributes=after, created_at=row.created_at if row else now, changed_at=now)
    if after == before and (row or made_by):  # a run that takes something from somebody unknown makes nobody known
        return CustomerChange(customer=CustomerView(**row._asdict()) if row else view, created=False, receipt=None)
    connection.execute(_UPDATE if row else _INSERT, {"customer": id, "to_attributes": after, "now": now})
    if row is None:
        note_new_customer(connection, id, now)
    trigger = CHANGED if row else CREATED
    happened = CustomerEvent(id=event, trigger=trigger, customer=id, source=source, before=before)
    receipt = take_effect(connection, happened, now, day=day, made_by=made_by)
    return CustomerChange(customer=view, created=row is None, receipt=receipt)


@write_transaction
def forget_tokens(
    connection: Connection, customer: str, attribute: str, dead: Sequence[str], now: datetime, *, day: timedelta = DAY
) -> bool:
    """Take addresses that no longer exist out of an attribute that holds some, with commas between them.

    It is a change as any other: see change_customer(). Returns whether any of them was there. The customer may not be
    known, or have others meanwhile.
    """
    lock_customers(connection, [customer])
    row = connection.execute(_ONE, {"customer": customer}).one_or_none()
    held = row.attributes.get(attribute) if row else None
    known = normal_each("push", held) if isinstance(held, str) else []
    left = [address for address in known if address not in dead]
    if row is None or left == known:
        return False
    change_customer(connection, customer, {attribute: ",".join(left) or None}, now, day=day)
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


def _name(named: EventName | Maker | None) -> tuple[EventName, Maker | None]:
    """The source and the id of a change, and the run that makes it."""
    match named:
        case None:
            return (CUSTOMER_SOURCE, token_hex(8)), None
        case Maker(source=source, event=event):
            return (source, event), named
        case _:
            return named, None


def _checked(connection: Connection, id: str, given: Mapping[str, Value], now: datetime) -> Mapping[str, Value]:
    """What is given as it is to be stored. Raises Invalid with every flaw."""
    present = {name: value for name, value in given.items() if value is not None}
    fixed = fixed_types(connection)
    schema = schema_of(fixed)
    first = {name: value for name, value in present.items() if name not in schema}
    told, unsendable = spelled(given, address_attributes(connection))
    schema |= {name: declaration_of(value) for name, value in first.items()}
    wrong = [explained(flaw, present.get(flaw.path), fixed) for flaw in check_attributes(schema, present)]
    _refuse(id, present, wrong, unsendable)
    fix_types(connection, first, now)
    return told


def _refuse(id: str, attributes: Mapping[str, Value], wrong: list[Flaw], unsendable: Iterable[Flaw]) -> None:
    """Raise Invalid with all that is wrong with a customer, if anything is."""
    flaws = [flaw.within("id") for flaw in _wrong(CustomerId, id)]
    flaws += [flaw.within(f"attributes.{name}") for name in attributes for flaw in _wrong(AttributeName, name)]
    mistyped = {flaw.path for flaw in wrong}
    wrong = [*wrong, *(flaw for flaw in unsendable if flaw.path not in mistyped)]
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
