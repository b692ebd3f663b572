"""What ``sojourn erase`` says: what goes of a customer, or went, and when the id was erased before."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from store.erasing import Erasure
from terminal.client import Connection
from terminal.confirming import How, carry_out


def erase_customer(connection: Connection, customer: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase a customer, once somebody says so at a terminal, or a script with ``--yes``."""
    carry_out(
        connection,
        lambda api, dry: api.delete(Erasure, "customers", customer, dry_run=dry),
        erased,
        lambda would: f"Erase {would.customer} for good?" if would.rows else None,
        How(dry_run, yes, as_json),
        unasked=False,
    )


def erased(erasure: Erasure) -> Iterator[Text]:
    """What goes, table by table, and what ends."""
    if erasure.erased_before:
        yield Text(f"{erasure.customer} was erased before, on {erasure.erased_before:%d %b %Y at %H:%M} UTC.")
    if not erasure.rows:
        yield Text("There is nothing about them.")
        return
    yield Text(f"{erasure.customer} {'would be' if erasure.dry_run else 'is'} erased:", "bold")
    for table, number in erasure.rows.items():
        yield Text(f"  {number:>6}  {table}")
    if erasure.ended:
        yield Text(f"  Runs {'that end' if erasure.dry_run else 'that ended'}: {erasure.ended}.")
    if erasure.in_flight:
        yield Text(f"  On its way to a provider: {erasure.in_flight}, which may still arrive.")
    yield Text("Nobody takes it back. Counts stay, and hashes of addresses: see docs/erasing.md.", "dim")
