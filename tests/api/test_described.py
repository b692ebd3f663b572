"""The API's description against the API: requests by lot, each answer held against what is described."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from secrets import token_hex

import pytest
from structlog.testing import capture_logs

from store.store import Store
from tests.api.door import KEY, NOW, Clock, deps_for, served
from tests.shop import Shop

# One database is enough, and it takes half a minute.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ROOT = Path(__file__).parents[2]
EXAMPLES = os.environ.get("SOJOURN_TEST_EXAMPLES", "3")


async def test_every_answer_is_described(store: Store, tmp_path: Path) -> None:
    shop = Shop(store, NOW)
    await shop.stock()
    await shop.publish()
    # Kept, not printed: to print an error with its locals takes longer than an answer may.
    with capture_logs() as logs:
        async with served(deps_for(store, Clock(shop.now), secret=token_hex())) as address:
            code, said = await run(
                tmp_path,
                *("-m", "schemathesis.cli", "--config-file", str(ROOT / "schemathesis.toml")),
                *("run", f"{address}/openapi.json"),
                *("--header", f"Authorization: Bearer {KEY}", "--max-examples", EXAMPLES),
                *("--generation-deterministic", "--no-color", "--suppress-health-check", "all"),
            )

    assert code == 0, said
    assert [line for line in logs if line["log_level"] == "error"] == []


async def run(folder: Path, *arguments: str) -> tuple[int | None, str]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await running.communicate())[0].decode()
    return running.returncode, said
