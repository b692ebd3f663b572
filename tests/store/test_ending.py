"""How journeys end: completed by the last one inside, one version stopped, put away; and what each says before."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from journeys.definition import Journey
from journeys.problems import Conflict, Unavailable, Unknown
from store.audit import list_audit
from store.brake import hold_journey
from store.completing import archive, complete
from store.counts import JourneyView
from store.events import Receipt, get_event
from store.inside import Affected, Inside
from store.journeys import get_journey, list_journeys
from store.pausing import pause, resume
from store.runs import get_run
from store.sends import Go
from store.stopping import finish_stops, stop
from store.store import open_store
from tests.samples import abandoned_cart
from tests.shop import Shop, by_us

NAME = "abandoned-cart"


async def seen(shop: Shop) -> JourneyView:
    return await get_journey(shop.store, NAME, shop.now)


async def states(shop: Shop) -> tuple[str, list[str]]:
    view = await seen(shop)
    return view.state, [version.state for version in view.versions]


async def finish(shop: Shop, run: str) -> None:
    """The run's message goes out, and it was the last."""
    await shop.claim(run, following=None)
    await shop.record(run, following=None)


async def two_versions(shop: Shop) -> tuple[str, str]:
    """Ada is inside the first version, Bob in the second, which is live."""
    await shop.publish()
    old = await shop.start("ada")
    await shop.publish(abandoned_cart(exit=[]))
    return old, await shop.start("bob")


def until(shop: Shop, **later: float) -> Journey:
    ends = (shop.now + timedelta(**later)).isoformat()
    return abandoned_cart(start={"trigger": NAME, "until": ends})


