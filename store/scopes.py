"""What a key may open: its scopes, each with what it stands for."""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal[
    "events:write",
    "customers:read",
    "customers:write",
    "definitions:read",
    "definitions:write",
    "publish",
    "runs:read",
    "analytics:read",
    "admin",
]

SCOPES: tuple[Scope, ...] = get_args(Scope)

MEANINGS: dict[Scope, str] = {
    "events:write": "post events",
    "customers:read": "read customers, their consents, and suppressions",
    "customers:write": "change customers and their consents, and lift suppressions",
    "definitions:read": "read and preview triggers, contents, journeys, endpoints and attributes of customers",
    "definitions:write": "change drafts, triggers, contents, endpoints and attributes of customers, and send tests",
    "publish": "publish and stop journeys",
    "runs:read": "read runs, sends, what events did, and channels",
    "analytics:read": "read figures, such as those of tests",
    "admin": "make, change and revoke keys",
}
"""What each scope opens, in words."""
