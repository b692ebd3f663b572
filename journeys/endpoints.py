"""Endpoints: addresses of your own systems that journeys call, and how such an address has to be written."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import StringConstraints

from journeys.models import Expected, Model, Name, when_written
from journeys.public_addresses import LOOPBACK, literal, not_public

EndpointState = Literal["open", "closed"]

LONGEST = 2_000
EXAMPLE = "https://crm.example.com/hooks"

_LETTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")  # 127.1 and 0x7f.1 are addresses to some, and names to others


def _callable(url: str) -> str:
    if flaw := _flaw_of(url):
        raise ValueError(flaw)
    return url


class Endpoint(Model):
    """An address of a system of yours that journeys call, with a signed POST.

    *url*: where it is, with https.
    *title*: a name for people.
    """

    endpoint: Name
    url: Annotated[
        str,
        StringConstraints(max_length=LONGEST, min_length=1),
        when_written(_callable),
        Expected(f"a web address with https, such as {EXAMPLE}"),
    ]
    title: str = ""

    @property
    def is_local(self) -> bool:
        """Whether its address is on the machine that calls it."""
        return is_local(self.url)


def is_local(url: str) -> bool:
    """Whether an address is on the machine that calls it: ``localhost``, or a loopback address."""
    return _is_local(urlsplit(url).hostname or "")


def _is_local(host: str) -> bool:
    name, address = host.lower().rstrip("."), literal(host)
    return not_public(address) == LOOPBACK if address else name == "localhost" or name.endswith(".localhost")


def _flaw_of(url: str) -> str:
    """What is wrong with an address, and what to write; empty where nothing is. Never quotes what may be secret."""
    if "{{" in url or "{%" in url:
        return "an endpoint has one address, and nothing in it is filled in: what differs goes into the body"
    if not _LETTERS.fullmatch(url):
        return "a web address has only letters and signs of ASCII, without blanks: write others as %C3%A9 or xn--…"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"a host, and a port from 1 to 65535 if there is one, are expected after https://, as in {EXAMPLE}"
    if parts.username is not None:
        return "a user or a password does not belong into the address: what is sent is signed instead"
    if "#" in url:
        return "what follows # is for browsers, and never sent: leave it out"
    if port == 0 or parts.netloc.endswith(":"):
        return "a port from 1 to 65535 is expected, or none"
    return _flaw_of_host(parts)


def _flaw_of_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if parts.scheme.lower() not in ("https", "http") or not host:
        return f"a whole web address with https is expected, such as {EXAMPLE}"
    if address := literal(host):
        kind = not_public(address)
        if kind and kind != LOOPBACK:
            return f"its address is not public ({kind}): only what the internet reaches is called"
    elif len(host) > 253 or not _HOST.fullmatch(host) or "[" in parts.netloc or _NUMBER.fullmatch(_last(host)):
        return f"its host is neither a name nor an address in the usual spelling, as in {EXAMPLE}"
    if parts.scheme.lower() == "http" and not _is_local(host):
        return "https is expected: http is only for this machine, as in http://127.0.0.1:9000"
    return ""


def _last(host: str) -> str:
    return host.rstrip(".").rpartition(".")[2]
