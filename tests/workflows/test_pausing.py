"""A pause on Temporal: who waits costs nothing, however long, and goes on when the journey is resumed."""

from __future__ import annotations

from datetime import timedelta

from temporalio.testing import WorkflowEnvironment

from activities.endpoints import Seal
from journeys.endpoints import Endpoint
from store.endpoints import put_endpoint
from store.pausing import pause, resume
from store.runs import get_run
from tests.engine import HOUSE, Clock, Engine, engine, until
from tests.fakes.receiver import Receiver
from tests.ledger import Ledger
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us
from tests.workflows.test_brake import details, timers
from tests.workflows.test_webhooks import SECRET

NAME = "abandoned-cart"
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


async def is_held(played: Engine, run: str) -> bool:
    held = (await get_run(played.store, run)).held
    return held is not None and held.by == "pause"


async def test_paused_for_a_year_it_waits_on_no_timer_and_adds_no_history(
    skipping: WorkflowEnvironment, sqlite_url: str
) -> None:
    ledger, clock = Ledger(), Clock(skipping)
    async with engine(skipping.client, sqlite_url, ledger=ledger, clock=clock) as played:
        await clock.start()
        await Shop(played.store, played.now()).rule(spread="0 seconds")
        await played.publish(abandoned_cart())
        await played.customer("ada")
        run = await played.start("ada")
        await until(lambda: sent(ledger, 1))
        await pause(played.store, NAME, by_us(clock.now))
        await clock.move(2 * timedelta(days=1))
        await until(lambda: is_held(played, run))
        await until(lambda: says(played, run, "until its journey is resumed: its journey is paused"))
        before, waited = await played.events(run), await timers(played, run)

        await clock.move(YEAR)

        assert (await played.events(run), await timers(played, run)) == (before, waited)
        await resume(played.store, NAME, by_us(clock.now))
        await played.relay.drain_once()
        await until(lambda: sent(ledger, 2))
        await clock.move(YEAR + timedelta(days=2))
        await played.until_ended(run)
        assert len(ledger.took) == 3


async def sent(ledger: Ledger, number: int) -> bool:
    return len(ledger.took) >= number


async def says(played: Engine, run: str, what: str) -> bool:
    return what in await details(played, run)


async def test_a_call_waits_and_is_made_once_when_resumed(skipping: WorkflowEnvironment, sqlite_url: str) -> None:
    clock = Clock(skipping)
    async with Receiver() as receiver, engine(skipping.client, sqlite_url, clock=clock) as played:
        await clock.start()
        await Shop(played.store, played.now()).rule(spread="0 seconds")
        await played.customer("ada")
        crm = Endpoint(endpoint="crm", url=receiver.url)
        await put_endpoint(played.store, crm, Seal(HOUSE).seal(SECRET), by_us(clock.now))
        wait, call = {"id": "wait", "wait": "1 hour"}, {"id": "crm", "webhook": "crm", "within": "2 days"}
        await played.publish(abandoned_cart(steps=[wait, call]))
        run = await played.start("ada")
        await pause(played.store, NAME, by_us(clock.now))
        await clock.move(2 * HOUR)
        await until(lambda: is_held(played, run))
        assert receiver.posted == []

        await resume(played.store, NAME, by_us(clock.now))
        await played.relay.drain_once()
        await played.until_ended(run)

        assert len(receiver.posted) == 1
        (made,) = (await get_run(played.store, run)).calls
        assert (made.state, made.tries) == ("accepted", 1)
