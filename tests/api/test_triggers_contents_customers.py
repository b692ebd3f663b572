"""Triggers, contents and customers over HTTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import yaml

from journeys.reading import write
from tests.api.door import NOW, Door, deps_for, opened, problem
from tests.samples import CUSTOMER, TRIGGERS, abandoned_cart
from tests.shop import Shop

EMAIL = {"content": "hello", "email": {"subject": "Hi", "text": "Hello, or not: {{ unsubscribe_url }}"}}


async def test_a_trigger_is_a_draft_then_ready_then_stopped(door: Door) -> None:
    created = await door.http.put("/v1/triggers/store-visit", json={"attributes": {"city": "text"}})
    ready = await door.post("/v1/triggers/store-visit/ready")
    stopped = await door.post("/v1/triggers/store-visit/stop")

    assert created.status_code == 201
    assert created.json()["state"] == "draft"
    assert created.json()["trigger"] == {"trigger": "store-visit", "attributes": {"city": "text"}}
    assert (ready["state"], stopped["state"]) == ("ready", "stopped")


async def test_putting_it_again_is_no_creation(door: Door) -> None:
    await door.put("/v1/triggers/store-visit", {})

    again = await door.http.put("/v1/triggers/store-visit", json={"title": "A visit"})

    assert again.status_code == 200
    assert again.json()["trigger"]["title"] == "A visit"


async def test_triggers_are_listed_by_name(live: Door) -> None:
    listed = await live.get("/v1/triggers")

    found = {view["trigger"]["trigger"]: view["journeys"] for view in listed["triggers"]}
    used = {"abandoned-cart": ["abandoned-cart"], "purchase-completed": ["abandoned-cart"]}
    assert found == {name: used.get(name, []) for name in TRIGGERS}
    assert list(found) == sorted(found)


async def test_every_flaw_of_a_trigger_is_named(door: Door) -> None:
    answer = await door.http.put("/v1/triggers/visit", json={"atributes": {}, "keep": "maybe"})

    errors = problem(answer, 422, "invalid")["errors"]
    assert {error["path"] for error in errors} == {"atributes", "keep"}
    assert any("attributes" in error["hint"] for error in errors)


async def test_the_name_in_the_body_agrees_with_the_address(door: Door) -> None:
    answer = await door.http.put("/v1/triggers/visit", json={"trigger": "visits"})

    assert problem(answer, 422, "invalid")["errors"][0]["path"] == "trigger"


async def test_a_name_is_checked_in_the_address(door: Door) -> None:
    answer = await door.http.put("/v1/triggers/Visit!", json={})

    assert problem(answer, 422, "invalid")["errors"][0]["path"] == "name"


async def test_a_built_in_trigger_is_taken(door: Door) -> None:
    problem(await door.http.put("/v1/triggers/email-opened", json={}), 409, "conflict")


async def test_a_live_journey_keeps_the_attributes_of_its_trigger(live: Door) -> None:
    answer = await live.http.put("/v1/triggers/abandoned-cart", json={"attributes": {"cart_id": "text"}})

    assert "abandoned-cart" in problem(answer, 409, "conflict")["detail"]


@pytest.mark.parametrize("noun", ["triggers", "contents", "journeys"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_not_there_is_unknown(live: Door, noun: str, method: str) -> None:
    path = f"/v1/{noun}/initial-email-remindr" + ("/stop" if method == "POST" else "")

    body = problem(await live.http.request(method, path), 404, "unknown")

    assert "initial-email-remindr" in body["detail"]


async def test_a_content_is_edited_beside_what_is_sent(door: Door) -> None:
    await door.put("/v1/contents/hello", EMAIL)
    await door.post("/v1/contents/hello/ready")

    edited = await door.put("/v1/contents/hello", {"email": {"subject": "Hey", "text": "Hello"}})

    assert edited["state"] == "ready"
    assert edited["content"]["email"]["subject"] == "Hey"
    assert edited["ready"]["email"]["subject"] == "Hi"


async def test_a_draft_may_be_unfinished_and_is_not_made_ready_so(door: Door) -> None:
    written = await door.put(
        "/v1/contents/hello", {"email": {"subject": "Hi {first_name}", "text": "{{ event.a | mony }}"}}
    )

    assert [flaw["path"] for flaw in written["flaws"]] == ["email.subject", "email.text"]
    assert (await door.get("/v1/contents/hello"))["flaws"] == written["flaws"]
    refused = problem(await door.http.post("/v1/contents/hello/ready"), 422, "invalid")
    assert refused["errors"] == written["flaws"]
    assert (await door.get("/v1/contents/hello"))["state"] == "draft"


async def test_a_draft_is_warned_of_and_made_ready(door: Door) -> None:
    await door.put("/v1/contents/hello", {"text": {"body": "Hi %FNAME%"}})

    ready = await door.post("/v1/contents/hello/ready")

    assert (ready["state"], ready["flaws"]) == ("ready", [])
    assert "%FNAME% looks like a placeholder" in ready["warnings"][0]["message"]


async def test_a_content_that_is_sent_cannot_be_stopped(live: Door) -> None:
    answer = await live.http.post("/v1/contents/initial-email-reminder/stop")

    assert "abandoned-cart" in problem(answer, 409, "conflict")["detail"]


async def test_contents_are_listed(live: Door) -> None:
    listed = await live.get("/v1/contents")

    assert [view["content"]["content"] for view in listed["contents"]] == [
        "final-push-notification",
        "initial-email-reminder",
        "second-text-reminder",
    ]


@pytest.mark.parametrize("address", ["/v1/triggers/abandoned-cart", "/v1/contents/initial-email-reminder"])
async def test_a_definition_can_be_had_as_yaml_and_put_again(live: Door, address: str) -> None:
    written = await live.http.get(address, headers={"Accept": "application/yaml"})

    again = await live.http.put(address, content=written.content, headers={"Content-Type": "application/yaml"})

    assert written.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(written.text)
    assert again.status_code == 200
    assert (await live.http.get(address, headers={"Accept": "application/yaml"})).content == written.content


async def test_a_customer_has_what_was_put_last(door: Door) -> None:
    created = await door.http.put("/v1/customers/ada", json={"attributes": {"email": "a@example.com", "points": 3}})

    replaced = await door.put("/v1/customers/ada", {"customer": "ada", "attributes": {"points": 4}})

    assert created.status_code == 201
    assert replaced["attributes"] == (await door.get("/v1/customers/ada"))["attributes"] == {"points": 4}


async def test_two_services_that_each_know_a_part_keep_the_other_s(door: Door) -> None:
    created = await door.http.patch("/v1/customers/ada", json={"attributes": {"email": "a@example.com", "points": 3}})

    patched = await door.http.patch("/v1/customers/ada", json={"attributes": {"phone": "+15550100", "points": None}})

    assert (created.status_code, patched.status_code) == (201, 200)
    assert patched.json()["attributes"] == {"email": "a@example.com", "phone": "+15550100"}
    assert patched.json()["attributes"] == (await door.get("/v1/customers/ada"))["attributes"]


SWEDISH = {"attributes": {"country": "SE"}}


@pytest.fixture
async def run(live: Door) -> str:
    """A run of Ada's that ends as soon as she is in Sweden."""
    journey = abandoned_cart(exit=[{"when": 'customer.country == "SE"'}])
    await live.http.put("/v1/journeys/abandoned-cart", content=write(journey))
    await live.post("/v1/journeys/abandoned-cart/publish")
    started: str = (await live.event("e1"))["decisions"][0]["run"]
    return started


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_the_answer_to_a_change_says_what_it_did(live: Door, run: str, method: str) -> None:
    nudges = live.clock.nudges
    changed, again = [(await live.http.request(method, "/v1/customers/ada", json=SWEDISH)).json() for _ in range(2)]

    [made] = changed["receipt"]["decisions"]
    assert (made["run"], made["did"], made["why"]) == (run, "exited", 'exit: customer.country == "SE"')
    assert live.clock.nudges == nudges + 1
    assert again == {**changed, "receipt": None}
    kept = await live.get(f"/v1/events/{changed['receipt']['event']}", source="customers")
    assert (kept["trigger"], kept["attributes"], kept["decisions"]) == ("customer-changed", {}, [made])
    assert kept["before"] == CUSTOMER


