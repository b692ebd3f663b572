"""What needs somebody now: one list of all there is, each with what helps, and nothing of what is well again."""

from __future__ import annotations

from structlog.testing import capture_logs

from journeys.endpoints import Endpoint
from store.brake import hold_journey
from store.channels import set_channel
from store.endpoints import close_endpoint, open_endpoint, put_endpoint
from store.held_journeys import let_go
from store.open_problems import OpenProblem, open_problems
from store.outbox import Postponed, done, lease, postpone
from tests.shop import NOON, Shop, by_us
from workflows.sweep import TellHeld

NAME = "abandoned-cart"
WHY = "the brake: more than 5 people entered within 1 hour"
URL = "https://crm.example.com/hook"


async def hold(shop: Shop) -> None:
    await shop.store.write(lambda connection: hold_journey(connection, NAME, WHY, None, shop.now))


async def found(shop: Shop) -> list[OpenProblem]:
    return list((await open_problems(shop.store)).problems)


async def test_where_all_is_well_nothing_needs_anybody(shop: Shop) -> None:
    await shop.publish()
    await shop.start()
    await set_channel(shop.store, "email", "ok", "", shop.now)

    assert await found(shop) == []


async def test_all_kinds_are_in_one_list_the_oldest_first(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    jobs = await lease(shop.store, shop.now, 10, shop.later(minutes=1) - NOON)
    refused = [Postponed(job.id, shop.later(minutes=1), "the search attribute is not there", True) for job in jobs]
    await postpone(shop.store, refused, shop.now)
    await set_channel(shop.store, "email", "down", "SendGrid does not take the API key (401)", shop.later(minutes=1))
    await put_endpoint(shop.store, Endpoint(endpoint="crm", url=URL), "sealed", by_us(shop.now))
    await close_endpoint(shop.store, "crm", URL, "it answered 410", shop.later(minutes=1))
    shop.later(minutes=1)
    await hold(shop)

    problems = await found(shop)

    assert [(problem.kind, problem.name, problem.why, problem.count) for problem in problems] == [
        ("job refused", run, "the search attribute is not there", 1),
        ("channel down", "email", "SendGrid does not take the API key (401)", None),
        ("endpoint closed", "crm", "it answered 410", None),
        ("journey held", NAME, WHY, 0),
    ]
    assert f"sojourn cancel {run}" in problems[0].help
    assert "/v1/endpoints/crm/open" in problems[2].help
    assert f"sojourn release {NAME}" in problems[3].help

    await done(shop.store, [job.id for job in jobs])
    await set_channel(shop.store, "email", "ok", "", shop.now)
    await open_endpoint(shop.store, "crm", by_us(shop.now))
    await let_go(shop.store, NAME, by_us(shop.now))
    assert await found(shop) == []


async def test_the_log_tells_once_of_a_journey_that_is_held_and_once_that_it_is_no_more(shop: Shop) -> None:
    await shop.publish()
    held = TellHeld()

    with capture_logs() as logs:
        await held.tell(shop.store, shop.now)
        await hold(shop)
        await held.tell(shop.store, shop.now)
        await held.tell(shop.store, shop.now)
        await let_go(shop.store, NAME, by_us(shop.now))
        await held.tell(shop.store, shop.now)
        await held.tell(shop.store, shop.now)

    held_of = {"journey": NAME, "why": WHY, "waiting": 0, "help": f"sojourn release {NAME}"}
    assert logs == [
        {"log_level": "warning", "event": "journey held", **held_of},
        {"log_level": "info", "event": "journey is held no more", "journey": NAME},
    ]
