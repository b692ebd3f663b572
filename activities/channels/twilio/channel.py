"""Texts by Twilio: one message out, and what became of it. What it answers is in README.md, beside this."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

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
from activities.channels.segments import utf16_units
from journeys.clearance.addresses import Unsendable, normal

LONGEST = 1600
MOST = 100
CLOCKS_APART = timedelta(minutes=1)

# At INFO and DEBUG they log recipients and queries.
LOGGERS = ("twilio", "requests", "urllib3")

# Without this, Twilio posts a report once more only where it could not connect.
AGAIN_AND_AGAIN = "#rc=5&rp=all"

# Twilio's error codes. Others: 21xxx are about the message; the rest are ours to mend with 401, 403 or 404.
OPTED_OUT = 21610
DEAD = {21211, 21214, 21217, 21614}
DOWN = {20003, 20005, 20008, 21212, 21603, 21606, 21659, 21660, 21703, 30002, 30034}
LATER = {
    20429: None,
    21611: timedelta(hours=1),  # its queue holds ten hours of texts
    63017: timedelta(minutes=1),
    63038: timedelta(hours=1),  # the day's limit is reached
}


class Twilio:
    """The channel. *sender* is a number, a name, or a Messaging Service's SID; *callback* is our public webhook.

    *secret* is the account's auth token, or an API key as ``SK…:its secret``.
    *validity* is how long a text may wait at Twilio: after that it is dropped instead of coming too late.
    """

    def __init__(
        self,
        account: str,
        secret: str,
        sender: str,
        *,
        callback: str = "",
        validity: timedelta = timedelta(hours=4),
        url: str = "https://api.twilio.com",
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        hush(*LOGGERS)
        self._account = _Account(account, secret, url, limits.timeout)
        self._from = {"messaging_service_sid" if sender.startswith("MG") else "from_": _sender(sender)}
        self._callback = callback
        self._validity = _validity(validity)
        self._threads = Threads("Twilio", limits.connections)
        _Call(self._account)  # loads the rest of the SDK, which takes a second, before the event loop runs

    async def send(self, message: Outgoing) -> ProviderAnswer:
        body = message.parts.get("body", "")
        if refusal := _unsendable(body):
            return refusal
        call = _Call(self._account)
        try:
            text = await self._threads.run(lambda: call.messages.create(body=body, **self._fields(message)))
        except Busy as busy:
            return NotNow(str(busy))
        except Exception as error:  # noqa: BLE001 - requests and the SDK raise anything
            return _refusal(error, message.to, call.headers)
        if not text.sid:
            raise NoAnswer("Twilio's answer names no message")
        return Accepted(str(text.sid))

    async def find(self, handed: Handed) -> Finding:
        """Look among the texts to that number. Only their wording says which is ours."""
        try:
            listed = await self._threads.run(lambda: _Call(self._account).messages.list(to=handed.to, limit=MOST))
        except Exception:  # noqa: BLE001 - whatever it is, we know no more than before
            return None
        # Not by date_sent, which Twilio compares by days, and which a text in its queue has not got yet.
        since = handed.at - CLOCKS_APART
        texts = [text for text in listed if not text.date_created or text.date_created >= since]
        texts = [text for text in texts if text.direction.startswith("outbound") and text.sid not in handed.taken]
        ours = [text.sid for text in texts if handed.text and text.body == handed.text]
        if len(ours) == 1:
            return Found(ours[0])
        return None if texts or len(listed) == MOST else NotFound()

    async def close(self) -> None:
        self._threads.close()

    def _fields(self, message: Outgoing) -> dict[str, Any]:
        fields: dict[str, Any] = {"to": message.to, "validity_period": self._validity, **self._from}
        if self._callback:
            joint = "&" if urlsplit(self._callback).query else "?"
            fields["status_callback"] = (
                f"{self._callback}{joint}{urlencode({'send_id': message.send_id})}{AGAIN_AND_AGAIN}"
            )
        return fields


class _Account:
    """What it takes to call Twilio."""

    def __init__(self, account: str, secret: str, url: str, timeout: timedelta) -> None:
        from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415 - only where this channel is chosen
        from twilio.rest import Client  # noqa: PLC0415

        self.http, self.rest = TwilioHttpClient, Client
        user, joint, password = secret.partition(":")
        self.credentials = (user, password, account) if joint else (account, secret, account)
        self.url = url
        self.timeout = timeout.total_seconds()  # none by default


class _Call:
    """One call's own client: nothing shared between threads, no connection that went stale, and the answer's headers.

    The SDK's exceptions leave the headers out, and with them Retry-After.
    """

    def __init__(self, account: _Account) -> None:
        self.headers: dict[str, str] = {}
        hooks = {"response": self._heard}
        http = account.http(pool_connections=False, timeout=account.timeout, request_hooks=hooks)
        client = account.rest(*account.credentials, http_client=http)
        client.api.base_url = account.url
        self.messages = client.messages

    def _heard(self, response: Any, **_: object) -> None:  # noqa: ANN401 - the SDK has no types
        self.headers = dict(response.headers)


def _sender(sender: str) -> str:
    """A number in its one spelling. Names, short codes and SIDs are as they are."""
    if not sender.strip().startswith("+"):
        return sender
    try:
        return normal("text", sender)
    except Unsendable as error:
        raise ValueError(f'the sender "{sender}" {error.why}. Write it as +15550001111') from None


def _validity(validity: timedelta) -> int:
    seconds = int(validity.total_seconds())
    if not 1 <= seconds <= 36_000:
        raise ValueError(f"Twilio keeps a text for 1 second to 10 hours; found {validity}.")
    return seconds


def _unsendable(body: str) -> Refused | None:
    if not body.strip():
        return Refused("the text is empty")
    if (length := utf16_units(body)) > LONGEST:
        return Refused(f"the text has {length} characters; Twilio takes {LONGEST}")
    return None


def _refusal(error: Exception, to: str, headers: Mapping[str, str]) -> Refused | NotNow | Down:
    """What an exception of the SDK means. Raises NoAnswer where the text may have gone out."""
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    if status is None:
        if never_left(error):
            return NotNow(f"Twilio cannot be reached: {type(error).__name__}", unreachable=True)
        raise NoAnswer(f"Twilio gave no answer: {type(error).__name__}") from None
    if not 400 <= status < 500 or status == 408:
        raise NoAnswer(f"Twilio answered {status}, error {code}") from None
    words = str(getattr(error, "msg", "") or getattr(error, "detail", "") or getattr(error, "title", ""))
    if status == 429 or code in LATER:
        return NotNow(f"Twilio takes no more just now ({code})", delay(headers) or LATER.get(code or 0))
    if code in DOWN or (status in (401, 403, 404) and not 21_000 <= (code or 0) < 22_000):
        return Down(f"Twilio takes nothing from us (error {code}): {without_addresses(words)}")
    return Refused(f"Twilio: {words} (error {code})", dead=(to,) if code in DEAD else (), opt_out=code == OPTED_OUT)
