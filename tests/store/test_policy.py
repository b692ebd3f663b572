"""The policy is kept with all that it was, and one that is put again changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.clearance.policy import NO_POLICY, Policy
from journeys.language.durations import parse
from journeys.problems import Unknown
from journeys.reading import validated
from store.audit import Change
from store.policy import begin_with, get_policy, in_force, list_policies, put_policy
from tests.shop import NOON, Shop

NIGHTS = {"quiet": [{"channels": ["text"], "from": "21:00", "to": "08:00"}]}
WEEKLY = {"caps": [{"channels": ["email"], "at_most": 3, "per": "7 days", "over": "hold"}]}


def policy(**written: object) -> Policy:
    return validated(Policy, written, "policy")


async def test_without_one_nothing_is_asked(shop: Shop) -> None:
    assert (await shop.store.read(in_force)).policy == NO_POLICY
    with pytest.raises(Unknown, match="no policy yet"):
        await get_policy(shop.store)


async def test_the_latest_one_is_in_force_and_those_before_are_kept(shop: Shop) -> None:
    assert await put_policy(shop.store, policy(**NIGHTS), Change("shop", NOON))
    assert await put_policy(shop.store, policy(**WEEKLY), Change("grace", NOON + timedelta(hours=1)))

    latest = await get_policy(shop.store)
    versions = (await list_policies(shop.store)).versions
    assert (latest.number, latest.changed_by, latest.changed_at) == (2, "grace", NOON + timedelta(hours=1))
    assert latest.policy.caps[0].per == parse("7 days")
    assert [(version.number, version.changed_by) for version in versions] == [(2, "grace"), (1, "shop")]
    assert (await shop.store.read(in_force)).policy == latest.policy


async def test_the_same_again_is_no_new_one(shop: Shop) -> None:
    await put_policy(shop.store, policy(**NIGHTS), Change("shop", NOON))

    assert not await put_policy(shop.store, policy(**NIGHTS), Change("shop", NOON))
    assert len((await list_policies(shop.store)).versions) == 1


async def test_versions_come_page_by_page(shop: Shop) -> None:
    for hour in range(3):
        await put_policy(shop.store, policy(spread=f"{hour + 1} minutes"), Change("shop", NOON))

    first = await list_policies(shop.store, limit=2)
    rest = await list_policies(shop.store, limit=2, before=first.next)
    assert [version.number for version in first.versions + rest.versions] == [3, 2, 1]
    assert rest.next is None


async def test_settings_give_the_first_one_only(shop: Shop) -> None:
    assert await begin_with(shop.store, policy(), NOON)
    assert not await begin_with(shop.store, policy(**NIGHTS), NOON)

    assert (await get_policy(shop.store)).changed_by == "settings"
    assert (await get_policy(shop.store)).policy.quiet == ()
