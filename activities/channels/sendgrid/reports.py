"""SendGrid's Event Webhook read: what its events are in our words. The table of them is in README.md, beside this."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from activities.channels.agents import is_program
from activities.channels.reports import Forged, Report, Told, storable
from activities.channels.sendgrid.channel import SEND_ID
from journeys.interactions import Interaction

# SendGrid sends an event again for 24 hours, and does not say whether it signs anew.
WINDOW = timedelta(hours=36)
AHEAD = timedelta(minutes=10)
LONGEST_ID = 200


@dataclass(frozen=True)
class _Meaning:
    """What an event of SendGrid's says in our words."""

    interaction: Interaction | None = None
    retracts: Interaction | None = None
    opt_out: bool = False
    opt_in: bool = False


EVENTS: dict[str, _Meaning] = {
    "processed": _Meaning(),
    "deferred": _Meaning(),
    "delivered": _Meaning("delivered"),
    "open": _Meaning("opened"),
    "click": _Meaning("clicked"),
    "bounce": _Meaning("bounced", retracts="delivered"),  # a receiver may take a mail first and bounce it later
    "dropped": _Meaning("bounced"),
    "spamreport": _Meaning("unsubscribed", opt_out=True),
    "unsubscribe": _Meaning("unsubscribed", opt_out=True),
    "group_unsubscribe": _Meaning("unsubscribed", opt_out=True),
    "group_resubscribe": _Meaning(opt_in=True),
}
DROPPED_FOR_GOOD = ("bounced address", "invalid")
DROPPED_BY_WISH = ("unsubscribed address", "spam reporting address")


def read_reports(headers: Mapping[str, str], body: bytes, url: str, *, key: str, now: datetime) -> Told:
    """What one POST of the Event Webhook tells, of mail that is ours or opts in or out. Raises Forged.

    *key* is the verification key that SendGrid shows; *url* does not count; *now* is the time of arrival (aware UTC).
    """
    del url
    _verify({name.lower(): value for name, value in headers.items()}, body, key, now)
    try:
        read = [_read(event) for event in _events(body)]
    except (ValueError, RecursionError):  # genuine, and no JSON
        return Told([], unreadable=1)
    reports = [report for report in read if report and (report.send_id or report.opt_out or report.opt_in)]
    return Told(reports, unreadable=sum(report is None for report in read))


def _events(body: bytes) -> list[object]:
    """Those that mean something here, and what is no event at all."""
    given = json.loads(body)
    events = given if isinstance(given, list) else [given]
    return [event for event in events if not _is_of_no_matter(event)]


def _is_of_no_matter(event: object) -> bool:
    return isinstance(event, dict) and isinstance(name := event.get("event"), str) and name not in EVENTS


def _read(event: object) -> Report | None:
    """The event as a report; None where it cannot be read."""
    try:
        return _report(cast("Mapping[str, Any]", event))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, OSError):
        return None


def _verify(headers: Mapping[str, str], body: bytes, key: str, now: datetime) -> None:
    signature = headers.get("x-twilio-email-event-webhook-signature", "")
    timestamp = headers.get("x-twilio-email-event-webhook-timestamp", "")
    try:
        # The bytes as they came: SendGrid ends a body with CR LF, and signs that too.
        genuine = _webhook(key).verify_signature(body.decode(), signature, timestamp)
        age = now - datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):  # no base64, no UTF-8, no number
        raise Forged("The signature of SendGrid's webhook cannot be read.") from None
    if not genuine:
        raise Forged("The signature of SendGrid's webhook does not fit its body.")
    if not -AHEAD <= age <= WINDOW:
        raise Forged(f"SendGrid's webhook was signed too long ago, or in the future: {age}.")


def check_key(key: str) -> None:
    """Raises ValueError where *key* is no verification key of SendGrid's: a public key on the curve P-256."""
    try:
        curve = getattr(getattr(_webhook(key).public_key, "curve", None), "name", "")
    except ValueError:
        curve = ""
    if curve != "secp256r1":
        raise ValueError(
            "SOJOURN_SENDGRID_WEBHOOK_KEY is no Verification Key: it begins with MFkw, and is shown beside the Event "
            "Webhook's settings at SendGrid; take it as it is, on one line and without BEGIN and END"
        )


@lru_cache(maxsize=4)
def _webhook(key: str) -> Any:  # noqa: ANN401 - the SDK has no types
    from sendgrid.helpers.eventwebhook import EventWebhook  # noqa: PLC0415 - only where this channel is chosen

    return EventWebhook(key)


def _report(event: Mapping[str, Any]) -> Report:
    """Raises one of many errors where a field is missing, or is not what it should be."""
    meaning = EVENTS[event["event"]]
    reason = storable(event.get("reason") or event.get("response"))
    dropped = event["event"] == "dropped"
    return Report(
        id=_id(event),
        at=datetime.fromtimestamp(int(event["timestamp"]), UTC),
        send_id=storable(event.get(SEND_ID)) or None,
        interaction=meaning.interaction,
        provider_id=storable(event.get("sg_message_id")) or None,
        address=storable(event.get("email")),
        link=storable(event.get("url")) if event["event"] == "click" else "",
        reason=reason,
        # Apple's Mail fetches pictures for everybody, so that this open is nobody's.
        machine=event.get("sg_machine_open") in (True, "true", "True") or is_program(storable(event.get("useragent"))),
        retracts=meaning.retracts,
        opt_out=meaning.opt_out or (dropped and _starts(reason, DROPPED_BY_WISH)),
        opt_in=meaning.opt_in,
        dead=_dead(event, reason),
    )


def _id(event: Mapping[str, Any]) -> str:
    id = event.get("sg_event_id")
    return id if isinstance(id, str) and id and storable(id) == id and len(id) <= LONGEST_ID else _fingerprint(event)


def _dead(event: Mapping[str, Any], reason: str) -> bool:
    match event["event"]:
        case "bounce":
            return event.get("type") == "bounce"  # the other type, blocked, may pass
        case "dropped":
            return _starts(reason, DROPPED_FOR_GOOD)
        case name:
            return bool(name == "spamreport")  # who complains is written to no more, whatever it is about


def _starts(reason: str, beginnings: Sequence[str]) -> bool:
    return reason.lower().startswith(tuple(beginnings))


def _fingerprint(event: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()[:40]
