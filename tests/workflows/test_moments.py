"""Waits until local times and dates on a real server: what they cost, what Temporal is told, and what moves them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from temporalio.testing import WorkflowEnvironment

from journeys.catalogue import CustomerAttribute
from journeys.definition import send_id
from store.customer_attributes import put_attribute
from store.customers import put_customer
from tests.engine import Clock, Engine, engine
from tests.samples import CUSTOMER, abandoned_cart
from tests.shop import by_us
from tests.stories import clock_of, email, end, pause, push, text, until_moment

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KATHMANDU = {**CUSTOMER, "time_zone": "Asia/Kathmandu"}


@pytest.fixture
async def skipped(clock: Clock, skipping: WorkflowEnvironment, sqlite_url: str) -> AsyncIterator[Engine]:
    async with engine(skipping.client, sqlite_url, clock=clock) as built:
        yield built


async def played(built: Engine, clock: Clock, *steps: dict[str, object], **trial: str) -> list[str]:
    """The history of a run of these steps, played to its end."""
    await built.publish(abandoned_cart(steps=[*steps], start={"trigger": "trial-started"}, exit=[]))
    run = await started(built, **trial)
    await clock.move(clock.now - clock.begin + 3 * DAY)
    await built.until_ended(run)
    return await built.events(run)


async def started(built: Engine, **trial: str) -> str:
    receipt = await built.happen("trial-started", "kim", total=60, **trial)
    return receipt.decisions[-1].run or ""


async def test_a_local_time_costs_one_event_more_than_a_wait(clock: Clock, skipped: Engine) -> None:
    await skipped.customer("kim", KATHMANDU)
    for before in ([email("hello")], []):  # after a message, and as the first step
        plain = await played(skipped, clock, *before, pause("then", "1 day"), text("nudge"))
        local = until_moment("then", clock_of(clock.now, "3 hours"))
        dated = await played(skipped, clock, *before, local, text("nudge"))

        assert len(dated) == len(plain) + 1
        assert dated.count("MARKER_RECORDED") == plain.count("MARKER_RECORDED") + 1
        assert dated.count("WORKFLOW_TASK_COMPLETED") == plain.count("WORKFLOW_TASK_COMPLETED")


async def test_who_is_late_costs_no_timer_and_no_task_of_its_own(clock: Clock, skipped: Engine) -> None:
    await skipped.customer("kim", KATHMANDU)
    straight = await played(skipped, clock, email("hello"), text("nudge"))
    late = until_moment("then", "event.ends_at", late=[text("nudge")])

    dated = await played(skipped, clock, email("hello"), late)

    assert len(dated) == len(straight) + 1


async def test_a_customer_who_moves_or_gets_another_date_waits_as_before(clock: Clock, skipped: Engine) -> None:
    await skipped.customer("kim", KATHMANDU)
    local = until_moment("then", clock_of(clock.begin, "3 hours"))
    await skipped.publish(abandoned_cart(steps=[local, email("hello")], start={"trigger": "trial-started"}, exit=[]))
    run = await started(skipped)
    await skipped.until_waiting(run)

    await clock.move(HOUR)
    await put_customer(skipped.store, "kim", {**CUSTOMER, "time_zone": "America/Lima"}, clock.now)
    await clock.move(DAY)
    await skipped.until_ended(run)

    (seen,) = await skipped.runs("kim")
    assert seen.sends[0].at
    assert round((seen.sends[0].at - clock.begin) / timedelta(minutes=1)) == 180
    assert seen.diary[0].why.endswith("Asia/Kathmandu of customer.time_zone")


async def test_a_walk_that_begins_anew_at_it_waits_as_long(clock: Clock, skipped: Engine) -> None:
    """An answer that nobody has told it of contradicts what comes right after the wait."""
    await skipped.customer("kim", KATHMANDU)
    local = until_moment("then", clock_of(clock.begin, "3 hours"))
    # Over a moment before the wait is: of what is over for longer, a run looks for answers itself.
    question = {"message": "hello", "is": "opened", "within": "2 hours 59 minutes 57 seconds"}
    asked = {"id": "opened", "if": question, "then": [push("thanks")]}
    steps = [email("hello"), local, {**asked, "else": [text("nudge")]}]
    await skipped.publish(abandoned_cart(steps=steps, start={"trigger": "trial-started"}, exit=[]))
    run = await started(skipped)
    await skipped.until_waiting(run)
    await put_customer(skipped.store, "kim", {**CUSTOMER, "time_zone": "America/Lima"}, clock.now)
    await clock.move(HOUR / 2)
    await skipped.accept(skipped.event("email-opened", send_id=send_id(run, "hello")))
    await clock.move(DAY)
    await skipped.until_ended(run)

    (seen,) = await skipped.runs("kim")
    assert [send.step for send in seen.sends] == ["hello", "thanks"]
    assert seen.sends[1].at
    assert round((seen.sends[1].at - clock.begin) / timedelta(minutes=1)) == 180


@pytest.mark.parametrize("zone", ["Europe/Oslo", "Australia/Sydney"])
@pytest.mark.parametrize(
    ("forward", "before"),
    [
        pytest.param(True, timedelta(0), id="left-out-in-spring"),
        pytest.param(False, timedelta(minutes=30), id="twice-in-autumn"),
    ],
)
async def test_half_past_two_as_clocks_change(
    zone: str, forward: bool, before: timedelta, clock: Clock, skipped: Engine
) -> None:
    change = next_change(zone, clock.begin, forward)
    await skipped.customer("kim", {**CUSTOMER, "time_zone": zone})
    evening = until_moment("evening", (change - 12 * HOUR).isoformat())
    night = [until_moment("half-past-two", "02:30"), email("hello"), until_moment("again", "02:30"), text("nudge")]
    await skipped.publish(abandoned_cart(steps=[evening, *night], start={"trigger": "trial-started"}, exit=[]))
    run = await started(skipped)
    await clock.move(change - clock.begin + 3 * DAY)
    await skipped.until_ended(run)

    (seen,) = await skipped.runs("kim")
    first, second = (send.at for send in seen.sends)
    assert first
    assert second
    assert round((first - change) / timedelta(minutes=1)) * timedelta(minutes=1) == -before
    shown = second.astimezone(ZoneInfo(zone))
    assert (f"{shown:%H:%M}", shown.date() - change.astimezone(ZoneInfo(zone)).date()) == ("02:30", DAY)


def next_change(zone: str, begin: datetime, forward: bool) -> datetime:
    """When clocks of a zone are next put *forward*, or back, a day after the beginning or later."""
    hours = (begin.replace(minute=0, second=0, microsecond=0) + n * HOUR for n in range(36, 24 * 400))

    def offset(at: datetime) -> timedelta:
        return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)

    return next(
        at
        for at in hours
        if (offset(at) - offset(at - HOUR) > timedelta(0)) is forward and offset(at) != offset(at - HOUR)
    )


async def test_a_birthday_is_a_day_where_she_is(clock: Clock, skipped: Engine) -> None:
    await put_attribute(skipped.store, CustomerAttribute(attribute="born_on", type="date"), by_us(clock.now))
    here = (clock.begin + 5 * DAY).astimezone(ZoneInfo("Asia/Kathmandu"))
    born_on = f"{here.replace(year=1992):%Y-%m-%d}"
    await skipped.customer("kim", {**KATHMANDU, "born_on": born_on})
    birthday = until_moment("then", "customer.born_on", yearly=True, at="09:00")
    greeting = [birthday, email("hello"), until_moment("late", "customer.born_on", late=[end("over")])]
    await skipped.publish(abandoned_cart(steps=greeting, start={"trigger": "trial-started"}, exit=[]))
    run = await started(skipped)
    await clock.move(7 * DAY)
    await skipped.until_ended(run)

    (seen,) = await skipped.runs("kim")
    assert seen.sends[0].at
    assert f"{seen.sends[0].at.astimezone(ZoneInfo('Asia/Kathmandu')):%Y-%m-%d %H:%M}" == f"{here:%Y-%m-%d} 09:00"
    assert seen.why == "because of over"
    history = await told(skipped, run)
    assert "1992" not in history
    assert "Kathmandu" not in history


async def test_a_customer_who_has_no_birthday_is_late(clock: Clock, skipped: Engine) -> None:
    await put_attribute(skipped.store, CustomerAttribute(attribute="born_on", type="date"), by_us(clock.now))
    await skipped.customer("kim", KATHMANDU)
    birthday = until_moment("then", "customer.born_on", yearly=True, late=[end("nobody-knows")])
    await skipped.publish(abandoned_cart(steps=[birthday], start={"trigger": "trial-started"}, exit=[]))
    run = await started(skipped)
    await skipped.until_ended(run)

    (seen,) = await skipped.runs("kim")
    assert seen.why == "because of nobody-knows"
    assert seen.diary[0].why == "customer.born_on is missing"


async def test_the_history_knows_neither_zone_nor_date(clock: Clock, skipped: Engine) -> None:
    await skipped.customer("kim", KATHMANDU)
    ends = (clock.begin + 5 * DAY).astimezone(UTC).replace(tzinfo=None)
    written = f"{ends.isoformat(timespec='seconds')}.123456+00:00"
    late = until_moment("late", "event.ends_at", before="300 days", then=[end("never")])
    dated = {**email("hello"), "expires": {"at": "event.ends_at", "before": "2 hours"}}
    steps = [late, until_moment("then", clock_of(clock.begin, "3 hours")), dated, end("over")]
    await skipped.publish(abandoned_cart(steps=steps, start={"trigger": "trial-started"}, exit=[]))
    run = await started(skipped, ends_at=written)
    await clock.move(DAY)
    await skipped.until_ended(run)

    history = await told(skipped, run)

    (seen,) = await skipped.runs("kim")
    assert [(send.step, send.state) for send in seen.sends] == [("hello", "accepted")]
    assert "Find out until when then waits" in history  # we do look inside
    for secret in ("Kathmandu", "Asia/", f"{ends:%Y-%m-%dT%H:%M}", f"{ends - 300 * DAY:%Y-%m-%d}", "123456"):
        assert secret not in history


async def told(built: Engine, run: str) -> str:
    """All that the history says, payloads included."""
    history = await built.handle(run).fetch_history()
    return "".join(event.SerializeToString().decode("utf-8", "replace") for event in history.events)
