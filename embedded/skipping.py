"""Time that is skipped: a client of a Temporal server that does so, and one clock for the server and for the doors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client

from embedded.temporal import skipping_server
from workflows.client import DATA_CONVERTER, search_attribute_types

A_MOMENT = timedelta(seconds=5)
A_MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def skipping_client(data: Path) -> AsyncIterator[Client]:
    """A client of a server of its own, with its log in *data*. Raises Unavailable."""
    async with skipping_server(data) as address:
        client = await Client.connect(address, data_converter=DATA_CONVERTER, identity="sojourn-demo")
        # This server cannot list them, and so not be asked for those that are missing.
        adding = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=search_attribute_types())
        await client.operator_service.add_search_attributes(adding)
        yield client


class Clock:
    """The server's clock, and the doors' clock that goes ahead of it by a moment.

    So a line at the very instant of a deadline reaches the run before its timer does, however busy this machine is.
    """

    def __init__(self, client: Client, begin: datetime) -> None:
        self.begin = self.now = begin
        self._client = client

    @property
    def relays(self) -> datetime:
        """The relay's time, by which is due whatever a run has made by now: the server's clock goes on by itself."""
        return self.now + A_MINUTE

    async def start(self) -> None:
        """Begin at the time that it is on the server."""
        self.begin = self.now = await self._server_time()

    async def move(self, to: timedelta) -> None:
        """Let time pass until so long after the beginning; timers that are due until then fire on the way."""
        self.now = self.begin + to
        ahead = self.now - A_MOMENT * bool(to) - await self._server_time()
        if ahead > timedelta(0):
            sleeping = Duration()
            sleeping.FromTimedelta(ahead)
            await self._client.test_service.unlock_time_skipping_with_sleep(SleepRequest(duration=sleeping))

    async def _server_time(self) -> datetime:
        told = await self._client.test_service.get_current_time(Empty())
        return told.time.ToDatetime(tzinfo=UTC)
