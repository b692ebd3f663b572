"""What the OpenAPI document shows: the abandoned cart, from its trigger to its last receipt. Tests read every line."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TRIGGER: Json = {
    "trigger": "abandoned-cart",
    "title": "A cart was left behind",
    "attributes": {"cart_id": "text", "total": "number", "coupon": "text?"},
}
PURCHASE: Json = {
    "trigger": "purchase-completed",
    "title": "A purchase was completed",
    "attributes": {"cart_id": "text?", "total": "number?"},
}

EMAIL: Json = {
    "content": "initial-email-reminder",
    "title": "Initial email reminder",
    "email": {
        "subject": "Your cart is waiting, {{ customer.first_name | default: 'friend' }}",
        "text": "You left {{ event.total }} in your cart.",
    },
}
TEXT: Json = {
    "content": "second-text-reminder",
    "text": {"body": "Still thinking about cart {{ event.cart_id }}?"},
}
PUSH: Json = {
    "content": "final-push-notification",
    "push": {"title": "Last call", "body": "Your cart is still here."},
}

CUSTOMER: Json = {
    "customer": "ada",
    "attributes": {
        "email": "ada@example.com",
        "phone": "+15550100",
        "push_token": "token-ada",
        "first_name": "Ada",
    },
}

JOURNEY: Json = {
    "journey": "abandoned-cart",
    "title": "Abandoned cart reminders",
    "start": {
        "trigger": "abandoned-cart",
        "where": "event.total > 0",
        "key": "event.cart_id",
        "repeat": "immediately",
    },
    "goal": {"trigger": "purchase-completed", "target": "50%", "within": "3 days"},
    "exit": [{"trigger": "purchase-completed"}],
    "steps": [
        {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"},
        {
            "id": "opened",
            "if": {"message": "initial-reminder", "is": "opened", "within": "1 day"},
            "then": [],
            "else": [
                {"id": "second-reminder", "text": "second-text-reminder", "to": "customer.phone"},
                {"id": "pause", "wait": "1 day"},
                {"id": "final-reminder", "push": "final-push-notification", "to": "customer.push_token"},
            ],
        },
    ],
}

CART: Json = {
    "id": "cart-17-abandoned",
    "trigger": "abandoned-cart",
    "customer": "ada",
    "occurred_at": "2026-11-24T09:00:00Z",
    "attributes": {"cart_id": "cart-17", "total": 59.9},
}
BOUGHT: Json = {
    "id": "order-4711",
    "trigger": "purchase-completed",
    "customer": "ada",
    "occurred_at": "2026-11-25T10:00:00Z",
    "attributes": {"cart_id": "cart-17"},
}
OPENED: Json = {
    "id": "opened-1",
    "trigger": "email-opened",
    "attributes": {"send_id": "k3v9x2mqk3v9x2mqk3v9"},
}

RUN_ID = "abandoned-cart/ada/k3v9x2mq"
STARTED: Json = {
    "journey": "abandoned-cart",
    "version": 1,
    "did": "started",
    "why": "abandoned-cart",
    "run": RUN_ID,
    "answers": [],
}
EXITED: Json = {
    "journey": "abandoned-cart",
    "version": 1,
    "did": "exited",
    "why": "exit: purchase-completed",
    "run": RUN_ID,
    "answers": [],
}

PREVIEW: Json = {
    "customer": CUSTOMER["attributes"],
    "script": [
        {"trigger": "abandoned-cart", "attributes": {"cart_id": "cart-17", "total": 59.9}},
        {"at": "3 hours", "message": "initial-reminder", "is": "opened"},
    ],
}
PREVIEW_INLINE: Json = {
    **PREVIEW,
    "definition": JOURNEY,
    "paths": True,
    "consents": [{"channel": "text", "choice": "in"}],
}

_WRITTEN: Json = {"created_at": "2026-11-23T08:00:00Z", "changed_at": "2026-11-23T08:00:00Z"}

TRIGGERS: Json = {"Abandoned cart": TRIGGER, "Purchase completed": PURCHASE}
CONTENTS: Json = {"Email": EMAIL, "Text": TEXT, "Push": PUSH}
CUSTOMERS: Json = {"Ada": CUSTOMER}
JOURNEYS: Json = {"Abandoned cart": JOURNEY}
EVENTS: Json = {
    "A cart was abandoned": CART,
    "A purchase ends the journey": BOUGHT,
    "An email was opened": OPENED,
    "Several at once, all or none": [CART, BOUGHT],
}
CONSENTS: Json = {
    "A checkout": {
        "customer": "ada",
        "consents": [
            {"channel": "email", "choice": "in"},
            {"channel": "text", "purpose": "transactional", "choice": "in"},
            {"channel": "email", "topic": "new-arrivals", "choice": "out"},
        ],
        "source": "checkout",
    }
}
SAMPLE: Json = {"customer": {"first_name": "Ada"}, "event": {"cart_id": "cart-17", "total": 59.9}}
SAMPLES: Json = {"A customer and a cart": SAMPLE}
TRIALS: Json = {"To a colleague": {**SAMPLE, "to": "grace@example.com"}}
PREVIEWS: Json = {"The stored journey": PREVIEW, "A definition that is not stored": PREVIEW_INLINE}

TRIGGER_VIEW: Json = {
    "trigger": TRIGGER,
    "state": "ready",
    "seen": 12,
    "last_seen_at": "2026-11-24T09:00:00Z",
    "journeys": ["abandoned-cart"],
    **_WRITTEN,
}
CONTENT_VIEW: Json = {
    "content": EMAIL,
    "ready": EMAIL,
    "state": "ready",
    "journeys": ["abandoned-cart"],
    **_WRITTEN,
}
CUSTOMER_VIEW: Json = {"id": "ada", "attributes": CUSTOMER["attributes"], **_WRITTEN}

CONSENT_VIEW: Json = {
    "customer": "ada",
    "said": [{"channel": "email", "purpose": "commercial", "topic": None, "choice": "out"}],
    "log": [
        {
            "channel": "email",
            "purpose": "commercial",
            "topic": None,
            "choice": "in",
            "source": "checkout",
            "at": "2026-11-20T10:00:00Z",
            "detail": "",
        },
        {
            "channel": "email",
            "purpose": "commercial",
            "topic": None,
            "choice": "out",
            "source": "unsubscribe-link",
            "at": "2026-11-24T18:30:00Z",
            "detail": "",
        },
    ],
}
FILLED: Json = {
    "parts": {"body": "Still thinking about cart cart-17?"},
    "missing": [],
    "segments": 1,
    "alphabet": "GSM-7",
}
TRIED: Json = {
    "parts": {"subject": "[Test] Your cart is waiting, Ada", "text": "You left 59.9 in your cart."},
    "missing": [],
    "segments": None,
    "alphabet": None,
    "outcome": "accepted",
    "reason": "",
    "send_id": "test4f1c0e2b7a9d3e58",
    "provider_id": "14c5d75ce93",
}
CHANNELS: Json = {
    "channels": [
        {
            "kind": "email",
            "state": "down",
            "reason": "SendGrid does not take the API key (401)",
            "since": "2026-11-24T09:00:00Z",
        },
        {"kind": "text", "state": "unused", "reason": "", "since": None},
    ]
}
READY: Json = {
    "status": "ok",
    "outbox": 0,
    "oldest_seconds": 0.0,
    "waiting_events": 0,
    "channels": {"email": "ok"},
    "webhooks": {"sendgrid": {"new": 120, "repeated": 3, "forged": 0}},
}

_COUNTS: Json = {"active": 3, "completed": 40, "exited": 57, "stopped": 0, "cancelled": 0}
JOURNEY_VIEW: Json = {
    "name": "abandoned-cart",
    "title": "Abandoned cart reminders",
    "state": "live",
    "definition": JOURNEY,
    "edited": False,
    "live_version": 1,
    "versions": [
        {
            "number": 1,
            "state": "live",
            "hash": "5f2b8c1de0a94c37",
            "published_at": "2026-11-23T09:00:00Z",
            "stopped_at": None,
            "counts": _COUNTS,
        }
    ],
    "counts": _COUNTS,
    "goal": {"entered": 100, "met": 57, "target": "50%", "reached": True},
    "stopped_at": None,
    **_WRITTEN,
}
PUBLISHED: Json = {"journey": "abandoned-cart", "version": 1, "hash": "5f2b8c1de0a94c37", "new": True}
STOPPED: Json = {"journey": "abandoned-cart", "runs": 3, "in_flight": 0}

RECEIPT: Json = {
    "event": "order-4711",
    "source": "api",
    "duplicate": False,
    "conflict": False,
    "decisions": [EXITED],
    "in_flight": 0,
    "already_sent": ["initial-reminder"],
}
STORED_EVENT: Json = {
    **CART,
    "source": "api",
    "received_at": "2026-11-24T09:00:01Z",
    "decisions": [STARTED],
}

_RUN: Json = {
    "id": RUN_ID,
    "journey": "abandoned-cart",
    "version": 1,
    "customer": "ada",
    "key": "cart-17",
    "trigger": "abandoned-cart",
    "event_source": "api",
    "event_id": "cart-17-abandoned",
    "entered_at": "2026-11-24T09:00:00Z",
    "started_at": "2026-11-24T09:00:01Z",
    "day": "P1D",
    "step": None,
    "step_at": None,
    "ended": "exited",
    "ended_at": "2026-11-25T10:00:00Z",
    "why": "exit: purchase-completed",
    "goal_met_at": "2026-11-25T10:00:00Z",
}
RUNS: Json = {"runs": [_RUN], "next": None}
RUN_VIEW: Json = {
    **_RUN,
    "diary": [
        {
            "n": 0,
            "at": "2026-11-24T09:00:00Z",
            "step": "initial-reminder",
            "did": "entered",
            "arm": None,
            "why": "",
        },
        {
            "n": 1,
            "at": "2026-11-24T09:00:02Z",
            "step": "initial-reminder",
            "did": "passed",
            "arm": None,
            "why": "accepted",
        },
        {"n": 2, "at": "2026-11-24T09:00:02Z", "step": "opened", "did": "entered", "arm": None, "why": ""},
        {
            "n": 3,
            "at": "2026-11-25T10:00:00Z",
            "step": "opened",
            "did": "left",
            "arm": None,
            "why": "exit: purchase-completed",
        },
    ],
    "sends": [
        {
            "id": "k3v9x2mqk3v9x2mqk3v9",
            "step": "initial-reminder",
            "kind": "email",
            "content": "initial-email-reminder",
            "purpose": "commercial",
            "topic": None,
            "recipient": "ada@example.com",
            "state": "accepted",
            "standing": "delivered",
            "attempt": 1,
            "claimed_at": "2026-11-24T09:00:01Z",
            "expires_at": None,
            "at": "2026-11-24T09:00:02Z",
            "reason": "",
            "provider_id": "14c5d75ce93",
            "interactions": [
                {
                    "interaction": "delivered",
                    "at": "2026-11-24T09:00:05Z",
                    "link": None,
                    "reply": None,
                    "machine": False,
                }
            ],
        }
    ],
    "decisions": [
        {
            "source": "api",
            "event": "cart-17-abandoned",
            "trigger": "abandoned-cart",
            "occurred_at": "2026-11-24T09:00:00Z",
            "decision": STARTED,
        },
        {
            "source": "api",
            "event": "order-4711",
            "trigger": "purchase-completed",
            "occurred_at": "2026-11-25T10:00:00Z",
            "decision": EXITED,
        },
    ],
}

PATHS: Json = {
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
    ]
}
PREVIEWED: Json = {
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
                    "parts": {"subject": "Your cart is waiting, Ada", "text": "You left 59.9 in your cart."},
                }
            ],
            "diary": RUN_VIEW["diary"][:3],
        }
    ],
    "paths": [],
    "flaws": [],
}
