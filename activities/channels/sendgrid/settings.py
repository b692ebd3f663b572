"""What SendGrid needs to know."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from activities.channels.provider import ProviderSettings, Unset


class SendGridSettings(ProviderSettings):
    """``SOJOURN_SENDGRID_…``"""

    key: SecretStr = Field(description="SendGrid's API key")
    sender: str = Field(description="who emails are from: `Shop <shop@example.com>`")
    reply_to: Annotated[str, Unset("the sender")] = Field("", description="where answers go")
    webhook_key: str = Field(description="the Verification Key of its Event Webhook")
    url: str = Field("https://api.sendgrid.com", description="its API; `https://api.eu.sendgrid.com` in the EU")
