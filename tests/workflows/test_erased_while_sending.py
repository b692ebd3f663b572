"""A customer is erased while a worker sends to them: nothing of them is left, nothing more goes out, nobody loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment

from activities.channels import Accepted, NotNow, ProviderAnswer, Refused
from activities.endpoints import Seal
from activities.endpoints.signing import new_secret
from journeys.endpoints import Endpoint
from store.endpoints import put_endpoint
from store.erasing import Erasure, erase
from store.lifecycle import lock_run
from store.locks import lock_customers
from store.schema import runs, sends
from store.sends import give_up_stale
from tests.engine import HOUSE, Engine, engine, until
from tests.fakes.receiver import Receiver, says
from tests.ledger import Ledger
from tests.payloads import told_by_temporal
from tests.samples import abandoned_cart
from tests.searching import found, logged
from tests.shop import by_us
from tests.transactions import rows, under_way
from workflows.asking import ask

ID = "zq-0815"
EMAIL = "zelda.quill@secret.example"
SECRETS = {"email": EMAIL, "phone": "+15559876543", "push_token": "token-xyzzy-4711", "first_name": "Zeldamira"}
NOTHING = timedelta(0)
ANSWERS: dict[str, ProviderAnswer | Exception] = {
    "takes it": Accepted(f"for-{EMAIL}"),
    "refuses it": Refused(f"550 no mailbox {EMAIL}", dead=(EMAIL,), opt_out=True),
    "not now": NotNow(f"429 {EMAIL}", timedelta(seconds=0.1)),
    "no answer": RuntimeError(f"{EMAIL} hung up"),
}


class Slow(Ledger):
    """The first message is answered when somebody says so."""

    def __init__(self, answer: ProviderAnswer | Exception) -> None:
        super().__init__(answer)
        self.has_it, self.may_answer = asyncio.Event(), asyncio.Event()

    async def send(self, message):  # type: ignore[no-untyped-def]
        if not self.has_it.is_set():
            self.has_it.set()
            await self.may_answer.wait()
        return await super().send(message)


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[Path]:
    """All that is logged: of a customer nothing but the ids of their runs, and no failure again and again."""
    with logged(tmp_path / "everything.log") as file:
        yield file
    told = file.read_text()
    assert [secret for secret in SECRETS.values() if secret.lower() in told.lower()] == []
    assert told.count("activity failed") <= 1


@asynccontextmanager
async def playing(temporal: WorkflowEnvironment, url: str, ledger: Ledger | None = None) -> AsyncIterator[Engine]:
    async with engine(temporal.client, url, ledger=ledger, day=timedelta(hours=1)) as built:
        await built.publish(abandoned_cart())
        await built.customer(ID, SECRETS)
        yield built


async def check(played: Engine, run: str, erased: Erasure) -> None:
    """Nothing of them is left anywhere, their run is counted, and who works goes on with others."""
    assert erased.ended == 1
    await played.relay.drain_once()
    await until(lambda: nothing_is_told(played, run))
    assert await found(played.store, ID, run, *SECRETS.values()) == {}
    assert [(row.ended_by, row.customer[:7]) for row in await rows(played.store, select(runs))] == [
        ("erased", "erased-")
    ]
    other = await played.start("tess", cart_id="other")
    await played.until_waiting(other)


async def nothing_is_told(played: Engine, run: str) -> bool:
    told = await told_by_temporal(played.client, played.task_queue)
    return ID not in told and await ask(played.client, run) == "unknown"


async def states(played: Engine) -> list[str]:
    """What the ledger says of what went to somebody who was erased."""
    of_them = select(sends).where(sends.c.customer.startswith("erased-"))
    return [row.state for row in await rows(played.store, of_them)]


@pytest.mark.parametrize("forgotten", [False, True], ids=["temporal still knows", "temporal has forgotten"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_between_claim_and_answer(
    answer: ProviderAnswer | Exception, forgotten: bool, temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    """The provider takes longer than the erasure waits for it: the outcome is kept nowhere."""
    ledger = Slow(answer)
    async with playing(temporal, sqlite_url, ledger) as played:
        await played.customer("tess")
        run = await played.start(ID)
        await ledger.has_it.wait()

        erased = await erase(played.store, ID, by_us(played.now()), drain=NOTHING)
        assert erased.in_flight == 1
        if forgotten:
            await played.relay.drain_once()
            await until(lambda: nothing_is_told(played, run))
        ledger.may_answer.set()

        await check(played, run, erased)
        assert await states(played) == ["claimed"]
        later = played.now() + timedelta(minutes=10)
        assert await give_up_stale(played.store, later, timedelta(minutes=2)) == 1
        assert await states(played) == ["unknown"]
        assert [message.run for message in ledger.asked if message.to == EMAIL] == [run]


async def test_while_the_erasure_waits_for_the_answer(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    """It comes in time: what became of the message is counted, and nothing more goes out."""
    ledger = Slow(Accepted(f"for-{EMAIL}"))
    async with playing(temporal, sqlite_url, ledger) as played:
        await played.customer("tess")
        run = await played.start(ID)
        await ledger.has_it.wait()

        erasing = asyncio.create_task(erase(played.store, ID, by_us(played.now())))
        await until(lambda: has_ended(played))
        ledger.may_answer.set()
        erased = await erasing

        assert erased.in_flight == 0
        assert await states(played) == ["accepted"]
        await check(played, run, erased)
        assert [message.step for message in ledger.asked if message.run == run] == ["initial-reminder"]


async def test_between_answer_and_note(temporal: WorkflowEnvironment, database_url: str) -> None:
    """Both wait for the same lock, the note that it was accepted and the erasure: whichever comes first."""
    ledger = Slow(Accepted(f"for-{EMAIL}"))
    async with playing(temporal, database_url, ledger) as played:
        await played.customer("tess")
        run = await played.start(ID)
        await ledger.has_it.wait()

        async with under_way(played.store) as do:
            await do(lambda connection: lock_customers(connection, [ID]))
            await do(lambda connection: lock_run(connection, run))
            ledger.may_answer.set()
            await until(lambda: has_answered(ledger))
            erasing = asyncio.create_task(erase(played.store, ID, by_us(played.now()), drain=NOTHING))
            await asyncio.sleep(0.3)
        erased = await erasing

        await check(played, run, erased)
        assert await states(played) in (["accepted"], ["claimed"])
        assert [message.step for message in ledger.asked if message.run == run] == ["initial-reminder"]


@pytest.mark.parametrize("status", [200, 503], ids=["takes it", "not now"])
async def test_while_an_endpoint_is_called(status: int, temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    steps = [
        {"id": "crm", "webhook": "crm", "with": {"email": "customer.email"}, "within": "1 day"},
        {"id": "last", "email": "initial-email-reminder", "to": "customer.email"},
        {"id": "pause", "wait": "1 day"},
    ]
    async with Receiver() as receiver, playing(temporal, sqlite_url) as played:
        await played.customer("tess")
        may_answer, answer = asyncio.Event(), says(status, body=EMAIL.encode())

        async def slowly(writer: asyncio.StreamWriter) -> None:
            await may_answer.wait()
            await answer(writer)

        receiver.answer = slowly
        crm = Endpoint(endpoint="crm", url=receiver.url)
        await put_endpoint(played.store, crm, Seal(HOUSE).seal(new_secret()), by_us(played.now()))
        await played.publish(abandoned_cart(steps=steps))
        run = await played.start(ID)
        await receiver.has(1)

        erased = await erase(played.store, ID, by_us(played.now()), drain=NOTHING)
        may_answer.set()
        receiver.answer = says(200)  # of the next ones

        await check(played, run, erased)
        assert [posted for posted in receiver.posted[1:] if EMAIL.encode() in posted.body] == []
        assert [message.run for message in played.ledger.asked if message.to == EMAIL] == []


async def has_ended(played: Engine) -> bool:
    return [row.ended for row in await rows(played.store, select(runs))] == ["cancelled"]


async def has_answered(ledger: Ledger) -> bool:
    return len(ledger.took) == 1
