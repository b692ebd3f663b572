"""Twilio's callbacks and incoming texts read, in our words. The table of them is in README.md, beside this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from activities.channels.reports import Forged, Report, Told, storable
from activities.channels.twilio.channel import DEAD, OPTED_OUT
from activities.channels.twilio.words import OptOutType, opt_out_type
from journeys.interactions import Interaction

MOST_FIELDS = 100
"""Twilio sends about thirty, and some for each picture, of which there are at most ten."""


@dataclass(frozen=True)
class _Meaning:
    """What a status of Twilio's says in our words."""

    interaction: Interaction | None = None
    retracts: Interaction | None = None


STATUSES: dict[str, _Meaning] = {
    "accepted": _Meaning(),
    "scheduled": _Meaning(),
    "queued": _Meaning(),
    "sending": _Meaning(),
    "sent": _Meaning(),
    "delivered": _Meaning("delivered"),
    "read": _Meaning("delivered"),
    "undelivered": _Meaning("bounced", retracts="delivered"),
    "failed": _Meaning("bounced", retracts="delivered"),
    "canceled": _Meaning("bounced"),
}
ASKED: dict[OptOutType, Interaction | None] = {"STOP": "unsubscribed", "START": None, "HELP": None}
DEAD_AFTERWARDS = DEAD | {30005, 30006}  # an unknown number, a landline


def read_reports(headers: Mapping[str, str], body: bytes, url: str, *, key: str, now: datetime) -> Told:
    """What one POST of Twilio's tells: a status callback, or a text from a customer. Raises Forged.

    *key* is the account's auth token. *url* is the public one, with its query: as Twilio called it, and not as a proxy
    passed it on. *now* is the time of arrival (aware UTC), since Twilio tells no other.
    """
    form = _verified({name.lower(): value for name, value in headers.items()}, body, url, key)
    said = {name: storable(values[-1]) for name, values in form.items()}
    if "MessageSid" not in said:
        return Told([], unreadable=1)
    if "MessageStatus" in said:
        return Told(_status(said, parse_qs(urlsplit(url).query), now))
    return Told([_incoming(said, now)]) if "From" in said else Told([], unreadable=1)


class _Form(dict[str, list[str]]):
    """A form whose fields may repeat, in the shape that the SDK's validator asks for."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _verified(headers: Mapping[str, str], body: bytes, url: str, key: str) -> _Form:
    from twilio.request_validator import (  # noqa: PLC0415 - only where this channel is chosen
        RequestValidator,
        get_signature_algorithm,
    )

    signature = headers.get("x-twilio-signature", "")
    algorithm = get_signature_algorithm(headers.get("x-twilio-webhooks-signature-settings"))
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Forged("Twilio's webhook holds no form.") from None
    form = _Form(fields)
    if not RequestValidator(key).validate(url, form, signature, algorithm):
        raise Forged("The signature of Twilio's webhook does not fit its URL and form.")
    return form


def _status(said: Mapping[str, str], query: Mapping[str, list[str]], now: datetime) -> list[Report]:
    meaning = STATUSES.get(said["MessageStatus"])
    send_id = query.get("send_id", [None])[-1]
    if meaning is None or not send_id:
        return []
    code = int(said["ErrorCode"]) if said.get("ErrorCode", "").isdecimal() else 0
    report = Report(
        id=f"{said['MessageSid']}:{said['MessageStatus']}",
        at=now,
        send_id=send_id,
        interaction=meaning.interaction,
        provider_id=said["MessageSid"],
        address=said.get("To", ""),
        reason=f"Twilio error {code}" if code else "",
        retracts=meaning.retracts,
        opt_out=code == OPTED_OUT,
        dead=code in DEAD_AFTERWARDS,
    )
    return [report]


def _incoming(said: Mapping[str, str], now: datetime) -> Report:
    word = opt_out_type(said.get("OptOutType", ""), said.get("Body", ""))
    interaction = ASKED[word] if word else "replied"
    return Report(
        id=said["MessageSid"],
        at=now,
        interaction=interaction,
        reply=said.get("Body", "") if interaction == "replied" else "",
        provider_id=said["MessageSid"],
        address=said["From"],
        reason=word or "",
        opt_out=word == "STOP",
        opt_in=word == "START",
    )
