"""Events as their endpoint shows them: an abandoned cart, the purchase that ends its run, an opened email."""

from __future__ import annotations

CART = {
    "id": "cart-17-abandoned",
    "trigger": "abandoned-cart",
    "customer": "ada",
    "occurred_at": "2026-11-24T09:00:00Z",
    "attributes": {"cart_id": "cart-17", "total": 59.9},
}

BOUGHT = {
    "id": "order-4711",
    "trigger": "purchase-completed",
    "customer": "ada",
    "occurred_at": "2026-11-25T10:00:00Z",
    "attributes": {"cart_id": "cart-17"},
}

OPENED = {
    "id": "opened-1",
    "trigger": "email-opened",
    "attributes": {"send_id": "k3v9x2mqk3v9x2mqk3v9"},
}

RUN_ID = "abandoned-cart/ada/k3v9x2mq"

EVENTS = {
    "A cart was abandoned": CART,
    "A purchase ends the journey": BOUGHT,
    "An email was opened": OPENED,
    "Several at once, all or none": [CART, BOUGHT],
}

STARTED = {
    "journey": "abandoned-cart",
    "version": 1,
    "did": "started",
    "why": "abandoned-cart",
    "run": RUN_ID,
    "answers": [],
}

EXITED = {
    "journey": "abandoned-cart",
    "version": 1,
    "did": "exited",
    "why": "exit: purchase-completed",
    "run": RUN_ID,
    "answers": [],
}

RECEIPT = {
    "event": "order-4711",
    "source": "api",
    "duplicate": False,
    "decisions": [EXITED],
    "in_flight": 0,
    "already_sent": ["initial-reminder"],
}

STORED_EVENT = {
    **CART,
    "source": "api",
    "received_at": "2026-11-24T09:00:01Z",
    "decisions": [STARTED],
}
