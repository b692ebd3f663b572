"""Endpoints in the store: made, rotated, closed, opened, and kept while journeys call them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from journeys.endpoints import Endpoint
from journeys.problems import Conflict, TooMany, Unknown
from journeys.steps import Wait
from journeys.steps.uses import EndpointUse
from store.endpoints import (
    BOTH_SIGN,
    MOST_SECRETS,
    EndpointView,
    Signing,
    close_endpoint,
    closed_endpoints,
    delete_endpoint,
    get_callee,
    get_endpoint,
    list_endpoints,
    open_endpoint,
    put_endpoint,
    rotate_endpoint,
)
from store.store import Store
from tests.samples import abandoned_cart
from tests.shop import NOON, Shop, by_us

CRM = Endpoint(endpoint="crm", url="https://crm.example.com/hooks", title="Our CRM")
LATER = NOON + timedelta(hours=1)


async def test_a_new_one_is_open_and_has_one_secret(store: Store) -> None:
    assert await put_endpoint(store, CRM, "sealed 1", by_us(NOON))

    assert await get_endpoint(store, "crm", NOON) == EndpointView(
        endpoint=CRM,
        state="open",
        reason="",
        since=NOON,
        secrets=(Signing(created_at=NOON),),
        journeys=(),
        created_at=NOON,
        changed_at=NOON,
    )
    callee = await get_callee(store, "crm", NOON)
    assert (callee.endpoint, callee.secrets, callee.closed) == (CRM, ("sealed 1",), "")


async def test_a_changed_one_keeps_its_secret(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed 1", by_us(NOON))
    moved = CRM.model_copy(update={"url": "https://new.example.com"})

    assert not await put_endpoint(store, moved, "sealed 2", by_us(LATER))

    view = await get_endpoint(store, "crm", LATER)
    assert (view.endpoint, view.since, view.created_at, view.changed_at) == (moved, NOON, NOON, LATER)
    assert (await get_callee(store, "crm", LATER)).secrets == ("sealed 1",)


async def test_no_view_tells_a_secret(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed 1", by_us(NOON))
    await rotate_endpoint(store, "crm", "sealed 2", by_us(NOON))

    [listed], _ = await list_endpoints(store, NOON)

    assert "sealed" not in listed.model_dump_json()
    assert "sealed" not in (await get_endpoint(store, "crm", NOON)).model_dump_json()


async def test_after_a_rotation_both_sign_for_a_day(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed 1", by_us(NOON))
    await rotate_endpoint(store, "crm", "sealed 2", by_us(LATER))
    end = LATER + BOTH_SIGN

    view = await get_endpoint(store, "crm", LATER)
    assert view.secrets == (Signing(created_at=LATER), Signing(created_at=NOON, until=end))
    assert (await get_callee(store, "crm", end - timedelta(seconds=1))).secrets == ("sealed 2", "sealed 1")
    assert (await get_callee(store, "crm", end)).secrets == ("sealed 2",)


async def test_a_second_rotation_does_not_prolong_the_first(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed 1", by_us(NOON))
    await rotate_endpoint(store, "crm", "sealed 2", by_us(NOON))
    await rotate_endpoint(store, "crm", "sealed 3", by_us(LATER))

    secrets = (await get_endpoint(store, "crm", LATER)).secrets

    assert [secret.until for secret in secrets] == [None, LATER + BOTH_SIGN, NOON + BOTH_SIGN]
    assert (await get_callee(store, "crm", NOON + BOTH_SIGN)).secrets == ("sealed 3", "sealed 2")


async def test_rotations_have_a_limit_which_passes(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed 0", by_us(NOON))
    for number in range(1, MOST_SECRETS):
        await rotate_endpoint(store, "crm", f"sealed {number}", by_us(NOON))

    with pytest.raises(TooMany) as raised:
        await rotate_endpoint(store, "crm", "one more", by_us(LATER))

    assert raised.value.after == NOON + BOTH_SIGN - LATER
    await rotate_endpoint(store, "crm", "one more", by_us(NOON + BOTH_SIGN))
    assert (await get_callee(store, "crm", NOON + BOTH_SIGN)).secrets == ("one more", f"sealed {MOST_SECRETS - 1}")


async def test_of_many_who_rotate_at_once_none_is_lost(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed 0", by_us(NOON))

    await asyncio.gather(*(rotate_endpoint(store, "crm", f"sealed {n}", by_us(NOON)) for n in range(1, MOST_SECRETS)))

    assert {*(await get_callee(store, "crm", NOON)).secrets} == {f"sealed {n}" for n in range(MOST_SECRETS)}


async def test_one_that_is_closed_says_why_until_it_is_opened(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed", by_us(NOON))

    assert await close_endpoint(store, "crm", CRM.url, "it answered 410 Gone", LATER)
    assert not await close_endpoint(store, "crm", CRM.url, "it answered 410 Gone", LATER + timedelta(hours=1))

    view = await get_endpoint(store, "crm", LATER)
    assert (view.state, view.reason, view.since) == ("closed", "it answered 410 Gone", LATER)
    assert (await get_callee(store, "crm", LATER)).closed == "it answered 410 Gone"
    assert await closed_endpoints(store) == 1

    await open_endpoint(store, "crm", by_us(LATER + timedelta(hours=2)))
    await open_endpoint(store, "crm", by_us(LATER + timedelta(hours=3)))

    view = await get_endpoint(store, "crm", LATER)
    assert (view.state, view.reason, view.since) == ("open", "", LATER + timedelta(hours=2))
    assert await closed_endpoints(store) == 0


async def test_another_address_opens_it_and_another_title_does_not(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed", by_us(NOON))
    await close_endpoint(store, "crm", CRM.url, "it answered 410 Gone", NOON)

    await put_endpoint(store, CRM.model_copy(update={"title": "CRM"}), "", by_us(LATER))
    assert (await get_endpoint(store, "crm", LATER)).state == "closed"

    await put_endpoint(store, CRM.model_copy(update={"url": "https://new.example.com"}), "", by_us(LATER))
    view = await get_endpoint(store, "crm", LATER)
    assert (view.state, view.reason, view.since) == ("open", "", LATER)


async def test_what_a_former_address_answered_closes_nothing(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed", by_us(NOON))

    assert not await close_endpoint(store, "crm", "https://old.example.com", "it answered 410 Gone", NOON)
    assert not await close_endpoint(store, "cmr", CRM.url, "it answered 410 Gone", NOON)

    assert (await get_endpoint(store, "crm", NOON)).state == "open"


async def test_they_are_listed_by_name(store: Store) -> None:
    for name in ("warehouse", "crm"):
        await put_endpoint(store, CRM.model_copy(update={"endpoint": name}), "sealed", by_us(NOON))

    views, unreadable = await list_endpoints(store, NOON)

    assert [view.endpoint.endpoint for view in views] == ["crm", "warehouse"]
    assert unreadable == ()


async def test_one_that_is_deleted_is_gone(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed 1", by_us(NOON))

    await delete_endpoint(store, "crm", by_us(NOON))

    with pytest.raises(Unknown):
        await get_endpoint(store, "crm", NOON)
    assert await put_endpoint(store, CRM, "sealed 2", by_us(LATER))
    assert (await get_callee(store, "crm", LATER)).secrets == ("sealed 2",)


async def test_the_nearest_name_is_told(store: Store) -> None:
    await put_endpoint(store, CRM, "sealed", by_us(NOON))

    for asked in (
        get_endpoint(store, "cmr", NOON),
        get_callee(store, "cmr", NOON),
        rotate_endpoint(store, "cmr", "sealed", by_us(NOON)),
        open_endpoint(store, "cmr", by_us(NOON)),
        delete_endpoint(store, "cmr", by_us(NOON)),
    ):
        with pytest.raises(Unknown, match=r'no endpoint "cmr". Did you mean "crm"\?'):
            await asked


async def test_one_that_a_journey_in_use_calls_is_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # As a step that calls one says it.
    calls = property(lambda _: (EndpointUse("webhook", "crm"),))
    monkeypatch.setattr(Wait, "uses", calls)
    await put_endpoint(shop.store, CRM, "sealed", by_us(NOON))
    await shop.publish(abandoned_cart(steps=[{"id": "pause", "wait": "1 day"}]))

    assert (await get_endpoint(shop.store, "crm", NOON)).journeys == ("abandoned-cart",)
    with pytest.raises(Conflict, match="is called by abandoned-cart"):
        await delete_endpoint(shop.store, "crm", by_us(shop.now))
