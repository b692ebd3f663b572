"""Runs whose message is held: what holds it, since when, until when and why, wherever a run is shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from journeys.walk.diary import Held, HeldBy
from store import sends
from store.runs import Holding, get_run, list_runs
from tests.shop import NOON, Shop

NOBODY_AT_NIGHT = [{"channels": ["email"], "from": "21:00", "to": "08:00"}]
NIGHT = datetime.fromisoformat("2026-11-24T21:30:00Z")
MORNING = datetime.fromisoformat("2026-11-25T08:00:00Z")


async def asked(shop: Shop, run: str, step: str = "initial-reminder", **more: Any) -> Held:
    """Ask for a claim that is not given yet."""
    answer = await sends.claim(shop.store, shop.visit(run, step, **more))
    assert isinstance(answer, Held), answer
    return answer


async def held_at_night(shop: Shop, *customers: str) -> list[str]:
    """Runs of these customers, whose first email waits for the morning."""
    await shop.publish()
    await shop.rule(quiet=NOBODY_AT_NIGHT, spread="0 seconds")
    shop.now = NIGHT
    runs = [await shop.start(customer) for customer in customers]
    for run in runs:
        await asked(shop, run)
    return runs


async def test_what_is_held_says_by_what_since_when_until_when_and_why(shop: Shop) -> None:
    (run,) = await held_at_night(shop, "ada")

    seen = await get_run(shop.store, run)

    assert seen.held is not None
    assert (seen.held.by, seen.held.since, seen.held.until) == ("quiet time", NIGHT, MORNING)
    assert seen.held.words == seen.diary[-1].why == f"held until 25 Nov 08:00: {seen.held.why}"
    assert seen.held.why == "quiet time 21:00–08:00 (UTC)"
    assert (await list_runs(shop.store)).runs[0].held == seen.held


async def test_it_is_held_since_it_was_first_held(shop: Shop) -> None:
    (run,) = await held_at_night(shop, "ada")
    shop.later(hours=1)

    await asked(shop, run)

    held = (await get_run(shop.store, run)).held
    assert held is not None
    assert (held.since, held.until) == (NIGHT, MORNING)


async def test_what_went_out_is_held_no_more_and_its_story_keeps_that_it_was(shop: Shop) -> None:
    (run,) = await held_at_night(shop, "ada")
    shop.now = MORNING

    await shop.claim(run)

    seen = await get_run(shop.store, run)
    assert seen.held is None
    assert seen.diary[-1].why.startswith("held until 25 Nov 08:00: quiet time")


async def test_what_ended_is_held_no_more(shop: Shop) -> None:
    (run,) = await held_at_night(shop, "ada")

    await shop.post("purchase-completed")

    assert (await get_run(shop.store, run)).held is None


@pytest.mark.parametrize(
    ("held", "by", "expected"),
    [
        (True, None, ["bob", "ada"]),
        (False, None, ["cy"]),
        (None, "quiet time", ["bob", "ada"]),
        (True, "brake", []),
        (None, None, ["cy", "bob", "ada"]),
    ],
    ids=str,
)
async def test_runs_that_are_held_are_listed(
    shop: Shop, held: bool | None, by: HeldBy | None, expected: list[str]
) -> None:
    await held_at_night(shop, "ada", "bob")
    shop.later(seconds=1)
    await shop.start("cy")

    page = await list_runs(shop.store, held=held, by=by)

    assert [run.customer for run in page.runs] == expected


def test_without_an_end_it_is_held_until_its_journey_is_let_go() -> None:
    held = Holding(by="brake", since=NOON, until=None, why="the brake: too many")

    assert held.words == "held until its journey is let go: the brake: too many"
    assert held.model_copy(update={"until": NOON + timedelta(days=1)}).words.startswith("held until 25 Nov 12:00: ")
