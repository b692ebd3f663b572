"""A house's policy as its endpoints show it."""

from __future__ import annotations

NIGHTS = {"time_zone": "Europe/Oslo", "quiet": [{"channels": ["text", "push"], "from": "21:00", "to": "08:00"}]}

EVERYTHING = {
    "time_zone": "Europe/Oslo",
    "quiet": [
        {"channels": ["text", "push"], "from": "21:00", "to": "08:00"},
        {"channels": ["email", "text", "push"], "on": ["sun"]},
        {"from": "2026-12-24", "to": "2026-12-26"},
        {"channels": ["text"], "where": 'customer.country == "FR"', "from": "20:00", "to": "10:00"},
    ],
    "caps": [
        {"channels": ["email"], "at_most": 3, "per": "7 days"},
        {"channels": ["email", "text", "push"], "at_most": 1, "per": "24 hours", "over": "hold"},
    ],
    "spread": "15 minutes",
    "brake": {
        "same_content": {"at_most": 3, "per": "24 hours"},
        "entries": {"at_most": 50000, "per": "1 hour"},
    },
    "consent": {"email": "non-restrictive", "text": "restrictive", "push": "non-restrictive"},
    "keep": {"runs": "400 days", "events": "400 days", "ids": "1830 days", "audit": "forever"},
}

VERSION = {"number": 2, "policy": NIGHTS, "changed_at": "2026-11-24T09:00:00Z", "changed_by": "root"}

FIRST = {
    "number": 1,
    "policy": {"time_zone": "UTC", "consent": {"text": "restrictive"}},
    "changed_at": "2026-11-20T14:30:00Z",
    "changed_by": "settings",
}

VERSIONS = {"versions": [VERSION, FIRST], "next": None}
