"""SendGrid: emails, and what its Event Webhook reports of them."""

from __future__ import annotations

from activities.channels.provider import Provider, Webhook
from activities.channels.sendgrid.channel import SendGrid
from activities.channels.sendgrid.reports import check_key, read_reports
from activities.channels.sendgrid.settings import SendGridSettings

__all__ = ["PROVIDER", "SendGrid", "read_reports"]

REPORTS = """SendGrid's Event Webhook, signed: deliveries, bounces, opens, clicks and opt-outs of emails.

What SendGrid has told before changes nothing. Nothing else than SendGrid needs to call this."""


def _channel(settings: SendGridSettings, _webhook: str) -> SendGrid:
    check_key(settings.webhook_key)  # what SendGrid reports to a key that cannot be read would be lost
    key = settings.key.get_secret_value()
    return SendGrid(key, settings.sender, reply_to=settings.reply_to, url=settings.url)


PROVIDER = Provider(
    kinds=frozenset({"email"}),
    channel=_channel,
    settings=SendGridSettings,
    needs=("secret", "public_url"),  # for unsubscribe links, and for its webhook
    webhook=Webhook(
        kind="email",
        read=read_reports,
        key=lambda settings: settings.webhook_key,
        description=REPORTS,
        takes={"application/json": {"schema": {"type": "array", "items": {"type": "object"}}, "example": []}},
        most_bytes=4 * 1024 * 1024,  # it posts up to 768 KB of events at once
    ),
)
