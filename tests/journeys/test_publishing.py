"""Publishing refuses, with all reasons at once."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from journeys.checks.review import Catalogue
from journeys.endpoints import EndpointState
from journeys.problems import Flaw
from journeys.publishing import check, version_of, warn
from journeys.reading import read_content, read_journey
from journeys.steps import Wait
from journeys.steps.uses import EndpointUse
from tests.samples import abandoned_cart, catalogue

EMAIL = {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"}
TEXT = {"id": "sms", "text": "second-text-reminder", "to": "customer.phone"}
PUSH = {"id": "push", "push": "final-push-notification", "to": "customer.push_token"}


def flaws_of(catalogue_: Catalogue | None = None, **changes: Any) -> dict[str, str]:
    flaws = check(abandoned_cart(**changes), catalogue_ or catalogue())
    return {flaw.path: f"{flaw.message} {flaw.hint}".strip() for flaw in flaws}


END = {"id": "enough", "end": "a member already"}
BOTH_END: dict[str, Any] = {"then": [END], "else": [{**END, "id": "end-too"}]}
ONE_ENDS: dict[str, Any] = {"then": [END], "else": [TEXT]}


def if_(message: str = "mail", **more: Any) -> dict[str, Any]:
    return {"id": "ask", "if": {"message": message, "is": "opened", "within": "1 day"}, **more}


def clicked(link: str) -> dict[str, str]:
    return {"message": "mail", "is": "clicked", "within": "1 day", "link": link}


def test_the_example_may_be_published() -> None:
    assert flaws_of() == {}


def test_a_version_is_complete_in_itself() -> None:
    version = version_of(abandoned_cart(), 1, catalogue())

    assert set(version.schemas) == {"abandoned-cart", "purchase-completed", "email-opened"}
    assert version.schemas["abandoned-cart"]["total"] == "number"


def test_everything_that_is_not_ready_is_named_at_once() -> None:
    flaws = flaws_of(catalogue("draft"))

    assert set(flaws) == {
        "start.trigger",
        "goal.trigger",
        "exit[0].trigger",
        "steps[0].email",
        "steps[1].else[0].text",
        "steps[1].else[2].push",
    }
    assert flaws["steps[0].email"] == (
        'content "initial-email-reminder" is draft, not ready to send. '
        "Mark it ready: POST /v1/contents/initial-email-reminder/ready."
    )


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        pytest.param(
            {"start": {"trigger": "abandonned-cart"}},
            "start.trigger",
            'Did you mean "abandoned-cart"?',
            id="trigger",
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart", "where": "event.totl > 50"}},
            "start.where",
            "event.total",
            id="condition-name",
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart", "where": "event.total > 'a'"}},
            "start.where",
            "text",
            id="condition-type",
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart", "where": "event.total"}},
            "start.where",
            "true or false",
            id="not-a-condition",
        ),
        pytest.param(
            {"exit": [{"trigger": "purchase-completed", "where": "event.coupon == ''"}]},
            "exit[0].where",
            "event.coupon",
            id="attribute-of-another-trigger",
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart", "key": "event.cart"}},
            "start.key",
            "event.cart_id",
            id="key",
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart", "key": "customer.email"}},
            "start.key",
            "no attribute",
            id="key-of-customer",
        ),
        pytest.param(
            {
                "start": {
                    "trigger": "abandoned-cart",
                    "from": "2026-11-23T00:00:00Z",
                    "until": "2026-11-23T00:00:00Z",
                }
            },
            "start.until",
            "not after from",
            id="window",
        ),
        pytest.param(
            {"start": {"trigger": "abandoned-cart", "repeat": {"after": "0 days"}}},
            "start.repeat.after",
            "more than nothing",
            id="repeat",
        ),
        pytest.param(
            {"goal": {"trigger": "purchase-completed", "target": 0}},
            "goal.target",
            "more than nothing",
            id="target",
        ),
        pytest.param({"steps": [{"id": "w", "wait": "0 days"}]}, "steps[0].wait", "more than nothing", id="wait"),
        pytest.param(
            {"steps": [{"id": f"w{number}", "wait": "200000 days"} for number in range(2)]},
            "steps",
            "last 400000 days in all; at most 365000 days",
            id="wait-for-ever",
        ),
        pytest.param({"steps": [{**EMAIL, "to": "customer.mail"}]}, "steps[0].to", "customer.email", id="to"),
        pytest.param({"steps": [{**EMAIL, "to": "email"}]}, "steps[0].to", "customer.", id="to-without-source"),
        pytest.param(
            {"steps": [{**EMAIL, "to": "event.total"}]},
            "steps[0].to",
            "an address is a text",
            id="to-a-number",
        ),
        pytest.param(
            {"steps": [{**EMAIL, "email": "initial-email"}]},
            "steps[0].email",
            "initial-email-reminder",
            id="content",
        ),
        pytest.param(
            {"steps": [{**EMAIL, "email": "second-text-reminder"}]},
            "steps[0].email",
            "is for text",
            id="content-kind",
        ),
        pytest.param(
            {"steps": [EMAIL, {**TEXT, "id": "mail"}]},
            "steps[1].id",
            "already the id of steps[0]",
            id="clash",
        ),
        pytest.param(
            {"steps": [EMAIL, if_("mial")]},
            "steps[1].if.message",
            'Did you mean "mail"?',
            id="no-such-message",
        ),
        pytest.param({"steps": [if_(), EMAIL]}, "steps[0].if.message", "does not precede", id="message-after"),
        pytest.param(
            {"steps": [TEXT, if_("sms")]},
            "steps[1].if.is",
            "nothing tells whether a text message was opened",
            id="interaction",
        ),
        pytest.param(
            {"steps": [EMAIL, {"id": "ask", "if": {"message": "mail", "is": "opened", "within": "0 days"}}]},
            "steps[1].if.within",
            "more than nothing",
            id="limit",
        ),
        pytest.param(
            {
                "steps": [
                    EMAIL,
                    if_(then=[TEXT]),
                    {
                        **if_("sms"),
                        "id": "again",
                        "if": {"message": "sms", "is": "clicked", "within": "1 day"},
                    },
                ]
            },
            "steps[2].if.message",
            "does not precede this step on every path",
            id="message-in-one-arm-only",
        ),
        pytest.param(
            {"steps": [EMAIL, {"id": "ask", "if": clicked("https://a.example/{{ event.cart_id }}")}]},
            "steps[1].if.link",
            "write * where it differs",
            id="a-link-with-liquid",
        ),
        pytest.param(
            {"steps": [EMAIL, {"id": "ask", "if": clicked("the cart")}]},
            "steps[1].if.link",
            "a whole address is expected",
            id="a-link-that-is-none",
        ),
        pytest.param({"steps": [END, EMAIL]}, "steps[1]", 'nothing leads to "mail"', id="after-an-end"),
        pytest.param(
            {"steps": [EMAIL, if_(**BOTH_END), TEXT]},
            "steps[2]",
            'every run ends at "ask"',
            id="after-two-arms-that-end",
        ),
    ],
)
def test_a_flaw_names_its_place_and_what_to_do(changes: dict[str, Any], path: str, words: str) -> None:
    flaws = flaws_of(**changes)

    assert list(flaws) == [path]
    assert words in flaws[path]


def test_a_message_in_both_arms_surely_precedes() -> None:
    both: dict[str, Any] = {"then": [{**TEXT, "id": "late"}], "else": [{**TEXT, "id": "late-too"}]}
    steps = [
        EMAIL,
        if_(**both),
        {"id": "again", "if": {"message": "mail", "is": "clicked", "within": "1 day"}},
    ]

    assert flaws_of(steps=steps) == {}


def test_what_precedes_in_every_arm_that_goes_on_surely_precedes() -> None:
    steps = [
        EMAIL,
        if_(**ONE_ENDS),
        {"id": "again", "if": {"message": "sms", "is": "clicked", "within": "1 day"}},
    ]

    assert flaws_of(steps=steps) == {}


def test_a_channel_that_is_not_configured_names_its_setting() -> None:
    only_email = Catalogue(catalogue().triggers, catalogue().contents, channels=frozenset({"email"}))

    flaws = flaws_of(only_email)

    assert "SOJOURN_TEXT" in flaws["steps[1].else[0].text"]
    assert "SOJOURN_PUSH" in flaws["steps[1].else[2].push"]


@pytest.mark.usefixtures("_a_wait_that_calls_crm")
def test_an_endpoint_must_be_registered_and_should_be_open() -> None:
    pause = abandoned_cart(steps=[{"id": "pause", "wait": "1 day"}])

    def looked_at(**endpoints: EndpointState) -> tuple[list[Flaw], list[Flaw]]:
        known = replace(catalogue(), endpoints=endpoints)
        return check(pause, known), warn(pause, known)

    assert pause.endpoints == {"crm"}
    assert looked_at(crm="open") == ([], [])
    [flaw], _ = looked_at(cmr="open")
    assert (flaw.path, flaw.message) == ("steps[0].webhook", 'no endpoint "crm".')
    assert flaw.hint == 'Did you mean "cmr"? Or register it: PUT /v1/endpoints/crm.'
    flaws, [warning] = looked_at(crm="closed")
    assert flaws == []
    assert (warning.path, "is closed" in warning.message) == ("steps[0].webhook", True)
    assert "POST /v1/endpoints/crm/open" in warning.hint


@pytest.fixture
def _a_wait_that_calls_crm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a step that calls an endpoint says it."""
    monkeypatch.setattr(Wait, "uses", property(lambda _: (EndpointUse("webhook", "crm"),)))


