"""The demonstration: four customers walk the abandoned-cart journey on the embedded stack, and days take seconds."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from rich.text import Text

from embedded.dev import EXAMPLE, Stack, addresses, command_for, stack
from embedded.fakes.process import Fakes, fakes
from embedded.story import HALF_A_DAY, PEOPLE, Found, Person, Stage, Teller, differences, line, table, verdict
from embedded.temporal import free_port
from journeys.definition import Journey
from journeys.language.durations import say
from journeys.problems import Invalid
from journeys.steps import Message, every_step
from journeys.walk.diary import Entry
from journeys.walk.pace import at_pace
from settings import Settings, read_settings
from store.events import Receipt
from store.journeys import JourneyView
from store.runs import RunPage, RunView
from terminal.applying import apply_and_tell
from terminal.client import Api
from terminal.folder import read_folder
from terminal.lifetimes import cancelled_by_signals
from terminal.show import happened, promise, said, tell
from worker import open_channels

JOURNEY = "abandoned-cart"
LONGEST = timedelta(days=4)
PATIENCE = timedelta(seconds=60)
LOOK_EVERY = 0.1


async def run_demo(pace: str, ports: Mapping[str, int | None], *, keep: bool = False, fake: bool = False) -> int:
    """``sojourn demo``: the story from its start to its table. Returns 1 where it did not go as it must.

    *fake* sends through the SDKs of SendGrid, Twilio and Firebase to local fakes of theirs.
    """
    code = 130
    with TemporaryDirectory(prefix="sojourn-demo-") as folder, cancelled_by_signals():
        began = time.monotonic()
        with suppress(asyncio.CancelledError):
            async with AsyncExitStack() as parts:
                settings, beside = await _settings(Path(folder), pace, ports, parts, fake=fake)
                channels = await parts.enter_async_context(open_channels(settings)) if beside else None
                stage, teller = Stage(channels), Teller(settings.day)
                running = await parts.enter_async_context(stack(settings, stage.channels))
                api = await parts.enter_async_context(Api(running.connection))
                tell(f"Ready after {time.monotonic() - began:.1f} s. {EXAMPLE.relative_to(EXAMPLE.parents[1])}:\n")
                code = await Demo(running, api, stage, teller, beside).play()
                if not keep:
                    tell("\nAll of it ends here. To look around afterwards, add --keep.")
                else:
                    tell(_left_running(running))
                    await asyncio.Event().wait()
    return code


class Demo:
    """One telling of the story."""

    def __init__(self, running: Stack, api: Api, stage: Stage, teller: Teller, providers: Fakes | None = None) -> None:
        self._running = running
        self._api = api
        self._stage = stage
        self._teller = teller
        self._providers = providers
        # A Temporal that others use too remembers the runs of earlier tellings.
        self._token = secrets.token_hex(3)

    async def play(self) -> int:
        """Tell the whole story. Returns 0 if it went as it must, 1 if not."""
        if not EXAMPLE.is_dir():
            raise Invalid(f"The example is not at {EXAMPLE}: run the demonstration from a clone of the repository.")
        folder = read_folder([EXAMPLE])
        self._steps = {step.id: step for step in every_step(folder.all(Journey)[JOURNEY].steps)}
        await apply_and_tell(self._api, folder, publish=True)
        tell(self._beginning())
        try:
            async with asyncio.timeout((PATIENCE + at_pace(LONGEST, self._teller.day)).total_seconds()):
                async with asyncio.TaskGroup() as everybody:
                    for person in PEOPLE:
                        everybody.create_task(self._live(person))
        except TimeoutError:
            tell("\nThe story did not come to its end in time.")
        tell("\nHalf a day more, to see that nobody hears anything else …\n")
        await self._pass(HALF_A_DAY)
        return await self._end()

    async def _live(self, person: Person) -> None:
        """One customer's part: enter, act, and be watched until the run has ended."""
        cart: dict[str, str | float] = {"cart_id": person.cart, "total": person.total}
        now = datetime.now(UTC)
        self._teller.entered[person.customer] = now
        self._teller.say(person.customer, now, Text(f"leaves a cart behind: {said(cart)}"))
        receipt = await self._post(person, "abandoned-cart", cart, now)
        self._tell_receipt(person, now, receipt)
        run = next((made.run for made in receipt.decisions if made.did == "started"), None)
        if run is None:
            return  # the verdict names it
        async with asyncio.TaskGroup() as both:
            both.create_task(self._watch(person, run))
            both.create_task(self._act(person, cart))

    async def _act(self, person: Person, cart: dict[str, str | float]) -> None:
        if person.act is None:
            return
        message = await self._stage.until_sent(person.customer, person.act.after)
        await self._pass(person.act.later)
        now = datetime.now(UTC)
        self._teller.say(person.customer, now, Text(person.act.words, "bold"))
        opened = person.act.trigger == "email-opened"
        if opened and self._providers:
            await self._providers.open_email(message.send_id)  # it comes back as a webhook
            return
        receipt = await self._post(person, person.act.trigger, {"send_id": message.send_id} if opened else cart, now)
        self._tell_receipt(person, now, receipt)

    async def _post(self, person: Person, trigger: str, attributes: Mapping[str, str | float], at: datetime) -> Receipt:
        event = {
            "id": f"{trigger}-{person.cart}-{self._token}",
            "trigger": trigger,
            "customer": person.customer,
            "occurred_at": at.isoformat(),
            "attributes": dict(attributes),
        }
        return await self._api.post(Receipt, "events", body=event)

    def _tell_receipt(self, person: Person, at: datetime, receipt: Receipt) -> None:
        for made in receipt.decisions:
            detail = made.run or "" if made.did == "started" else made.why
            self._teller.say(person.customer, at, happened(made.did, detail))
            if made.ends:
                self._teller.say(person.customer, at, Text(f"  {promise(receipt)}", "dim"))

    async def _watch(self, person: Person, run: str) -> None:
        """Tell the diary as it grows, until the run has ended."""
        told = 0
        while True:
            view = await self._api.get(RunView, "runs", run)
            for entry in view.diary[told:]:
                self._tell_entry(person, entry, is_last=entry is view.diary[-1])
            told = len(view.diary)
            if view.ended and view.ended_at:
                if view.ended != "exited":  # an exit is told by its receipt
                    self._teller.say(person.customer, view.ended_at, happened(view.ended, view.why))
                return
            await asyncio.sleep(LOOK_EVERY)

    def _tell_entry(self, person: Person, entry: Entry, *, is_last: bool) -> None:
        step = self._steps[entry.step]
        match entry.did:
            case "passed" if isinstance(step, Message):
                words = self._sent(person, step, entry)
            case "passed" if entry.arm:
                words = Text(f"◇ {step.id}: {entry.arm}" + ("" if entry.arm in step.questions else f", {entry.why}"))
            case "entered" if not isinstance(step, Message):
                words = Text(step.words, "dim")
            case "left" if not is_last:  # of a series; at the end of a run it is told how it ended
                words = Text(f"◁ {step.id} is left: {entry.why}", "dim")
            case _:
                return
        self._teller.say(person.customer, entry.at, words)

    def _sent(self, person: Person, step: Message, entry: Entry) -> Text:
        sent = next((message for message in self._stage.to(person.customer) if message.step == step.id), None)
        return line(sent) if sent else Text(f"✗ {step.kind}  {entry.why}", "red")

    async def _pass(self, length: timedelta) -> None:
        await asyncio.sleep(at_pace(length, self._teller.day).total_seconds())

    async def _end(self) -> int:
        """The table, the goal and the verdict."""
        found = {person.customer: await self._find(person) for person in PEOPLE}
        goal = (await self._api.get(JourneyView, "journeys", JOURNEY)).goal
        wrong = differences(found, goal)
        tell(table(found))
        tell("")
        tell(verdict(wrong, goal))
        return 1 if wrong else 0

    async def _find(self, person: Person) -> Found:
        runs = (await self._api.get(RunPage, "runs", journey=JOURNEY, customer=person.customer)).runs
        if not runs:
            return Found()
        view = await self._api.get(RunView, "runs", runs[0].id)
        return Found(
            sent=tuple(
                (message.kind, self._teller.elapsed(person.customer, message.at))
                for message in self._stage.to(person.customer)
            ),
            recorded=tuple(send.kind for send in view.sends if send.state == "accepted"),
            runs=len(runs),
            ended=view.ended,
            ended_at=self._teller.elapsed(person.customer, view.ended_at) if view.ended_at else None,
            why=view.why,
            goal=view.goal_met_at is not None,
        )

    def _beginning(self) -> Iterator[Text]:
        yield Text.assemble(
            ("\nFour customers leave a cart behind. ", "bold"),
            f"A day lasts {say(self._teller.day)}, with real timers; times are in full hours.",
        )
        yield from self._links()
        yield Text()

    def _links(self) -> Iterator[Text]:
        connection = self._running.connection
        if connection.runs_page:
            query = quote(f'JourneyId="{JOURNEY}"')
            yield Text(f"Temporal UI  {connection.runs_page}?query={query}", "dim")
        yield Text(f"API docs     {connection.url}/docs", "dim")


