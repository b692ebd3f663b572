"""Keys: what each opens, under which name, and by which secrets. Of a secret only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, AwareDatetime, Field, ValidationInfo, model_validator
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from journeys.models import WRITTEN, Expected, Frozen, Model, Name, Time
from journeys.nearest import did_you_mean
from journeys.problems import Conflict, Unknown
from store.audit import Change, record
from store.changing import other_fields
from store.origins import Origin
from store.schema import AnyRow, key_secrets, keys
from store.scopes import SCOPES, Scope
from store.store import read_transaction, write_transaction

PREFIX = "sojourn_"
"""How each secret begins, so that those who search for leaked ones know it."""

MOST_SECRETS = 5
SLOWEST = 0.001
"""Events per second: one in a quarter of an hour. Of less, nobody could be told when the next one is taken."""

USED_EVERY = timedelta(minutes=1)
"""No more often is it written when a secret was used."""


def _in_order(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    return tuple(scope for scope in SCOPES if scope in scopes)


class Key(Model):
    """A key: its name and what it opens.

    *key*: its name, the source of the events that it posts. *scopes*: what it opens.
    *triggers*: the only ones whose events it posts. *origins*: the only sites whose pages may use it, in browsers.
    *per_second*: how many events it posts in a second at most. *until*: when it ends.
    """

    key: Name
    scopes: Annotated[
        tuple[Scope, ...], AfterValidator(_in_order), Expected("scopes, such as [events:write, runs:read]")
    ] = Field(min_length=1, max_length=50)
    triggers: tuple[Name, ...] = Field((), max_length=100)
    origins: tuple[Origin, ...] = Field((), max_length=100)
    per_second: float | None = Field(None, ge=SLOWEST, le=1_000_000, allow_inf_nan=False)
    until: Time | None = None

    @model_validator(mode="after")
    def _limits_go_with_scopes(self, info: ValidationInfo) -> Self:
        if info.context == WRITTEN:
            for wrong in self._at_odds():
                raise ValueError(wrong)
        return self

    def _at_odds(self) -> Iterator[str]:
        if (self.triggers or self.per_second) and "events:write" not in self.scopes:
            yield "triggers and per_second are about posting events: they go with the scope events:write"
        if self.origins and self.scopes != ("events:write",):
            yield "whoever sees a page has its key, so one with origins has the scope events:write alone"
        if self.origins and not self.triggers:
            yield "whoever sees a page has its key, so one with origins says in triggers what it may post"


class Secret(Frozen):
    """A secret of a key, without itself: the first digits of its hash, *until* when it is valid, when it was used."""

    id: str
    created_at: AwareDatetime
    until: AwareDatetime | None
    used_at: AwareDatetime | None


class KeyView(Key):
    """A key and its valid secrets, the newest first. What they are is told once, when each is made."""

    secrets: tuple[Secret, ...]
    created_at: AwareDatetime


class Known(NamedTuple):
    """What a hash of a secret stands for. *until*: when that secret ends, whatever the key does."""

    digest: str
    key: Key
    until: datetime | None


def new_secret() -> str:
    """A secret that nobody guesses."""
    return f"{PREFIX}{secrets.token_urlsafe(32)}"


def digest_of(secret: str) -> str:
    """The hash by which a secret is known. It is one of many bits by lot, so that a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


@write_transaction
def add_key(connection: Connection, key: Key, secret: str, change: Change) -> KeyView:
    """Make a key with its first secret. Raises Conflict where its name is taken, and where it would be over already."""
    if connection.execute(_LOCK, {"name": key.key}).one_or_none():
        raise Conflict(f'There is a key "{key.key}". Rotate it for another secret, or revoke it first.')
    if key.until and key.until <= change.at:
        raise Conflict(f'The key "{key.key}" would end before it begins, at {key.until:%d %b %Y %H:%M} UTC.')
    connection.execute(insert(keys), _row(key) | {"created_at": change.at})
    _add_secret(connection, key.key, secret, change.at)
    record(connection, change, "key created", f"key/{key.key}", {"scopes": key.scopes})
    return _view(connection, key.key, change.at)


@write_transaction
def change_key(connection: Connection, key: Key, change: Change) -> KeyView:
    """Have the key of that name open what *key* says, and nothing else. Its secrets stay. Raises Unknown."""
    before = _key(_one(connection, key.key, lock=True))
    if fields := other_fields(dict(before), dict(key)):
        connection.execute(update(keys).where(keys.c.name == key.key).values(_row(key)))
        changed = {"changed": sorted(fields), "scopes": key.scopes}
        record(connection, change, "key changed", f"key/{key.key}", changed)
    return _view(connection, key.key, change.at)


@write_transaction
def rotate_key(connection: Connection, name: str, secret: str, change: Change, ends: datetime | None = None) -> KeyView:
    """Give a key another secret. Those that it has stay valid, until *ends* where that is given.

    Raises Unknown, and Conflict where the key has ended or has very many secrets.
    """
    row, now = _one(connection, name, lock=True), change.at
    if row.until and row.until <= now:
        raise Conflict(f'The key "{name}" ended at {row.until:%d %b %Y %H:%M} UTC. Revoke it, and make it again.')
    connection.execute(_FORGET_ENDED, {"name": name, "now": now})
    if len(connection.execute(_SECRETS, {"name": name}).all()) >= MOST_SECRETS:
        raise Conflict(f'The key "{name}" has {MOST_SECRETS} valid secrets. Revoke one that nobody uses any more.')
    if ends:
        connection.execute(_END, {"name": name, "ends": ends})
    _add_secret(connection, name, secret, now)
    record(connection, change, "key given another secret", f"key/{name}")
    return _view(connection, name, now)


