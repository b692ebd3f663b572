"""At a terminal somebody is asked first; a script is not."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
import typer
from pydantic import BaseModel
from rich.text import Text

from terminal.client import Api, Connection
from terminal.confirming import How, Words, carry_out, confirmed
from terminal.numbers import otherwise
from tests.typed import types

HERE = Connection(url="http://127.0.0.1:1", key="none is asked")
SAID = [Text("3 people would stop where they are.")]


class Told(BaseModel):
    dry_run: bool
    people: int = 3


class Doing:
    """What would be done, and whether it was. *meanwhile*: so many there are by then."""

    def __init__(self, people: int = 3, meanwhile: int | None = None) -> None:
        self.people = people
        self.meanwhile = people if meanwhile is None else meanwhile
        self.asked: list[bool] = []

    async def __call__(self, api: Api, dry: bool) -> Told:
        del api
        self.asked.append(dry)
        return Told(dry_run=dry, people=self.people if dry else self.meanwhile)


def carried_out(doing: Doing, *, how: How) -> None:
    def all_of_it(told: Told) -> Sequence[Text]:
        return [Text(f"{told.people} people {'would stop' if told.dry_run else 'stopped'}."), Text("It is for good.")]

    def done(told: Told, would: Told) -> Sequence[Text]:
        return [Text(f"Stopped: {told.people}{otherwise(told.people, would.people)}.")]

    carry_out(HERE, doing, Words(all_of_it, lambda would: "Stop it?" if would.people else None, done), how)


@pytest.mark.parametrize(
    ("typed", "goes_on"),
    [(["y"], True), (["Yes"], True), (["n"], False), ([""], False), ([], False), (["maybe", "y"], True)],
    ids=["y", "yes", "no", "enter", "ctrl-d", "asked-again"],
)
def test_somebody_reads_what_it_will_do_and_says_whether_it_shall(
    typed: list[str], goes_on: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types(monkeypatch, *typed)

    assert confirmed(SAID, "Stop it?", yes=False) is goes_on

    printed = capsys.readouterr()
    assert printed.err.startswith("3 people would stop where they are.\nStop it? [y/N] ")
    assert printed.out == ""


def test_a_script_and_whoever_says_yes_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert confirmed(SAID, "Stop it?", yes=False)
    types(monkeypatch, "n")
    assert confirmed(SAID, "Stop it?", yes=True)

    assert capsys.readouterr() == ("", "")


def test_what_is_not_done_unasked_is_refused_to_a_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert not confirmed(SAID, "Erase ada?", yes=False, unasked=False)

    assert capsys.readouterr().err == "Erase ada? Nobody is here to be asked: say --yes.\n"


def test_nothing_is_done_where_somebody_says_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types(monkeypatch, "n")
    doing = Doing()

    with pytest.raises(typer.Exit) as left:
        carried_out(doing, how=How())

    assert (doing.asked, left.value.exit_code) == ([True], 1)
    assert capsys.readouterr() == ("", "3 people would stop.\nIt is for good.\nStop it? [y/N] Nothing was done.\n")


def test_ctrl_c_at_the_question_says_that_nothing_was_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types(monkeypatch)
    monkeypatch.setattr(sys.stdin, "readline", interrupted)
    doing = Doing()

    with pytest.raises(KeyboardInterrupt):
        carried_out(doing, how=How())

    assert doing.asked == [True]
    assert capsys.readouterr().err == "3 people would stop.\nIt is for good.\nStop it? [y/N] \nNothing was done.\n"


def interrupted() -> str:
    raise KeyboardInterrupt


def test_it_is_done_where_somebody_says_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types(monkeypatch, "y")
    doing = Doing()

    carried_out(doing, how=How(as_json=True))

    assert doing.asked == [True, False]
    assert capsys.readouterr() == (
        '{\n  "dry_run": false,\n  "people": 3\n}\n',
        "3 people would stop.\nIt is for good.\nStop it? [y/N] ",
    )


@pytest.mark.parametrize(
    ("meanwhile", "done"), [(3, "Stopped: 3.\n"), (4, "Stopped: 4 (3 when you were asked).\n")], ids=["same", "more"]
)
def test_whoever_has_read_it_is_told_only_what_was_done(
    meanwhile: int, done: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    types(monkeypatch, "y")

    carried_out(Doing(meanwhile=meanwhile), how=How())

    printed = capsys.readouterr()
    assert printed.err == "3 people would stop.\nIt is for good.\nStop it? [y/N] "
    assert printed.out == done


@pytest.mark.parametrize("how", [How(), How(yes=True)], ids=["a-script", "with-yes"])
def test_whoever_has_read_nothing_is_told_all_of_it(how: How, capsys: pytest.CaptureFixture[str]) -> None:
    carried_out(Doing(), how=how)

    assert capsys.readouterr() == ("3 people stopped.\nIt is for good.\n", "")


@pytest.mark.parametrize(
    ("how", "asked"), [(How(), [False]), (How(dry_run=True), [True])], ids=["a-script", "a-dry-run"]
)
def test_a_script_is_done_at_once_and_a_dry_run_is_no_more_than_that(how: How, asked: list[bool]) -> None:
    doing = Doing()

    carried_out(doing, how=how)

    assert doing.asked == asked


def test_nobody_is_asked_about_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    types(monkeypatch)
    doing = Doing(people=0)

    carried_out(doing, how=How())

    assert doing.asked == [True, False]


def test_what_is_not_done_unasked_is_done_with_yes(capsys: pytest.CaptureFixture[str]) -> None:
    doing = Doing()

    with pytest.raises(typer.Exit):
        carried_out(doing, how=How(unasked=False))
    carried_out(doing, how=How(yes=True, unasked=False))

    assert doing.asked == [True, False]
    assert "say --yes" in capsys.readouterr().err
