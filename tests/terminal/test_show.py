"""A run as it is shown in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from api.runs_examples import RUN_VIEW, RUNS
from store.events import Receipt
from store.runs import CallView, Holding, RunPage, RunView
from terminal.client import Connection
from terminal.show import UNDECIDED, UNDECIDED_THEN, journey_time, receipt, run, runs

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def shown(view: RunView, now: datetime = NOW) -> list[str]:
    return [line.plain.strip() for line in run(view, "", now)]


def test_times_tell_the_year_where_it_is_not_the_one_in_which_they_are_read() -> None:
    view = RunView.model_validate(RUN_VIEW)
    held, _ = RunPage.model_validate(RUNS).runs
    page = RunPage(runs=(held,), next=None)
    later = NOW.replace(year=2028)

    now, then = ([line for line in shown(view, at) if line.startswith("day ")] for at in (NOW, later))

    assert len(now) == len(then) > 5
    assert not [line for line in now if " 2026 " in line]
    assert not [line for line in then if " 2026 " not in line]
    assert f"{held.entered_at:%d %b %H:%M:%S}" in [*runs(page, NOW)][1].plain
    assert f"{held.entered_at:%d %b %Y %H:%M:%S}" in [*runs(page, later)][1].plain


def test_calls_and_actions_are_shown_with_what_became_of_them() -> None:
    view = RunView.model_validate(RUN_VIEW)
    tried = {"state": "trying", "at": None, "next_at": "2026-11-24T09:05:00Z", "reason": "it answered 503"}
    trying = CallView.model_validate(view.calls[0].model_dump() | tried | {"tries": 1})

    lines = shown(view.model_copy(update={"calls": (*view.calls, trying)}))

    calls, actions = lines.index("Calls"), lines.index("Actions")
    assert [line.partition("⚑ ")[2] for line in lines[calls + 1 : calls + 3]] == [
        "calls crm  accepted, 2 tries",
        "calls crm  trying, 1 try, the next at 24 Nov 2026 09:05 UTC: it answered 503",
    ]
    assert lines[actions + 1].endswith("⚑ sets reminded_at  accepted")


def test_a_run_is_linked_in_the_namespace_of_its_temporal() -> None:
    view = RunView.model_validate(RUN_VIEW)
    there = Connection(url="http://localhost", key="key", namespace="a/b", temporal_ui="http://localhost:8233")

    *_, last = (line.plain.strip() for line in run(view, there.runs_page, NOW))

    assert last == f"Temporal: http://localhost:8233/namespaces/a%2Fb/workflows/{quote(view.id, safe='')}"
    assert there.model_copy(update={"temporal_ui": ""}).runs_page == ""


def test_where_there_are_none_there_is_no_heading() -> None:
    view = RunView.model_validate(RUN_VIEW | {"calls": [], "actions": []})

    assert not {"Calls", "Actions"} & {*shown(view)}


def test_what_ended_a_run_is_shown_where_how_it_ended_does_not_say_so() -> None:
    said = RunView.model_validate(RUN_VIEW)
    anew = said.model_copy(update={"ended_by": "restart", "why": "its customer entered anew"})

    assert shown(said)[1] == "exited on day 1 01:00: exit: purchase-completed"
    assert shown(anew)[1] == "exited (restart) on day 1 01:00: its customer entered anew"


def test_why_a_run_ended_is_not_told_once_its_customer_is_erased() -> None:
    erased = RunView.model_validate(RUN_VIEW).model_copy(update={"why": ""})

    assert shown(erased)[1] == "exited on day 1 01:00"


@pytest.mark.parametrize(("hours", "said"), [(36, "day 1 12:00"), (-36, "day -1 12:00"), (-0.5, "day -0 00:30")])
def test_what_was_before_the_entry_is_as_long_before_it(hours: float, said: str) -> None:
    assert journey_time(timedelta(hours=hours)) == said


def test_an_event_that_comes_again_is_not_said_to_be_heard_by_nobody_where_what_it_did_is_kept_no_more() -> None:
    first, again = Receipt(event="e1", source="api"), Receipt(event="e1", source="api", duplicate=True)

    assert [UNDECIDED in line.plain for line in receipt(first)] == [False, True]
    assert [UNDECIDED_THEN in line.plain for line in receipt(again)] == [False, True]


def test_what_is_held_is_shown_with_until_when_and_why() -> None:
    held, ended = RunPage.model_validate(RUNS).runs
    view = RunView.model_validate(RUN_VIEW | held.model_dump())

    listed = [line.plain for line in runs(RunPage(runs=(held, ended), next=None), NOW)]

    words = "at second-reminder since day 1 12:40, held until 26 Nov 07:04:51: quiet time 21:00–07:00 (UTC)"
    assert words in listed[1]
    assert "held" not in listed[2]
    assert shown(view)[1] == words


def test_on_a_narrow_terminal_where_a_run_stands_is_told_beneath_it() -> None:
    held, _ = RunPage.model_validate(RUNS).runs
    page = RunPage(runs=(held,), next=None)
    as_wide_as_it_is = max(line.cell_len for line in runs(page, NOW))

    listed = [line.plain for line in runs(page, NOW, 70)]

    assert max(map(len, listed)) <= 70 < as_wide_as_it_is
    assert " ".join(line.strip() for line in listed[2:]).startswith("at second-reminder since day 1 12:40, held until")
    assert [line.plain for line in runs(page, NOW, as_wide_as_it_is)] == [line.plain for line in runs(page, NOW)]


def test_a_message_of_a_parked_run_waits_for_a_repair() -> None:
    told = RunView.model_validate(RUN_VIEW | {"ended": None, "ended_at": None})
    released = told.model_copy(update={"sends": (told.sends[0].model_copy(update={"state": "released"}),)})
    parked = Holding(by="park", since=told.entered_at, until=None, why="the content is stopped")

    assert any("tried again by itself" in line for line in shown(released))
    lines = shown(released.model_copy(update={"held": parked}))

    assert any("tried again once somebody repairs it" in line for line in lines)
    assert not any("by itself" in line for line in lines)
