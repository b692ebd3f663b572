"""The command line: ``sojourn …``. Each command reads its arguments, asks the rooms, and shows what they say."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from terminal import (
    database_commands,
    ending_commands,
    exits,
    key_commands,
    options,
    panels,
    pause_commands,
    policy_commands,
    repair_commands,
    streams,
    suppression_commands,
)
from terminal.options import AsJson, CatchUp, DryRun, People, Yes

if TYPE_CHECKING:
    from terminal.client import Connection

# The rooms are imported by the commands that need them: `sojourn --help` must not load the whole engine.
Ended = TypeVar("Ended")

app = typer.Typer(
    help="Durable customer journeys on Temporal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(key_commands.app, name="key", help="Make, change, list, rotate and revoke the keys of the API.")
app.add_typer(pause_commands.app)
app.add_typer(ending_commands.app)
app.add_typer(suppression_commands.app)
app.add_typer(policy_commands.app, name="policy", help="Show the house's policy, put another one, see what was before.")


def _whole(given: str | int) -> int:
    text = str(given)  # a default is read as well
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise typer.BadParameter(f'"{text}" is no whole number.')
    return int(text)


def _some(given: str | int) -> int:
    if (number := _whole(given)) < 1:
        raise typer.BadParameter("It is at least 1.")
    return number


# Said before anything is imported, which takes seconds on a machine that has not compiled it yet.
STARTING = "Starting Temporal, the API and a worker …"
ABANDONED_CART = "abandoned-cart"

At = Annotated[
    datetime | None,
    typer.Option(
        parser=options.time,
        metavar="TIME",
        help="When it happened, such as 2026-11-24T09:00:00+01:00; without an offset in UTC. Default: now.",
    ),
]
Start = Annotated[
    datetime | None,
    typer.Option(
        parser=options.time,
        metavar="TIME",
        help="When the script begins, such as 2026-11-24T09:00:00+01:00; without an offset in UTC.",
    ),
]
Places = Annotated[list[Path], typer.Argument(help="Files, or folders of files.", exists=True)]
Pace = Annotated[str | None, typer.Option(help="How long a day lasts, such as 5s.")]
ApiPort = Annotated[
    int | None, typer.Option("--port", parser=_whole, metavar="PORT", help="Port of the API; 0 takes a free one.")
]
TemporalPort = Annotated[
    int | None, typer.Option(parser=_whole, metavar="PORT", help="Port of the embedded Temporal; 0 takes a free one.")
]
UiPort = Annotated[
    int | None,
    typer.Option(
        "--temporal-ui-port", parser=_whole, metavar="PORT", help="Port of Temporal's UI; 0 takes a free one."
    ),
]


def main() -> NoReturn:
    """What ``sojourn`` runs."""
    streams.prepare()
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # it was flushed line by line, and told where that failed
            stream.flush()
    os._exit(code)  # temporalio can abort while the interpreter shuts down (sdk-python #300)


def run(arguments: list[str]) -> int:
    """Do one command and return its exit code, one of terminal/exits.py. What is foreseen is told in words."""
    try:
        app(arguments, prog_name="sojourn", obj=_connection)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exits.DONE
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a bug's traceback would be lost by leaving as we do
        return exits.told(error)
    return exits.DONE


# --- run -------------------------------------------------------------------------------------------


@app.command()
def dev(
    data: Annotated[Path | None, typer.Option(help="Folder of the data; it survives restarts.")] = None,
    day: Pace = None,
    port: ApiPort = None,
    temporal_port: TemporalPort = None,
    temporal_ui_port: UiPort = None,
) -> None:
    """Start Temporal, the API and a worker on this machine, to work with. Ctrl-C ends all."""
    typer.echo(STARTING)
    import uvloop

    from embedded.dev import run_dev
    from settings import read_settings

    settings = read_settings(
        data=data, day=day, port=port, temporal_port=temporal_port, temporal_ui_port=temporal_ui_port
    )
    raise typer.Exit(uvloop.run(run_dev(settings)))


@app.command()
def demo(  # noqa: PLR0913, PLR0917 - each is an option
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The example to play; --list names them.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the examples instead.")] = False,
    day: Pace = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end, until Ctrl-C.")] = False,
    providers: Annotated[
        str | None,
        typer.Option(
            parser=options.one_of("none", "fake"),
            metavar="none|fake",
            help="fake: send through the providers' SDKs to local fakes, and take opens from their webhooks.",
        ),
    ] = None,
    port: ApiPort = None,
    temporal_port: TemporalPort = None,
    temporal_ui_port: UiPort = None,
) -> None:
    """Watch four customers walk the abandoned-cart journey; days take seconds. Or NAME: another example, time skipped.

    The options are for the abandoned cart: in other examples the time between is skipped, and all of it ends at once.
    """
    from embedded import examples
    from terminal.show import tell

    if list_:
        tell(examples.listed())
        return
    ports = {"port": port, "temporal_port": temporal_port, "temporal_ui_port": temporal_ui_port}
    if name is None or name == ABANDONED_CART:
        typer.echo(STARTING)
        import uvloop

        from embedded.demo import run_demo

        at = {option: number or 0 for option, number in ports.items()}
        raise typer.Exit(uvloop.run(run_demo(day or "5s", at, keep=keep, fake=providers == "fake")))
    example = examples.find(name)
    _only_with_the_cart(**ports, day=day, keep=keep or None, providers=providers)
    typer.echo(STARTING)
    import uvloop

    from embedded.playing import run_example

    raise typer.Exit(uvloop.run(run_example(example)))


def _only_with_the_cart(**options: object) -> None:
    if given := [f"--{option.replace('_', '-')}" for option, value in options.items() if value is not None]:
        raise typer.BadParameter(
            f"{', '.join(given)}: only with {ABANDONED_CART}. In other examples the time between is skipped."
        )


@app.command()
def api() -> None:
    """Serve the API alone, against any database and any Temporal."""
    import uvloop

    from server import run_api
    from settings import read_settings

    raise typer.Exit(uvloop.run(run_api(read_settings())))


@app.command()
def worker() -> None:
    """Run a worker alone, against any database and any Temporal."""
    import uvloop

    from settings import read_settings
    from terminal.logs import log_to
    from worker import run_worker

    settings = read_settings()
    log_to(None, settings.log_level)
    raise typer.Exit(uvloop.run(run_worker(settings)))


@app.command()
def migrate(dry_run: DryRun = False, json_: AsJson = False) -> None:
    """Bring the database up to what this release needs. What others wait for meanwhile is said before."""
    from settings import read_settings

    settings = read_settings()
    folder = None if settings.database_url else settings.data
    _loop(database_commands.bring_up_to_date(settings.database, folder, dry_run=dry_run, as_json=json_))


@app.command()
def prune(
    dry_run: DryRun = False,
    policy: Annotated[
        Path | None,
        typer.Option(help="With --dry-run: what would go if this file were the policy.", exists=True, dir_okay=False),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Prune what is over for longer than the policy keeps it, now. Workers do the same, every ten minutes."""
    from settings import read_settings

    _loop(database_commands.prune_now(read_settings().database, policy=policy, dry_run=dry_run, as_json=json_))


