"""What is wrong with a template is found before anybody gets it."""

from __future__ import annotations

import pytest

from journeys.language.attributes import AttributeType
from journeys.language.template_check import Known, check, other_braces, try_out

KNOWN = [
    "customer.first_name",
    "customer.email",
    "event.total",
    "event.cart_id",
    "unsubscribe_url",
]


def said(source: str, *texts: str) -> list[str]:
    return [str(flaw) for flaw in check(source, texts)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ event.a | append }}", 'line 1: the filter "append" takes 1 argument, found 0. Write it like append: "…".'),
        (
            "{{ event.a | append: 'b', 'c' }}",
            'line 1: the filter "append" takes 1 argument, found 2. Write it like append: "…".',
        ),
        (
            "{{ event.a | date: '%H', 'Europe/Oslo' }}",
            (
                'line 1: the filter "date" takes 1 argument, found 2. '
                'Write it like date: "%d %B %Y". Times are written in UTC.'
            ),
        ),
        (
            "{{ event.a | date }}",
            (
                'line 1: the filter "date" takes 1 argument, found 0. '
                'Write it like date: "%d %B %Y". Times are written in UTC.'
            ),
        ),
        ("a\n{{ event.a | upcase: 1 }}", 'line 2: the filter "upcase" takes no argument, found 1.'),
        (
            "{{ event.a | slice }}",
            'line 1: the filter "slice" takes 1 to 2 arguments, found 0. Write it like slice: "…".',
        ),
        (
            "{{ event.a | default: 'b', allow_fals: true }}",
            'line 1: the filter "default" takes nothing called "allow_fals".',
        ),
        (
            "{% assign b = event.a | replace %}",
            'line 1: the filter "replace" takes 1 to 2 arguments, found 0. Write it like replace: "…".',
        ),
        (
            "{% echo event.a | split %}",
            'line 1: the filter "split" takes 1 argument, found 0. Write it like split: "…".',
        ),
        ("{{ event.a | money }}", 'line 1: the filter "money" takes 1 argument, found 0. Write it like money: "EUR".'),
        ("{{ event.a | truncate: 1, 2, 3 }}", 'line 1: the filter "truncate" takes at most 2 arguments, found 3.'),
        ("{{ event.a | money: 'EURO' }}", 'line 1: "EURO" is no currency; expected its code, such as "EUR".'),
        ("{{ event.a | money: 2 }}", 'line 1: "2" is no currency; expected its code, such as "EUR".'),
        ("{{ event.a | plus: 'tax' }}", 'line 1: the filter "plus" takes a number, found "tax".'),
        ("{{ event.a | decimals: 'two' }}", 'line 1: the filter "decimals" takes a number, found "two".'),
        ("{{ event.a | truncate: 'x' }}", "line 1: truncate expected a number, found text."),
        ("{{ event.a | divided_by: 0 }}", "line 1: divided_by: can't divide by 0."),
        ("{{ event.a | monye: 'EUR' }}", 'line 1: there is no filter "monye". Did you mean "money"?'),
        (
            "{{ event.a | default: }}",
            'line 1: the filter "default" takes 1 argument, found 0. Write it like default: "…".',
        ),
    ],
)
def test_a_filter_has_what_it_takes(source: str, expected: str) -> None:
    assert said(source) == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "{{ event.a | append: event.b }}",
        "{{ event.a | default: 'b', allow_false: true }}",
        "{{ event.a | slice: 1, 2 }}{{ event.a | round }}{{ event.a | round: 2 }}{{ event.a | truncate: 20, '' }}",
        "{{ event.a | money: event.currency }}{{ event.a | money: 'eur', language: 'de' }}{{ event.a | decimals }}",
        "{{ event.a | plus: '5' }}{{ event.a | times: 1.25 }}",
        "{% if event.a > 5 %}{{ event.b | divided_by: event.a }}{% endif %}",
        "{% if event.a > 5 %}{% endif %}{% if event.b > 'x' %}{% endif %}",
    ],
)
def test_what_is_right_is_let_through(source: str) -> None:
    assert said(source) == []


def test_a_name_without_a_root_is_none_but_for_those_that_are_given() -> None:
    assert said("{{ unsubscribe_url }}", "unsubscribe_url") == []
    assert len(said("{{ unsubscribe_url }}")) == 1
    assert said("{{ unsubscribe_ur }}", "unsubscribe_url")[0].endswith('Did you mean "unsubscribe_url"?')


