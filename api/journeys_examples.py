"""A journey as its endpoints show it: the abandoned cart."""

from __future__ import annotations

JOURNEY = {
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

WELCOME = {
    "journey": "welcome",
    "title": "Welcome, in two ways",
    "start": "signed-up",
    "goal": {"trigger": "profile-completed", "within": "3 days"},
    "exit": ["profile-completed"],
    "steps": [
        {
            "id": "pilot",
            "split": [
                {"arm": "welcomed", "share": "90%", "then": []},
                {"arm": "held-out", "share": "10%", "then": [{"id": "enough", "end": "held out"}]},
            ],
        },
        {
            "id": "subject",
            "test": {
                "winner": {"by": "goal", "after": "2 weeks"},
                "arms": [
                    {
                        "arm": "plain",
                        "share": "50%",
                        "then": [{"id": "plain", "email": "welcome-plain", "to": "customer.email"}],
                    },
                    {
                        "arm": "witty",
                        "share": "50%",
                        "then": [{"id": "witty", "email": "welcome-witty", "to": "customer.email"}],
                    },
                ],
                "default": "plain",
            },
        },
        {"id": "pause", "wait": "1 day"},
        {
            "id": "reached",
            "branch": [
                {
                    "arm": "by-phone",
                    "when": 'sent["plain"] == "blocked" || sent["witty"] == "blocked"',
                    "then": [{"id": "call", "text": "welcome-text", "to": "customer.phone"}],
                }
            ],
            "otherwise": [],
        },
    ],
}

COUNTS = {
    "active": 3,
    "completed": 40,
    "exited": 57,
    "stopped": 0,
    "cancelled": 0,
    "aborted": 0,
    "refused": 0,
    "pruned": 12,
}
JOURNEY_VIEW = {
    "name": "abandoned-cart",
    "title": "Abandoned cart reminders",
    "state": "live",
    "held": None,
    "paused": None,
    "parked": 0,
    "to_go": 0,
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
            "counts": COUNTS,
            "move": None,
        }
    ],
    "counts": COUNTS,
    "goal": {"entered": 100, "met": 57, "target": "50%", "reached": True},
    "closed_at": None,
    "stopped_at": None,
    "archived_at": None,
    "created_at": "2026-11-23T08:00:00Z",
    "changed_at": "2026-11-23T08:00:00Z",
}

PUBLISHED = {
    "journey": "abandoned-cart",
    "version": 2,
    "hash": "5f2b8c1de0a94c37",
    "new": True,
    "warnings": [],
    "changes": [
        {
            "version": 1,
            "people": 230,
            "changes": [
                {
                    "what": "renamed",
                    "step": "rest",
                    "words": "rest is what pause was",
                    "people": {"before": 100, "at": 90, "behind": 40},
                },
                {
                    "what": "changed",
                    "step": "rest",
                    "words": "rest waits 12 hours instead of 1 day",
                    "people": {"before": 100, "at": 90, "behind": 40},
                },
            ],
        }
    ],
    "people": "move",
    "move": {
        "moved": 229,
        "steps": {"opened": 100, "rest": 89, "final-reminder": 40},
        "to_move": 0,
        "stayed": 1,
        "stays": [
            {"why": "its message is being sent", "people": 1, "runs": ["abandoned-cart/ada/k3v9x2mq"]},
        ],
        "gone": 0,
    },
    "dry_run": False,
}
INSIDE = {
    "journey": "abandoned-cart",
    "inside": [{"version": 1, "runs": 2}, {"version": 2, "runs": 1}],
    "runs": 3,
    "in_flight": 0,
    "waiting": 0,
}
STOPPED = INSIDE | {"version": None, "to_go": 0, "changed": True, "dry_run": False}
COMPLETED = INSIDE | {"parked": 0, "changed": True, "dry_run": False}
ARCHIVED = {"journey": "abandoned-cart", "archived": True, "changed": True, "dry_run": False}

BRAKED = {
    "since": "2026-11-24T09:05:00Z",
    "why": 'the brake: 3 copies of "initial-email-reminder" went to one customer within 1 day, '
    "and this would be one more",
    "waiting": 230,
}
LET_GO = {
    "journey": "abandoned-cart",
    "held": BRAKED,
    "paused": None,
    "spread": "15 minutes",
    "to_go": 0,
    "dry_run": False,
}

PAUSE = {"since": "2026-11-24T09:00:00Z", "waiting_messages": 230, "waiting_starts": 40}
PAUSED = {
    "journey": "abandoned-cart",
    "paused": PAUSE,
    "active": 1200,
    "in_flight": 2,
    "changed": True,
    "dry_run": False,
}
RESUMED = {
    "journey": "abandoned-cart",
    "paused": PAUSE,
    "held": None,
    "catch_up": {"over": "30 minutes"},
    "spread": "30 minutes",
    "to_go": 0,
    "dry_run": False,
}

TEST_VIEW = {
    "step": "subject",
    "versions": [3, 2],
    "state": "decided",
    "by": "goal",
    "within": "3 days",
    "default": "plain",
    "people": 2079,
    "needed": None,
    "started_at": "2026-11-02T09:00:00Z",
    "ends_at": "2026-11-16T09:00:00Z",
    "arms": [
        {
            "arm": "plain",
            "share": "50%",
            "people": 1041,
            "counted": 1000,
            "hits": 80,
            "rate": 0.08,
            "left_out": 41,
        },
        {
            "arm": "witty",
            "share": "50%",
            "people": 1038,
            "counted": 1000,
            "hits": 160,
            "rate": 0.16,
            "left_out": 38,
        },
    ],
    "verdict": {
        "winner": "witty",
        "decided": True,
        "why": '"witty" is better than "plain" (16.0% of 1000 against 8.0% of 1000, p = 3.7e-08).',
        "best": "witty",
        "tests": [{"against": "plain", "z": 5.504818825631803, "p": 3.7e-08, "corrected": 3.7e-08}],
    },
}
