"""Stories of journeys that are paused: what goes on, what waits, and what becomes of it when they are resumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from journeys.clearance.consent import Rules
from journeys.clearance.releases import CatchUp, Over
from journeys.definition import Journey
from tests.policy_stories import (
    AT_ELEVEN,
    BRAKE,
    EXPIRING,
    FOUR,
    IN_A_SERIES,
    IN_A_SHORT_SERIES,
    NIGHTS,
    blocked,
    bought,
    by_night,
    completes,
    left,
    ruled,
    says,
    sent_copies,
)
from tests.stories import (
    EMAIL,
    PUSH,
    SWEDISH,
    TEXT,
    VERSION_2,
    LetGo,
    Line,
    Pause,
    Publish,
    Resume,
    Run,
    Send,
    Stop,
    Story,
    at,
    buys,
    cart,
    completed,
    email,
    moves,
    opens,
    pause,
    push,
    reminders,
    sends,
    starting,
    text,
    visitors,
    visits,
    walking,
)


def pauses(when: str, journey: str = "abandoned-cart") -> Pause:
    return Pause(at(when), journey)


def resumes(when: str, catch_up: CatchUp = "now", journey: str = "abandoned-cart") -> Resume:
    return Resume(at(when), catch_up, journey)


def ending(after: str) -> Callable[[datetime], Journey]:
    return lambda begin: starting(until=(begin + at(after)).isoformat())(begin)


A_DAY_APART = walking(email("a"), pause("one", "1 day"), text("b"), pause("two", "1 day"), push("c"))
RAISES = {"id": "tell", "raise": "store-visit", "with": {"city": '"Oslo"'}}
SETS = {"id": "move", "set": {"country": '"SE"'}}
IN_TURN = ruled("14 minutes")
AT_ONCE = ruled()


def by_day(lines: tuple[Line, ...], *runs: Run, **more: Any) -> Story:
    """A story by day, in which all that waited goes out at one instant, if not said otherwise."""
    return Story(lines, runs, **{"policy": AT_ONCE, **more})


PAUSE_STORIES: dict[str, Story] = {
    # --- who is inside --------------------------------------------------------------------------------
    "paused-with-an-if-under-way": by_day(
        (cart(), pauses("1 hour"), resumes("3 days")), completed("4 days", reminders("", "3 days", "4 days"))
    ),
    "opened-while-it-is-paused": by_day(
        (cart(), pauses("1 hour"), opens("12 hours"), resumes("3 days")), completed("12 hours", reminders(""))
    ),
    "paused-and-resumed-before-anything-is-due": by_day(
        (cart(), pauses("1 hour"), resumes("2 hours")), completed("2 days", reminders("", "1 day", "2 days"))
    ),
    "paused-for-a-year": by_day(
        (cart(), pauses("1 hour"), resumes("365 days")), completed("366 days", reminders("", "365 days", "366 days"))
    ),
    "three-messages-a-day-apart-never-go-out-together": by_day(
        (cart(), pauses("1 hour"), resumes("30 days")),
        completed("31 days", sends(a="", b="30 days", c="31 days")),
        journey=A_DAY_APART,
    ),
    "paused-twice": by_day(
        (cart(), pauses("1 hour"), resumes("3 days"), pauses("3 days 1 hour"), resumes("10 days")),
        completed("10 days", reminders("", "3 days", "10 days")),
    ),
    "bought-while-it-is-paused": by_day(
        (cart(), pauses("1 hour"), buys("2 days"), resumes("3 days")), bought("2 days", *reminders(""))
    ),
    "moved-to-sweden-while-it-is-paused": by_day(
        (cart(), pauses("1 hour"), moves("2 days", "SE"), resumes("3 days")),
        left("2 days", *reminders("")),
        journey=walking(email(EMAIL), pause("a-day", "1 day"), text("nudge"), exit=[{"when": SWEDISH}]),
    ),
    "opted-out-while-it-is-paused": by_day(
        (cart(), pauses("1 hour"), says("2 days", "out"), resumes("3 days")),
        completes("4 days", *reminders(""), blocked(TEXT, "3 days"), Send(PUSH, at("4 days"))),
        policy=ruled(consent=Rules(text="non-restrictive").model_dump()),
    ),
    "expires-while-it-is-paused": by_day(
        (cart(), pauses("1 hour"), resumes("10 hours")),
        completes("10 hours", blocked("nudge", "5 hours"), Send("then", at("10 hours"))),
        journey=EXPIRING,
    ),
    "stopped-while-it-is-paused": by_day(
        (cart(), pauses("1 hour"), cart("2 hours", "c2"), Stop(at("3 days"))),
        Run("stopped", at("3 days"), reminders("")),
    ),
    "visits-while-a-series-is-paused": by_day(
        (cart(), pauses("1 hour"), visits("6 hours", "Oslo"), resumes("12 hours")),
        completed("12 hours", sends(thanks="12 hours")),
        journey=IN_A_SERIES,
    ),
    "a-series-ends-while-it-is-paused": by_day(
        (cart(), pauses("1 hour"), resumes("12 hours")),
        completed("16 hours", sends(sorry="16 hours")),
        journey=IN_A_SHORT_SERIES,
    ),
    # --- with what else holds ---------------------------------------------------------------------------
    "resumed-at-night": by_night(
        (cart(), pauses("1 hour"), resumes("6 hours")),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
    ),
    "paused-at-night-and-resumed-by-day": by_night(
        (cart(), pauses("6 hours"), resumes("15 hours")),
        completed("15 hours", sends(nudge="15 hours")),
        journey=AT_ELEVEN,
        policy=NIGHTS,
    ),
    "paused-and-resumed-while-it-is-held-by-the-night": by_night(
        (cart(), pauses("6 hours"), resumes("7 hours", "skip")),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
    ),
    "let-go-by-the-brake-it-is-still-paused": by_day(
        (cart(), pauses("4 hours"), LetGo(at("5 hours")), resumes("6 hours")),
        completed("6 hours", sent_copies("", "1 hour", "2 hours", "6 hours")),
        journey=FOUR,
        policy=BRAKE,
    ),
    "resumed-it-is-still-held-by-the-brake": by_day(
        (cart(), pauses("4 hours"), resumes("5 hours", "skip"), LetGo(at("6 hours"))),
        completed("6 hours", sent_copies("", "1 hour", "2 hours", "6 hours")),
        journey=FOUR,
        policy=BRAKE,
    ),
    # --- how it catches up ------------------------------------------------------------------------------
    "resumed-each-in-turn": by_day(
        (cart(), pauses("1 hour"), resumes("3 days")),
        completed("4 days 5 minutes", reminders("", "3 days 5 minutes", "4 days 5 minutes")),
        policy=IN_TURN,
    ),
    "resumed-over-ten-hours": by_day(
        (cart(), pauses("1 hour"), resumes("3 days", Over(over=at("10 hours")))),
        completed("4 days 7 hours 59 minutes", reminders("", "3 days 7 hours 59 minutes", "4 days 7 hours 59 minutes")),
        policy=IN_TURN,
    ),
    "resumed-but-skipped": by_day(
        (cart(), pauses("1 hour"), resumes("3 days", "skip")),
        completes("4 days", *reminders(""), blocked(TEXT, "3 days"), Send(PUSH, at("4 days"))),
    ),
    "skipped-is-only-what-waited": by_day(
        (cart(), pauses("1 hour"), resumes("2 hours", "skip")), completed("2 days", reminders("", "1 day", "2 days"))
    ),
    "what-comes-soon-after-what-is-skipped": by_day(
        (cart(), pauses("1 minute"), resumes("3 hours", "skip")),
        completes("3 hours 1 minute", blocked("nudge", "3 hours"), Send("then", at("3 hours 1 minute"))),
        journey=walking(pause("an-hour", "1 hour"), text("nudge"), pause("a-minute", "1 minute"), push("then")),
    ),
    # --- who would enter --------------------------------------------------------------------------------
    "starts-that-wait-and-an-exit-among-them": by_day(
        (
            pauses(""),
            cart("1 hour", "c1"),
            cart("2 hours", "c2"),
            buys("3 hours", "c1"),
            resumes("5 days"),
        ),
        completed("7 days", reminders("5 days", "6 days", "7 days")),
        journey=starting(),
    ),
    "a-start-that-waits-takes-its-turn": by_day(
        (pauses(""), cart("1 hour", id="e1"), resumes("5 days")),
        completed("7 days 2 minutes", reminders("5 days 2 minutes", "6 days 2 minutes", "7 days 2 minutes")),
        policy=IN_TURN,
    ),
    "waits-count-from-the-resume-of-a-start": by_day(
        (pauses(""), cart("1 hour"), resumes("5 days")),
        completed("5 days 3 hours", sends(nudge="5 days 3 hours")),
        journey=AT_ELEVEN,
    ),
    "a-start-that-waits-is-skipped": by_day((pauses(""), cart("1 hour"), resumes("5 days", "skip"))),
    "its-end-comes-while-it-is-paused": by_day(
        (pauses(""), cart("1 hour"), resumes("3 days")), journey=ending("2 days")
    ),
    "starts-that-wait-one-of-which-repeat-lets-in": by_day(
        (pauses(""), cart("1 hour"), cart("2 hours"), resumes("5 days")),
        completed("7 days", reminders("5 days", "6 days", "7 days")),
        journey=starting(repeat="never"),
    ),
    "started-anew-when-resumed": by_day(
        (cart(), pauses("1 hour"), cart("2 hours"), resumes("5 days")),
        left("5 days", *reminders("")),
        completed("7 days", reminders("5 days", "6 days", "7 days")),
        journey=starting(overlap="restart"),
    ),
    "who-is-under-way-keeps-another-out-at-once": by_day(
        (cart(), pauses("1 hour"), cart("2 hours"), opens("3 hours"), resumes("5 days")),
        completed("3 hours", reminders("")),
        journey=starting(overlap="ignore"),
    ),
    "who-waits-enters-the-version-that-is-live-by-then": by_day(
        (pauses(""), cart("1 hour"), Publish(at("2 hours"), VERSION_2), resumes("5 days")),
        completed("5 days 2 hours", sends(only_text="5 days 2 hours"), version=2),
    ),
    "published-while-it-is-paused-it-stays-so": by_day(
        (cart(), pauses("1 hour"), Publish(at("2 hours"), VERSION_2), resumes("3 days")),
        completed("4 days", reminders("", "3 days", "4 days")),
    ),
    # --- actions ----------------------------------------------------------------------------------------
    "what-is-raised-waits": by_day(
        (cart(), pauses("1 hour"), resumes("5 hours")),
        Run("completed", at("5 hours"), ()),
        Run("completed", at("5 hours"), sends(hello="5 hours"), journey="visitors"),
        journey=walking(pause("two-hours", "2 hours"), RAISES),
        beside=(visitors(push("hello")),),
    ),
    "what-is-raised-is-skipped": by_day(
        (cart(), pauses("1 hour"), resumes("5 hours", "skip")),
        Run("completed", at("5 hours"), ()),
        journey=walking(pause("two-hours", "2 hours"), RAISES),
        beside=(visitors(push("hello")),),
    ),
    "what-is-raised-for-a-journey-that-is-paused": by_day(
        (cart(), pauses("1 minute", "visitors"), resumes("5 hours", journey="visitors")),
        Run("completed", at("2 hours"), ()),
        Run("completed", at("5 hours"), sends(hello="5 hours"), journey="visitors"),
        journey=walking(pause("two-hours", "2 hours"), RAISES),
        beside=(visitors(push("hello")),),
    ),
    "what-is-set-waits": by_day(
        (cart(), pauses("1 hour"), resumes("5 hours")),
        left("5 hours"),
        journey=walking(pause("two-hours", "2 hours"), SETS, pause("long", "9 days"), exit=[{"when": SWEDISH}]),
    ),
}
