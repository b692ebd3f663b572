"""What commands say of the audit log: who changed what, and when."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from store.audit import AuditEntry, AuditPage


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
    return ", ".join(f"{name}: {_value(value)}" for name, value in entry.detail.items())


def _value(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return " and ".join(map(str, value))
        case _:
            return str(value)
