"""Endpoints: where journeys post to, with what it is signed, and whether they are open. Secrets come and go sealed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime
from sqlalchemy import Connection, bindparam, delete, select

from journeys.endpoints import Endpoint, EndpointState
from journeys.models import Frozen
from journeys.nearest import did_you_mean
from journeys.problems import Conflict, TooMany, Unknown
from store.audit import BY_ITSELF, Change, record
from store.changing import add, alter
from store.locks import lock_house
from store.schema import AnyRow, endpoints
from store.showing import Unreadable, all_shown, shown
from store.store import read_transaction, write_transaction
from store.versions import versions_in_use

BOTH_SIGN = timedelta(hours=24)
"""So long a secret goes on to sign after it was rotated, beside the new one."""

MOST_SECRETS = 5
"""Each of them adds a signature to every request."""


class Signing(Frozen):
    """A secret that signs, without itself: when it was made, and *until* when it signs where it was rotated."""

    created_at: AwareDatetime
    until: AwareDatetime | None = None


class SealedSecret(Signing):
    """A secret that signs, sealed: only who has the house's own secret can read it."""

    sealed: str


class EndpointView(Frozen):
    """An endpoint, whether it is open, for what *reason* it is not, *since* when; and the journeys in use that call it.

    *secrets* are those that sign, the newest first. What they are is told once, when each is made.
    """

    endpoint: Endpoint
    state: EndpointState
    reason: str
    since: AwareDatetime
    secrets: tuple[Signing, ...]
    journeys: tuple[str, ...]
    created_at: AwareDatetime
    changed_at: AwareDatetime


class Callee(Frozen):
    """What it takes to call an endpoint. *closed*: why nothing is to be posted to it; empty where it is open."""

    endpoint: Endpoint
    secrets: tuple[str, ...]
    closed: str


@write_transaction
def put_endpoint(connection: Connection, endpoint: Endpoint, sealed: str, change: Change) -> bool:
    """Write an endpoint. Returns whether it is new; only then *sealed* is its first secret.

    One that is closed stays so, unless its address is another one now.
    """
    definition = endpoint.model_dump(mode="json", exclude_unset=True)
    lock_house(connection)
    row = connection.execute(_LOCK, {"endpoint": endpoint.endpoint}).one_or_none()
    if row is None:
        secret = SealedSecret(created_at=change.at, sealed=sealed).model_dump(mode="json")
        new = {"definition": definition, "secrets": [secret], **_OPEN, "since": change.at}
        add(connection, endpoints, endpoint.endpoint, change, **new)
        return True
    moved = row.state == "closed" and row.definition.get("url") != endpoint.url
    alter(connection, endpoints, row, change, "put", definition=definition)
    if moved:
        _open(connection, row, change)
    return False


@write_transaction
def rotate_endpoint(connection: Connection, name: str, sealed: str, change: Change) -> None:
    """Sign with another secret from now on, and with those that there were for a while. Raises Unknown, and TooMany."""
    row, now = _one(connection, name, lock=True), change.at
    kept = [
        secret if secret.until else secret.model_copy(update={"until": now + BOTH_SIGN})
        for secret in _signing(row, now)
    ]
    if len(kept) >= MOST_SECRETS:
        first = min(secret.until for secret in kept if secret.until)
        detail = f'"{name}" was rotated so often that {len(kept)} secrets sign. The first ceases at {first:%H:%M} UTC.'
        raise TooMany(detail, after=first - now)
    secrets = [SealedSecret(created_at=now, sealed=sealed), *kept]
    dumped = [secret.model_dump(mode="json") for secret in secrets]
    alter(connection, endpoints, row, change, "given another secret", secrets=dumped)


@write_transaction
def open_endpoint(connection: Connection, name: str, change: Change) -> None:
    """Post to it again. One that is open stays as it is. Raises Unknown."""
    row = _one(connection, name, lock=True)
    if row.state != "open":
        _open(connection, row, change)


@write_transaction
def close_endpoint(connection: Connection, name: str, url: str, reason: str, now: datetime) -> bool:
    """Post nothing to it any more, if *url* is still its address. Returns whether that is news."""
    row = connection.execute(_LOCK, {"endpoint": name}).one_or_none()
    if row is None or row.state == "closed" or row.definition.get("url") != url:
        return False
    change = Change(BY_ITSELF, now)
    alter(connection, endpoints, row, change, "closed", state="closed", reason=reason, since=now)
    return True