@pytest.mark.parametrize(
    ("placeholder", "meant"),
    [
        ("{customer.first_name}", "customer.first_name"),
        ("{ customer.first_name }", "customer.first_name"),
        ("${event.total}", "event.total"),
        ("#{event.total}", "event.total"),
        ("%{total}", "event.total"),
        ("{first_name}", "customer.first_name"),
        ("{firstName}", "customer.first_name"),
        ("{FIRST-NAME}", "customer.first_name"),
        ("%FIRSTNAME%", "customer.first_name"),
        ("%first_name%", "customer.first_name"),
        ("%%firstname%%", "customer.first_name"),
        ("[[first_name]]", "customer.first_name"),
        ("[% first_name %]", "customer.first_name"),
        ("*|EMAIL|*", "customer.email"),
        ("<<cart_id>>", "event.cart_id"),
        ("<%= cart_id %>", "event.cart_id"),
        ("{unsubscribe_url}", "unsubscribe_url"),
        ("{event.total | money: 'EUR'}", "event.total"),
        ("${ event.colour }", "event.colour"),
        ("%firstname%", "customer.first_name"),
        ("[first_name]", "customer.first_name"),
        ("$customer.first_name", "customer.first_name"),
    ],
)
def test_a_known_name_in_the_braces_of_others_is_a_flaw(placeholder: str, meant: str) -> None:
    flaws, warnings = other_braces(f"Hi\n{placeholder}, {placeholder}", KNOWN)

    assert [str(flaw) for flaw in flaws] == [
        f"line 2: {placeholder} is not filled in, but sent as it is. Write {{{{ {meant} }}}}."
    ]
    assert warnings == []


@pytest.mark.parametrize(
    "placeholder", ["{discount}", "%FNAME%", "[[name]]", "*|MERGE1|*", "${contact.name}", "{!name}"]
)
def test_what_looks_like_a_placeholder_is_warned_of(placeholder: str) -> None:
    flaws, warnings = other_braces(f"Hi {placeholder}", KNOWN)

    assert flaws == []
    assert [warning.message for warning in warnings] == [
        f"line 1: {placeholder} looks like a placeholder, and is sent as it is."
    ]


@pytest.mark.parametrize(
    "source",
    [
        "Hi {{ customer.first_name }} {%- if event.total -%}{{ event.total }}{% endif %}",
        "{% raw %}{customer.first_name}{% endraw %}{% comment %}%FIRSTNAME%{% endcomment %}",
        "<style>a{color:red} @media print{.x{display:none}}</style>",
        "100% wool, 50% off, 20%-30% less",
        "https://shop.example.com/?q=%C3%A9t%C3%A9&utm=%20TOTAL%20",
        '<script type="application/ld+json">{"@context": "https://schema.org"}</script>',
        "[first] (second) {} {1} [[]] %% %a% $total $5.00 [see_below] $my_price [event_list](https://shop.example.com)",
    ],
)
def test_other_braces_mean_something_else(source: str) -> None:
    assert other_braces(source, KNOWN) == ([], [])


TYPES: dict[str, AttributeType] = {
    "event.total": "number",
    "event.parts": "number",
    "event.gift": "boolean",
    "event.left_at": "time",
    "event.cart_id": "text",
    "event.coupon": "text",
    "customer.first_name": "text",
}
DECLARED = Known(TYPES, frozenset({"event.coupon", "event.parts", "customer.first_name"}))


def tried(source: str) -> tuple[list[str], list[str]]:
    flaws, holes = try_out(source, DECLARED)
    return [flaw.message for flaw in flaws], holes


@pytest.mark.parametrize(
    ("source", "flaw"),
    [
        ("{% if event.cart_id > 5 %}a{% endif %}", "line 1: '<' and '>' are not supported between a number and text."),
        (
            "{{ event.total | first }}{{ event.gift | times: 2 }}",
            'the filter "times" takes a number, and event.gift is a boolean',
        ),
        ("{{ event.left_at | plus: 1 }}", 'the filter "plus" takes a number, and event.left_at is a time'),
        ("\n{{ event.left_at | money: 'EUR' }}", "line 2: the filter"),
        ("{{ event.cart_id | concat: event.total }}", "line 1: concat"),
        ("{{ 100 | divided_by: event.parts }}", "without event.parts, line 1: divided_by: can't divide by 0."),
    ],
)
def test_what_cannot_be_filled_in_with_what_is_declared_is_a_flaw(source: str, flaw: str) -> None:
    [message], holes = tried(source)

    assert flaw in message
    assert holes == []


@pytest.mark.parametrize(
    ("source", "holes"),
    [
        ("Hi {{ customer.first_name }}", ["customer.first_name"]),
        ("Hi {{ customer.first_name | upcase }}", ["customer.first_name"]),
        ("{{ 'Hi ' | append: customer.first_name }}", ["customer.first_name"]),
        ("{% if event.total > 0 %}{% echo event.coupon %}{% endif %}", ["event.coupon"]),
        ("{{ event.coupon | default: customer.first_name }}", ["customer.first_name", "event.coupon"]),
        ("Hi {{ customer.first_name | default: 'you' }}", []),
        ("Hi {{ customer.first_name | upcase | default: 'you' }}", []),
        ("{% if customer.first_name %}Hi {{ customer.first_name }}{% endif %}", []),
        ("{% unless customer.first_name == blank %}Hi {{ customer.first_name }}{% endunless %}", []),
        ("{% if event.parts %}{{ 100 | divided_by: event.parts }}{% endif %}", []),
        ("{{ event.total }} {{ event.cart_id }} {{ event.left_at | date: '%d %b' }}", []),
    ],
)
def test_a_hole_is_told(source: str, holes: list[str]) -> None:
    assert tried(source) == ([], holes)