@app.command("check-upgrade")
def check_upgrade(
    sample: Annotated[int, typer.Option(help="Replay at most so many runs.", min=1, max=20_000)] = 200,
    json_: AsJson = False,
) -> None:
    """Replay a sample of the runs under way by this release's code, before it is rolled out. Nothing is written."""
    from settings import read_settings
    from terminal import upgrading
    from terminal.asking import answer
    from terminal.temporal import beside

    settings = read_settings()
    found = _loop(upgrading.check(settings.task_queue, sample, beside(settings.data)))
    answer(found, upgrading.told(found, settings.task_queue), as_json=json_)
    if found.broken:
        raise typer.Exit(exits.REFUSED)


# --- define ----------------------------------------------------------------------------------------


@app.command()
def validate(paths: Places, json_: AsJson = False) -> None:
    """Check definitions without sending anything, and say everything that is wrong at once."""
    from journeys.problems import Invalid
    from terminal import folder, show
    from terminal.asking import answer

    found = folder.together(paths)
    if flaws := folder.validate(found, only=paths):
        raise Invalid(folder.count(flaws), flaws)
    checked, warned = found.within(paths), folder.warnings(found, only=paths)
    about = [
        {"kind": file.kind, "name": file.name, "path": str(file.path), "warnings": warned[file.path]}
        for file in checked
    ]
    answer(about, [*show.checked(checked), *show.warnings(chain(*warned.values()))], as_json=json_)


