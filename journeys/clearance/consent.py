"""Consent: whether a customer may be sent a message of a purpose and topic. One pure rule, asked at the last moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from journeys.interactions import Kind
from journeys.models import Model, Name

Purpose = Literal["commercial", "transactional"]
Choice = Literal["in", "out", "unset"]
Enforcement = Literal["restrictive", "non-restrictive", "disabled"]
"""``restrictive``: only who opted in. ``non-restrictive``: all but who opted out. ``disabled``: all."""


class Consent(Model):
    """What a customer has said about one channel, purpose and, where it is about one, topic.

    *channel*: email, text or push.
    *purpose*: commercial or transactional.
    *choice*: ``in`` for a yes, ``out`` for a no, ``unset`` to forget what was said.
    """

    channel: Kind
    purpose: Purpose = "commercial"
    topic: Name | None = None
    choice: Choice

    @property
    def about(self) -> About:
        """What it is about."""
        return About(self.channel, self.purpose, self.topic)


class About(NamedTuple):
    """What a consent is about."""

    channel: Kind
    purpose: Purpose
    topic: str | None = None


class Rules(Model):
    """How consent is enforced, for each channel and purpose.

    *email*: for commercial emails.
    *text*: for commercial texts.
    *push*: for commercial push notifications.
    *transactional*: for transactional messages, on all channels.

    Source: Dynamics 365 "compliance profiles": email commercial non-restrictive, texts opt-in, transactional disabled.
    """

    email: Enforcement = "non-restrictive"
    text: Enforcement = "restrictive"
    push: Enforcement = "non-restrictive"
    transactional: Enforcement = "disabled"

    def enforcement(self, about: About) -> Enforcement:
        """What holds for a channel and purpose."""
        if about.purpose == "transactional":
            return self.transactional
        enforcement: Enforcement = getattr(self, about.channel)
        return enforcement


NOT_ASKED = Rules(email="disabled", text="disabled", push="disabled")


def refusal(about: About, enforcement: Enforcement, said: Mapping[About, Choice]) -> str:
    """Why the message may not be sent; nothing where it may.

    A message of a topic needs both: the purpose's consent and the topic's.
    """
    asked = [About(about.channel, about.purpose)]
    if about.topic is not None:
        asked.append(about)
    for one in asked:
        choice = said.get(one, "unset")
        if not _allowed(choice, enforcement):
            what = f"{one.purpose} {one.channel}" + (f" about {one.topic}" if one.topic else "")
            return f"opted out of {what}" if choice == "out" else f"has not opted in to {what}"
    return ""


def _allowed(choice: Choice, enforcement: Enforcement) -> bool:
    match enforcement:
        case "disabled":
            return True
        case "non-restrictive":
            return choice != "out"
        case "restrictive":
            return choice == "in"


def said(consents: Iterable[Consent]) -> dict[About, Choice]:
    """What a customer has said, the latest last, by what it is about."""
    return {consent.about: consent.choice for consent in consents}
