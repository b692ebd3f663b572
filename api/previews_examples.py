"""A preview as its endpoint shows it: the abandoned cart, whose email is opened."""

from __future__ import annotations

from api.customers import CUSTOMER
from api.events_examples import RUN_ID, STARTED
from api.journeys_examples import JOURNEY
from api.runs_examples import DIARY

CART = {"trigger": "abandoned-cart", "attributes": {"cart_id": "cart-17", "total": 59.9}}

PREVIEW = {
    "customer": CUSTOMER["attributes"],
    "script": [
        CART,
        {"at": "3 hours", "message": "initial-reminder", "is": "opened"},
    ],
}

PREVIEW_INLINE = {
    **PREVIEW,
    "script": [*PREVIEW["script"], {"at": "4 hours", "customer": {"country": "NO", "push_token": None}}],
    "definition": JOURNEY,
    "paths": True,
    "consents": [{"channel": "text", "choice": "in"}],
}

PREVIEW_UNDER_A_POLICY = {
    **PREVIEW,
    "script": [CART, {"at": "2 days", "release": True}],
    "policy": {
        "quiet": [{"channels": ["email"], "from": "21:00", "to": "11:00"}],
        "caps": [{"at_most": 3, "per": "7 days", "over": "hold"}],
        "brake": {"same_content": {"at_most": 3, "per": "24 hours"}},
    },
}

SHORTER = {**JOURNEY, "steps": [{"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}]}

PREVIEW_WITH_A_NEW_VERSION = {
    **PREVIEW,
    "script": [CART, {"at": "12 hours", "publish": SHORTER, "people": "move"}],
}

PREVIEWS = {
    "The stored journey": PREVIEW,
    "A definition that is not stored": PREVIEW_INLINE,
    "Under another policy than the one in force": PREVIEW_UNDER_A_POLICY,
    "With a version that is published meanwhile": PREVIEW_WITH_A_NEW_VERSION,
}
PATHS = {
    "ways": "2",
    "paths": [
        {
            "choices": [{"step": "opened", "arm": "yes", "why": "opened"}],
            "messages": [
                {
                    "step": "initial-reminder",
                    "kind": "email",
                    "content": "initial-email-reminder",
                    "earliest": "0 seconds",
                    "latest": "0 seconds",
                }
            ],
            "earliest_end": "0 seconds",
            "latest_end": "1 day",
        }
    ],
}

HELD = "quiet time 21:00–11:00 (Europe/Oslo of the customer)"

PREVIEWED = {
    "started_at": "2026-01-01T09:00:00Z",
    "events": [
        {
            "event": "line-1",
            "trigger": "abandoned-cart",
            "at": "2026-01-01T09:00:00Z",
            "decisions": [STARTED],
        },
    ],
    "runs": [
        {
            "id": RUN_ID,
            "version": 1,
            "key": "cart-17",
            "entered_at": "2026-01-01T09:00:00Z",
            "ended": "completed",
            "ended_by": "done",
            "ended_at": "2026-01-01T12:00:00Z",
            "why": "all steps done",
            "goal_met_at": None,
            "held": None,
            "holds": [
                {
                    "step": "initial-reminder",
                    "at": "2026-01-01T09:00:00Z",
                    "until": "2026-01-01T10:02:11Z",
                    "why": HELD,
                    "by": "quiet time",
                }
            ],
            "sends": [
                {
                    "step": "initial-reminder",
                    "kind": "email",
                    "content": "initial-email-reminder",
                    "at": "2026-01-01T10:02:11Z",
                    "outcome": "accepted",
                    "to": "ada@example.com",
                    "reason": "",
                    "parts": {"subject": "Your cart is waiting, Ada", "text": "You left €59.90 in your cart."},
                }
            ],
            "diary": [
                {**DIARY[0], "at": "2026-01-01T09:00:00Z", "why": f"held until 1 Jan 10:02:11: {HELD}"},
                {**DIARY[1], "at": "2026-01-01T10:02:11Z"},
                {**DIARY[2], "at": "2026-01-01T10:02:11Z"},
            ],
        }
    ],
    "paths": [],
    "flaws": [],
    "warnings": [],
}
