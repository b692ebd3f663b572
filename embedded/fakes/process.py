"""The providers' fakes beside a demonstration: a process that speaks their protocols and signs their webhooks."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from journeys.problems import Unavailable

ROOT = Path(__file__).parent.parent.parent  # where `embedded` is, whatever folder we were started in


@dataclass(frozen=True)
class Fakes:
    """Where the fakes are, and what the real SDKs need to talk to them."""

    settings: dict[str, object]
    email: str

    async def open_email(self, send_id: str) -> None:
        """Have SendGrid's fake report that an email was opened: a webhook, signed as SendGrid signs it."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.email}/report", json={"send_id": send_id, "what": "open"})
            answer.raise_for_status()


@asynccontextmanager
async def fakes(public_url: str, data: Path) -> AsyncIterator[Fakes]:
    """The fakes of SendGrid, Twilio and Firebase, which report to *public_url*, until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "embedded.fakes", "--webhooks", public_url),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for us
    )
    try:
        assert process.stdout
        if not (line := await process.stdout.readline()):
            raise Unavailable(
                "The fakes ended at their start. They need what the SDKs do: pip install 'sojourn[providers]'."
            )
        told: dict[str, dict[str, Any]] = json.loads(line)
        yield Fakes(_settings(told, public_url, data), told["sendgrid"]["url"])
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.shield(process.wait())


def _settings(told: dict[str, dict[str, Any]], public_url: str, data: Path) -> dict[str, object]:
    sendgrid, twilio, firebase = told["sendgrid"], told["twilio"], told["firebase"]
    account = data / "firebase.json"
    account.write_text(json.dumps(firebase["account"]))
    return {
        "email": "sendgrid",
        "text": "twilio",
        "push": "firebase",
        "public_url": public_url,
        "secret": "of-the-demonstration",
        "sendgrid_url": sendgrid["url"],
        "sendgrid_key": sendgrid["key"],
        "sendgrid_sender": "Field & Thread <shop@example.com>",
        "sendgrid_webhook_key": sendgrid["webhook_key"],
        "twilio_url": twilio["url"],
        "twilio_account": twilio["account"],
        "twilio_token": twilio["token"],
        "twilio_sender": twilio["sender"],
        "firebase_account": account,
        "firebase_url": firebase["url"],
    }
