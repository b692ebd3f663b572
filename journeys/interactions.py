"""The kinds of messages, and what may be told of each once it is sent."""

from __future__ import annotations

from typing import Literal

Kind = Literal["email", "text", "push"]
Interaction = Literal["delivered", "opened", "clicked", "bounced", "replied", "unsubscribed"]

INTERACTIONS: dict[Kind, tuple[Interaction, ...]] = {
    "email": ("delivered", "opened", "clicked", "bounced", "unsubscribed"),
    "text": ("delivered", "clicked", "bounced", "replied", "unsubscribed"),
    "push": ("delivered", "opened", "clicked"),
}


def interaction_trigger(kind: Kind, interaction: Interaction) -> str:
    """The built-in trigger of an interaction: ``email-opened``."""
    return f"{kind}-{interaction}"
