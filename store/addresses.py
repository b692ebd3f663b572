"""The addresses that customers have, however they were written."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from journeys.address_attributes import holding_addresses
from journeys.clearance.addresses import Unsendable, fingerprint, normal_each
from journeys.interactions import Kind
from journeys.language.attributes import Value
from store.versions import live_versions


def address_attributes(connection: Connection) -> dict[str, Kind]:
    """The attributes that hold addresses, each with what is sent there."""
    return holding_addresses(live_versions(connection))


def fingerprints(attributes: Mapping[str, Value], holding: Mapping[str, Kind]) -> set[tuple[Kind, str]]:
    """The addresses of a customer by channel, however they were written."""
    return {
        (kind, fingerprint(kind, address))
        for name, kind in holding.items()
        if isinstance(value := attributes.get(name), str)
        for address in _each(kind, value)
    }


def _each(kind: Kind, value: str) -> list[str]:
    try:
        return normal_each(kind, value)
    except Unsendable:
        return [value]
