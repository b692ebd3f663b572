"""What Firebase needs to know."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from activities.channels.provider import ProviderSettings, Unset
from journeys.language.durations import Duration


class FirebaseSettings(ProviderSettings):
    """``SOJOURN_FIREBASE_…``"""

    account: Path = Field(description="path of the service account's JSON file")
    ttl: Duration = Field(
        timedelta(hours=4), description="how long a notification may wait for a device, at most 28 days"
    )
    url: Annotated[str, Unset("Google's")] = Field("", description="Firebase Cloud Messaging's API")
