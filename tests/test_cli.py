"""``sojourn`` on the command line: offline, and against a real API."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cli
from tests.programs import EXAMPLE, program

JOURNEY = EXAMPLE / "journeys" / "abandoned-cart.yaml"
KEY = "a-key-for-tests"

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
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real API on a database of its own, and no Temporal: events are taken all the same."""
    data = tmp_path_factory.mktemp("api")
    named = {"SOJOURN_DATA": str(data), "SOJOURN_KEY": KEY, "SOJOURN_PORT": "0", "TEMPORAL_ADDRESS": "127.0.0.1:1"}
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

    assert printed.count("✓") == 13


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


@pytest.mark.parametrize(
    ("script", "sent", "ended"),
    [
        ("opens-after-three-hours", ["email"], "completed"),
        ("buys-on-the-second-day", ["email", "text"], "exited, goal met"),
        ("does-nothing", ["email", "text", "push"], "completed"),
    ],
)
def test_preview_shows_who_would_get_what_and_when(sojourn: Sojourn, script: str, sent: list[str], ended: str) -> None:
    printed = sojourn("preview", JOURNEY, "--script", script, "--customer", "ada")

    assert f"Sent: {', '.join(sent)}. Ended: {ended}." in printed
    assert ("day 1 00:00" in printed) == ("text" in sent)
    assert "“Ada, you left something lovely behind”" in printed


def test_preview_is_json_for_scripts(sojourn: Sojourn) -> None:
    played = json.loads(sojourn("preview", JOURNEY, "--script", "does-nothing", "--customer", "cy", "--json"))

    assert [send["to"] for send in played["runs"][0]["sends"]] == ["cy@example.com", "+15550102", "cy-phone"]


def test_preview_shows_every_path(sojourn: Sojourn) -> None:
    printed = sojourn("preview", JOURNEY, "--paths")

    assert "2 ways through" in printed
    assert "day 2 00:00                 → push  final-push-notification" in printed
    assert "At any moment, purchase-completed ends it" in printed
    assert len(json.loads(sojourn("preview", JOURNEY, "--paths", "--json"))) == 2


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
    printed = sojourn("runs", code=1)

    assert "Set SOJOURN_KEY, or start the embedded stack with: sojourn dev" in printed


def test_an_api_that_does_not_answer_is_named(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SOJOURN_KEY", KEY)

    printed = sojourn("runs", code=1)

    assert "No API answers at http://127.0.0.1:1" in printed
    assert "`sojourn dev`" in printed


def test_an_api_without_a_key_does_not_start(sojourn: Sojourn) -> None:
    assert "SOJOURN_KEY is not set" in sojourn("api", code=1)


def test_a_wrong_setting_is_named(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_PORT", "many")

    assert "SOJOURN_PORT: " in sojourn("runs", code=1)


# --- against an API --------------------------------------------------------------------------------


@pytest.mark.usefixtures("online")
def test_apply_says_what_changed_and_the_second_time_nothing(folder: Path, sojourn: Sojourn) -> None:
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
    ]


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

    assert "live already" in sojourn("publish", "abandoned-cart")
    assert "is stopped: nobody enters any more" in sojourn("stop", "abandoned-cart")


@pytest.mark.usefixtures("online")
def test_errors_of_the_api_are_told_with_their_flaws(sojourn: Sojourn) -> None:
    sojourn("apply", EXAMPLE, "--draft")

    assert 'Did you mean "abandoned-cart"?' in sojourn("event", "abandonned-cart", "ada", code=1)
    assert "attributes.total: " in sojourn("event", "abandoned-cart", "ada", "cart_id=c", "total=many", code=1)
    assert "key=value" in sojourn("event", "abandoned-cart", "ada", "cart_id", code=1)
    assert 'There is no run "abandoned-cart/ada/none".' in sojourn("run", "abandoned-cart/ada/none", code=1)


@pytest.mark.usefixtures("online")
def test_a_wrong_key_is_said_to_be_wrong(sojourn: Sojourn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOJOURN_KEY", "another")

    assert "This is not the key." in sojourn("runs", code=1)
