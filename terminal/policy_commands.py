"""``sojourn policy``: what is in force, how another one is put, and what was in force before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terminal import options
from terminal.options import AsJson, DryRun, Yes

if TYPE_CHECKING:
    pass

# The rooms are imported by the commands that need them, as in cli.py.
app = typer.Typer(invoke_without_command=True)


@app.callback()
def show(context: typer.Context, json_: AsJson = False) -> None:
    """Show the house's policy, with who put it and when. What is printed can be put again."""
    if context.invoked_subcommand:
        return
    from store.policy import PolicyVersion
    from terminal import policies
    from terminal.asking import answer, ask

    told = ask(options.connection(context), lambda api: api.get(PolicyVersion, "policy"))
    answer(policies.as_written(told), policies.in_force(told), as_json=json_)


@app.command("put")
def put(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The policy's file.", exists=True, dir_okay=False)],
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Put another policy in force, as a whole. The same one again changes nothing.

    One that keeps less than the one in force prunes what is older for good: it asks before, and a script says --yes.
    """
    from terminal import policies
    from terminal.confirming import How, Words, carry_out
    from terminal.folder import bytes_of

    body = bytes_of(file)
    carry_out(
        options.connection(context),
        lambda api, dry: api.put_policy(body, dry_run=dry),
        Words(policies.put, policies.question, policies.was_put),
        How(dry_run, yes, json_, unasked=False),
    )


@app.command("history")
def history(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="At most so many, the latest first.", min=1, max=200)] = 50,
    json_: AsJson = False,
) -> None:
    """Show what was in force before: who changed what and when, the latest first."""
    from store.policy import PolicyVersions
    from terminal import policies
    from terminal.asking import answer, ask

    told = ask(options.connection(context), lambda api: api.get(PolicyVersions, "policy", "versions", limit=limit))
    answer([policies.as_written(one) for one in told.versions], policies.history(told), as_json=json_)
