"""``sojourn repair``: tell runs that are parked to try again what had failed, or to go on without it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from terminal import options
from terminal.options import AsJson, DryRun, Yes

if TYPE_CHECKING:
    from rich.text import Text

    from store.repairs import Repaired


def repair(  # noqa: PLR0913, PLR0917 - each is an option
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The journey.")],
    step: Annotated[str | None, typer.Option(help="Only those parked at this step.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those whose reason has this in it.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=options.time, metavar="TIME", help="Only those that were parked then or later."),
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Let them go on without what has failed, instead of trying again.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Let runs that are parked try again what had failed, with everything checked anew. At a terminal it asks first."""
    from store.repairs import Repaired
    from terminal.client import Api
    from terminal.confirming import How, carry_out

    at = since.isoformat() if since else None
    named = {"step": step, "reason": reason, "since": at, "instead": "go on" if go_on else None}
    body = {field: value for field, value in named.items() if value is not None}

    async def do(api: Api, dry: bool) -> Repaired:
        return await api.post(Repaired, "journeys", name, "repair", body=body | {"dry_run": dry})

    carry_out(options.connection(context), do, repaired, _question, How(dry_run, yes, json_))


def repaired(told: Repaired) -> Iterator[Text]:
    """What a repair does, or would do."""
    from rich.text import Text

    from journeys.language.clock import say_instant
    from journeys.language.durations import say

    if not told.count:
        yield Text.assemble("No run of ", (told.journey, "bold"), " is parked that this is about: nothing to repair.")
        yield Text("What is parked where, and why: sojourn problems")
        return
    does = ("would be" if told.dry_run else "are") + (" let go on without it" if told.instead else " tried again")
    yield Text.assemble((told.journey, "bold"), f": {_runs(told.count)} {does}.")
    for parked in told.parked:
        yield Text(f"  {parked.count} at {parked.step}, since {say_instant(parked.since)}: {parked.why}")
    if not told.instead:
        yield Text(f"Messages go out within {say(told.spread)}, one after the other, as far as nothing is against it.")


def _question(would: Repaired) -> str | None:
    if not would.count:
        return None
    return f"Let {_runs(would.count)} go on without it?" if would.instead else f"Try {_runs(would.count)} again?"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