def _left_running(running: Stack) -> Iterator[Text]:
    yield Text.assemble("\n", ("Everything is left running.", "bold green"), " Ctrl-C ends it, and removes its data.\n")
    yield from addresses(running)
    yield Text("\nTry, in another terminal:\n")
    for words in ("runs", f"event {JOURNEY} ada cart_id=c-2001 total=60", f"stop {JOURNEY}"):
        yield Text(f"  {command_for(running, *words.split())}")
    yield Text()


async def _settings(
    data: Path, pace: str, ports: Mapping[str, int | None], parts: AsyncExitStack, *, fake: bool
) -> tuple[Settings, Fakes | None]:
    """The settings of a stack of its own, whatever the environment says of another one, and the fakes beside it."""
    usual: dict[str, object] = {
        **ports,
        "data": data,
        "database_url": f"sqlite:///{data / 'sojourn.db'}",
        "day": pace,
        # A Temporal that others use too may have a worker on the usual task queue.
        "task_queue": f"sojourn-demo-{secrets.token_hex(3)}",
    }
    if not fake:
        return read_settings(**usual | {"email": "console", "text": "console", "push": "console"}), None
    port = ports.get("port") or free_port()  # the fakes must know where to report to before anything listens there
    beside = await parts.enter_async_context(fakes(f"http://127.0.0.1:{port}", data))
    return read_settings(**usual | beside.settings | {"port": port}), beside
