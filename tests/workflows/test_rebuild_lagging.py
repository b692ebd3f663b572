"""Temporal was set back: walks play old steps again, and nothing is done twice, otherwise or beside what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from activities.endpoints import Seal
from activities.endpoints.signing import new_secret
from journeys.definition import send_id
from journeys.endpoints import Endpoint
from journeys.reading import read_journey
from store.customers import get_customer
from store.endpoints import put_endpoint
from store.runs import RunView, get_run, list_runs
from tests.engine import HOUSE, Engine, engine, until
from tests.fakes.receiver import Receiver
from tests.ledger import Ledger
from tests.moving import move_runs
from tests.shop import by_us
from tests.temporal_files import copy, on

DAY = timedelta(seconds=12)
HELLO: Mapping[str, object] = {"id": "hello", "email": "initial-email-reminder", "to": "customer.email"}
OTHERWISE: Mapping[str, Mapping[str, object]] = {
    "a message": {"id": "wrong", "text": "second-text-reminder", "to": "customer.phone"},
    "a raise": {"id": "wrong", "raise": "store-visit", "with": {"city": "'Oslo'"}},
    "a set": {"id": "wrong", "set": {"country": "'SE'"}},
    "a webhook": {"id": "wrong", "webhook": "crm"},
    "a choice": {
        "id": "wrong",
        "split": [{"arm": "a", "share": "50%", "then": []}, {"arm": "b", "share": "50%", "then": []}],
    },
    "a date": {"id": "wrong", "wait": {"until": "2030-01-01T12:00:00Z"}},
    "a wait": {"id": "wrong", "wait": "1 hour"},
    "an end": {"id": "wrong", "end": "nobody came"},
}
LAST: Mapping[str, object] = {"id": "last", "push": "final-push-notification", "to": "customer.push_token"}


def journey(place: int, wrong: Mapping[str, object], *more: Mapping[str, object]) -> dict[str, object]:
    """Who opens waits for two days, and gets the last message; else something else is done half a day after hello."""
    asks = {
        "id": "opened",
        "if": {"message": "hello", "is": "opened", "within": "12 hours"},
        "then": [*more, {"id": "pause", "wait": "2 days"}, LAST],
        "else": [wrong],
    }
    start = {"trigger": "abandoned-cart", "key": "event.cart_id", "where": f"event.total == {place}"}
    return {"journey": f"journey-{place}", "start": start, "steps": [HELLO, asks]}


async def enter(played: Engine) -> dict[str, str]:
    """One into each journey. Returns their runs by what is wrong for them."""
    runs = dict[str, str]()
    for place, what in enumerate(OTHERWISE):
        customer = f"p{place}"
        await played.customer(customer)
        receipt = await played.accept(played.event("abandoned-cart", customer, cart_id="c", total=place))
        (runs[what],) = [made.run for made in receipt.decisions if made.run]
    played.relay.nudge()
    return runs


async def test_a_walk_that_would_go_another_way_is_fenced_off_and_goes_on_where_its_run_is(
    database_url: str, tmp_path: Path
) -> None:
    """Nobody says rebuild. One of them was moved to another version meanwhile, and the word of it is lost too."""
    file, backup = tmp_path / "temporal.db", tmp_path / "backup.db"
    client = await Client.connect("localhost:1", lazy=True)
    async with (
        Receiver() as receiver,
        engine(client, database_url, ledger=Ledger(), day=DAY, working=False) as played,
    ):
        crm = Endpoint(endpoint="crm", url=receiver.url)
        await put_endpoint(played.store, crm, Seal(HOUSE).seal(new_secret()), by_us(played.now()))
        for place, wrong in enumerate(OTHERWISE.values()):
            await played.publish(read_journey(journey(place, wrong)))
        async with on(played, file):
            runs = await enter(played)
            await until(lambda: _all_got(played, "hello"))
            for run in runs.values():
                await played.until_waiting(run)
        copy(file, backup)
        async with on(played, file):
            for run in runs.values():
                await played.accept(played.event("email-opened", send_id=send_id(run, "hello")))
            played.relay.nudge()
            await until(lambda: _all_stand_at(played, runs, "pause"))
            await played.publish(read_journey(journey(0, OTHERWISE["a message"], {"id": "more", "wait": "1 hour"})))
            await move_runs(played.store, [runs["a message"]], 2, played.now())
            await until(lambda: _nothing_waits(played))
        before = {what: (await get_run(played.store, run)).diary for what, run in runs.items()}

        await asyncio.sleep(DAY.total_seconds() / 2)  # what was asked has come to its end, if nobody answered
        async with on(played, backup):
            await until(lambda: _nobody_is_under_way(played))
        seen = {what: await get_run(played.store, run) for what, run in runs.items()}

        assert sorted(message.send_id for message in played.ledger.took) == sorted(
            send_id(run, step) for run in runs.values() for step in ("hello", "last")
        )
        assert receiver.posted == []
        assert {run.ended for run in seen.values()} == {"completed"}
        assert [what for what, run in seen.items() if any(line.step == "wrong" for line in run.diary)] == []
        assert {what: run.diary[: len(before[what])] for what, run in seen.items()} == before
        assert {run.why for run in seen.values()} == {"all steps done"}
        assert all(run.actions == () for run in seen.values())
        assert (await get_customer(played.store, "p2")).attributes.get("country") != "SE"
        assert (await list_runs(played.store)).next is None


async def _all_got(played: Engine, step: str) -> bool:
    return [message.step for message in played.ledger.took].count(step) == len(OTHERWISE)


async def _all_stand_at(played: Engine, runs: Mapping[str, str], step: str) -> bool:
    found: list[RunView] = [await get_run(played.store, run) for run in runs.values()]
    return {run.step for run in found} == {step}


async def _nothing_waits(played: Engine) -> bool:
    return await played.waiting() == 0


async def _nobody_is_under_way(played: Engine) -> bool:
    return not (await list_runs(played.store, active=True, limit=1)).runs
