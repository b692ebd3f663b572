"""The API over HTTP, as the commands use it: answers as data, errors in our own words."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from journeys.models import Frozen
from journeys.problems import (
    Conflict,
    Flaw,
    Forbidden,
    Invalid,
    SojournError,
    TooMany,
    Unauthorized,
    Unavailable,
    Unknown,
)
from store.catalogue import TriggerView
from store.events import Receipt
from terminal.policies import PolicyPut
from terminal.started import command
from terminal.values import typed

Answer = TypeVar("Answer", bound=BaseModel)

DEFAULT_URL = "http://127.0.0.1:8000"
CONNECTION = "connection.json"
_YAML = {"Content-Type": "application/yaml"}
KINDS = {kind.slug: kind for kind in (Invalid, Unknown, Conflict, Unauthorized, Forbidden, TooMany, Unavailable)}


MOST_WAITS = 5
LONGEST_WAIT = 60
"""Seconds. So often and so long a command waits where it is told to; whoever has to wait longer is told so."""


class Connection(Frozen):
    """Where an API is, its key, and the Temporal that belongs to it, with the namespace of our runs and its UI."""

    url: str
    key: str
    temporal: str | None = None
    namespace: str = "default"
    temporal_ui: str = ""

    @property
    def runs_page(self) -> str:
        """The page of Temporal's UI that lists runs; empty where there is none."""
        return f"{self.temporal_ui}/namespaces/{quote(self.namespace, safe='')}/workflows" if self.temporal_ui else ""


class MadeEndpoint(Frozen):
    """What is told of an endpoint once it is there: its secret, where it is new."""

    secret: str | None


def keep_connection(data: Path, connection: Connection) -> None:
    """Leave a note in the data folder, so that commands beside the embedded stack just work."""
    path = data / CONNECTION
    # It holds the key, so nobody else may read it, not even for a moment.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as note:
        os.fchmod(note.fileno(), 0o600)  # one that was there keeps the rights it had
        note.write(connection.model_dump_json(indent=2))


def kept_connection(data: Path) -> Connection | None:
    """The embedded stack's note, if there is one."""
    try:
        return Connection.model_validate_json((data / CONNECTION).read_bytes())
    except (OSError, ValidationError):
        return None


def find_connection(url: str, key: str, data: Path) -> Connection:
    """Where the API is: at *url* with *key* where they are given, else what the embedded stack left in *data*.

    Raises Unauthorized where there is no key.
    """
    kept = kept_connection(data)
    url = (url or (kept.url if kept else DEFAULT_URL)).rstrip("/")
    ours = kept if kept and kept.url == url else None  # its key is for its own API, and shown to no other
    key = key or (ours.key if ours else "")
    if not key:
        raise Unauthorized(
            f"There is no key for the API at {url}. Set SOJOURN_KEY, or start the embedded stack with: {command('dev')}"
        )
    return (ours or Connection(url=url, key=key)).model_copy(update={"key": key})


