"""Histories that releases recorded, replayed by the code of today: what fails here would break a running journey."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from workflows.journey import JourneyWorkflow

FOLDER = Path(__file__).parent
HISTORIES = sorted(FOLDER.glob("*/*.json"))


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: f"{file.parent.name}-{file.stem}")
async def test_a_run_of_a_release_goes_on(file: Path) -> None:
    await replay(json.loads(file.read_text()))


async def test_a_change_that_would_break_a_run_is_noticed() -> None:
    history = json.loads((FOLDER / "0.1.0" / "nobody-reacts.json").read_text())
    scheduled = next(event for event in history["events"] if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED")
    scheduled["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "dispatch"

    with pytest.raises(workflow.NondeterminismError):
        await replay(history)


async def replay(history: dict[str, object]) -> None:
    replayer = Replayer(workflows=[JourneyWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(WorkflowHistory.from_json("abandoned-cart/ada/recorded", history))


def test_there_are_histories_of_every_path() -> None:
    from tests.histories.record import PATHS

    recorded = {file.stem for file in HISTORIES}

    assert set(PATHS) <= recorded, "Record them: make histories"