def test_a_content_may_only_name_what_the_start_gives() -> None:
    journey = read_journey({"journey": "visits", "start": {"trigger": "store-visit"}, "steps": [EMAIL]})

    flaws = check(journey, catalogue())

    assert [flaw.path for flaw in flaws] == ["steps[0].email"]
    assert "event.total" in flaws[0].message


HOURS = "timestamp('2026-11-24T09:00:00Z').getHours() < 9"


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("start.where", {"start": {"trigger": "abandoned-cart", "where": HOURS}}),
        ("goal.where", {"goal": {"trigger": "purchase-completed", "where": HOURS}}),
        ("exit[0].where", {"exit": [{"trigger": "purchase-completed", "where": HOURS}]}),
        (
            "steps[0].if.where",
            {"steps": [{"id": "ask", "if": {"trigger": "purchase-completed", "where": HOURS, "within": "1 day"}}]},
        ),
    ],
)
def test_hours_of_no_zone_are_warned_of_wherever_a_condition_stands(path: str, changes: dict[str, Any]) -> None:
    journey = abandoned_cart(**changes)

    warnings = [str(warning) for warning in warn(journey, catalogue())]

    assert check(journey, catalogue()) == []
    assert f'{path}: getHours() means UTC. Name the zone: getHours("Europe/Oslo").' in warnings
    assert sum("getHours" in warning for warning in warnings) == 1


