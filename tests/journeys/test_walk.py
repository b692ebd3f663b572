"""The walk by itself, in a world as small as can be: limits, ties, joins and what the diary owes the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from journeys.definition import Message
from journeys.diary import Delivery, Outcome
from journeys.walk import Arrival, Walk
from tests.samples import abandoned_cart

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class SmallWorld:
    """Time jumps to the next arrival or deadline; messages take *slow* to be accepted."""

    def __init__(self, walk: Walk, arrivals: list[tuple[timedelta, Arrival]], outcome: Outcome = "accepted") -> None:
        self.sent: list[tuple[str, timedelta]] = []
        self.waits: list[str] = []
        self.slow = timedelta(0)
        self.asked = 0
        self.settled: Delivery | None = Delivery(outcome="unknown", at=START)
        self._walk = walk
        self._arrivals = sorted(arrivals, key=lambda arrival: arrival[0])
        self._outcome: Outcome = outcome
        self._now = START

    def now(self) -> datetime:
        return self._now

    async def deliver(self, step: Message, following: str | None, expires_at: datetime | None) -> Delivery:
        del following, expires_at
        self._now += self.slow
        self.sent.append((step.id, self._now - START))
        return Delivery(outcome=self._outcome, at=self._now, in_doubt=self._outcome == "unknown")

    async def reconcile(self, step: Message, following: str | None) -> Delivery | None:
        del step, following
        self.asked += 1
        return self.settled

    async def wait(self, until: datetime, arrived: Callable[[], bool], why: str) -> bool:
        self.waits.append(why)
        self._hear()
        while not arrived():
            if self._now >= until:
                return False
            heard = self._arrivals[0][0] + START if self._arrivals else until
            self._now = min(until, max(heard, self._now))
            self._hear()
        return True

    def _hear(self) -> None:
        while self._arrivals and self._arrivals[0][0] + START <= self._now:
            self._walk.arrive(self._arrivals.pop(0)[1])


def answer(step: str, at: timedelta, event: str = "e1") -> Arrival:
    return Arrival(event=event, at=START + at, answers=(step,))


async def walked(
    arrivals: list[tuple[timedelta, Arrival]],
    outcome: Outcome = "accepted",
    slow: timedelta = timedelta(0),
    **changes: object,
) -> tuple[Walk, SmallWorld]:
    walk = Walk(abandoned_cart(**changes).steps, START)
    world = SmallWorld(walk, arrivals, outcome)
    world.slow = slow
    await walk.go(world)
    return walk, world


@pytest.mark.parametrize(
    ("at", "arm"),
    [
        pytest.param(DAY - timedelta(minutes=1), "yes", id="a-minute-before"),
        pytest.param(DAY, "yes", id="at-the-very-instant"),
        pytest.param(DAY + timedelta(seconds=1), "no", id="a-second-after"),
    ],
)
async def test_a_limit_includes_its_last_instant(at: timedelta, arm: str) -> None:
    walk, _ = await walked([(at, answer("opened", at))])

    assert next(entry.arm for entry in walk.diary.entries if entry.arm) == arm


async def test_the_limit_counts_from_the_send_not_from_the_question() -> None:
    steps = [
        {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"},
        {"id": "pause", "wait": "20 hours"},
        {"id": "ask", "if": {"message": "mail", "is": "opened", "within": "1 day"}, "else": []},
    ]

    walk, _ = await walked([], steps=steps)

    assert walk.diary.entries[-1].at == START + DAY


async def test_an_open_before_the_question_answers_it_at_once() -> None:
    steps = [
        {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"},
        {"id": "pause", "wait": "2 days"},
        {"id": "ask", "if": {"message": "mail", "is": "opened", "within": "1 day"}},
    ]

    walk, _ = await walked([(HOUR, answer("ask", HOUR))], steps=steps)

    assert (walk.diary.entries[-1].arm, walk.diary.entries[-1].at) == ("yes", START + 2 * DAY)


async def test_an_event_heard_of_late_counts_only_if_it_occurred_in_time() -> None:
    walk, _ = await walked([(2 * HOUR, answer("opened", 25 * HOUR))])

    assert next(entry.arm for entry in walk.diary.entries if entry.arm) == "no"


async def test_an_event_before_the_step_does_not_answer_a_trigger_question() -> None:
    steps = [
        {"id": "pause", "wait": "1 day"},
        {"id": "ask", "if": {"trigger": "store-visit", "within": "1 day"}},
    ]

    early, _ = await walked([(HOUR, answer("ask", HOUR))], steps=steps)
    late, _ = await walked([(30 * HOUR, answer("ask", 30 * HOUR))], steps=steps)

    assert [walk.diary.entries[-1].arm for walk in (early, late)] == ["no", "yes"]


async def test_waits_do_not_drift_when_sends_are_slow() -> None:
    _, world = await walked([], slow=HOUR)

    assert world.sent == [
        ("initial-reminder", HOUR),
        ("second-reminder", HOUR + DAY + HOUR),
        ("final-reminder", HOUR + DAY + HOUR + DAY + HOUR),
    ]


async def test_both_arms_join_after_the_question() -> None:
    steps = [
        {"id": "mail", "email": "initial-email-reminder", "to": "customer.email"},
        {
            "id": "ask",
            "if": {"message": "mail", "is": "opened", "within": "1 day"},
            "then": [{"id": "yes", "wait": "1 hour"}],
            "else": [{"id": "no", "wait": "2 hours"}],
        },
        {"id": "after", "text": "second-text-reminder", "to": "customer.phone"},
    ]

    _, opened = await walked([(HOUR, answer("ask", HOUR))], steps=steps)
    _, silent = await walked([], steps=steps)

    assert opened.sent[-1] == ("after", 2 * HOUR)
    assert silent.sent[-1] == ("after", 26 * HOUR)


@pytest.mark.parametrize("outcome", ["blocked", "failed", "unknown"])
async def test_a_message_that_does_not_go_out_ends_nothing(outcome: Outcome) -> None:
    walk, world = await walked([], outcome)

    assert [step for step, _ in world.sent] == ["initial-reminder", "second-reminder", "final-reminder"]
    assert next(entry.why for entry in walk.diary.entries if entry.did == "passed") == outcome


@pytest.mark.parametrize(
    ("settled", "why", "sent"),
    [
        pytest.param(Delivery(outcome="accepted", at=START), "accepted", 1, id="the-provider-has-it"),
        pytest.param(Delivery(outcome="unknown", at=START, reason="no news"), "unknown: no news", 1, id="nobody-knows"),
    ],
)
async def test_what_is_unknown_is_asked_for_before_the_run_goes_on(settled: Delivery, why: str, sent: int) -> None:
    walk = Walk(abandoned_cart().steps[:1], START)
    world = SmallWorld(walk, [], "unknown")
    world.settled = settled

    await walk.go(world)

    assert (world.asked, len(world.sent)) == (1, sent)
    assert world.waits == ["Wait for news of initial-email-reminder until 24 Nov 09:02"]
    assert walk.diary.entries[-1].why == why


async def test_what_surely_did_not_go_out_is_sent_again() -> None:
    walk = Walk(abandoned_cart().steps[:1], START)

    class Lossy(SmallWorld):
        async def reconcile(self, step: Message, following: str | None) -> Delivery | None:
            self._outcome = "accepted"
            return await super().reconcile(step, following)

    world = Lossy(walk, [], "unknown")
    world.settled = None
    await walk.go(world)

    assert [step for step, _ in world.sent] == ["initial-reminder", "initial-reminder"]
    assert [entry.why for entry in walk.diary.entries if entry.did == "passed"] == ["accepted"]


async def test_a_message_is_told_when_it_expires() -> None:
    steps = [
        {"id": "pause", "wait": "1 day"},
        {"id": "mail", "email": "initial-email-reminder", "to": "customer.email", "expires": "4 hours"},
    ]
    walk = Walk(abandoned_cart(steps=steps).steps, START)
    told: list[datetime | None] = []

    class Watching(SmallWorld):
        async def deliver(self, step: Message, following: str | None, expires_at: datetime | None) -> Delivery:
            told.append(expires_at)
            return await super().deliver(step, following, expires_at)

    await walk.go(Watching(walk, []))

    assert told == [START + DAY + 4 * HOUR]


async def test_the_same_event_twice_is_recorded_once() -> None:
    walk = Walk(abandoned_cart().steps, START)

    for at in (HOUR, 2 * HOUR):
        walk.arrive(answer("opened", at))

    assert len(walk._arrivals) == 1


async def test_after_a_send_the_store_already_has_the_position() -> None:
    walk = Walk(abandoned_cart().steps, START)
    owed: list[tuple[str, tuple[str, ...]]] = []

    class Watching(SmallWorld):
        async def deliver(self, step: Message, following: str | None, expires_at: datetime | None) -> Delivery:
            owed.append((step.id, tuple(f"{entry.did} {entry.step}" for entry in walk.diary.unwritten)))
            return await super().deliver(step, following, expires_at)

        async def wait(self, until: datetime, arrived: Callable[[], bool], why: str) -> bool:
            owed.append(("wait", tuple(entry.step for entry in walk.diary.unwritten)))
            return await super().wait(until, arrived, why)

    await walk.go(Watching(walk, []))

    assert owed == [
        ("initial-reminder", ()),
        ("wait", ()),
        ("second-reminder", ("passed opened", "entered second-reminder")),
        ("wait", ()),
        ("final-reminder", ("passed pause", "entered final-reminder")),
    ]
    assert walk.diary.unwritten == ()


async def test_waits_say_what_for_and_until_when() -> None:
    _, world = await walked([])

    assert world.waits == ["Wait for opened until 25 Nov 09:00", "Wait 1 day until 26 Nov 09:00"]


async def test_a_pace_scales_every_duration_and_nothing_else() -> None:
    walk = Walk(abandoned_cart().steps, START, day=timedelta(seconds=5))
    world = SmallWorld(walk, [])

    await walk.go(world)

    assert [at for _, at in world.sent] == [timedelta(0), timedelta(seconds=5), timedelta(seconds=10)]