async def test_the_answer_to_a_change_waits_for_a_send_under_way(live: Door, run: str) -> None:
    shop = Shop(live.store, NOW)
    await shop.claim(run, version=2)

    async with opened(deps_for(live.store, live.clock, drain_for=timedelta(hours=1))) as (_, http):
        changing = asyncio.create_task(http.patch("/v1/customers/ada", json=SWEDISH))
        await asyncio.sleep(0.1)
        assert not changing.done()
        await shop.record(run)
        receipt = (await changing).json()["receipt"]

    assert (receipt["in_flight"], receipt["already_sent"]) == (0, ["initial-reminder"])


async def test_a_change_cannot_be_posted(live: Door) -> None:
    answer = await live.http.post("/v1/events", json={"id": "c1", "trigger": "customer-changed", "customer": "ada"})

    [error] = problem(answer, 422, "invalid")["errors"]
    assert (error["path"], error["hint"]) == ("trigger", "Change the customer: PATCH or PUT /v1/customers/{id}.")


async def test_an_attribute_has_one_type_for_all_customers(door: Door) -> None:
    await door.put("/v1/customers/ada", {"attributes": {"points": 3}})

    answer = await door.http.put("/v1/customers/bob", json={"attributes": {"points": "many"}})

    assert problem(answer, 422, "invalid")["errors"][0]["path"] == "attributes.points"


async def test_an_address_is_no_id(door: Door) -> None:
    answer = await door.http.put("/v1/customers/ada@example.com", json={})

    assert "opaque" in problem(answer, 422, "invalid")["errors"][0]["message"]


async def test_an_unknown_customer_is_unknown(door: Door) -> None:
    problem(await door.http.get("/v1/customers/nobody"), 404, "unknown")
