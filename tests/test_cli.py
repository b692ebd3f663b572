"""``sojourn`` on the command line: offline, and against a real API."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import cli
from store.store import open_store
from store.suppressions import suppress
from terminal.applying import NOT_PUT, NOTHING_PUBLISHED
from terminal.started import command
from tests.programs import EXAMPLE, PATIENCE, SOJOURN, environment, program
from tests.typed import types

JOURNEY = EXAMPLE / "journeys" / "abandoned-cart.yaml"
KEY = "a-key-for-tests-that-nobody-would-guess"

Sojourn = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example, to be broken."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but those of the test."""
    monkeypatch.chdir(tmp_path)
    for name in ("SOJOURN_URL", "SOJOURN_KEY", "SOJOURN_DATA", "SOJOURN_PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sojourn(capsys: pytest.CaptureFixture[str]) -> Sojourn:
    """Runs a command, checks its exit code, and returns what it printed."""

    def run(*arguments: str, code: int = 0) -> str:
        ended = cli.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert ended == code, printed
        assert "Traceback" not in printed.err
        return printed.err if code else printed.out

    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the API keeps its database."""
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="module")
def api(data: Path) -> Iterator[str]:
    """A real API on a database of its own, and no Temporal: events are taken all the same."""
    named = {"SOJOURN_DATA": str(data), "SOJOURN_KEY": KEY, "SOJOURN_PORT": "0", "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    named["SOJOURN_SECRET"] = secrets.token_hex()
    with program("migrate", folder=data, **named) as migrated:
        assert migrated.wait() == 0, migrated.printed
    with program("api", folder=data, **named) as serving:
        yield serving.until(r"listening url=(http://\S+)")[1]


@pytest.fixture
def online(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_URL", api)
    monkeypatch.setenv("SOJOURN_KEY", KEY)


# --- offline ---------------------------------------------------------------------------------------


def test_the_example_is_valid(sojourn: Sojourn) -> None:
    printed = sojourn("validate", EXAMPLE)

    assert printed.count("✓") == 14


def test_show_draws_a_journey_as_a_tree(folder: Path, sojourn: Sojourn) -> None:
    journey = folder / "journeys" / "abandoned-cart.yaml"
    journey.write_text(journey.read_text().replace("email: initial-email-reminder", "email: not-written-yet"))

    drawn = sojourn("show", journey)
    data = json.loads(sojourn("show", journey, "--json"))
    other = sojourn("show", folder / "customers" / "ada.yaml", code=1)

    assert "│     └─ final-reminder  sends push final-push-notification\n✓ completed\n" in drawn
    assert "├─ initial-reminder  sends email not-written-yet" in drawn
    assert data["steps"][1]["if"] == {"message": "initial-reminder", "is": "opened", "within": "1 day"}
    assert "ada.yaml holds no journey." in other


def test_schema_prints_and_writes_what_editors_need(tmp_path: Path, sojourn: Sojourn) -> None:
    printed = json.loads(sojourn("schema", "journey"))
    any_file = json.loads(sojourn("schema"))
    written = sojourn("schema", "--to", tmp_path / "schemas")
    unknown = sojourn("schema", "jurney", code=1)

    assert printed["$ref"] == "#/$defs/Journey"
    assert {"$ref": "#/$defs/Journey"} in any_file["anyOf"]
    assert f"{tmp_path / 'schemas' / 'journey.schema.json'} is written." in written
    assert json.loads((tmp_path / "schemas" / "journey.schema.json").read_text()) == printed
    assert 'Did you mean "journey"?' in unknown


def test_validate_names_every_flaw_of_every_file(folder: Path, sojourn: Sojourn) -> None:
    journey = folder / "journeys" / "abandoned-cart.yaml"
    journey.write_text(journey.read_text().replace("message: initial-reminder", "message: intial-reminder"))
    content = folder / "contents" / "second-text-reminder.yaml"
    content.write_text(content.read_text().replace("customer.first_name", "client.first_name"))

    printed = sojourn("validate", folder, code=1)

    assert 'steps[1].if.message: no message step "intial-reminder". Did you mean "initial-reminder"?' in printed
    assert f'{content}: text.body: line 1: "client.first_name" ' in printed


def test_validate_warns_of_holes_and_tells_a_flaw_once(folder: Path, sojourn: Sojourn) -> None:
    content = folder / "contents" / "second-text-reminder.yaml"
    content.write_text("content: second-text-reminder\ntext:\n  body: Hi {{ customer.first_name }}\n")
    warned = sojourn("validate", folder)
    by_name = {file["name"]: file["warnings"] for file in json.loads(sojourn("validate", folder, "--json"))}
    content.write_text("content: second-text-reminder\ntext:\n  body: Hi {{ customer.first_name | upcas }}\n")
    refused = sojourn("validate", folder, code=1)
    alone = sojourn("validate", folder / "journeys" / "abandoned-cart.yaml", code=1)

    assert "warning: " in warned
    assert "where customer.first_name is missing" in warned
    assert [len(by_name[name]) for name in ("abandoned-cart", "second-text-reminder")] == [1, 0]
    assert refused.startswith("error: 1 thing is wrong.")
    assert 'second-text-reminder.yaml: text.body: line 1: there is no filter "upcas". Did you mean' in refused
    assert 'abandoned-cart.yaml: steps[1].else[0].text: content "second-text-reminder", text.body: line 1:' in alone


def test_validate_tells_of_files_that_cannot_be_read(folder: Path, sojourn: Sojourn) -> None:
    (folder / "triggers" / "broken.yaml").write_text("trigger: [")
    (folder / "contents" / "unknown.yaml").write_text("campaign: spring")
    shutil.copy(folder / "triggers" / "abandoned-cart.yaml", folder / "triggers" / "twice.yaml")

    printed = sojourn("validate", folder, code=1)

    assert "3 things are wrong." in printed
    assert f"{folder}/triggers/broken.yaml" in printed
    assert f"{folder}/contents/unknown.yaml" in printed
    assert '"abandoned-cart" is also in' in printed


def test_a_journeys_file_is_validated_with_what_lies_around_it(folder: Path, sojourn: Sojourn) -> None:
    (folder / "contents" / "final-push-notification.yaml").unlink()

    printed = sojourn("validate", folder / "journeys" / "abandoned-cart.yaml", code=1)

    assert 'push: no content "final-push-notification".' in printed


def test_what_editors_keep_in_a_folder_is_no_definition(folder: Path, sojourn: Sojourn) -> None:
    sojourn("schema", "--to", folder / ".sojourn" / "schemas")
    (folder / ".vscode").mkdir()
    (folder / ".vscode" / "settings.json").write_text("{}")
    (folder / ".prettierrc.yaml").write_text("tabWidth: 2")

    printed = sojourn("validate", folder)

    assert printed.count("✓") == 14


@pytest.mark.parametrize(
    ("script", "sent", "ended"),
    [
        ("opens-after-three-hours", ["email"], "completed"),
        ("buys-on-the-second-day", ["email", "text"], "exited, goal met"),
        ("buys-the-same-day", ["email"], "exited, goal met"),
        ("does-nothing", ["email", "text", "push"], "completed"),
    ],
)
def test_preview_shows_who_would_get_what_and_when(sojourn: Sojourn, script: str, sent: list[str], ended: str) -> None:
    printed = sojourn("preview", JOURNEY, "--script", script, "--customer", "ada")

    assert f"Sent: {', '.join(sent)}. Ended: {ended}." in printed
    assert ("day 1 00:00" in printed) == ("text" in sent)
    assert "“Ada, you left something lovely behind”" in printed


def test_a_script_names_who_plays_it_and_the_command_line_somebody_else(sojourn: Sojourn) -> None:
    own = sojourn("preview", JOURNEY, "--script", "does-nothing")
    other = sojourn("preview", JOURNEY, "--script", "does-nothing", "--customer", "bo")

    assert "customer cy; times are in UTC; a preview" in own
    assert "customer bo; times are in UTC; a preview" in other


def test_preview_says_that_nobody_is_there_to_play_a_script(folder: Path, sojourn: Sojourn) -> None:
    (folder / "customers" / "cy.yaml").unlink()
    journey = folder / "journeys" / "abandoned-cart.yaml"

    printed = sojourn("preview", journey, "--script", "does-nothing", code=1)

    assert 'There is no customer "cy".' in printed


def test_preview_is_json_for_scripts(sojourn: Sojourn) -> None:
    played = json.loads(sojourn("preview", JOURNEY, "--script", "does-nothing", "--customer", "cy", "--json"))

    assert [send["to"] for send in played["runs"][0]["sends"]] == ["cy@example.com", "+15550102", "cy-phone"]


@pytest.mark.parametrize("written", ["yes: 1\n3: 2\nnull: 3\n", "a: {b: c}\n"])
def test_what_is_no_definition_is_told_whatever_its_keys_are(folder: Path, sojourn: Sojourn, written: str) -> None:
    file = folder / "other.yaml"
    file.write_text(written)

    assert "Nothing says what this is" in sojourn("validate", file, code=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named(folder: Path, sojourn: Sojourn) -> None:
    (folder / "contents").chmod(0)

    printed = sojourn("validate", folder, code=1)

    (folder / "contents").chmod(0o700)
    assert f"{folder / 'contents'} cannot be read: Permission denied." in printed


def test_preview_shows_every_path(sojourn: Sojourn) -> None:
    printed = sojourn("preview", JOURNEY, "--paths")

    assert "2 ways through" in printed
    assert "day 2 00:00                 → push  final-push-notification" in printed
    assert "At any moment, purchase-completed ends it" in printed
    told = json.loads(sojourn("preview", JOURNEY, "--paths", "--json"))
    assert (told["ways"], len(told["paths"])) == ("2", 2)


SERIES = """
journey: nudges
start: {trigger: abandoned-cart}
steps:
  - id: nudges
    until: {trigger: purchase-completed, within: 10 days}
    steps:
      - {id: first, email: initial-email-reminder, to: customer.email}
      - {id: pause, wait: 3 days}
      - {id: second, text: second-text-reminder, to: customer.phone}
    then: [{id: thanks, push: final-push-notification, to: customer.push_token}]
"""


def test_preview_shows_how_a_series_is_left(folder: Path, sojourn: Sojourn) -> None:
    journey = folder / "journeys" / "nudges.yaml"
    journey.write_text(SERIES)

    left = sojourn("preview", journey, "--script", "buys-on-the-second-day")
    walked = sojourn("preview", journey, "--script", "does-nothing")

    assert "◁ pause is left: purchase-completed" in left
    assert "◇ nudges: yes  purchase-completed" in left
    assert "◇ nudges: no  all within is done" in walked
    assert "returned" not in left + walked
    assert "Sent: email, push." in left
    assert "Sent: email, text." in walked


def test_of_very_many_ways_the_order_is_told(folder: Path, sojourn: Sojourn) -> None:
    journey = folder / "journeys" / "many.yaml"
    asks = "\n".join(f"  - {{id: a-{n}, if: {{trigger: purchase-completed, within: 1 day}}}}" for n in range(60))
    journey.write_text(f"journey: many\nstart: {{trigger: abandoned-cart}}\nsteps:\n{asks}\n")

    assert "some 10^18 ways through; here are 200 of them, with every step" in sojourn("preview", journey, "--paths")


def test_preview_says_what_a_script_gets_wrong(folder: Path, sojourn: Sojourn) -> None:
    script = folder / "scripts" / "wrong.yaml"
    script.write_text("script: wrong\nevents:\n  - {trigger: abandoned-cart, attributes: {cart_id: c, totl: 1}}\n")

    printed = sojourn("preview", JOURNEY, "--script", script, code=1)

    assert "events[0].attributes.totl: this attribute is not declared." in printed
    assert 'There is no customer "eve".' in sojourn("preview", JOURNEY, "--customer", "eve", code=1)


def test_preview_says_that_a_message_was_not_sent_by_then(folder: Path, sojourn: Sojourn) -> None:
    script = folder / "scripts" / "early.yaml"
    script.write_text("script: early\nevents:\n  - {at: 1 hour, message: initial-reminder, is: opened}\n")

    assert "but it was not sent by then" in sojourn("preview", JOURNEY, "--script", script, code=1)


# --- without an API --------------------------------------------------------------------------------


def test_without_a_key_it_says_what_to_set(sojourn: Sojourn) -> None:
    printed = sojourn("runs", code=4)

    assert "Set SOJOURN_KEY, or start the embedded stack with: " in printed
    assert "sojourn dev\n" in printed


def test_an_api_that_does_not_answer_is_named(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SOJOURN_KEY", KEY)

    printed = sojourn("runs", code=3)

    assert "No API answers at http://127.0.0.1:1" in printed
    assert "sojourn dev`" in printed


def test_an_api_without_a_key_does_not_start(sojourn: Sojourn) -> None:
    assert "SOJOURN_KEY is not set" in sojourn("api", code=1)


def test_a_wrong_setting_is_named(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_PORT", "many")

    assert "SOJOURN_PORT: " in sojourn("runs", code=1)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("SOJOURN_PORT=99999", 'SOJOURN_PORT: found "99999"; expected at most 65535.'),
        ("SOJOURN_URL=127.0.0.1:8000", "SOJOURN_URL: expected an address such as https://"),
        ("SOJOURN_URL=http://[", "SOJOURN_URL: expected an address such as https://"),
        ("SOJOURN_KEY=two words", "SOJOURN_KEY: it is sent in a header"),
        ("SOJOURN_KEY=schlüssel", "SOJOURN_KEY: it is sent in a header"),
        ("SOJOURN_DATABASE_URL=mysql://x", "names no database that we know"),
        ("SOJOURN_DATABASE_URL=postgresql://u:p@h:port/x", "names no database that we know"),
        ("SOJOURN_DATABASE_URL=sqlite:////nowhere/x.db", "there is no folder /nowhere"),
        ("SOJOURN_DATA=/dev/null", "/dev/null cannot be used: File exists."),
    ],
)
def test_a_setting_that_will_not_do_is_told_in_words(
    sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch, setting: str, words: str
) -> None:
    monkeypatch.setenv(*setting.split("=", 1))

    printed = sojourn("migrate", code=1)

    assert words in printed
    assert "two words" not in printed
    assert "schlüssel" not in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing-like-that",),
        ("event", "abandoned-cart"),
        ("runs", "--limit", "0"),
        ("runs", "--limit", "many"),
        ("dev", "--port", "many"),
        ("demo", "--providers", "real"),
        ("validate", "not-there"),
        ("cancel", "abandoned-cart/ada/none"),
        ("event", "order", "ada", "--at", "tomorrow"),
        ("event", "order", "ada", "--at", "2026-02-30"),
        ("event", "order", "ada", "--at", "0001-01-01T00:00:00+14:00"),
        ("preview", str(JOURNEY), "--start", "25:00"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_is_not_understood_ends_with_2(sojourn: Sojourn, arguments: tuple[str, ...]) -> None:
    printed = sojourn(*arguments, code=2)

    assert "Error" in printed
    assert "Input should be" not in printed
    assert "Value error" not in printed


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("resume", "welcome", "--catch-up", "bogus"), 'none of now, skip or a duration such as "30 minutes"'),
        (("resume", "welcome", "--catch-up", "30"), 'none of now, skip or a duration such as "30 minutes"'),
        (("rebuild", "--catch-up", "bogus"), 'none of now, skip or a duration such as "30 minutes"'),
        (("publish", "welcome", "--people", "bogus"), "neither stay nor move nor drain"),
        (("apply", str(EXAMPLE), "--people", "bogus"), "neither stay nor move nor drain"),
        (("demo", "--providers", "bogus"), "neither none nor fake"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_what_an_option_takes_is_named_before_anything_is_asked_or_sent(
    sojourn: Sojourn, arguments: tuple[str, ...], named: str
) -> None:
    printed = " ".join(sojourn(*arguments, code=2).replace("│", " ").split())

    assert named in printed
    assert f"Invalid value for '{arguments[-2]}'" in printed


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize("arguments", [("order", "ad\udcffa"), ("order\udcff", "ada"), ("order", "ada", "x=\udcff")])
def test_what_is_no_text_is_not_sent(sojourn: Sojourn, arguments: tuple[str, ...]) -> None:
    assert "no text in UTF-8" in sojourn("event", *arguments, code=1)


@pytest.mark.parametrize(
    ("given", "words"), [("=1", "key=value"), ("total", "key=value"), ("a=1 a=2", "Each attribute is given once")]
)
def test_attributes_are_pairs_and_each_is_given_once(
    sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch, given: str, words: str
) -> None:
    monkeypatch.setenv("SOJOURN_KEY", KEY)

    assert words in sojourn("event", "order", "ada", *given.split(), code=1)


@pytest.mark.parametrize(
    ("script", "path", "shown"),
    [
        ("tools/sojourn", "", "tools/sojourn runs"),
        ("tools/sojourn", "tools", "sojourn runs"),
        ("my tools/sojourn", "", "'my tools/sojourn' runs"),
        ("-c", "", f"{Path(sys.executable).with_name('sojourn')} runs"),
    ],
)
def test_a_command_is_printed_as_it_works_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, path: str, shown: str
) -> None:
    file = tmp_path / "-c" if script == "-c" else tmp_path / script
    file.parent.mkdir(exist_ok=True)
    file.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [script])
    monkeypatch.setenv("PATH", str(tmp_path / path) if path else "")

    assert command("runs") == shown


# --- streams and exit codes, as a shell sees them --------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_without_the_letters_shows_the_rest(encoding: str) -> None:
    shown = shell(f"PYTHONIOENCODING={encoding} sojourn validate {EXAMPLE}")

    assert (shown.returncode, shown.stderr) == (0, b"")
    assert shown.stdout.decode(encoding).startswith("? trigger   abandoned-cart")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_json_is_the_same_whatever_the_output_can_hold(encoding: str) -> None:
    shown = shell(f"PYTHONIOENCODING={encoding} sojourn preview {JOURNEY} --customer di --json")

    played = json.loads(shown.stdout.decode(encoding))
    assert any("all €128.45 of it" in text for text in strings(played))


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (f"sojourn validate {EXAMPLE} > /dev/full", 3, "The output cannot be used: No space left on device."),
        (f"sojourn validate {EXAMPLE} --json > /dev/full", 3, "The output cannot be used: No space left on device."),
        (f"sojourn validate {EXAMPLE} | true; exit ${{PIPESTATUS[0]}}", 141, ""),
        (f"sojourn preview {JOURNEY} --json | true; exit ${{PIPESTATUS[0]}}", 141, ""),
        (f"sojourn validate {EXAMPLE} >&-", 0, ""),
        (f"sojourn validate {EXAMPLE} <&- >&- 2>&-", 0, ""),
        ("sojourn runs 2>&-", 4, ""),
        ("sojourn --help > /dev/full", 3, "The output cannot be used: No space left on device."),
    ],
)
def test_how_it_ends_where_the_output_does(command: str, code: int, words: str) -> None:
    ended = shell(command)

    assert (ended.returncode, ended.stderr.decode()) == (code, f"error: {words}\n" if words else "")


def test_ctrl_c_ends_a_command_without_a_word_of_python(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with program("runs", folder=tmp_path, SOJOURN_URL=url, SOJOURN_KEY=KEY) as asking:
            silent.settimeout(PATIENCE)
            with silent.accept()[0] as asked:
                asked.settimeout(PATIENCE)
                asked.recv(1)
                assert asking.signal(signal.SIGINT) == 130
    assert asking.printed == ""


def test_help_needs_nothing_of_the_engine() -> None:
    heavy = {"asyncio", "pydantic", "sqlalchemy", "temporalio", "fastapi", "httpx", "yaml", "liquid", "cel_expr_python"}
    code = f"import cli, sys; cli.run(['--help']); print(sorted({heavy} & set(sys.modules)), len(sys.modules))"

    shown = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)

    loaded, count = shown.stdout.splitlines()[-1].rsplit(" ", 1)
    assert loaded == "[]"
    assert int(count) < 500


def shell(command: str) -> subprocess.CompletedProcess[bytes]:
    """What bash makes of it, with ``sojourn`` on its path."""
    ours = shlex.join(SOJOURN)
    script = f'sojourn() {{ {ours} "$@"; }}; {command}'
    return subprocess.run(["bash", "-c", script], env=environment(), capture_output=True, check=False)


def strings(value: object) -> Iterator[str]:
    match value:
        case dict():
            for item in value.values():
                yield from strings(item)
        case list():
            for item in value:
                yield from strings(item)
        case str():
            yield value
        case _:
            return


# --- against an API --------------------------------------------------------------------------------


@pytest.mark.usefixtures("online")
def test_apply_says_what_changed_and_the_second_time_nothing(folder: Path, sojourn: Sojourn) -> None:
    ada = folder / "customers" / "ada.yaml"
    ada.write_text(ada.read_text().replace('"+15550100"', '"tel:+1 555 0100"'))

    first = sojourn("apply", folder)
    assert first.count("created") == 10
    assert "published v1" in first

    again = json.loads(sojourn("apply", folder, "--json"))
    assert {change["became"] for change in again} == {"unchanged", "live already, as v1"}

    content = folder / "contents" / "second-text-reminder.yaml"
    content.write_text(content.read_text().replace("still here", "waiting for you"))
    journey = folder / "journeys" / "abandoned-cart.yaml"
    journey.write_text(journey.read_text().replace("within: 1 day", "within: 36 hours"))
    changed = [line.split(maxsplit=2) for line in sojourn("apply", folder).splitlines() if "unchanged" not in line]
    assert changed == [
        ["content", "second-text-reminder", "updated, ready"],
        ["journey", "abandoned-cart", "updated"],
        ["journey", "abandoned-cart", "published v2"],
        ["From", "v1,", "with 0 people inside:"],
        ["opened", "waits", "at most 1 day 12 hours instead of 1 day"],
    ]


@pytest.fixture
def of_its_own(folder: Path) -> Path:
    """The folder, with a journey that no other test knows: what it does waits for a day."""
    (folder / "journeys" / "abandoned-cart.yaml").unlink()
    pause = "{id: pause, wait: 1 day}"
    written = f"journey: waits\nstart: abandoned-cart\nexit: purchase-completed\nsteps:\n  - {pause}\n"
    (folder / "journeys" / "waits.yaml").write_text(written)
    return folder


@pytest.mark.usefixtures("online")
def test_apply_says_at_a_terminal_what_a_new_version_does_and_asks(
    of_its_own: Path, sojourn: Sojourn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def applies(typed: str, *options: str, code: int = 0) -> tuple[str, str]:
        types(monkeypatch, *typed)
        assert cli.run(["apply", str(of_its_own), *options]) == code
        printed = capsys.readouterr()
        return "\n".join(line for line in printed.out.splitlines() if "unchanged" not in line), printed.err

    monkeypatch.setenv("TERM", "dumb")  # without colours
    journey = of_its_own / "journeys" / "waits.yaml"
    applies("")  # the first version takes nobody's place: nobody is asked
    sojourn("event", "abandoned-cart", "wil", "cart_id=c1", "total=60")
    journey.write_text(journey.read_text().replace("1 day", "2 days"))

    out, asked = applies("n", "--people", "move", code=1)
    assert out == "  journey   waits                        updated"
    assert asked.splitlines() == [
        "From v1, with 1 person inside:",
        "  pause waits 2 days instead of 1 day  (0 before, 1 at, 0 behind it)",
        "1 person would go on in v2.",
        "  1 at pause",
        "waits would be published as v2. Newcomers take it.",
        f"Publish waits as v2 and move 1 person? [y/N] {NOTHING_PUBLISHED}",
    ]

    out, _ = applies("y", "--people", "move")
    assert out.splitlines() == [
        "  journey   waits                        published v2",
        "    1 person went on in it.",
    ]
    assert applies("", "--people", "move") == ("  journey   waits                        live already, as v2", "")
    sojourn("stop", "waits", "--yes")


@pytest.mark.usefixtures("online")
def test_apply_says_that_a_journey_stays_held(folder: Path, sojourn: Sojourn, data: Path) -> None:
    sojourn("apply", folder)
    hold = "UPDATE journeys SET held_at = ?, held_why = ? WHERE name = 'abandoned-cart'"
    with closing(sqlite3.connect(data / "sojourn.db", timeout=30)) as database, database:
        database.execute(hold, ("2026-11-24T09:00:00.000000Z", "the brake: so many"))
    try:
        *_, published = json.loads(sojourn("apply", folder, "--json"))
    finally:
        with closing(sqlite3.connect(data / "sojourn.db", timeout=30)) as database, database:
            database.execute(hold, (None, None))

    assert [warning["message"] for warning in published["warnings"]] == [
        "It is held since 24 Nov 2026 09:00 UTC, and a new version lets nobody go: the brake: so many."
    ]


@pytest.fixture
def with_plans(folder: Path) -> Path:
    """A folder that declares an attribute of customers, with a journey that is left by who goes pro."""
    (folder / "attributes").mkdir()
    (folder / "attributes" / "plan.yaml").write_text("attribute: plan\ntype: text\n")
    journey = folder / "journeys" / "abandoned-cart.yaml"
    exits = 'exit:\n  - when: customer.plan == "pro"\n'
    journey.write_text(journey.read_text().replace("exit:\n", exits))
    return folder


@pytest.mark.usefixtures("online")
def test_apply_declares_attributes_of_customers(with_plans: Path, sojourn: Sojourn) -> None:
    first = [line.split() for line in sojourn("apply", with_plans, "--draft").splitlines()]
    again = json.loads(sojourn("apply", with_plans, "--draft", "--json"))

    assert ["attribute", "plan", "created"] in first
    assert {change["became"] for change in again} == {"unchanged"}


def test_a_script_may_change_the_customer(with_plans: Path, sojourn: Sojourn) -> None:
    journey, script = with_plans / "journeys" / "abandoned-cart.yaml", with_plans / "scripts" / "goes-pro.yaml"
    lines = ["{trigger: abandoned-cart, attributes: {cart_id: c1, total: 60}}", "{at: 2 hours, customer: {plan: pro}}"]
    script.write_text("script: goes-pro\nevents:\n" + "".join(f"  - {line}\n" for line in lines))

    printed = sojourn("preview", journey, "--script", "goes-pro")

    assert "customer  plan pro" in printed
    assert 'exit: customer.plan == "pro"' in printed
    assert 'At any moment, customer.plan == "pro" or purchase-completed' in sojourn("preview", journey, "--paths")


def test_an_address_that_nothing_can_be_sent_to_is_told_before_it_is_sent(folder: Path, sojourn: Sojourn) -> None:
    customer = folder / "customers" / "ada.yaml"
    customer.write_text(customer.read_text().replace("+15550100", "5550100"))

    assert f"{customer}: attributes.phone: this has no country code." in sojourn("validate", folder, code=1)


@pytest.mark.usefixtures("online")
def test_apply_tells_the_secret_of_a_new_endpoint_once(tmp_path: Path, sojourn: Sojourn) -> None:
    folder = tmp_path / "endpoints"
    folder.mkdir()
    crm, shop = folder / "crm.yaml", folder / "shop.yaml"
    crm.write_text("endpoint: crm\nurl: https://crm.example.com/hooks\n")

    made, secret = sojourn("apply", folder).splitlines()
    again = sojourn("apply", folder)
    crm.write_text("endpoint: crm\nurl: https://new.example.com/hooks\n")
    shop.write_text("endpoint: shop\nurl: https://shop.example.com/hooks\n")
    moved, new = json.loads(sojourn("apply", folder, "--json"))

    assert made.split() == ["endpoint", "crm", "created"]
    assert re.fullmatch(r'  The secret of "crm", told this once, .*: whsec_\S{44}', secret)
    assert again.split() == ["endpoint", "crm", "unchanged"]
    nothing: dict[str, Any] = {"secret": None, "warnings": [], "published": None}
    assert moved == {"kind": "endpoint", "name": "crm", "became": "updated", **nothing}
    assert (new["name"], new["became"], new["secret"][:6]) == ("shop", "created", "whsec_")


def test_an_endpoint_in_ones_own_network_is_told_before_it_is_sent(tmp_path: Path, sojourn: Sojourn) -> None:
    crm = tmp_path / "crm.yaml"
    crm.write_text("endpoint: crm\nurl: https://10.0.0.1/hooks\n")

    assert f"{crm}: url: its address is not public (private)" in sojourn("validate", crm, code=1)


@pytest.mark.usefixtures("online")
def test_apply_sends_nothing_where_anything_is_wrong(folder: Path, sojourn: Sojourn) -> None:
    (folder / "triggers" / "new.yaml").write_text("trigger: never-sent\n")
    customer = folder / "customers" / "ada.yaml"
    customer.write_text(customer.read_text().replace("email: ada@example.com", "email: 7"))

    printed = sojourn("apply", folder, code=1)

    assert f"{customer}: attributes.email: 7 was found, text was expected." in printed
    assert "Nothing was sent." in printed
    assert 'no trigger "never-sent"' in sojourn("event", "never-sent", "ada", code=1)


@pytest.mark.usefixtures("online")
def test_events_runs_and_the_end_of_a_journey(sojourn: Sojourn) -> None:
    sojourn("apply", EXAMPLE)

    started = sojourn("event", "abandoned-cart", "ada", "cart_id=17", "total=60", "--id", "cart-17")
    assert "Event cart-17 is accepted." in started
    assert "● started  abandoned-cart/ada/" in started
    assert "It was known already." in sojourn(
        "event", "abandoned-cart", "ada", "cart_id=17", "total=60", "--id", "cart-17"
    )
    assert "event.total > 0 does not hold" in sojourn("event", "abandoned-cart", "bo", "cart_id=c", "total=0")

    [run] = json.loads(sojourn("runs", "--customer", "ada", "--json"))["runs"]
    assert run["key"] == "17"
    shown = sojourn("run", run["id"])
    assert "entered  initial-reminder" in shown
    assert "abandoned-cart (cart-17)  ● started" in shown
    assert run["id"] in sojourn("runs", "--active")

    bought = json.loads(sojourn("event", "purchase-completed", "ada", "cart_id=17", "total=60", "--json"))
    assert [made["did"] for made in bought["decisions"]] == ["goal met", "exited"]
    assert "exited on day 0" in sojourn("runs", "--customer", "ada")

    assert "abandoned-cart has no tests." in sojourn("tests", "abandoned-cart")
    assert "live already" in sojourn("publish", "abandoned-cart")
    assert "abandoned-cart   live" in sojourn("journeys")
    assert "would let nobody in any more" in sojourn("complete", "abandoned-cart", "--dry-run")
    assert "lets nobody in any more" in sojourn("complete", "abandoned-cart")
    assert "lets nobody in already" in sojourn("complete", "abandoned-cart")
    assert "has no version 77" in sojourn("stop", "abandoned-cart", "--version", "77", code=1)
    sojourn("publish", "abandoned-cart")

    cart = json.loads(sojourn("event", "abandoned-cart", "cleo", "cart_id=18", "total=60", "--json"))
    [cleo] = [made["run"] for made in cart["decisions"] if made["did"] == "started"]
    assert "is cancelled: nothing of it is sent any more" in sojourn("cancel", cleo, "--reason", "a test order")
    assert "is over already: cancelled" in sojourn("cancel", cleo, "--reason", "a test order")
    assert "is in no journey" in sojourn("cancel", "--customer", "cleo", "--reason", "a test order")
    assert "either a run or --customer" in sojourn("cancel", "--reason", "a test order", code=2)

    assert "is stopped: nobody enters it any more" in sojourn("stop", "abandoned-cart")
    assert "would be in no list" in sojourn("archive", "abandoned-cart", "--dry-run")
    sojourn("archive", "abandoned-cart")
    assert "abandoned-cart" not in sojourn("journeys")
    assert "stopped, archived" in sojourn("journeys", "--archived")
    assert "stopped, archived" in sojourn("journey", "abandoned-cart")
    assert "Take it back first" in sojourn("publish", "abandoned-cart", code=1)
    sojourn("archive", "abandoned-cart", "--undo")


@pytest.mark.usefixtures("online")
def test_errors_of_the_api_are_told_with_their_flaws(sojourn: Sojourn) -> None:
    sojourn("apply", EXAMPLE, "--draft")

    assert 'Did you mean "abandoned-cart"?' in sojourn("event", "abandonned-cart", "ada", code=1)
    assert "attributes.total: " in sojourn("event", "abandoned-cart", "ada", "cart_id=c", "total=many", code=1)
    assert "key=value" in sojourn("event", "abandoned-cart", "ada", "cart_id", code=1)
    assert 'There is no run "abandoned-cart/ada/none".' in sojourn("run", "abandoned-cart/ada/none", code=1)


@pytest.mark.usefixtures("online")
def test_who_changed_what_is_shown(sojourn: Sojourn, folder: Path) -> None:
    sojourn("apply", folder)
    before = sojourn("audit")
    sojourn("apply", folder)  # which changes nothing
    unchanged = sojourn("audit")
    journey = folder / "journeys" / "abandoned-cart.yaml"
    journey.write_text(journey.read_text() + "\ntime_zone: Europe/Oslo\n")
    sojourn("apply", folder)

    published, put, *_ = sojourn("audit", "journey/abandoned-cart").split("journey/abandoned-cart")[1:]
    [entry] = (told := json.loads(sojourn("audit", "--limit", "1", "--json")))["entries"]

    assert unchanged == before
    assert re.match(r"  journey published by root\n    version: \d+, hash: \w+\n", published)
    assert put.startswith("  journey put by root\n    changed: time_zone\n")
    assert f"--before {told['next']} shows" in sojourn("audit", "--limit", "1")
    assert entry["did"] not in sojourn("audit", "--limit", "1", "--before", str(told["next"]))
    assert "Nothing was changed." in sojourn("audit", "--since", "2100-01-01")
    assert "Nothing was changed." in sojourn("audit", "--by", "grace")


@pytest.mark.usefixtures("online")
async def test_a_suppressed_address_is_shown_and_lifted(sojourn: Sojourn, data: Path) -> None:
    store = open_store(f"sqlite:///{data}/sojourn.db")
    await suppress(store, "email", "ada@example.com", "bounced, as sendgrid reports", datetime.now(UTC))
    await store.close()

    async def said(*arguments: str, code: int = 0) -> str:
        return await asyncio.to_thread(sojourn, *arguments, code=code)  # a command has a loop of its own

    listed = await said("suppressions")
    assert "email  never written to" in listed
    assert "bounced, as sendgrid reports" in listed
    assert await said("suppressions", "email", "mailto:ADA@example.com") == listed
    assert "Nothing is suppressed." in await said("suppressions", "text")
    [found] = json.loads(await said("suppressions", "--json"))["suppressions"]

    lifted = await said("lift", str(found["id"]), "--why", "The mailbox was made.", "--by", "grace")

    assert "by grace: The mailbox was made." in lifted
    assert lifted in await said("suppressions", "email", "ada@example.com")
    assert await said("suppressions", "--lifted") == lifted
    assert "There is no suppression" in await said("lift", str(found["id"]), "--why", "Again.", code=1)


NIGHTS = """\
time_zone: Europe/Oslo
quiet:
  - {channels: [text], where: customer.country == "NO", from: "21:00", to: "08:00"}
"""


@pytest.fixture
def with_nights(folder: Path) -> Path:
    """A folder that has a policy, for customers in one country."""
    (folder / "policy.yaml").write_text(NIGHTS)
    return folder


def test_a_policy_is_validated_with_the_customers_of_its_folder(with_nights: Path, sojourn: Sojourn) -> None:
    policy = with_nights / "policy.yaml"

    assert re.search(r"✓ policy +policy +", sojourn("validate", policy))
    policy.write_text(NIGHTS.replace("customer.country", "customer.contry"))
    printed = sojourn("validate", with_nights, code=1)

    assert f"{policy}: quiet[0].where: " in printed
    assert 'Did you mean "customer.country"?' in printed


def test_a_journey_is_held_against_the_policy_of_its_folder(with_nights: Path, sojourn: Sojourn) -> None:
    journey = with_nights / "journeys" / "abandoned-cart.yaml"
    assert "the cap lets" not in sojourn("validate", journey)

    (with_nights / "policy.yaml").write_text("caps: [{at_most: 1, per: 7 days}]")

    printed = " ".join(sojourn("validate", journey).split())
    assert "warning: " in printed
    assert "and the cap lets 1 through: what is above it is blocked" in printed


def test_a_policy_is_at_the_top_of_a_folder_and_only_once(with_nights: Path, sojourn: Sojourn) -> None:
    (with_nights / "policy.json").write_text('{"time_zone": "Europe/Paris"}')
    (with_nights / "journeys" / "policy.yml").write_text(NIGHTS)
    (with_nights / "journeys" / "nights.yaml").write_text(NIGHTS)

    printed = sojourn("validate", with_nights, code=1)

    assert (
        f"{with_nights / 'policy.yaml'}: there is a policy in {with_nights / 'policy.json'} too. Keep one." in printed
    )
    assert (
        f"{with_nights / 'journeys' / 'policy.yml'}: a policy holds for the whole house, and is at the top" in printed
    )
    assert re.search(r"nights\.yaml: Nothing says what this is: .* call the file policy\.yaml", printed)


def test_what_a_file_says_that_it_is_it_is_whatever_its_name(folder: Path, sojourn: Sojourn) -> None:
    content = folder / "contents" / "policy.yaml"
    content.write_text("content: policy\ntext: {body: Our policy has changed}\n")

    assert re.search(r"✓ content +policy +", sojourn("validate", content))


def test_a_preview_goes_by_the_policy_of_the_folder(with_nights: Path, sojourn: Sojourn) -> None:
    (with_nights / "policy.yaml").write_text('quiet: [{channels: [email], from: "08:00", to: "12:00"}]\n')
    journey = with_nights / "journeys" / "abandoned-cart.yaml"

    [run] = json.loads(sojourn("preview", journey, "--script", "does-nothing", "--json"))["runs"]

    assert "T12:" in run["sends"][0]["at"]


@pytest.mark.usefixtures("online")
def test_a_policy_is_applied_before_the_journeys_shown_put_again_and_told_of(
    with_nights: Path, tmp_path: Path, sojourn: Sojourn
) -> None:
    applied = [line.split(maxsplit=2) for line in sojourn("apply", with_nights).splitlines()]
    kinds = [kind for kind, _, _ in applied]
    assert ["policy", "policy", "in force, as number 2"] in applied
    assert kinds.index("customer") < kinds.index("policy") < kinds.index("journey")
    assert re.search(r"policy +policy +unchanged", sojourn("apply", with_nights))

    shown = sojourn("policy")
    assert shown.startswith("# Policy 2, by root, ")
    assert 'where: customer.country == "NO"' in shown
    assert "# spread: 15 minutes\n" in shown
    kept = tmp_path / "kept.yaml"
    kept.write_text(shown)
    assert "It is in force already: Policy 2, by root, " in sojourn("policy", "put", kept)

    kept.write_text("time_zone: Europe/Oslo\nquiet: [{on: [sat, sun]}, {from: 2020-12-24, to: 2020-12-26}]\n")
    put = sojourn("policy", "put", kept)
    assert put.startswith("Policy 3 is in force.\nwarning: quiet[1]: ")
    kept.write_text("quiet: [{at: night}]\ncaps: [{at_most: 0, per: 1 day}]\n")
    assert re.search(r"quiet\[0\]\.at: .*\n.*caps\[0\]\.at_most: ", sojourn("policy", "put", kept, code=1))

    history = sojourn("policy", "history")
    assert re.findall(r"Policy (\d), by (\w+)", history) == [("3", "root"), ("2", "root"), ("1", "settings")]
    assert "    changed quiet\n" in history
    assert "There are more. --limit 2 shows more of them." in sojourn("policy", "history", "--limit", "1")
    assert [one["number"] for one in json.loads(sojourn("policy", "history", "--json"))] == [3, 2, 1]
    told = json.loads(sojourn("policy", "--json"))
    assert (told["number"], told["policy"]["quiet"][0]) == (3, {"on": "weekends"})


@pytest.mark.usefixtures("online")
def test_whoever_lets_less_be_kept_is_warned(folder: Path, sojourn: Sojourn) -> None:
    policy = folder / "policy.yaml"
    policy.write_text("keep: {runs: forever}\ncaps: [{at_most: 3, per: 7 days}, {at_most: 9, per: 7 days}]\n")
    sojourn("apply", folder)

    policy.write_text(policy.read_text().replace("forever", "500 days"))
    applied = json.loads(sojourn("apply", folder, "--yes", "--json"))
    by_folder = {made["kind"]: made["warnings"] for made in applied}["policy"]
    policy.write_text("time_zone: Europe/Oslo\n")
    by_file = sojourn("policy", "put", policy, "--yes")

    assert [each["path"] for each in by_folder] == ["keep.runs"]  # of the caps the folder alone tells, before
    assert by_folder[0]["message"].startswith("500 days instead of forever: what is older is pruned")
    assert "warning: keep.runs: 400 days instead of 500 days" in by_file


@pytest.mark.usefixtures("online")
def test_who_puts_a_policy_that_keeps_less_is_asked_and_a_script_says_yes(
    tmp_path: Path, sojourn: Sojourn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("keep: {runs: forever, events: 500 days}\n")
    sojourn("policy", "put", policy)  # which keeps more: nobody is asked
    was = json.loads(sojourn("policy", "--json"))
    number = was["number"] + 1
    policy.write_text("time_zone: Europe/Oslo\n")
    question = f"Put policy {number}, which keeps runs and events for less long?"

    would = sojourn("policy", "put", policy, "--dry-run")
    as_data = json.loads(sojourn("policy", "put", policy, "--dry-run", "--json"))
    unasked = sojourn("policy", "put", policy, code=1)

    assert would.startswith(
        f"Policy {number} would be in force.\nwarning: keep.runs: 400 days instead of forever: what "
    )
    assert (as_data["dry_run"], as_data["number"]) == (True, number)
    assert as_data["policy"] == {"time_zone": "Europe/Oslo"}
    assert unasked == f"{question} Nobody is here to be asked: say --yes.\nNothing was done.\n"

    monkeypatch.setenv("TERM", "dumb")  # without colours
    types(monkeypatch, "n")
    assert cli.run(["policy", "put", str(policy)]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"{would}{question} [y/N] Nothing was done.\n")
    assert json.loads(sojourn("policy", "--json")) == was

    types(monkeypatch, "y")
    assert cli.run(["policy", "put", str(policy)]) == 0
    assert capsys.readouterr().out == f"Policy {number} is in force.\n"
    assert json.loads(sojourn("policy", "--json"))["number"] == number


@pytest.mark.usefixtures("online")
def test_apply_asks_before_it_puts_a_policy_that_keeps_less(
    of_its_own: Path, sojourn: Sojourn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def applies(*typed: str) -> tuple[int, list[str], list[str]]:
        types(monkeypatch, *typed)
        code = cli.run(["apply", str(of_its_own)])
        printed = capsys.readouterr()
        out = [" ".join(line.split()) for line in printed.out.splitlines() if "unchanged" not in line]
        return code, out, printed.err.splitlines()

    monkeypatch.setenv("TERM", "dumb")  # without colours
    policy, journey = of_its_own / "policy.yaml", of_its_own / "journeys" / "lingers.yaml"
    (of_its_own / "journeys" / "waits.yaml").rename(journey)
    journey.write_text(journey.read_text().replace("journey: waits", "journey: lingers"))
    policy.write_text("keep: {runs: forever}\n")
    sojourn("apply", of_its_own)
    was = json.loads(sojourn("policy", "--json"))
    number = was["number"] + 1
    # What its conditions name is declared by the folder itself, so it can be checked only then.
    (of_its_own / "attributes").mkdir(exist_ok=True)
    (of_its_own / "attributes" / "planet.yaml").write_text("attribute: planet\ntype: text\n")
    where = 'quiet: [{where: customer.planet == "Mars", from: "21:00", to: "08:00"}]'
    policy.write_text(f"keep: {{runs: 500 days}}\n{where}\n")
    question = f"Put policy {number}, which keeps runs for less long?"

    unasked = sojourn("apply", of_its_own, code=1).splitlines()
    alone = applies("n")
    journey.write_text(journey.read_text().replace("1 day", "3 days"))
    code, out, asked = applies("n")

    assert unasked == [f"{question} Nobody is here to be asked: say --yes.", NOT_PUT]
    assert (alone[0], alone[1], alone[2][-1]) == (1, [], f"{question} [y/N] {NOT_PUT}")
    assert (code, out) == (1, ["journey lingers updated"])
    assert asked[0] == f"Policy {number} would be in force."
    assert asked[1].startswith("warning: keep.runs: 500 days instead of forever: ")
    assert re.fullmatch(
        rf"{re.escape(question[:-1])}, and publish lingers as v2\? \[y/N\] {re.escape(NOT_PUT)}", asked[-1]
    )
    assert json.loads(sojourn("policy", "--json")) == was

    code, out, asked = applies("y")

    assert (code, out[0]) == (0, f"policy policy in force, as number {number}")
    assert out[1] == "journey lingers published v2"
    assert "".join(asked).count("warning: keep.runs: ") == 1  # nobody is told twice
    assert applies() == (0, ["journey lingers live already, as v2"], [])
    sojourn("stop", "lingers", "--yes")


@pytest.mark.usefixtures("api")
def test_what_another_policy_would_prune_is_only_counted(
    data: Path, tmp_path: Path, sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOJOURN_DATA", str(data))
    policy = tmp_path / "policy.yaml"
    policy.write_text("keep: {runs: 30 days, events: 30 days}\n")

    assert sojourn("prune", "--dry-run", "--policy", policy) == "Nothing is kept longer than the policy says.\n"
    assert "With --policy, say --dry-run." in sojourn("prune", "--policy", policy, code=1)
    policy.write_text("keep: {runs: 30 dayz}\n")
    assert "keep.runs: " in sojourn("prune", "--dry-run", "--policy", policy, code=1)


@pytest.mark.usefixtures("online")
def test_a_key_is_made_used_rotated_and_revoked(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = sojourn("key", "create", "reports", "--scope", "runs:read", "--until", "2100-01-01")
    first = re.search(r"told this once: (sojourn_\S+)", printed)
    assert first
    assert "reports opens runs:read.\n" in printed

    listed = sojourn("key", "list")
    assert "reports  runs:read, until 01 Jan 2100 00:00 UTC\n" in listed
    assert first[1] not in listed

    rotated = json.loads(sojourn("key", "rotate", "reports", "--json"))
    former = rotated["secrets"][1]["id"]

    def may(secret: str, code: int = 0) -> str:
        with monkeypatch.context() as other:
            other.setenv("SOJOURN_KEY", secret)
            return sojourn("runs", code=code)

    may(first[1])
    may(rotated["secret"])
    changed = sojourn("key", "change", "reports", "--scope", "publish", "--scope", "runs:read")
    assert changed.startswith("reports  publish, runs:read\n")
    may(first[1])
    assert "1 valid secret of reports left." in sojourn("key", "revoke", "reports", "--secret", former)
    assert "No key has this secret" in may(first[1], code=4)
    assert sojourn("key", "revoke", "reports") == "reports opens nothing any more.\n"
    may(rotated["secret"], code=4)
    assert 'There is no key "reports".' in sojourn("key", "revoke", "reports", code=1)


@pytest.mark.usefixtures("online")
def test_a_key_of_a_page_posts_its_events_from_there_alone(
    sojourn: Sojourn, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = ("--trigger", "page-seen", "--trigger", "cart-filled", "--origin", "https://shop.example.com")
    key = json.loads(
        sojourn("key", "create", "page", "--scope", "events:write", *limits, "--per-second", "20", "--json")
    )
    listed = sojourn("key", "list")
    assert "only page-seen and cart-filled, on pages of https://shop.example.com, 20 events a second" in listed

    event = {"id": "seen-1", "trigger": "page-seen", "customer": "ada"}
    headers = {"Authorization": f"Bearer {key['secret']}", "Origin": "https://shop.example.com"}
    told = httpx.post(f"{api}/v1/events", json=event, headers=headers)
    monkeypatch.setenv("SOJOURN_KEY", key["secret"])
    refused = sojourn("event", "page-seen", "ada", code=4)
    lacks = sojourn("runs", code=4)

    assert told.headers["access-control-allow-origin"] == "https://shop.example.com"
    assert [flaw["path"] for flaw in told.json()["errors"]] == ["trigger"]  # it is not there, which only a key hears
    assert "this came without the header Origin, which browsers send" in refused
    assert 'This needs the scope runs:read, which the key "page" has not got: it has events:write.' in lacks


@pytest.mark.usefixtures("online")
def test_what_is_wrong_with_a_key_is_told(sojourn: Sojourn) -> None:
    wrong = sojourn("key", "create", "Shop", "--scope", "event:write", "--origin", "shop.example.com", code=1)
    nothing = sojourn("key", "create", "shop", code=2)
    never = sojourn("key", "create", "shop", "--scope", "admin", "--until", "tomorrow", code=2)

    assert 'scopes[0]: found "event:write"' in wrong
    assert 'Did you mean "events:write"?' in wrong
    assert "origins[0]: " in wrong
    assert "--scope" in nothing
    assert '"tomorrow" is no time.' in re.sub(r"\s+│?\s*", " ", never)


@pytest.mark.usefixtures("online")
def test_a_wrong_key_is_said_to_be_wrong(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_KEY", "another")

    assert "No key has this secret" in sojourn("runs", code=4)


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    ("at", "stored"),
    [
        ("2026-11-26T05:00:00+01:00", "2026-11-26T04:00:00Z"),
        ("2026-11-26T05:00:00-08:00", "2026-11-26T13:00:00Z"),
        ("2026-11-26T05:00:00", "2026-11-26T05:00:00Z"),
        ("2026-11-26 05:00:00.25z", "2026-11-26T05:00:00.250000Z"),
        ("2026-11-26", "2026-11-26T00:00:00Z"),
        ("20261126T0530+0530", "2026-11-26T00:00:00Z"),
    ],
)
def test_an_event_happened_at_the_offset_that_is_written(sojourn: Sojourn, api: str, at: str, stored: str) -> None:
    sojourn("apply", EXAMPLE)

    sojourn("event", "purchase-completed", "ada", "cart_id=c", "total=1", "--id", f"at {at}", "--at", at)

    assert stored_event(api, f"at {at}")["occurred_at"] == stored


TYPES = {"order_id": "number?", "code": "text?", "gift": "boolean?", "due": "time?"}


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("order_id=820982911946154509", 820982911946154509),
        ("order_id=-9007199254740993", -9007199254740993),
        ("order_id=0.1", 0.1),
        ("order_id=1e3", 1000.0),
        ("order_id=10.0", 10.0),
        ("code=01234", "01234"),
        ("code=1e3", "1e3"),
        ("code=true", "true"),
        ("code=a=b", "a=b"),
        ("code=", ""),
        ("gift=true", True),
        ("gift=false", False),
        ("due=2026-11-24T09:00:00+01:00", "2026-11-24T09:00:00+01:00"),
    ],
)
def test_values_are_those_that_were_written(
    sojourn: Sojourn, tmp_path: Path, api: str, given: str, stored: object
) -> None:
    declare_order(sojourn, tmp_path)

    sojourn("event", "order", "ada", given, "--id", given)

    name = given.partition("=")[0]
    value = stored_event(api, given)["attributes"][name]
    assert (value, type(value)) == (stored, type(stored))


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    "given",
    [
        *("order_id=nan", "order_id=inf", "order_id=-Infinity", "order_id=1_000", "order_id=1e999", "order_id=+1"),
        *("order_id=007", "order_id=\uff11\uff12", "order_id= 12", "order_id=0x10", "order_id=1,5", "order_id="),
        f"order_id={'9' * 400}",
        f"order_id={'9' * 5000}",
        *("gift=yes", "gift=True", "gift=1", "due=tomorrow", "due=2026-11-24T09:00:00"),
    ],
)
def test_what_is_no_value_of_its_type_is_told_in_words(sojourn: Sojourn, tmp_path: Path, given: str) -> None:
    declare_order(sojourn, tmp_path)

    printed = sojourn("event", "order", "ada", given, code=1)

    assert f"attributes.{given.partition('=')[0]}: " in printed
    assert len(printed) < 400


@pytest.mark.usefixtures("online")
def test_an_id_with_another_content_is_refused(sojourn: Sojourn, tmp_path: Path) -> None:
    declare_order(sojourn, tmp_path)
    sojourn("event", "order", "ada", "code=a", "--id", "once", "--at", "2026-11-24")

    sojourn("event", "order", "ada", "code=a", "--id", "once", "--at", "2026-11-24")
    sojourn("event", "order", "ada", "code=b", "--id", "once", "--at", "2026-11-24", code=1)


def declare_order(sojourn: Sojourn, folder: Path) -> None:
    (folder / "order.json").write_text(json.dumps({"trigger": "order", "attributes": TYPES}))
    sojourn("apply", folder / "order.json")


def stored_event(api: str, id: str) -> dict[str, Any]:
    found = httpx.get(f"{api}/v1/events/{quote(id)}", headers={"Authorization": f"Bearer {KEY}"})
    stored: dict[str, Any] = found.json()
    return stored


@pytest.mark.usefixtures("online")
def test_a_customer_is_erased_by_whoever_says_yes_and_told_what_went(sojourn: Sojourn, api: str) -> None:
    put = {"attributes": {"email": "zelda@secret.example"}}
    known = f"{api}/v1/customers/zelda"
    headers = {"Authorization": f"Bearer {KEY}"}
    assert httpx.put(known, json=put, headers=headers).is_success

    would = sojourn("erase", "zelda", "--dry-run")
    unasked = sojourn("erase", "zelda", code=1)

    assert would.startswith("zelda would be erased.\nDeleted:\n  1  customer, with all attributes\n")
    assert "Erase zelda for good? Nobody is here to be asked: say --yes." in unasked
    assert unasked.endswith("Nothing was done.\n")
    assert httpx.get(known, headers=headers).is_success

    did = json.loads(sojourn("erase", "zelda", "--yes", "--json"))
    again = sojourn("erase", "zelda")  # there is nothing to be asked
    also = json.loads(sojourn("erase", "zelda", "--dry-run", "--json"))
    unknown = sojourn("erase", "zelda-of-nowhere", "--yes", code=1)

    assert (did["rows"], did["ended"], did["in_flight"], did["erased_before"]) == ({"customers": 1}, 0, 0, None)
    assert re.fullmatch(
        r"zelda was erased before, on \d\d \w{3} \d{4} at [\d:]+ UTC.\nThere is nothing about them.\n", again
    )
    assert (also["rows"], also["dry_run"], bool(also["erased_before"])) == ({}, True, True)
    assert 'There is no customer "zelda-of-nowhere", and nothing that is about them.' in unknown
    assert httpx.get(known, headers=headers).status_code == 404
    for said in (would, unasked, again, unknown):
        assert "secret.example" not in said
