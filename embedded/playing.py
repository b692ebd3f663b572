"""An example played for real: its scripts on the API, the store, a worker, and Temporal, which skips the days."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.text import Text
from temporalio.client import Client

from api.customers import ChangedCustomer
from api.serve import serve
from embedded import telling
from embedded.cast import Part, begin_after, cast
from embedded.examples import Example
from embedded.receiver import Receiver, receiving
from embedded.skipping import Clock, skipping_client
from embedded.story import Stage
from journeys.definition import send_id
from journeys.endpoints import Endpoint
from journeys.interactions import interaction_trigger
from journeys.walk.pace import DAY
from journeys.walk.script import DEFAULT_START, Happening
from server import build_app, key_of
from settings import Settings, read_settings
from store.events import Receipt
from store.held_journeys import LetGo
from store.migrate import migrate
from store.runs import RunPage, RunView
from store.store import Store, opened
from terminal.applying import apply_folder
from terminal.client import Api, Connection
from terminal.data import keep_private
from terminal.folder import Folder
from terminal.lifetimes import beside, cancelled_by_signals, one_error
from terminal.logs import log_to
from terminal.show import change, tell
from worker import worker_of
from workflows.relay import Relay

PATIENCE = 180.0
LOOK_EVERY = 0.05
A_DAY_MORE = timedelta(days=1)


async def run_example(example: Example) -> int:
    """``sojourn demo NAME``: an example from its start to its verdict. Returns 1 where it is not as previewed."""
    code = 130
    with TemporaryDirectory(prefix="sojourn-demo-") as folder, cancelled_by_signals():
        began = time.monotonic()
        with suppress(asyncio.CancelledError):
            settings = settings_in(Path(folder))
            log_to(settings.data / "sojourn.log", settings.log_level)
            async with skipping_client(settings.data) as client, playing(example, settings, client) as play:
                tell(f"Ready after {time.monotonic() - began:.1f} s. examples/{example.name}:\n")
                async for change in play.apply():
                    tell(change)
                tell(telling.beginning(play.parts))
                code = await _told(play)
    return code


def settings_in(data: Path) -> Settings:
    """The settings of a stack of its own, whatever the environment says of another one."""
    keep_private(data)
    return read_settings(
        data=data,
        database_url=f"sqlite:///{data / 'sojourn.db'}",
        day=DAY,
        port=0,
        local_endpoints=True,
        time_zone="UTC",  # as in a preview from files
        key=secrets.token_urlsafe(24),
        secret=secrets.token_urlsafe(24),
        task_queue=f"sojourn-demo-{secrets.token_hex(3)}",
        **dict.fromkeys(("email", "text", "push"), "console"),
    )


@asynccontextmanager
async def playing(example: Example, settings: Settings, client: Client) -> AsyncIterator[Play]:
    """The stack that an example is played on, until the end of the block. *client*: of a server that skips time."""
    async with AsyncExitStack() as parts:
        parts.enter_context(one_error())
        await migrate(settings.database)
        store = await parts.enter_async_context(opened(settings.database))
        receiver = await parts.enter_async_context(receiving())
        clock, stage = Clock(client, DEFAULT_START), Stage()
        await clock.start()
        relay = Relay(store, client, settings.task_queue, lambda: clock.relays)
        app = build_app(settings, store, relay, stage.channels, now=lambda: clock.now)
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await parts.enter_async_context(beside(serve(app, settings.host, settings.port, ready=listening.set_result)))
        settings = settings.model_copy(update={"public_url": await listening})
        await parts.enter_async_context(worker_of(settings, store, client, stage.channels, relay))
        api = await parts.enter_async_context(Api(Connection(url=await listening, key=key_of(settings))))
        begin = begin_after(clock.now, example)
        teller = telling.Teller(example.journey, stage, receiver)
        parts_played = cast(example, begin, settings.policy)
        yield Play(example, parts_played, clock, begin, stage, receiver, teller, relay, api, store)


@dataclass
class Play:
    """One example on its stage: *parts*, and all that plays them."""

    example: Example
    parts: list[Part]
    clock: Clock
    begin: datetime
    stage: Stage
    receiver: Receiver
    teller: telling.Teller
    relay: Relay
    api: Api
    store: Store

    async def apply(self) -> AsyncIterator[Text]:
        """Publish the journey, with endpoints that are calls to the receiver. Gives each change in words."""
        async for made in apply_folder(self.api, _here(self.example.folder, self.receiver)):
            if made.secret:
                self.receiver.secrets[made.name] = made.secret
            yield change(made.kind, made.name, made.became)

    async def go(self) -> AsyncIterator[list[telling.Line]]:
        """Play all parts side by side, to a day after the last end. Gives what happened since the last time."""
        teller = self.teller
        self.clock.begin = self.begin
        lines = [(line.at, part, line) for part in self.parts for line in part.lines]
        for at, together in groupby(sorted(lines, key=_when), key=_when):
            await self.clock.move(at)
            yield teller.news(await self.views())
            for _, part, line in together:
                teller.heard(part, line, self.clock.now, await self._happen(part, line))
                await self.relay.drain_once()
        await self.clock.move(max(part.ends_at for part in self.parts) + A_DAY_MORE - self.begin)
        await self._until_over()
        yield teller.news(await self.views())

    async def views(self) -> list[tuple[Part, RunView]]:
        """The runs of everybody, each one's in the order in which they were entered."""
        return [(part, run) for part in self.parts for run in await self._runs(part)]

    async def _runs(self, part: Part) -> list[RunView]:
        page = await self.api.get(RunPage, "runs", customer=part.id, journey=self.example.journey.journey)
        found = [await self.api.get(RunView, "runs", run.id) for run in page.runs]
        return sorted(found, key=lambda run: run.entered_at)

    async def _happen(self, part: Part, line: Happening) -> Receipt | None:
        if line.release:
            await self.api.post(LetGo, "journeys", self.example.journey.journey, "release")
            return None
        if line.customer is not None:
            changed = await self.api.patch(ChangedCustomer, "customers", part.id, body={"attributes": line.customer})
            return changed.receipt
        trigger, attributes = line.trigger or "", dict(line.attributes)
        if line.message:
            sent = [(run, send) for run in await self._runs(part) for send in run.sends if send.step == line.message]
            run, send = sent[line.run - 1] if line.run else sent[-1]
            trigger = interaction_trigger(send.kind, line.is_ or "opened")
            attributes["send_id"] = send_id(run.id, send.step)
        event = {
            "id": line.id or f"{part.id}-{secrets.token_hex(4)}",
            "trigger": trigger,
            "customer": part.id,
            "occurred_at": (self.begin + (line.at if line.occurred_at is None else line.occurred_at)).isoformat(),
            "attributes": attributes,
        }
        return await self.api.post(Receipt, "events", body=event)

    async def _until_over(self) -> None:
        """Until the store has the end of every run; where one has none, the verdict names it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not all(run.ended for _, run in await self.views()):  # noqa: ASYNC110 - asked of an API
                    await asyncio.sleep(LOOK_EVERY)


def _here(folder: Folder, receiver: Receiver) -> Folder:
    """The same definitions, with each endpoint on this machine instead of where it is in earnest."""
    files = []
    for file in folder.files:
        if isinstance(file.model, Endpoint):
            endpoint = file.model.model_copy(update={"url": receiver.url_of(file.name)})
            file = replace(file, model=endpoint, body=endpoint.model_dump_json().encode())  # noqa: PLW2901 - the same one
        files.append(file)
    return Folder(files)


def _when(line: tuple[timedelta, Part, Happening]) -> timedelta:
    return line[0]


async def _told(play: Play) -> int:
    async for happened in play.go():
        tell(play.teller.lines(happened))
    views = await play.views()
    wrong = telling.differences(play.parts, views)
    tell(_end(play.parts, views, wrong))
    return 1 if wrong else 0


def _end(parts: list[Part], views: list[tuple[Part, RunView]], wrong: list[str]) -> Iterator[Text]:
    yield Text()
    yield from telling.table(views)
    yield Text()
    yield from telling.verdict(parts, wrong)
