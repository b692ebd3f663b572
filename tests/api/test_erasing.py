"""Erasing a customer by HTTP."""

from __future__ import annotations

from tests.api.door import Door, problem

ADA = {"attributes": {"email": "ada@example.com", "first_name": "Ada"}}


async def test_a_customer_is_erased_and_known_no_more(door: Door) -> None:
    await door.put("/v1/customers/ada", ADA)

    would = (await door.http.delete("/v1/customers/ada", params={"dry_run": True})).json()
    did = (await door.http.delete("/v1/customers/ada")).json()

    assert would == did | {"dry_run": True}
    assert did["rows"]["customers"] == 1
    problem(await door.http.get("/v1/customers/ada"), 404, "unknown")


async def test_a_second_time_says_when_it_was_and_erases_nothing(door: Door) -> None:
    await door.put("/v1/customers/ada", ADA)
    await door.http.delete("/v1/customers/ada")

    again = (await door.http.delete("/v1/customers/ada")).json()

    assert again["rows"] == {}
    assert again["erased_before"] == door.clock.now.isoformat().replace("+00:00", "Z")


async def test_whom_nobody_knows_is_told(door: Door) -> None:
    problem(await door.http.delete("/v1/customers/nobody-we-know"), 404, "unknown")


async def test_to_write_customers_is_not_to_erase_them(door: Door) -> None:
    made = await door.post("/v1/keys", {"key": "shop", "scopes": ["customers:read", "customers:write"]})

    answer = await door.http.delete("/v1/customers/ada", headers={"Authorization": f"Bearer {made['secret']}"})

    problem(answer, 403, "forbidden")
