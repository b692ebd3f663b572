"""What an address may ask: a name that its route does not know is told, and never passed over."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from journeys.nearest import did_you_mean
from journeys.problems import Flaw, Invalid


def refuse_unknown_query(request: Request) -> None:
    """Raises Invalid where the query names what its route does not take: else a misplaced ``dry_run`` would act."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = {*_names(route.dependant)}
    if flaws := [_flaw(name, known) for name in dict.fromkeys(request.query_params) if name not in known]:
        raise Invalid("The address asks for something that is not known.", flaws)


def _names(dependant: Dependant) -> Iterator[str]:
    """The names that a route takes, and whatever it depends on."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for beneath in dependant.dependencies:
        yield from _names(beneath)


def _flaw(name: str, known: Collection[str]) -> Flaw:
    shown = name if len(name) <= 60 else f"{name[:59]}…"
    hint = did_you_mean(name, known) if known else "Leave it out; what this takes goes into its body."
    return Flaw(path=shown, message="there is nothing of that name to ask for here.", hint=hint)
