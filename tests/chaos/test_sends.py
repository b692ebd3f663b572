"""Thousands of sends by workers that are killed every fraction of a second: each goes out, once, and the store knows.

SOJOURN_TEST_SENDS=10000 says how many, SOJOURN_CHAOS_SEED=7 draws again, and -s shows the numbers.
Thousands take minutes, in which pytest ends itself unless it has ``-o faulthandler_timeout=0``.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import select

from activities.reconcile import MOST_REPEATS
from journeys.definition import send_id
from journeys.interactions import Kind
from store import events
from store.customers import put_customer
from store.schema import runs, sends
from store.store import Store, open_store
from tests.chaos.sender import CONTENTS, STEP, TASKS, TO, Fakes, Task
from tests.programs import PATIENCE, ROOT, environment
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import Shop
from tests.transactions import rows

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("SOJOURN_CHAOS_SEED", "1"))
SENDS = int(os.environ.get("SOJOURN_TEST_SENDS", "240"))

PROVIDERS: dict[Kind, str] = {"email": "sendgrid", "text": "twilio", "push": "firebase"}
AFTER_ALL = ("500-after", "503-after", "hang-after", "reset-after", "close-after", "cut-after", "garbled-after")
FAULTS = ("slow", "429", "429-delay", "503", "hang", "reset", "close", *AFTER_ALL)
RATE = 0.15

BATCH = 100  # events that are accepted at once
SHIFT = 200  # tasks: more than a worker does in its life
LIFE = (0.15, 0.5)  # seconds, and no more than
MOST_DONE = (1, 40)  # tasks, so that a fast machine kills workers amid work as well
AFTER_THE_LAST = (0.0, 0.02)  # seconds: at any moment of the next ones
IN_VAIN = 50
TELLING = 1.0
"""Seconds until somebody asks what became of a send: by then, a provider has what was on its way when a worker died."""


@dataclass
class Workers:
    """Workers, one at a time, each killed when it has lived long enough."""

    process: Process
    errors: Path
    dice: random.Random
    killed: int = 0
    killed_at_work: int = 0

    async def shift(self, tasks: Sequence[Task]) -> dict[str, str]:
        """Have a worker do *tasks* until it is killed. Returns what became of those runs that it told of."""
        assert self.process.stdin
        self.process.stdin.write(TASKS.dump_json(list(tasks)) + b"\n")
        _, pid = await self._said("ready")
        death = self._kill(int(pid), self.dice.uniform(*LIFE))
        most = self.dice.randint(*MOST_DONE)
        done: dict[str, str] = {}
        at_work = True
        while True:
            match await self._said("done", "idle", "ended -9"):
                case ["done", became, run]:
                    done[run] = became
                    if len(done) == most:
                        death = self._sooner(death, int(pid), self.dice.uniform(*AFTER_THE_LAST))
                case ["idle"]:
                    at_work = False
                    death = self._sooner(death, int(pid))
                case _:
                    self.killed += 1
                    self.killed_at_work += at_work
                    return done

    def _kill(self, pid: int, life: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(life, os.kill, pid, signal.SIGKILL)

    def _sooner(self, death: asyncio.TimerHandle, pid: int, life: float = 0) -> asyncio.TimerHandle:
        if death.when() <= asyncio.get_running_loop().time() + life:
            return death  # it has come, or is about to
        death.cancel()
        return self._kill(pid, life)

    async def _said(self, *expected: str) -> list[str]:
        assert self.process.stdout
        async with asyncio.timeout(PATIENCE):
            line = (await self.process.stdout.readline()).decode()
        assert line.startswith(expected), f"the workers said {line!r}:\n{self.errors.read_text()[-3000:]}"
        return line.split()


@dataclass
class Office:
    """What Temporal and the walk do: tasks are handed out, again where their worker died, until all is settled."""

    workers: Workers
    told: dict[str, str] = field(default_factory=dict)
    in_doubt: list[int] = field(default_factory=list)
    """Of how many sends nobody knew what became of them, round by round."""

    async def settle(self, tasks: Sequence[Task]) -> None:
        """See all of them through."""
        while tasks:
            tasks = await self._round({task.run: task for task in tasks})
            self.in_doubt.append(len(tasks))
            await asyncio.sleep(TELLING if tasks else 0)

    async def _round(self, waiting: dict[str, Task]) -> list[Task]:
        """Go on until each has an outcome or is in doubt, and return the tasks of asking about the latter."""
        doubts: list[Task] = []
        in_vain = 0
        while waiting:
            done = await self.workers.shift(list(islice(waiting.values(), SHIFT)))
            in_vain = 0 if done else in_vain + 1
            assert in_vain < IN_VAIN, f"{IN_VAIN} workers one after the other did nothing"
            for run, became in done.items():
                task = self._next(waiting.pop(run), became)
                if task and task.do == "deliver":
                    waiting[run] = task
                elif task:
                    doubts.append(task)
        return doubts

    def _next(self, task: Task, became: str) -> Task | None:
        match task.do, became:
            case "deliver", "unknown":
                return task.model_copy(update={"do": "reconcile"})
            case "reconcile", "CannotTell":
                return task.model_copy(update={"asked": task.asked + 1})
            case _, "NotNow" | "again":
                return Task(do="deliver", run=task.run, kind=task.kind)
            case _:
                self.told[task.run] = became
                return None


class Stored(NamedTuple):
    """What became of the send of a run, and of the run; and how often the send was repeated in doubt."""

    state: str
    ended: str | None
    repeats: int


@dataclass(frozen=True)
class Books:
    """All there is to look at in the end: what the walk was told, what the store says, and what the providers have."""

    tasks: Sequence[Task]
    told: dict[str, str]
    stored: dict[str, Stored]
    ledgers: dict[Kind, list[dict[str, Any]]]

    @property
    def sent(self) -> Counter[str]:
        """How often each send went out."""
        return Counter(line["send_id"] for ledger in self.ledgers.values() for line in ledger)


def violations(books: Books) -> Iterator[str]:
    """Every broken promise, by the run and its only step."""
    sent = books.sent
    for task in books.tasks:
        match sent.pop(send_id(task.run, STEP), 0):
            case 0:
                yield f"{task.run}: the {task.kind} never went out"
            case count if count > 1 and task.kind != "push":
                yield f"{task.run}: the {task.kind} went out {count} times"
        state, ended, repeats = books.stored[task.run]
        # A push is repeated where nobody can tell, but not for ever: then it is shown as what it is.
        given_up = task.kind == "push" and repeats == MOST_REPEATS
        if (told := books.told[task.run]) != "accepted" and not (given_up and told == "unknown"):
            yield f"{task.run}: the walk was told that the {task.kind} is {told}"
        if (state, ended) != (told, "completed"):
            yield f"{task.run}: in the store, its {task.kind} and the run are {state} and {ended}"
    yield from (f"{send}, which went out, is nobody's" for send in sent)
    yield from (
        f"{line['send_id']}: a repeat would be shown beside it"
        for line in books.ledgers["push"]
        if set(_replaced_by(line["content"])) != {line["send_id"]}
    )


def _replaced_by(message: dict[str, Any]) -> Iterator[str]:
    yield message["android"]["collapse_key"]
    yield message["android"]["notification"]["tag"]
    yield message["apns"]["headers"]["apns-collapse-id"]
    yield message["webpush"]["headers"]["Topic"]
    yield message["webpush"]["notification"]["tag"]


async def test_each_goes_out_once_whenever_its_worker_is_killed(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    async with _fakes(tmp_path) as fakes, _workers(sqlite_url, fakes, tmp_path) as workers:
        tasks = await _runs(Shop(store, datetime.now(UTC)))
        office = Office(workers)
        began = monotonic()

        await office.settle(tasks)

        seconds = monotonic() - began
        books = Books(tasks, office.told, await _stored(store), await _ledgers(fakes))
    await store.close()
    print(*_numbers(office, books, seconds), sep="\n")  # noqa: T201 - what -s shows
    assert [f"seed {SEED}, {said}" for said in violations(books)] == []
    assert workers.killed_at_work >= 5  # or this showed little
    assert office.in_doubt[0] > 0


def _numbers(office: Office, books: Books, seconds: float) -> Iterator[str]:
    sent, workers = books.sent, office.workers
    ids = {kind: [send_id(task.run, STEP) for task in books.tasks if task.kind == kind] for kind in TO}
    twice = sum(sent[id] > 1 for kind in ("email", "text") for id in ids[kind])
    shown = {(line["to"], line["send_id"]) for line in books.ledgers["push"]}
    each = ", ".join(f"{len(them)} {kind}" for kind, them in ids.items())
    yield f"{len(books.tasks)} sends in {seconds:.0f} s: {each}"
    yield f"{workers.killed} kill -9, {workers.killed_at_work} of them amid work"
    yield f"{twice} emails or texts that went out twice"
    yield f"{len(books.ledgers['push']) - len(shown)} notifications repeated, each in place of the one before"
    yield f"{sum(not sent[id] for them in ids.values() for id in them)} never sent"
    yield f"{office.in_doubt[0]} unknown before they were asked about, then {office.in_doubt[1:]}"
    yield f"{sum(one.state == 'unknown' for one in books.stored.values())} unknown after"


async def _runs(shop: Shop) -> list[Task]:
    """A third as many customers, each with a run for each kind of message: nothing is sent yet."""
    await shop.stock()
    for kind, content in CONTENTS.items():
        steps = [{"id": STEP, kind: content, "to": TO[kind]}]
        await shop.publish(abandoned_cart(journey=kind, steps=steps))
    numbers = range(-(-SENDS // len(CONTENTS)))
    for number in numbers:
        await put_customer(shop.store, f"c{number}", CUSTOMER | _addresses(number), shop.now)
    carts = [shop.event("abandoned-cart", f"c{number}", cart_id=f"cart-{number}", total=60) for number in numbers]
    receipts = [
        receipt
        for first in range(0, len(carts), BATCH)
        for receipt in await events.accept(shop.store, carts[first : first + BATCH], shop.now)
    ]
    made = [decision for receipt in receipts for decision in receipt.decisions]
    begun = [{"do": "deliver", "run": one.run, "kind": one.journey} for one in made if one.did == "started"]
    return TASKS.validate_python(begun)


def _addresses(number: int) -> dict[str, str]:
    devices = [f"fid-{number}:{device}" for device in ("phone", "tablet")[: 1 + number % 2]]
    return {"email": f"c{number}@example.com", "phone": f"+1666{number:07}", "push_token": ",".join(devices)}


async def _stored(store: Store) -> dict[str, Stored]:
    wanted = select(runs.c.id, sends.c.state, runs.c.ended, sends.c.repeats)
    found = await rows(store, wanted.outerjoin(sends, sends.c.run == runs.c.id))
    return {row.id: Stored(row.state, row.ended, row.repeats) for row in found}


async def _ledgers(fakes: Fakes) -> dict[Kind, list[dict[str, Any]]]:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        return {kind: (await http.get(f"{fakes[name]['url']}/ledger")).json() for kind, name in PROVIDERS.items()}


@asynccontextmanager
async def _fakes(folder: Path) -> AsyncIterator[Fakes]:
    """The providers, as they misbehave."""
    async with _program("embedded.fakes", errors=folder / "fakes.log") as process, httpx.AsyncClient() as http:
        assert process.stdout
        fakes: Fakes = json.loads(await process.stdout.readline())
        for fake in fakes.values():
            chaos = {"rate": RATE, "seed": SEED, "faults": FAULTS}
            (await http.post(f"{fake['url']}/chaos", json=chaos)).raise_for_status()
        yield fakes


@asynccontextmanager
async def _workers(database: str, fakes: Fakes, folder: Path) -> AsyncIterator[Workers]:
    errors = folder / "workers.log"
    async with _program("tests.chaos.sender", database, errors=errors) as process:
        assert process.stdin
        process.stdin.write(json.dumps(fakes).encode() + b"\n")
        yield Workers(process, errors, random.Random(SEED))


@asynccontextmanager
async def _program(*module: str, errors: Path) -> AsyncIterator[Process]:
    """A module as a process; it is gone at the end, and whoever it made with it."""
    with errors.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *module),
            cwd=ROOT,
            env=environment(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
