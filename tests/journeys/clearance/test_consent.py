"""Consent: the matrix, and topics within purposes."""

from __future__ import annotations

import pytest

from journeys.clearance.consent import About, Choice, Consent, Enforcement, Rules, refusal, said

EMAIL = About("email", "commercial")
NEWS = About("email", "commercial", "news")

# Source: Dynamics 365 "compliance settings": enforcement by what was said.
MATRIX: dict[Enforcement, dict[Choice, bool]] = {
    "restrictive": {"out": False, "unset": False, "in": True},
    "non-restrictive": {"out": False, "unset": True, "in": True},
    "disabled": {"out": True, "unset": True, "in": True},
}


@pytest.mark.parametrize("enforcement", MATRIX)
@pytest.mark.parametrize("choice", ["out", "unset", "in"])
@pytest.mark.parametrize("channel", ["email", "text", "push"])
def test_the_matrix(enforcement: Enforcement, choice: Choice, channel: str) -> None:
    about = About(channel, "commercial")  # type: ignore[arg-type]

    refused = refusal(about, enforcement, {about: choice})

    assert (refused == "") == MATRIX[enforcement][choice]


@pytest.mark.parametrize(
    ("purpose", "topic", "words"),
    [
        pytest.param("in", "in", "", id="both"),
        pytest.param("in", "out", "opted out of commercial email about news", id="not-the-topic"),
        pytest.param("out", "in", "opted out of commercial email", id="not-the-purpose"),
        pytest.param("in", "unset", "has not opted in to commercial email about news", id="topic-unset"),
    ],
)
def test_a_topic_needs_its_purpose_too(purpose: Choice, topic: Choice, words: str) -> None:
    assert refusal(NEWS, "restrictive", {EMAIL: purpose, NEWS: topic}) == words


def test_an_opt_out_of_a_topic_leaves_the_others() -> None:
    assert refusal(About("email", "commercial", "offers"), "non-restrictive", {NEWS: "out"}) == ""


def test_texts_are_opt_in_and_transactional_messages_are_not_asked() -> None:
    rules = Rules()

    assert rules.enforcement(About("text", "commercial")) == "restrictive"
    assert rules.enforcement(About("text", "transactional")) == "disabled"


def test_the_latest_word_counts() -> None:
    consents = [Consent(channel="text", choice="out"), Consent(channel="text", choice="in")]

    assert said(consents) == {About("text", "commercial"): "in"}
