"""Sojourn's worker in a process of its own: ``python -m bench.working ADDRESS QUEUE DATABASE``.

It is what `build_worker` builds, with channels that accept every message and send none.
At its end it prints when each message was sent.
"""

from __future__ import annotations

import json
import sys
import time

from activities.channels import Accepted, Finding, Handed, Outgoing, ProviderAnswer
from bench.entry import run, say, until_told
from journeys.interactions import INTERACTIONS
from store.store import opened
from worker import build_worker
from workflows.client import connect

calls: list[float] = []


class Silence:
    """A channel that accepts every message and sends none, as the hand-written activity does."""

    async def send(self, message: Outgoing) -> ProviderAnswer:
        calls.append(time.time())
        return Accepted(provider_id=message.send_id)

    async def find(self, handed: Handed) -> Finding:
        del handed
        return None

    async def close(self) -> None:
        pass


async def main(address: str, queue: str, database: str) -> None:
    """Work until the standard input ends."""
    client = await connect(address=address)
    async with opened(database) as store, build_worker(client, store, queue, dict.fromkeys(INTERACTIONS, Silence())):
        say("ready")
        await until_told()
    say(json.dumps(calls))


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
