"""The walk by itself, in a world as small as can be: limits, ties, joins and what the diary owes the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from journeys.definition import Journey
from journeys.walk.diary import Delivery, Held, Outcome
from journeys.walk.position import Arrival, Position
from journeys.walk.walk import Walk
from journeys.walk.world import Visit
from tests.samples import abandoned_cart
from tests.stories import pause, set_, until
from tests.worlds import OnlyMessages

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class SmallWorld(OnlyMessages):
    """Time jumps to the next arrival or deadline; messages take *slow* to be accepted."""

    def __init__(self, walk: Walk, arrivals: list[tuple[timedelta, Arrival]], outcome: Outcome = "accepted") -> None:
        self.sent: list[tuple[str, timedelta]] = []
        self.waits: list[str] = []
        self.slow = timedelta(0)
        self.holds: list[Held] = []
        self._walk = walk
        self._arrivals = sorted(arrivals, key=lambda arrival: arrival[0])
        self._outcome: Outcome = outcome
        self._now = START

    def now(self) -> datetime:
        return self._now

    async def deliver(self, visit: Visit) -> Delivery | Held:
        if self.holds:
            return self.holds.pop(0)
        self._now += self.slow
        self.sent.append((visit.at_step, self._now - START))
        return Delivery(outcome=self._outcome, at=self._now)

    async def wait(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> bool:
        assert until is not None
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


class ActingWorld(SmallWorld):
    """What is done in it is heard of at once. Nothing holds before."""

    def __init__(self, walk: Walk, made: Arrival) -> None:
        super().__init__(walk, [])
        self._made = made

    async def perform(self, visit: Visit) -> Delivery:
        self._walk.arrive(self._made)
        return Delivery(outcome="accepted", at=visit.now)

    async def decide(self, visit: Visit) -> None:
        del visit


def answer(step: str, at: timedelta, event: str = "e1") -> Arrival:
    return Arrival(event=event, at=START + at, answers=(step,))


def begun(journey: Journey, day: timedelta = DAY) -> Walk:
    return Walk(journey.steps, Position.at_start(journey.steps[0].id, START), day=day)


def a_walk(*steps: Mapping[str, object]) -> Walk:
    """Of the abandoned cart, or of other steps."""
    return begun(abandoned_cart(**({"steps": list(steps)} if steps else {})))


async def walked(
    arrivals: list[tuple[timedelta, Arrival]],
    outcome: Outcome = "accepted",
    slow: timedelta = timedelta(0),
    **changes: object,
) -> tuple[Walk, SmallWorld]:
    walk = begun(abandoned_cart(**changes))
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


TWO_QUESTIONS: list[dict[str, Any]] = [
    {
        "id": "visited",
        "if": {"trigger": "store-visit", "within": "2 days"},
        "then": [{"id": "bought", "if": {"trigger": "purchase-completed", "within": "2 days"}, "else": []}],
    },
    {"id": "pause", "wait": "1 day"},
]


@pytest.mark.parametrize(
    ("bought", "heard", "arms", "end"),
    [
        pytest.param(5 * HOUR, 7 * HOUR, ["yes", "yes"], 5 * HOUR + DAY, id="both-heard-of-late"),
        pytest.param(HOUR, 7 * HOUR, ["yes", "no"], 2 * HOUR + 3 * DAY, id="bought-before-the-visit"),
        pytest.param(
            2 * HOUR + 2 * DAY, 2 * HOUR + 2 * DAY, ["yes", "yes"], 2 * HOUR + 3 * DAY, id="bought-at-the-last-instant"
        ),
        pytest.param(3 * HOUR + 2 * DAY, 3 * DAY, ["yes", "no"], 2 * HOUR + 3 * DAY, id="bought-too-late"),
    ],
)
@pytest.mark.parametrize("visit_heard", [2 * HOUR, 7 * HOUR], ids=["visit-at-once", "visit-late"])
async def test_what_follows_a_yes_counts_from_when_its_answer_occurred(
    visit_heard: timedelta, bought: timedelta, heard: timedelta, arms: list[str], end: timedelta
) -> None:
    visit, purchase = answer("visited", 2 * HOUR, "visit"), answer("bought", bought, "purchase")

    walk, _ = await walked([(visit_heard, visit), (heard, purchase)], steps=TWO_QUESTIONS)

    assert [entry.arm for entry in walk.diary.entries if entry.arm] == arms
    assert walk.diary.entries[-1].at == START + end


async def test_one_event_is_not_two_answers() -> None:
    again = {"id": "bought", "if": {"trigger": "store-visit", "within": "2 days"}}
    visit = Arrival(event="visit", at=START + HOUR, answers=("visited", "bought"))
    another = Arrival(event="another", at=START + HOUR, answers=("bought",))
    asked = [{**TWO_QUESTIONS[0], "then": [again]}]

    once, _ = await walked([(HOUR, visit)], steps=asked)
    twice, _ = await walked([(HOUR, visit), (2 * HOUR, another)], steps=asked)

    assert [entry.arm for entry in once.diary.entries if entry.arm] == ["yes", "no"]
    assert [entry.arm for entry in twice.diary.entries if entry.arm] == ["yes", "yes"]


async def test_a_series_hears_of_what_its_last_step_made_though_the_clock_of_its_door_is_ahead() -> None:
    steps = [until("nudges", {"becomes": "customer.vip"}, pause("an-hour", "1 hour"), set_("tag", vip="true"))]
    walk = begun(abandoned_cart(steps=steps))
    changed = answer("nudges", HOUR + timedelta(seconds=3))

    await walk.go(ActingWorld(walk, changed))

    assert walk.diary.entries[-1].arm == "yes"


async def test_in_a_run_of_release_0_1_it_counts_from_when_the_answer_was_heard() -> None:
    journey = abandoned_cart(steps=TWO_QUESTIONS)
    walk = Walk(journey.steps, Position.at_start("visited", START), from_hearing=True)

    await walk.go(SmallWorld(walk, [(7 * HOUR, answer("visited", 2 * HOUR))]))

    assert walk.diary.entries[-1].at == START + 7 * HOUR + 3 * DAY


async def test_in_a_run_of_release_0_1_an_event_of_a_clock_that_is_ahead_answers_twice() -> None:
    again = {"id": "bought", "if": {"trigger": "store-visit", "within": "2 days"}}
    journey = abandoned_cart(steps=[{**TWO_QUESTIONS[0], "then": [again]}])
    walk = Walk(journey.steps, Position.at_start("visited", START), from_hearing=True)
    ahead = Arrival(event="visit", at=START + HOUR + timedelta(seconds=1), answers=("visited", "bought"))

    await walk.go(SmallWorld(walk, [(HOUR, ahead)]))

    assert [entry.arm for entry in walk.diary.entries if entry.arm] == ["yes", "yes"]


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


async def test_a_message_that_is_held_goes_out_when_it_is_let_go_and_all_after_it_counts_from_then() -> None:
    walk = a_walk()
    world = SmallWorld(walk, [])
    world.holds = [Held(until=START + HOUR, why="quiet until 10:00"), Held(until=START + 2 * HOUR, why="a cap")]

    await walk.go(world)

    assert world.waits[:2] == [
        "Hold initial-email-reminder until 24 Nov 10:00: quiet until 10:00",
        "Hold initial-email-reminder until 24 Nov 11:00: a cap",
    ]
    assert world.sent[0] == ("initial-reminder", 2 * HOUR)
    assert world.sent[1] == ("second-reminder", 2 * HOUR + DAY)


async def test_nothing_is_held_longer_than_it_may_be_sent() -> None:
    walk = a_walk({"id": "mail", "email": "initial-email-reminder", "to": "customer.email", "expires": "2 hours"})
    world = SmallWorld(walk, [])
    world.holds = [Held(until=START + 8 * HOUR, why="quiet")]

    await walk.go(world)

    assert world.waits == ["Hold initial-email-reminder until 24 Nov 11:00: quiet"]
    assert world.now() == START + 2 * HOUR


async def test_of_an_event_that_was_heard_twice_the_first_counts() -> None:
    heard = (answer("opened", HOUR), answer("opened", 2 * HOUR))

    walk = Walk(abandoned_cart().steps, Position(step="initial-reminder", since=START, heard=heard))

    assert walk.position.heard == heard[:1]


async def test_a_message_that_is_held_is_visited_anew_at_the_same_position() -> None:
    walk = a_walk(
        {"id": "pause", "wait": "1 day"},
        {"id": "mail", "email": "initial-email-reminder", "to": "customer.email", "expires": "4 hours"},
    )
    visits: list[Visit] = []

    class Watching(SmallWorld):
        async def deliver(self, visit: Visit) -> Delivery | Held:
            visits.append(visit)
            return await super().deliver(visit)

    world = Watching(walk, [])
    world.holds = [Held(until=START + DAY + HOUR, why="quiet")]
    await walk.go(world)

    first, second = visits
    assert first.position == second.position
    assert first.expires_at == second.expires_at == START + DAY + 4 * HOUR
    assert (first.now, second.now) == (START + DAY, START + DAY + HOUR)
    assert [line.did for line in first.unwritten] == ["passed", "entered"]
    assert second.unwritten == ()  # who held it wrote them


async def test_a_message_is_told_when_it_expires() -> None:
    steps = [
        {"id": "pause", "wait": "1 day"},
        {"id": "mail", "email": "initial-email-reminder", "to": "customer.email", "expires": "4 hours"},
    ]
    walk = a_walk(*steps)
    told: list[datetime | None] = []

    class Watching(SmallWorld):
        async def deliver(self, visit: Visit) -> Delivery | Held:
            told.append(visit.expires_at)
            return await super().deliver(visit)

    await walk.go(Watching(walk, []))

    assert told == [START + DAY + 4 * HOUR]


async def test_an_end_leaves_every_arm_and_says_why() -> None:
    end = {"id": "enough", "end": "a member already"}
    ask = {"id": "ask", "if": {"trigger": "store-visit", "within": "1 day"}, "else": [end]}
    walk = a_walk(
        {"id": "outer", "if": {"trigger": "store-visit", "within": "1 day"}, "else": [ask]}, {**end, "id": "x"}
    )

    why = await walk.go(world := SmallWorld(walk, []))

    assert why == "a member already"
    assert [(entry.step, entry.did) for entry in walk.diary.entries[-2:]] == [
        ("enough", "entered"),
        ("enough", "passed"),
    ]
    assert walk.diary.entries[-1].why == "a member already"
    assert world.now() == START + 2 * DAY


async def test_the_same_event_twice_is_recorded_once() -> None:
    walk = a_walk()

    for at in (HOUR, 2 * HOUR):
        walk.arrive(answer("opened", at))

    assert len(walk._arrivals) == 1


async def test_after_a_send_the_store_already_has_the_position() -> None:
    walk = a_walk()
    owed: list[tuple[str, tuple[str, ...]]] = []

    class Watching(SmallWorld):
        async def deliver(self, visit: Visit) -> Delivery | Held:
            owed.append((visit.at_step, tuple(f"{entry.did} {entry.step}" for entry in visit.unwritten)))
            return await super().deliver(visit)

        async def wait(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> bool:
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


async def test_what_waits_into_another_year_says_so() -> None:
    walk = a_walk({"id": "pause", "wait": "60 days"})
    world = SmallWorld(walk, [])

    await walk.go(world)

    assert world.waits == ["Wait 60 days until 23 Jan 2027 09:00"]


async def test_waits_say_what_for_and_until_when() -> None:
    _, world = await walked([])

    assert world.waits == ["Wait for opened until 25 Nov 09:00", "Wait 1 day until 26 Nov 09:00"]


async def test_a_pace_scales_every_duration_and_nothing_else() -> None:
    walk = begun(abandoned_cart(), day=timedelta(seconds=5))
    world = SmallWorld(walk, [])

    await walk.go(world)

    assert [at for _, at in world.sent] == [timedelta(0), timedelta(seconds=5), timedelta(seconds=10)]
