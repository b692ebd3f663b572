"""The types of customers' attributes as they are seen, declared and changed, as long as nobody relies on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime
from sqlalchemy import Connection, Select, delete, func, insert, select, true, update

from journeys.attribute_uses import customer_attributes_of
from journeys.catalogue import CUSTOMER, Content, CustomerAttribute
from journeys.checks.review import Catalogue
from journeys.language.attributes import AttributeType, Declaration, check_attributes, say_type, types
from journeys.models import Frozen
from journeys.nearest import did_you_mean
from journeys.problems import Conflict, Flaw, Unknown
from store.audit import Change, record
from store.catalogue import new_flaws, read_catalogue
from store.customer_types import Fixed, customer_schema, fixed_types, optional
from store.locks import lock_house
from store.schema import customer_attributes, customers
from store.store import Store, read_transaction, write_transaction
from store.versions import versions_in_use

PAGE = 1_000
MOST_MISFITS = 100
LONG_AGO = timedelta(hours=1)
"""Customers are looked through without a lock first; under it, only who was changed since, whoever's clock is ahead."""

FixedBy = Literal["built in", "declaration", "first value"]


class AttributeView(Frozen):
    """An attribute of customers: its type, what fixed that, and since when, if that is known.

    *held*: whether any customer has a value. *journeys*: those in use that name it.
    """

    attribute: str
    type: AttributeType
    fixed_by: FixedBy
    since: AwareDatetime | None
    held: bool
    journeys: tuple[str, ...]


@read_transaction
def list_attributes(connection: Connection) -> list[AttributeView]:
    """All attributes that customers may have, by name."""
    views = _views(connection, set(connection.execute(_HELD[connection.dialect.name]).scalars()))
    return [views[name] for name in sorted(views)]


@read_transaction
def get_attribute(connection: Connection, name: str) -> AttributeView:
    """An attribute of customers. Raises Unknown."""
    return _one(connection, name)


async def put_attribute(store: Store, attribute: CustomerAttribute, change: Change) -> bool:
    """Declare an attribute of customers, or change its type. Returns whether it is new.

    Raises Conflict, with every reason: it is built in, a journey in use would break, customers hold other values.
    """
    # Before the lock: there may be very many customers, and events go on meanwhile.
    await _look_through(store, attribute)
    return await _declare(store, attribute, change)


@read_transaction
def _look_through(connection: Connection, attribute: CustomerAttribute) -> None:
    _refuse(attribute, _reasons(connection, attribute))


@write_transaction
def _declare(connection: Connection, attribute: CustomerAttribute, change: Change) -> bool:
    lock_house(connection)
    name = attribute.attribute
    _refuse(attribute, _reasons(connection, attribute, changed_since=change.at - LONG_AGO))
    known = fixed_types(connection).get(name)
    declared = {"type": optional(attribute.type), "declared": True, "since": change.at}
    detail = {"type": attribute.type}
    if known is None and name not in CUSTOMER:
        connection.execute(insert(customer_attributes).values(name=name, **declared))
        record(connection, change, "attribute declared", f"attribute/{name}", {"new": True, **detail})
        return True
    if known and (known.type, known.declared) != (attribute.type, True):
        connection.execute(update(customer_attributes).where(customer_attributes.c.name == name).values(declared))
        record(connection, change, "attribute declared", f"attribute/{name}", detail)
    return False


@write_transaction
def delete_attribute(connection: Connection, name: str, change: Change) -> AttributeView:
    """Forget an attribute of customers: the next value fixes its type anew. Returns it as it was.

    Raises Unknown, and Conflict, with every reason: it is built in, a journey in use names it, a customer has it.
    """
    lock_house(connection)
    view = _one(connection, name)
    reasons = [_BUILT_IN] if view.fixed_by == "built in" else []
    if view.journeys:
        hint = "Publish it without that, or stop it, and let everybody inside come to an end."
        reasons.append(Flaw(path="", message=f"{_and(view.journeys)} in use names it.", hint=hint))
    if view.held:
        hint = f'Take it away first: PATCH /v1/customers/{{id}} with {{"attributes": {{"{name}": null}}}}.'
        reasons.append(Flaw(path="", message="customers have values of it.", hint=hint))
    if reasons:
        raise Conflict(f'The attribute "{name}" cannot be forgotten.', reasons)
    connection.execute(delete(customer_attributes).where(customer_attributes.c.name == name))
    record(connection, change, "attribute forgotten", f"attribute/{name}")
    return view


_BUILT_IN = Flaw(path="", message="it is built in: text, for all customers.", hint="Use an attribute of another name.")


