"""The fakes as a process: ``python -m embedded.fakes`` prints, as one line of JSON, how to reach and use them.

``--webhooks URL`` is where reports are posted: URL/webhooks/sendgrid and URL/webhooks/twilio. What was accepted is at
``GET /ledger`` of each; ``POST /faults``, ``/chaos`` and ``/report`` tell them what to do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

from embedded.fakes.fcm import FakeFcm
from embedded.fakes.sendgrid import FakeSendGrid
from embedded.fakes.server import Fake
from embedded.fakes.twilio import FakeTwilio


async def main(webhooks: str) -> None:
    """Run until SIGTERM or Ctrl-C."""
    sendgrid, twilio, fcm = FakeSendGrid(), FakeTwilio(), FakeFcm()
    fakes: list[Fake] = [sendgrid, twilio, fcm]
    for fake in fakes:
        await fake.start()
        fake.webhook = f"{webhooks}/webhooks/{fake.name}" if webhooks else ""
        fake.reports_by_itself = bool(webhooks)
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    print(json.dumps(how_to_use(sendgrid, twilio, fcm)), flush=True)  # noqa: T201 - for whoever started this
    await ended.wait()
    for fake in fakes:
        await fake.close()


def how_to_use(sendgrid: FakeSendGrid, twilio: FakeTwilio, fcm: FakeFcm) -> dict[str, dict[str, object]]:
    """The address of each, and the keys and numbers that an account with the provider would have."""
    return {
        "sendgrid": {"url": sendgrid.url, "key": sendgrid.key, "webhook_key": sendgrid.webhook_key},
        "twilio": {
            "url": twilio.url,
            "account": twilio.account,
            "token": twilio.token,
            "sender": twilio.number,
        },
        "firebase": {"url": fcm.url, "account": fcm.account},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m embedded.fakes")
    parser.add_argument("--webhooks", default="", help="the address of the API that takes the reports")
    asyncio.run(main(parser.parse_args().webhooks.rstrip("/")))
