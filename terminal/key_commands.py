"""``sojourn key …``: keys are made, changed, listed, rotated and revoked, at the API that all commands ask."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from terminal import options
from terminal.options import AsJson

if TYPE_CHECKING:
    pass

# The rooms are imported by the commands that need them, as in cli.py.
app = typer.Typer(no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="NAME", help="The key.")]
Until = Annotated[
    datetime | None,
    typer.Option(
        parser=options.time,
        metavar="TIME",
        help="When it ends, such as 2027-01-01T00:00:00+01:00; without an offset in UTC. Default: never.",
    ),
]
Ending = Annotated[
    datetime | None,
    typer.Option(
        parser=options.time,
        metavar="TIME",
        help="When its former secrets end, such as 2027-01-01T00:00:00+01:00. Default: when they are revoked.",
    ),
]


Scopes = Annotated[list[str], typer.Option("--scope", help="What it opens, such as events:write; once or more.")]
Triggers = Annotated[
    list[str] | None, typer.Option("--trigger", help="It posts events of this trigger alone; once or more.")
]
Origins = Annotated[
    list[str] | None,
    typer.Option(
        "--origin", help="It is for pages of this site alone, such as https://shop.example.com; once or more."
    ),
]
PerSecond = Annotated[float | None, typer.Option(metavar="NUMBER", help="It posts so many events a second at most.")]


@app.command("create")
def create(  # noqa: PLR0913, PLR0917 - each is an option
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, the source of the events that it posts.")],
    scopes: Scopes,
    triggers: Triggers = None,
    origins: Origins = None,
    until: Until = None,
    per_second: PerSecond = None,
    json_: AsJson = False,
) -> None:
    """Make a key. Its secret is printed, this once."""
    from terminal import keys
    from terminal.asking import answer, ask

    key = _key(name, scopes, triggers, origins, until, per_second)
    told = ask(options.connection(context), lambda api: api.post(keys.KeySecret, "keys", body=key))
    answer(told, keys.created(told), as_json=json_)


@app.command("change")
def change(  # noqa: PLR0913, PLR0917 - each is an option
    context: typer.Context,
    name: Named,
    scopes: Scopes,
    triggers: Triggers = None,
    origins: Origins = None,
    until: Until = None,
    per_second: PerSecond = None,
    json_: AsJson = False,
) -> None:
    """Have a key open what is said now, and nothing else. Its secrets stay as they are."""
    from store.keys import KeyView
    from terminal import keys
    from terminal.asking import answer, ask

    key = _key(name, scopes, triggers, origins, until, per_second)
    told = ask(options.connection(context), lambda api: api.replace(KeyView, "keys", name, body=key))
    answer(told, keys.listed([told]), as_json=json_)


@app.command("list")
def list_keys(context: typer.Context, json_: AsJson = False) -> None:
    """List keys: what each opens, its secrets by the first digits of their hashes, and when each was last used."""
    from terminal import keys
    from terminal.asking import answer, ask

    told = ask(options.connection(context), lambda api: api.get(keys.Keys, "keys"))
    answer(told, keys.listed(told.keys), as_json=json_)


@app.command("rotate")
def rotate(context: typer.Context, name: Named, until: Ending = None, json_: AsJson = False) -> None:
    """Give a key another secret, which is printed this once. Those before stay valid until they end."""
    from terminal import keys
    from terminal.asking import answer, ask

    asked = {"until": _written(until)}
    told = ask(options.connection(context), lambda api: api.post(keys.KeySecret, "keys", name, "rotate", body=asked))
    answer(told, keys.rotated(told), as_json=json_)


@app.command("revoke")
def revoke(
    context: typer.Context,
    name: Named,
    secret: Annotated[str | None, typer.Option(metavar="ID", help="Only this secret; list shows the ids.")] = None,
    json_: AsJson = False,
) -> None:
    """Revoke a key with all its secrets, or one of them. Within 5 seconds, it opens nothing anywhere."""
    from store.keys import KeyView
    from terminal import keys
    from terminal.asking import answer, ask

    if secret:
        left = ask(options.connection(context), lambda api: api.delete(KeyView, "keys", name, "secrets", secret))
        answer(left, keys.left(left, secret), as_json=json_)
    else:
        told = ask(options.connection(context), lambda api: api.delete(keys.Revoked, "keys", name))
        answer(told, keys.revoked(told), as_json=json_)


def _key(
    name: str,
    scopes: list[str],
    triggers: list[str] | None,
    origins: list[str] | None,
    until: datetime | None,
    per_second: float | None,
) -> dict[str, object]:
    return {
        "key": name,
        "scopes": scopes,
        "triggers": triggers or [],
        "origins": origins or [],
        "until": _written(until),
        "per_second": per_second,
    }


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
