"""What a key may open: its scopes, each with what it stands for."""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal[
    "events:write",
    "customers:read",
    "customers:write",
    "customers:erase",
    "definitions:read",
    "definitions:write",
    "publish",
    "runs:read",
    "runs:write",
    "analytics:read",
    "admin",
]

SCOPES: tuple[Scope, ...] = get_args(Scope)

OPENS: dict[Scope, str] = {
    "events:write": "posting events",
    "customers:read": "reading customers, their consents, and suppressions",
    "customers:write": "changing customers and their consents, and lifting suppressions",
    "customers:erase": "erasing customers, which nobody takes back",
    "definitions:read": "reading the policy, triggers, contents, journeys, endpoints and attributes, and previews",
    "definitions:write": "writing triggers, contents, drafts of journeys, endpoints and attributes, and test sends",
    "publish": "publishing, pausing, resuming, releasing, repairing, completing, stopping and archiving journeys, and "
    "changing the policy",
    "runs:read": "reading runs, sends, what events did, channels, and what needs somebody now",
    "runs:write": "cancelling runs",
    "analytics:read": "reading figures, such as those of tests",
    "admin": "making, changing and revoking keys, and reading the audit log",
}
"""What each scope opens, in words."""
