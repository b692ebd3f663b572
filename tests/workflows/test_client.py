"""What goes to Temporal is written as the SDK's own converter for pydantic writes it, and read by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from journeys.walk.diary import Delivery, Held
from journeys.walk.position import Arrival
from tests.samples import abandoned_cart
from workflows.client import DATA_CONVERTER
from workflows.run_input import RunInput

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)

VALUES: dict[str, tuple[Any, Any]] = {
    "input": (RunInput(id="abandoned-cart/ada/k3v9", steps=abandoned_cart().steps, started_at=AT), RunInput),
    "answer": (Delivery(outcome="accepted", at=AT), Delivery | Held),
    "arrivals": ((Arrival(event="e1", at=AT, answers=("opened",)),), tuple[Arrival, ...]),
    "nothing": (None, Held | None),
    "text": ("completed", str),
    "bytes": (b"\x00\xff", bytes),
}


@pytest.mark.parametrize(("value", "kind"), VALUES.values(), ids=VALUES)
def test_a_value_is_written_and_read_as_by_the_sdk(value: object, kind: type) -> None:
    ours, theirs = DATA_CONVERTER.payload_converter, pydantic_data_converter.payload_converter

    written = ours.to_payloads([value])

    assert written == theirs.to_payloads([value])
    assert ours.from_payloads(written, [kind]) == theirs.from_payloads(written, [kind]) == [value]


def test_its_parts_are_made_once() -> None:
    made = [DATA_CONVERTER.payload_converter_class() for _ in range(2)]

    assert [*made[0].converters.values()] == [*made[1].converters.values()]  # type: ignore[attr-defined]
