"""Webhooks of runs on a real Temporal: posted to a real server, and again while there is time, with one id."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from standardwebhooks import Webhook
from temporalio.testing import WorkflowEnvironment

from activities.endpoints import Seal
from activities.endpoints.signing import new_secret
from journeys.endpoints import Endpoint
from store.endpoints import put_endpoint, rotate_endpoint
from store.lifecycle_parked import Wanted
from store.repairs import repair
from store.runs import get_run
from tests.engine import HOUSE, Clock, Engine, engine, until
from tests.fakes.receiver import Receiver, says
from tests.samples import abandoned_cart
from tests.shop import by_us
from tests.stories import email, pause, push, text
from tests.stories import until as until_step

HOUR = timedelta(hours=1)
SECRET = new_secret()
TOLD = {"email": "customer.email", "total": "event.total", "coupon": "event.coupon", "kind": "'cart'", "n": 1}


def crm(**more: object) -> dict[str, object]:
    return {"id": "crm", "webhook": "crm", "with": TOLD, **more}


WENT = {
    "id": "went",
    "branch": [{"arm": "well", "when": 'sent["crm"] == "accepted"', "then": [push("well")]}],
    "otherwise": [text("not-well")],
}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def played(
    clock: Clock, skipping: WorkflowEnvironment, sqlite_url: str, receiver: Receiver
) -> AsyncIterator[Engine]:
    async with engine(skipping.client, sqlite_url, clock=clock) as built:
        await built.customer("ada")
        crm = Endpoint(endpoint="crm", url=receiver.url)
        await put_endpoint(built.store, crm, Seal(HOUSE).seal(SECRET), by_us(clock.now))
        yield built


async def begun(played: Engine, *steps: Mapping[str, object]) -> str:
    await played.publish(abandoned_cart(steps=list(steps)))
    return await played.start("ada")


async def test_an_endpoint_is_told_once_and_signed(played: Engine, receiver: Receiver) -> None:
    run = await begun(played, crm(), WENT)

    await played.until_ended(run)

    (posted,) = receiver.posted
    Webhook(SECRET).verify(posted.body, posted.headers)
    body = json.loads(posted.body)
    assert body["type"] == "abandoned-cart.crm"
    assert body["data"] == {"email": "ada@example.com", "total": 60, "coupon": None, "kind": "cart", "n": 1}
    assert played.ledger.steps == ["well"]


async def test_it_costs_as_much_as_a_message_and_leaves_nothing_personal(played: Engine) -> None:
    run = await begun(played, crm())
    await played.until_ended(run)
    other = await begun(played, email("hello"))
    await played.until_ended(other)

    assert await played.events(run) == await played.events(other)
    history = (await played.handle(run).fetch_history()).to_json()
    assert "ada@example.com" not in history
    assert "coupon" not in json.dumps([entry.why for entry in (await played.runs("ada"))[0].diary])


async def test_it_is_tried_again_with_the_same_id_and_body(clock: Clock, played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(503)
    run = await begun(played, crm(), WENT)
    await receiver.has(2)
    await played.customer("ada", {"email": "new@example.com", "phone": "+15550100", "push_token": "t"})
    receiver.answer = says(200)
    await clock.move(HOUR)

    await played.until_ended(run)

    assert len(receiver.posted) >= 3
    assert len({(posted.headers["webhook-id"], posted.body) for posted in receiver.posted}) == 1
    assert played.ledger.steps == ["well"]


async def test_what_is_refused_is_not_tried_again(played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(400, body=b"ada@example.com is no customer")
    run = await begun(played, crm(), WENT)

    await played.until_ended(run)

    assert len(receiver.posted) == 1
    assert played.ledger.steps == ["not-well"]
    (seen,) = await played.runs("ada")
    passed = next(entry for entry in seen.diary if entry.did == "passed" and entry.step == "crm")
    assert passed.why == 'failed: the endpoint "crm": it answered 400 Bad Request'


async def test_a_run_goes_on_when_its_time_is_over(clock: Clock, played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(500)
    run = await begun(played, crm(within="2 hours"), WENT)
    await receiver.has(2)

    await clock.move(3 * HOUR)
    await played.until_ended(run)

    assert played.ledger.steps == ["not-well"]
    (seen,) = await played.runs("ada")
    passed = next(entry for entry in seen.diary if entry.did == "passed" and entry.step == "crm")
    assert HOUR < passed.at - clock.begin <= 2 * HOUR + timedelta(minutes=1)
    assert passed.why.endswith("nothing more is tried after 2 hours")
    assert len({posted.headers["webhook-id"] for posted in receiver.posted}) == 1


async def test_one_try_where_there_is_no_time(played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(500)
    run = await begun(played, crm(within="0 seconds"), WENT)

    await played.until_ended(run)

    assert len(receiver.posted) == 1
    assert played.ledger.steps == ["not-well"]


async def test_an_exit_ends_the_tries(clock: Clock, played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(500)
    run = await begun(played, crm(), WENT)
    await receiver.has(1)

    await played.happen("purchase-completed", "ada")
    await played.until_ended(run)
    tried = len(receiver.posted)
    await clock.move(5 * HOUR)

    assert len(receiver.posted) <= tried + 1  # one may have been on its way
    (seen,) = await played.runs("ada")
    assert seen.ended == "exited"


async def test_the_limit_of_a_series_leaves_what_follows(clock: Clock, played: Engine, receiver: Receiver) -> None:
    series = {
        "id": "nudges",
        "until": {"trigger": "store-visit", "within": "1 day"},
        "steps": [crm(), pause("long", "2 days"), text("never")],
        "else": [push("then")],
    }
    run = await begun(played, series)

    await clock.move(25 * HOUR)
    await played.until_ended(run)

    assert played.ledger.steps == ["then"]
    assert len(receiver.posted) == 1


@pytest.mark.parametrize(("comes", "left_at"), [(True, HOUR), (False, 2 * HOUR)], ids=["answered", "limit"])
async def test_a_series_is_left_while_a_call_waits_for_its_next_try(
    comes: bool, left_at: timedelta, clock: Clock, played: Engine, receiver: Receiver
) -> None:
    receiver.answer = says(503, "Retry-After: 36000")
    series = {
        "id": "nudges",
        "until": {"trigger": "store-visit", "within": "2 hours"},
        "steps": [crm(), text("never")],
        "then": [push("there")],
        "else": [email("missed")],
    }
    run = await begun(played, series)
    await receiver.has(1)
    if comes:
        await clock.move(HOUR)
        await played.happen("store-visit", "ada", city="Oslo")
    await clock.move(3 * HOUR)
    await played.until_ended(run)

    (seen,) = await played.runs("ada")
    (sent,) = seen.sends
    assert sent.step == ("there" if comes else "missed")
    assert sent.at
    assert abs(sent.at - clock.begin - left_at) < timedelta(minutes=1)
    assert len(receiver.posted) == 1
    (call,) = seen.calls
    assert call.state == "left"


async def test_an_endpoint_that_moves_and_gets_a_new_secret_is_called_where_it_is_then(
    clock: Clock, played: Engine, receiver: Receiver
) -> None:
    receiver.answer = says(503)
    run = await begun(played, crm(), WENT)
    await receiver.has(1)
    other = new_secret()
    await rotate_endpoint(played.store, "crm", Seal(HOUSE).seal(other), by_us(clock.now))
    async with Receiver() as elsewhere:
        await put_endpoint(played.store, Endpoint(endpoint="crm", url=elsewhere.url), "", by_us(clock.now))
        await clock.move(HOUR)
        await played.until_ended(run)

    (posted,) = elsewhere.posted
    assert {posted.headers["webhook-id"]} == {former.headers["webhook-id"] for former in receiver.posted}
    for secret in (SECRET, other):
        Webhook(secret).verify(posted.body, posted.headers)
    assert played.ledger.steps == ["well"]


async def parked(played: Engine, run: str) -> None:
    """Until the run is parked."""

    async def is_parked() -> bool:
        held = (await get_run(played.store, run)).held
        return held is not None and held.by == "park"

    await until(is_parked)


async def test_parked_where_it_gave_up_and_repaired_once_it_is_back(
    clock: Clock, played: Engine, receiver: Receiver
) -> None:
    receiver.answer = says(500)
    run = await begun(played, crm(within="2 hours", failing="park"), WENT)
    await receiver.has(2)
    await clock.move(3 * HOUR)
    await parked(played, run)
    (seen,) = await played.runs("ada")
    assert seen.held is not None
    assert seen.held.why.endswith("500 Internal Server Error; nothing more is tried after 2 hours")
    assert (seen.calls[0].state, seen.calls[0].next_at) == ("parked", None)
    tried = len(receiver.posted)
    receiver.answer = says(503)
    await repair(played.store, "abandoned-cart", Wanted(step="crm"), by_us(clock.now))
    await played.relay.drain_once()
    await receiver.has(tried + 1)  # and again, for two hours anew
    receiver.answer = says(200)
    await clock.move(4 * HOUR)

    await played.until_ended(run)

    assert played.ledger.steps == ["well"]
    assert len({(posted.headers["webhook-id"], posted.body) for posted in receiver.posted}) == 1
    (seen,) = await played.runs("ada")
    assert (seen.calls[0].state, seen.held) == ("accepted", None)


async def test_parked_where_it_was_refused_it_goes_on_without_it(played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(400)
    run = await begun(played, crm(failing="park"), WENT)
    await parked(played, run)

    await repair(played.store, "abandoned-cart", Wanted(), by_us(played.now()), instead="go on")
    await played.relay.drain_once()
    await played.until_ended(run)

    assert len(receiver.posted) == 1
    assert played.ledger.steps == ["not-well"]
    (seen,) = await played.runs("ada")
    assert seen.calls[0].state == "failed"


async def test_an_exit_takes_who_is_parked_at_a_call_out_of_it(played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(400)
    run = await begun(played, crm(failing="park"), WENT)
    await parked(played, run)

    await played.happen("purchase-completed", "ada")
    await played.until_ended(run)

    (seen,) = await played.runs("ada")
    assert (seen.ended, seen.held, seen.calls[0].state) == ("exited", None, "left")


async def test_parked_in_a_series_it_is_left_with_it(clock: Clock, played: Engine, receiver: Receiver) -> None:
    receiver.answer = says(400)
    series = {"trigger": "store-visit", "within": "6 hours"}
    run = await begun(played, until_step("series", series, crm(failing="park"), **{"else": [push("sorry")]}))
    await parked(played, run)

    await clock.move(7 * HOUR)
    await played.until_ended(run)

    assert played.ledger.steps == ["sorry"]
