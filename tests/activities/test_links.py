"""Unsubscribe links: nobody but us can make one, and they hold for ever."""

from __future__ import annotations

import re

import pytest

from activities.channels.links import Links, read, sign
from journeys.definition import send_id

SEND = send_id("abandoned-cart/ada/k3v9x2mq", "initial-reminder")


def test_a_link_names_its_send() -> None:
    url = Links("https://journeys.example.com/", "a-secret").unsubscribe(SEND)

    assert url == f"https://journeys.example.com/u/{sign(SEND, 'a-secret')}"
    assert read(url.rpartition("/")[2], "a-secret") == SEND
    assert re.fullmatch(r"[A-Za-z0-9._-]+", url.rpartition("/")[2])


def test_the_same_send_has_the_same_link_for_ever() -> None:
    assert sign("9qmdba3stmwjpv2dh5ws", "a-secret") == "9qmdba3stmwjpv2dh5ws.EpJAgI3vO_jZ5BaRyV6_9Q"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(sign(SEND, "another-secret"), id="another-secret"),
        pytest.param(sign("another-send", "a-secret").replace("another-send", SEND), id="another-send"),
        pytest.param(sign(SEND, "a-secret")[:-1], id="cut"),
        pytest.param(sign(SEND, "a-secret") + "A", id="longer"),
        pytest.param(SEND, id="unsigned"),
        pytest.param(f"{SEND}.", id="empty-signature"),
        pytest.param("", id="nothing"),
        pytest.param("…\x00é", id="no-token-at-all"),
    ],
)
def test_no_other_token_is_read(token: str) -> None:
    assert read(token, "a-secret") is None


def test_the_secret_is_not_shown() -> None:
    assert "a-secret" not in repr(Links("https://journeys.example.com", "a-secret"))
