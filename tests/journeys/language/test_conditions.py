"""Conditions: what holds, what does not and why, and every way in which one is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeys.language.attributes import LONGEST_TEXT, AttributeType
from journeys.language.cel_patterns import pattern_size
from journeys.language.cel_source import names_in
from journeys.language.conditions import ConditionError, ask, compile_condition

SCOPE: dict[str, AttributeType] = {
    "event.total": "number",
    "event.name": "text",
    "event.gift": "boolean",
    "event.left_at": "time",
    "customer.vip": "boolean",
    "customer.phone": "text",
}
NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
VALUES: dict[str, object] = {
    "event.total": 40.0,
    "event.name": "abcd",
    "event.gift": True,
    "event.left_at": NINE,
    "customer.vip": False,
}


def holds(source: str, **changes: object) -> bool:
    changed = {f"event.{name}": value for name, value in changes.items()}
    return compile_condition(source, SCOPE).holds(VALUES | changed).holds


def reason(source: str, **changes: object) -> str:
    changed = {f"event.{name}": value for name, value in changes.items()}
    return compile_condition(source, SCOPE).holds(VALUES | changed).reason


def flaws(source: str) -> list[str]:
    with pytest.raises(ConditionError) as refusal:
        compile_condition(source, SCOPE)
    return [str(flaw) for flaw in refusal.value.flaws]


@pytest.mark.parametrize(("total", "expected"), [(40, False), (50, False), (50.5, True), (60, True)])
def test_more_than_fifty(total: float, expected: bool) -> None:
    assert holds("event.total > 50", total=float(total)) is expected
    assert holds("event.total > 50", total=total) is expected
    assert holds("50 < event.total", total=float(total)) is expected
    assert holds("event.total <= 50", total=float(total)) is not expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.total == 40", True),
        ("event.total != 40", False),
        ("event.total == 40.0", True),
        ("event.total >= 40 && event.total <= 40", True),
        ("event.total in [1, 40]", True),
        ("event.total in [1, 2.5]", False),
        ("event.total + 1 > 40", True),
        ("event.total - 0.5 == 39.5", True),
        ("2 * event.total == 80", True),
        ("event.total / 3 > 13", True),
        ("event.total % 2 == 0", True),
        ("event.total % 7.5 == 2.5", True),
        ("-event.total < -39", True),
        ("size(event.name) > 3 && event.total > 30", True),
        ("size(event.name) > 3 && event.total > 50", False),
        ("size(event.name) < event.total", True),
        ("event.name in ['x', 'abcd']", True),
        ("event.name.startsWith('ab') && event.name.contains('bc')", True),
        ("event.name.matches('^a.*d$')", True),
        ("event.name + '!' == 'abcd!'", True),
        ("event.gift", True),
        ("event.gift && !customer.vip", True),
        ("customer.vip ? event.total > 10 : event.total > 50", False),
        ("event.left_at == timestamp('2026-11-24T09:00:00Z')", True),
        ("event.left_at > timestamp('2026-11-24T10:59:59+02:00')", True),
        ("event.left_at < timestamp('2026-11-24T09:00:00Z')", False),
        ("event.left_at + duration('36h') > timestamp('2026-11-25T20:00:00Z')", True),
        ("event.left_at.getHours() == 9", True),
        ("event.left_at.getHours('Europe/Berlin') == 10", True),
        ("[30, 40].exists(x, x == event.total)", True),
        ("event . total > 30 // a remark", True),
        ("event.name == 'has(event.total)'", False),
        ("event.name == \"timestamp('soon')\"", False),
    ],
)
def test_holds(source: str, expected: bool) -> None:
    assert holds(source) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.total > 50", "event.total > 50 does not hold (event.total is 40)"),
        ("event.total > 30", "event.total > 30 holds (event.total is 40)"),
        ("event.total > 41.5", "event.total > 41.5 does not hold (event.total is 40)"),
        ("!event.gift", "!event.gift does not hold (event.gift is true)"),
        ("event.name == 'x'", "event.name == 'x' does not hold (event.name is \"abcd\")"),
        (
            "event.left_at < timestamp('2026-01-01T00:00:00Z')",
            "event.left_at < timestamp('2026-01-01T00:00:00Z') does not hold (event.left_at is 2026-11-24T09:00:00Z)",
        ),
        (
            "event.total > 50 &&\n  size(event.name) > 3",
            'event.total > 50 && size(event.name) > 3 does not hold (event.total is 40, event.name is "abcd")',
        ),
        ("false", "false does not hold"),
        ("customer.phone == 'x'", "customer.phone == 'x' cannot be told: customer.phone is missing"),
        (
            "customer.phone == 'x' && event.total > 50",
            "customer.phone == 'x' && event.total > 50 does not hold (customer.phone is missing, event.total is 40)",
        ),
        (
            "1 / (event.total - 40) > 1",
            "1 / (event.total - 40) > 1 cannot be told: it divides by zero (event.total is 40)",
        ),
        ("event.name.contains(event.name)", 'event.name.contains(event.name) holds (event.name is "abcd")'),
    ],
)
def test_the_reason_is_in_words(source: str, expected: str) -> None:
    assert reason(source) == expected


def test_a_long_text_is_shortened_in_the_reason() -> None:
    assert len(reason("event.name == 'x'", name="y" * 1000)) < 120


def test_a_missing_value_is_named_and_does_not_hold() -> None:
    condition = compile_condition("event.total > 50", SCOPE)

    assert condition.holds({}).holds is False
    assert condition.holds({}).reason == "event.total > 50 cannot be told: event.total is missing"
    assert condition.holds({"event.total": None}) == condition.holds({})


def test_what_is_missing_does_not_matter_where_the_rest_decides() -> None:
    assert holds("customer.phone == 'x' || event.total > 30")
    assert not holds("customer.phone == 'x' && event.total > 50")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("has(customer.phone)", False),
        ("!has( customer.phone )", True),
        ("has(event.total)", True),
        ("has(customer.vip)", True),
        ("has(customer.phone) && customer.phone == 'x'", False),
        ("!has(customer.phone) || customer.phone == 'x'", True),
    ],
)
def test_has_asks_whether_an_attribute_is_there(source: str, expected: bool) -> None:
    assert holds(source) is expected


def test_uses_are_the_attributes_named_in_order() -> None:
    condition = compile_condition("size(event.name) > 3 && event.total > 1 && has(customer.phone) // event.gift", SCOPE)

    assert condition.uses == ("event.name", "event.total", "customer.phone")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.totl > 50", ['there is no "event.totl". Did you mean "event.total"?']),
        ("total > 50", ['there is no "total". Did you mean "event.total"?']),
        ("customr.vip", ['there is no "customr.vip". Did you mean "customer.vip"?']),
        ("has(event.totl)", ['there is no "event.totl". Did you mean "event.total"?']),
        (
            "event.zzz == 1",
            ['there is no "event.zzz". There is: event.gift, event.left_at, event.name, event.total.'],
        ),
        ("'ä😀' == event.nme", ['there is no "event.nme". Did you mean "event.name"?']),
        (
            "event.name.lower() == 'a'",
            [
                (
                    'there is no function "lower". Nothing changes the case of a text: name each, as in '
                    "customer.country in ['NO', 'no']."
                )
            ],
        ),
        ("event.name.startWith('a')", ['there is no function "startWith". Did you mean "startsWith"?']),
        (
            'event.total > "a"',
            ['event.total (number) > "a" (text): a number cannot be compared with text.'],
        ),
        (
            "event.name > 1",
            ['event.name (text) > 1 (number): text cannot be compared with a number. Write "1" for a text.'],
        ),
        ("size(event.name) > 'a'", ["> at column 18: a number cannot be compared with text."]),
        (
            "event.left_at > '2026-11-24'",
            [
                (
                    "event.left_at (time) > '2026-11-24' (text): a time cannot be compared with text. "
                    "Write a time as timestamp('2026-11-24T09:00:00Z')."
                )
            ],
        ),
        (
            "customer.phone == null",
            [
                (
                    "customer.phone (text) == null: text cannot be compared with null. "
                    "Ask has(event.name) whether an attribute is there."
                )
            ],
        ),
        (
            "50 < event.total < 60",
            ["< at column 18: a boolean cannot be compared with a number. Join two comparisons with &&."],
        ),
        ("event.total in ['a']", ["in at column 13: a number is not in a list of other things."]),
        ("event.name in 'abc'", ["event.name (text) in 'abc' (text): text is not a list."]),
        ("event.name + 1 > 2", ["+ at column 12: text cannot be added to a number."]),
        ("event.total && event.gift", ["&& needs true or false, a number was found (column 13)."]),
        ("!event.total", ["! needs true or false, a number was found (column 1)."]),
        ("size(event.total) > 1", ["size cannot be used on a number (column 5)."]),
        (
            "(event.gift ? event.total : 'x') > 1",
            ["after ? are a number and text, they must be of one type (column 13)."],
        ),
        ("event.name.first == 'a'", ["text has no parts to name (column 11)."]),
        (
            "event.total",
            [
                (
                    "the condition gives a number, it must give true or false. "
                    "Compare it with something, such as event.total > 50."
                )
            ],
        ),
        (
            "event.name",
            [
                (
                    "the condition gives text, it must give true or false. "
                    "Compare it with something, such as event.total > 50."
                )
            ],
        ),
        ("event.total > ", ["the condition ends too early (column 15)."]),
        ("", ["the condition is empty."]),
        (" \n ", ["the condition is empty."]),
        ("event.gift and customer.vip", ['"and" is not understood here (column 12). Write && for and.']),
        ("not event.gift", ['"event" is not understood here (column 5). Write ! for not.']),
        ("event.total is 4", ['"is" is not understood here (column 13). Write == for is.']),
        ("event.gift &&\n) customer.vip", ['")" is not understood here (line 2, column 1).']),
        (
            "event.left_at > timestamp('2026-11-24')",
            ["timestamp('2026-11-24') is not a time. Write it like timestamp('2026-11-24T09:00:00Z')."],
        ),
        (
            "event.left_at + duration('1d') > event.left_at",
            ["duration('1d') is not a duration to CEL. Write hours, minutes or seconds, such as duration('36h')."],
        ),
        ("event.name.matches('(')", ["matches('(') is not a regular expression. See the syntax of RE2."]),
        ("event.total > 99999999999999999999", ["this number is too large (column 15)."]),
        (
            "(" * 200 + "true" + ")" * 200,
            [
                (
                    "the condition is nested too deeply: it has more than 32 levels. "
                    "Leave out brackets, or compare with a list: event.size in ['s', 'm']."
                )
            ],
        ),
        ('event.name = "x"', ['"=" is not understood here (column 12). Write == for =.']),
        ("event.total === 4", ['"=" is not understood here (column 15). Write == for ===.']),
        ("event.total <> 4", ['">" is not understood here (column 14). Write != for <>.']),
        ("(event.total > 5", ['")" is missing (column 17).']),
        ("event.name == “x”", ['"“" is not understood here (column 15). Write " or \' for “.']),
        ("event.name == 'x", ["the text that begins with ' is not closed (column 15)."]),
        (
            "event.name == 'it's'",
            [
                (
                    '"s" is not understood here (column 19). '
                    'A text with quotes in it goes in the other ones, such as "it\'s".'
                )
            ],
        ),
        (
            r"event.name == '\d'",
            [r"'\d is not understood here (column 15). \ begins a special character; write \\ for \."],
        ),
        ("event total > 5", ['"total" is not understood here (column 7). Write event.total.']),
        ("event.total > 50 EUR", ['"EUR" is not understood here (column 18). Write numbers alone, such as 1000.50.']),
        ("event.total > 1,000", ['"," is not understood here (column 16). Write numbers alone, such as 1000.50.']),
        (
            "event.name contains 'x'",
            ["\"contains\" is not understood here (column 12). It goes after a dot: event.name.contains('…')."],
        ),
        (
            "contains(event.name, 'x')",
            ["contains is written after what it is asked of. Write it as event.name.contains('…')."],
        ),
        ("len(event.name) > 1", ['there is no function "len". Did you mean "size"?']),
        (
            "event.name.length > 1",
            ["text has no parts to name (column 11). Write size(event.name) for its length."],
        ),
        ("event.gift == True", ['there is no "True". Write true in small letters.']),
        ("event.name == None", ['there is no "None". Ask has(event.name) whether an attribute is there.']),
        (
            "event.left_at < now",
            [
                (
                    'there is no "now". Time alone makes nothing happen here, so the present time is not known. '
                    "Let a step wait for it: wait: {until: event.trial_ends_at, before: 3 days}."
                )
            ],
        ),
        ("has(event)", ["has asks for an attribute (column 5). Write it as has(event.coupon)."]),
        ("event.total.exists(x, true)", ["a number has no members to go through (column 6)."]),
        ("if event.total > 5", ['"if" is not understood here (column 1). Write only what must hold, without if.']),
        (
            "{{ event.total }} > 5",
            ['"}" is not understood here (column 16). Attributes are named without braces, such as event.total.'],
        ),
        ("event.total > 5 # many", ['"#" is not understood here (column 17). Remarks begin with //.']),
    ],
)
def test_refused_in_words(source: str, expected: list[str]) -> None:
    assert flaws(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("int(event.name) == 1", "a value in it cannot be turned into another type"),
        ("timestamp(event.name) > event.left_at", "a value in it cannot be turned into another type"),
        ("1 % 0 == 1", "it divides by zero"),
        ("event.total / (event.total - 40.0) > 1.0", "it divides by zero"),
        ("[event.total].exists(x, x / 0.0 > 1.0)", "it divides by zero"),
        ("-event.total / 0.0 < 1.0", "it divides by zero"),
        ("9223372036854775807 + 1 == 1", "a number or a time in it is too large"),
        ("int(1e300) == 1", "a number or a time in it is too large"),
        ("[1, 2][5] == 1", "it asks for a member that a list does not have"),
        ("{'a': 1}['b'] == 1", "it asks for a key that a map does not have"),
        ("dyn(event.total) > dyn('a')", "it compares or joins what is of different types"),
        ("dyn(event.total).x == 1", "it names a part of something that has none"),
        ("event.left_at.getHours(event.name) == 1", "there is no such time zone"),
    ],
)
def test_what_cannot_be_told_says_why_in_words(source: str, expected: str) -> None:
    assert f"{source} cannot be told: {expected}" in reason(source)


def test_all_flaws_come_at_once() -> None:
    assert flaws("event.total > 'a' || event.name > 1 || event.totl == 3") == [
        "event.total (number) > 'a' (text): a number cannot be compared with text.",
        'event.name (text) > 1 (number): text cannot be compared with a number. Write "1" for a text.',
        'there is no "event.totl". Did you mean "event.total"?',
    ]


def test_the_same_condition_is_compiled_once() -> None:
    assert compile_condition("event.total > 50", SCOPE) is compile_condition("event.total > 50", dict(SCOPE))


def test_another_scope_is_another_condition() -> None:
    compile_condition("event.total > 50", SCOPE)

    with pytest.raises(ConditionError):
        compile_condition("event.total > 50", {"event.total": "text"})


def test_an_attribute_may_have_any_allowed_name() -> None:
    names = ["as", "e", "first", "has", "if", "import", "int", "loop", "matches", "size", "string", "timestamp", "type"]

    for name in names:
        condition = compile_condition(f"event.{name} == 'x' && has(event.{name})", {f"event.{name}": "text"})
        assert condition.holds({f"event.{name}": "x"}).holds


odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.characters(categories=["Cs"])
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14))]))
    | st.datetimes()
    | st.binary()
    | st.just(object())
)


@given(st.dictionaries(st.sampled_from([*SCOPE, "event.other"]), odd))
def test_data_never_raises(values: dict[str, object]) -> None:
    sources = [
        "event.total > 50 && event.gift",
        "event.name == 'x' || event.total % 2 == 1",
        "event.left_at > timestamp('2026-11-24T09:00:00Z')",
        "has(customer.phone)",
    ]

    for source in sources:
        verdict = compile_condition(source, SCOPE).holds(values)
        assert verdict.reason.startswith(source)


@given(st.text(max_size=60) | st.text(alphabet="event.totalsizenameha(s)'\"<>=!&|+-*/%[]{}?:,0123 \n\\", max_size=60))
def test_any_source_is_a_condition_or_has_flaws(source: str) -> None:
    try:
        said = compile_condition(source, SCOPE).holds(VALUES).reason
    except ConditionError as refusal:
        said = str(refusal)

    assert said


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_moment_can_be_compared(moment: datetime) -> None:
    assert holds(f"event.left_at == timestamp('{moment.isoformat()}')", left_at=moment)


def test_one_condition_serves_many_threads() -> None:
    condition = compile_condition("event.total * 2 > 50 && event.name == 'abcd'", SCOPE)

    with ThreadPoolExecutor(8) as threads:
        verdicts = set(threads.map(lambda _: condition.holds(VALUES), range(2000)))

    assert {verdict.holds for verdict in verdicts} == {True}


def _doubled(times: int) -> str:
    return "event.name" if times == 0 else f"({_doubled(times - 1)} + {_doubled(times - 1)})"


def _tree(levels: int) -> str:
    return "[1]" if levels == 0 else f"[1, 2].map(v{levels}, {_tree(levels - 1)})"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("event.name.matches(customer.phone)", "here it comes from data. Write it in quotes"),
        ("matches(event.name, customer.phone)", "here it comes from data"),
        ("event.name.matches('a' + customer.phone)", "here it comes from data"),
        ("['a', 'b'].exists(p, event.name.matches(p))", "here it comes from data"),
        ("event.name.matches(event.gift ? 'a' : 'b')", "here it comes from data"),
        ("event.name.matches('.{0,500}.{0,500}b')", "is too large a pattern: 4001 steps, at most 100 go."),
        ("event.name.matches('(((a{1,10}){1,10}){1,10})b')", "is too large a pattern"),
        (r"event.name.matches(r'(?i)(\pL*\pN*){100}c')", "is too large a pattern"),
        ("event.name.matches('(')", "is not a regular expression"),
        (f"size({_doubled(6)}) > 0", "s for one event; at most 0.05 s go."),
        (f"['x'].exists(x, x == {_doubled(5)}) || size([1, 2, 3, 4].map(i, {_doubled(4)})) > 1", "s for one event"),
        (" || ".join(["event.name.contains(customer.phone)"] * 8), "s for one event"),
        (f"size({_tree(15)}) > 0", "the condition may go through lists 65534 times for one event"),
        (f"size({_tree(20)}) > 0", "the condition is nested too deeply"),
        ("[" + "1," * 99 + "1].all(x, [" + "1," * 99 + "1].all(y, x == y))", "may go through lists 10100 times"),
        ("event.total" + " + event.total" * 40 + " > 1", "the condition is nested too deeply"),
        ("event.name == '" + "a" * 2000 + "'", "the condition has 2016 characters; at most 2000 are read."),
        ("event.name == 'a\0b'", "the character U+0000 cannot be stored in text"),
        ("event.name == '\ud83d'", "the character U+D83D cannot be stored in text"),
        ("event.name == '" + "\\'" * 900, "is not understood here"),
        ("x ' " * 400, "is not understood here"),
    ],
)
def test_what_could_cost_too_much_is_refused_before_it_is_asked(source: str, expected: str) -> None:
    assert expected in flaws(source)[0]


@pytest.mark.parametrize(
    "source",
    [
        "event.name.matches('^[A-Z]{2}[0-9]{6}$')",
        r"event.name.matches(r'^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$')",
        r"event.name.matches(r'^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,24}$')",
        "event.name.matches('^(shoes|boots|sandals|slippers|trainers)-(red|green|blue)-[0-9]{2,3}$')",
        "event.name in [" + ", ".join(f"'sku-{number}'" for number in range(180)) + "]",
        " || ".join(f"event.name == 'sku-{number}'" for number in range(75)),
        "event.name.contains(customer.phone) || customer.phone.contains(event.name)",
        "['a', 'b', 'c'].exists(x, event.name.startsWith(x))",
        "size(event.name + customer.phone) > 20",
        "!" * 1900 + "event.gift",
    ],
)
def test_what_people_write_is_within_the_bounds(source: str) -> None:
    assert compile_condition(source, SCOPE).source == source


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        ("abc", 3),
        ("a{3}b", 4),
        ("(ab){1,3}", 10),
        ("(a{9}){9}", 81),
        ("a{2,}", 5),
        (".*", 3),
        ("é{3}", 6),
        ("[éè]", 4),
        ("[^]a]+", 2),
        (r"\pL{5}", 50),
        (r"\p{Greek}", 10),
        (r"[\pL\pN]", 21),
        ("(?P<word>ab)?", 3),
        ("((", 0),
        (")){3}", 0),
    ],
)
def test_a_pattern_is_as_large_as_its_repetitions_written_out(pattern: str, size: int) -> None:
    assert pattern_size(pattern) == size


@given(st.text(alphabet=r"ab(){}[]\*+?.,0123456789|^$pPLQE:<>", max_size=200))
def test_any_pattern_has_a_size(pattern: str) -> None:
    assert pattern_size(pattern) >= 0


def test_a_text_longer_than_an_event_may_have_is_not_gone_through() -> None:
    told = reason("event.name.contains('x')", name="y" * (LONGEST_TEXT + 1))

    assert told == "event.name.contains('x') cannot be told: event.name has more than 32768 bytes"


def test_what_an_earlier_release_published_is_asked_or_its_reason_told() -> None:
    values = {"event.name": "a", "customer.phone": "a"}

    long = ask("event.name in [" + "'a', " * 900 + "'b']", SCOPE, values)
    dear = ask("event.name.matches(customer.phone)", SCOPE, values)

    assert long.holds
    assert not dear.holds
    assert dear.reason.startswith("event.name.matches(customer.phone) cannot be told: matches takes a pattern")


BORN: dict[str, AttributeType] = {"customer.born": "date", "event.due": "date"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('customer.born == "1999-12-31"', True),
        ('customer.born < "2000-01-01"', True),
        ('customer.born > "2000-01-01"', False),
        ("customer.born < event.due", True),
        ('customer.born.startsWith("1999-12")', True),
        ('customer.born in ["1999-12-31", "2000-01-01"]', True),
    ],
)
def test_dates_compare_as_the_days_do(source: str, expected: bool) -> None:
    values = {"customer.born": "1999-12-31", "event.due": "2026-03-01"}

    assert compile_condition(source, BORN).holds(values).holds is expected


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('customer.born < "2000-1-1"', '"2000-1-1" was found, a day such as "2026-03-01" was expected.'),
        ('"01.03.2026" == event.due', '"01.03.2026" was found, a day such as "2026-03-01" was expected.'),
        ('event.due in ["2026-03-01", "2026-02-30"]', '"2026-02-30" was found, and there is no such day.'),
        ('event.due != "0000-00-00"', '"0000-00-00" was found, which is no day'),
    ],
)
def test_what_is_compared_with_a_date_is_one(source: str, found: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        compile_condition(source, BORN)

    [flaw] = refusal.value.flaws
    assert found in flaw.message
    assert flaw.hint == 'Write it like "2026-03-01".'


def test_a_date_is_no_time() -> None:
    with pytest.raises(ConditionError, match="cannot be compared"):
        compile_condition("event.due < timestamp('2026-11-24T09:00:00Z')", BORN)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("event.total > 50 && now < event . left_at", {"event.total", "now", "event.left_at"}),
        ("has(before.plan) || customer.plan.size() > 3", {"before.plan", "customer.plan"}),
        ("customer.plan == 'before.plan' // now", {"customer.plan"}),
        ('"""now""" == r"event.x"', set()),
    ],
)
def test_what_a_condition_names_is_not_what_its_texts_say(source: str, names: set[str]) -> None:
    assert names_in(source) == names
