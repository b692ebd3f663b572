"""What a customer's text asks for: the carriers' words, whatever is written around them, and nothing else."""

from __future__ import annotations

import pytest

from activities.channels.twilio.words import CARRIERS, opt_out_type

STOP = [
    *CARRIERS["STOP"],
    *(f" {word.title()}.\n" for word in CARRIERS["STOP"]),
    "stop",
    "STOP!",
    "Stop!!! 🛑",
    "“Stop”",
    "'stop'",
    "*STOP*",
    "S T O P",
    "S.T.O.P.",
    "stop stop stop",
    "st\u200bop\u202c",
    "ＳＴＯＰ",  # noqa: RUF001 - as it is typed
    "Opt out",
    "opt-out",
    "OPT\u2011OUT",
    "opt\u00a0out.",
    "Stop all",
    "stop-all",
    "un-subscribe",
    "Arrêt",
    "arre\u0302t",
    "Stop. Thank you",
    "Please stop!",
    "STOP PLS",
    "Please, unsubscribe me. Thanks",
    "stop it",
    "Stop texting me",
    "Stop sending me these messages now!",
    "stop all texts",
]
REPLY = [
    "",
    " ",
    "…",
    "Thank you",
    "Don't stop",
    "don’t stop",
    "Stop by tomorrow",
    "nonstop",
    "The end",
    "This is the end",
    "Cancel my order",
    "cancel it",
    "Weekend",
    "STOP and START",
    "quit smoking",
    "Yes",
    "YES!",
    "no",
    "When does it start?",
    "I need help with my order",
    "2",
]


@pytest.mark.parametrize("body", STOP)
def test_stop_is_heard(body: str) -> None:
    assert opt_out_type("", body) == "STOP"


@pytest.mark.parametrize("body", REPLY)
def test_what_says_something_else_is_an_answer(body: str) -> None:
    assert opt_out_type("", body) is None


@pytest.mark.parametrize("around", ["{}", " {}. ", "{} please", "“{}”"])
def test_start_and_help_are_heard_as_well(around: str) -> None:
    assert {opt_out_type("", around.format(word.lower())) for word in CARRIERS["START"]} == {"START"}
    assert {opt_out_type("", around.format(word.title())) for word in CARRIERS["HELP"]} == {"HELP"}


def test_twilios_own_word_goes_first() -> None:
    assert opt_out_type("STOP", "Yes") == opt_out_type(" stop ", "") == "STOP"
    assert opt_out_type("START", "Yes") == "START"
    assert opt_out_type("HELP", "STOP") == "HELP"


def test_a_word_of_twilios_that_nobody_knows_hides_no_stop() -> None:
    assert opt_out_type("PAUSE", "Stop.") == "STOP"
    assert opt_out_type("PAUSE", "Later") is None
