"""One try at one endpoint: a signed POST, bounded in time, in length and in number."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.metadata import version
from urllib.parse import urlsplit

import httpcore
import httpx

from activities.channels import ProviderAnswer, Refused
from activities.channels.calls import Busy, Limits, hush
from activities.endpoints.answers import NO_ANSWER, Gone, Heard, NotPosted, meaning, no_answer
from activities.endpoints.lanes import Lane
from activities.endpoints.network import Guarded, NotPublic, Resolve, local, public, resolve
from activities.endpoints.signing import signed
from journeys.endpoints import Endpoint

LIMITS = Limits(timeout=timedelta(seconds=15), connections=8)
"""For each try; and for all tries at one endpoint that are under way at once, in one process."""

HEADERS = {"Content-Type": "application/json", "User-Agent": f"Sojourn/{version('sojourn')}"}
PORTS = {"https": 443, "http": 80}
LOGGERS = ("httpcore",)  # at DEBUG it logs what was answered


class Caller:
    """Calls endpoints, each with a few tries at once, so that one that hangs holds up no other.

    *allow_local*: endpoints on this machine may be called. *trusted*: the certificates that are, instead of the usual.
    *names* and *dial*: how names are resolved and addresses connected to, instead of the machine's own way.
    """

    def __init__(
        self,
        *,
        allow_local: bool = False,
        limits: Limits = LIMITS,
        trusted: ssl.SSLContext | None = None,
        names: Resolve = resolve,
        dial: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        hush(*LOGGERS)
        self._allow_local = allow_local
        self._limits = limits
        self._trusted = trusted or httpx.create_ssl_context()
        self._names = names
        self._dial = dial
        self._lanes: dict[str, Lane] = {}

    async def call(
        self, endpoint: Endpoint, secrets: Sequence[str], id: str, body: bytes, now: datetime
    ) -> ProviderAnswer | Gone | NotPosted:
        """Post *body* once, signed with each of *secrets*. *id* is the same for all tries.

        *now* is the time on the wall (aware), whatever time it is in the run: receivers compare it with their own.
        NotNow: to be tried again, after as long as the endpoint asks for. Refused and Gone: not to be tried again.
        NotPosted: it was no try, as too many are under way.
        """
        if endpoint.is_local and not self._allow_local:
            return Refused("it is on this machine, and SOJOURN_LOCAL_ENDPOINTS does not allow that")
        lane = self._lanes.setdefault(endpoint.endpoint, Lane(endpoint.endpoint, self._limits.connections))
        try:
            async with lane:
                heard = await self._post(lane, endpoint, signed(id, now, body, secrets), body)
        except Busy as busy:
            return NotPosted(str(busy))
        except NotPublic as refused:
            return Refused(str(refused))
        except NO_ANSWER as error:
            return no_answer(error, self._limits.timeout)
        return meaning(heard, endpoint.url)

    def close(self) -> None:
        """Let go of threads. Calls that are under way go on to their end."""
        for lane in self._lanes.values():
            lane.threads.close()

    async def _post(self, lane: Lane, endpoint: Endpoint, signature: Mapping[str, str], body: bytes) -> Heard:
        url = urlsplit(endpoint.url)
        host, port = (url.hostname or "").rstrip("."), url.port or PORTS[url.scheme]
        target = httpcore.URL(scheme=url.scheme, host=host, port=port, target=_target(url.path, url.query))
        headers = [("Host", url.netloc), *HEADERS.items(), *signature.items()]
        ends_at = asyncio.get_running_loop().time() + self._limits.timeout.total_seconds()
        async with asyncio.timeout_at(ends_at) as limit:
            found = await lane.threads.run(lambda: self._names(host, port))
            # A connection for each try, and none that is kept: what is connected to is what was checked for it.
            way = Guarded(found, local if endpoint.is_local else public, self._dial)
            async with (
                httpcore.AsyncHTTPConnection(
                    target.origin, ssl_context=self._trusted, network_backend=way
                ) as connection,
                connection.stream("POST", target, headers=headers, content=body) as answer,
            ):
                heard = Heard(answer.status, {_text(name).lower(): _text(value) for name, value in answer.headers})
                limit.reschedule(None)
                # The rest is taken, lest the endpoint believes that nobody listened. Its status counts, whatever comes.
                with suppress(*NO_ANSWER):
                    async with asyncio.timeout_at(ends_at):
                        async for _ in answer.aiter_stream():
                            pass
                return heard


def _target(path: str, query: str) -> str:
    return f"{path or '/'}?{query}" if query else path or "/"


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
