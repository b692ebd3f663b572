"""An operator's cancel of one run, with a reason: Temporal's own command line hands none on."""

from __future__ import annotations

from temporalio.service import RPCError, RPCStatusCode

from journeys.problems import Unavailable, Unknown
from workflows.client import connect


async def cancel_run(run: str, reason: str, temporal: str | None = None) -> None:
    """Ask Temporal to cancel a run, at *temporal* or where its own variables say. The run ends as the walk hears of it.

    Raises Unknown where no such run is under way, and Unavailable where Temporal does not answer.
    """
    try:
        client = await connect(address=temporal)
        await client.get_workflow_handle(run).cancel(reason=reason)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise Unknown(f'Temporal has no run "{run}" that is under way.') from None
        raise Unavailable(f"Temporal does not answer: {error.message}.") from None
    except RuntimeError:
        where = f" at {temporal}" if temporal else ""
        raise Unavailable(f"No Temporal answers{where}. Set TEMPORAL_ADDRESS to where it is.") from None
