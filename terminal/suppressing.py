"""What commands say of suppressed addresses: which, why, and how they are written to again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from store.suppressions import AddressView, Lifting, Suppressed, Suppression


def listed(suppressions: Sequence[Suppression], *, more: bool = False) -> Iterator[Text]:
    """Suppressions, the latest first, each with what can be done."""
    if not suppressions:
        yield Text("Nothing is suppressed.")
    for each in suppressions:
        yield _first_line(each)
        yield Text(f"    since {each.at:%d %b %Y %H:%M} UTC: {each.reason}")
        yield Text(f"    {each.hint}", "dim")
    if more:
        yield Text(f"There are more. --limit {min(2 * len(suppressions), 200)} shows more of them.", "dim")


def lifted(liftings: Sequence[Lifting]) -> Iterator[Text]:
    """What was lifted, the latest first, and why."""
    if not liftings:
        yield Text("Nothing was lifted.")
    for each in liftings:
        yield _first_line(each)
        yield Text(f"    suppressed {each.suppressed_at:%d %b %Y %H:%M} UTC: {each.reason}")
        yield Text(f"    lifted {each.at:%d %b %Y %H:%M} UTC by {each.source}: {each.why}", "green")


def address(view: AddressView) -> Iterator[Text]:
    """What speaks against one address, and what did once."""
    yield from listed(view.suppressions)
    if view.lifted:
        yield Text("Lifted before:", "bold")
        yield from lifted(view.lifted)


def _first_line(each: Suppressed) -> Text:
    whose = f", last of customer {each.customer}" if each.customer else ""
    return Text.assemble((f"{each.id}  {each.channel}", "bold"), f"  {each.recipient or 'never written to'}{whose}")
