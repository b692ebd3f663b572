"""What an event does: goal, exit, resume, start, and the reason for everything that it does not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.catalogue import Event
from journeys.facts import Decision, Facts, RunFacts, SendFacts
from journeys.language.conditions import Verdict
from journeys.listening import MOST_OTHERS, decide
from journeys.versions import Version
from journeys.walk.position import Arrival
from tests.samples import abandoned_cart, version

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = {"trigger": "abandoned-cart", "key": "event.cart_id"}


def event(trigger: str = "purchase-completed", at: datetime = NOW, **attributes: Any) -> Event:
    return Event(id=f"{trigger}-1", trigger=trigger, customer="ada", occurred_at=at, attributes=attributes)


def run(key: str | None = "c1", entered_at: datetime = NOW - HOUR, **changes: Any) -> RunFacts:
    return replace(RunFacts(id=f"run-{key}", version=version(), key=key, entered_at=entered_at), **changes)


def made(happened: Event, **facts: Any) -> list[Decision]:
    return decide(happened, happened.occurred_at or NOW, Facts(customer={}, **facts))


def did(happened: Event, **facts: Any) -> list[tuple[str, str | None]]:
    return [(decision.did, decision.run) for decision in made(happened, **facts)]


def test_one_event_meets_the_goal_and_then_exits() -> None:
    assert did(event(), runs=[run()]) == [("goal met", "run-c1"), ("exited", "run-c1")]


def test_a_journey_that_listens_in_vain_says_why() -> None:
    decisions = made(event(), listening=[version()])

    assert [(decision.did, decision.run) for decision in decisions] == [("ignored", None)]
    assert "only does something to runs, and this customer has none under way" in decisions[0].why


def test_a_journey_that_heard_it_says_nothing_more() -> None:
    assert did(event(), runs=[run()], listening=[version()]) == [("goal met", "run-c1"), ("exited", "run-c1")]


def test_of_very_many_other_carts_some_are_told_that_they_ignore_it() -> None:
    runs = [run(f"c{n}", version=version(abandoned_cart(start=START))) for n in range(100)]

    decisions = did(event(cart_id="c99"), runs=runs)

    assert decisions[-2:] == [("goal met", "run-c99"), ("exited", "run-c99")]
    assert decisions[:-2] == [("ignored", f"run-c{n}") for n in range(MOST_OTHERS)]


def test_a_goal_is_counted_once() -> None:
    assert did(event(), runs=[run(goal_met=True)]) == [("exited", "run-c1")]


@pytest.mark.parametrize(
    ("cart", "expected"),
    [
        pytest.param("c1", {"run-c1": "exited", "run-c2": "ignored"}, id="its-own-cart"),
        pytest.param(None, {"run-c1": "exited", "run-c2": "exited"}, id="no-cart-named"),
        pytest.param("c3", {"run-c1": "ignored", "run-c2": "ignored"}, id="another-cart"),
    ],
)
def test_a_key_tells_runs_apart(cart: str | None, expected: dict[str, str]) -> None:
    purchase = event(cart_id=cart) if cart else event()

    decisions = made(purchase, runs=[run("c1"), run("c2")])

    assert {decision.run: decision.did for decision in decisions} == expected


def test_a_purchase_that_occurred_before_the_cart_does_nothing_to_its_run() -> None:
    decisions = made(event(at=NOW - 2 * HOUR), runs=[run()])

    assert [decision.did for decision in decisions] == ["ignored"]
    assert "before the run was entered" in decisions[0].why


def test_a_cart_that_comes_after_its_purchase_starts_nothing() -> None:
    cart = event("abandoned-cart", at=NOW - HOUR, cart_id="c1", total=60)

    decisions = made(cart, starts=[version()], known=[event(cart_id="c1")])

    assert [decision.did for decision in decisions] == ["ignored"]
    assert "already exited: purchase-completed" in decisions[0].why


class Asked(Version):
    """It notes what its conditions are asked of."""

    def holds(self, where: str | None, event: Event, customer: Mapping[str, object]) -> Verdict:
        asked.append(event.id)
        return super().holds(where, event, customer)


asked: list[str] = []


def test_whether_events_are_exits_is_asked_once_for_all_carts_of_a_list() -> None:
    purchases = [event(total=10).model_copy(update={"id": f"bought-{n}"}) for n in range(3)]
    above = {"trigger": "purchase-completed", "where": "event.total > 50"}
    asking = Asked(**vars(version(abandoned_cart(exit=[above]))))
    facts = Facts(customer={}, starts=[asking], known=purchases)
    asked.clear()

    for n in range(5):
        cart = event("abandoned-cart", at=NOW - HOUR, cart_id=f"c{n}", total=60)
        assert [made.did for made in decide(cart, NOW - HOUR, facts)] == ["started"]

    assert sorted(id for id in asked if id.startswith("bought")) == ["bought-0", "bought-1", "bought-2"]


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(event(cart_id="c2"), id="of-another-cart"),
        pytest.param(event(at=NOW - 2 * HOUR, cart_id="c1"), id="before-the-cart"),
        pytest.param(event("store-visit", city="Oslo"), id="that-is-no-exit"),
    ],
)
def test_a_known_event_does_not_keep_a_cart_from_starting(known: Event) -> None:
    cart = event("abandoned-cart", at=NOW - HOUR, cart_id="c1", total=60)

    assert [what for what, _ in did(cart, starts=[version()], known=[known])] == ["started"]


@pytest.mark.parametrize(
    ("repeat", "last", "expected"),
    [
        pytest.param("immediately", NOW - HOUR, "started", id="immediately"),
        pytest.param("never", None, "started", id="never-first"),
        pytest.param("never", NOW - 400 * DAY, "ignored", id="never-again"),
        pytest.param({"after": "7 days"}, NOW - 6 * DAY, "ignored", id="after-too-soon"),
        pytest.param({"after": "7 days"}, NOW - 7 * DAY, "started", id="after-exactly"),
    ],
)
def test_repeat_counts_from_the_last_entry(repeat: Any, last: datetime | None, expected: str) -> None:
    asked = version(abandoned_cart(start={**START, "repeat": repeat}))
    entries = {("abandoned-cart", "c1"): last} if last else {}

    decisions = made(event("abandoned-cart", cart_id="c1", total=60), starts=[asked], last_entries=entries)

    assert [decision.did for decision in decisions] == [expected]


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        pytest.param("ignore", ["ignored"], id="ignore"),
        pytest.param("parallel", ["started"], id="parallel"),
        pytest.param("restart", ["restarted", "started"], id="restart"),
    ],
)
def test_overlap_decides_while_a_run_is_under_way(overlap: str, expected: list[str]) -> None:
    asked = version(abandoned_cart(start={**START, "overlap": overlap}))
    cart = event("abandoned-cart", cart_id="c1", total=60)

    assert [what for what, _ in did(cart, starts=[asked], runs=[run(version=asked)])] == expected


def test_another_key_is_no_overlap() -> None:
    cart = event("abandoned-cart", cart_id="c2", total=60)

    assert [what for what, _ in did(cart, starts=[version()], runs=[run("c1")])] == ["started"]


def test_one_event_may_exit_a_run_and_start_the_next() -> None:
    asked = version(abandoned_cart(start=START, exit=[{"trigger": "abandoned-cart"}], goal=None))
    cart = event("abandoned-cart", cart_id="c1", total=60)

    assert [what for what, _ in did(cart, starts=[asked], runs=[run(version=asked)])] == ["exited", "started"]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(-timedelta(milliseconds=1), "ignored", id="a-moment-before"),
        pytest.param(timedelta(0), "started", id="exactly-at"),
        pytest.param(2 * DAY - timedelta(milliseconds=1), "started", id="a-moment-before-the-end"),
        pytest.param(2 * DAY, "ignored", id="at-the-end"),
    ],
)
def test_the_window_is_of_when_it_occurred(at: timedelta, expected: str) -> None:
    window = {"from": NOW.isoformat(), "until": (NOW + 2 * DAY).isoformat()}
    asked = version(abandoned_cart(start={**START, **window}))

    assert [what for what, _ in did(event("abandoned-cart", at=NOW + at, total=60), starts=[asked])] == [expected]


def test_an_unmet_condition_names_the_value() -> None:
    asked = version(abandoned_cart(start={**START, "where": "event.total > 50"}))

    decisions = made(event("abandoned-cart", total=40), starts=[asked])

    assert decisions[0].did == "ignored"
    assert "event.total is 40" in decisions[0].why


def test_a_condition_on_an_exit_keeps_the_run_and_says_why() -> None:
    asked = version(abandoned_cart(exit=[{"trigger": "purchase-completed", "where": "event.total > 50"}], goal=None))

    decisions = made(event(total=40), runs=[run(version=asked)])

    assert [decision.did for decision in decisions] == ["ignored"]
    assert decisions[0].why.startswith("exit: ")


@pytest.mark.parametrize(
    ("after", "ended", "expected"),
    [
        pytest.param(3 * DAY, "completed", ["goal met"], id="at-the-last-moment"),
        pytest.param(3 * DAY + timedelta(seconds=1), "completed", [], id="a-second-late"),
        pytest.param(HOUR, "exited", [], id="after-an-exit"),
        pytest.param(HOUR, "stopped", [], id="after-a-stop"),
    ],
)
def test_a_goal_still_counts_for_three_days_after_completion(after: timedelta, ended: str, expected: list[str]) -> None:
    over = run(ended=ended, ended_at=NOW - after)

    assert [what for what, _ in did(event(), runs=[over])] == expected


def test_an_open_answers_only_the_run_that_sent_the_message() -> None:
    opened = event("email-opened", send_id="s1")
    send = SendFacts(id="s1", run="run-c1", step="initial-reminder", kind="email")

    decisions = made(opened, runs=[run("c1"), run("c2")], send=send)

    assert [(decision.did, decision.run, decision.answers) for decision in decisions] == [
        ("resumed", "run-c1", ("opened",))
    ]


def asking(**question: Any) -> RunFacts:
    asked = {"message": "mail", "is": "opened", "within": "1 day", **question}
    mail = {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"}
    return run(version=version(abandoned_cart(steps=[mail, {"id": "ask", "if": asked}])))


@pytest.mark.parametrize(
    ("question", "trigger", "attributes", "expected"),
    [
        pytest.param({}, "email-opened", {"machine": True}, "ignored", id="a-program"),
        pytest.param({}, "email-opened", {"machine": False}, "resumed", id="a-person"),
        pytest.param({"by": "anyone"}, "email-opened", {"machine": True}, "resumed", id="anyone"),
        pytest.param({"is": "clicked", "link": "a"}, "email-clicked", {"link": "a"}, "resumed", id="link"),
        pytest.param({"is": "clicked", "link": "a"}, "email-clicked", {"link": "b"}, "ignored", id="other"),
        pytest.param({"is": "clicked"}, "email-clicked", {"link": "https://b"}, "resumed", id="any-link"),
    ],
)
def test_who_opened_and_which_link(question: Any, trigger: str, attributes: dict[str, Any], expected: str) -> None:
    send = SendFacts(id="s1", run="run-c1", step="mail", kind="email")

    decisions = made(event(trigger, send_id="s1", **attributes), runs=[asking(**question)], send=send)

    assert [decision.did for decision in decisions] == [expected]


def test_an_open_of_a_message_nobody_asks_about_resumes_nothing() -> None:
    opened = event("text-clicked", send_id="s1")
    send = SendFacts(id="s1", run="run-c1", step="second-reminder", kind="text")

    assert did(opened, runs=[run()], send=send) == []


def test_a_trigger_question_is_answered_where_its_condition_holds() -> None:
    question = {"trigger": "store-visit", "where": "event.city == 'Oslo'", "within": "1 day"}
    asked = version(abandoned_cart(steps=[{"id": "visit", "if": question}]))

    oslo, rome = (made(event("store-visit", city=city), runs=[run(version=asked)]) for city in ("Oslo", "Rome"))

    assert [(decision.did, decision.answers) for decision in oslo] == [("resumed", ("visit",))]
    assert [decision.did for decision in rome] == ["ignored"]
    assert 'event.city is "Rome"' in rome[0].why


def test_a_run_that_does_not_listen_is_not_even_looked_at() -> None:
    assert did(event("store-visit", city="Oslo"), runs=[run()]) == []


MAIL = {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"}
VISITED = {"id": "visited", "if": {"trigger": "store-visit", "within": "2 days"}}
BOUGHT = {"id": "bought", "if": {"trigger": "purchase-completed", "within": "2 days"}}
OPENED = {"id": "opened", "if": {"message": "mail", "is": "opened", "within": "1 day"}}
PAUSE = {"id": "pause", "wait": "3 days"}
VISIT = event("store-visit", city="Oslo")


def standing(step: str, *steps: dict[str, Any], since: timedelta = HOUR, heard: tuple[Arrival, ...] = ()) -> RunFacts:
    walked = version(abandoned_cart(exit=[], goal=None, steps=list(steps)))
    return run(entered_at=NOW - 9 * DAY, version=walked, step=step, step_at=NOW - since, heard=heard)


def heard(step: str, at: datetime, event: str = "earlier") -> Arrival:
    return Arrival(event=event, at=at, answers=(step,))


@pytest.mark.parametrize(
    ("stands", "why"),
    [
        pytest.param(standing("visited", VISITED, PAUSE), None, id="asked-now"),
        pytest.param(standing("visited", VISITED, PAUSE, since=2 * DAY), None, id="at-the-last-instant"),
        pytest.param(standing("visited", VISITED, PAUSE, since=3 * DAY), "after its limit", id="after-the-limit"),
        pytest.param(standing("visited", VISITED, since=-HOUR), "asked for from", id="before-it-is-asked"),
        pytest.param(standing("pause", VISITED, PAUSE), "past it", id="passed"),
        pytest.param(standing("pause", PAUSE, VISITED), "asked for from", id="not-before-the-wait-is-over"),
        pytest.param(standing("pause", PAUSE, VISITED, since=3 * DAY), None, id="the-wait-is-over"),
        pytest.param(standing("mail", MAIL, VISITED), None, id="after-a-message-that-may-be-out"),
        pytest.param(standing("bought", {**BOUGHT, "then": [VISITED]}), None, id="in-an-arm-that-may-be-taken"),
        pytest.param(
            standing("pause", {**BOUGHT, "then": [VISITED], "else": [PAUSE]}), "past it", id="in-the-arm-not-taken"
        ),
        pytest.param(standing("visited", VISITED, heard=(heard("visited", NOW),)), "past it", id="answered-already"),
        pytest.param(standing("visited", VISITED, heard=(heard("visited", NOW - DAY),)), None, id="by-none-in-time"),
        pytest.param(standing("visited", VISITED, heard=(heard("bought", NOW),)), None, id="another-one-is"),
        pytest.param(
            standing("bought", BOUGHT, VISITED, heard=tuple(heard("visited", NOW, f"e{n}") for n in range(20))),
            "20 answers wait for it already",
            id="enough-are-waiting",
        ),
    ],
)
def test_only_what_is_still_ahead_is_answered(stands: RunFacts, why: str | None) -> None:
    (decision,) = made(VISIT, runs=[stands])

    assert decision.did == ("ignored" if why else "resumed")
    assert decision.answers == (() if why else ("visited",))
    assert (why or "") in decision.why


@pytest.mark.parametrize(
    ("stands", "sent", "why"),
    [
        pytest.param(standing("opened", MAIL, OPENED), NOW - HOUR, None, id="asked-now"),
        pytest.param(standing("pause", MAIL, PAUSE, OPENED), NOW - HOUR, None, id="before-it-is-asked"),
        pytest.param(standing("mail", MAIL, OPENED), None, None, id="before-the-outcome-is-known"),
        pytest.param(standing("pause", MAIL, PAUSE, OPENED), NOW - 2 * DAY, "after its limit", id="too-late"),
        pytest.param(standing("pause", MAIL, OPENED, PAUSE), NOW - HOUR, "past it", id="passed"),
        pytest.param(
            standing("pause", MAIL, PAUSE, OPENED, heard=(heard("opened", NOW),)),
            NOW - HOUR,
            "past it",
            id="answered-already",
        ),
    ],
)
def test_an_open_counts_once_and_in_time(stands: RunFacts, sent: datetime | None, why: str | None) -> None:
    send = SendFacts(id="s1", run="run-c1", step="mail", kind="email", at=sent)

    (decision,) = made(event("email-opened", send_id="s1"), runs=[stands], send=send)

    assert decision.did == ("ignored" if why else "resumed")
    assert (why or "") in decision.why


def test_one_visit_answers_the_question_that_is_asked_and_none_after_it() -> None:
    again = {**VISITED, "id": "again"}

    (first,) = made(VISIT, runs=[standing("visited", {**VISITED, "then": [again]})])
    (second,) = made(
        event("store-visit", at=NOW + HOUR, city="Oslo"),
        runs=[standing("again", {**VISITED, "then": [again]}, since=0 * HOUR, heard=(heard("visited", NOW),))],
    )

    assert (first.answers, second.answers) == (("visited",), ("again",))


def test_where_no_question_listens_any_more_the_goal_and_the_exit_do() -> None:
    walked = version(abandoned_cart(steps=[BOUGHT, PAUSE]))

    assert did(event(), runs=[run(version=walked, step="pause", step_at=NOW - HOUR)]) == [
        ("goal met", "run-c1"),
        ("exited", "run-c1"),
    ]