def _refuse(attribute: CustomerAttribute, reasons: Sequence[Flaw]) -> None:
    if reasons:
        raise Conflict(f'The attribute "{attribute.attribute}" cannot be of the type {attribute.type}.', reasons)


def _reasons(connection: Connection, attribute: CustomerAttribute, changed_since: datetime | None = None) -> list[Flaw]:
    """Why an attribute cannot have another type. Of customers, only those that were *changed_since*, or all."""
    name, schema = attribute.attribute, customer_schema(connection)
    if name not in schema or schema[name] == optional(attribute.type):
        return []
    if name in CUSTOMER:
        return [_BUILT_IN]
    broken = _broken(connection, name, {**schema, name: optional(attribute.type)})
    return [*broken, *_misfits(connection, attribute, changed_since)]


def _broken(connection: Connection, name: str, schema: Mapping[str, Declaration]) -> list[Flaw]:
    """What journeys in use would have wrong with them under another *schema*, and have not now."""
    before = read_catalogue(connection, frozenset(Content.KINDS))
    after = replace(before, customer=schema)
    flaws: list[Flaw] = []
    for version in versions_in_use(connection):
        if name in customer_attributes_of(version.journey, _contents(before)):
            new = new_flaws(version, before, after)
            whose = f"{version.name}, version {version.number}"
            flaws += [flaw.model_copy(update={"path": f"{whose}: {flaw.path}"}) for flaw in new]
    return flaws


def _misfits(connection: Connection, attribute: CustomerAttribute, since: datetime | None) -> list[Flaw]:
    """Who holds a value that is of another type. Values are not told: they may be anything."""
    name = attribute.attribute
    whose: list[str] = []
    for id, value in _values(connection, name, since):
        if check_attributes({name: attribute.type}, {name: value}):
            whose.append(id)
        if len(whose) >= MOST_MISFITS:
            break
    if not whose:
        return []
    many = f"at least {MOST_MISFITS}" if len(whose) >= MOST_MISFITS else str(len(whose))
    who = "1 customer holds" if len(whose) == 1 else f"{many} customers hold"
    message = f"{who} a value that is not {say_type(attribute.type)}, such as {', '.join(whose[:3])}."
    return [Flaw(path="", message=message, hint="Change their values first, or use an attribute of another name.")]


def _values(connection: Connection, name: str, since: datetime | None) -> Iterator[tuple[str, Any]]:
    """The values that customers have of an attribute, page by page."""
    after = ""
    while page := connection.execute(_page(name, after, since)).all():
        yield from ((row.id, row.value) for row in page)
        after = page[-1].id


def _page(name: str, after: str, since: datetime | None) -> Select[Any]:
    value = customers.c.attributes[name]
    wanted = select(customers.c.id, value.label("value")).where(customers.c.id > after, value.as_string().is_not(None))
    wanted = wanted if since is None else wanted.where(customers.c.changed_at >= since)
    return wanted.order_by(customers.c.id).limit(PAGE)


def _one(connection: Connection, name: str) -> AttributeView:
    held = next(_values(connection, name, None), None) is not None
    views = _views(connection, {name} if held else set())
    if name not in views:
        raise Unknown(f'Customers have no attribute "{name}". {did_you_mean(name, views)}')
    return views[name]


def _views(connection: Connection, held: set[str]) -> dict[str, AttributeView]:
    built_in = {name: Fixed(kind, declared=True, since=None) for name, kind in types(CUSTOMER).items()}
    known = {**fixed_types(connection), **built_in}
    users = _users(connection, known)
    return {
        name: AttributeView(
            attribute=name,
            type=fixed.type,
            fixed_by="built in" if name in CUSTOMER else "declaration" if fixed.declared else "first value",
            since=fixed.since,
            held=name in held,
            journeys=users[name],
        )
        for name, fixed in known.items()
    }


def _users(connection: Connection, attributes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The journeys in use that name each of *attributes*."""
    contents = _contents(read_catalogue(connection, frozenset(Content.KINDS)))
    uses = [(each.name, customer_attributes_of(each.journey, contents)) for each in versions_in_use(connection)]
    return {name: tuple(sorted({journey for journey, used in uses if name in used})) for name in attributes}


def _contents(catalogue: Catalogue) -> dict[str, Content]:
    return {name: content for name, (content, _) in catalogue.contents.items()}


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)


_each = func.json_each(customers.c.attributes).table_valued("key")
_HELD = {
    "postgresql": select(func.json_object_keys(customers.c.attributes)).distinct(),
    "sqlite": select(_each.c.key).select_from(customers.join(_each, true())).distinct(),
}
