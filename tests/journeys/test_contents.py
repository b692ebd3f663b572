"""Contents filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from journeys.catalogue import Content
from journeys.contents import render_content
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
