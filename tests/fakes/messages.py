"""Messages to send to the fakes, and what became of them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from itertools import count

import pytest

from activities.channels import Channel, Found, Handed, NotFound, Outgoing, ProviderAnswer, Refused
from activities.channels.calls import NoAnswer
from embedded.fakes.server import Fake
from journeys.interactions import Kind

PARTS: dict[Kind, dict[str, str]] = {
    "email": {"subject": "Your cart", "text": "A planted body.", "html": "<p>A planted body.</p>"},
    "text": {"body": "A planted body."},
    "push": {"title": "Your cart", "body": "A planted body.", "link": "https://shop.example.com/cart"},
}
ADDRESSES: dict[Kind, str] = {"email": "ada@example.com", "text": "+15550001111", "push": "fid-1:ada-s-phone"}
_numbers = count(1)


def outgoing(kind: Kind, to: str = "", **parts: str) -> Outgoing:
    """A message with a send_id of its own. Parts that are given replace those of the sample."""
    filled = {name: text for name, text in (PARTS[kind] | parts).items() if text}
    send_id = f"s{next(_numbers):019d}"
    return Outgoing(send_id, "abandoned-cart/ada/k3v9", "step", kind, to or ADDRESSES[kind], filled, datetime.now(UTC))


def handed(message: Outgoing) -> Handed:
    return Handed(message.send_id, message.to, message.at, message.parts.get("body", ""))


async def answer(channel: Channel, message: Outgoing) -> ProviderAnswer | NoAnswer:
    """What became of it, with the exception as an answer."""
    try:
        return await channel.send(message)
    except NoAnswer as error:
        return error


async def assert_outcome(
    channel: Channel,
    fake: Fake,
    kind: Kind,
    fault: str,
    expected: type,
    caplog: pytest.LogCaptureFixture,
    *secrets: str,
) -> None:
    """A fault of the provider has its outcome after one request, its books agree, and nothing personal is logged."""
    message = outgoing(kind)
    fake.misbehave(fault)
    caplog.set_level("DEBUG")

    sent = await answer(channel, message)

    assert isinstance(sent, expected), sent
    assert len(fake.sends) == 1
    there = fake.accepted(message.send_id)
    assert len(there) == (1 if fault.endswith("-after") or fault == "slow" else 0)
    if isinstance(sent, NoAnswer):
        found = await channel.find(handed(message))
        assert isinstance(found, Found if there else NotFound) or (found is None and kind == "push")
    quoted = "" if isinstance(sent, Refused) else str(sent)
    assert_nothing_personal(quoted, caplog, *secrets, message.send_id)


def assert_nothing_personal(text: str, caplog: pytest.LogCaptureFixture, *secrets: str) -> None:
    """Neither the text nor anything that was logged holds a secret, an address or a body."""
    formatter = logging.Formatter("%(name)s %(message)s")
    logged = "\n".join(formatter.format(record) for record in caplog.records)
    planted = [*secrets, *ADDRESSES.values(), "%2B15550001111", "15550001111", "planted body", "planted+body"]
    assert [word for word in planted if word in text + logged] == []
