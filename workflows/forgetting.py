"""Temporal forgets a run: what is under way ends, and no history, id or search attribute of it is left."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

CALL = timedelta(seconds=10)


async def forget(client: Client, run: str) -> None:
    """Have all executions of a run deleted. Raises RPCError: NOT_FOUND where Temporal does not know it."""
    for execution in await _executions(client, run):
        asked = DeleteWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run, run_id=execution),
        )
        try:
            # One that is under way is terminated first.
            await client.workflow_service.delete_workflow_execution(asked, timeout=CALL)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise


async def _executions(client: Client, run: str) -> list[str]:
    """The ids of its executions: one, unless it was continued as new, or an operator has reset it."""
    described = await client.get_workflow_handle(run).describe(rpc_timeout=CALL)
    latest = described.run_id
    first = described.raw_description.workflow_execution_info.first_run_id or latest
    if first == latest:
        return [latest]
    listed = [execution.run_id async for execution in client.list_workflows(f"WorkflowId = '{run}'")]
    return sorted({latest, first, *listed}, key=lambda id: id == latest)  # the latest last: by it the others are found