@app.command()
def schema(
    kind: Annotated[str | None, typer.Argument(help="journey, trigger, content …; without it, for any file.")] = None,
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a file for each kind instead.")] = None,
) -> None:
    """Print the JSON Schema by which editors complete and check the files of a folder."""
    from terminal import show
    from terminal.schema import ANY, schema_of, write_schemas

    if to is None:
        show.data(schema_of(kind or ANY))
    else:
        for path in write_schemas(to, kind):
            show.tell(f"{path} is written.")


@app.command("show")
def show_journey(
    file: Annotated[Path, typer.Argument(help="The journey's file.", exists=True, dir_okay=False)],
    json_: AsJson = False,
) -> None:
    """Draw a journey as a tree: its steps, their arms, and how it ends."""
    from terminal import rehearsal, trees
    from terminal.asking import answer
    from terminal.folder import read_folder

    journey = rehearsal.journey_in(file, read_folder([file]))
    answer(journey.model_dump(mode="json", by_alias=True, exclude_unset=True), trees.tree(journey), as_json=json_)


@app.command()
def preview(
    file: Annotated[Path, typer.Argument(help="The journey's file.", exists=True, dir_okay=False)],
    script: Annotated[str | None, typer.Option(help="What happens: a script's name or file.")] = None,
    customer: Annotated[str | None, typer.Option(help="To whom: a customer's name or file.")] = None,
    paths: Annotated[bool, typer.Option("--paths", help="Show every way through instead.")] = False,
    start: Start = None,
    json_: AsJson = False,
) -> None:
    """See who would get what and when, on a virtual clock. Nothing is sent."""
    from journeys.walk.paths import every_path
    from terminal import pictures, rehearsal
    from terminal.asking import answer
    from terminal.folder import Script

    journey, folder = rehearsal.journey_at(file)
    if paths:
        ways = every_path(journey)
        answer(ways, pictures.paths(ways, journey), as_json=json_)
        return
    happens = rehearsal.choose(Script, script, folder)
    sample = rehearsal.customer_for(happens, customer, folder)
    played = rehearsal.play(journey, folder, happens, sample, start)
    answer(played, pictures.timeline(played, journey, happens, sample.customer), as_json=json_)


@app.command()
def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of definitions.", exists=True)],
    draft: Annotated[bool, typer.Option("--draft", help="Leave journeys unpublished.")] = False,
    people: People = "stay",
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Send a folder of definitions to the API, mark them ready, and publish the journeys.

    It says what is otherwise in new versions, and for how many people inside; at a terminal it asks before.
    Before it puts a policy that keeps less than the one in force it asks too, and a script says --yes.
    """
    from journeys.problems import Invalid
    from terminal import show
    from terminal.applying import apply_and_tell
    from terminal.asking import ask
    from terminal.folder import count, read_folder, validate, warnings

    found = read_folder([folder])
    if flaws := validate(found):
        raise Invalid(f"{count(flaws)} Nothing was sent.", flaws)
    show.tell(show.warnings(chain(*warnings(found).values())), error=True)
    ask(
        _connection(),
        lambda api: apply_and_tell(api, found, publish=not draft, people=people, yes=yes, as_json=json_),
    )


@app.command()
def publish(
    name: Annotated[str, typer.Argument(help="The journey.")],
    people: People = "stay",
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="A step of older versions that has another name now."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Publish a journey's draft as its next version. The same draft again changes nothing. At a terminal it asks first.

    It says what is otherwise, and for how many people inside.
    """
    from terminal import publishing
    from terminal.confirming import How, carry_out
    from terminal.values import pairs

    asked = {"people": people, "map": pairs(map_ or [], "step", "--map OLD=NEW, such as --map pause=rest")}
    carry_out(
        _connection(),
        lambda api, dry: publishing.publish(api, name, asked, dry_run=dry),
        publishing.WORDS,
        How(dry_run, yes, json_),
    )


