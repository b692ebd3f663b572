"""How long the house keeps what is over: a part of its policy."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from journeys.language.durations import EXAMPLES, LONGEST, parse, say
from journeys.models import Expected, Model

FOREVER = LONGEST
"""A thousand years, which is said as ``forever``: nothing is as old."""

LEAST = timedelta(days=1)
"""What is over for less than that may still be told of, by Temporal or a provider."""

_NEVER = ("never", "always", "unlimited", "infinite", "none", "no", "off")


def _read(value: object) -> object:
    match value:
        case "forever":
            return FOREVER
        case str() if value.strip().lower() in _NEVER:
            raise ValueError(f'"{value}" is not how long something is kept: write forever, or a duration')
        case str():
            return parse(value)
        case timedelta():
            return value
        case _:
            raise ValueError('it is not said how long: write forever, or a duration such as "400 days"')


def say_kept(how_long: timedelta) -> str:
    """How long something is kept, as it is written: ``400 days``, ``forever``."""
    return "forever" if how_long >= FOREVER else say(how_long)


Kept = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(say_kept, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["forever", "400 days", *EXAMPLES]}),
    Expected("forever, or a duration such as 400 days"),
]


class Keep(Model):
    """How long what is over is kept; then it is pruned.

    *runs*: a run from its end on, with its diary, sends, calls and all that was reported of them.
    *events*: an event from when it came in, with what was decided about it.
    *ids*: what is left of both, from then on when they are pruned: that an event was here before, and whom an
    unsubscribe link is of.
    *audit*: who changed what, and when.
    """

    runs: Kept = timedelta(days=400)
    events: Kept = timedelta(days=400)
    ids: Kept = timedelta(days=1830)
    audit: Kept = FOREVER