def with_body(body: str, **changes: Any) -> tuple[list[str], list[str]]:
    """The flaws and the warnings of a journey that sends a text with this body, twice."""
    texts = catalogue()
    text = read_content({"content": "second-text-reminder", "text": {"body": body}})
    changed = replace(texts, contents={**texts.contents, "second-text-reminder": (text, "ready")})
    text_ = {**TEXT, "expires": "1 day"}
    journey = abandoned_cart(**{"steps": [text_, {**text_, "id": "again"}], **changes})
    return [str(flaw) for flaw in check(journey, changed)], [str(flaw) for flaw in warn(journey, changed)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{{ event.total | mony }}", 'there is no filter "mony"'),
        ("{{ event.total | append }}", "takes 1 argument, found 0"),
        ("{total}", "{total} is not filled in, but sent as it is. Write {{ event.total }}."),
        ("{{ unsubscribe_url }}", "does not start with event. or customer."),
        ("{% if event.total > 'a' %}x{% endif %}", "not supported between"),
        ("{% if customer.first_name > 5 %}x{% endif %}", "not supported between"),
        ("{{ 10 | divided_by: customer.last_name }}", "without customer.last_name"),
        ("{{ event.total", "line 1: {{ is not closed"),
    ],
)
def test_a_content_that_cannot_be_filled_in_is_one_flaw(body: str, words: str) -> None:
    [flaw], warnings = with_body(body)

    assert flaw.startswith('steps[0].text: content "second-text-reminder"')
    assert words in flaw
    assert warnings == []


