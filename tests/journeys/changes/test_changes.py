"""Whatever is otherwise in a new version is told in words, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from journeys.changes.changes import ANOTHER_WAY, Change, changes
from journeys.definition import Journey, JourneyBrake, Start
from journeys.steps import STEP_TYPES
from tests.random_journeys import journeys
from tests.random_versions import new_versions
from tests.samples import abandoned_cart

EMAIL = {"id": "hello", "email": "welcome", "to": "customer.email"}
LINK = {"message": "hello", "is": "clicked", "link": "shop.example.com", "within": "1 day"}
REPLIED = {"message": "hello", "is": "replied", "reply": ["yes"], "within": "1 day"}
VISIT = {"trigger": "store-visit", "within": "1 day"}
GOLD = {"arm": "gold", "when": 'customer.tier == "gold"'}
A, B = {"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}
TEST = {"winner": {"by": "goal", "after": "2 weeks"}, "arms": [A, B], "default": "a"}
SERIES = {"id": "s", "until": VISIT, "steps": [{"id": "pause", "wait": "1 day"}]}
AT_NINE = {"until": "event.ends_at", "before": "1 day", "at": "09:00"}

OTHERWISE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "email.email": (EMAIL, {"email": "winter"}, "hello sends winter instead of welcome"),
    "email.to": (EMAIL, {"to": "customer.work"}, "hello goes to customer.work instead of customer.email"),
    "email.to, several": (
        EMAIL,
        {"to": ["customer.work", "customer.email"]},
        "hello goes to customer.work or customer.email instead of customer.email",
    ),
    "email.expires": (EMAIL, {"expires": "1 day"}, "hello expires 1 day after it is due, which is new"),
    "email.expires.at, no more": (
        EMAIL | {"expires": {"at": "event.ends_at"}},
        {"expires": None},
        "hello expires at event.ends_at no more",
    ),
    "email.expires.before": (
        EMAIL | {"expires": {"at": "event.ends_at"}},
        {"expires": {"at": "event.ends_at", "before": "2 hours"}},
        "hello expires 2 hours before event.ends_at instead of at event.ends_at",
    ),
    "email.in_doubt": (EMAIL, {"in_doubt": "repeat"}, "hello in doubt is sent again instead of left"),
    "email.in_doubt, as by itself": (EMAIL, {"in_doubt": "leave"}, f"hello {ANOTHER_WAY}"),
    "email.quiet": (EMAIL, {"quiet": "ignore"}, "hello has quiet times ignored instead of kept"),
    "email.caps": (EMAIL, {"caps": "ignore"}, "hello has caps ignored instead of kept"),
    "text.text": (
        {"id": "hello", "text": "welcome", "to": "customer.phone"},
        {"text": "winter"},
        "hello sends winter instead of welcome",
    ),
    "push.push": (
        {"id": "hello", "push": "welcome", "to": "customer.token"},
        {"push": "winter"},
        "hello sends winter instead of welcome",
    ),
    "wait.wait": ({"id": "wait-1", "wait": "7 days"}, {"wait": "3 days"}, "wait-1 waits 3 days instead of 7 days"),
    "wait.until": (
        {"id": "wait-1", "wait": "7 days"},
        {"wait": {"until": "09:00", "on": "mon"}},
        "wait-1 waits until 09:00 on Monday instead of 7 days",
    ),
    "wait.on": (
        {"id": "w", "wait": {"until": "09:00"}},
        {"wait": {"until": "09:00", "on": "mon"}},
        "w waits until 09:00 on Monday instead of until 09:00",
    ),
    "wait.after": (
        {"id": "w", "wait": {"until": "event.ends_at"}},
        {"wait": {"until": "event.ends_at", "after": "1 day"}},
        "w waits until 1 day after event.ends_at instead of until event.ends_at",
    ),
    "wait.at": (
        {"id": "w", "wait": {"until": "event.ends_at"}},
        {"wait": {"until": "event.ends_at", "at": "09:00"}},
        "w waits until event.ends_at, at 09:00 instead of until event.ends_at",
    ),
    "wait.yearly": (
        {"id": "w", "wait": {"until": "event.ends_at"}},
        {"wait": {"until": "event.ends_at", "yearly": True}},
        "w waits until the next anniversary of event.ends_at instead of until event.ends_at",
    ),
    "wait.before": (
        {"id": "w", "wait": AT_NINE},
        {"wait": AT_NINE | {"before": "2 days"}},
        "w waits until 2 days before event.ends_at, at 09:00 instead of until 1 day before event.ends_at, at 09:00",
    ),
    "if.within": (
        {"id": "q", "if": VISIT},
        {"if": VISIT | {"within": "2 days"}},
        "q waits at most 2 days instead of 1 day",
    ),
    "if.where": (
        {"id": "q", "if": VISIT},
        {"if": VISIT | {"where": 'event.city == "Oslo"'}},
        'q waits for store-visit, where event.city == "Oslo" instead of store-visit',
    ),
    "if.trigger": (
        {"id": "q", "if": VISIT},
        {"if": {"trigger": "bought", "within": "1 day"}},
        "q waits for bought instead of store-visit",
    ),
    "if.becomes": (
        {"id": "q", "if": VISIT},
        {"if": {"becomes": 'customer.plan == "pro"', "within": "1 day"}},
        'q waits for customer.plan == "pro" instead of store-visit',
    ),
    "if.message": (
        {"id": "q", "if": LINK},
        {"if": LINK | {"message": "second"}},
        "q waits for clicked shop.example.com of second instead of clicked shop.example.com of hello",
    ),
    "if.link": (
        {"id": "q", "if": LINK},
        {"if": {**LINK, "link": None}},
        "q waits for clicked of hello instead of clicked shop.example.com of hello",
    ),
    "if.is": (
        {"id": "q", "if": LINK | {"link": None}},
        {"if": LINK | {"link": None, "is": "opened"}},
        "q waits for opened of hello instead of clicked of hello",
    ),
    "if.by": (
        {"id": "q", "if": {"message": "hello", "is": "opened", "within": "1 day"}},
        {"if": {"message": "hello", "is": "opened", "within": "1 day", "by": "anyone"}},
        "q waits for opened of hello by anyone instead of opened of hello",
    ),
    "if.reply": (
        {"id": "q", "if": REPLIED},
        {"if": REPLIED | {"reply": ["yes", "ja"]}},
        "q waits for replied yes or ja of hello instead of replied yes of hello",
    ),
    "await.within": (
        {"id": "q", "await": {"within": "1 day", "arms": [{"arm": "a", "trigger": "store-visit"}]}},
        {"await": {"within": "2 days", "arms": [{"arm": "a", "trigger": "store-visit"}]}},
        "q waits at most 2 days instead of 1 day",
    ),
    "await.arms": (
        {"id": "q", "await": {"within": "1 day", "arms": [{"arm": "a", "trigger": "store-visit"}]}},
        {"await": {"within": "1 day", "arms": [{"arm": "a", "trigger": "bought"}]}},
        "q takes a at bought instead of store-visit",
    ),
    "await.arms.arm": (
        {"id": "q", "await": {"within": "1 day", "arms": [{"arm": "a", "trigger": "store-visit"}]}},
        {"await": {"within": "1 day", "arms": [{"arm": "b", "trigger": "store-visit"}]}},
        "q takes b at store-visit, which is new",
    ),
    "until.until": (
        SERIES,
        {"until": VISIT | {"within": "2 days"}},
        "s walks them at most 2 days instead of 1 day",
    ),
    "until.trigger": (
        SERIES,
        {"until": VISIT | {"trigger": "bought"}},
        "s walks its steps until bought instead of store-visit",
    ),
    "branch.when": (
        {"id": "tier", "branch": [GOLD]},
        {"branch": [GOLD | {"when": "event.total > 5"}]},
        'tier takes gold where event.total > 5 instead of customer.tier == "gold"',
    ),
    "branch.arm, one more": (
        {"id": "tier", "branch": [GOLD]},
        {"branch": [GOLD, {"arm": "big", "when": "event.total > 5"}]},
        "tier takes big where event.total > 5, which is new",
    ),
    "split.share": (
        {"id": "half", "split": [A, B]},
        {"split": [A | {"share": "20%"}, B | {"share": "80%"}]},
        "half gives a 20% instead of 50%",
    ),
    "split.first": (
        {"id": "half", "split": [A, B]},
        {"split": [{"arm": "a", "first": 1000}]},
        "half gives a the first 1000 instead of 50%",
    ),
    "split.arm, in another order": (
        {"id": "half", "split": [A, B]},
        {"split": [B, A]},
        "half has the arms b, a instead of a, b",
    ),
    "split.by": (
        {"id": "half", "split": [A, B]},
        {"by": "run"},
        "half draws once for each run instead of customer",
    ),
    "test.winner.by": (
        {"id": "t", "test": TEST},
        {"test": TEST | {"winner": {"by": "opened", "after": "2 weeks"}}},
        "t is decided by opened instead of goal",
    ),
    "test.winner.after, people": (
        {"id": "t", "test": TEST},
        {"test": TEST | {"winner": {"by": "goal", "people": 2000}}},
        "t is decided after 2000 people instead of 14 days",
    ),
    "test.winner.within": (
        {"id": "t", "test": TEST},
        {"test": TEST | {"winner": {"by": "goal", "after": "2 weeks", "within": "1 day"}}},
        "t counts what follows within 1 day, which is new",
    ),
    "test.default": (
        {"id": "t", "test": TEST},
        {"test": TEST | {"default": "b"}},
        "t takes without a winner b instead of a",
    ),
    "test.arms.arm": (
        {"id": "t", "test": TEST},
        {"test": TEST | {"arms": [A, B | {"arm": "c"}]}},
        "t gives c 50%, which is new",
    ),
    "test.arms.share": (
        {"id": "t", "test": TEST},
        {"test": TEST | {"arms": [A | {"share": "40%"}, B | {"share": "60%"}]}},
        "t gives a 40% instead of 50%",
    ),
    "raise.raise": ({"id": "r", "raise": "one"}, {"raise": "two"}, "r raises two instead of one"),
    "raise.with": (
        {"id": "r", "raise": "one", "with": {"n": "1"}},
        {"with": {"n": "event.total", "m": "2"}},
        "r tells n as event.total instead of 1",
    ),
    "raise.with, in another order": (
        {"id": "r", "raise": "one", "with": {"n": "1", "m": "2"}},
        {"with": {"m": "2", "n": "1"}},
        f"r {ANOTHER_WAY}",
    ),
    "set.set": (
        {"id": "s", "set": {"stage": '"warm"'}},
        {"set": {"stage": None}},
        's sets stage to nothing instead of "warm"',
    ),
    "webhook.webhook": ({"id": "w", "webhook": "crm"}, {"webhook": "erp"}, "w calls erp instead of crm"),
    "webhook.with": (
        {"id": "w", "webhook": "crm", "with": {"n": "1"}},
        {"with": {}},
        "w tells n as 1 no more",
    ),
    "webhook.within": ({"id": "w", "webhook": "crm"}, {"within": "2 hours"}, "w tries for 2 hours instead of 1 day"),
    "end.end": ({"id": "e", "end": "enough"}, {"end": "no more"}, 'e ends with "no more" instead of "enough"'),
}
"""For each field of each type of step: a step, what is otherwise in it, and what is said of that."""

OF_THE_WHOLE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "start.trigger": ({}, {"start": "trial-started"}, "starts on trial-started instead of abandoned-cart"),
    "start.where": ({}, {"start": {"where": "event.total > 5"}}, "starts where event.total > 5, which is new"),
    "start.key": (
        {"start": {"key": "event.cart_id"}},
        {"start": {}},
        "tells runs of one person apart by event.cart_id no more",
    ),
    "start.repeat": (
        {},
        {"start": {"repeat": {"after": "7 days"}}},
        "lets the same person in again after 7 days instead of immediately",
    ),
    "start.overlap": (
        {},
        {"start": {"overlap": "restart"}},
        "does with an entry while a run is under way restart instead of ignore",
    ),
    "start.from": (
        {},
        {"start": {"from": "2026-01-02T09:00:00Z"}},
        "lets people in from 2 Jan 2026 09:00 UTC, which is new",
    ),
    "start.until": (
        {},
        {"start": {"until": "2026-01-02T09:00:00Z"}},
        "lets people in until 2 Jan 2026 09:00 UTC, which is new",
    ),
    "start.newest": (
        {},
        {"start": {"newest": "1 day"}},
        "starts nothing for events older than 1 day instead of 3 days",
    ),
    "goal.trigger": ({"goal": "bought"}, {"goal": "paid"}, "has the goal paid instead of bought"),
    "goal.where": (
        {"goal": "bought"},
        {"goal": {"trigger": "bought", "where": "event.total > 5"}},
        "counts the goal where event.total > 5, which is new",
    ),
    "goal.target": (
        {"goal": "bought"},
        {"goal": {"trigger": "bought", "target": "50%"}},
        "has the target 50%, which is new",
    ),
    "goal.within": (
        {"goal": "bought"},
        {"goal": {"trigger": "bought", "within": "1 day"}},
        "counts the goal after the end for 1 day instead of 3 days",
    ),
    "exit": (
        {"exit": ["bought"]},
        {"exit": [{"trigger": "bought", "where": "event.total > 5"}, {"when": "customer.vip"}]},
        "ends a run on bought, where event.total > 5, customer.vip instead of bought",
    ),
    "time_zone": ({}, {"time_zone": "Europe/Oslo"}, "has the time zone Europe/Oslo, which is new"),
    "quiet": ({}, {"quiet": "ignore"}, "has quiet times ignored instead of kept"),
    "caps": ({}, {"caps": "ignore"}, "has caps ignored instead of kept"),
    "brake": (
        {},
        {"brake": {"entries": {"at_most": 5000, "per": "1 hour"}}},
        "is held after 5000 entries in 1 hour, which is new",
    ),
}


def _without_nothing(step: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if value is not None}


def of(*steps: dict[str, Any], start: str | dict[str, Any] | None = None, **more: Any) -> Journey:
    begins = start if isinstance(start, str) else {"trigger": "abandoned-cart", **(start or {})}
    return Journey.model_validate({"journey": "j", "start": begins, "steps": [*map(_without_nothing, steps)], **more})


def said(old: Journey, new: Journey, **names: str) -> list[str]:
    return [change.words for change in changes(old, new, names)]


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_is_otherwise_in_a_step_is_said(case: str) -> None:
    step, otherwise, words = OTHERWISE[case]

    told = changes(of(step), of(step | otherwise))

    assert Change(what="changed", step=step["id"], words=words) in told
    assert {(change.what, change.step) for change in told} == {("changed", step["id"])}


@pytest.mark.parametrize("type_", STEP_TYPES)
def test_every_field_of_every_step_is_among_them(type_: str) -> None:
    like = {"text": "email", "push": "email"}.get(type_, type_)
    told = {part for case in OTHERWISE if re.match(rf"({type_}|{like})[.,]", case) for part in re.findall(r"\w+", case)}
    asked = {part for case in OTHERWISE if case.startswith("if.") for part in re.findall(r"\w+", case)}

    fields = fields_of(STEP_TYPES[type_])

    assert fields <= told | (asked if type_ in ("await", "until") else set())


def fields_of(model: type[BaseModel]) -> set[str]:
    """All that can be said of a step but its name, its steps, and what is said in one way only."""
    found = set[str]()
    for name, field in model.model_fields.items():
        if name not in ("id", "then", "else_", "late", "steps", "otherwise", "failing"):
            found.add(field.alias or name)
            found |= {inner for within in models_in(field.annotation) for inner in fields_of(within)}
    return found


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """The models of which a field is made."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


