"""Emails by SendGrid: one message out, and what became of it. What it answers is in README.md, beside this."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from activities.channels import (
    Accepted,
    Down,
    Finding,
    Found,
    Handed,
    NotFound,
    NotNow,
    Outgoing,
    ProviderAnswer,
    Refused,
)
from activities.channels.calls import Busy, Limits, NoAnswer, Threads, delay, hush, never_left, without_addresses
from journeys.clearance.addresses import Unsendable, mailbox

SEND_ID = "sojourn_send_id"
"""SendGrid puts custom arguments among an event's own fields, so ours has a name that none of its own will have."""

OUR_FAULT = {401: "does not take the API key", 403: "refuses the sender or the key's rights", 404: "", 405: ""}
AMBIGUOUS = {408, 421}  # and every status of 500 and above: each can come after the message was taken
SETTINGS = ("from", "reply_to")  # the fields of a message that come from our settings
MOST = 100
CLOCKS_APART = timedelta(minutes=1)

# At INFO and DEBUG they log keys and recipients.
LOGGERS = ("python_http_client", "sendgrid")


class SendGrid:
    """The channel. *sender* and *reply_to* are ``Shop <shop@example.com>``; *url* is another one for the EU."""

    def __init__(
        self,
        key: str,
        sender: str,
        *,
        reply_to: str = "",
        url: str = "https://api.sendgrid.com",
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        from sendgrid import SendGridAPIClient  # noqa: PLC0415 - only where this channel is chosen

        hush(*LOGGERS)
        self._api = SendGridAPIClient(key, host=url)
        self._api.client.timeout = limits.timeout.total_seconds()  # none by default
        self._sender = _mailbox(sender)
        self._reply_to = _mailbox(reply_to) if reply_to else None
        self._threads = Threads("SendGrid", limits.connections)

    async def send(self, message: Outgoing) -> ProviderAnswer:
        mail = self._mail(message)
        if not mail["content"]:
            return Refused("the email has neither text nor html")
        try:
            response = await self._threads.run(lambda: self._api.send(mail))
        except Busy as busy:
            return NotNow(str(busy))
        except Exception as error:  # noqa: BLE001 - urllib and http.client raise anything
            return _refusal(error)
        if response.status_code != 202:
            raise NoAnswer(f"SendGrid answered {response.status_code} instead of 202")
        return Accepted(response.headers.get("X-Message-Id"))

    async def find(self, handed: Handed) -> Finding:
        """Look in the Email Logs. They need a key that may read them, and cannot be asked for what we call a send."""
        try:
            return await self._threads.run(lambda: self._look(handed))
        except Exception:  # noqa: BLE001 - whatever it is, we know no more than before
            return None

    async def close(self) -> None:
        self._threads.close()

    def _mail(self, message: Outgoing) -> dict[str, Any]:
        parts = message.parts
        bodies = {"text/plain": parts.get("text", ""), "text/html": parts.get("html", "")}  # in this order
        mail = {
            "personalizations": [{"to": [{"email": message.to}]}],
            "from": self._sender,
            "subject": parts.get("subject", ""),
            "content": [{"type": kind, "value": body} for kind, body in bodies.items() if body.strip()],
            "custom_args": {SEND_ID: message.send_id},
        }
        if self._reply_to:
            mail["reply_to"] = self._reply_to
        if url := parts.get("unsubscribe_url"):
            mail["headers"] = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        return mail

    def _look(self, handed: Handed) -> Finding:
        whole = True
        for address in {handed.to, handed.to.lower()}:  # queries heed case
            listed = self._logs(address, handed.at - CLOCKS_APART)
            whole &= len(listed) < MOST
            for id in (str(row["sg_message_id"]) for row in listed):
                detail = self._api.client.logs._(id).get().to_dict
                if handed.send_id in json.dumps(detail.get("custom_args")):
                    return Found(id)
        return NotFound() if whole else None

    def _logs(self, address: str, since: datetime) -> list[dict[str, Any]]:
        if '"' in address:
            raise ValueError("an address with a quote cannot be asked for")
        query = f'to_email = "{address}" AND sg_message_id_created_at >= TIMESTAMP "{since:%Y-%m-%dT%H:%M:%SZ}"'
        response = self._api.client.logs.post(request_body={"query": query, "limit": MOST})
        return list(response.to_dict["messages"])


def _mailbox(sender: str) -> dict[str, str]:
    try:
        name, email = mailbox(sender)
    except Unsendable as error:
        raise ValueError(f'"{sender}" {error.why}. Write it as Shop <shop@example.com>') from None
    return {"email": email, "name": name} if name else {"email": email}


def _refusal(error: Exception) -> Refused | NotNow | Down:
    """What an exception of the SDK means. Raises NoAnswer where the mail may have gone out."""
    status = getattr(error, "status_code", None)
    if status is None:
        if never_left(error):
            return NotNow(f"SendGrid cannot be reached: {type(error).__name__}", unreachable=True)
        raise NoAnswer(f"SendGrid gave no answer: {type(error).__name__}") from None
    if status == 429:
        return NotNow("SendGrid takes no more just now (429)", delay(dict(error.headers)))  # type: ignore[attr-defined]
    if status in AMBIGUOUS or not 400 <= status < 500:
        raise NoAnswer(f"SendGrid answered {status}") from None
    field, words = _first_error(error)
    if status in OUR_FAULT or field.startswith(SETTINGS):
        what = OUR_FAULT.get(status) or f"does not understand us, in {field or 'the URL'}"
        return Down(f"SendGrid {what} ({status}): {without_addresses(words)}")
    return Refused(f"SendGrid: {words} ({status})")


def _first_error(error: Exception) -> tuple[str, str]:
    """The field at fault and SendGrid's words, as far as the body has them."""
    try:
        first = error.to_dict["errors"][0]  # type: ignore[attr-defined]
        return str(first.get("field") or ""), str(first.get("message") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return "", "no reason given"