def test_a_filter_and_a_name_that_are_not_there_are_told_at_once() -> None:
    flaws, _ = with_body("{{ event.total | mony }} {{ event.totl }}")

    assert len(flaws) == 2
    assert "event.totl" in flaws[1]


def test_a_content_whose_flaws_are_told_elsewhere_tells_them_once() -> None:
    texts = catalogue()
    broken = read_content({"content": "second-text-reminder", "text": {"body": "{{ event.total | mony }}"}})
    changed = replace(texts, contents={**texts.contents, "second-text-reminder": (broken, "ready")})

    assert check(abandoned_cart(steps=[TEXT]), changed, told={"second-text-reminder"}) == []


def test_a_content_with_a_hole_is_warned_of_and_goes_live() -> None:
    flaws, warnings = with_body("Hi {{ customer.first_name }}, {{ event.cart_id }}")

    assert flaws == []
    assert [warning.partition(" where ")[2].partition(" is missing")[0] for warning in warnings] == [
        "customer.first_name",
        "event.cart_id",
    ]


def test_the_address_that_a_message_is_sent_to_is_there() -> None:
    assert with_body("This number, {{ customer.phone }}, gets texts.") == ([], [])


def test_steps_may_nest_twenty_deep_and_sixty_wide() -> None:
    steps: list[dict[str, Any]] = [{"id": "end", "wait": "1 day"}]
    for depth in range(20):
        steps = [{"id": f"ask-{depth}", "if": {"trigger": "store-visit", "within": "1 day"}, "then": steps}]
    wide = [{"id": f"w-{n}", "if": {"trigger": "store-visit", "within": "400 days"}} for n in range(60)]

    assert flaws_of(steps=[*steps, *wide]) == {}


BOTH = ["appointment-booked", "appointment-moved"]


def started_by(*triggers: str, **start: Any) -> dict[str, Any]:
    return {"start": {"trigger": [*triggers], "key": "event.appointment_id", **start}, "steps": [TEXT]}


def test_a_journey_may_have_several_triggers_that_share_what_it_names() -> None:
    assert flaws_of(**started_by(*BOTH, where="event.guests < 5")) == {}


def test_what_may_be_missing_of_one_trigger_may_be_missing() -> None:
    content = read_content({"content": "t", "text": {"body": "{{ event.cart_id }} for {{ event.guests }}"}})
    there = replace(catalogue(), contents={"t": (content, "ready")})
    journey = abandoned_cart(**(started_by(*BOTH) | {"steps": [{**TEXT, "text": "t"}]}))

    assert {"event.cart_id", "event.guests"} <= set(re.findall(r"event\.\w+", str(warn(journey, there))))


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        pytest.param(
            started_by("abandoned-cart", "appointment-moved"),
            "start.key",
            'no attribute "event.appointment_id". '
            "Name only what all triggers of start have: abandoned-cart has no event.appointment_id.",
            id="key",
        ),
        pytest.param(
            started_by(*BOTH, where="event.floor > 3"),
            "start.where",
            'there is no "event.floor". Name only what all triggers of start have: '
            "event.floor is a number in appointment-booked, and a text in appointment-moved.",
            id="another-type",
        ),
        pytest.param(
            started_by(*BOTH, where="event.gests > 3"),
            "start.where",
            'there is no "event.gests". Did you mean "event.guests"?',
            id="in-none-of-them",
        ),
        pytest.param(
            {"start": {"trigger": ["appointment-booked", "store-visit"]}, "steps": [{**PUSH, "to": "event.city"}]},
            "steps[0].to",
            'no attribute "event.city". '
            "Name only what all triggers of start have: appointment-booked has no event.city.",
            id="to",
        ),
        pytest.param(
            {"start": {"trigger": ["store-visit", "abandoned-cart"]}, "steps": [TEXT]},
            "steps[0].text",
            'content "second-text-reminder" uses event.cart_id in its body, which is not known here. '
            "Name only what all triggers of start have: store-visit has no event.cart_id.",
            id="content",
        ),
        pytest.param(
            started_by(*BOTH, "apointment-cancelled"),
            "start.trigger[2]",
            'no trigger "apointment-cancelled". Did you mean "appointment-moved"?',
            id="no-trigger",
        ),
        pytest.param(
            started_by(*BOTH, "appointment-moved"),
            "start.trigger[2]",
            '"appointment-moved" is named twice. Leave one of them out.',
            id="twice",
        ),
    ],
)
def test_a_flaw_names_the_trigger_that_differs(changes: dict[str, Any], path: str, words: str) -> None:
    flaws = flaws_of(**changes)

    assert list(flaws) == [path]
    assert flaws[path].startswith(words)


