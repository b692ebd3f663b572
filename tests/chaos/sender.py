"""Workers to be killed: they send and ask what became of sends as real ones do, but are handed their work by a test.

``python -m tests.chaos.sender DATABASE`` reads lines of JSON: what ``python -m embedded.fakes`` printed, then shifts, a
list of tasks each. It forks a worker for each shift: the SDKs take seconds to load, and workers that die that young
would do nothing else. It prints ``ready PID``, ``done WHAT RUN`` for each task, ``idle`` when there is no more to do,
and ``ended CODE``.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from pydantic import BaseModel, TypeAdapter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.channels import Channel
from activities.channels.calls import Limits
from activities.channels.firebase import Firebase
from activities.channels.sendgrid import SendGrid
from activities.channels.twilio import Twilio
from activities.deliver import Deliver
from activities.reconcile import Reconcile
from journeys.interactions import Kind
from journeys.walk.diary import Delivery
from store.store import open_store
from tests.shop import message, to_its_end, visit

STEP = "reminder"
CONTENTS: dict[Kind, str] = {
    "email": "initial-email-reminder",
    "text": "second-text-reminder",
    "push": "final-push-notification",
}
TO: dict[Kind, str] = {"email": "customer.email", "text": "customer.phone", "push": "customer.push_token"}
AT_A_TIME = 20
LIMITS = Limits(timeout=timedelta(seconds=0.4))  # shorter than some workers live, so that these see a hang to its end
OLDEST = 60
"""How many seconds a worker lives at most, if the test that was to kill it is gone."""


class Task(BaseModel):
    """One attempt of an activity, for the only step of a run. *asked*: how often it was, this time included."""

    do: Literal["deliver", "reconcile"]
    run: str
    kind: Kind
    asked: int = 1


TASKS = TypeAdapter(list[Task])
Fakes = dict[str, dict[str, Any]]


def main(database: str) -> None:
    """Have the shifts worked, one after the other."""
    fakes = json.loads(sys.stdin.readline())
    _channels(fakes)  # loads what the SDKs load late; nothing is connected yet, and no thread is there to be forked
    for line in sys.stdin:
        tasks = TASKS.validate_json(line)
        if (worker := os.fork()) == 0:
            signal.alarm(OLDEST)
            asyncio.run(_work(database, fakes, tasks))
        _, status = os.waitpid(worker, 0)
        _say(f"ended {os.waitstatus_to_exitcode(status)}")


async def _work(database: str, fakes: Fakes, tasks: list[Task]) -> None:
    store, channels = open_store(database), _channels(fakes)
    activities = Deliver(store, channels), Reconcile(store, channels)
    left = iter(tasks)

    async def work() -> None:
        for task in left:
            _say(f"done {await _became(task, *activities)} {task.run}")

    _say(f"ready {os.getpid()}")
    await asyncio.gather(*(work() for _ in range(AT_A_TIME)))
    _say("idle")
    await asyncio.Event().wait()  # to end is to be killed: until then, no other process gets this one's number


async def _became(task: Task, deliver: Deliver, reconcile: Reconcile) -> str:
    """The outcome; "again", where it is to be sent again; or the error's name, where Temporal would try again."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=task.asked)
    step = message(task.kind, STEP, CONTENTS[task.kind], TO[task.kind])
    at = visit(task.run, step, now=datetime.now(UTC), following=None)
    try:
        if task.do == "deliver":
            return (await environment.run(to_its_end(deliver), at)).outcome
        settled = await environment.run(reconcile.reconcile, at)
        return settled.outcome if isinstance(settled, Delivery) else "again"
    except ApplicationError as error:
        return error.type or "ApplicationError"


def _channels(fakes: Fakes) -> dict[Kind, Channel]:
    sendgrid, twilio, firebase = fakes["sendgrid"], fakes["twilio"], fakes["firebase"]
    account, token, sender, url = (twilio[name] for name in ("account", "token", "sender", "url"))
    callback = "https://journeys.example.com/webhooks/twilio"
    return {
        "email": SendGrid(sendgrid["key"], "Shop <shop@example.com>", url=sendgrid["url"], limits=LIMITS),
        "text": Twilio(account, token, sender, callback=callback, url=url, limits=LIMITS),
        "push": Firebase(firebase["account"], url=firebase["url"], limits=LIMITS),
    }


def _say(words: str) -> None:
    os.write(1, f"{words}\n".encode())  # whole or not at all: who is killed leaves no half lines


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    main(sys.argv[1])
