"""``sojourn repair``: tell runs that are parked to try again what had failed, or to go on without it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from terminal import options
from terminal.options import AsJson, DryRun, Yes


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
    from terminal.repairing import REPAIR
    from terminal.waiting import do_all

    at = since.isoformat() if since else None
    named = {"step": step, "reason": reason, "since": at, "instead": "go on" if go_on else None}
    asked: dict[str, object] = {field: value for field, value in named.items() if value is not None}

    async def do(api: Api, dry: bool) -> Repaired:
        return await do_all(api, Repaired, name, "repair", asked, dry_run=dry)

    carry_out(options.connection(context), do, REPAIR, How(dry_run, yes, json_))