@app.command()
def release(
    name: Annotated[str, typer.Argument(help="The journey.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Let a journey go that the brake holds: what waited goes out, one after the other. At a terminal it asks first."""
    from store.held_journeys import LetGo
    from terminal import waiting
    from terminal.confirming import How, carry_out
    from terminal.releasing import RELEASE

    carry_out(
        _connection(),
        lambda api, dry: waiting.do_all(api, LetGo, name, "release", {}, dry_run=dry),
        RELEASE,
        How(dry_run, yes, json_),
    )


app.command()(repair_commands.repair)

# --- use -------------------------------------------------------------------------------------------


@app.command()
def event(
    trigger: Annotated[str, typer.Argument(help="What happened, such as abandoned-cart.")],
    customer: Annotated[str, typer.Argument(help="To whom.")],
    attributes: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="The event's id. The same id is the same event.")] = None,
    at: At = None,
    json_: AsJson = False,
) -> None:
    """Post one event, and say what it did."""
    from terminal import show
    from terminal.asking import answer, ask
    from terminal.client import post_event
    from terminal.values import pairs

    given = pairs(attributes or [])
    told = ask(_connection(), lambda api: post_event(api, trigger, customer, given, id=id_, occurred_at=at))
    answer(told, show.receipt(told), as_json=json_)


@app.command()
def journeys(
    archived: Annotated[bool, typer.Option("--archived", help="Also those that are archived.")] = False,
    json_: AsJson = False,
) -> None:
    """List journeys: whether they are live, and how many people are inside."""
    from terminal import listing
    from terminal.asking import answer, ask

    told = ask(_connection(), lambda api: api.get(listing.Journeys, "journeys", archived=archived or None))
    answer(told, listing.journeys(told.journeys, told.unreadable), as_json=json_)


@app.command("journey")
def show_one(name: Annotated[str, typer.Argument(help="The journey.")], json_: AsJson = False) -> None:
    """Show one journey: its state, its versions, and what became of everybody in them."""
    from store.journeys import JourneyView
    from terminal import listing
    from terminal.asking import answer, ask

    told = ask(_connection(), lambda api: api.get(JourneyView, "journeys", name))
    answer(told, listing.journey(told), as_json=json_)


@app.command()
def runs(
    journey: Annotated[str | None, typer.Option(help="Only runs of this journey.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only runs of this customer.")] = None,
    active: Annotated[bool, typer.Option("--active", help="Only runs that are under way.")] = False,
    held: Annotated[
        bool,
        typer.Option("--held", help="Only runs whose message waits: quiet time, pause, brake, parked …"),
    ] = False,
    limit: Annotated[int, typer.Option(parser=_some, metavar="NUMBER", help="At most so many, the newest first.")] = 50,
    json_: AsJson = False,
) -> None:
    """List runs: who walks which journey, and where they stand."""
    from store.runs import RunPage
    from terminal import show
    from terminal.asking import answer, ask

    asked = {"journey": journey, "customer": customer, "active": active or None, "held": held or None, "limit": limit}
    told = ask(_connection(), lambda api: api.get(RunPage, "runs", **asked))
    answer(told, show.runs(told, datetime.now(UTC), show.terminal_width()), as_json=json_)


@app.command()
def problems(json_: AsJson = False) -> None:
    """Show what needs somebody now, and what helps: journeys held, channels down, endpoints closed …"""
    from store.open_problems import OpenProblems
    from terminal import show
    from terminal.asking import answer, ask

    told = ask(_connection(), lambda api: api.get(OpenProblems, "problems"))
    answer(told, show.problems(told.problems), as_json=json_)


@app.command("tests")
def show_tests(name: Annotated[str, typer.Argument(help="The journey.")], json_: AsJson = False) -> None:
    """Show the tests of a journey: who is in which arm, when each is decided, and how. No look ends one sooner."""
    from store.ab_views import Tests
    from terminal import comparing
    from terminal.asking import answer, ask

    told = ask(_connection(), lambda api: api.get(Tests, "journeys", name, "tests"))
    answer(told, comparing.tests(told.tests, name), as_json=json_)


@app.command("run")
def show_run(id_: Annotated[str, typer.Argument(metavar="ID")], json_: AsJson = False) -> None:
    """Show one run: its diary, its sends, and why it is where it is."""
    from store.runs import RunView
    from terminal import show
    from terminal.asking import answer, ask

    connection = _connection()
    told = ask(connection, lambda api: api.get(RunView, "runs", id_))
    answer(told, show.run(told, connection.runs_page, datetime.now(UTC)), as_json=json_)


@app.command()
def erase(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The customer.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Erase a customer for good: all that is personal goes, and their runs end. A script has to say --yes."""
    from terminal.erasing import erase_customer

    erase_customer(_connection(), id_, dry_run=dry_run, yes=yes, as_json=json_)


@app.command()
def rebuild(  # noqa: PLR0913, PLR0917 - each is an option
    journey: Annotated[str | None, typer.Option(help="Only runs of this journey.")] = None,
    catch_up: CatchUp = "now",
    give_up: Annotated[bool, typer.Option("--give-up", help="End those that are missing instead.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Tell all others, too, where they stand.")] = False,
    went_back: Annotated[
        bool,
        typer.Option(
            "--database-went-back", help="A backup of the database was put back: end what only Temporal knows."
        ),
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    json_: AsJson = False,
) -> None:
    """Start runs again that Temporal has lost, each where it stands. It takes no API."""
    from settings import read_settings
    from terminal import rebuilding
    from terminal.confirming import How, carry_out_here
    from terminal.temporal import beside
    from workflows.rebuilding import Wish

    settings = read_settings()
    where = rebuilding.Where(settings.database, settings.task_queue, beside(settings.data))
    how = How(dry_run, yes, json_)
    if went_back:
        restore = rebuilding.RESTORE
        carry_out_here(lambda dry: _loop(rebuilding.restore(where, dry_run=dry)), restore, how._replace(unasked=False))
        return
    wish = Wish(journey=journey, catch_up=rebuilding.catch_up(catch_up), give_up=give_up, all_=all_)
    carry_out_here(
        lambda dry: _loop(rebuilding.rebuild(where, wish.model_copy(update={"dry_run": dry}))),
        rebuilding.words(wish),
        how,
    )


@app.command()
def audit(
    what: Annotated[
        str | None, typer.Argument(help="Only changes of this, such as journey/welcome, or of all of a kind: journey.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Only by the key of this name.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=options.time, metavar="TIME", help="Only from then on, such as 2026-11-24; without an offset in UTC."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the latest first.", min=1, max=200)] = 50,
    before: Annotated[int | None, typer.Option(help="Only those before this one.", min=1)] = None,
    json_: AsJson = False,
) -> None:
    """Show who changed what, and when."""
    from store.audit import AuditPage
    from terminal import auditing
    from terminal.asking import answer, ask

    asked = {"what": what, "by": by, "since": since and since.isoformat(), "limit": limit, "before": before}
    told = ask(_connection(), lambda api: api.get(AuditPage, "audit", **asked))
    answer(told, auditing.listed(told), as_json=json_)


# --- beneath ---------------------------------------------------------------------------------------


def _connection() -> Connection:
    from settings import read_settings
    from terminal.client import find_connection

    settings = read_settings()
    key = settings.key.get_secret_value() if settings.key else ""
    return find_connection(settings.url, key, settings.data)


panels.arrange(app)


def _loop(work: Coroutine[Any, Any, Ended]) -> Ended:
    import asyncio

    return asyncio.run(work)
