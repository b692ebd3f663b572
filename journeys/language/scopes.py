"""Scopes: what conditions and expressions may name at a place, with its type, and the values that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from journeys.language.attributes import AttributeType, typed, types, under

Kind = AttributeType | Literal["outcomes"]
Scope = Mapping[str, Kind]
"""Such as ``{"event.total": "number", "customer.phone": "text", "now": "time", "sent": "outcomes"}``."""

ROOTS = ("event", "customer", "before")
"""What attributes are of: the event, the customer as they are now, and as they were before the change."""


def scope_of(
    *,
    event: Mapping[str, str] | None = None,
    customer: Mapping[str, str] | None = None,
    before: Mapping[str, str] | None = None,
    customer_id: bool = False,
    now: bool = False,
    sent: bool = False,
) -> dict[str, Kind]:
    """The scope of a place.

    *customer_id*: whether it may name ``customer.id``, which is your own id of the customer unless an attribute has
    that name.
    *now*: whether it is asked at an instant of its own, and may name it. *sent*: whether it may ask for the outcomes of
    its run's messages.
    """
    scope: dict[str, Kind] = {}
    for root, schema in zip(ROOTS, (event, customer, before), strict=True):
        scope |= under(root, types(schema or {}))
    if customer_id:
        scope.setdefault("customer.id", "text")
    if now:
        scope["now"] = "time"
    if sent:
        scope["sent"] = "outcomes"
    return scope


def values_of(
    *,
    event: tuple[Mapping[str, str], Mapping[str, object]] | None = None,
    customer: tuple[Mapping[str, str], Mapping[str, object]] | None = None,
    before: tuple[Mapping[str, str], Mapping[str, object]] | None = None,
    customer_id: str | None = None,
    now: datetime | None = None,
    sent: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """The values of a scope: each schema with the attributes that it types, the instant (aware), and what became of
    the messages, ``{"hello": "accepted"}``.
    """
    values: dict[str, object] = {}
    for root, given in zip(ROOTS, (event, customer, before), strict=True):
        if given:
            values |= under(root, typed(*given))
    if customer_id is not None and not (customer and "id" in customer[0]):
        values["customer.id"] = customer_id
    if now is not None:
        values["now"] = now
    if sent is not None:
        values["sent"] = sent
    return values
