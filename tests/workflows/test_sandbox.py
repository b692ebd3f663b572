"""The sandbox imports no more than the workflow's own module anew, and what it saves rests on what the SDK does."""

from __future__ import annotations

import inspect
import json
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.converter import ActivitySerializationContext, SerializationContext, WorkflowSerializationContext
from temporalio.worker import Replayer, WorkflowInstance, _workflow
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext
from temporalio.workflow import SandboxImportNotificationPolicy

from workflows.client import DATA_CONVERTER
from workflows.journey import JourneyWorkflow
from workflows.sandbox import Sandbox

HISTORY = Path(__file__).parent.parent / "histories" / "0.1.0" / "nobody-reacts.json"

IN_WORKFLOW = WorkflowSerializationContext(namespace="default", workflow_id="abandoned-cart/ada/recorded")
IN_ACTIVITY = ActivitySerializationContext(
    namespace="default",
    workflow_id="abandoned-cart/ada/recorded",
    workflow_type="Journey",
    activity_type="deliver",
    activity_id="1",
    activity_task_queue="sojourn",
    is_local=False,
)


def telling() -> Sandbox:
    """It warns of each module that it imports anew, save that of the workflow."""
    policy = SandboxImportNotificationPolicy.WARN_ON_UNINTENTIONAL_PASSTHROUGH
    plain = Sandbox()
    return replace(plain, restrictions=replace(plain.restrictions, import_notification_policy=policy))


def test_the_workflows_own_module_is_not_shared() -> None:
    importer = Importer(Sandbox().restrictions, RestrictionContext())

    assert not importer.module_configured_passthrough(JourneyWorkflow.__module__)
    assert importer.module_configured_passthrough("journeys.walk.walk")


async def test_only_the_workflows_own_module_is_imported_anew_for_a_run() -> None:
    replayer = Replayer(workflows=[JourneyWorkflow], workflow_runner=telling(), data_converter=DATA_CONVERTER)
    history = WorkflowHistory.from_json("abandoned-cart/ada/recorded", json.loads(HISTORY.read_text()))

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        await replayer.replay_workflow(history)

    assert [str(warning.message) for warning in told if "passed through" in str(warning.message)] == []


@pytest.mark.parametrize("context", [IN_WORKFLOW, IN_ACTIVITY], ids=["workflow", "activity"])
def test_the_converter_makes_no_use_of_a_context(context: SerializationContext) -> None:
    assert DATA_CONVERTER.with_context(context) is DATA_CONVERTER
    assert DATA_CONVERTER.external_storage is None


def test_the_sdk_asks_a_run_for_no_more_than_we_answer() -> None:
    assert WorkflowInstance.__abstractmethods__ == {
        "activate",
        "get_info",
        "get_serialization_context",
        "get_external_store_context",
    }


@pytest.mark.parametrize("question", ["get_serialization_context", "get_external_store_context"])
def test_the_sdk_wants_a_context_for_the_converter_alone(question: str) -> None:
    wanted = f".{question}("

    assert inspect.getsource(_workflow).count(wanted) == 1
    assert inspect.getsource(_workflow._CommandAwareDataConverter).count(wanted) == 1
