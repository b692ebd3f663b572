"""Expressions: what they give, as attributes keep it, and every way in which one is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from journeys.language.attributes import LONGEST_TEXT, AttributeType, check_attributes
from journeys.language.cel_source import Formula, Plain
from journeys.language.expressions import ExpressionError, Worth, compile_expression, work_out
from journeys.language.scopes import scope_of, values_of
from journeys.models import WRITTEN
from journeys.reading import parse

ROOT = Path(__file__).parent.parent.parent.parent

NINE = datetime(2026, 11, 24, 9, 0, 0, 250_000, tzinfo=UTC)
EVENT = {"total": "number", "cart_id": "text", "ends_at": "time?"}
CUSTOMER = {"count": "number?", "name": "text?", "vip": "boolean"}
SCOPE = scope_of(event=EVENT, customer=CUSTOMER, customer_id=True, now=True, sent=True)
VALUES = values_of(
    event=(EVENT, {"total": 40.5, "cart_id": "c-1", "ends_at": "2026-11-26T10:00:00+01:00"}),
    customer=(CUSTOMER, {"count": 2, "vip": False}),
    customer_id="ada",
    now=NINE,
    sent={"hello": "blocked"},
)


def worth(source: Plain, **changes: object) -> Worth:
    return compile_expression(source, SCOPE).value(VALUES | changes)


def flaws(source: Plain, expected: AttributeType | None = None) -> list[str]:
    with pytest.raises(ExpressionError) as refusal:
        compile_expression(source, SCOPE, expected)
    return [str(flaw) for flaw in refusal.value.flaws]


@pytest.mark.parametrize(
    ("source", "gives", "expected"),
    [
        ("event.cart_id", "text", "c-1"),
        ("event.total", "number", 40.5),
        ("customer.count", "number", 2),
        ("customer.count + 1", "number", 3),
        ("customer.count / 4", "number", 0.5),
        ("has(customer.count) ? customer.count + 1 : 1.0", "number", 3),
        ("customer.vip", "boolean", False),
        ("!customer.vip && event.total > 40", "boolean", True),
        ("now", "time", "2026-11-24T09:00:00.250000Z"),
        ("event.ends_at", "time", "2026-11-26T09:00:00Z"),
        ('event.ends_at + duration("36h")', "time", "2026-11-27T21:00:00Z"),
        ("(event.ends_at - now).getHours()", "number", 47),
        ('now.getMonth("Europe/Oslo") + 1', "number", 11),
        ('sent["hello"]', "text", "blocked"),
        ("customer.id", "text", "ada"),
        ('"warm"', "text", "warm"),
        ('"it\'s"', "text", "it's"),
        ("event.total > 50 ? 'gold' : 'silver'", "text", "silver"),
        ("'cart ' + event.cart_id", "text", "cart c-1"),
        ("string(event.total)", "text", "40.5"),
        ("timestamp('2026-12-01T09:00:00+01:00')", "time", "2026-12-01T08:00:00Z"),
        ("-5", "number", -5),
        ("01", "number", 1),
        ("2 + 2", "number", 4),
        ("1u", "number", 1),
        (1, "number", 1),
        (1.5, "number", 1.5),
        (0, "number", 0),
        (True, "boolean", True),
        (False, "boolean", False),
        (" true ", "boolean", True),
    ],
)
def test_it_gives_a_value_as_attributes_keep_it(source: Plain, gives: str, expected: Plain) -> None:
    expression = compile_expression(source, SCOPE)
    value = expression.value(VALUES).value

    assert expression.gives == gives
    assert (value, type(value)) == (expected, type(expected))
    assert check_attributes({"it": gives}, {"it": value}) == []


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("customer.name", "customer.name is missing"),
        ("'Dear ' + customer.name", "customer.name is missing"),
        ('sent["never"]', 'sent["never"] is missing'),
        ("event.total % 0", "it divides by zero"),
        ("int(event.cart_id)", "a value in it cannot be turned into another type"),
        ("event.total / 0", "it divides by zero"),
        ("timestamp(event.cart_id)", "a value in it cannot be turned into another type"),
        ("event.total * 1e308", "what it gives cannot be kept as a number"),
        ("[event.cart_id][3]", "it asks for a member that a list does not have"),
    ],
)
def test_without_a_value_it_says_why(source: str, why: str) -> None:
    assert worth(source) == Worth(None, why)


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("event.cart_id", {"event.cart_id": 5.0}),
        ("event.cart_id", {"event.cart_id": True}),
        ("event.total", {"event.total": "secret"}),
        ("customer.vip", {"customer.vip": "secret"}),
        ("event.ends_at", {"event.ends_at": "secret"}),
        ("event.cart_id + event.cart_id", {"event.cart_id": "s" * (LONGEST_TEXT - 1)}),
        ("event.cart_id", {"event.cart_id": "s" * (LONGEST_TEXT + 1)}),
    ],
)
def test_what_an_attribute_could_not_keep_is_no_value(source: str, changes: dict[str, object]) -> None:
    found = worth(source, **changes)

    assert found.value is None
    assert found.why
    assert "secret" not in found.why
    assert len(found.why) < 100


def _a_text(words: str) -> str:
    return f"A text is written '\"{words}\"', with quotes of its own within those of YAML."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("warm", f'there is no "warm". {_a_text("warm")}'),
        ("NO", f'there is no "NO". {_a_text("NO")}'),
        ("very warm", f"very warm is not understood. {_a_text('very warm')}"),
        ("warm-lead", f"warm-lead is not understood. {_a_text('warm-lead')}"),
        ("Hei, du!", f"Hei, du! is not understood. {_a_text('Hei, du!')}"),
        ("09:00", f"09:00 is not understood. {_a_text('09:00')}"),
        ("ada@example.com", f"ada@example.com is not understood. {_a_text('ada@example.com')}"),
        ("+47 123 45 678", f"+47 123 45 678 is not understood. {_a_text('+47 123 45 678')}"),
        (
            "https://shop.example/sale",
            f"https://shop.example/sale is not understood. {_a_text('https://shop.example/sale')}",
        ),
        ("total", f'there is no "total". Did you mean "event.total"? {_a_text("total")}'),
        (
            "2026-03-01",
            (
                "2026-03-01 is not understood. A date is written '\"2026-03-01\"', with quotes of its own within "
                "those of YAML. A time is 'timestamp(\"2026-03-01T09:00:00Z\")'."
            ),
        ),
        (
            "2026-12-01T09:00:00+01:00",
            (
                "2026-12-01T09:00:00+01:00 is not understood. "
                "A time is written 'timestamp(\"2026-12-01T09:00:00+01:00\")'."
            ),
        ),
        ("event.totl", 'there is no "event.totl". Did you mean "event.total"?'),
        ("customer", 'there is no "customer". There is: customer.count, customer.id, customer.name, customer.vip.'),
        ("now()", 'there is no "now". The present time is now, without brackets.'),
        (
            "{{ event.total }}",
            '"}" is not understood here (column 16). Attributes are named without braces, such as event.total.',
        ),
        (
            "if event.total > 5 then 1",
            "\"if\" is not understood here (column 1). Write event.vip ? 'yes' : 'no' for if.",
        ),
        ("event.total > 5 ? 'a'", "the expression ends too early (column 22)."),
        (
            "has(customer.count) ? customer.count + 1 : 1",
            (
                "after ? are a number and a number, they must be of one type (column 21). "
                "Write whole numbers with .0 here: 1.0 for 1."
            ),
        ),
        ("event.cart_id + 1", "event.cart_id (text) + 1 (number): text cannot be added to a number."),
        ("'warm", "the text that begins with ' is not closed (column 1)."),
        ("", "the expression is empty."),
        ("null", "the expression gives null, which no attribute keeps. Leave the attribute out."),
        ("[1]", "the expression gives a list, which no attribute keeps. Name one of its members, such as list[0]."),
        (
            "event.ends_at - now",
            (
                "the expression gives a duration, which no attribute keeps. "
                "Write it as a number, such as (event.ends_at - now).getHours()."
            ),
        ),
        (
            "dyn(1)",
            (
                "the expression gives something of no known type, which no attribute keeps. "
                "Say which type it is: string(…), double(…), bool(…) or timestamp(…)."
            ),
        ),
        ("b'x'", "the expression gives bytes, which no attribute keeps. Leave out the b before the quotes."),
        ("1 / 0", "it cannot be told: it divides by zero."),
        ("1e400", "inf was found, a finite number was expected."),
        (float("nan"), "nan was found, a finite number was expected."),
        (10**18, "this number has more than 18 digits: write it as text, in quotes."),
        (
            "timestamp('tomorrow')",
            "timestamp('tomorrow') is not a time. Write it like timestamp('2026-11-24T09:00:00Z').",
        ),
        ('now.getHours("Mars/X")', 'there is no time zone "Mars/X". Write a zone such as "Europe/Oslo", or UTC.'),
        ("sent.hello", 'sent.hello is not understood. Write sent["hello"].'),
        ("'" + "a" * 2000 + "'", None),
        ("!" * 10 + "(" * 200 + "true" + ")" * 200, None),
    ],
)
def test_refused_in_words(source: Plain, expected: str | None) -> None:
    found = flaws(source)

    assert found == [expected] if expected else found[0].startswith("the expression ")


@pytest.mark.parametrize(
    ("source", "expected", "said"),
    [
        (4711, "text", f"4711 (number) was found, text is expected. {_a_text('4711')}"),
        (True, "text", f"true (boolean) was found, text is expected. {_a_text('true')}"),
        (5, "time", "5 (number) was found, a time is expected."),
        (1, "boolean", "1 (number) was found, true or false is expected."),
        ("4711", "text", f"the expression gives a number, text is expected. {_a_text('4711')}"),
        ("event.total", "text", "the expression gives a number, text is expected. Write string(event.total)."),
        ("now", "text", "the expression gives a time, text is expected. Write string(now)."),
        ("event.cart_id", "number", "the expression gives text, a number is expected. Write double(event.cart_id)."),
        ("customer.vip", "number", "the expression gives a boolean, a number is expected. Write customer.vip ? 1 : 0."),
        (
            '"2026-12-01T09:00:00Z"',
            "time",
            'the expression gives text, a time is expected. Write timestamp("2026-12-01T09:00:00Z").',
        ),
        (
            "2026-03-01",
            "time",
            "2026-03-01 is not understood. A time is written 'timestamp(\"2026-03-01T09:00:00Z\")'.",
        ),
        ("yes", "boolean", 'there is no "yes". Write true or false.'),
        ("warm", "boolean", f'there is no "warm". {_a_text("warm")}'),
    ],
)
def test_what_is_of_another_type_than_expected_is_refused(source: Plain, expected: AttributeType, said: str) -> None:
    assert flaws(source, expected) == [said]


@pytest.mark.parametrize(
    ("source", "expected"),
    [("customer.count + 1", "number"), ("now", "time"), ('"warm"', "text"), (True, "boolean"), (2, "number")],
)
def test_what_is_of_the_type_of_the_attribute_is_taken(source: Plain, expected: AttributeType) -> None:
    assert compile_expression(source, SCOPE, expected).gives == expected


def test_what_could_cost_too_much_is_refused() -> None:
    doubled = "event.cart_id"
    for _ in range(6):
        doubled = f"({doubled} + {doubled})"

    assert flaws(doubled)[0].startswith("the expression may take up to ")
    assert flaws("event.cart_id.matches(customer.name) ? 1 : 2")[0].startswith(
        "matches takes a pattern that is written"
    )


def test_all_flaws_come_at_once() -> None:
    assert flaws("event.cart_id + 1 + event.totl") == [
        "+ at column 15: text cannot be added to a number.",
        'there is no "event.totl". Did you mean "event.total"?',
    ]


def test_it_tells_what_it_names_and_asks_for() -> None:
    expression = compile_expression('now > event.ends_at ? sent["hello"] : customer.id', SCOPE)

    assert expression.uses == ("now", "event.ends_at", "sent", "customer.id")
    assert expression.asks_of == ("hello",)


def test_it_warns_as_a_condition_does() -> None:
    warnings = compile_expression("now.getMonth()", SCOPE).warnings

    assert [str(warning).partition(":")[0] for warning in warnings] == ["getMonth() means UTC, and counts from 0"]


def test_it_knows_whether_it_is_constant() -> None:
    assert compile_expression('"warm"', SCOPE).constant == "warm"
    assert compile_expression(1, SCOPE).constant == 1
    assert compile_expression("now", SCOPE).constant is None


def test_the_same_expression_is_compiled_once_and_a_number_is_not_true() -> None:
    assert compile_expression("now", SCOPE) is compile_expression("now", dict(SCOPE))
    assert [compile_expression(source, SCOPE).constant for source in (1, True, 1.0)] == [1, True, 1]
    assert [compile_expression(source, SCOPE).gives for source in (1, True, 0, False)] == ["number", "boolean"] * 2


def test_what_an_earlier_release_published_is_worked_out_or_its_reason_told() -> None:
    assert work_out("customer.count + 1", SCOPE, VALUES, "number") == Worth(3)
    assert work_out("customer.gone", SCOPE, VALUES).value is None
    assert work_out("customer.gone", SCOPE, VALUES).why.startswith('it cannot be told: there is no "customer.gone"')


def test_a_definition_takes_them_as_yaml_gives_them() -> None:
    formula = TypeAdapter(Formula)

    for written in ("now", 1, 1.5, True):
        taken = formula.validate_python(written, context=WRITTEN)
        assert (taken, type(taken)) == (written, type(written))
    for other in (None, [1], {"a": 1}, "x" * 2001):
        with pytest.raises(ValidationError):
            formula.validate_python(other, context=WRITTEN)


odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.binary()


@given(st.dictionaries(st.sampled_from([*SCOPE]), odd))
def test_whatever_the_values_are_there_is_a_value_that_can_be_kept_or_a_reason(values: dict[str, object]) -> None:
    for source in ("event.total + 1", "event.cart_id", "customer.vip", "event.ends_at", "now", 'sent["hello"]'):
        expression = compile_expression(source, SCOPE)
        found = expression.value(values)

        assert (found.value is None) == bool(found.why)
        assert check_attributes({"it": f"{expression.gives}?"}, {"it": found.value}) == []


@given(st.text(max_size=60) | st.text(alphabet="event.totalnowse()'\"<>=!&|+-*/%[]{}?:,0123 \n\\", max_size=60))
def test_any_source_is_an_expression_or_has_flaws(source: str) -> None:
    try:
        found = compile_expression(source, SCOPE).value(VALUES)
        said = found.why or repr(found.value)
    except ExpressionError as refusal:
        said = str(refusal)

    assert said


def documented() -> list[str]:
    """The expressions that the docs show, as YAML writes them."""
    section = (ROOT / "docs" / "journeys.md").read_text().partition("\n## Expressions\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    return [written for cell in cells for written in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("written", documented())
def test_what_the_docs_show_gives_a_value(written: str) -> None:
    source: Any = parse(f"it: {written}".encode(), "docs")

    assert worth(source["it"]).value is not None


def test_the_docs_show_expressions() -> None:
    assert len(documented()) >= 10