async def test_nobody_enters_what_is_completing_and_with_the_last_one_it_is_completed(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()

    await complete(shop.store, NAME, by_us(shop.now))

    assert await states(shop) == ("completing", ["completing"])
    assert (await shop.post(NAME, "bob", total=60)).decisions == ()
    assert isinstance(await shop.claim(run, following=None), Go)
    await shop.record(run, following=None)
    assert await states(shop) == ("completed", ["completed"])
    assert (await get_run(shop.store, run)).ended == "completed"


async def test_one_with_nobody_inside_is_completed_at_once(shop: Shop) -> None:
    await shop.publish()

    answer = await complete(shop.store, NAME, by_us(shop.now))

    assert (answer.inside, answer.runs, answer.changed) == ((), 0, True)
    view = await seen(shop)
    assert (view.state, view.closed_at, view.live_version) == ("completed", shop.now, None)


async def test_one_whose_end_has_come_is_completed_by_itself(shop: Shop) -> None:
    await shop.publish(until(shop, hours=1))
    run = await shop.start()
    assert await states(shop) == ("live", ["live"])

    shop.later(hours=2)

    assert await states(shop) == ("completing", ["completing"])
    await finish(shop, run)
    assert await states(shop) == ("completed", ["completed"])


async def test_published_again_it_is_live_and_people_inside_go_on(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await complete(shop.store, NAME, by_us(shop.now))

    published = await shop.publish()

    assert (published.version, published.new) == (2, True)
    assert await states(shop) == ("live", ["completing", "live"])
    assert (await seen(shop)).closed_at is None
    assert isinstance(await shop.claim(run), Go)
    assert (await get_run(shop.store, await shop.start("bob"))).version == 2


async def test_people_of_a_completing_journey_are_held_by_the_brake_as_others_are(shop: Shop) -> None:
    await shop.publish()
    await shop.start()
    await complete(shop.store, NAME, by_us(shop.now))

    await shop.store.write(lambda connection: hold_journey(connection, NAME, "the brake", None, shop.now))

    assert await states(shop) == ("held", ["held"])


async def test_a_dry_run_of_completing_says_what_the_act_says_and_a_second_act_says_so(shop: Shop) -> None:
    old, _ = await two_versions(shop)
    await shop.claim(old)

    would = await complete(shop.store, NAME, by_us(shop.now), dry_run=True)
    assert (await seen(shop)).state == "live"
    did = await complete(shop.store, NAME, by_us(shop.now))
    again = await complete(shop.store, NAME, by_us(shop.later(hours=1)))

    assert would.inside == (Inside(version=1, runs=1), Inside(version=2, runs=1))
    assert (would.runs, would.in_flight, would.dry_run) == (2, 1, True)
    assert did == would.model_copy(update={"dry_run": False})
    assert again == did.model_copy(update={"changed": False})
    log = (await list_audit(shop.store, what=f"journey/{NAME}")).entries
    assert [(entry.by, entry.detail) for entry in log if entry.did == "journey completed"] == [
        ("us", {"version": 2, "runs": 2})
    ]


@pytest.mark.parametrize("version", [None, 1, 2])
async def test_a_dry_run_of_stopping_says_what_the_act_says_and_a_second_act_says_so(
    shop: Shop, version: int | None
) -> None:
    old, new = await two_versions(shop)
    await shop.claim(old)
    await shop.claim(new)

    would = await stop(shop.store, NAME, by_us(shop.now), version=version, dry_run=True)
    assert (await seen(shop)).counts.active == 2
    did = await stop(shop.store, NAME, by_us(shop.now), version=version)
    again = await stop(shop.store, NAME, by_us(shop.now), version=version)
    dry_again = await stop(shop.store, NAME, by_us(shop.now), version=version, dry_run=True)

    those = [1, 2] if version is None else [version]
    assert [each.version for each in would.inside] == those
    assert (would.runs, would.in_flight, would.changed, would.version) == (len(those), len(those), True, version)
    assert did == would.model_copy(update={"dry_run": False})
    assert (again.runs, again.changed) == (0, False)
    assert again.in_flight == would.in_flight  # whoever asks again, as the first answer was lost, has to know
    assert dry_again == again.model_copy(update={"dry_run": True})
    log = (await list_audit(shop.store, what=f"journey/{NAME}")).entries
    assert [entry.detail for entry in log if entry.did == "journey stopped"] == [
        {"versions": those, "runs": len(those)}
    ]


async def test_an_older_version_is_stopped_alone(shop: Shop) -> None:
    old, new = await two_versions(shop)

    await stop(shop.store, NAME, by_us(shop.now), version=1)

    assert await states(shop) == ("live", ["stopped", "live"])
    ended = await get_run(shop.store, old)
    assert (ended.ended, ended.ended_by) == ("stopped", "stop")
    assert isinstance(await shop.claim(new), Go)
    assert (await get_run(shop.store, await shop.start("cat"))).version == 2


async def test_where_the_live_version_is_stopped_alone_nobody_enters_and_others_go_on(shop: Shop) -> None:
    old, new = await two_versions(shop)

    await stop(shop.store, NAME, by_us(shop.now), version=2)

    assert await states(shop) == ("completing", ["completing", "stopped"])
    assert (await get_run(shop.store, new)).ended == "stopped"
    assert (await shop.post(NAME, "cat", total=60)).decisions == ()
    await finish(shop, old)
    assert await states(shop) == ("completed", ["completed", "stopped"])
    await shop.publish()
    assert await states(shop) == ("live", ["completed", "stopped", "live"])


async def test_where_the_last_version_with_anybody_inside_is_stopped_the_journey_is(shop: Shop) -> None:
    old, _ = await two_versions(shop)
    await stop(shop.store, NAME, by_us(shop.now), version=2)

    await stop(shop.store, NAME, by_us(shop.now), version=1)

    view = await seen(shop)
    assert (view.state, view.stopped_at, view.closed_at) == ("stopped", shop.now, None)
    assert (await get_run(shop.store, old)).ended == "stopped"


async def test_a_stop_ends_a_journey_that_is_completing(shop: Shop) -> None:
    await shop.publish()
    run = await shop.start()
    await complete(shop.store, NAME, by_us(shop.now))

    stopped = await stop(shop.store, NAME, by_us(shop.now))

    assert (stopped.runs, stopped.changed) == (1, True)
    assert await states(shop) == ("stopped", ["stopped"])
    assert (await get_run(shop.store, run)).ended == "stopped"


async def test_what_is_completed_stays_so_when_it_is_stopped(shop: Shop) -> None:
    await shop.publish()
    await complete(shop.store, NAME, by_us(shop.now))

    assert not (await stop(shop.store, NAME, by_us(shop.now))).changed
    assert (await seen(shop)).state == "completed"


async def test_what_cannot_be_ended_is_told(shop: Shop) -> None:
    await shop.publish()

    with pytest.raises(Unknown, match=r"no version 7. It has version 1\."):
        await stop(shop.store, NAME, by_us(shop.now), version=7)
    await stop(shop.store, NAME, by_us(shop.now))
    with pytest.raises(Conflict, match="is stopped"):
        await complete(shop.store, NAME, by_us(shop.now))


async def test_a_run_of_a_version_that_is_stopped_sends_nothing_before_it_is_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = await two_versions(shop)

    async def dies(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as dying:
        dying.setattr("store.stopping._go_on", dies)
        with pytest.raises(ConnectionError):
            await stop(shop.store, NAME, by_us(shop.now), version=1)

    with pytest.raises(Unavailable, match="being stopped"):
        await shop.claim(old)
    assert isinstance(await shop.claim(new), Go)
    assert await finish_stops(shop.store, shop.now) == 1
    assert (await get_run(shop.store, old)).ended == "stopped"
    assert (await get_run(shop.store, new)).ended is None


async def test_nobody_enters_once_completing_is_answered(shop: Shop, database_url: str) -> None:
    await shop.publish()
    elsewhere = Shop(open_store(database_url), shop.now)
    closing = asyncio.create_task(complete(shop.store, NAME, by_us(shop.now)))

    receipts: list[Receipt] = []
    while not closing.done() or len(receipts) < 3:
        receipts.append(await elsewhere.post(NAME, f"customer-{len(receipts)}", total=60))

    entered = sum(bool(receipt.decisions) for receipt in receipts)
    assert (await closing).runs == entered == (await seen(shop)).counts.active
    assert [bool(receipt.decisions) for receipt in receipts] == sorted(
        (bool(receipt.decisions) for receipt in receipts), reverse=True
    )
    await elsewhere.store.close()


async def test_what_is_over_is_archived_and_taken_back(shop: Shop) -> None:
    await shop.publish()
    await complete(shop.store, NAME, by_us(shop.now))

    would = await archive(shop.store, NAME, by_us(shop.now), dry_run=True)
    assert [view.name for view in (await list_journeys(shop.store, shop.now))[0]] == [NAME]
    did = await archive(shop.store, NAME, by_us(shop.now))

    assert did == would.model_copy(update={"dry_run": False})
    assert (await list_journeys(shop.store, shop.now))[0] == []
    assert (await list_journeys(shop.store, shop.now, archived=True))[0] == [await seen(shop)]
    assert (await seen(shop)).archived_at == shop.now
    assert not (await archive(shop.store, NAME, by_us(shop.now))).changed
    with pytest.raises(Conflict, match="is archived"):
        await shop.publish()

    assert (await archive(shop.store, NAME, by_us(shop.now), archived=False)).changed
    assert [view.name for view in (await list_journeys(shop.store, shop.now))[0]] == [NAME]
    await shop.publish()
    assert await states(shop) == ("live", ["completed", "live"])
    log = (await list_audit(shop.store, what=f"journey/{NAME}")).entries
    assert [entry.did for entry in log if entry.did.startswith(("journey arch", "journey tak"))] == [
        "journey taken back",
        "journey archived",
    ]


async def test_one_whose_end_has_come_is_archived_and_who_is_late_does_not_enter(shop: Shop) -> None:
    await shop.publish(until(shop, hours=1))
    in_time = shop.now
    shop.later(hours=2)

    await archive(shop.store, NAME, by_us(shop.now))

    assert (await seen(shop)).live_version is None
    assert (await shop.post(NAME, "bob", total=60, at=in_time)).decisions == ()


async def test_what_goes_on_is_not_archived(shop: Shop) -> None:
    await two_versions(shop)

    with pytest.raises(Conflict, match="2 runs are under way, 1 in version 1, 1 in version 2"):
        await archive(shop.store, NAME, by_us(shop.now))
    await stop(shop.store, NAME, by_us(shop.now))
    await shop.publish()
    with pytest.raises(Conflict, match="newcomers take version 3"):
        await archive(shop.store, NAME, by_us(shop.now))


@pytest.mark.parametrize("how", ["complete", "stop", "stop the live version"])
async def test_who_waits_to_enter_a_paused_journey_does_not_once_it_ends(shop: Shop, how: str) -> None:
    await shop.publish()
    await shop.start("ada")
    await pause(shop.store, NAME, by_us(shop.now))
    await shop.post(NAME, "bob", total=60, id="bob-came")
    version = 1 if how.endswith("version") else None

    async def act(*, dry_run: bool) -> Affected:
        if how == "complete":
            return await complete(shop.store, NAME, by_us(shop.now), dry_run=dry_run)
        return await stop(shop.store, NAME, by_us(shop.now), version=version, dry_run=dry_run)

    would, did, again = await act(dry_run=True), await act(dry_run=False), await act(dry_run=False)

    assert (would.waiting, did.waiting, again.waiting) == (1, 1, 0)
    made = (await get_event(shop.store, "api", "bob-came")).decisions
    assert made[-1].did == "ignored"
    assert "waited" in made[-1].why
    await resume(shop.store, NAME, by_us(shop.now))
    assert (await seen(shop)).counts.active == (1 if how == "complete" else 0)


async def test_a_paused_journey_that_is_completed_stays_paused_for_those_inside(shop: Shop) -> None:
    await shop.publish()
    await shop.start()
    await pause(shop.store, NAME, by_us(shop.now))

    await complete(shop.store, NAME, by_us(shop.now))

    assert await states(shop) == ("paused", ["paused"])
    await resume(shop.store, NAME, by_us(shop.now))
    assert await states(shop) == ("completing", ["completing"])
