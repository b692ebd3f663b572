"""What Twilio needs to know."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr

from activities.channels.provider import ProviderSettings, Unset
from journeys.language.durations import Duration


class TwilioSettings(ProviderSettings):
    """``SOJOURN_TWILIO_…``"""

    account: str = Field(description="Twilio's Account SID")
    token: SecretStr = Field(description="its Auth Token, which signs the webhooks")
    key: Annotated[SecretStr | None, Unset("the Auth Token")] = Field(
        None, description="an API key for sending: `SK…:its secret`"
    )
    sender: str = Field(description="a number as `+15550001111`, or a Messaging Service as `MG…`")
    validity: Duration = Field(timedelta(hours=4), description="how long a text may wait at Twilio, at most 10 hours")
    url: str = Field("https://api.twilio.com", description="its API")

    @property
    def secret(self) -> str:
        """What sends: an API key where there is one."""
        return (self.key or self.token).get_secret_value()
