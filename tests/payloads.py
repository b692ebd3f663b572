"""What somebody reads who may read Temporal's histories: all of one, and every payload in it as it was encoded."""

from __future__ import annotations

import base64
import re

from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode


def told_in(history: WorkflowHistory) -> str:
    """Everything that a history tells, with each payload also decoded, whatever it is encoded as."""
    whole = history.to_json()
    encoded = (found for found in re.findall(r'"([A-Za-z0-9+/]{8,}={0,2})"', whole) if len(found) % 4 == 0)
    return whole + "".join(base64.b64decode(found).decode("utf-8", "replace") for found in encoded)


async def told_by_temporal(client: Client, task_queue: str) -> str:
    """All that Temporal tells of the runs of a task queue: lists, descriptions and histories, as text."""
    told = []
    async for listed in client.list_workflows(f"TaskQueue = '{task_queue}'"):
        handle = client.get_workflow_handle(listed.id, run_id=listed.run_id)
        try:
            described = str((await handle.describe()).raw_description)
            told += [str(listed.raw_info), described, told_in(await handle.fetch_history())]
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # it goes just now
                raise
            told += [str(listed.raw_info)]
    return "".join(told)
