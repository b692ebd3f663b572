"""Contents: what is wrong with one, and one filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from journeys.catalogue import Content
from journeys.contents import check_content, render_content
from journeys.findings import Findings
from journeys.language.templates import TemplateError
from journeys.problems import Invalid
from journeys.reading import read_content

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
VALUES: dict[str, dict[str, object]] = {"event": {"total": 1284.4}, "customer": {"language": "fr"}}
TOTAL = '{{ event.total | money: "EUR" }}'


def content(**parts: Any) -> Content:
    return read_content({"content": "hello", **parts})


def test_a_text_has_no_space_that_makes_it_two_texts() -> None:
    filled = render_content(content(text={"body": TOTAL}), VALUES, NOW)

    assert filled == {"body": "1 284,40 €"}


def test_an_email_keeps_an_amount_on_one_line() -> None:
    filled = render_content(content(email={"subject": TOTAL, "text": TOTAL}), VALUES, NOW)

    assert filled["text"] == "1\u202f284,40\xa0€"


def flaws_of(**parts: Any) -> list[str]:
    return [str(flaw) for flaw in check_content(content(**parts)).flaws]


WAY_OUT = "a commercial email needs a way out that people see, and has none."


@pytest.mark.parametrize(
    "email",
    [
        {"subject": "s", "text": "Hello"},
        {"subject": "s", "html": "<p>Hello</p>", "text": "Hello"},
        {"subject": "No more? {{ unsubscribe_url }}", "text": "Hello"},
        {"subject": "s", "text": "Hello {% comment %}{{ unsubscribe_url }}{% endcomment %}"},
        {"subject": "s", "text": "Hello, unsubscribe_url"},
    ],
    ids=["text", "html", "in-the-subject", "in-a-comment", "no-braces"],
)
def test_who_writes_a_commercial_email_without_a_way_out_is_warned(email: dict[str, str]) -> None:
    found = check_content(content(email=email))

    [flaw] = [str(warning) for warning in found.warnings]
    assert found.flaws == ()

    assert WAY_OUT in flaw
    assert flaw.startswith("email.html" if "html" in email else "email.text")


@pytest.mark.parametrize(
    "parts",
    [
        {"email": {"subject": "s", "text": "No more? {{ unsubscribe_url }}"}},
        {"email": {"subject": "s", "html": '<a href="{{ unsubscribe_url }}">No more</a>'}},
        {"email": {"subject": "s", "text": "Your receipt"}, "purpose": "transactional"},
        {"email": {"subject": "s", "text": "No more? {{ unsubscribe_url }}"}, "purpose": "transactional"},
        {"text": {"body": "Reply STOP"}},
        {"push": {"title": "Hi", "body": "There"}},
    ],
    ids=["text", "html", "transactional", "transactional-with-one", "a-text", "a-push"],
)
def test_what_has_a_way_out_or_needs_none_is_right(parts: dict[str, Any]) -> None:
    assert check_content(content(**parts)) == Findings()


def test_a_body_without_the_way_out_that_the_other_has_is_warned_of() -> None:
    found = check_content(content(email={"subject": "s", "html": "<p>Hi</p>", "text": "{{ unsubscribe_url }}"}))

    assert found.flaws == ()
    assert [warning.path for warning in found.warnings] == ["email.html"]


def test_only_an_email_has_a_link_to_unsubscribe() -> None:
    [flaw] = flaws_of(text={"body": "{{ unsubscribe_url }}"})

    assert '"unsubscribe_url" does not start with event. or customer.' in flaw


def test_the_link_is_filled_in_everywhere_and_in_html_as_an_address() -> None:
    source = content(
        email={"subject": "s", "text": "{{ unsubscribe_url }}", "html": '<a href="{{ unsubscribe_url }}">'}
    )

    filled = render_content(source, {**VALUES, "unsubscribe_url": "https://j.example.com/u/a.b-c_d"}, NOW)

    assert filled["text"] == "https://j.example.com/u/a.b-c_d"
    assert filled["html"] == '<a href="https://j.example.com/u/a.b-c_d">'


def test_flaws_of_every_part_come_at_once_with_their_place() -> None:
    found = flaws_of(
        email={"subject": "Hi {first_name}", "text": "{{ event.a | mony }}", "html": "{{ unsubscribe_url }"}
    )

    assert [flaw.partition(": ")[0] for flaw in found] == ["email.subject", "email.text", "email.html"]


@pytest.mark.parametrize(
    ("push", "found"),
    [
        ({"link": "javascript:alert(1)"}, "found javascript"),
        ({"link": "JavaScript:alert(1)"}, "found javascript"),
        ({"link": "data:text/html,x"}, "found data"),
        ({"link": "shop://cart"}, "found shop"),
        ({"link": "other://cart", "scheme": "shop"}, "found other"),
        ({"link": "javascript:{{ event.url }}"}, "found javascript"),
        ({"link": "shop.example.com/cart"}, "found no scheme"),
        ({"link": "/carts/{{ event.cart_id }}"}, "found no scheme"),
    ],
    ids=str,
)
def test_a_push_leads_to_the_web_or_into_its_app(push: dict[str, str], found: str) -> None:
    [flaw] = flaws_of(push={"title": "t", "body": "b", **push})

    assert flaw.startswith("push.link: the link of a push leads to https: or http:")
    assert found in flaw


@pytest.mark.parametrize(
    "push",
    [
        {"link": "https://shop.example.com/carts/{{ event.cart_id }}"},
        {"link": "HTTPS://shop.example.com"},
        {"link": "shop://carts/{{ event.cart_id }}", "scheme": "shop"},
        {"link": "{{ event.url }}"},
        {"link": "{% if event.url %}{{ event.url }}{% endif %}"},
        {},
    ],
    ids=str,
)
def test_such_a_link_is_right(push: dict[str, str]) -> None:
    assert flaws_of(push={"title": "t", "body": "b", **push}) == []


@pytest.mark.parametrize("url", ["javascript:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "shop://x"])
def test_a_link_from_an_attribute_is_looked_at_before_it_is_sent(url: str) -> None:
    push = content(push={"title": "t", "body": "b", "link": "{{ event.url }}"})

    with pytest.raises(TemplateError, match="the link of a push leads to https: or http:"):
        render_content(push, {"event": {"url": url}}, NOW)

    assert render_content(push, {"event": {}}, NOW)["link"] == ""


@pytest.mark.parametrize("scheme", ["javascript", "data", "Shop", "shop:", "1shop"])
def test_a_scheme_is_one_of_an_app(scheme: str) -> None:
    with pytest.raises(Invalid):
        content(push={"title": "t", "body": "b", "scheme": scheme})
