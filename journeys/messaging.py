"""Who may be messaged, and at which address. The claim and the preview ask the same question here."""

from __future__ import annotations

from collections.abc import Mapping

from journeys.attributes import reference
from journeys.definition import Message


def recipient(step: Message, event: Mapping[str, object], customer: Mapping[str, object]) -> tuple[str | None, str]:
    """The address a message goes to, or None and the reason why it is blocked.

    *event* holds the attributes of the event that started the run.
    """
    source, name = reference(step.to)
    address = (event if source == "event" else customer).get(name)
    if not isinstance(address, str) or not address.strip():
        return None, f"{step.to} is missing"
    return address.strip(), ""