def test_steps_that_no_run_could_be_given_are_refused() -> None:
    where = f"""event.city != '{'"' * 1_900}'"""
    asks = [{"id": f"a-{n}", "if": {"trigger": "store-visit", "where": where, "within": "1 day"}} for n in range(530)]

    flaws = flaws_of(steps=asks)

    assert flaws["steps"].startswith("take 2,0")
    assert "at most 2,000,000 can be handed to a run. Write shorter conditions" in flaws["steps"]


VISIT = {"trigger": "store-visit", "within": "3 days"}
A_WAIT = {"id": "pause", "wait": "1 hour"}


def series(question: dict[str, str], *steps: dict[str, Any], **arms: Any) -> dict[str, Any]:
    return {
        "id": "nudges",
        "until": {**VISIT, **question} if "trigger" in question else question,
        "steps": [*steps],
        **arms,
    }


OPENED = {"message": "mail", "is": "opened", "within": "1 day"}
ASK = {"id": "ask", "if": OPENED}


@pytest.mark.parametrize(
    ("steps", "path", "message"),
    [
        pytest.param([series(OPENED, EMAIL)], "steps[0].until.message", "mail", id="until-what-is-sent-within"),
        pytest.param([series(OPENED, A_WAIT), EMAIL], "steps[0].until.message", "mail", id="until-what-comes-after"),
        pytest.param([series(VISIT, EMAIL), ASK], "steps[1].if.message", "mail", id="about-one-in-a-series"),
        pytest.param(
            [series(VISIT, EMAIL, then=[ASK])], "steps[0].then[0].if.message", "mail", id="in-the-arm-of-its-answer"
        ),
        pytest.param(
            [{"id": "a", "await": {"within": "1 day", "arms": [{"arm": "opened", "message": "mail", "is": "opened"}]}}],
            "steps[0].await.arms[0].message",
            "mail",
            id="await",
        ),
    ],
)
def test_a_question_is_about_what_surely_was_sent(steps: list[dict[str, Any]], path: str, message: str) -> None:
    flaws = flaws_of(steps=steps)

    assert list(flaws) == [path]
    assert f'"{message}"' in flaws[path]


def test_a_flaw_says_that_a_message_is_in_a_series() -> None:
    flaws = flaws_of(steps=[series(VISIT, EMAIL), ASK])

    assert flaws["steps[1].if.message"] == (
        '"mail" does not precede this step on every path: it is sent in the series "nudges", which may be left before. '
        "Ask about one that does: there is none yet."
    )


def test_within_a_series_a_question_is_about_what_was_sent_there() -> None:
    assert flaws_of(steps=[series(VISIT, EMAIL, ASK)]) == {}


ALL_END = {"within": "1 day", "arms": [{"arm": "came", "trigger": "store-visit", "then": [END]}]}


@pytest.mark.parametrize(
    ("step", "may_come_after"),
    [
        pytest.param({"id": "a", "await": {**ALL_END, "otherwise": [{**END, "id": "e"}]}}, False, id="await"),
        pytest.param({"id": "a", "await": ALL_END}, True, id="await-otherwise-nothing"),
        pytest.param(series(VISIT, A_WAIT, **{"then": [END], "else": [{**END, "id": "e"}]}), False, id="until"),
        pytest.param(series(VISIT, END), True, id="until-it-ends-within"),
        pytest.param(series(VISIT, A_WAIT, then=[END]), True, id="until-answered"),
    ],
)
def test_what_no_arm_leads_to_is_refused(step: dict[str, Any], may_come_after: bool) -> None:
    flaws = flaws_of(steps=[step, TEXT])

    assert (flaws == {}) == may_come_after
    assert may_come_after or flaws["steps[1]"].startswith('nothing leads to "sms"')


