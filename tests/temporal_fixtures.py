"""Temporal in tests is the real one: a server with time skipped, and a dev server whose clock is the wall's."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment

from workflows.client import DATA_CONVERTER, search_attribute_types
from workflows.search_attributes import SEARCH_ATTRIBUTES

PATIENCE = timedelta(minutes=5)
IDENTITY = "sojourn-tests"

_used = False
_exit_status = pytest.StashKey[int]()


def program(name: str) -> str:
    """A program that a wheel put beside this Python."""
    return str(Path(sys.executable).with_name(name))


def uses_temporalio() -> None:
    """Have the session end by a short way: see pytest_unconfigure()."""
    global _used  # noqa: PLW0603 - only the end of the session asks
    _used = True


async def start_temporal(**options: object) -> WorkflowEnvironment:
    """A Temporal dev server of its own, in memory unless *options* name a file."""
    uses_temporalio()
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=program("temporal"),
        dev_server_startup_timeout=PATIENCE,
        dev_server_log_level="error",
        data_converter=DATA_CONVERTER,
        identity=IDENTITY,
        **{"search_attributes": SEARCH_ATTRIBUTES, **options},  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """One Temporal dev server for the whole session."""
    async with await start_temporal() as environment:
        yield environment


@pytest.fixture(scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """One Temporal test server for the whole session. It has one clock, and skips the time that tests sleep."""
    async with time_skipping() as environment:
        yield environment


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal test server with a clock of its own."""
    uses_temporalio()
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server"),
        test_server_startup_timeout=PATIENCE,
        data_converter=DATA_CONVERTER,
    ) as environment:
        # This server cannot list them, and so not be asked for those that are missing.
        adding = AddSearchAttributesRequest(namespace="default", search_attributes=search_attribute_types())
        await environment.client.operator_service.add_search_attributes(adding)
        yield environment


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_exit_status] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End here: temporalio can abort while the interpreter shuts down (sdk-python #300)."""
    if _used and _exit_status in config.stash:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_exit_status])
