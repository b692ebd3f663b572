"""``sojourn suppressions`` and ``lift``: addresses that are not written to any more, and how they are again."""

from __future__ import annotations

from typing import Annotated

import typer

from terminal import options
from terminal.options import AsJson

# The rooms are imported by the commands that need them, as in cli.py.
app = typer.Typer()


@app.command()
def suppressions(
    context: typer.Context,
    channel: Annotated[str | None, typer.Argument(help="Only email, text or push.")] = None,
    address: Annotated[str | None, typer.Argument(help="Only this address, in any spelling.")] = None,
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted, and why.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many, the latest first.", min=1, max=200)] = 50,
    json_: AsJson = False,
) -> None:
    """Show which addresses are not written to any more, and why."""
    from store.suppressions import AddressView, LiftingPage, SuppressionPage
    from terminal import suppressing
    from terminal.asking import answer, ask

    connection = options.connection(context)
    if channel and address:
        about = {"channel": channel, "address": address}
        found = ask(connection, lambda api: api.post(AddressView, "suppressions", "find", body=about))
        answer(found, suppressing.address(found), as_json=json_)
    elif lifted:
        past = ask(connection, lambda api: api.get(LiftingPage, "suppressions", "lifted", limit=limit))
        answer(past, suppressing.lifted(past.lifted), as_json=json_)
    else:
        asked = {"channel": channel, "limit": limit}
        told = ask(connection, lambda api: api.get(SuppressionPage, "suppressions", **asked))
        answer(told, suppressing.listed(told.suppressions, more=told.next is not None), as_json=json_)


@app.command()
def lift(
    context: typer.Context,
    id_: Annotated[int, typer.Argument(metavar="ID", help="The suppression's id, as suppressions shows it.")],
    why: Annotated[str, typer.Option(help="Why the address is to be written to again. It is kept.")],
    by: Annotated[str | None, typer.Option(help="Who says so. Default: who is signed in on this machine.")] = None,
    json_: AsJson = False,
) -> None:
    """Write to a suppressed address again, and keep the reason."""
    import getpass

    from store.suppressions import Lifting
    from terminal import suppressing
    from terminal.asking import answer, ask

    said = {"why": why, "source": by or getpass.getuser()}
    told = ask(options.connection(context), lambda api: api.post(Lifting, "suppressions", str(id_), "lift", body=said))
    answer(told, suppressing.lifted([told]), as_json=json_)
