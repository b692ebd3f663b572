"""Push notifications by Firebase Cloud Messaging, to all devices of a customer.

What Firebase answers is in README.md, beside this. It reports nothing back: that a notification was opened is for the
app to tell, as an event with the ``send_id`` that travels in the notification's data.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from activities.channels import Accepted, Down, Finding, Handed, NotNow, Outgoing, ProviderAnswer, Refused
from activities.channels.calls import Busy, Limits, NoAnswer, Threads, delay, hush, never_left, without_addresses

WITHOUT_A_WORD = timedelta(minutes=1)  # how long to wait after a 429 that does not say. Source: Firebase's guide
LONGEST_TTL = timedelta(days=28)
DEAD = {"UNREGISTERED", "SENDER_ID_MISMATCH"}
DOWN = {"THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR"}

# At INFO and DEBUG they log keys (hpack), recipients and queries.
LOGGERS = ("firebase_admin", "google", "requests", "urllib3", "httpx", "httpcore", "hpack")
_names = count(1)


class Firebase:
    """The channel. *account* is a service account: its JSON file's path, or what is in it.

    *ttl* is how long a notification may wait for a device; Firebase's own default is four weeks.
    """

    def __init__(
        self,
        account: str | Path | Mapping[str, str],
        *,
        ttl: timedelta = timedelta(hours=4),
        url: str = "",
        limits: Limits = Limits(timedelta(seconds=15)),  # noqa: B008 - frozen
    ) -> None:
        import firebase_admin  # noqa: PLC0415 - only where this channel is chosen
        from firebase_admin import credentials, messaging  # noqa: PLC0415

        hush(*LOGGERS)
        key = credentials.Certificate(dict(account) if isinstance(account, Mapping) else str(account))
        options = {"projectId": key.project_id, "httpTimeout": limits.timeout.total_seconds()}  # 120 s by default
        self._sdk, self._messaging = firebase_admin, messaging
        self._app = firebase_admin.initialize_app(key, options, name=f"sojourn-{next(_names)}")
        self._send = _once_only(messaging, self._app, url)
        self._ttl = _checked(ttl)
        self._threads = Threads("Firebase", limits.connections)

    async def send(self, message: Outgoing) -> ProviderAnswer:
        """Send to each of the device tokens in *to*, which may hold several, with commas between.

        One device that takes it is enough to be accepted.
        """
        tokens = [token for token in dict.fromkeys(part.strip() for part in message.to.split(",")) if token]
        if not tokens:
            return Refused("no device token was given")
        return _together(await asyncio.gather(*(self._to_device(message, token) for token in tokens)))

    async def find(self, handed: Handed) -> Finding:
        """Firebase cannot tell. A repeat replaces what is there: on the device, a send is seen once."""
        del handed
        return None

    async def close(self) -> None:
        self._threads.close()
        await asyncio.to_thread(self._sdk.delete_app, self._app)  # runs a loop of its own

    async def _to_device(self, message: Outgoing, token: str) -> ProviderAnswer | NoAnswer:
        notification = self._notification(message, token)
        try:
            return Accepted(str(await self._threads.run(lambda: self._send(notification, False))))
        except Busy as busy:
            return NotNow(str(busy))
        except Exception as error:  # noqa: BLE001 - requests, google-auth and the SDK raise anything
            return _meaning(error, token)

    def _notification(self, message: Outgoing, token: str) -> Any:  # noqa: ANN401 - the SDK has no types
        fcm, parts, id = self._messaging, message.parts, message.send_id
        link = parts.get("link", "")
        seconds = int(self._ttl.total_seconds())
        expires = int((message.at + self._ttl).timestamp())
        notification = fcm.Message(
            notification=fcm.Notification(title=parts.get("title", ""), body=parts.get("body", "")),
            data={"send_id": id, **({"link": link} if link else {})},
            # The same id everywhere, so that a repeat replaces what is shown or still waits.
            android=fcm.AndroidConfig(
                collapse_key=id, ttl=self._ttl, priority="high", notification=fcm.AndroidNotification(tag=id)
            ),
            apns=fcm.APNSConfig(
                headers={"apns-collapse-id": id, "apns-expiration": str(expires), "apns-priority": "10"}
            ),
            webpush=fcm.WebpushConfig(
                headers={"TTL": str(seconds), "Topic": id},
                notification=fcm.WebpushNotification(tag=id),
                fcm_options=fcm.WebpushFCMOptions(link=link) if link.startswith("https://") else None,
            ),
        )
        # A registration token has a colon, a Firebase installation id has none. Set here, since the SDK's constructor
        # warns of tokens, which most apps still have.
        notification.token, notification.fid = (token, None) if ":" in token else (None, token)
        return notification


def _checked(ttl: timedelta) -> timedelta:
    if not timedelta(0) <= ttl <= LONGEST_TTL:
        raise ValueError(f"Firebase keeps a notification for 0 seconds to 28 days; found {ttl}.")
    return ttl


def _once_only(messaging: Any, app: Any, url: str) -> Any:  # noqa: ANN401 - the SDK has no types
    """The SDK's send for one message, with the retries off that it makes behind our back.

    There is no public way (firebase-admin-python #554), so that this holds for 7.7 only, which pyproject.toml pins.
    Not send_each_async: it fetches access tokens without leaving the event loop.
    """
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - comes with the SDK

    service = messaging._get_messaging_service(app)  # noqa: SLF001
    if url:
        service._fcm_url = f"{url}/v1/projects/{app.project_id}/messages:send"  # noqa: SLF001
    session = service._client.session  # noqa: SLF001
    for prefix in list(session.adapters):
        session.mount(prefix, HTTPAdapter(pool_maxsize=32, max_retries=0))
    return service.send


def _meaning(error: Exception, token: str) -> ProviderAnswer | NoAnswer:
    """What an exception of the SDK says about one device."""
    response = getattr(error, "http_response", None)
    if response is None:
        return _without_response(error)
    status, code = response.status_code, _code(response)
    words = str(error)
    if code in DEAD:
        return Refused(f"Firebase: {words} ({code})", dead=(token,))
    if status == 429:
        return NotNow(f"Firebase takes no more just now ({code})", delay(response.headers) or WITHOUT_A_WORD)
    if code in DOWN or status in (401, 403):
        return Down(f"Firebase takes nothing from us ({code}): {without_addresses(words)}")
    if not 400 <= status < 500 or status == 408:
        return NoAnswer(f"Firebase answered {status} ({code})")
    dead = (token,) if code == "INVALID_ARGUMENT" and "registration token" in words else ()
    return Refused(f"Firebase: {words} ({code})", dead=dead)


def _without_response(error: Exception) -> ProviderAnswer | NoAnswer:
    from google.auth import exceptions  # noqa: PLC0415 - comes with the SDK

    name = type(error).__name__
    if isinstance(error, exceptions.RefreshError) and not error.retryable:
        return Down(f"Firebase does not take the service account's key: {without_addresses(str(error))}")
    if isinstance(error, exceptions.GoogleAuthError):  # nothing is sent without an access token
        return NotNow(f"Firebase's access tokens cannot be had just now: {name}", unreachable=never_left(error))
    if isinstance(error, ValueError):  # the SDK found the message not valid, and sent nothing
        return Refused(f"Firebase's SDK: {error}")
    if never_left(error):
        return NotNow(f"Firebase cannot be reached: {name}", unreachable=True)
    return NoAnswer(f"Firebase gave no answer: {name}")


def _code(response: Any) -> str:  # noqa: ANN401 - the SDK has no types
    """Firebase Cloud Messaging's own code, else Google's; empty where the body has neither."""
    try:
        error = response.json()["error"]
        details = error.get("details", [])
        return str(next((detail["errorCode"] for detail in details if "errorCode" in detail), error.get("status", "")))
    except (ValueError, KeyError, TypeError, AttributeError, json.JSONDecodeError):
        return ""


def _together(answers: Sequence[ProviderAnswer | NoAnswer]) -> ProviderAnswer:
    """One answer for all devices: the best that happened, except that doubt is never hidden by a refusal.

    Raises NoAnswer where no device surely has it, and one may.
    """
    dead = tuple(token for answer in answers if isinstance(answer, Refused) for token in answer.dead)
    if ids := [answer.provider_id or "" for answer in answers if isinstance(answer, Accepted)]:
        return Accepted(",".join(ids), dead=dead)
    for answer in answers:
        if isinstance(answer, NoAnswer):
            raise answer
    for kind in (Down, NotNow):
        if of_kind := [answer for answer in answers if isinstance(answer, kind)]:
            return of_kind[0]
    return Refused("; ".join(answer.reason for answer in answers if isinstance(answer, Refused)), dead=dead)
