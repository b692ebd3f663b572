"""Clients that are made of the API's description, in Python and in TypeScript."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.api.door import KEY, Door, deps_for, served

ROOT = Path(__file__).parents[2]
TYPESCRIPT = ("openapi-typescript@7.13.0", "typescript@5.9.3")

# Clients know nothing of databases, and one is made in half a minute.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

USE = f"""
import sys
from client import AuthenticatedClient, Client
from client.api.customers import put_customer
from client.api.events import post_events
from client.api.runs import get_run
from client.api.webhooks import sendgrid_webhook, twilio_webhook
from client.models import Customer, CustomerAttributes, Event, EventAttributes

with AuthenticatedClient(sys.argv[1], {KEY!r}, raise_on_unexpected_status=True) as api:
    attributes = CustomerAttributes.from_dict({{"first_name": "Bob"}})
    bob = put_customer.sync("bob", client=api, body=Customer(attributes=attributes))
    assert bob.id == "bob", bob
    cart = EventAttributes.from_dict({{"cart_id": "c9", "total": 60}})
    one = Event(id="e9", trigger="abandoned-cart", customer="bob", attributes=cart)
    run = post_events.sync(client=api, body=one).decisions[0].run
    assert [receipt.duplicate for receipt in post_events.sync(client=api, body=[one])] == [True]
    assert get_run.sync(run, client=api).customer == "bob"
with Client(sys.argv[1]) as anybody:
    assert sendgrid_webhook.sync_detailed(client=anybody, body=[]).status_code == 404
    assert twilio_webhook.sync_detailed(client=anybody).status_code == 404
"""

API = """
import type { components, operations, paths } from "./api";

const event: components["schemas"]["Event"] = { id: "e1", trigger: "abandoned-cart", customer: "ada" };
const posted: paths["/v1/events"]["post"]["requestBody"]["content"]["application/json"] = [event];
const customer: components["schemas"]["Customer"] = { attributes: { first_name: "Ada" } };
const receipt: operations["post_events"]["responses"][202]["content"]["application/json"] = [];
export { customer, posted, receipt };
"""


@pytest.fixture
async def described(door: Door, tmp_path: Path) -> Path:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(await door.get("/openapi.json")))
    return document


async def run(folder: Path, *command: str) -> str:
    running = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await running.communicate())[0].decode()
    assert running.returncode == 0, said
    return said


async def test_a_python_client_posts_an_event(live: Door, described: Path) -> None:
    folder = described.parent
    uv = [str(Path(sys.executable).with_name("uv")), "run", "--no-project", "--isolated", "--python", sys.executable]
    uv += ["--with-requirements", str(ROOT / "locks" / "clients.txt")]
    (folder / "use.py").write_text(USE)

    make = ("openapi-python-client", "generate", "--meta", "none", "--output-path", "client", "--path", str(described))

    said = await run(folder, *uv, *make)

    assert "Endpoint will not be generated" not in said
    async with served(deps_for(live.store, live.clock)) as address:
        await run(folder, *uv, "python", "use.py", address)


@pytest.mark.skipif(shutil.which("npx") is None, reason="needs Node")
async def test_a_typescript_client_compiles(described: Path) -> None:
    folder = described.parent
    npx = ("npx", "--yes", *(part for package in TYPESCRIPT for part in ("-p", package)), "--")
    (folder / "use.ts").write_text(API)

    await run(folder, *npx, "openapi-typescript", str(described), "--output", "api.d.ts")
    await run(folder, *npx, "tsc", "--noEmit", "--strict", "--skipLibCheck", "false", "use.ts")