@pytest.mark.parametrize("case", OF_THE_WHOLE)
def test_what_is_otherwise_in_the_journey_is_said(case: str) -> None:
    old, new, words = OF_THE_WHOLE[case]
    step = {"id": "pause", "wait": "1 day"}

    told = changes(of(step, **old), of(step, **old | new))

    assert told == (Change(what="changed", step=None, words=f"the journey {words}"),)


def test_every_field_of_the_journey_is_among_them() -> None:
    told = {case.partition(".")[0] for case in OF_THE_WHOLE}
    assert set(Journey.model_fields) - {"journey", "title", "steps"} == told
    assert {f"start.{field.alias or name}" for name, field in Start.model_fields.items()} <= set(OF_THE_WHOLE)
    assert set(JourneyBrake.model_fields) == {"entries"}


def test_steps_come_go_and_move() -> None:
    hello, pause, bye = EMAIL, {"id": "pause", "wait": "1 day"}, {"id": "bye", "end": "enough"}
    asks = {"id": "q", "if": VISIT, "then": [pause]}

    assert said(of(hello, pause), of(hello, pause, bye)) == ["bye is new, after pause: it ends: enough"]
    assert said(of(hello, pause, bye), of(hello, pause)) == ["bye is gone: it ends: enough"]
    assert said(of(pause, hello), of(hello, pause)) in (
        ["hello comes at the beginning now"],
        ["pause comes after hello now"],
    )
    assert said(of(hello, pause), of(hello, asks)) == [
        "q is new, after hello: it waits for store-visit, at most 1 day",
        'pause comes first in "yes" of q now',
    ]
    assert said(of({"id": "q", "if": VISIT, "else": [pause]}), of(asks)) == ['pause comes first in "yes" of q now']
    series = {"id": "s", "until": VISIT, "steps": [hello, pause]}
    assert said(of(series), of({**series, "steps": [hello, bye, pause]})) == [
        "bye is new, within s, after hello: it ends: enough"
    ]


