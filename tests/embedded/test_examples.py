"""The examples: valid without a warning, previewed as it is written beside this test, and played for real."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

import cli
from embedded import telling
from embedded.cast import begin_after, cast
from embedded.examples import HOME, Example, find, names
from embedded.playing import Play, playing, settings_in
from embedded.skipping import skipping_client
from embedded.story import PEOPLE
from journeys.clearance.policy import Policy
from journeys.steps import Message, every_step
from terminal import rehearsal
from terminal.folder import Customer, Folder, validate, warnings
from tests.payloads import told_in
from tests.programs import program
from tests.temporal_fixtures import uses_temporalio

PREVIEWS = Path(__file__).parent / "previews"
NAME = "Zeldamira"

each_example = pytest.mark.parametrize("name", names())
each_script = pytest.mark.parametrize(
    ("name", "script"),
    [
        pytest.param(name, file.stem, id=f"{name} {file.stem}")
        for name in names()
        for file in HOME.glob(f"{name}/scripts/*")
    ],
)


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A Temporal that skips time, as the demonstration has one: it begins today, whatever other tests have skipped."""
    uses_temporalio()
    async with skipping_client(tmp_path_factory.mktemp("temporal")) as connected:
        yield connected


MEANT = {"win-back": ['2 messages may come due within 7 days ("we-think-of-you" and "gift"']}
"""What is warned of in an example because it shows just that."""


@each_example
def test_an_example_is_valid_and_warned_of_nothing_that_is_not_meant(name: str) -> None:
    folder = find(name).folder

    assert validate(folder) == []
    told = [flaw.message for flaws in warnings(folder).values() for flaw in flaws]
    assert [message.partition(";")[0] for message in told] == MEANT.get(name, [])


@each_example
def test_each_script_is_played_by_somebody_else(name: str) -> None:
    played_by = [script.customer for script in find(name).scripts]

    assert len(played_by) >= 2
    assert len({*played_by}) == len(played_by)
    assert {*played_by} <= {*find(name).folder.all(Customer)}


@each_example
def test_an_example_says_in_ten_lines_what_it_shows(name: str) -> None:
    lines = (HOME / name / "README.md").read_text().splitlines()

    assert len(lines) <= 12
    assert f"sojourn demo {name}" in lines
    assert any(line.startswith(f"sojourn preview examples/{name}/journeys/{name}.yaml --script ") for line in lines)


def test_the_examples_go_side_by_side() -> None:
    """Whoever applies all of them to one stack has them all: none writes over what another one needs."""
    there = defaultdict(list)
    for name in names():
        for file in find(name).folder.files:
            there[file.kind, file.name].append(file.model)

    assert [
        key for key, models in there.items() if key[0] != "script" and any(model != models[0] for model in models)
    ] == []