def warnings_of(**changes: Any) -> dict[str, str]:
    """What is said of a journey, but for what is said of its contents."""
    found = [flaw for flaw in warn(abandoned_cart(**changes), catalogue()) if not flaw.message.startswith("content")]
    return {flaw.path: f"{flaw.message} {flaw.hint}".strip() for flaw in found}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        pytest.param({"steps": [A_WAIT], "exit": []}, "exit", "nothing ends a run before its last step.", id="no-exit"),
        pytest.param(
            {"steps": [A_WAIT], "exit": ["store-visit"]},
            "exit[0].trigger",
            '"store-visit" has no cart_id, so it ends the runs of every event.cart_id. Declare cart_id in the trigger',
            id="an-exit-without-the-key",
        ),
        pytest.param({"steps": [TEXT]}, "steps[0]", "a text that is held up goes out however late", id="text"),
        pytest.param(
            {"steps": [series({**VISIT, "within": "400 days"}, {"id": "long", "wait": "367 days"})]},
            "steps[0].steps[0].wait",
            "lasts 367 days, which is more than a year.",
            id="a-long-wait",
        ),
        pytest.param(
            {"steps": [series(VISIT, {"id": "long", "wait": "4 days"}, PUSH)]},
            "steps[0].steps[0]",
            'the wait of 4 days never ends, as "nudges" around it is left after 3 days. Give it less time, or the',
            id="a-wait-longer-than-its-series",
        ),
        pytest.param(
            {"steps": [{**PUSH, "to": ["customer.push_token", "customer.phone"]}]},
            "steps[0].to",
            "customer.phone is where text messages go, and this one is of the kind push. Such as to: customer.push_tok",
            id="an-address-of-another-kind",
        ),
        pytest.param(
            {
                "steps": [
                    series(
                        VISIT, {**series({**VISIT, "within": "9 days"}, {"id": "x", "wait": "4 days"}), "id": "inner"}
                    )
                ]
            },
            "steps[0].steps[0].steps[0]",
            'the wait of 4 days never ends, as "nudges" around it is left after 3 days.',
            id="a-wait-longer-than-the-series-around-its-series",
        ),
        pytest.param(
            {"steps": [series(VISIT, {"id": "x", "wait": "1 day"}, {"id": "y", "wait": "2 days"}, PUSH)]},
            "steps[0].steps[2]",
            'nobody comes here: it is 3 days into the series at least, and "nudges" around it is left after 3 days.',
            id="a-step-that-its-series-is-left-before",
        ),
        pytest.param(
            {
                "steps": [
                    {
                        "id": "q",
                        "await": {"within": "1 day", "arms": [{"arm": a, "trigger": "store-visit"} for a in "ab"]},
                    }
                ]
            },
            "steps[0].await.arms[1]",
            '"b" asks what "a" asks before it, so it is never taken.',
            id="two-arms-that-ask-the-same",
        ),
        pytest.param(
            {"steps": [PUSH], "start": {"trigger": "abandoned-cart", "where": "1 > 2"}},
            "start.where",
            "this never holds.",
            id="a-condition-that-never-holds",
        ),
    ],
)
def test_what_is_seldom_meant_is_warned_of_and_goes_live(changes: dict[str, Any], path: str, words: str) -> None:
    assert flaws_of(**changes) == {}

    found = warnings_of(**changes)

    assert list(found) == [path]
    assert found[path].startswith(words)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"steps": [PUSH], "exit": []}, id="no-exit-where-nothing-takes-time"),
        pytest.param(
            {
                "start": {"trigger": "abandoned-cart", "key": "event.cart_id", "repeat": "never"},
                "exit": ["store-visit"],
            },
            id="an-exit-of-what-is-not-repeated",
        ),
        pytest.param({"start": "abandoned-cart", "exit": ["store-visit"]}, id="no-key"),
        pytest.param({"exit": ["email-unsubscribed"]}, id="an-exit-of-the-run-s-own-message"),
        pytest.param({"steps": [{**TEXT, "expires": "1 day"}]}, id="a-text-that-expires"),
        pytest.param({"steps": [{"id": "w", "wait": "365 days"}]}, id="a-year"),
    ],
)
def test_of_what_is_meant_nobody_is_warned(changes: dict[str, Any]) -> None:
    assert warnings_of(**{"steps": [PUSH, A_WAIT], **changes}) == {}


