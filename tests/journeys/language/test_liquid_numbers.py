"""Numbers in templates: calculated as decimals, written as people write them."""

from __future__ import annotations

import pytest

from journeys.language.templates import TemplateError, Values, render


def filled(source: str, /, **event: object) -> str:
    return render(source, {"event": event, "customer": {}})


@pytest.mark.parametrize(
    ("total", "half", "shown"),
    [(25, "12.5", "25"), (25.0, "12.5", "25"), (25.5, "12.75", "25.5"), (0.1, "0.05", "0.1")],
)
def test_half_of_a_number_is_half_of_it(total: float, half: str, shown: str) -> None:
    assert filled("{{ event.total | divided_by: 2 }} {{ event.total }}", total=total) == f"{half} {shown}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ event.seven | divided_by: 2 }}", "3.5"),
        ("{{ 7 | divided_by: event.two }}", "3.5"),
        ("{% assign half = event.seven | divided_by: 2 %}{{ half | times: 2 }}", "7"),
        ("{{ event.seven | floor | divided_by: 2 }}", "3.5"),
        ("{{ event.seven | divided_by: 2 | floor }}", "3"),
        ("{{ event.seven | divided_by: '2' }}", "3.5"),
        ("{{ event.ten | divided_by: 3 }}", "3.333333333333333"),
        ("{{ 7 | divided_by: 2 }}", "3"),  # two numbers of the template's own: Liquid's rule
        ("{{ 7 | divided_by: 2.0 }}", "3.5"),
        ("{{ event.tenth | plus: event.fifth }}", "0.3"),
        ("{{ event.tenth | times: 3 }}", "0.3"),
        ("{{ 1 | minus: event.tenth | minus: event.tenth }}", "0.8"),
        ("{{ event.seven | modulo: 3 }} {{ -7 | modulo: event.three }} {{ event.half | modulo: 2 }}", "1 2 0.5"),
        ("{{ event.half | round }} {{ event.half | ceil }} {{ event.half | floor }}", "3 3 2"),
        ("{{ event.third | round: 2 }}", "0.33"),
        ("{{ event.minus | abs }} {{ event.minus | at_least: 0 }} {{ event.seven | at_most: 5 }}", "2.5 0 5"),
        ("{% if event.tenth == 0.1 and event.tenth >= 0.1 and 0.1 <= event.tenth %}same{% endif %}", "same"),
        ("{% if event.tenth < 0.1 or event.tenth != 0.1 or event.tenth > 0.1 %}other{% endif %}", ""),
        ("{% case event.two %}{% when 2 %}two{% endcase %}", "two"),
        ("{{ event.seven | append: '%' }}", "7%"),
        ("{{ 'abcdefgh' | slice: event.seven }} {% for i in (1..event.two) %}{{ i }}{% endfor %}", "h 12"),
        ("{% assign all = 'a,b,c' | split: ',' %}{{ all[event.two] }}", "c"),
        ("{{ event.zero }} {{ event.zero | default: 5 }} {{ event.nothing | default: 5 }}", "0 0 5"),
        ("{{ event.second | date: '%Y-%m-%d' }}", "2026-01-01"),
    ],
)
def test_numbers_of_attributes_are_decimals(source: str, expected: str) -> None:
    event = {"two": 2, "three": 3, "seven": 7, "ten": 10.0, "tenth": 0.1, "fifth": 0.2, "half": 2.5, "minus": -2.5}

    assert filled(source, **event, third=1 / 3, zero=0, second=1767225600) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ event.id }}", "12345678901234567891"),
        ("{{ event.id | plus: 1 }}", "12345678901234567892"),
        ("{{ event.id | times: 1000 }}", "12345678901234567891000"),
        ("{{ event.id | divided_by: 2 }}", "6172839450617283945.5"),
        ('{{ event.id | money: "EUR" }}', "€12,345,678,901,234,567,891.00"),
    ],
)
def test_large_whole_numbers_are_exact(source: str, expected: str) -> None:
    assert filled(source, id=12345678901234567891) == expected


