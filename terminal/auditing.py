"""What commands say of the audit log: who changed what, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from journeys.language.clock import say_instant
from store.audit import AuditEntry, AuditPage
from terminal.rows import in_words


def listed(page: AuditPage) -> Iterator[Text]:
    """Changes, the latest first, and how to see those before."""
    if not page.entries:
        yield Text("Nothing was changed.")
    for entry in page.entries:
        yield Text.assemble((f"{entry.at:%d %b %Y %H:%M:%S} UTC  {entry.what}", "bold"), f"  {entry.did} by {entry.by}")
        if entry.detail:
            yield Text(f"    {_detail(entry)}", "dim")
    if page.next is not None:
        yield Text(f"There are more. --before {page.next} shows those before.", "dim")


def _detail(entry: AuditEntry) -> str:
    return ", ".join(f"{_name(name)}: {_value(name, value)}" for name, value in entry.detail.items())


def _name(name: str) -> str:
    return name.replace("_", " ")


def _value(name: str, value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return " and ".join(map(str, value))
        case dict() if name == "rows":  # of an erasure
            return ", ".join(in_words(table, number).partition(",")[0] for table, number in value.items())
        case dict():
            return ", ".join(f"{_name(part)} {_value(part, what)}" for part, what in value.items())
        case str() if name == "since":
            return say_instant(datetime.fromisoformat(value))
        case _:
            return str(value)
