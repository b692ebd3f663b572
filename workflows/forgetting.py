"""Temporal forgets a run: what is under way ends, and no history, id or search attribute of it is left."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflows.asking import executions_of

CALL = timedelta(seconds=10)


async def forget(client: Client, run: str) -> None:
    """Have all executions of a run deleted. Raises RPCError: NOT_FOUND where Temporal does not know it."""
    for execution in await executions_of(client, run):  # by the latest the others are found, so it goes last
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
