"""All settings, read from the environment (and ``.env``) by the entry points only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, create_model, field_validator
from pydantic_core import PydanticKnownError
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.channels.provider import ProviderSettings
from activities.channels.registry import PROVIDERS, senders
from journeys.clearance.consent import Enforcement, Rules
from journeys.interactions import Kind
from journeys.language.durations import Duration
from journeys.model_words import flaws_of
from journeys.problems import Flaw, Invalid
from journeys.walk.pace import DAY


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
    email: str = Field("console", description="The channel of emails.")
    text: str = Field("console", description="The channel of text messages.")
    push: str = Field("console", description="The channel of push notifications.")
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

    @field_validator("email", "text", "push")
    @classmethod
    def _sends_that_kind(cls, name: str, field: ValidationInfo) -> str:
        kind: Kind = field.field_name  # type: ignore[assignment]
        names = [*senders(kind), "none"]
        if name not in names:
            listed = ", ".join(f"'{each}'" for each in names[:-1])
            raise PydanticKnownError("literal_error", {"expected": f"{listed} or 'none'"})
        return name

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
    def providers(self) -> dict[str, ProviderSettings]:
        """What each chosen provider is set up with. Raises Invalid where one lacks something: see check_channels."""
        check_channels(self)
        return {name: self._of(name) for name in set(self.channels.values())}

    @property
    def webhook_keys(self) -> dict[str, str]:
        """What the webhooks of those providers that are chosen are verified with."""
        return {
            name: webhook.key(settings)
            for name, settings in self.providers.items()
            if (webhook := PROVIDERS[name].webhook)
        }

    def _of(self, provider: str) -> ProviderSettings:
        model: type[ProviderSettings] = PROVIDERS[provider].settings
        given = {name: getattr(self, f"{provider}_{name}") for name in model.model_fields}
        return model(**{name: value for name, value in given.items() if value is not None})


def _declared() -> dict[str, Any]:
    """The settings of every provider as fields of one model. None is needed here: which are, the choice decides."""
    return {
        f"{provider}_{name}": (
            field.rebuild_annotation() | None,
            Field(None if field.is_required() else field.default, description=field.description),
        )
        for provider, declared in PROVIDERS.items()
        for name, field in declared.settings.model_fields.items()
    }


AllSettings = create_model("AllSettings", __base__=Settings, **_declared())
"""The settings with those of each provider: ``sendgrid_key`` is ``key`` of the provider ``sendgrid``."""


def read_settings(**given: object) -> Settings:
    """The settings, with *given* ones (from the command line) on top. Raises Invalid, naming the variables."""
    try:
        return AllSettings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        flaws = [
            flaw.model_copy(update={"path": f"SOJOURN_{flaw.path.upper()}"})
            for flaw in flaws_of(error.errors(), AllSettings)
        ]
        raise Invalid("The settings are not valid.", flaws) from None


def check_channels(settings: Settings) -> None:
    """Raises Invalid where a channel is chosen without the settings that it needs, and names each of them."""
    if flaws := list(_missing(settings)):
        raise Invalid("The settings are not complete.", flaws)


def _missing(settings: Settings) -> Iterator[Flaw]:
    named: set[str] = set()
    for kind, channel in settings.channels.items():
        for name in _needed(channel):
            if _is_set(getattr(settings, name)) or name in named:
                continue
            named.add(name)
            yield Flaw(
                path=f"SOJOURN_{name.upper()}",
                message=f"is not set, but SOJOURN_{kind.upper()} is {channel}.",
                hint=f"Set it as docs/providers.md says, or SOJOURN_{kind.upper()}=console.",
            )


def _needed(channel: str) -> list[str]:
    provider = PROVIDERS[channel]
    own = [f"{channel}_{name}" for name, field in provider.settings.model_fields.items() if field.is_required()]
    return [*own, *provider.needs]


def _is_set(value: object) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