class Api:
    """One connection to an API. Every method raises a SojournError for what went wrong."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        try:
            self._http = httpx.AsyncClient(
                base_url=connection.url,
                headers={"Authorization": f"Bearer {connection.key}"},
                # An exit's answer waits for sends that are under way; the proxies of this machine are for elsewhere.
                timeout=httpx.Timeout(60, connect=5),
                trust_env="127.0.0.1" not in connection.url,
            )
        except httpx.InvalidURL as error:
            raise _unreachable(connection.url, error) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, model: type[Answer], *path: str, **asked: object) -> Answer:
        """What is there, as a *model*. Ids may hold slashes, as those of runs do."""
        wanted = {name: value for name, value in asked.items() if value is not None}
        return await self._ask(model, "GET", path, params=wanted)

    async def find(self, model: type[Answer], *path: str) -> Answer | None:
        """What is there, or None where there is nothing."""
        try:
            return await self.get(model, *path)
        except Unknown:
            return None

    async def put(self, *path: str, body: bytes) -> None:
        """Put a definition, YAML or JSON as it was written."""
        await self._send("PUT", path, content=body, headers=_YAML)

    async def put_endpoint(self, name: str, body: bytes) -> MadeEndpoint:
        """Put an endpoint, and return what is told of it only now."""
        return await self._ask(MadeEndpoint, "PUT", ("endpoints", name), content=body, headers=_YAML)

    async def put_policy(self, body: bytes, *, dry_run: bool = False) -> PolicyPut:
        """Put the house's policy, and return what is in force then, or would be."""
        asked = {"dry_run": True} if dry_run else {}
        return await self._ask(PolicyPut, "PUT", ("policy",), content=body, headers=_YAML, params=asked)

    async def do(self, *path: str) -> None:
        """Do what the path says."""
        await self._send("POST", path)

    async def post(self, model: type[Answer], *path: str, body: object = None) -> Answer:
        """Post data, or do what the path says, and return the answer as a *model*."""
        return await self._ask(model, "POST", path, json=body)

    async def patch(self, model: type[Answer], *path: str, body: object) -> Answer:
        """Change a part of what is there, and return the answer as a *model*."""
        return await self._ask(model, "PATCH", path, json=body)

    async def replace(self, model: type[Answer], *path: str, body: object) -> Answer:
        """Put data in the place of what is there, and return the answer as a *model*."""
        return await self._ask(model, "PUT", path, json=body)

    async def delete(self, model: type[Answer], *path: str, dry_run: bool = False) -> Answer:
        """Delete what is there, and return the answer as a *model*."""
        return await self._ask(model, "DELETE", path, params={"dry_run": True} if dry_run else {})

    async def _ask(self, model: type[Answer], method: str, path: tuple[str, ...], **how: object) -> Answer:
        answer = await self._send(method, path, **how)
        try:
            return model.model_validate_json(answer.content)
        except ValidationError:
            raise _not_ours(answer) from None

    async def _send(self, method: str, path: tuple[str, ...], **how: Any) -> httpx.Response:
        answer = await self._request(method, path, **how)
        for _ in range(MOST_WAITS):
            wait = _told_to_wait(answer)
            if wait is None:
                break
            await asyncio.sleep(wait)
            answer = await self._request(method, path, **how)
        if not answer.is_success:
            raise _problem(answer)
        return answer

    async def _request(self, method: str, path: tuple[str, ...], **how: Any) -> httpx.Response:
        try:
            address = "/v1/" + "/".join(quote(part, safe="/:@") for part in path)
            return await self._http.request(method, address, **how)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise _unreachable(self.connection.url, error) from None
        except UnicodeEncodeError:  # what the shell hands on as it is
            raise Invalid("What was given holds bytes that are no text in UTF-8, so it cannot be sent.") from None


async def post_event(
    api: Api,
    trigger: str,
    customer: str,
    attributes: Mapping[str, str],
    *,
    id: str | None,
    occurred_at: datetime | None,
) -> Receipt:
    """Post one event. Its attributes are texts, and are read as the types that the trigger declares."""
    there = await api.find(TriggerView, "triggers", trigger) if attributes else None
    types = there.trigger.attributes if there else {}
    event = {
        "id": id or f"cli-{secrets.token_hex(6)}",
        "trigger": trigger,
        "customer": customer,
        "attributes": typed(types, attributes),
    }
    when = {"occurred_at": occurred_at.isoformat()} if occurred_at else {}
    return await api.post(Receipt, "events", body=event | when)


def _told_to_wait(answer: httpx.Response) -> int | None:
    """So many seconds until the same request passes, where a limit of its key was reached and that is soon."""
    after = answer.headers.get("Retry-After", "")
    if answer.status_code != TooMany.status or not (after.isascii() and after.isdigit()):
        return None
    return wait if (wait := int(after)) <= LONGEST_WAIT else None


def _unreachable(url: str, error: Exception) -> Unavailable:
    said = str(error) or type(error).__name__
    return Unavailable(
        f"No API answers at {url} ({said}). "
        f"Start one with `{command('dev')}`, or set SOJOURN_URL to the address of one that runs."
    )


def _problem(answer: httpx.Response) -> SojournError:
    """The problem+json of an answer as the error it was."""
    try:
        body: Mapping[str, Any] = answer.json()
        kind = KINDS.get(str(body["type"]).rpartition("/")[2], SojournError)
        return kind(body["detail"], [Flaw.model_validate(flaw) for flaw in body.get("errors", ())])
    except (ValueError, KeyError, TypeError):
        return _not_ours(answer)


def _not_ours(answer: httpx.Response) -> SojournError:
    return SojournError(
        f"{answer.request.method} {answer.request.url} was answered with {answer.status_code}, "
        f"but not as this Sojourn would: {answer.text[:200]!r}. Check SOJOURN_URL, and that both are the same release."
    )
