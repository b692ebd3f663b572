"""Record the histories of the main ways through a run, from a real Temporal server, for this release.

``make histories`` runs this. What a release once recorded stays: its runs may still be on their way.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError

from journeys.definition import Journey
from journeys.walk.script import DEFAULT_START
from store.migrate import migrate
from tests.engine import Engine, engine
from tests.samples import abandoned_cart
from tests.stories import JOINED, NESTED, email, pause, walking
from tests.temporal_fixtures import start_temporal

Play = Callable[[Engine, str], Awaitable[object]]


async def nothing(_played: Engine, _run: str) -> None:
    """Whose customer does nothing."""


async def opens(played: Engine, run: str) -> None:
    await played.until_waiting(run)
    await played.interact(run, "initial-reminder")


async def buys(played: Engine, run: str) -> None:
    await played.until_waiting(run)
    await played.happen("purchase-completed", run.split("/")[1])


async def buys_at_once(played: Engine, run: str) -> None:
    await played.happen("purchase-completed", run.split("/")[1])


async def operator_cancels(played: Engine, run: str) -> None:
    await played.until_waiting(run)
    await played.handle(run).cancel(reason="wrong audience")


async def opens_hello(played: Engine, run: str) -> None:
    await played.until_waiting(run)
    await played.interact(run, "hello")


async def opens_and_clicks(played: Engine, run: str) -> None:
    await opens_hello(played, run)
    await played.until_waiting(run)
    await played.interact(run, "hello", "email-clicked")


WAIT_FIRST = walking(pause("patience", "1 day"), email("hello"), pause("afterwards", "1 day"))

PATHS: dict[str, tuple[Journey, Play]] = {
    "nobody-reacts": (abandoned_cart(), nothing),
    "opened": (abandoned_cart(), opens),
    "bought": (abandoned_cart(), buys),
    "bought-at-once": (abandoned_cart(), buys_at_once),
    "cancelled-by-an-operator": (abandoned_cart(), operator_cancels),
    "nested-yes-yes": (NESTED(DEFAULT_START), opens_and_clicks),
    "nested-yes-no": (NESTED(DEFAULT_START), opens_hello),
    "nested-no": (NESTED(DEFAULT_START), nothing),
    "joined-after-no": (JOINED(DEFAULT_START), nothing),
    "joined-after-yes": (JOINED(DEFAULT_START), opens_hello),
    "a-wait-first": (WAIT_FIRST(DEFAULT_START), nothing),
}


async def record() -> dict[str, dict[str, Any]]:
    """Walk every path on a Temporal server of its own, and return the histories."""
    histories: dict[str, dict[str, Any]] = {}
    async with await start_temporal() as temporal:
        for name, (journey, play) in PATHS.items():
            with tempfile.TemporaryDirectory() as data:
                url = f"sqlite:///{data}/sojourn.db"
                await migrate(url)
                async with engine(temporal.client, url, day=timedelta(seconds=1)) as played:
                    await played.customer(name)
                    await played.publish(journey)
                    run = await played.start(name)
                    await play(played, run)
                    with suppress(WorkflowFailureError):
                        await played.handle(run).result()
                    histories[name] = (await played.handle(run).fetch_history()).to_json_dict()
    return histories


def anonymous(history: dict[str, Any]) -> dict[str, Any]:
    """Without the names of this machine and of its processes. A replay does not look at them."""
    for event in history["events"]:
        for about in event.values():
            if isinstance(about, dict):
                about.pop("identity", None)
                about.get("taskQueue", {}).pop("name", None)
    return history


def main() -> None:
    folder = Path(__file__).parent / version("sojourn")
    folder.mkdir(exist_ok=True)
    for name, history in asyncio.run(record()).items():
        (folder / f"{name}.json").write_text(json.dumps(anonymous(history), indent=1) + "\n")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # temporalio can abort while the interpreter shuts down (sdk-python #300)
