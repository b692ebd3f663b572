"""What is posted to an endpoint, in the shape that Standard Webhooks recommends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic_core import to_json

MOST_BYTES = 16 * 1024
"""Standard Webhooks asks for less than 20 KiB: more is fetched by whoever needs it."""


class TooLong(ValueError):
    """There is more to be posted than an endpoint is sent."""


def payload(journey: str, step: str, at: datetime, data: Mapping[str, object]) -> bytes:
    """``{"type": "win-back.crm", "timestamp": "…", "data": {…}}``: the same bytes for each try. Raises TooLong.

    *at* is when the run came to the step (aware UTC).
    """
    told = {"type": f"{journey}.{step}", "timestamp": at, "data": dict(data)}
    body = to_json(told, inf_nan_mode="null")
    if len(body) > MOST_BYTES:
        raise TooLong(f"what is posted has {len(body)} bytes; at most {MOST_BYTES} are")
    return body