@each_script
def test_a_preview_tells_the_story(name: str, script: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Written with: sojourn preview examples/NAME/journeys/NAME.yaml --script SCRIPT > the file."""
    code = cli.run(["preview", str(HOME / name / "journeys" / f"{name}.yaml"), "--script", script])

    assert code == 0
    assert capsys.readouterr().out == (PREVIEWS / name / f"{script}.txt").read_text()


def test_no_preview_is_kept_of_a_script_that_is_gone() -> None:
    kept = {(file.parent.name, file.stem) for file in PREVIEWS.glob("*/*.txt")}

    assert kept == {(name, file.stem) for name in names() for file in HOME.glob(f"{name}/scripts/*")}


@each_example
async def test_it_is_played_for_real_as_previewed_and_temporal_hears_nothing_personal(
    name: str, client: Client, tmp_path: Path
) -> None:
    example = renamed(find(name))
    async with playing(example, settings_in(tmp_path), client) as play:
        assert [change async for change in play.apply()]
        async for _ in play.go():
            pass
        views = await play.views()

        assert telling.differences(play.parts, views) == []
        assert len(views) >= len(example.scripts)
        assert any(NAME in part for message in play.stage.messages for part in message.parts.values())
        planted = {*secrets(play)}
        assert NAME in planted
        for _, run in views:
            told = told_in(await client.get_workflow_handle(run.id).fetch_history())
            assert run.sends[0].content in told  # we do look inside
            assert [secret for secret in planted if secret.lower() in told.lower()] == []


@each_example
def test_all_that_an_example_sends_is_sent_to_somebody(name: str) -> None:
    """The scripts come by every message, so that none of them is there unseen."""
    example = find(name)
    parts = cast(example, rehearsal.begin_of(example.journey), Policy())

    came_up = {send.step for part in parts for run in part.foreseen for send in run.sends}

    assert came_up == {step.id for step in every_step(example.journey.steps) if isinstance(step, Message)}


@pytest.mark.parametrize(
    ("now", "weeks"),
    [("2020-01-01T00:00:00", 0), ("2026-01-01T09:00:00", 0), ("2026-01-01T09:00:01", 1), ("2026-07-01T00:00:00", 26)],
)
def test_it_begins_on_the_weekday_and_at_the_time_of_its_previews(now: str, weeks: int) -> None:
    begin = begin_after(datetime.fromisoformat(now).replace(tzinfo=UTC), find("welcome"))

    assert begin == datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(weeks=weeks)


def test_dates_of_events_move_on_the_customers_own_clock() -> None:
    """In summer, the appointment at half past three in Oslo is at half past three in Oslo."""
    example = find("appointment")
    begin = begin_after(datetime(2026, 7, 1, tzinfo=UTC), example)

    (pia,) = [part for part in cast(example, begin, Policy()) if part.id == "pia"]

    assert pia.lines[0].attributes["starts_at"] == "2026-07-09T15:30:00+02:00"
    assert pia.lines[0].attributes["when"] == "Thursday at 15:30"


async def test_a_run_that_is_not_as_previewed_is_told_apart(client: Client, tmp_path: Path) -> None:
    async with playing(find("welcome"), settings_in(tmp_path), client) as play:
        assert [change async for change in play.apply()]
        async for _ in play.go():
            pass
        views = await play.views()
        (part, run), *others = views
        late = run.model_copy(update={"ended_at": run.ended_at and run.ended_at + timedelta(minutes=2)})
        unsent = run.model_copy(update={"sends": run.sends[1:]})

        assert telling.differences(play.parts, [(part, late), *others])[0].startswith(f"{part.name}: expected exited ")
        assert telling.differences(play.parts, [(part, unsent), *others])[0].startswith(f"{part.name}: expected hello ")
        assert telling.differences(play.parts, others) == [f"{part.name}: expected 1 runs; found 0"]


def test_sojourn_demo_plays_an_example_of_that_name(tmp_path: Path) -> None:
    with program("demo", "welcome", folder=tmp_path, TMPDIR=str(tmp_path)) as demo:
        code = demo.wait()

    assert code == 0, demo.printed
    assert "09:00  Kari      → email “Three beds are plenty to begin with”  kari@example.org" in demo.printed
    assert "✓ To the minute what `sojourn preview` says of these scripts, and nothing else." in demo.printed
    assert "Traceback" not in demo.printed
    assert list(tmp_path.iterdir()) == []


def test_the_examples_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["demo", "--list"]) == 0

    printed = capsys.readouterr().out
    assert [name for name in names() if f"\n{name} " not in printed] == []
    assert "Kari, Maya, Ravi" in printed
    assert ", ".join(person.name for person in PEOPLE) in printed


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["welcom"], 1, 'There is no example "welcom". Did you mean "welcome"?', id="misspelt"),
        pytest.param(["xyz"], 1, f"There is: {', '.join(names())}.", id="unknown"),
        pytest.param(["welcome", "--day", "2s"], 2, "--day: only with abandoned-cart.", id="a pace"),
        pytest.param(
            ["welcome", "--keep", "--port", "0"], 2, "--port, --keep: only with abandoned-cart.", id="options"
        ),
    ],
)
def test_what_no_demonstration_can_do_is_said(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["demo", *arguments]) == code

    printed = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert words in printed


def renamed(example: Example) -> Example:
    """The same example with a first name for everybody that is in no id."""
    files = [
        replace(file, model=file.model.model_copy(update={"attributes": {**file.model.attributes, "first_name": NAME}}))
        if isinstance(file.model, Customer)
        else file
        for file in example.folder.files
    ]
    return replace(example, folder=Folder(files))


def secrets(play: Play) -> Iterator[str]:
    """What is known of the customers and their events, but for what the journey itself names, such as a tier."""
    definition = play.example.journey.model_dump_json()
    known = [part.customer.attributes for part in play.parts]
    known += [line.attributes for part in play.parts for line in part.lines]
    for value in (value for attributes in known for value in attributes.values()):
        # A whole number, or two letters of a country, may be in anything.
        if isinstance(value, str | float) and len(str(value)) > 4 and str(value) not in definition:
            yield str(value)
