"""What a rebuild finds and does: each run once, however often and by however many it is begun."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select
from temporalio.testing import WorkflowEnvironment

from journeys.problems import Unavailable
from store.audit import list_audit
from store.customers import get_customer
from store.erasing import erase
from store.missing import SKIPPED, mark_missing, some_missing
from store.rebuilding import begin_again
from store.runs import get_run
from store.schema import outbox
from terminal import rebuilding
from terminal.temporal import Place
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.shop import by_us
from tests.temporal_fixtures import start_temporal
from tests.transactions import execute, rows
from workflows.rebuilding import Rebuild, Rebuilt, Wish
from workflows.relay import Relay
from workflows.search_attributes import CUSTOMER_ID

NOBODY = Rebuilt(
    under_way=0,
    there=0,
    starting=0,
    missing=0,
    due=0,
    ended=0,
    sent_on=0,
    went_back=False,
    given_up=False,
    dry_run=False,
)


@pytest.fixture
async def played(temporal: WorkflowEnvironment, database_url: str) -> AsyncIterator[Engine]:
    async with engine(temporal.client, database_url, working=False) as built:
        await built.publish(abandoned_cart())
        await built.customer("tess")
        yield built


async def enter(played: Engine, number: int, *, told: bool = False) -> list[str]:
    """So many runs of tess's, of whom Temporal knows nothing, unless it is *told* of them."""
    entered = list[str]()
    for cart in range(number):
        receipt = await played.accept(played.event("abandoned-cart", "tess", cart_id=f"{told}-{cart}", total=60))
        entered += [made.run for made in receipt.decisions if made.did == "started" and made.run]
    if told:
        await played.relay.drain_once()
    else:
        await execute(played.store, delete(outbox))
    return entered


async def rebuild(played: Engine, *, at: datetime | None = None, **wish: object) -> Rebuilt:
    wanted = Wish.model_validate(wish)
    return await Rebuild(played.store, played.client, played.task_queue).do(wanted, by_us(at or played.now()))


async def starts(played: Engine) -> dict[str, datetime]:
    """When each start is due that waits."""
    found = await rows(played.store, select(outbox).where(outbox.c.kind == "start").order_by(outbox.c.id))
    assert len({row.run for row in found}) == len(found)
    return {row.run: row.due_at for row in found}


async def test_a_dry_run_says_what_the_act_does_and_the_second_time_there_is_nothing_to_do(played: Engine) -> None:
    lost, there = await enter(played, 3), await enter(played, 2, told=True)
    await mark_missing(played.store, lost, played.now())

    would = await rebuild(played, dry_run=True)
    assert await starts(played) == {}
    done = await rebuild(played)
    again = await rebuild(played)

    assert would == NOBODY.model_copy(update={"under_way": 5, "there": 2, "missing": 3, "due": 3, "dry_run": True})
    assert done == would.model_copy(update={"dry_run": False})
    assert again == NOBODY.model_copy(update={"under_way": 5, "there": 2, "starting": 3})
    assert sorted(await starts(played)) == sorted(lost)
    assert await some_missing(played.store, "", 10) == []
    async with worker(played):
        await played.relay.drain_once()
        for run in (*there, *lost):
            await played.until_waiting(run)
    assert len(played.ledger.took) == 5
    (entry,) = (await list_audit(played.store, what="house")).entries
    assert (entry.did, entry.by, entry.detail) == ("runs rebuilt", "us", {"runs": 3, "sent_on": 0})


async def test_what_ended_in_temporal_ends_here_as_what_it_came_to(played: Engine) -> None:
    (run,) = await enter(played, 1, told=True)
    await played.handle(run).terminate(reason="by hand")

    await until(lambda: _finds_one_ended(played))

    seen = await get_run(played.store, run)
    assert (seen.ended, seen.ended_by, seen.why) == ("aborted", "terminated", "terminated in Temporal: by hand")
    assert await starts(played) == {}


