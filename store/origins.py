"""Origins: the sites whose pages may use a key in a browser, as browsers name them in the header ``Origin``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from journeys.models import Expected

_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>[1-9][0-9]{0,4}))?")
_OWN_PORTS = {"https": "443", "http": "80"}


def _as_browsers_say(origin: str) -> str:
    """*origin*, where a browser could say exactly that. One that no browser says would keep everybody out."""
    named = _ORIGIN.fullmatch(origin)
    if named is None:
        raise ValueError(_meant(origin) or "expected a scheme and a host alone, such as https://shop.example.com")
    if named["port"] == _OWN_PORTS[named["scheme"]]:
        raise ValueError(f"browsers leave out a port that goes without saying: write {origin.rpartition(':')[0]}")
    return origin


def _meant(origin: str) -> str:
    """What to write where there is only something too much."""
    beginning = re.match(r"https?://[^/?#\s]+", origin, re.IGNORECASE)
    if beginning and _ORIGIN.fullmatch(found := beginning[0].lower()):
        return f"browsers say no more of a page than where it is from, in small letters: write {found}"
    return ""


Origin = Annotated[
    str,
    AfterValidator(_as_browsers_say),
    Expected("where pages are from, such as https://shop.example.com"),
]
"""Where a page is from, such as ``https://shop.example.com``."""
