"""Sources that are Sojourn's own: what comes from them it says itself, and nobody else in its name."""

from __future__ import annotations

from activities.channels.registry import PROVIDERS
from journeys.catalogue import CUSTOMER_SOURCE
from journeys.chains import SOURCE as JOURNEYS

UNSUBSCRIBE_LINK = "unsubscribe-link"
"""Of what people say by the link in an email."""

OWN = frozenset({CUSTOMER_SOURCE, UNSUBSCRIBE_LINK, *PROVIDERS})


def is_own(source: str) -> bool:
    """Whether *source* is one of them. Their ids can be worked out, so that who took one would keep what is to come."""
    return source in OWN or source.startswith(JOURNEYS)
