"""SendGrid: Mail Send, Email Logs, and the Event Webhook signed with a real key."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from embedded.fakes.server import DELAY, Fake, Kept, Said, Seen, Webhook, said

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
FIELDS: dict[str, dict[str, Any]] = {
    "click": {"url": "https://shop.example.com/cart", "url_offset": {"index": 0, "type": "html"}},
    "bounce": {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"},
    "deferred": {"response": "451 try again later", "attempt": "2"},
}
EVENTS_OF = {"delivered": ("processed", "delivered"), "bounced": ("processed", "bounce")}


class FakeSendGrid(Fake):
    """One account. *key* is its API key, *webhook_key* the verification key of its webhook."""

    name = "sendgrid"

    def __init__(self, key: str = "SG.a-made-up-key") -> None:
        super().__init__()
        self.key = key
        self.may_read_logs = True
        self._signer = ec.generate_private_key(ec.SECP256R1())

    @property
    def webhook_key(self) -> str:
        der = self._signer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def is_send(self, request: Seen) -> bool:
        return (request.method, request.path) == ("POST", "/v3/mail/send")

    def accept(self, request: Seen) -> Said:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return self.error(401)
        mail = request.json
        if wrong := _wrong_field(mail):
            return _errors(400, f"The {wrong} does not contain a valid value.", wrong)
        id = secrets.token_urlsafe(16)
        to = mail["personalizations"][0]["to"][0]["email"]
        self.keep(mail.get("custom_args", {}).get("sojourn_send_id", ""), to, id, mail)
        return Said(202, headers={"X-Message-Id": id})

    def answer(self, request: Seen) -> Said:
        if not self.may_read_logs or request.headers.get("authorization") != f"Bearer {self.key}":
            return _errors(403, "access forbidden")
        if (request.method, request.path) == ("POST", "/v3/logs"):
            return said(200, {"messages": [_row(kept) for kept in self._asked_for(request.json["query"])]})
        for kept in self.ledger:
            if request.path == f"/v3/logs/{_message_id(kept)}":
                return said(200, _row(kept) | {"custom_args": kept.content["custom_args"], "events": []})
        return _errors(404, "not found")

    def error(self, status: int, code: str = "") -> Said:
        return _errors(status, f"This is the error {status}, about ada@example.com.", code or None)

    def asks_to_wait(self) -> dict[str, str]:
        return {"X-RateLimit-Limit": "1", "X-RateLimit-Reset": str(int(time.time() + DELAY.total_seconds()))}

    async def report(self, kept: Kept, what: str) -> None:
        events = [self.event(kept, name) for name in EVENTS_OF.get(what, (what,))]
        await self.post(self.signed(events), tries=100)

    def event(self, kept: Kept, name: str, **fields: object) -> dict[str, Any]:
        """One event about a message, as the Event Webhook words it: custom arguments among its own fields."""
        return {
            "email": kept.to,
            "timestamp": int(time.time()),
            "event": name,
            "sg_event_id": secrets.token_urlsafe(16),
            "sg_message_id": _message_id(kept),
            "smtp-id": f"<{kept.provider_id}@geopod-ismtpd>",
            **kept.content.get("custom_args", {}),
            **FIELDS.get(name, {}),
            **fields,
        }

    def signed(self, events: Sequence[dict[str, Any]], *, ago: timedelta = timedelta(0)) -> Webhook:
        return self.signed_body(json.dumps(list(events)).encode() + b"\r\n", ago=ago)

    def signed_body(self, body: bytes, *, ago: timedelta = timedelta(0)) -> Webhook:
        timestamp = str(int(time.time() - ago.total_seconds()))
        signature = self._signer.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: base64.b64encode(signature).decode(),
            TIMESTAMP: timestamp,
        }
        return Webhook(self.webhook, headers, body, SIGNATURE)

    def _asked_for(self, query: str) -> list[Kept]:
        asked = re.fullmatch(r'to_email = "([^"]*)" AND sg_message_id_created_at >= TIMESTAMP "([^"]*)"', query)
        assert asked, query
        since = datetime.fromisoformat(asked[2]).astimezone(UTC)
        return [kept for kept in self.ledger if kept.to == asked[1] and kept.at >= since]


def _wrong_field(mail: dict[str, Any]) -> str:
    if "@" not in mail["from"].get("email", ""):
        return "from.email"
    if "@" not in mail["personalizations"][0]["to"][0]["email"]:
        return "personalizations.0.to.0.email"
    if not mail["subject"]:
        return "subject"
    kinds = [part["type"] for part in mail["content"]]
    return "" if kinds and kinds == sorted(kinds, reverse=True) and all(mail["content"]) else "content"


def _errors(status: int, message: str, field: str | None = None) -> Said:
    return said(status, {"errors": [{"message": message, "field": field, "help": None}]})


def _message_id(kept: Kept) -> str:
    return f"{kept.provider_id}.recvd-7f9b-1-0000-1.0"


def _row(kept: Kept) -> dict[str, Any]:
    return {
        "from_email": kept.content["from"]["email"],
        "sg_message_id": _message_id(kept),
        "subject": kept.content["subject"],
        "to_email": kept.to,
        "status": "delivered",
        "sg_message_id_created_at": kept.at.isoformat(),
    }
