"""What Temporal has under way and the store has not: it is cancelled again, or nothing is sent for now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from journeys.problems import Unavailable
from journeys.reading import read_content
from journeys.walk.diary import Entry
from journeys.walk.position import Position
from journeys.walk.world import Visit
from store.audit import list_audit
from store.brake import hold_journey
from store.cancelling import cancel_run
from store.catalogue import put_content, ready_content
from store.erasing import erase
from store.house import let_all_go
from store.open_problems import open_problems
from store.pausing import pause
from store.runs import get_run
from store.schema import diary, outbox, runs, sends
from store.sends import claim
from tests.engine import Engine, engine, until, worker
from tests.samples import abandoned_cart
from tests.shop import by_us
from tests.transactions import execute, rows
from workflows.relay import Relay
from workflows.rounds import Rounds


@pytest.fixture
async def played(temporal: WorkflowEnvironment, sqlite_url: str) -> AsyncIterator[Engine]:
    async with engine(temporal.client, sqlite_url, working=False) as built:
        await built.publish(abandoned_cart())
        await built.customer("tess")
        yield built


def rounds(played: Engine, **later: float) -> Rounds:
    return Rounds(played.store, played.client, played.task_queue, lambda: played.now() + timedelta(**later))


async def is_listed(played: Engine) -> bool:
    count = await played.client.count_workflows(f"TaskQueue = '{played.task_queue}' AND ExecutionStatus = 'Running'")
    return count.count > 0


async def kinds(played: Engine) -> list[str]:
    return [row.kind for row in await rows(played.store, select(outbox.c.kind).order_by(outbox.c.id))]


async def test_a_cancel_that_got_lost_is_repeated(played: Engine) -> None:
    run = await played.start("tess")
    await played.accept(played.event("purchase-completed", "tess"))
    await execute(played.store, delete(outbox))
    await until(lambda: is_listed(played))

    assert [await rounds(played).look(), await rounds(played, minutes=2).look()] == [0, 1]

    assert await rounds(played, minutes=2).look() == 0  # it is on its way
    async with worker(played):
        later = Relay(played.store, played.client, played.task_queue, lambda: played.now() + timedelta(minutes=3))
        await later.drain_once()
        await played.until_ended(run)
    assert (await played.handle(run).describe()).status == WorkflowExecutionStatus.CANCELED
    seen = await get_run(played.store, run)
    assert (seen.ended, seen.why) == ("exited", "exit: purchase-completed")  # and no operator's wish
    assert [line.did for line in seen.diary].count("left") == 1


async def waits(played: Engine) -> str:
    run = await played.start("tess")
    await played.until_waiting(run)
    return run


async def parks(played: Engine) -> str:
    subject = {"subject": "{{ 100 | divided_by: event.total }}", "text": "No more: {{ unsubscribe_url }}"}
    broken = read_content({"content": "initial-email-reminder", "email": subject})
    await put_content(played.store, broken, by_us(played.now()))
    await ready_content(played.store, broken.content, by_us(played.now()))
    return await held(played, await played.start("tess", total=0), "park")


async def pauses(played: Engine) -> str:
    run = await only_accepted(played)
    await pause(played.store, "abandoned-cart", by_us(played.now()))
    await played.relay.drain_once()
    return await held(played, run, "pause")


async def brakes(played: Engine) -> str:
    now = played.now()
    await played.store.write(lambda connection: hold_journey(connection, "abandoned-cart", "too many", None, now))
    return await held(played, await played.start("tess"), "brake")


async def only_accepted(played: Engine) -> str:
    """Temporal has still to start it."""
    (made,) = (await played.accept(played.event("abandoned-cart", "tess", cart_id="c1", total=60))).decisions
    return made.run or ""


async def held(played: Engine, run: str, by: str) -> str:
    async def is_held() -> bool:
        holding = (await get_run(played.store, run)).held
        return holding is not None and holding.by == by

    await until(is_held)
    return run


@pytest.mark.parametrize("stands", [waits, parks, pauses, brakes, only_accepted])
async def test_an_operator_s_cancel_that_got_lost_is_repeated_wherever_the_run_stands(
    played: Engine, stands: Callable[[Engine], Awaitable[str]]
) -> None:
    async with worker(played):
        run = await stands(played)
        before = len(played.ledger.asked)
        told = [await cancel_run(played.store, run, why, by_us(played.now())) for why in ("a test", "another reason")]
        await execute(played.store, delete(outbox).where(outbox.c.kind == "cancel"))
        await played.relay.drain_once()
        await until(lambda: is_listed(played))

        assert await rounds(played, minutes=2).look() == 1
        later = Relay(played.store, played.client, played.task_queue, lambda: played.now() + timedelta(minutes=3))
        await later.drain_once()
        await played.until_ended(run)

    assert [answer.changed for answer in told] == [True, False]
    assert (await played.handle(run).describe()).status == WorkflowExecutionStatus.CANCELED
    seen = await get_run(played.store, run)
    assert (seen.ended, seen.ended_by, seen.why) == ("cancelled", "operator", "a test")
    assert [line.did for line in seen.diary].count("left") == 1
    assert len(played.ledger.asked) == before
    assert await kinds(played) == []


async def test_pages_are_gone_through_in_turn(played: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.rounds.PAGE", 2)
    monkeypatch.setattr("workflows.rounds.PAGES", 1)
    started = [await played.start("tess", cart_id=str(number)) for number in range(5)]
    await until(lambda: _all_listed(played, 5))
    await played.accept(played.event("purchase-completed", "tess"))
    await execute(played.store, delete(outbox))
    going = rounds(played, minutes=2)

    cancelled = [await going.look() for _ in range(4)]

    assert sum(cancelled) == 5
    assert max(cancelled) == 2
    assert await kinds(played) == ["cancel"] * 5
    assert {row.run for row in await rows(played.store, select(outbox.c.run))} == set(started)


async def _all_listed(played: Engine, number: int) -> bool:
    return (await played.client.count_workflows(f"TaskQueue = '{played.task_queue}'")).count == number


async def forget(played: Engine, run: str) -> None:
    """As a store does that is set back to before the run."""
    await execute(played.store, *(delete(table).where(table.c.run == run) for table in (diary, outbox, sends)))
    await execute(played.store, delete(runs).where(runs.c.id == run))


async def test_a_run_that_nobody_knows_holds_everything(temporal: WorkflowEnvironment, sqlite_url: str) -> None:
    async with engine(temporal.client, sqlite_url, working=False) as played:
        await played.publish(abandoned_cart())
        for customer in ("tess", "nell"):
            await played.customer(customer)
        run, other = await played.start("tess"), await played.start("nell")
        await until(lambda: _all_listed(played, 2))
        await rounds(played).look()
        assert (await open_problems(played.store)).problems == ()
        counted = await rows(played.store, select(runs).where(runs.c.id == run))
        await forget(played, run)

        await rounds(played).look()
        await rounds(played).look()

        (problem,) = (await open_problems(played.store)).problems
        assert (problem.kind, problem.name) == ("database set back", "everything")
        assert "this database does not know" in problem.why
        assert "SOJOURN_TASK_QUEUE" in problem.help
        (entry,) = (await list_audit(played.store, what="house")).entries
        assert (entry.by, entry.did) == ("Sojourn", "everything held")
        with pytest.raises(Unavailable, match="set back"):
            await claim(played.store, the_first(played, other))
        assert played.ledger.steps == []
        assert await let_all_go(played.store, by_us(played.now()), {})
        async with worker(played):
            await played.until_waiting(other)
        assert played.ledger.steps == ["initial-reminder"]
        await played.store.write(lambda connection: connection.execute(runs.insert(), dict(counted[0]._mapping)))


def the_first(played: Engine, run: str, **more: object) -> Visit:
    step = abandoned_cart().steps[0]
    position = more.pop("position", Position(step=step.id, since=played.now()))
    return Visit.model_validate(
        {"run": run, "version": 1, "step": step, "position": position, "now": played.now()} | more
    )


async def test_who_was_erased_and_comes_back_with_a_backup_of_temporal_is_forgotten_again(played: Engine) -> None:
    run = await played.start("tess")
    await until(lambda: is_listed(played))
    await erase(played.store, "tess", by_us(played.now()))
    await execute(played.store, delete(outbox))  # as if it was told before the backup was put back

    await rounds(played).look()

    assert (await open_problems(played.store)).problems == ()
    assert await kinds(played) == ["cancel", "forget"]
    assert {row.run for row in await rows(played.store, select(outbox.c.run))} == {run}


async def test_whom_somebody_has_cancelled_holds_nothing(played: Engine) -> None:
    run = await played.start("tess")
    await until(lambda: is_listed(played))
    await played.handle(run).cancel()
    kept = await rows(played.store, select(runs).where(runs.c.id == run))
    await forget(played, run)

    await rounds(played).look()

    assert (await open_problems(played.store)).problems == ()
    await played.store.write(lambda connection: connection.execute(runs.insert(), dict(kept[0]._mapping)))


async def test_a_walk_that_is_ahead_of_the_store_holds_everything(played: Engine) -> None:
    run = await played.start("tess")
    ahead = Position(step="initial-reminder", since=played.now(), lines=3)

    with pytest.raises(Unavailable, match="set back"):
        await claim(played.store, the_first(played, run, position=ahead))

    (problem,) = (await open_problems(played.store)).problems
    assert "knows more of some runs" in problem.why
    assert (await get_run(played.store, run)).sends == ()
    with pytest.raises(Unavailable, match="set back"):
        await claim(played.store, the_first(played, run))


async def test_lines_that_are_told_with_the_claim_are_not_ahead(played: Engine) -> None:
    run = await played.start("tess")
    now = played.now()
    lines = (
        Entry(n=1, at=now, step="initial-reminder", did="passed"),
        Entry(n=2, at=now, step="second-reminder", did="entered"),
    )
    second = abandoned_cart().message("second-reminder")
    at = Position(step="second-reminder", since=now, lines=3)

    await claim(played.store, the_first(played, run, step=second, position=at, unwritten=lines))

    assert (await open_problems(played.store)).problems == ()
