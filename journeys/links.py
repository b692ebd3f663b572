"""Whether a link that was clicked is the one that is asked for, whatever trackers have added to it on the way."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

LONGEST = 2_000
EXAMPLE = "https://shop.example.com/cart"
_TRACKING = ("utm_", "_hs", "mc_", "pk_", "mtm_")
_TRACKERS = frozenset(
    {"gclid", "fbclid", "msclkid", "dclid", "yclid", "twclid", "ttclid", "igshid", "mkt_tok", "_ga", "_gl"}
)
_PORTS = {"http": 80, "https": 443}


class _Link(NamedTuple):
    scheme: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]
    fragment: str


def flaw_of(asked: str) -> str:
    """What is wrong with a link that an ``if`` asks for, and what to write; empty where nothing is."""
    if "{{" in asked or "{%" in asked:
        return (
            f"a link is compared as it is clicked: write * where it differs from person to person, as in {EXAMPLE}s/*"
        )
    link = _read(asked)
    if len(asked) > LONGEST or link is None or not link.host or "*" in link.scheme + link.host:
        return f"a whole address is expected, of at most {LONGEST} letters, such as {EXAMPLE}"
    return ""


def fits(asked: str, clicked: str) -> bool:
    """Whether *clicked* is the link *asked*: the same scheme, host and path, where ``*`` stands for anything.

    A last slash, the spelling of the host and what follows ``?`` and ``#`` do not count, unless *asked* has them:
    then each of its parameters must be there, beside any others. What trackers add is never asked for.
    """
    want, got = _read(asked), _read(clicked[: 2 * LONGEST])
    if want is None or got is None:
        return asked == clicked
    return (
        (want.scheme, want.host) == (got.scheme, got.host)
        and _matches(want.path, got.path)
        and all(
            any(name == n and _matches(value, v) for n, v in got.query)
            for name, value in want.query
            if not _tracks(name)
        )
        and (not want.fragment or _matches(want.fragment, got.fragment))
    )


def _read(link: str) -> _Link | None:
    """The parts of a link, each in one spelling; None where it is no link."""
    try:
        parts = urlsplit(link.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError:
        return None
    if not parts.scheme:
        return None
    shown = f"{host}:{port}" if port not in (None, _PORTS.get(parts.scheme)) else host
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return _Link(parts.scheme, shown, _spelt(parts.path).rstrip("/"), query, _spelt(parts.fragment))


def _tracks(parameter: str) -> bool:
    return parameter.startswith(_TRACKING) or parameter in _TRACKERS


def _spelt(text: str) -> str:
    """One spelling of what may be written with or without percent signs."""
    return quote(unquote(text), safe="/*:@!$&'()+,;=~")


def _matches(pattern: str, text: str) -> bool:
    """Whether *text* is *pattern*, whose stars stand for anything, also for nothing."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == text
    if not text.startswith(first):
        return False
    at = len(first)
    *between, last = others
    for piece in between:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(text) - at >= len(last) and text.endswith(last)
