"""What commands say of keys: what each opens, its secrets, and when they were used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from journeys.models import Frozen
from store.keys import KeyView


class KeySecret(KeyView):
    """A key with its new secret, as the API answers it once."""

    secret: str


class Keys(Frozen):
    """All keys, as the API answers them."""

    keys: tuple[KeyView, ...]


class Revoked(Frozen):
    """The name of a key that was revoked."""

    revoked: str


def created(key: KeySecret) -> Iterator[Text]:
    """A new key, and its secret."""
    yield Text.assemble((key.key, "bold"), f" opens {', '.join(key.scopes)}.")
    yield _secret(key)


def rotated(key: KeySecret) -> Iterator[Text]:
    """A new secret, and what is still valid beside it."""
    yield _secret(key)
    for former in key.secrets[1:]:
        end = (
            f"until {_at(former.until)}"
            if former.until
            else f"until: sojourn key revoke {key.key} --secret {former.id}"
        )
        yield Text(f"  {former.id} is valid {end}")


def listed(keys: Sequence[KeyView]) -> Iterator[Text]:
    """All keys, by name."""
    if not keys:
        yield Text("There is no key but SOJOURN_KEY. Make one with: sojourn key create NAME --scope events:write")
    for key in keys:
        yield Text.assemble((key.key, "bold"), f"  {', '.join([*key.scopes, *_limits(key)])}")
        for secret in key.secrets:
            used = f"used {_at(secret.used_at)}" if secret.used_at else "never used"
            end = f", until {_at(secret.until)}" if secret.until else ""
            yield Text(f"    {secret.id}  made {_at(secret.created_at)}, {used}{end}", "dim")
        if not key.secrets:
            yield Text(f"    no valid secret; make one with: sojourn key rotate {key.key}", "dim")


def left(key: KeyView, secret: str) -> Iterator[Text]:
    """What is left of a key."""
    valid = len(key.secrets)
    yield Text(f"{secret} opens nothing any more. {valid} valid secret{'s' * (valid != 1)} of {key.key} left.")


def revoked(told: Revoked) -> Iterator[Text]:
    """The end of a key."""
    yield Text(f"{told.revoked} opens nothing any more.")


def _secret(key: KeySecret) -> Text:
    return Text.assemble("  Its secret, told this once: ", (key.secret, "bold"))


def _limits(key: KeyView) -> Iterator[str]:
    if key.triggers:
        yield f"only {' and '.join(key.triggers)}"
    if key.origins:
        yield f"on pages of {' and '.join(key.origins)}"
    if key.per_second:
        yield f"{key.per_second:g} events a second"
    if key.until:
        yield f"until {_at(key.until)}"


def _at(at: datetime) -> str:
    return f"{at:%d %b %Y %H:%M} UTC"
