"""SendGrid's Event Webhook read: what its events are in our words. The table of them is in README.md, beside this."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from activities.channels.reports import Forged, Report
from activities.channels.sendgrid.channel import SEND_ID
from journeys.interactions import Interaction

# SendGrid sends an event again for 24 hours, and does not say whether it signs anew.
WINDOW = timedelta(hours=36)
AHEAD = timedelta(minutes=10)


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


def read_reports(headers: Mapping[str, str], body: bytes, url: str, *, key: str, now: datetime) -> list[Report]:
    """The reports in one POST of the Event Webhook, of mail that is ours or opts in or out. Raises Forged.

    *key* is the verification key that SendGrid shows; *url* does not count; *now* is the time of arrival (aware UTC).
    """
    del url
    _verify({name.lower(): value for name, value in headers.items()}, body, key, now)
    events = json.loads(body)
    reports = [_report(event) for event in events if event.get("event") in EVENTS]
    return [report for report in reports if report.send_id or report.opt_out or report.opt_in]


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


@lru_cache(maxsize=4)
def _webhook(key: str) -> Any:  # noqa: ANN401 - the SDK has no types
    from sendgrid.helpers.eventwebhook import EventWebhook  # noqa: PLC0415 - only where this channel is chosen

    return EventWebhook(key)


def _report(event: Mapping[str, Any]) -> Report:
    meaning = EVENTS[event["event"]]
    reason = str(event.get("reason") or event.get("response") or "")
    dropped = event["event"] == "dropped"
    return Report(
        id=str(event.get("sg_event_id") or _fingerprint(event)),
        at=datetime.fromtimestamp(int(event["timestamp"]), UTC),
        send_id=event.get(SEND_ID),
        interaction=meaning.interaction,
        provider_id=event.get("sg_message_id"),
        address=str(event.get("email") or ""),
        link=str(event.get("url") or "") if event["event"] == "click" else "",
        reason=reason,
        # Apple's Mail fetches pictures for everybody, so that this open is nobody's.
        machine=event.get("sg_machine_open") in (True, "true", "True"),
        retracts=meaning.retracts,
        opt_out=meaning.opt_out or (dropped and _starts(reason, DROPPED_BY_WISH)),
        opt_in=meaning.opt_in,
        dead=_dead(event, reason),
    )


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