@write_transaction
def revoke_key(connection: Connection, name: str, change: Change) -> None:
    """Forget a key, with all its secrets. Raises Unknown."""
    _one(connection, name, lock=True)
    connection.execute(delete(key_secrets).where(key_secrets.c.key == name))
    connection.execute(delete(keys).where(keys.c.name == name))
    record(connection, change, "key revoked", f"key/{name}")


@write_transaction
def revoke_secret(connection: Connection, name: str, id: str, change: Change) -> KeyView:
    """Forget one secret of a key. Raises Unknown."""
    _one(connection, name, lock=True)
    ids = {_id(row): row.digest for row in connection.execute(_SECRETS, {"name": name})}
    if id not in ids:
        raise Unknown(f'The key "{name}" has no secret "{id}". {did_you_mean(id, ids)}')
    connection.execute(delete(key_secrets).where(key_secrets.c.digest == ids[id]))
    record(connection, change, "secret revoked", f"key/{name}", {"secret": id})
    return _view(connection, name, change.at)


@read_transaction
def get_key(connection: Connection, name: str, now: datetime) -> KeyView:
    """A key. Raises Unknown."""
    return _view(connection, name, now)


@read_transaction
def list_keys(connection: Connection, now: datetime) -> list[KeyView]:
    """All keys, by name."""
    valid: dict[str, list[Secret]] = {}
    for row in connection.execute(_ALL_SECRETS):
        if row.until is None or row.until > now:
            valid.setdefault(row.key, []).append(_secret(row))
    return [_as_view(row, valid.get(row.name, [])) for row in connection.execute(_ALL)]


@read_transaction
def known_keys(connection: Connection) -> list[Known]:
    """What each secret stands for, those that have ended among them."""
    named = {row.name: _key(row) for row in connection.execute(_ALL)}
    return [Known(row.digest, named[row.key], row.until) for row in connection.execute(_ALL_SECRETS)]


@write_transaction
def note_used(connection: Connection, used: Mapping[str, datetime]) -> None:
    """Write down when secrets were used, by their hashes; not where that was written within the last minute."""
    for digest, at in sorted(used.items()):
        connection.execute(_USED, {"hash": digest, "at": at, "before": at - USED_EVERY})


def _row(key: Key) -> dict[str, object]:
    lists = {name: list(getattr(key, name)) for name in ("scopes", "triggers", "origins")}
    return {"name": key.key, **lists, "per_second": key.per_second, "until": key.until}


def _key(row: AnyRow) -> Key:
    # As it is: one that a later release has made, and that this one does not understand, must not lock out the others.
    return Key.model_construct(
        key=row.name,
        scopes=tuple(scope for scope in row.scopes if scope in SCOPES),
        triggers=tuple(row.triggers),
        origins=tuple(row.origins),
        per_second=row.per_second,
        until=row.until,
    )


def _view(connection: Connection, name: str, now: datetime) -> KeyView:
    row = _one(connection, name)
    found = connection.execute(_SECRETS, {"name": name})
    return _as_view(row, [_secret(each) for each in found if each.until is None or each.until > now])


def _as_view(row: AnyRow, valid: list[Secret]) -> KeyView:
    return KeyView.model_construct(**dict(_key(row)), secrets=tuple(valid), created_at=row.created_at)


def _secret(row: AnyRow) -> Secret:
    return Secret(id=_id(row), created_at=row.created_at, until=row.until, used_at=row.used_at)


def _id(row: AnyRow) -> str:
    return str(row.digest[:12])


def _one(connection: Connection, name: str, *, lock: bool = False) -> AnyRow:
    if row := connection.execute(_LOCK if lock else _ONE, {"name": name}).one_or_none():
        return row
    names = connection.execute(select(keys.c.name)).scalars()
    raise Unknown(f'There is no key "{name}". {did_you_mean(name, names)}')


def _add_secret(connection: Connection, name: str, secret: str, now: datetime) -> None:
    connection.execute(insert(key_secrets), {"digest": digest_of(secret), "key": name, "created_at": now})


_ALL = select(keys).order_by(keys.c.name)
_ONE = select(keys).where(keys.c.name == bindparam("name"))
_LOCK = _ONE.with_for_update()
_ALL_SECRETS = select(key_secrets).order_by(key_secrets.c.created_at.desc(), key_secrets.c.digest)
_SECRETS = _ALL_SECRETS.where(key_secrets.c.key == bindparam("name"))
_OF_KEY = key_secrets.c.key == bindparam("name")
_FORGET_ENDED = delete(key_secrets).where(_OF_KEY, key_secrets.c.until <= bindparam("now"))
_END = (
    update(key_secrets)
    .where(_OF_KEY, or_(key_secrets.c.until.is_(None), key_secrets.c.until > bindparam("ends")))
    .values(until=bindparam("ends"))
)
_USED = (
    update(key_secrets)
    .where(
        key_secrets.c.digest == bindparam("hash"),
        or_(key_secrets.c.used_at.is_(None), key_secrets.c.used_at <= bindparam("before")),
    )
    .values(used_at=bindparam("at"))
)