def test_a_step_of_another_kind_is_said_as_both() -> None:
    hello, text = EMAIL, {"id": "hello", "text": "welcome", "to": "customer.phone"}

    assert said(of(hello), of(text)) == [
        "hello is another kind of step: it sends text welcome, and before, it sends email welcome"
    ]


def test_a_step_of_another_name_is_the_same_one() -> None:
    old = of(EMAIL, {"id": "q", "if": VISIT, "then": [{"id": "pause", "wait": "1 day"}]})
    new = of(EMAIL, {"id": "visit", "if": VISIT, "then": [{"id": "pause", "wait": "2 days"}]})

    assert said(old, new, q="visit") == ["visit is what q was", "pause waits 2 days instead of 1 day"]
    assert "q is gone: it waits for store-visit, at most 1 day" in said(old, new)


def test_another_title_is_no_other_version() -> None:
    assert said(abandoned_cart(), abandoned_cart(title="Carts")) == []


@given(st.data())
def test_something_is_said_exactly_where_the_meaning_is_another(data: st.DataObject) -> None:
    old = data.draw(journeys())
    new = data.draw(new_versions(old))

    assert bool(changes(old, new)) == (old.hash != new.hash)
    assert changes(old, old) == ()
    told = changes(new, old)
    assert bool(told) == (old.hash != new.hash)
    ids = {change.step for change in changes(old, new) if change.what == "added"}
    assert ids == {change.step for change in told if change.what == "removed"}
