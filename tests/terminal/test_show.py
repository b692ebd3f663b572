"""A run as it is shown in a terminal."""

from __future__ import annotations

from api.runs_examples import RUN_VIEW, RUNS
from store.runs import CallView, RunPage, RunView
from terminal.show import run, runs


def shown(view: RunView) -> list[str]:
    return [line.plain.strip() for line in run(view, "")]


def test_calls_and_actions_are_shown_with_what_became_of_them() -> None:
    view = RunView.model_validate(RUN_VIEW)
    tried = {"state": "trying", "at": None, "next_at": "2026-11-24T09:05:00Z", "reason": "it answered 503"}
    trying = CallView.model_validate(view.calls[0].model_dump() | tried | {"tries": 1})

    lines = shown(view.model_copy(update={"calls": (*view.calls, trying)}))

    calls, actions = lines.index("Calls"), lines.index("Actions")
    assert [line.partition("⚑ ")[2] for line in lines[calls + 1 : calls + 3]] == [
        "calls crm  accepted, 2 tries",
        "calls crm  trying, 1 try, the next at 24 Nov 09:05:00: it answered 503",
    ]
    assert lines[actions + 1].endswith("⚑ sets reminded_at  accepted")


def test_where_there_are_none_there_is_no_heading() -> None:
    view = RunView.model_validate(RUN_VIEW | {"calls": [], "actions": []})

    assert not {"Calls", "Actions"} & {*shown(view)}


def test_what_ended_a_run_is_shown_where_how_it_ended_does_not_say_so() -> None:
    said = RunView.model_validate(RUN_VIEW)
    anew = said.model_copy(update={"ended_by": "restart", "why": "its customer entered anew"})

    assert shown(said)[1] == "exited on day 1 01:00: exit: purchase-completed"
    assert shown(anew)[1] == "exited (restart) on day 1 01:00: its customer entered anew"


def test_what_is_held_is_shown_with_until_when_and_why() -> None:
    held, ended = RunPage.model_validate(RUNS).runs
    view = RunView.model_validate(RUN_VIEW | held.model_dump())

    listed = [line.plain for line in runs(RunPage(runs=(held, ended), next=None))]

    words = "at second-reminder since day 1 12:40, held until 26 Nov 07:04:51: quiet time 21:00–07:00 (UTC)"
    assert words in listed[1]
    assert "held" not in listed[2]
    assert shown(view)[1] == words
