"""A journey for each type of step, as the endpoint takes it; titles say what it is for."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def _journey(name: str, *steps: Json, **more: Any) -> Json:
    start = {"trigger": "abandoned-cart", "key": "event.cart_id"}
    return {"journey": name, "start": start, **more, "exit": ["purchase-completed"], "steps": list(steps)}


_EMAIL: Json = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
_TEXT: Json = {
    "id": "reminder",
    "text": "second-text-reminder",
    "to": "customer.phone",
    "expires": "2 hours",
}
_PUSH: Json = {"id": "last-call", "push": "final-push-notification", "to": "customer.push_token"}

JOURNEYS: dict[str, Json] = {
    "Messages and waits": _journey(
        "messages",
        _EMAIL,
        {"id": "pause", "wait": "1 day"},
        _TEXT,
        {"id": "morning", "wait": {"until": "09:00", "on": "weekdays"}},
        _PUSH,
    ),
    "If and end: one question": _journey(
        "one-question",
        _EMAIL,
        {
            "id": "opened",
            "if": {"message": "hello", "is": "opened", "within": "1 day"},
            "then": [{"id": "enough", "end": "has read it"}],
            "else": [],
        },
        _PUSH,
    ),
    "Await: several questions": _journey(
        "several-questions",
        _TEXT,
        {
            "id": "reaction",
            "await": {
                "within": "2 days",
                "arms": [
                    {"arm": "replied", "message": "reminder", "is": "replied", "reply": ["yes", "ja"], "then": []},
                    {"arm": "visited", "trigger": "store-visit", "where": 'event.city == "Oslo"', "then": [_EMAIL]},
                    {"arm": "moved", "becomes": 'customer.country == "NO"', "then": []},
                ],
                "otherwise": [_PUSH],
            },
        },
    ),
    "Until: left as soon as something happens": _journey(
        "a-series",
        {
            "id": "nudges",
            "until": {"trigger": "store-visit", "within": "10 days"},
            "steps": [_EMAIL, {"id": "pause", "wait": "3 days"}, _TEXT],
            "then": [],
            "else": [_PUSH],
        },
    ),
    "Branch: by what is known": _journey(
        "known",
        _EMAIL,
        {
            "id": "tier",
            "branch": [
                {"arm": "large", "when": "event.total > 100", "then": [_TEXT]},
                {"arm": "unreached", "when": 'sent["hello"] in ["blocked", "failed"]', "then": [_PUSH]},
            ],
            "otherwise": [],
        },
    ),
    "Split: by chance": _journey(
        "chance",
        {
            "id": "half",
            "split": [
                {"arm": "mail", "share": "45%", "then": [_EMAIL]},
                {"arm": "text", "share": "45%", "then": [_TEXT]},
                {"arm": "held-out", "share": "10%", "then": []},
            ],
        },
    ),
    "Split: the first who come": _journey(
        "the-first",
        {
            "id": "pilot",
            "split": [{"arm": "first", "first": 1000, "then": [_EMAIL]}],
            "otherwise": [_TEXT],
        },
    ),
    "Test: until there is a winner": _journey(
        "which-is-better",
        {
            "id": "kind",
            "test": {
                "winner": {"by": "goal", "after": "2 weeks"},
                "arms": [
                    {"arm": "mail", "share": "50%", "then": [_EMAIL]},
                    {"arm": "text", "share": "50%", "then": [_TEXT]},
                ],
                "default": "mail",
            },
        },
        goal={"trigger": "purchase-completed", "target": "50%", "within": "3 days"},
    ),
    "Raise, set and webhook": _journey(
        "actions",
        {"id": "tell", "raise": "store-visit", "with": {"city": '"Oslo"'}},
        {"id": "tag", "set": {"country": '"NO"'}},
        {"id": "crm", "webhook": "crm", "with": {"total": "event.total"}, "within": "1 day"},
    ),
}
