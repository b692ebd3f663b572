"""Twilio: Messages, status callbacks and incoming texts, signed with the account's token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from email.utils import format_datetime
from typing import Any
from urllib.parse import urldefrag, urlencode

from embedded.fakes.server import Fake, Kept, Said, Seen, Webhook, said

SIGNATURE = "X-Twilio-Signature"
STATUSES_OF = {"delivered": ("sending", "sent", "delivered"), "bounced": ("sending", "undelivered")}


class FakeTwilio(Fake):
    """One account with one number."""

    name = "twilio"

    def __init__(self, account: str = "AC" + "0" * 32, token: str = "a-made-up-token") -> None:
        super().__init__()
        self.account, self.token = account, token
        self.number = "+15005550006"
        self.opted_out: set[str] = set()

    def is_send(self, request: Seen) -> bool:
        return request.method == "POST" and request.path == self._path

    def accept(self, request: Seen) -> Said:
        form = request.form
        if not self._knows(request):
            return self.error(401, "20003")
        if code := self._wrong(form):
            return self.error(400, code)
        sid = "SM" + secrets.token_hex(16)
        send_id = form.get("StatusCallback", "").partition("send_id=")[2].partition("#")[0]
        kept = self.keep(send_id, form["To"], sid, form)
        return said(201, _resource(kept, self.account))

    def answer(self, request: Seen) -> Said:
        if not self._knows(request):
            return self.error(401, "20003")
        if (request.method, request.path) != ("GET", self._path):
            return self.error(404, "20404")
        to = request.query["To"][0]
        listed = [_resource(kept, self.account) for kept in self.ledger if kept.to == to]
        return said(200, {"messages": listed, "next_page_uri": None, "page": 0, "page_size": 100})

    def error(self, status: int, code: str = "") -> Said:
        if status >= 500:
            return Said(status, b"upstream connect error")
        number = int(code or status * 100 + 29)
        body = {"code": number, "message": f"This is the error {number}, about +15550001111.", "status": status}
        if code.endswith("9457"):
            body |= {"type": "https://example.com/problem", "title": "A problem", "code": 21211}
        return said(status, body)

    async def report(self, kept: Kept, what: str) -> None:
        for status in STATUSES_OF.get(what, (what,)):
            await self.post(self.status(kept, status), tries=100)

    def status(self, kept: Kept, status: str, error: int | None = None) -> Webhook:
        """A status callback, to where the message asked for it."""
        form = {
            "MessageSid": kept.provider_id,
            "SmsSid": kept.provider_id,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": kept.to,
            "From": self.number,
            "AccountSid": self.account,
            "ApiVersion": "2010-04-01",
        }
        if error:
            form["ErrorCode"] = str(error)
        return self.signed(urldefrag(kept.content["StatusCallback"]).url, form)

    def incoming(self, sender: str, body: str, **more: str) -> Webhook:
        """A text that a customer sent, to the webhook that is set."""
        if body.upper() == "STOP":
            self.opted_out.add(sender)
        elif body.upper() == "START":
            self.opted_out.discard(sender)
        sid = "SM" + secrets.token_hex(16)
        form = {"MessageSid": sid, "SmsStatus": "received", "From": sender, "To": self.number, "Body": body}
        return self.signed(self.webhook, form | more)

    def signed(self, url: str, form: dict[str, str], algorithm: str = "") -> Webhook:
        text = url + "".join(name + form[name] for name in sorted(form))
        hashed = hashlib.sha256 if algorithm == "HMAC_SHA256" else hashlib.sha1
        signature = base64.b64encode(hmac.digest(self.token.encode(), text.encode(), hashed)).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", SIGNATURE: signature}
        if algorithm:
            headers["X-Twilio-Webhooks-Signature-Settings"] = f"key=webhooks_sharedkey_1,algorithm={algorithm}"
        return Webhook(url, headers, urlencode(form).encode(), SIGNATURE)

    @property
    def _path(self) -> str:
        return f"/2010-04-01/Accounts/{self.account}/Messages.json"

    def _knows(self, request: Seen) -> bool:
        expected = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    def _wrong(self, form: dict[str, str]) -> str:
        if not form["To"].lstrip("+").isdigit():
            return "21211"
        if form.get("From") != self.number and not form.get("MessagingServiceSid"):
            return "21606"
        if form["To"] in self.opted_out:
            return "21610"
        return "21617" if len(form["Body"]) > 1600 else ""


def _resource(kept: Kept, account: str) -> dict[str, Any]:
    return {
        "sid": kept.provider_id,
        "account_sid": account,
        "to": kept.to,
        "from": kept.content.get("From"),
        "messaging_service_sid": kept.content.get("MessagingServiceSid"),
        "body": kept.content["Body"],
        "status": "queued",
        "direction": "outbound-api",
        "num_segments": "1",
        "date_created": format_datetime(kept.at),
        "date_sent": None,
        "error_code": None,
    }
