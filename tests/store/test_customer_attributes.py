"""The types of customers' attributes: seen, declared, changed and forgotten, as long as nobody relies on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from journeys.catalogue import CustomerAttribute
from journeys.endpoints import Endpoint
from journeys.language.attributes import AttributeType, Value
from journeys.problems import Conflict, Invalid, Unknown
from store import customer_attributes
from store.customer_attributes import (
    AttributeView,
    delete_attribute,
    get_attribute,
    list_attributes,
    put_attribute,
)
from store.customers import put_customer
from store.endpoints import put_endpoint
from store.store import Store
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop, by_us

LATER = NOON + timedelta(days=1)
CRM = Endpoint(endpoint="crm", url="https://crm.example.com/hooks")


async def put(store: Store, name: str, kind: AttributeType, now: Any = LATER) -> bool:
    return await put_attribute(store, CustomerAttribute(attribute=name, type=kind), by_us(now))


async def has(store: Store, id: str, **attributes: Value) -> None:
    await put_customer(store, id, attributes, NOON)


async def reasons(store: Store, name: str, kind: AttributeType | None) -> list[str]:
    with pytest.raises(Conflict) as refused:
        await (put(store, name, kind) if kind else delete_attribute(store, name, by_us(NOON)))
    return [str(flaw) for flaw in refused.value.flaws]


async def test_all_attributes_are_seen_with_what_fixed_their_types(store: Store) -> None:
    await has(store, "ada", email="ada@example.com", points=3)
    await put(store, "born", "date")

    views = {view.attribute: view for view in await list_attributes(store)}

    assert views["points"] == AttributeView(
        attribute="points", type="number", fixed_by="first value", since=NOON, held=True, journeys=()
    )
    assert views["born"] == AttributeView(
        attribute="born", type="date", fixed_by="declaration", since=LATER, held=False, journeys=()
    )
    assert (views["email"].fixed_by, views["email"].held, views["phone"].held) == ("built in", True, False)
    assert list(views) == sorted(views)
    assert await get_attribute(store, "points") == views["points"]
    assert await get_attribute(store, "phone") == views["phone"]


async def test_the_journeys_that_name_an_attribute_are_named(shop: Shop) -> None:
    for name in ("tier", "plan", "status", "work_email"):
        await put(shop.store, name, "text")
    steps = [
        {"id": "hello", "email": "initial-email-reminder", "to": "customer.work_email"},
        {"id": "up", "if": {"trigger": "customer-changed", "where": 'before.plan != "pro"', "within": "1 day"}},
    ]
    start = {"trigger": "abandoned-cart", "where": '"customer.email" != customer.tier'}
    await shop.publish(abandoned_cart(start=start, steps=steps, exit=[{"when": "has(customer.status)"}]))

    used = {view.attribute for view in await list_attributes(shop.store) if view.journeys == ("abandoned-cart",)}

    assert used == {"tier", "plan", "status", "work_email", "first_name"}


async def test_what_is_declared_holds_for_the_first_value(store: Store) -> None:
    assert await put(store, "born", "date")

    with pytest.raises(Invalid) as refused:
        await has(store, "ada", born="yesterday")
    await has(store, "ada", born="1915-12-10")

    [flaw] = refused.value.flaws
    assert flaw.message == '"yesterday" was found, a day such as "2026-03-01" was expected.'
    assert flaw.hint == (
        "born is declared as date since 25 November 2026. PUT /v1/customer-attributes/born changes that."
    )


async def test_a_flaw_says_that_the_first_value_fixed_the_type(store: Store) -> None:
    await has(store, "ada", utm=21546)

    with pytest.raises(Invalid) as refused:
        await has(store, "bob", utm="spring-sale", points=1)

    [flaw] = refused.value.flaws
    assert str(flaw).startswith('attributes.utm: "spring-sale" was found, a number was expected.')
    assert flaw.hint.startswith("utm is a number, by its first value, since 24 November 2026. PUT ")


async def test_what_is_wrong_otherwise_is_not_put_down_to_the_type(store: Store) -> None:
    await has(store, "ada", note="short")

    with pytest.raises(Invalid) as refused:
        await has(store, "bob", note="a" * 40_000)

    assert refused.value.flaws[0].hint == ""


async def test_a_type_that_nobody_has_any_more_can_be_changed(store: Store) -> None:
    await has(store, "ada", utm=21546)
    await has(store, "ada")

    assert not await put(store, "utm", "text")

    await has(store, "bob", utm="spring-sale")
    assert (await get_attribute(store, "utm")).type == "text"


@pytest.mark.parametrize(
    ("kind", "fitting", "other"),
    [
        ("date", ["2026-03-01", "2027-01-01"], "soon"),
        ("time", ["2026-03-01T09:00:00Z"], "2026-03-01"),
        ("text", ["a"], None),
    ],
)
async def test_values_that_fit_stay(store: Store, kind: AttributeType, fitting: list[str], other: str | None) -> None:
    for number, value in enumerate(fitting):
        await has(store, f"c{number}", when=value)

    assert not await put(store, "when", kind)

    if other:
        with pytest.raises(Invalid):
            await has(store, "late", when=other)


async def test_values_that_do_not_fit_are_counted_and_not_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer_attributes, "PAGE", 2)
    for number in range(5):
        await has(store, f"c{number}", when="2026-03-01" if number == 1 else f"secret {number}")

    [reason] = await reasons(store, "when", "date")

    assert reason.startswith('4 customers hold a value that is not a day such as "2026-03-01", such as c0, c2, c3.')
    assert "secret" not in reason
    assert (await get_attribute(store, "when")).type == "text"
    monkeypatch.setattr(customer_attributes, "MOST_MISFITS", 3)
    assert (await reasons(store, "when", "number"))[0].startswith("at least 3 customers hold")


async def test_a_journey_in_use_that_would_break_is_a_reason(shop: Shop) -> None:
    await put(shop.store, "points", "number")
    await shop.publish(abandoned_cart(start={"trigger": "abandoned-cart", "where": "customer.points > 50"}))

    [reason] = await reasons(shop.store, "points", "text")

    assert reason.startswith("abandoned-cart, version 1: start.where: customer.points (text) > 50 (number)")
    assert (await get_attribute(shop.store, "points")).type == "number"


async def test_a_journey_that_could_go_on_is_none(shop: Shop) -> None:
    await put(shop.store, "born", "text")
    await shop.publish(abandoned_cart(exit=[{"when": 'customer.born == "2026-03-01"'}]))

    assert not await put(shop.store, "born", "date")


async def test_one_with_somebody_inside_is_a_reason_too(shop: Shop) -> None:
    await put(shop.store, "points", "number")
    await shop.publish(abandoned_cart(exit=[{"when": "customer.points > 50"}]))
    await shop.start()
    await shop.publish(abandoned_cart(exit=[]))

    assert [reason.partition(":")[0] for reason in await reasons(shop.store, "points", "boolean")] == [
        "abandoned-cart, version 1"
    ]


async def test_to_declare_what_it_is_fixes_it_and_asks_nobody(shop: Shop) -> None:
    await has(shop.store, "ada", points=3)
    await shop.publish(abandoned_cart(exit=[{"when": "customer.points > 50"}]))

    assert not await put(shop.store, "points", "number")

    view = await get_attribute(shop.store, "points")
    assert (view.fixed_by, view.since) == ("declaration", LATER)
    assert not await put(shop.store, "points", "number", LATER + timedelta(days=1))
    assert (await get_attribute(shop.store, "points")).since == LATER


async def test_what_is_built_in_stays(store: Store) -> None:
    built_in = ["it is built in: text, for all customers. Use an attribute of another name."]

    assert await reasons(store, "email", "number") == built_in
    assert await reasons(store, "email", None) == built_in
    assert not await put(store, "email", "text")
    assert (await get_attribute(store, "email")).fixed_by == "built in"


async def test_what_nobody_has_and_names_is_forgotten(store: Store) -> None:
    await has(store, "ada", utm=21546)
    assert [reason.partition(".")[0] for reason in await reasons(store, "utm", None)] == ["customers have values of it"]
    await has(store, "ada")

    assert (await delete_attribute(store, "utm", by_us(NOON))).type == "number"

    with pytest.raises(Unknown, match="no attribute"):
        await get_attribute(store, "utm")
    with pytest.raises(Unknown):
        await delete_attribute(store, "utm", by_us(NOON))
    await has(store, "ada", utm="spring-sale")


async def test_what_a_journey_in_use_names_is_not_forgotten(shop: Shop) -> None:
    await put(shop.store, "plan", "text")
    await shop.publish(abandoned_cart(exit=[{"when": 'customer.plan == "pro"'}]))

    assert [reason.partition(".")[0] for reason in await reasons(shop.store, "plan", None)] == [
        "abandoned-cart in use names it"
    ]


@pytest.mark.parametrize(
    "step",
    [
        {"branch": [{"arm": "pro", "when": 'customer.plan == "pro"'}]},
        {"if": {"becomes": 'customer.plan == "pro"', "within": "1 day"}},
        {"await": {"within": "1 day", "arms": [{"arm": "pro", "becomes": 'customer.plan == "pro"'}]}},
        {"until": {"becomes": 'customer.plan == "pro"', "within": "1 day"}, "steps": [{"id": "p", "wait": "1 hour"}]},
        {"webhook": "crm", "with": {"plan": "customer.plan"}},
        {"set": {"plan": "'pro'"}},
        {"email": "initial-email-reminder", "to": ["customer.email", "customer.plan"]},
    ],
    ids=["branch", "if", "await", "until", "webhook", "set", "to"],
)
async def test_what_any_step_of_one_in_use_names_is_not_forgotten(shop: Shop, step: dict[str, Any]) -> None:
    await put_endpoint(shop.store, CRM, "sealed", by_us(shop.now))
    await put(shop.store, "plan", "text")
    await shop.publish(abandoned_cart(steps=[{"id": "step", **step}], exit=[]))

    assert [reason.partition(".")[0] for reason in await reasons(shop.store, "plan", None)] == [
        "abandoned-cart in use names it"
    ]


async def test_a_date_that_is_waited_for_stays_one(shop: Shop) -> None:
    await put(shop.store, "born", "date")
    until = {"until": "customer.born", "yearly": True, "at": "09:00"}
    await shop.publish(abandoned_cart(steps=[{"id": "birthday", "wait": until}], exit=[]))

    assert await reasons(shop.store, "born", "number") == [
        "abandoned-cart, version 1: steps[0].wait.until: customer.born is a number; a time or a date is expected."
    ]


async def test_who_changes_while_it_is_looked_through_is_seen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await has(store, "ada", when="2026-03-01")
    look = customer_attributes._look_through

    async def overtaken(store: Store, attribute: CustomerAttribute) -> None:
        await look(store, attribute)
        await put_customer(store, "bob", {"when": "soon"}, LATER)

    monkeypatch.setattr(customer_attributes, "_look_through", overtaken)

    [reason] = await reasons(store, "when", "date")

    assert reason.startswith("1 customer holds a value that is not a day")
