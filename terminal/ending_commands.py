"""``sojourn stop``, ``complete``, ``archive`` and ``cancel``: how journeys end, and the runs in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from terminal import options
from terminal.options import AsJson, DryRun, Named, Yes

if TYPE_CHECKING:
    from terminal.client import Connection

# The rooms are imported by the commands that need them, as in cli.py.
app = typer.Typer()


@app.command()
def stop(
    context: typer.Context,
    name: Named,
    version: Annotated[int | None, typer.Option(help="Only this version; people of others go on.", min=1)] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Stop a journey, or one version: nobody enters any more, and everybody inside stops where they are."""
    from store.stopping import Stopped
    from terminal import ending, waiting
    from terminal.confirming import How, carry_out

    carry_out(
        options.connection(context),
        lambda api, dry: waiting.do_all(api, Stopped, name, "stop", {"version": version}, dry_run=dry),
        ending.STOP,
        How(dry_run, yes, json_),
    )


@app.command()
def complete(
    context: typer.Context, name: Named, dry_run: DryRun = False, yes: Yes = False, json_: AsJson = False
) -> None:
    """Let nobody enter a journey any more. People inside finish, and with the last one it is completed by itself."""
    from store.completing import Completed
    from terminal import ending
    from terminal.confirming import How, carry_out

    carry_out(
        options.connection(context),
        lambda api, dry: api.post(Completed, "journeys", name, "complete", body={"dry_run": dry}),
        ending.COMPLETE,
        How(dry_run, yes, json_),
    )


@app.command()
def archive(
    context: typer.Context,
    name: Named,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: it is listed again.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Hide a journey that is over from the list of journeys. It is kept, and shown by its name as before."""
    from store.completing import Archived
    from terminal import ending
    from terminal.confirming import How, carry_out

    body = {"archived": not undo}
    carry_out(
        options.connection(context),
        lambda api, dry: api.post(Archived, "journeys", name, "archive", body=body | {"dry_run": dry}),
        ending.ARCHIVE,
        How(dry_run, yes, json_),
    )


@app.command()
def cancel(  # noqa: PLR0913, PLR0917 - each is an option
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why. It is kept, and told to Temporal: name no customer in it.")],
    id_: Annotated[str | None, typer.Argument(metavar="[RUN]", help="The run.")] = None,
    customer: Annotated[str | None, typer.Option(help="Instead of one run, all that this customer is in.")] = None,
    journey: Annotated[str | None, typer.Option(help="With --customer: only those of this journey.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """End one run, or all runs of a customer, where they stand: nothing of them is sent any more."""
    if (id_ is None) is (customer is None):
        raise typer.BadParameter("Give either a run or --customer.")
    if journey is not None and customer is None:
        raise typer.BadParameter("--journey goes with --customer.")
    how = dry_run, yes, json_
    if id_ is not None:
        _cancel_run(options.connection(context), id_, {"reason": reason}, *how)
    else:
        _cancel_all(options.connection(context), customer or "", {"reason": reason, "journey": journey}, *how)


def _cancel_run(connection: Connection, run: str, body: dict[str, object], *how: bool) -> None:
    from store.cancelling import CancelledRun
    from terminal import ending
    from terminal.confirming import How, carry_out

    carry_out(
        connection,
        lambda api, dry: api.post(CancelledRun, "runs", run, "cancel", body=body | {"dry_run": dry}),
        ending.CANCEL_RUN,
        How(*how),
    )


def _cancel_all(connection: Connection, customer: str, body: dict[str, object], *how: bool) -> None:
    from store.cancelling import CancelledRuns
    from terminal import ending
    from terminal.confirming import How, carry_out

    carry_out(
        connection,
        lambda api, dry: api.post(CancelledRuns, "customers", customer, "cancel", body=body | {"dry_run": dry}),
        ending.CANCEL_ALL,
        How(*how),
    )
