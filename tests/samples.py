"""The abandoned-cart journey and what it refers to, for tests."""

from __future__ import annotations

from journeys.catalogue import Content, State, Trigger
from journeys.checks.review import Catalogue
from journeys.definition import Journey
from journeys.publishing import version_of
from journeys.reading import read_content, read_journey, read_trigger
from journeys.versions import Version

ABANDONED_CART = """
journey: abandoned-cart
title: Abandoned cart reminders
start:
  trigger: abandoned-cart
  key: event.cart_id
  repeat: immediately
goal: {trigger: purchase-completed, target: 50%, within: 3 days}
exit:
  - trigger: purchase-completed
steps:
  - id: initial-reminder
    email: initial-email-reminder
    to: customer.email
  - id: opened
    if: {message: initial-reminder, is: opened, within: 1 day}
    then: []
    else:
      - {id: second-reminder, text: second-text-reminder, to: customer.phone}
      - {id: pause, wait: 1 day}
      - {id: final-reminder, push: final-push-notification, to: customer.push_token}
"""

TRIGGERS: dict[str, Trigger] = {
    name: read_trigger({"trigger": name, "attributes": attributes})
    for name, attributes in {
        "abandoned-cart": {"cart_id": "text?", "total": "number", "coupon": "text?"},
        "purchase-completed": {"cart_id": "text?", "total": "number?"},
        "store-visit": {"city": "text"},
        "trial-started": {"cart_id": "text?", "total": "number", "ends_at": "time?"},
        "appointment-booked": {"appointment_id": "text", "cart_id": "text", "guests": "number", "floor": "number"},
        "appointment-moved": {"appointment_id": "text", "cart_id": "text?", "guests": "number?", "floor": "text"},
    }.items()
}

_CONTENTS: tuple[dict[str, object], ...] = (
    {
        "content": "initial-email-reminder",
        "email": {
            "subject": "Your cart is waiting, {{ customer.first_name | default: 'friend' }}",
            "text": "You left {{ event.total }} in your cart. No more of these: {{ unsubscribe_url }}",
        },
    },
    {"content": "second-text-reminder", "text": {"body": "Still thinking about cart {{ event.cart_id }}?"}},
    {"content": "final-push-notification", "push": {"title": "Last call", "body": "Your cart is still here."}},
)
CONTENTS: dict[str, Content] = {content.content: content for content in map(read_content, _CONTENTS)}

CUSTOMER = {
    "email": "ada@example.com",
    "phone": "+15550100",
    "push_token": "token-ada",
    "first_name": "Ada",
}


def catalogue(state: State = "ready") -> Catalogue:
    """A catalogue in which everything has the given state."""
    return Catalogue(
        triggers={name: (trigger, state) for name, trigger in TRIGGERS.items()},
        contents={name: (content, state) for name, content in CONTENTS.items()},
    )


def abandoned_cart(**changes: object) -> Journey:
    """The abandoned-cart journey, with some of its top-level fields replaced."""
    journey = read_journey(ABANDONED_CART)
    return read_journey({**journey.model_dump(mode="json", by_alias=True, exclude_unset=True), **changes})


def version(journey: Journey | None = None, number: int = 1) -> Version:
    """A published version of a journey, the abandoned cart by default."""
    return version_of(journey or abandoned_cart(), number, catalogue())
