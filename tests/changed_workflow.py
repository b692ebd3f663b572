"""A release whose workflow does something else than the one that runs were started by: it waits first."""

from __future__ import annotations

from temporalio import workflow

from journeys.walk.diary import Ended
from workflows.journey import JourneyWorkflow
from workflows.run_input import RunInput


@workflow.defn(name="Journey")
class Changed(JourneyWorkflow):
    """The walk, a second later."""

    @workflow.init
    def __init__(self, run: RunInput) -> None:
        super().__init__(run)

    @workflow.run
    async def run(self, run: RunInput) -> Ended:
        await workflow.sleep(1)
        return await super().run(run)
