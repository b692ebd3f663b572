"""What an endpoint's answer means, or that there was none. Nothing that it wrote is quoted: it could be anything."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

from activities.channels import Accepted, NotNow, ProviderAnswer, Refused
from activities.channels.calls import causes, delay, without_addresses
from activities.endpoints.network import MOST_READ, TooMuch

AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})

LONGEST_PLACE = 200

NO_ANSWER = (TimeoutError, OSError, TooMuch, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
"""What it may end with instead of an answer."""


@dataclass(frozen=True)
class Gone:
    """The endpoint wants no more of this, for good: 410."""

    reason: str


@dataclass(frozen=True)
class NotPosted:
    """Nothing was posted, since others at the endpoint come before: that is no try of it."""

    reason: str


@dataclass(frozen=True)
class Heard:
    """The head of an answer, with names of headers in small letters."""

    status: int
    headers: Mapping[str, str]


def meaning(heard: Heard, url: str) -> ProviderAnswer | Gone:
    """What the answer to a POST to *url* means."""
    status, said = heard.status, f"it answered {_status(heard.status)}"
    if 200 <= status < 300:
        return Accepted()
    if status == HTTPStatus.GONE:
        return Gone(said)
    if status in AGAIN or 500 <= status < 600:
        # By this header alone: what others count in seconds from now, some count from 1970.
        return NotNow(said, delay({"retry-after": heard.headers.get("retry-after", "")}))
    if 300 <= status < 400 and (elsewhere := heard.headers.get("location")):
        return Refused(f"{said} and leads to {_place(url, elsewhere)}, which is not followed")
    return Refused(said)


def no_answer(error: Exception, timeout: timedelta) -> NotNow:
    """What one of NO_ANSWER means."""
    match error:
        case TimeoutError():
            return NotNow(f"it gave no answer within {timeout.total_seconds():g} seconds")
        case TooMuch():
            return NotNow(f"its answer did not begin within {MOST_READ // 1024} KiB")
        case httpcore.ProtocolError():
            return NotNow("it gave no answer in HTTP")
        case httpcore.ConnectError() | httpcore.ConnectTimeout() | socket.gaierror():
            return NotNow(f"it cannot be reached: {_why(error)}", unreachable=True)
        case _:
            return NotNow("it hung up without an answer")


def _status(status: int) -> str:
    """A status in the words of the standard: those that came with it could say anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _place(url: str, elsewhere: str) -> str:
    """Where *url* is told to go instead, without what that carries in its query."""
    try:
        parts = urlsplit(urljoin(url, elsewhere))
    except ValueError:
        return "what is no address"
    host = parts.netloc.rpartition("@")[2]
    path = "/".join(without_addresses(unquote(part)) for part in parts.path.split("/"))
    return re.sub(r"[^!-~]", "…", f"{parts.scheme}://{host}{path}")[:LONGEST_PLACE]


def _why(error: Exception) -> str:
    for cause in causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return "its certificate is not trusted"
            case ssl.SSLError():
                return "it does not speak TLS as we do"
            case socket.gaierror():
                return "its name leads nowhere"
            case ConnectionRefusedError():
                return "nobody listens there"
            case _:
                pass
    return "no connection was made"
