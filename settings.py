"""All settings, read from the environment (and ``.env``) by the entry points only."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from journeys.durations import Duration
from journeys.pace import DAY
from journeys.problems import Flaw, Invalid

ChannelName = Literal["console"]


class Settings(BaseSettings):
    """What can be set. Temporal's own settings (``TEMPORAL_ADDRESS``, profiles) are read by Temporal's own rules."""

    model_config = SettingsConfigDict(env_prefix="SOJOURN_", env_file=".env", extra="ignore", frozen=True)

    data: Path = Field(Path(".sojourn"), description="Folder of the embedded stack's data.")
    database_url: str = Field("", description="SQLite or PostgreSQL. Default: sojourn.db in the data folder.")
    key: SecretStr | None = Field(None, description="The bearer key of the API. `sojourn dev` makes one.")
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8000, description="Port the API listens on.", ge=0, le=65535)
    url: str = Field("", description="The API that commands talk to. Default: the embedded stack's.")
    public_url: str = Field("", description="The API's address as the outside sees it.")
    task_queue: str = Field("sojourn", description="Temporal task queue of the workers.")
    day: Duration = Field(DAY, description="How long a day lasts in runs that start from now on, such as `5 seconds`.")
    drain: Duration = Field(
        timedelta(seconds=15),
        description="How long the answer to an exit waits for sends that are under way.",
    )
    email: ChannelName = Field("console", description="The channel of emails.")
    text: ChannelName = Field("console", description="The channel of text messages.")
    push: ChannelName = Field("console", description="The channel of push notifications.")
    temporal_port: int = Field(7233, description="Port of the embedded Temporal server.")
    temporal_ui_port: int = Field(8233, description="Port of the embedded Temporal server's UI.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{(self.data / 'sojourn.db').absolute()}"


def read_settings(**given: object) -> Settings:
    """The settings, with *given* ones (from the command line) on top. Raises Invalid, naming the variables."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        flaws = [
            Flaw(
                path=f"SOJOURN_{str(flaw['loc'][0]).upper()}",
                message=f"{flaw['msg']}; found {flaw['input']!r}.",
            )
            for flaw in error.errors()
        ]
        raise Invalid("The settings are not valid.", flaws) from None
