"""What Firebase needs to know."""

from __future__ import annotations

import json
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


FIELDS = ("type", "project_id", "private_key", "client_email", "token_uri")


def read_account(file: Path) -> dict[str, str]:
    """The service account in *file*. Raises ValueError, which repeats nothing of it: it holds a private key."""
    try:
        account = json.loads(file.read_bytes())
    except OSError as error:
        raise ValueError(f"SOJOURN_FIREBASE_ACCOUNT, {file}, cannot be read: {error.strerror}") from None
    except ValueError:
        account = None
    if not isinstance(account, dict) or not all(isinstance(account.get(name), str) for name in FIELDS):
        needed = ", ".join(FIELDS)
        raise ValueError(
            f"SOJOURN_FIREBASE_ACCOUNT, {file}, is no service account's key: expected JSON with {needed}, as "
            "Firebase's console makes it"
        )
    if not account["private_key"].startswith("-----BEGIN PRIVATE KEY-----\n"):
        raise ValueError(
            f"the private_key in SOJOURN_FIREBASE_ACCOUNT, {file}, cannot be read: take the file as it was made"
        )
    return account
