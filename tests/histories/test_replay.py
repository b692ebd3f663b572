"""Histories that releases recorded, replayed by the code of today: what fails here would break a running journey."""

from __future__ import annotations

import json
from base64 import b64encode
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.histories.record import PATHS
from workflows.client import DATA_CONVERTER
from workflows.journey import JourneyWorkflow
from workflows.sandbox import Sandbox

FOLDER = Path(__file__).parent
HISTORIES: dict[str, dict[str, Any]] = {
    f"{file.parent.name}-{file.stem}": json.loads(file.read_text()) for file in sorted(FOLDER.glob("*/*.json"))
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
async def test_a_run_of_a_release_goes_on(history: dict[str, Any]) -> None:
    await replay(history)


async def test_a_change_that_would_break_a_run_is_noticed() -> None:
    history = deepcopy(HISTORIES["0.1.0-nobody-reacts"])
    scheduled = next(event for event in history["events"] if event["eventType"] == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED")
    scheduled["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "dispatch"

    with pytest.raises(workflow.NondeterminismError):
        await replay(history)


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
async def test_what_a_summary_says_may_be_changed(history: dict[str, Any]) -> None:
    """It is for people: what a timer says of itself is no command, and another release may say it otherwise."""
    history = deepcopy(history)
    for event in history["events"]:
        if summary := event.get("userMetadata", {}).get("summary"):
            summary["data"] = b64encode(b'"said by another release"').decode()

    await replay(history)


async def replay(history: dict[str, Any]) -> None:
    replayer = Replayer(workflows=[JourneyWorkflow], workflow_runner=Sandbox(), data_converter=DATA_CONVERTER)
    await replayer.replay_workflow(WorkflowHistory.from_json("abandoned-cart/ada/recorded", history))


def test_there_are_histories_of_every_path() -> None:
    recorded = {file.stem for file in FOLDER.glob("*/*.json")}

    assert set(PATHS) <= recorded, "Record them: make histories"
