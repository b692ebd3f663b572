"""``sojourn pause`` and ``resume``: a journey in which nothing goes out for a while."""

from __future__ import annotations

import typer

from terminal import options
from terminal.options import AsJson, CatchUp, DryRun, Named, Yes

# The rooms are imported by the commands that need them, as in cli.py.
app = typer.Typer()


@app.command()
def pause(
    context: typer.Context, name: Named, dry_run: DryRun = False, yes: Yes = False, json_: AsJson = False
) -> None:
    """Pause a journey: nobody enters and nothing goes out, until it is resumed. Nobody is lost."""
    from store.pausing import Paused
    from terminal.confirming import How, carry_out
    from terminal.pausing import PAUSE

    carry_out(
        options.connection(context),
        lambda api, dry: api.post(Paused, "journeys", name, "pause", body={"dry_run": dry}),
        PAUSE,
        How(dry_run, yes, json_),
    )


@app.command()
def resume(
    context: typer.Context,
    name: Named,
    catch_up: CatchUp = "now",
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Let a journey go on that was paused, with what has waited: at once and spread, over some time, or not at all."""
    from store.pausing import Resumed
    from terminal import waiting
    from terminal.confirming import How, carry_out
    from terminal.pausing import RESUME

    wanted: dict[str, object] = {"catch_up": catch_up if catch_up in ("now", "skip") else {"over": catch_up}}
    carry_out(
        options.connection(context),
        lambda api, dry: waiting.do_all(api, Resumed, name, "resume", wanted, dry_run=dry),
        RESUME,
        How(dry_run, yes, json_),
    )
