"""What ``sojourn erase`` says: what goes of a customer, or went, and when the id was erased before."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from store.erasing import Erasure
from terminal.client import Connection
from terminal.confirming import How, Words, carry_out
from terminal.ending import on_their_way
from terminal.numbers import counted, otherwise
from terminal.rows import in_words, of_erasure


def erase_customer(connection: Connection, customer: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase a customer, once somebody says so at a terminal, or a script with ``--yes``."""
    carry_out(
        connection,
        lambda api, dry: api.delete(Erasure, "customers", customer, dry_run=dry),
        ERASE,
        How(dry_run, yes, as_json, unasked=False),
    )


def erased(erasure: Erasure) -> Iterator[Text]:
    """What goes and what stays without the person, in words, and what ends."""
    if erasure.erased_before:
        yield Text(f"{erasure.customer} was erased before, on {erasure.erased_before:%d %b %Y at %H:%M} UTC.")
    if not erasure.rows:
        yield Text("There is nothing about them.")
        return
    yield Text(f"{erasure.customer} {'would be' if erasure.dry_run else 'is'} erased.", "bold")
    yield from of_erasure(erasure.rows)
    if erasure.ended:
        ends = ("ends" if erasure.ended == 1 else "end") if erasure.dry_run else "ended"
        yield Text(f"{counted(erasure.ended, 'run')} under way {ends}.")
    yield from on_their_way(erasure.in_flight)
    yield Text("Nobody takes it back. Counts stay, and hashes of addresses: see docs/erasing.md.", "dim")


def was_erased(did: Erasure, would: Erasure) -> Iterator[Text]:
    """What erasing did, to whoever was told before what it would do."""
    if not did.rows:
        yield from erased(did)
        return
    ended = f" {counted(did.ended, 'run')} ended{otherwise(did.ended, would.ended)}." if did.ended else ""
    yield Text(f"{did.customer} is erased for good.{ended}", "bold")
    for table in sorted({*did.rows, *would.rows}):
        number, before = did.rows.get(table, 0), would.rows.get(table, 0)
        if number != before:
            yield Text(f"  {in_words(table, number)}{otherwise(number, before)}")
    yield from on_their_way(did.in_flight)


ERASE = Words(erased, lambda would: f"Erase {would.customer} for good?" if would.rows else None, was_erased)
