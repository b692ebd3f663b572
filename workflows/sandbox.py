"""The sandbox that each run is walked in: the SDK's, with what it need not import anew and not be asked for."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

SHARED = (
    "journeys",
    "activities",
    "workflows.cancels",
    "workflows.run_input",
    "workflows.search_attributes",
    "workflows.timers",
)
"""What the workflow's own module rests on: all runs share it. Only that module itself is imported anew for each run.

By name they cost a run 0.4 ms of CPU less than within ``imports_passed_through``, which is looked up for each module.
"""


_RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules(*SHARED)


@dataclass(frozen=True)
class Sandbox(SandboxedWorkflowRunner):
    """What a worker runs workflows with."""

    restrictions: SandboxRestrictions = _RESTRICTIONS

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _WithoutContext(super().create_instance(det))


class _WithoutContext(WorkflowInstance):
    """A run that is not asked within its sandbox for the context of its payloads, of which our converter makes no use.

    The SDK asks a few times for each payload of each task, and each time is a way into the sandbox and back: a sixth
    of a worker's CPU. ``tests/workflows/test_sandbox.py`` holds what this rests on.
    """

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()

    def get_serialization_context(self, command_info: object) -> None:
        del command_info

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        del command_info
        return StorageDriverStoreContext(target=None)