@write_transaction
def delete_endpoint(connection: Connection, name: str, change: Change) -> None:
    """Forget an endpoint, with its secrets. Raises Unknown, and Conflict where journeys in use call it."""
    lock_house(connection)
    _one(connection, name)
    if callers := _callers(connection).get(name):
        raise Conflict(f'Endpoint "{name}" is called by {" and ".join(callers)}. Stop or change that first.')
    connection.execute(_DELETE, {"endpoint": name})
    record(connection, change, "endpoint deleted", f"endpoint/{name}")


@read_transaction
def get_endpoint(connection: Connection, name: str, now: datetime) -> EndpointView:
    """An endpoint. Raises Unknown, and Conflict where it cannot be shown."""
    callers = _callers(connection)
    return shown("endpoint", _one(connection, name), lambda row: _view(row, callers, now))


@read_transaction
def list_endpoints(connection: Connection, now: datetime) -> tuple[list[EndpointView], tuple[Unreadable, ...]]:
    """All endpoints by name, and those that cannot be shown."""
    callers = _callers(connection)
    return all_shown("endpoint", connection.execute(_ALL), lambda row: _view(row, callers, now))


@read_transaction
def get_callee(connection: Connection, name: str, now: datetime) -> Callee:
    """What it takes to call an endpoint at *now*. Raises Unknown."""
    row = _one(connection, name)
    return Callee(
        endpoint=Endpoint.model_validate(row.definition),
        secrets=tuple(secret.sealed for secret in _signing(row, now)),
        closed=row.reason if row.state == "closed" else "",
    )


@read_transaction
def closed_endpoints(connection: Connection) -> int:
    """How many endpoints are closed."""
    return sum(state == "closed" for state in endpoint_states(connection).values())


def endpoints_closed(connection: Connection) -> Sequence[AnyRow]:
    """The name of each endpoint that is closed, why, and since when."""
    return connection.execute(_CLOSED).all()


def endpoint_states(connection: Connection) -> dict[str, EndpointState]:
    """The state of each endpoint, by name."""
    return {row.name: row.state for row in connection.execute(_STATES)}


def _view(row: AnyRow, callers: dict[str, tuple[str, ...]], now: datetime) -> EndpointView:
    return EndpointView(
        endpoint=Endpoint.model_validate(row.definition),
        state=row.state,
        reason=row.reason,
        since=row.since,
        secrets=tuple(Signing(**secret.model_dump(exclude={"sealed"})) for secret in _signing(row, now)),
        journeys=callers.get(row.name, ()),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def _signing(row: AnyRow, now: datetime) -> Sequence[SealedSecret]:
    """The secrets that sign at *now*, the newest first."""
    secrets = [SealedSecret.model_validate(secret) for secret in row.secrets]
    return [secret for secret in secrets if secret.until is None or secret.until > now]


def _callers(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The journeys in use that call each endpoint."""
    called: dict[str, set[str]] = {}
    for version in versions_in_use(connection):
        for endpoint in version.journey.endpoints:
            called.setdefault(endpoint, set()).add(version.name)
    return {endpoint: tuple(sorted(names)) for endpoint, names in called.items()}


def _one(connection: Connection, name: str, *, lock: bool = False) -> AnyRow:
    if row := connection.execute(_LOCK if lock else _ONE, {"endpoint": name}).one_or_none():
        return row
    raise Unknown(f'There is no endpoint "{name}". {did_you_mean(name, endpoint_states(connection))}')


def _open(connection: Connection, row: AnyRow, change: Change) -> None:
    alter(connection, endpoints, row, change, "opened", **_OPEN, since=change.at)


_OPEN = {"state": "open", "reason": ""}
_ALL = select(endpoints).order_by(endpoints.c.name)
_STATES = select(endpoints.c.name, endpoints.c.state).order_by(endpoints.c.name)
_CLOSED = select(endpoints.c.name, endpoints.c.reason, endpoints.c.since).where(endpoints.c.state == "closed")
_ONE = select(endpoints).where(endpoints.c.name == bindparam("endpoint"))
_LOCK = _ONE.with_for_update()
_DELETE = delete(endpoints).where(endpoints.c.name == bindparam("endpoint"))
