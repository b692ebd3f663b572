"""A run as its endpoints show it: its message was delivered, and the purchase ended it."""

from __future__ import annotations

from api.events_examples import EXITED, RUN_ID, STARTED

RUN = {
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
    "held": None,
    "ended": "exited",
    "ended_by": "exit",
    "ended_at": "2026-11-25T10:00:00Z",
    "why": "exit: purchase-completed",
    "goal_met_at": "2026-11-25T10:00:00Z",
}

HELD = {
    **RUN,
    "id": "abandoned-cart/bob/p4m2x8qd",
    "customer": "bob",
    "key": "cart-18",
    "event_id": "cart-18-abandoned",
    "step": "second-reminder",
    "step_at": "2026-11-25T21:40:00Z",
    "held": {
        "by": "quiet time",
        "since": "2026-11-25T21:40:00Z",
        "until": "2026-11-26T07:04:51Z",
        "why": "quiet time 21:00–07:00 (UTC)",
    },
    "ended": None,
    "ended_by": None,
    "ended_at": None,
    "why": "",
    "goal_met_at": None,
}
"""Its text waits for the morning."""

RUNS = {"runs": [HELD, RUN], "next": None}
DIARY = [
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
]

SEND = {
    "id": "k3v9x2mqk3v9x2mqk3v9",
    "step": "initial-reminder",
    "kind": "email",
    "content": "initial-email-reminder",
    "purpose": "commercial",
    "topic": None,
    "recipient": "ada@example.com",
    "state": "accepted",
    "attempt": 1,
    "claimed_at": "2026-11-24T09:00:01Z",
    "expires_at": None,
    "at": "2026-11-24T09:00:02Z",
    "reason": "",
    "provider_id": "14c5d75ce93",
}
"""What the ledger knows of a send."""

CALL = {
    "step": "tell-the-crm",
    "endpoint": "crm",
    "state": "accepted",
    "tries": 2,
    "first_at": "2026-11-24T09:00:02Z",
    "tried_at": "2026-11-24T09:00:04Z",
    "next_at": None,
    "at": "2026-11-24T09:00:05Z",
    "reason": "",
}

ACTION = {
    "step": "tag",
    "does": "sets reminded_at",
    "outcome": "accepted",
    "at": "2026-11-24T09:00:06Z",
    "reason": "",
}

RUN_VIEW = {
    **RUN,
    "diary": DIARY,
    "sends": [
        {
            **SEND,
            "standing": "delivered",
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
    "calls": [CALL],
    "actions": [ACTION],
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
