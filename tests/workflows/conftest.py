"""What several tests of the walk on Temporal stand on."""

from __future__ import annotations

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.engine import Clock


@pytest.fixture
async def clock(skipping: WorkflowEnvironment) -> Clock:
    """The clock of the server that skips time."""
    clock = Clock(skipping)
    await clock.start()
    return clock