def test_a_number_that_grows_without_end_is_refused() -> None:
    with pytest.raises(TemplateError, match="grows too large"):
        filled("{% assign x = event.big %}{% for i in (1..99) %}{% assign x = x | times: x %}{% endfor %}", big=1e300)


@pytest.mark.parametrize("source", ["{{ event.n | divided_by: 0 }}", "{{ event.n | modulo: event.zero }}"])
def test_nothing_is_divided_by_zero(source: str) -> None:
    with pytest.raises(TemplateError, match="can't divide by 0"):
        filled(source, n=5, zero=0)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, "€1,284.40"),
        ("en", "€1,284.40"),
        ("de", "1.284,40\xa0€"),
        ("DE", "1.284,40\xa0€"),
        ("de-AT", "€\xa01.284,40"),
        ("de_DE", "1.284,40\xa0€"),
        ("nb", "1\xa0284,40\xa0€"),
        ("fr", "1\u202f284,40\xa0€"),
        ("pt-BR", "€\xa01.284,40"),
        ("zh-Hant-TW", "€1,284.40"),
        ("de-XX", "1.284,40\xa0€"),
        ("klingon", "€1,284.40"),
        ("../../etc/passwd", "€1,284.40"),
        ("x" * 10_000, "€1,284.40"),
    ],
)
def test_money_is_written_in_the_customers_language(language: str | None, expected: str) -> None:
    values: Values = {"event": {"total": 1284.4}, "customer": {"language": language}}

    assert render('{{ event.total | money: "EUR" }}', values) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{{ event.total | money: "EUR" }}', "€128.40"),
        ('{{ event.total | money: "eur" }}', "€128.40"),
        ('{{ event.total | money: "JPY" }}', "¥128"),
        ('{{ event.total | money: "KWD" }}', "KWD128.400"),
        ('{{ event.total | money: "EUR", language: "de" }}', "128,40\xa0€"),
        ("{{ event.total | money: event.currency }}", "$128.40"),
        ("{{ event.total | money: event.nothing }}", "128.40"),
        ('{{ event.whole | money: "EUR" }}', "€25.00"),
        ('{{ event.rounded | money: "EUR" }}', "€0.13"),
        ('{{ event.minus | money: "EUR" }}', "-€5.00"),
        ('{{ -0.004 | money: "EUR" }} {{ event.minus | times: 0.01 | decimals: 1 }}', "€0.00 -0.1"),
        ('{{ event.total | times: 3 | money: "EUR" }}', "€385.20"),
        ('{{ 9.5 | money: "EUR" }} {{ "12.5" | money: "EUR" }}', "€9.50 €12.50"),
        ('[{{ event.nothing | money: "EUR" }}]', "[]"),
        ('{{ "on request" | money: "EUR" }}', "on request"),
        (
            "{{ event.total | decimals: 2 }} {{ event.total | decimals: 0 }} {{ event.total | decimals }}",
            "128.40 128 128.40",
        ),
        ("{{ event.points | decimals: 0 }}", "1,234,567"),
        ('{{ event.points | decimals: 1, language: "de" }}', "1.234.567,0"),
    ],
)
def test_money_and_numbers_are_written_as_people_do(source: str, expected: str) -> None:
    event = {"total": 128.40, "whole": 25, "rounded": 0.125, "minus": -5, "currency": "USD", "points": 1234567}

    assert filled(source, **event) == expected


def test_true_and_false_are_no_money() -> None:
    with pytest.raises(TemplateError, match="money takes a number, found true"):
        filled('{{ event.gift | money: "EUR" }}', gift=True)


def test_money_in_html_is_the_same() -> None:
    assert render('<b>{{ event.total | money: "EUR" }}</b>', {"event": {"total": 5}}, html=True) == "<b>€5.00</b>"
