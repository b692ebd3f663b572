"""All settings, read from the environment (and ``.env``) by the entry points only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from journeys.consent import Enforcement, Rules
from journeys.definition import Kind
from journeys.durations import Duration
from journeys.pace import DAY
from journeys.problems import Flaw, Invalid

NEEDED = {
    "sendgrid": ("sendgrid_key", "sendgrid_sender", "sendgrid_webhook_key", "secret", "public_url"),
    "twilio": ("twilio_account", "twilio_token", "twilio_sender", "public_url"),
    "firebase": ("firebase_account",),
}
"""The settings that a channel cannot do without."""


class Settings(BaseSettings):
    """What can be set. Temporal's own settings (``TEMPORAL_ADDRESS``, profiles) are read by Temporal's own rules."""

    model_config = SettingsConfigDict(env_prefix="SOJOURN_", env_file=".env", extra="ignore", frozen=True)

    data: Path = Field(Path(".sojourn"), description="Folder of the embedded stack's data.")
    database_url: str = Field("", description="SQLite or PostgreSQL. Default: sojourn.db in the data folder.")
    key: SecretStr | None = Field(None, description="The bearer key of the API. `sojourn dev` makes one.")
    secret: SecretStr | None = Field(None, description="Signs unsubscribe links. `sojourn dev` makes one.")
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
    email: Literal["console", "sendgrid", "none"] = Field("console", description="The channel of emails.")
    text: Literal["console", "twilio", "none"] = Field("console", description="The channel of text messages.")
    push: Literal["console", "firebase", "none"] = Field("console", description="The channel of push notifications.")
    sendgrid_key: SecretStr | None = Field(None, description="SendGrid's API key.")
    sendgrid_sender: str = Field("", description="Who emails are from: Shop <shop@example.com>.")
    sendgrid_reply_to: str = Field("", description="Where answers to emails go. Default: the sender.")
    sendgrid_webhook_key: str = Field("", description="The Verification Key of SendGrid's Event Webhook.")
    sendgrid_url: str = Field("https://api.sendgrid.com", description="SendGrid's API; another one in the EU.")
    twilio_account: str = Field("", description="Twilio's Account SID.")
    twilio_token: SecretStr | None = Field(None, description="Twilio's Auth Token: it signs the webhooks.")
    twilio_key: SecretStr | None = Field(None, description="An API key for sending: SK…:its secret.")
    twilio_sender: str = Field("", description="A number, or a Messaging Service's SID.")
    twilio_validity: Duration = Field(timedelta(hours=4), description="How long a text may wait at Twilio.")
    twilio_url: str = Field("https://api.twilio.com", description="Twilio's API.")
    firebase_account: Path | None = Field(None, description="Path of the service account's JSON file.")
    firebase_ttl: Duration = Field(timedelta(hours=4), description="How long a notification may wait for a device.")
    firebase_url: str = Field("", description="Firebase Cloud Messaging's API, if not Google's.")
    consent_email: Enforcement = Field("non-restrictive", description="How consent to marketing emails is enforced.")
    consent_text: Enforcement = Field("restrictive", description="How consent to marketing texts is enforced.")
    consent_push: Enforcement = Field("non-restrictive", description="How consent to marketing pushes is enforced.")
    consent_transactional: Enforcement = Field("disabled", description="The same for transactional messages.")
    temporal_port: int = Field(7233, description="Port of the embedded Temporal server.")
    temporal_ui_port: int = Field(8233, description="Port of the embedded Temporal server's UI.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")

    @field_validator("email", "text", "push", mode="before")
    @classmethod
    def _unset_is_none(cls, name: object) -> object:
        return name or "none"

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{(self.data / 'sojourn.db').absolute()}"

    @property
    def rules(self) -> Rules:
        """How consent is enforced."""
        return Rules(
            email=self.consent_email,
            text=self.consent_text,
            push=self.consent_push,
            transactional=self.consent_transactional,
        )

    @property
    def channels(self) -> dict[Kind, str]:
        """The name of the channel of each kind of message that can be sent."""
        chosen: dict[Kind, str] = {"email": self.email, "text": self.text, "push": self.push}
        return {kind: name for kind, name in chosen.items() if name != "none"}

    @property
    def providers(self) -> dict[str, dict[str, Any]]:
        """What each provider's channel is made with."""
        token = _shown(self.twilio_token)
        return {
            "sendgrid": {
                "key": _shown(self.sendgrid_key),
                "sender": self.sendgrid_sender,
                "reply_to": self.sendgrid_reply_to,
                "url": self.sendgrid_url,
            },
            "twilio": {
                "account": self.twilio_account,
                "secret": _shown(self.twilio_key) or token,
                "sender": self.twilio_sender,
                "callback": f"{self.public_url.rstrip('/')}/webhooks/twilio",
                "validity": self.twilio_validity,
                "url": self.twilio_url,
            },
            "firebase": {"account": self.firebase_account, "ttl": self.firebase_ttl, "url": self.firebase_url},
        }

    @property
    def webhook_keys(self) -> dict[str, str]:
        """What the webhooks of those providers that are chosen are verified with."""
        keys = {"sendgrid": self.sendgrid_webhook_key, "twilio": _shown(self.twilio_token)}
        return {name: key for name, key in keys.items() if name in self.channels.values()}


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


def check_channels(settings: Settings) -> None:
    """Raises Invalid where a channel is chosen without the settings that it needs, and names each of them."""
    if flaws := list(_missing(settings)):
        raise Invalid("The settings are not complete.", flaws)


def _missing(settings: Settings) -> Iterator[Flaw]:
    named: set[str] = set()
    for kind, channel in settings.channels.items():
        for name in NEEDED.get(channel, ()):
            if _is_set(getattr(settings, name)) or name in named:
                continue
            named.add(name)
            yield Flaw(
                path=f"SOJOURN_{name.upper()}",
                message=f"is not set, but SOJOURN_{kind.upper()} is {channel}.",
                hint=f"Set it as docs/providers.md says, or SOJOURN_{kind.upper()}=console.",
            )


def _is_set(value: object) -> bool:
    return bool(_shown(value) if isinstance(value, SecretStr) else value)


def _shown(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
