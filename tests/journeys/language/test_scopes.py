"""What places give conditions to name: the present time, outcomes of messages, what a customer was before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.language.conditions import LONGEST_CLAUSE, ConditionError, ask, compile_condition
from journeys.language.scopes import Scope, scope_of, values_of

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
EVENT = {"ends_at": "time?", "total": "number"}
CUSTOMER = {"plan": "text"}
BRANCH = scope_of(event=EVENT, customer=CUSTOMER, now=True, sent=True)
CHANGE = scope_of(customer=CUSTOMER, before=CUSTOMER)


def told(source: str, sent: dict[str, str] | None = None, **event: object) -> tuple[bool, str]:
    values = values_of(event=(EVENT, event), now=NINE, sent=sent or {})
    verdict = compile_condition(source, BRANCH).holds(values)
    return verdict.holds, verdict.reason


def refused(source: str, scope: Scope = BRANCH) -> list[str]:
    with pytest.raises(ConditionError) as refusal:
        compile_condition(source, scope)
    return [str(flaw) for flaw in refusal.value.flaws]


@pytest.mark.parametrize(
    ("source", "ends_at", "expected"),
    [
        ('event.ends_at - now < duration("48h")', "2026-11-26T08:59:59Z", True),
        ('event.ends_at - now < duration("48h")', "2026-11-26T09:00:00Z", False),
        ("event.ends_at < now", "2026-11-24T08:59:59Z", True),
        ("event.ends_at < now", "2026-11-24T09:00:00Z", False),
        ('event.ends_at > now + duration("1h")', "2026-11-24T12:00:00+01:00", True),
        ('now.getDayOfWeek("Europe/Oslo") == 2', "2026-11-24T09:00:00Z", True),
        ('now.getHours("+05:45") == 14', "2026-11-24T09:00:00Z", True),
        ("(event.ends_at - now).getHours() == 50", "2026-11-26T11:00:00Z", True),
    ],
)
def test_now_is_a_time_where_the_place_has_one(source: str, ends_at: str, expected: bool) -> None:
    assert told(source, ends_at=ends_at)[0] is expected


def test_the_reason_names_now_and_what_is_missing() -> None:
    assert told("event.ends_at < now") == (False, "event.ends_at < now cannot be told: event.ends_at is missing")
    assert told('now > timestamp("2026-01-01T00:00:00Z")') == (
        True,
        'now > timestamp("2026-01-01T00:00:00Z") holds (now is 2026-11-24T09:00:00Z)',
    )


@pytest.mark.parametrize("written", ["now()", "Now", "NOW", "today", "today()", "current_timestamp"])
def test_now_is_written_in_one_way(written: str) -> None:
    name = written.removesuffix("()")
    brackets = "The present time is now, without brackets."

    assert refused(f"{written} > event.ends_at") == [f'there is no "{name}". {brackets}']
    assert (
        "Let a step wait for it: wait: {until: "
        in refused(f"{written} > event.ends_at", scope_of(event=EVENT, customer=CUSTOMER))[0]
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('sent["hello"] == "accepted"', True),
        ("sent['hello'] != 'accepted'", False),
        ('sent["hello-again"] in ["blocked", "failed"]', True),
        ('"failed" == sent["hello"]', False),
        ('has(sent["hello"])', True),
        ('has( sent["never"] )', False),
        ('!has(sent["never"]) && has(event.total)', True),
        ('"hello" in sent', True),
        ('sent["never"] == "accepted"', False),
        ('sent["never"] != "accepted"', False),
        ('sent["never"] == "accepted" || sent["hello"] == "accepted"', True),
    ],
)
def test_outcomes_of_messages_are_asked_for_by_id(source: str, expected: bool) -> None:
    assert told(source, {"hello": "accepted", "hello-again": "blocked"}, total=1)[0] is expected


def test_what_was_never_sent_is_missing_and_what_was_is_named() -> None:
    source = 'sent["hello"] == "failed"'

    assert told(source) == (False, f'{source} cannot be told: sent["hello"] is missing')
    assert told(source, {"hello": "blocked"}) == (False, f'{source} does not hold (sent["hello"] is "blocked")')
    assert compile_condition(source, BRANCH).holds({}).reason == told(source)[1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('sent["b"] == "accepted" && sent["a"] == "failed" && sent["b"] != "failed"', ("b", "a")),
        ('has(sent["a"]) || "b" in sent', ("a", "b")),
        ("['failed'].exists(x, x == sent['a'])", ("a",)),
        ("event.total > 1", ()),
    ],
)
def test_it_tells_whose_outcomes_are_asked_for(source: str, expected: tuple[str, ...]) -> None:
    assert compile_condition(source, BRANCH).asks_of == expected


WRITE = 'Write the id of one message in quotes, such as sent["hello"].'

FROM_DATA = f"sent takes an id that is written out; here it comes from data. {WRITE}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('sent["a"] == "blokced"', ['sent["a"] is never "blokced". Did you mean "blocked"?']),
        ('"fail" != sent["a"]', ['sent["a"] is never "fail". Did you mean "failed"?']),
        (
            'sent["a"] in ["sent", "failed"]',
            ['sent["a"] is never "sent". There is: accepted, blocked, failed, unknown.'],
        ),
        (
            'sent["a"] == "opened"',
            [
                (
                    'sent["a"] is never "opened". '
                    "What was told later is asked by a step: if: {message: a, is: opened, within: 1 day}."
                )
            ],
        ),
        ('sent.hello == "failed"', ['sent.hello is not understood. Write sent["hello"].']),
        ("has(sent.hello)", ['there is no "sent.hello". Write sent["hello"].']),
        (
            'sent[customer.plan] == "failed"',
            [FROM_DATA],
        ),
        ('sent[sent["a"]] == "failed"', [FROM_DATA]),
        ("customer.plan in sent", [FROM_DATA]),
        ("size(sent) > 1", [f"sent by itself is nothing that can be asked. {WRITE}"]),
        ("sent.exists(x, x == 'hello')", [f"sent by itself is nothing that can be asked. {WRITE}"]),
        (
            'sent["a"] == 1',
            [
                (
                    "== at column 11: text cannot be compared with a number. "
                    "An outcome is a word: accepted, blocked, failed or unknown."
                )
            ],
        ),
    ],
)
def test_outcomes_are_asked_for_in_one_way(source: str, expected: list[str]) -> None:
    assert refused(source) == expected


def test_outcomes_are_known_only_where_the_place_has_them() -> None:
    assert refused('sent["a"] == "failed"', scope_of(event=EVENT, customer=CUSTOMER)) == [
        'there is no "sent". What became of messages is known in a branch alone.'
    ]


def test_a_change_of_a_customer_has_what_was_before() -> None:
    upgraded = compile_condition('before.plan == "free" && customer.plan == "pro"', CHANGE)
    moved = values_of(customer=(CUSTOMER, {"plan": "pro"}), before=(CUSTOMER, {"plan": "free"}))
    new = values_of(customer=(CUSTOMER, {"plan": "pro"}), before=(CUSTOMER, {}))

    assert upgraded.holds(moved).holds
    assert upgraded.holds(new).reason.endswith("cannot be told: before.plan is missing")
    assert compile_condition("!has(before.plan)", CHANGE).holds(new).holds


@pytest.mark.parametrize(
    ("source", "scope", "expected"),
    [
        ('before.pln == "x"', CHANGE, 'there is no "before.pln". Did you mean "before.plan"?'),
        ('befor.plan == "x"', CHANGE, 'there is no "befor.plan". Did you mean "before.plan"?'),
        ('before plan == "x"', CHANGE, '"plan" is not understood here (column 8). Write before.plan.'),
        (
            "event.total > 5",
            CHANGE,
            (
                'there is no "event.total". No attributes of an event are known here. '
                "There is: before.plan, customer.plan."
            ),
        ),
        (
            'before.plan == "x"',
            scope_of(customer=CUSTOMER),
            'there is no "before.plan". What a customer was before is known of the trigger customer-changed alone.',
        ),
    ],
)
def test_flaws_name_what_is_there(source: str, scope: Scope, expected: str) -> None:
    assert refused(source, scope) == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "now.getMonth() == 0",
            (
                "getMonth() means UTC, and counts from 0: January is 0, December is 11. "
                'Name the zone: getMonth("Europe/Oslo").'
            ),
        ),
        (
            "now.getDayOfWeek() == 1",
            (
                "getDayOfWeek() means UTC, and counts from 0: Sunday is 0, Saturday is 6. "
                'Name the zone: getDayOfWeek("Europe/Oslo").'
            ),
        ),
        ("event.ends_at.getHours() < 9", 'getHours() means UTC. Name the zone: getHours("Europe/Oslo").'),
        (
            "now.getMonth('Europe/Oslo') == 12",
            "getMonth is never 12: it goes from 0 to 11. January is 0, December is 11.",
        ),
        (
            "now.getDayOfWeek('UTC') in [6, 7]",
            "getDayOfWeek is never 7: it goes from 0 to 6. Sunday is 0, Saturday is 6.",
        ),
        (
            "31 == now.getDayOfMonth('UTC')",
            ("getDayOfMonth is never 31: it goes from 0 to 30. The first of the month is 0; getDate counts from 1."),
        ),
        ("now.getHours('UTC') != 24", "getHours is never 24: it goes from 0 to 23."),
    ],
)
def test_what_hardly_means_what_its_author_thinks_is_warned_of(source: str, expected: str) -> None:
    assert [str(warning) for warning in compile_condition(source, BRANCH).warnings] == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "now.getHours('Europe/Oslo') < 9",
        "now.getHours('+05:45') < 9",
        "now.getHours(customer.plan) < 9",
        "now.getMonth('America/New_York') in [0, 11]",
        "(event.ends_at - now).getHours() == 48",
        "(event.ends_at - now).getMinutes() > 90",
        "event.total == 12",
        "now.getSeconds() == 0",
    ],
)
def test_what_is_meant_so_is_not_warned_of(source: str) -> None:
    assert compile_condition(source, BRANCH).warnings == ()


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("europe/oslo", 'Did you mean "Europe/Oslo"?'),
        ("Europe/Olso", 'Did you mean "Europe/Oslo"?'),
        ("Oslo", 'Did you mean "Europe/Oslo"?'),
        ("new york", 'Did you mean "America/New_York"?'),
        ("Mars/X", 'Write a zone such as "Europe/Oslo", or UTC.'),
        ("", 'Write a zone such as "Europe/Oslo", or UTC.'),
        ("localtime", 'Write a zone such as "Europe/Oslo", or UTC.'),
        ("99:00", 'Write a zone such as "Europe/Oslo", or UTC.'),
    ],
)
def test_a_zone_that_nobody_knows_is_refused(zone: str, hint: str) -> None:
    assert refused(f"now.getHours('{zone}') < 9") == [f'there is no time zone "{zone}". {hint}']


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("true", True),
        ("false", False),
        ("1 == 1", True),
        ("true || event.total > 50", True),
        ("event.total > 50 || true", True),
        ("has(event.total) && false", False),
        ("event.total > 50", None),
        ("has(event.total)", None),
        ("!has(event.total)", None),
        ('"a" in sent', None),
        ("now > timestamp('2026-01-01T00:00:00Z')", None),
        ("[1, 2].exists(x, x == 2)", True),
        ("1 / 0 == 1", None),
    ],
)
def test_a_condition_knows_whether_it_always_says_the_same(source: str, expected: bool | None) -> None:
    assert compile_condition(source, BRANCH).constant is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('customer.plan ==\n  "gold"', 'customer.plan == "gold" does not hold'),
        ("size(customer.plan) == 6 && event.total > 1", "size(customer.plan) == 6 && event.total > 1 holds"),
        ("has(event.ends_at)", "has(event.ends_at) does not hold"),
        ("event.ends_at < now", "event.ends_at < now cannot be told: event.ends_at is missing"),
        ("1 / (event.total - 40) > 1", "1 / (event.total - 40) > 1 cannot be told: it divides by zero"),
        ('sent["a"] == "failed"', 'sent["a"] == "failed" holds'),
        ("event.total == 40 || event.total in [" + "1, " * 100 + "1]", None),
    ],
)
def test_the_clause_says_what_decided_and_never_a_value(source: str, expected: str | None) -> None:
    values = values_of(
        event=(EVENT, {"total": 40}),
        customer=(CUSTOMER, {"plan": "secret"}),
        now=NINE,
        sent={"a": "failed"},
    )

    clause = compile_condition(source, BRANCH).holds(values).clause

    assert "secret" not in clause
    assert clause == expected or (expected is None and len(clause) == LONGEST_CLAUSE + len(" holds"))


def test_what_cannot_be_asked_has_a_clause_too() -> None:
    assert ask("event.totl > 5", BRANCH, {}).clause.startswith("event.totl > 5 cannot be told: there is no")


ODD = st.none() | st.booleans() | st.floats() | st.text() | st.datetimes() | st.dictionaries(st.text(), st.integers())


@given(st.dictionaries(st.sampled_from(["now", "sent", "event.ends_at", "customer.plan"]), ODD))
def test_odd_values_of_a_branch_never_raise(values: dict[str, object]) -> None:
    for source in ('event.ends_at - now < duration("48h")', 'sent["a"] == "failed"', 'has(sent["a"])'):
        assert compile_condition(source, BRANCH).holds(values).reason.startswith(source)


def test_the_id_of_a_customer_is_named_unless_an_attribute_has_that_name() -> None:
    own = {"id": "number?"}

    assert scope_of(customer=CUSTOMER, customer_id=True) == {"customer.plan": "text", "customer.id": "text"}
    assert values_of(customer=(CUSTOMER, {}), customer_id="ada") == {"customer.id": "ada"}
    assert scope_of(customer=own, customer_id=True) == {"customer.id": "number"}
    assert values_of(customer=(own, {}), customer_id="ada") == {}


def test_a_scope_has_what_its_place_has_and_no_more() -> None:
    assert scope_of() == {}
    assert scope_of(event=EVENT, now=True, sent=True) == {
        "event.ends_at": "time",
        "event.total": "number",
        "now": "time",
        "sent": "outcomes",
    }
