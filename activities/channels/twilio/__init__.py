"""Twilio: texts, what becomes of them, and what customers answer."""

from __future__ import annotations

from activities.channels.provider import Provider, Webhook
from activities.channels.twilio.channel import Twilio
from activities.channels.twilio.reports import read_reports
from activities.channels.twilio.settings import TwilioSettings

__all__ = ["PROVIDER", "Twilio", "read_reports"]

REPORTS = """Twilio's status callbacks and incoming texts, signed: deliveries, failures, replies, STOP and START.

What Twilio has told before changes nothing. Customers are answered nothing: Twilio does that by itself."""


def _channel(settings: TwilioSettings, webhook: str) -> Twilio:
    return Twilio(
        settings.account,
        settings.secret,
        settings.sender,
        callback=webhook,
        validity=settings.validity,
        url=settings.url,
    )


PROVIDER = Provider(
    kinds=frozenset({"text"}),
    channel=_channel,
    settings=TwilioSettings,
    needs=("public_url",),
    webhook=Webhook(
        kind="text",
        read=read_reports,
        key=lambda settings: settings.token.get_secret_value(),
        description=REPORTS,
        takes={"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
        most_bytes=64 * 1024,  # a text of 1,600 characters, and some thirty fields about it
        # TwiML that says nothing: what else is answered goes to the customer as a text.
        status=200,
        media_type="application/xml",
        body='<?xml version="1.0" encoding="UTF-8"?><Response/>',
    ),
)
