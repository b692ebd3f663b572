"""Says the id of each workflow that a process has started: the moment from which its end can be waited for."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle

from bench.entry import say


class _Saying(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's name
        handle = await super().start_workflow(input)
        say(input.id)
        return handle


class _Says(Interceptor):
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _Saying(next)


def saying_starts(client: Client) -> Client:
    """The same client, which says what it starts. Both sides use it, so both pay for it."""
    config = client.config()
    config["interceptors"] = [_Says()]
    return Client(**config)
