"""All settings, read from the environment (and ``.env``) by the entry points only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.channels.provider import ProviderSettings
from activities.channels.registry import PROVIDERS, senders
from journeys.clearance.consent import Enforcement, Rules
from journeys.clearance.policy import Policy
from journeys.inputs.flaws import flaws_of
from journeys.interactions import Kind
from journeys.language.durations import Duration
from journeys.language.zones import check_zone
from journeys.problems import Flaw, Invalid
from journeys.walk.pace import DAY

LONG_ENOUGH = 32
VARIED_ENOUGH = 8
HOW_TO_MAKE_ONE = "Make one with: openssl rand -hex 32"

_WEB_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(:[0-9]{1,5})?(/[^\s?#]*)?")


class Settings(BaseSettings):
    """What can be set. Temporal's own settings (``TEMPORAL_ADDRESS``, profiles) are read by Temporal's own rules."""

    model_config = SettingsConfigDict(
        env_prefix="SOJOURN_", env_file=".env", extra="ignore", frozen=True, str_strip_whitespace=True
    )

    data: Path = Field(Path(".sojourn"), description="Folder of the embedded stack's data.")
    database_url: str = Field("", description="SQLite or PostgreSQL. Default: sojourn.db in the data folder.")
    key: SecretStr | None = Field(None, description="The bearer key of the API. `sojourn dev` makes one.")
    secret: SecretStr | None = Field(
        None, description="Signs unsubscribe links, and seals the secrets of endpoints. `sojourn dev` makes one."
    )
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
    consent_email: Enforcement = Field(
        "non-restrictive", description="Of the first policy: how consent to commercial emails is enforced."
    )
    consent_text: Enforcement = Field(
        "restrictive", description="Of the first policy: how consent to commercial texts is enforced."
    )
    consent_push: Enforcement = Field(
        "non-restrictive", description="Of the first policy: how consent to commercial pushes is enforced."
    )
    consent_transactional: Enforcement = Field(
        "disabled", description="Of the first policy: the same for transactional messages."
    )
    local_endpoints: bool | None = Field(
        None, description="Endpoints may be on this machine, also with http. `sojourn dev` allows it."
    )
    time_zone: str = Field(
        "UTC",
        description="Of the first policy: the zone of local times where neither the customer nor the journey names "
        "one, such as `Europe/Oslo`.",
    )
    temporal_port: int = Field(7233, description="Port of the embedded Temporal server.")
    temporal_ui_port: int = Field(8233, description="Port of the embedded Temporal server's UI.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_not_set(cls, given: dict[str, object]) -> dict[str, object]:
        """``SOJOURN_FILE_PATH=`` names no file. A kind of message without a channel is the one thing that it says."""
        empty = {name for name, value in given.items() if value == ""}
        kinds = dict.fromkeys(empty & {*get_args(Kind)}, "none")
        return {name: value for name, value in given.items() if name not in empty} | kinds

    @field_validator("key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not re.fullmatch(r"[!-~]+", key.get_secret_value()):
            raise ValueError("it is sent in a header: use letters, digits and signs of ASCII, without blanks")
        return key

    @field_validator("url", "public_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url and not _WEB_ADDRESS.fullmatch(url):
            raise ValueError("expected an address such as https://journeys.example.com, without ? and #")
        return url

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if flaw := check_zone(name):
            raise ValueError(str(flaw))
        return name

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
    def policy(self) -> Policy:
        """The first policy of a house that has none yet."""
        consent = Rules(
            email=self.consent_email,
            text=self.consent_text,
            push=self.consent_push,
            transactional=self.consent_transactional,
        )
        return Policy(time_zone=self.time_zone, consent=consent)

    def overruled_by(self, policy: Policy) -> list[str]:
        """The variables that say otherwise than *policy*, which is in force, and so decide nothing."""
        said = self.model_dump(include=self.model_fields_set)
        told = {f"consent_{name}": enforcement for name, enforcement in policy.consent}
        told["time_zone"] = policy.time_zone
        return [f"SOJOURN_{name.upper()}" for name, value in told.items() if name in said and said[name] != value]

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
        try:
            return model(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise _invalid(error, model, f"{provider}_") from None


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
        raise _invalid(error, AllSettings) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The file .env cannot be read as UTF-8 text: {error}.") from None


def check_secrets(settings: Settings, *names: Literal["key", "secret"]) -> None:
    """Raises Invalid where one of the named ones is set, but can be guessed. For whoever serves other machines."""
    flaws = [
        Flaw(path=f"SOJOURN_{name.upper()}", message=weakness, hint=HOW_TO_MAKE_ONE)
        for name in names
        if (secret := getattr(settings, name)) and (weakness := _weakness(secret.get_secret_value()))
    ]
    if flaws:
        raise Invalid("The settings are not safe.", flaws)


def check_channels(settings: Settings) -> None:
    """Raises Invalid where a channel is chosen without the settings that it needs, and names each of them."""
    if flaws := list(_missing(settings)):
        raise Invalid("The settings are not complete.", flaws)


def _weakness(secret: str) -> str:
    if len(secret) < LONG_ENOUGH:
        return f"has {len(secret)} characters, and can be guessed: {LONG_ENOUGH} are the least."
    if len(set(secret)) < VARIED_ENOUGH:
        return f"repeats a few characters, and can be guessed: {VARIED_ENOUGH} different ones are the least."
    return ""


def _invalid(error: ValidationError, model: type[BaseModel], provider: str = "") -> Invalid:
    """Settings that will not do, in our words."""
    flaws = [
        flaw.model_copy(update={"path": f"SOJOURN_{provider}{flaw.path}".upper()})
        for flaw in flaws_of(error.errors(), model)
    ]
    return Invalid("The settings are not valid.", flaws)


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
