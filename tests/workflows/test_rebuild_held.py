"""Who is held as Temporal loses its data is held again, and goes on as ever; what waits elsewhere is not touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.channels import Outgoing
from activities.endpoints import Seal
from activities.endpoints.signing import new_secret
from journeys.catalogue import Content
from journeys.definition import Journey
from journeys.endpoints import Endpoint
from journeys.reading import read_content, read_journey
from store.catalogue import put_content, ready_content
from store.endpoints import put_endpoint
from store.held_journeys import let_go
from store.lifecycle_parked import Wanted
from store.pausing import pause, resume
from store.rebuilding import begin_again
from store.repairs import repair
from store.runs import RunView, list_runs
from store.schema import outbox
from store.sends import Go, claim
from tests.engine import HOUSE, Clock, Engine, engine, until
from tests.fakes.receiver import Receiver, says
from tests.ledger import Ledger
from tests.samples import CONTENTS, abandoned_cart
from tests.shop import NOON, Shop, by_us
from tests.temporal_files import on
from tests.transactions import execute
from workflows.rebuilding import Rebuild, Rebuilt, Wish

DAY = timedelta(seconds=15)
EMAIL: Mapping[str, object] = {"email": "initial-email-reminder", "to": "customer.email"}
TEXT: Mapping[str, object] = {"text": "second-text-reminder", "to": "customer.phone"}
OTHER_TEXT: Mapping[str, object] = {"text": "another-text", "to": "customer.phone"}
PUSH: Mapping[str, object] = {"push": "final-push-notification", "to": "customer.push_token"}
BROKEN = {"title": "Last call", "body": "{{ 100 | divided_by: event.total }}"}

STEPS: Mapping[str, list[Mapping[str, object]]] = {
    "parks": [{"id": "hello", **TEXT}, {"id": "broken", **PUSH}, {"id": "last", **EMAIL}],
    "pauses": [{"id": "a-bit", "wait": "3 hours"}, {"id": "hello", **EMAIL}],
    "brakes": [{"id": "hello", **EMAIL}, {"id": "last", **TEXT}],
    "caps": [{"id": "hello", **TEXT}, {"id": "second", **OTHER_TEXT}],
    "calls": [{"id": "crm", "webhook": "crm", "within": "30 days"}, {"id": "last", **TEXT}],
}
GETS = {
    "parks": ["hello", "broken", "last"],
    "pauses": ["hello"],
    "waits": ["hello"],
    "brakes": ["hello", "hello", "last", "last"],
    "caps": ["hello", "second"],
    "calls": ["last"],
}


def journey(name: str) -> Journey:
    """The total of a cart says which of them somebody enters."""
    where = f"event.total == {list(STEPS).index(name)}"
    start = {"trigger": "abandoned-cart", "key": "event.cart_id", "where": where, "overlap": "parallel"}
    return read_journey({"journey": name, "start": start, "steps": STEPS[name]})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        receiver.answer = says(503)
        yield receiver


@pytest.fixture
async def played(database_url: str, receiver: Receiver) -> AsyncIterator[Engine]:
    """An engine with all the journeys, whose Temporal is to come."""
    client = await Client.connect("localhost:1", lazy=True)
    async with engine(client, database_url, ledger=Ledger(), day=DAY, working=False) as built:
        shop = Shop(built.store, built.now())
        cap = {"channels": ["text"], "at_most": 1, "per": "1 day", "over": "hold"}
        copies = {"same_content": {"at_most": 1, "per": "30 days"}}
        await shop.rule(caps=[cap], brake=copies, spread="0 seconds")
        await ready(built, read_content({"content": "another-text", "text": {"body": "Still there?"}}))
        await ready(built, read_content({"content": "final-push-notification", "push": BROKEN}))
        crm = Endpoint(endpoint="crm", url=receiver.url)
        await put_endpoint(built.store, crm, Seal(HOUSE).seal(new_secret()), by_us(built.now()))
        for name in STEPS:
            await built.publish(journey(name))
        yield built


async def ready(played: Engine, content: Content) -> None:
    await put_content(played.store, content, by_us(played.now()))
    await ready_content(played.store, content.content, by_us(played.now()))


async def enter(played: Engine, customer: str, name: str, cart: str = "c") -> str | None:
    await played.customer(customer)
    total = list(STEPS).index(name)
    receipt = await played.accept(played.event("abandoned-cart", customer, cart_id=cart, total=total))
    played.relay.nudge()
    return next((made.run for made in receipt.decisions if made.did == "started"), None)


async def held(played: Engine) -> dict[str, str]:
    """What holds whom, by journey."""
    page = await list_runs(played.store, held=True, limit=200)
    return {run.journey: run.held.by for run in page.runs if run.held}


def took(played: Engine) -> Counter[tuple[str, str]]:
    """Who got the message of which step, how often."""
    return Counter((message.run.split("/")[1], message.step) for message in played.ledger.took)


async def rebuilt(played: Engine, **wish: object) -> Rebuilt:
    return await Rebuild(played.store, played.client, played.task_queue).do(
        Wish.model_validate(wish), by_us(played.now())
    )


async def has_looked_again(played: Engine, runs: list[str]) -> bool:
    """Whether all walk again, and have come to what holds them: they wait, or try."""
    resting = {"TIMER_STARTED", "WORKFLOW_TASK_COMPLETED", "ACTIVITY_TASK_SCHEDULED"}
    return all([(await played.events(run))[-1] in resting for run in runs])


async def test_who_is_held_or_tried_again_is_so_again_and_goes_on_as_ever(
    played: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    """Parked, paused, held by the brake and by a cap, a webhook between tries, and a start that waits."""
    by = {"parks": "park", "pauses": "pause", "brakes": "brake", "caps": "cap"}

    async with on(played, tmp_path / "temporal.db"):
        for name in STEPS:
            await enter(played, name, name)
        await pause(played.store, "pauses", by_us(played.now()))
        assert await enter(played, "waits", "pauses") is None
        await until(lambda: _got(played, "brakes", 2))  # its last is none of the copies after the release
        await enter(played, "brakes", "brakes", "another")
        await until(lambda: _held_are(played, by))
        await receiver.has(2)
    before = took(played)

    async with on(played, tmp_path / "another.db"):
        would, done = await rebuilt(played, dry_run=True), await rebuilt(played)
        lost = [run.id for run in (await list_runs(played.store, active=True, limit=200)).runs]
        tried = len(receiver.posted)
        await receiver.has(tried + 1)
        await until(lambda: has_looked_again(played, lost))
        still, meanwhile = await held(played), took(played)

        await ready(played, CONTENTS["final-push-notification"])
        await repair(played.store, "parks", Wanted(), by_us(played.now()))
        await resume(played.store, "pauses", by_us(played.now()))
        await let_go(played.store, "brakes", by_us(played.now()))
        receiver.answer = says(200)
        await until(lambda: _nobody_is_under_way(played))

    assert would.missing == done.missing == len(lost) >= 5
    assert still.items() >= {"parks": "park", "pauses": "pause", "brakes": "brake"}.items()
    assert meanwhile - before <= Counter({("caps", "second"): 1})  # its day may be over by now
    assert took(played) == Counter((name, step) for name, steps in GETS.items() for step in steps)
    assert len({message.send_id for message in played.ledger.took}) == len(played.ledger.took)
    assert len({(posted.headers["webhook-id"], posted.body) for posted in receiver.posted}) == 1
    assert {run.ended for run in await _all(played)} == {"completed"}


@pytest.mark.parametrize("went_out", [True, False], ids=["which-went-out", "which-did-not"])
async def test_a_send_in_flight_is_asked_for_and_made_once(
    went_out: bool, clock: Clock, skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    """A worker had claimed it when everything was lost, and nobody has heard what came of it."""
    async with engine(skipping.client, sqlite_url, clock=clock) as built:
        await built.publish(abandoned_cart(steps=[{"id": "initial-reminder", **EMAIL}]))
        await built.customer("ada")
        receipt = await built.accept(built.event("abandoned-cart", "ada", cart_id="c", total=60))
        (run,) = [made.run for made in receipt.decisions if made.run]
        shop = Shop(built.store, built.now())
        claimed = await claim(built.store, shop.visit(run, following=None))
        assert isinstance(claimed, Go)
        if went_out:
            await built.ledger.send(Outgoing(claimed.send_id, run, "initial-reminder", "email", claimed.to, {}, NOON))
        await execute(built.store, delete(outbox))

        assert await begin_again(built.store, [run], "now", built.now()) == [run]
        await built.relay.drain_once()
        await clock.move(timedelta(hours=1))
        await built.until_ended(run)

        assert built.ledger.steps == ["initial-reminder"]
        assert len(built.ledger.asked_for) == 1
        (seen,) = await built.runs("ada")
        assert [(send.state, send.attempt) for send in seen.sends] == [("accepted", 1 if went_out else 2)]


async def _got(played: Engine, customer: str, number: int) -> bool:
    return sum(n for (whose, _), n in took(played).items() if whose == customer) >= number


async def _held_are(played: Engine, by: Mapping[str, str]) -> bool:
    return await held(played) == by


async def _nobody_is_under_way(played: Engine) -> bool:
    return not (await list_runs(played.store, active=True, limit=1)).runs


async def _all(played: Engine) -> list[RunView]:
    return [run for name in GETS for run in await played.runs(name)]
