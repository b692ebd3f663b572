"""A preview as its endpoint shows it: the abandoned cart, whose email is opened."""

from __future__ import annotations

from api.customers import CUSTOMER
from api.events_examples import RUN_ID, STARTED
from api.journeys_examples import JOURNEY
from api.runs_examples import DIARY

PREVIEW = {
    "customer": CUSTOMER["attributes"],
    "script": [
        {"trigger": "abandoned-cart", "attributes": {"cart_id": "cart-17", "total": 59.9}},
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

PREVIEWS = {"The stored journey": PREVIEW, "A definition that is not stored": PREVIEW_INLINE}
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
            "ended_at": "2026-01-01T12:00:00Z",
            "why": "all steps done",
            "goal_met_at": None,
            "sends": [
                {
                    "step": "initial-reminder",
                    "kind": "email",
                    "content": "initial-email-reminder",
                    "at": "2026-01-01T09:00:00Z",
                    "outcome": "accepted",
                    "to": "ada@example.com",
                    "reason": "",
                    "parts": {"subject": "Your cart is waiting, Ada", "text": "You left €59.90 in your cart."},
                }
            ],
            "diary": DIARY[:3],
        }
    ],
    "paths": [],
    "flaws": [],
    "warnings": [],
}
