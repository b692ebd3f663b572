"""The key that guards the API: who sends a request by it, and which scope each route needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Protocol

import structlog
from fastapi import Depends, Request, Security, params
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api.limits import LimitsDep
from api.queries import refuse_unknown_query
from api.sources import is_own
from journeys.problems import Flaw, Forbidden, Unauthorized
from store.scopes import SCOPES, Scope

if TYPE_CHECKING:
    from api.keyring import Keyring

TELL_EVERY = 10.0
"""Seconds."""

log = structlog.get_logger(__name__)

HOW = "The secret of a key, or the value of `SOJOURN_KEY`, which has every scope."

Given = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, scheme_name="key", description=HOW))
]


class Sourced(Protocol):
    """What may say where it comes from."""

    @property
    def source(self) -> str: ...

    @property
    def model_fields_set(self) -> set[str]: ...


@dataclass(frozen=True)
class Caller:
    """Whoever sends a request, as its key says: the key's name, what it opens, and what it is limited to.

    *triggers*: the only ones whose events it posts; *origins*: the only pages in whose browser it is taken; empty, all.
    *per_second*: how many events it may post; None for any number.
    """

    name: str
    scopes: frozenset[Scope]
    triggers: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    per_second: float | None = None

    @property
    def is_root(self) -> bool:
        """Whether it has ``SOJOURN_KEY``, and may do all there is."""
        return self.name == "root"

    @property
    def is_limited(self) -> bool:
        """Whether it posts some events alone."""
        return bool(self.triggers or self.origins)

    @property
    def source(self) -> str:
        """Where what it posts comes from, unless that says something else."""
        return "api" if self.is_root else self.name

    def may(self, scope: Scope) -> bool:
        """Whether it has that scope, where an answer to it has more in it than its route needs."""
        return scope in self.scopes

    def source_of(self, said: Sourced) -> str:
        """Where what was *said* comes from: what it says itself, or else this key. Raises Forbidden."""
        if flaw := self.wrong_source(said):
            raise Forbidden(f'The key "{self.name}" may not say that.', [flaw])
        return said.source if "source" in said.model_fields_set else self.source

    def wrong_source(self, said: Sourced) -> Flaw | None:
        """Why it may not say where this comes from; None where it may."""
        if self.is_root or "source" not in said.model_fields_set or said.source == self.name:
            return None
        if self.is_limited:
            why = f'this key posts under its own name alone, "{self.name}".'
            return Flaw(path="source", message=f'found "{said.source}"; {why}', hint="Leave it out.")
        if is_own(said.source):
            hint = "Leave it out, or name another one."
            return Flaw(path="source", message=f'found "{said.source}"; what comes from there is our own.', hint=hint)
        return None


ROOT = Caller("root", frozenset(SCOPES))
"""Who has ``SOJOURN_KEY``."""


class Refusals:
    """Tells the log of those who come without the key: how many, at most once in a while, and nothing about them."""

    def __init__(self, every: float = TELL_EVERY) -> None:
        self._every = every
        self._since_told = 0
        self._next = -inf

    def add(self, now: float) -> None:
        """One more, at *now* of a clock that only goes forward."""
        self._since_told += 1
        if now >= self._next:
            log.warning("refused without the key, or with a wrong one", requests=self._since_told)
            self._since_told, self._next = 0, now + self._every


def needs(*scopes: Scope) -> params.Depends:
    """What a route of ``dependencies=`` declares that is open to keys with these scopes alone.

    Nothing else of a request is read before: 401 without a key, 429 where its limit is reached, 403 without a scope.
    """
    declared: params.Depends = Security(_admit, scopes=scopes)
    return declared


async def anybody() -> None:
    """Asks nothing of whoever sends the request."""


OPEN = Depends(anybody)
"""What a route, or a router, declares that needs no key: each is one or the other, and none is it by mistake."""


async def _admit(request: Request, given: Given, needed: SecurityScopes, limits: LimitsDep) -> None:
    keyring: Keyring = request.app.state.keyring
    try:
        if given is None:
            raise Unauthorized("No key was given. Send it as: Authorization: Bearer <key>.")
        caller = await keyring.caller(given.credentials)
    except Unauthorized:
        request.app.state.refusals.add(monotonic())
        raise
    limits.take(request, caller)
    if missing := [scope for scope in needed.scopes if scope not in caller.scopes]:
        raise Forbidden(_lacks(caller, missing))
    if caller.origins and (origin := request.headers.get("origin", "")) not in caller.origins:
        raise Forbidden(_from_elsewhere(caller, origin))
    refuse_unknown_query(request)
    request.state.caller = caller


async def caller_of(request: Request) -> Caller:
    """Who sends the request, on a route that needs a scope."""
    caller: Caller = request.state.caller
    return caller


CallerDep = Annotated[Caller, Depends(caller_of)]


def _lacks(caller: Caller, missing: list[str]) -> str:
    has = ", ".join(scope for scope in SCOPES if scope in caller.scopes) or "none"
    return (
        f'This needs the scope {" and ".join(missing)}, which the key "{caller.name}" has not got: it has {has}. '
        "Send another key, or make one that has it with: sojourn key create."
    )


def _from_elsewhere(caller: Caller, origin: str) -> str:
    from_where = f"from {origin}" if origin else "without the header Origin, which browsers send"
    return (
        f'The key "{caller.name}" is for pages of {", ".join(caller.origins)}, and this came {from_where}. '
        "Send the key of that site, or of a server another key."
    )
