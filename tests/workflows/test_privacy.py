"""Temporal keeps histories in clear, for a month or longer: nothing about a customer but the id is in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from activities.channels import NotNow, Refused
from activities.endpoints import Seal
from activities.endpoints.signing import new_secret
from journeys.endpoints import Endpoint
from store.endpoints import put_endpoint
from tests.engine import HOUSE, Engine, engine, until
from tests.fakes.receiver import Receiver, says
from tests.ledger import Ledger
from tests.payloads import told_in
from tests.samples import abandoned_cart
from tests.searching import logged
from tests.shop import by_us
from tests.transactions import execute

SECRETS = {
    "email": "zelda.quill@secret.example",
    "phone": "+15559876543",
    "push_token": "token-xyzzy-4711",
    "first_name": "Zeldamira",
    "last_name": "Quillfeather",
}
CART = "cart-of-velvet-slippers"
TOTAL = 98765.4321
PLANTED = [*SECRETS.values(), CART, str(TOTAL), "velvet", "zelda"]

TOLD_TOO_MUCH = f"550 no mailbox {SECRETS['email']} for {SECRETS['first_name']}"


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[Path]:
    """All that is logged while a test plays: nothing about a customer is in it."""
    with logged(tmp_path / "everything.log") as file:
        yield file
    told = read(file)
    assert [secret for secret in PLANTED if secret.lower() in told.lower()] == []


def read(log: Path) -> str:
    return log.read_text()


@asynccontextmanager
async def playing(temporal: WorkflowEnvironment, url: str, ledger: Ledger | None = None) -> AsyncIterator[Engine]:
    async with engine(temporal.client, url, ledger=ledger, day=timedelta(seconds=1)) as built:
        await built.publish(abandoned_cart())
        await built.customer("zq", SECRETS)
        yield built


async def start(built: Engine) -> str:
    return await built.start("zq", cart_id=CART, total=TOTAL)


async def assert_nothing_personal(built: Engine, run: str) -> None:
    """Look through the history, and through every payload in it, whatever it is encoded as."""
    seen = told_in(await built.handle(run).fetch_history())
    assert "initial-email-reminder" in seen  # we do look inside
    assert [secret for secret in PLANTED if secret.lower() in seen.lower()] == []


async def test_nobody_reacts(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(temporal, sqlite_url) as built:
        run = await start(built)
        await built.handle(run).result()

        await assert_nothing_personal(built, run)
        assert {message.to for message in built.ledger.took} == {
            SECRETS["email"],
            SECRETS["phone"],
            SECRETS["push_token"],
        }


async def test_opened(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(temporal, sqlite_url) as built:
        run = await start(built)
        await built.until_waiting(run)
        await built.interact(run, "initial-reminder")
        await built.handle(run).result()

        await assert_nothing_personal(built, run)


async def test_bought(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(temporal, sqlite_url) as built:
        run = await start(built)
        await built.until_waiting(run)
        await built.happen("purchase-completed", "zq", cart_id=CART)
        with pytest.raises(WorkflowFailureError):
            await built.handle(run).result()

        await assert_nothing_personal(built, run)


CHOOSING = (
    {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"},
    {
        "id": "tier",
        "branch": [
            {"arm": "missing", "when": 'customer.language == "nb"'},
            {"arm": "other", "when": "event.total < 1 || !customer.first_name.startsWith('Z')"},
            {"arm": "sent", "when": "sent[\"hello\"] == 'accepted' && event.cart_id != customer.last_name"},
        ],
    },
    {"id": "half", "split": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}]},
    {"id": "each", "by": "run", "split": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}]},
    {"id": "pilot", "split": [{"arm": "pilot", "first": 1}]},
    {
        "id": "subject",
        "test": {
            "winner": {"by": "goal", "after": "2 weeks"},
            "arms": [{"arm": "a", "share": "50%"}, {"arm": "b", "share": "50%"}],
            "default": "a",
        },
    },
)


async def test_choices_tell_the_arm_and_the_condition_and_no_value(
    temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    async with playing(temporal, sqlite_url) as built:
        await built.publish(abandoned_cart(steps=list(CHOOSING)))
        run = await start(built)
        await built.handle(run).result()

        await assert_nothing_personal(built, run)
        (seen,) = await built.runs("zq")
        chosen = {entry.step: entry.arm for entry in seen.diary if entry.arm}
        assert (len(chosen), chosen["tier"], chosen["pilot"]) == (5, "sent", "pilot")
        why = " ".join(entry.why for entry in seen.diary)
        assert "customer.language is missing" in why
        assert [secret for secret in PLANTED if secret.lower() in why.lower()] == []


RAISING = [
    {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"},
    {"id": "tell", "raise": "store-visit", "with": {"city": "customer.first_name + event.cart_id"}},
    {"id": "fails", "raise": "store-visit", "with": {"city": "event.cart_id + event.coupon"}},
    {"id": "again", "raise": "abandoned-cart", "with": {"cart_id": "customer.email", "total": "event.total"}},
    {"id": "sets", "set": {"last_name": "customer.first_name + event.cart_id"}},
    {"id": "does-not-fit", "set": {"phone": "event.cart_id"}},
    {"id": "pause", "wait": "1 day"},
]


async def test_what_a_run_raises_and_sets_stays_with_us(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with playing(temporal, sqlite_url) as built:
        start_of = {"trigger": "abandoned-cart", "where": "event.total > 0"}
        await built.publish(abandoned_cart(steps=RAISING, start=start_of))
        run = await start(built)
        await built.handle(run).result()

        await assert_nothing_personal(built, run)
        (seen,) = await built.runs("zq")
        said = {line.step: line.why.partition(":")[0] for line in seen.diary if line.did == "passed"}
        assert said == {
            "hello": "accepted",
            "tell": "accepted",
            "fails": "failed",
            "again": "accepted",
            "sets": "accepted",
            "does-not-fit": "failed",
            "pause": "waited 1 day",
        }
        assert [secret for secret in PLANTED if secret.lower() in str(seen.diary).lower()] == []


TOLD = {"email": "customer.email", "who": "customer.first_name + event.cart_id", "total": "event.total"}
CALLING = [
    {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"},
    {"id": "crm", "webhook": "crm", "with": TOLD, "within": "5 seconds"},
    {"id": "went", "branch": [{"arm": "well", "when": "sent['crm'] == 'accepted' && event.cart_id != ''"}]},
]


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        pytest.param(200, (), "accepted", id="well"),
        pytest.param(400, (f"X-Reason: {SECRETS['email']}",), "failed", id="refused"),
        pytest.param(302, (f"Location: /moved/{CART}?for={SECRETS['email']}",), "failed", id="elsewhere"),
        pytest.param(410, (), "failed", id="closed"),
        pytest.param(503, (f"Retry-After: {SECRETS['first_name']}",), "failed", id="not-now"),
    ],
)
async def test_what_an_endpoint_is_told_and_answers_stays_with_us(
    status: int, headers: tuple[str, ...], outcome: str, temporal: WorkflowEnvironment, sqlite_url: str
) -> None:
    async with Receiver() as receiver, playing(temporal, sqlite_url) as built:
        receiver.answer = says(status, *headers, body=TOLD_TOO_MUCH.encode())
        crm = Endpoint(endpoint="crm", url=receiver.url)
        await put_endpoint(built.store, crm, Seal(HOUSE).seal(new_secret()), by_us(built.now()))
        await built.publish(abandoned_cart(steps=CALLING))
        run = await start(built)
        await built.handle(run).result()

        await assert_nothing_personal(built, run)
        assert SECRETS["email"] in receiver.posted[0].body.decode()
        (seen,) = await built.runs("zq")
        assert [call.state for call in seen.calls] == [outcome]
        told = [secret for secret in PLANTED if secret.lower() in str((seen.calls, seen.diary)).lower()]
        assert told == ([CART, "velvet"] if status == 302 else [])  # where it leads, which is the endpoint's own word


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param((Refused(TOLD_TOO_MUCH),), id="refused"),
        pytest.param((RuntimeError(TOLD_TOO_MUCH),), id="no-answer"),
        pytest.param((NotNow(TOLD_TOO_MUCH, timedelta(seconds=0.1)),), id="not-now"),
        pytest.param((NotNow(TOLD_TOO_MUCH), NotNow(TOLD_TOO_MUCH)), id="not-now-twice"),
    ],
)
async def test_what_a_provider_says_stays_with_us(
    answers: tuple[Refused | NotNow | RuntimeError, ...],
    temporal: WorkflowEnvironment,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What got no answer is asked about after a while, which is real time on this server.
    monkeypatch.setattr("activities.reconcile.TELLING", timedelta(seconds=0.5))
    async with playing(temporal, sqlite_url, Ledger(*answers)) as built:
        run = await start(built)
        await built.handle(run).result()

        await assert_nothing_personal(built, run)


async def test_a_failing_database_tells_temporal_no_statement(
    temporal: WorkflowEnvironment, sqlite_url: str, log: Path
) -> None:
    async with playing(temporal, sqlite_url) as built:
        await rename(built, "contents", "away")
        run = await start(built)
        await until(lambda: has_failed(built, run))
        await rename(built, "away", "contents")
        await built.handle(run).result()

        await assert_nothing_personal(built, run)
        assert built.ledger.steps == ["initial-reminder", "second-reminder", "final-reminder"]
    assert "no such table: contents" in read(log)  # we do look where it is told


async def test_the_outcome_is_written_when_the_database_is_back(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    """Between the provider's answer and its record, the database goes away and comes back."""

    class Breaking(Ledger):
        async def send(self, message):  # type: ignore[no-untyped-def]
            if not self.asked:
                await rename(built, "diary", "away")
                asyncio.get_running_loop().call_later(
                    1, lambda: tasks.append(asyncio.ensure_future(rename(built, "away", "diary")))
                )
            return await super().send(message)

    tasks: list[asyncio.Future[None]] = []
    async with playing(temporal, sqlite_url, Breaking()) as built:
        run = await start(built)
        await built.handle(run).result()

        (seen,) = await built.runs("zq")
        assert [(send.state, send.attempt) for send in seen.sends] == [("accepted", 1)] * 3
        await assert_nothing_personal(built, run)


async def rename(built: Engine, table: str, to: str) -> None:
    await execute(built.store, text(f"ALTER TABLE {table} RENAME TO {to}"))


async def has_failed(built: Engine, run: str) -> bool:
    described = await built.handle(run).describe()
    return any(pending.attempt > 1 for pending in described.raw_description.pending_activities)
