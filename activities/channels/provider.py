"""What a provider says about itself, in its folder. Everybody else asks here, and names none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import ConfigDict

from activities.channels import Channel
from activities.channels.reports import Told
from journeys.interactions import Kind
from journeys.models import Frozen

WEBHOOKS = "/webhooks"
"""Where the API takes reports: each provider posts below it, at its own name."""


class ProviderSettings(Frozen):
    """A provider's settings: ``key`` of SendGrid is ``SOJOURN_SENDGRID_KEY``.

    Those without a default are needed where the provider is chosen. The descriptions are what the docs say.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True)
class Unset:
    """In the annotation of a setting: what holds where it is not set, in words, if its default does not say it."""

    words: str


Own = TypeVar("Own", bound=ProviderSettings)


class SignedReader(Protocol):
    """Reads the webhooks of one provider, each verified with *key* before anything else."""

    def __call__(self, headers: Mapping[str, str], body: bytes, url: str, *, key: str, now: datetime) -> Told:
        """What one POST tells. *url* is the public one, as the provider called it. Raises Forged."""
        ...


@dataclass(frozen=True)
class Webhook(Generic[Own]):
    """How a provider reports, and how it is answered.

    *kind* is the kind of message that the reports are about. *key*: what *read* verifies with.
    *most_bytes*: longer bodies are none of the provider's. Anybody can post one, so it is as small as can be.
    *description* and *takes*, the media types of its bodies, are for the API's documentation.
    *status*, *media_type* and *body* are the answer once all of it is durable.
    """

    kind: Kind
    read: SignedReader
    key: Callable[[Own], str]
    description: str
    takes: Mapping[str, Any]
    most_bytes: int
    status: int = 204
    media_type: str = ""
    body: str = ""


@dataclass(frozen=True)
class Provider(Generic[Own]):
    """One provider, which is called as its folder is.

    *kinds* are the kinds of message that it sends. *channel* makes the way out from its settings, and from the public
    address of its webhook; it imports the SDK, and nothing does before it.
    *needs* are general settings that it cannot do without.
    """

    kinds: frozenset[Kind]
    channel: Callable[[Own, str], Channel]
    settings: type[Own]
    needs: tuple[Literal["public_url", "secret"], ...] = ()
    webhook: Webhook[Own] | None = None