def raise_(trigger: str = "store-visit", **attributes: object) -> dict[str, Any]:
    return {"id": "tell", "raise": trigger, "with": attributes}


@pytest.mark.parametrize(
    ("step", "path", "words"),
    [
        pytest.param(
            raise_("store-visits", city="'Oslo'"),
            "steps[0].raise",
            'no trigger "store-visits". Did you mean "store-visit"?',
            id="no-such-trigger",
        ),
        pytest.param(raise_("email-opened"), "steps[0].raise", "nobody can raise it", id="built-in"),
        pytest.param(raise_(), "steps[0].with", '"store-visit" requires city (text), which is not given', id="missing"),
        pytest.param(
            raise_(city="'Oslo'", town="'Oslo'"), "steps[0].with.town", 'has no attribute "town"', id="unknown"
        ),
        pytest.param(raise_(city="Oslo"), "steps[0].with.city", "'\"Oslo\"'", id="no-quotes"),
        pytest.param(raise_(city="event.total"), "steps[0].with.city", "Write string(event.total).", id="another-type"),
        pytest.param(raise_(city=42), "steps[0].with.city", "42 (number) was found, text is expected", id="a-number"),
        pytest.param(raise_(city="event.town"), "steps[0].with.city", "event.town", id="no-such-attribute"),
    ],
)
def test_a_raise_that_its_trigger_does_not_take_is_a_flaw(step: dict[str, Any], path: str, words: str) -> None:
    flaws = flaws_of(steps=[step])

    assert list(flaws) == [path]
    assert words in flaws[path]


def test_a_raise_of_a_trigger_that_is_not_ready_is_a_flaw() -> None:
    flaws = flaws_of(catalogue("stopped"), steps=[raise_(city="'Oslo'")])

    assert 'trigger "store-visit" is stopped, not ready' in flaws["steps[0].raise"]


def test_a_required_attribute_that_may_be_missing_is_warned_of() -> None:
    journey = abandoned_cart(steps=[raise_(city="event.coupon"), raise_(city="'Oslo'") | {"id": "again"}])

    told = [str(warning) for warning in warn(journey, catalogue()) if "nothing is raised" in str(warning)]

    assert [warning.partition(":")[0] for warning in told] == ["steps[0].with.city"]


def test_what_a_journey_raises_is_part_of_its_version() -> None:
    journey = abandoned_cart(steps=[raise_(city="'Oslo'")])

    assert version_of(journey, 1, catalogue()).schemas["store-visit"] == {"city": "text"}


@pytest.mark.parametrize(
    ("written", "path", "words"),
    [
        pytest.param({"contry": "'NO'"}, "contry", 'no attribute "contry". Did you mean "country"?', id="mistyped"),
        pytest.param(
            {"reminded_at": "now"},
            "reminded_at",
            "Declare it: {attribute: reminded_at, type: time} in a file to apply, or PUT /v1/",
            id="not-declared",
        ),
        pytest.param({"country": "NO"}, "country", "'\"NO\"'", id="no-quotes"),
        pytest.param({"country": "event.total"}, "country", "Write string(event.total).", id="another-type"),
        pytest.param({"country": 47}, "country", "47 (number) was found, text is expected", id="a-number"),
    ],
)
def test_what_a_customer_cannot_have_is_a_flaw(written: dict[str, Any], path: str, words: str) -> None:
    flaws = flaws_of(steps=[{"id": "tag", "set": {"language": "'nb'", **written}}])

    assert list(flaws) == [f"steps[0].set.{path}"]
    assert words in flaws[f"steps[0].set.{path}"]


def test_null_takes_an_attribute_away() -> None:
    assert flaws_of(steps=[{"id": "tag", "set": {"country": None}}]) == {}
