"""What the file needs to know."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from activities.channels.provider import ProviderSettings


class FileSettings(ProviderSettings):
    """``SOJOURN_FILE_…``"""

    path: Path = Field(description="the file that messages are written to, a line of JSON each")
