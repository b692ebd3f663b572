"""Says the id of each workflow that a process has started: the moment from which its end can be waited for."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter

from bench.entry import say


class _Saying(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's name
        handle = await super().start_workflow(input)
        say(input.id)
        return handle


class SayStarts(Interceptor):
    """For the clients of both sides, so that both pay for it."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _Saying(next)


async def connect_by_hand(address: str) -> Client:
    """A client as one gets it by default."""
    return await Client.connect(address, interceptors=[SayStarts()])


async def connect_as_sojourn(address: str, converter: DataConverter = pydantic_data_converter) -> Client:
    """A client as Sojourn's processes have it."""
    return await Client.connect(address, interceptors=[SayStarts()], data_converter=converter)