async def test_who_is_erased_while_what_ended_is_compared_keeps_nobody_from_beginning_again(played: Engine) -> None:
    await played.customer("ada")
    gone = await played.start("ada")
    await played.handle(gone).terminate(reason="by hand")
    (lost,) = await enter(played, 1)

    class ErasedMeanwhile(Rebuild):
        async def _compare(self, began, journey):  # type: ignore[no-untyped-def]
            found = await super()._compare(began, journey)
            if found.ended:
                await erase(played.store, "ada", by_us(played.now()))
            return found

    rebuild = ErasedMeanwhile(played.store, played.client, played.task_queue)
    done = await rebuild.do(Wish(), by_us(played.now()))

    assert (done.missing, done.ended) == (1, 0)
    assert list(await starts(played)) == [lost]


async def _finds_one_ended(played: Engine) -> bool:
    return (await rebuild(played)).ended == 1  # Temporal's list comes a little late


async def test_a_rebuild_that_was_cut_off_goes_on_where_it_was(played: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.rebuilding.TOGETHER", 2)
    lost = await enter(played, 5)

    class CutOff(Exception):
        pass

    def cut_off(what: str, done: int, of: int) -> None:
        if what == "Begin again" and done == 2:
            raise CutOff

    with pytest.raises(CutOff):
        await Rebuild(played.store, played.client, played.task_queue, cut_off).do(Wish(), by_us(played.now()))
    begun = await starts(played)
    assert len(begun) == 2
    done = await rebuild(played)

    assert (done.starting, done.missing) == (2, 3)
    assert sorted(await starts(played)) == sorted(lost)


async def test_a_temporal_that_is_new_learns_what_runs_are_searched_by(
    played: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers that are up have told another one."""
    async with await start_temporal(search_attributes=()) as new:
        monkeypatch.setattr(played, "client", new.client)
        monkeypatch.setattr(played, "relay", Relay(played.store, new.client, played.task_queue, played.now))
        (run,) = await enter(played, 1)

        await rebuild(played, journey="abandoned-cart")
        await played.relay.drain_once()

        assert (await played.handle(run).describe()).typed_search_attributes.get(CUSTOMER_ID) == "tess"


async def test_who_is_started_meanwhile_is_not_started_twice(played: Engine) -> None:
    (run,) = await enter(played, 1)

    assert await begin_again(played.store, [run], "now", played.now()) == [run]
    assert await begin_again(played.store, [run], "now", played.now()) == []
    await played.relay.drain_once()
    first = (await played.handle(run).describe()).run_id
    await begin_again(played.store, [run], "now", played.now())  # as one does that compared before it was there
    await played.relay.drain_once()

    assert (await played.handle(run).describe()).run_id == first


async def test_whom_somebody_gives_up_ends(played: Engine) -> None:
    (there,), lost = await enter(played, 1, told=True), await enter(played, 2)

    would, done = await rebuild(played, give_up=True, dry_run=True), await rebuild(played, give_up=True)

    assert (would.missing, done.missing, done.given_up) == (2, 2, True)
    seen = [await get_run(played.store, run) for run in lost]
    assert {(run.ended, run.ended_by) for run in seen} == {("aborted", "missing")}
    assert (await get_run(played.store, there)).ended is None
    assert (await list_audit(played.store, what="house")).entries[0].did == "runs given up"


async def test_only_runs_of_one_journey_are_looked_at(played: Engine) -> None:
    await played.publish(abandoned_cart(journey="another"))
    lost = await enter(played, 1)
    (other,) = [run for run in lost if run.startswith("another")] or [lost[-1]]
    name = other.partition("/")[0]

    done = await rebuild(played, journey=name)

    assert (done.under_way, done.missing) == (1, 1)
    assert list(await starts(played)) == [other]
    assert (await list_audit(played.store, what=f"journey/{name}")).entries[0].did == "runs rebuilt"


async def test_what_came_due_is_done_over_the_time_that_is_named(played: Engine) -> None:
    lost = await enter(played, 6)
    now = played.now()

    await rebuild(played, catch_up=timedelta(minutes=30), at=now)

    due = await starts(played)
    assert sorted(due) == sorted(lost)
    assert all(now <= at <= now + timedelta(minutes=30) for at in due.values())
    assert len(set(due.values())) == 6


async def test_what_came_due_is_left_out_where_somebody_says_skip(
    temporal: WorkflowEnvironment, database_url: str
) -> None:
    """A message and an action; what comes due afterwards is done."""
    email = {"id": "initial-reminder", "email": "initial-email-reminder", "to": "customer.email"}
    tag = {"id": "tag", "set": {"country": "'SE'"}}
    last = {"id": "last", "push": "final-push-notification", "to": "customer.push_token"}
    async with engine(temporal.client, database_url, working=False, day=timedelta(seconds=2)) as built:
        await built.publish(abandoned_cart(steps=[email, {"id": "pause", "wait": "1 day"}, last]))
        await built.publish(abandoned_cart(journey="acts", steps=[tag, last]))
        await built.customer("tess")
        await enter(built, 1)

        await rebuild(built, catch_up="skip")
        async with worker(built):
            await built.relay.drain_once()
            runs = {run.journey: run.id for run in await built.runs("tess")}
            for run in runs.values():
                await built.until_ended(run)
        carts, acts = [await get_run(built.store, runs[name]) for name in ("abandoned-cart", "acts")]

        assert [(send.step, send.state, send.reason) for send in carts.sends] == [
            ("initial-reminder", "blocked", SKIPPED),
            ("last", "accepted", ""),
        ]
        assert [(action.outcome, action.reason) for action in acts.actions] == [("blocked", SKIPPED)]
        assert built.ledger.steps.count("last") == 2
        assert (await get_customer(built.store, "tess")).attributes.get("country") != "SE"


async def test_what_is_not_due_begins_at_once(played: Engine) -> None:
    async with worker(played):
        (run,) = await enter(played, 1, told=True)
        await played.until_waiting(run)
    now = played.now()

    await begin_again(played.store, [run], timedelta(minutes=30), now)

    assert await starts(played) == {run: now}


async def test_where_much_is_due_it_is_spread_as_the_policy_says(
    played: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.rebuilding.MANY", 3)
    await enter(played, 4)
    now = played.now()

    await rebuild(played, at=now)

    due = await starts(played)
    assert len(set(due.values())) == 4
    assert all(now <= at <= now + timedelta(minutes=15) for at in due.values())


async def test_one_that_was_deleted_is_no_sign_that_temporal_was_set_back(played: Engine) -> None:
    (lost,) = await enter(played, 1)
    await enter(played, 1, told=True)

    done = await rebuild(played)

    assert (done.missing, done.went_back, done.sent_on) == (1, False, 0)
    assert list(await starts(played)) == [lost]


async def test_with_all_who_is_there_is_told_where_it_stands(played: Engine) -> None:
    (there,) = await enter(played, 1, told=True)

    done = await rebuild(played, all_=True)

    assert done.sent_on == 1
    (told,) = await rows(played.store, select(outbox))
    assert (told.run, told.kind, told.payload["position"]["step"]) == (there, "move", "initial-reminder")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_command_needs_the_database_and_temporal_alone(played: Engine, sqlite_url: str) -> None:
    await enter(played, 1)
    address = played.client.service_client.config.target_host
    where = rebuilding.Where(sqlite_url, played.task_queue, Place(address))

    told = await rebuilding.rebuild(where, Wish(dry_run=True))

    assert (told.missing, told.dry_run) == (1, True)
    said = "\n".join(line.plain for line in rebuilding.rebuilt(told, Wish()))
    assert "1 run is missing, and would begin again where it stands." in said
    assert rebuilding.question(told) == "Begin 1 run again?"
    assert rebuilding.question(NOBODY) is None
    assert "No run is missing." in "\n".join(line.plain for line in rebuilding.rebuilt(NOBODY, Wish()))
    with pytest.raises(Unavailable, match="No Temporal answers at localhost:1"):
        await rebuilding.rebuild(where._replace(temporal=Place("localhost:1")), Wish())


def test_the_ways_to_catch_up_are_read_as_they_are_typed() -> None:
    assert rebuilding.catch_up("now") == "now"
    assert rebuilding.catch_up("skip") == "skip"
    assert rebuilding.catch_up("30 minutes") == timedelta(minutes=30)
