"""Stories of the house's policy: what is held, what is blocked, and what becomes of who is held.

Those of quiet times begin in the evening, at 20:00 by the clocks of the customer, an hour before the night.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from journeys.catalogue import Content
from journeys.clearance.consent import NOT_ASKED, Choice, Consent, Rules
from journeys.clearance.policy import Policy
from journeys.reading import read_content, validated
from tests.samples import CONTENTS, CUSTOMER
from tests.stories import (
    IN_KATHMANDU,
    KATHMANDU,
    SWEDISH,
    LetGo,
    Line,
    Rule,
    Run,
    Says,
    Send,
    Stop,
    Story,
    arm,
    at,
    buys,
    cart,
    changes,
    completed,
    email,
    moves,
    of_visitors,
    pause,
    push,
    sends,
    text,
    trial,
    until,
    visitors,
    visits,
    walking,
)

A_DAY = timedelta(days=1)
OSLO, NEW_YORK = "Europe/Oslo", "America/New_York"


def ruled(spread: str = "0 seconds", **said: object) -> Policy:
    """A policy that asks for nothing but what is said, and lets all that it held go at one instant."""
    return validated(Policy, {"consent": NOT_ASKED.model_dump(), "brake": {}, "spread": spread, **said}, "policy")


def shows(zone: str, clock: str = "20:00", weekday: int | None = None) -> Callable[[datetime], datetime]:
    """The next time that clocks in a zone show that, on that day of the week (Monday is 0)."""

    def begins(now: datetime) -> datetime:
        local = now.astimezone(ZoneInfo(zone))
        day = datetime.combine(local.date(), time.fromisoformat(clock), ZoneInfo(zone))
        while day < now or weekday not in (None, day.weekday()):
            day += A_DAY
        return day.astimezone(now.tzinfo)

    return begins


def before_a_change(zone: str, by: timedelta) -> Callable[[datetime], datetime]:
    """20:00 on the evening before the next night in which clocks in a zone are moved by so much."""

    def begins(now: datetime) -> datetime:
        evening = shows(zone)(now).astimezone(ZoneInfo(zone))
        while offset(evening + A_DAY) - offset(evening) != by:
            evening += A_DAY
        return evening.astimezone(now.tzinfo)

    return begins


def offset(at: datetime) -> timedelta:
    return at.utcoffset() or timedelta()


Lines = tuple[Line, ...] | Callable[[datetime], tuple[Line, ...]]


def by_night(lines: Lines, *runs: Run, **more: Any) -> Story:
    """A story that begins an hour before the night in Kathmandu."""
    told = {"policy": NIGHTS, "customer": IN_KATHMANDU, "begins": shows(KATHMANDU), **more}
    return Story(lines, runs, **told)


def by_day(lines: Lines, *runs: Run, **more: Any) -> Story:
    return Story(lines, runs, **more)


def changing(zone: str, hours: int, released: str, policy: Policy | None = None) -> Story:
    """A text in the night in which clocks are moved by some hours, and when it goes out."""
    return Story(
        (cart(),),
        (completed(released, sends(nudge=released)),),
        AT_ELEVEN,
        customer={**CUSTOMER, "time_zone": zone},
        policy=policy or NIGHTS,
        begins=before_a_change(zone, timedelta(hours=hours)),
    )


def says(when: str, choice: Choice, channel: str = "text") -> Says:
    return Says(at(when), Consent.model_validate({"channel": channel, "choice": choice}))


def blocked(step: str, when: str) -> Send:
    return Send(step, at(when), "blocked")


def completes(when: str, *sent: Send) -> Run:
    return Run("completed", at(when), sent)


def left(when: str, *sent: Send, goal: bool = False) -> Run:
    return Run("exited", at(when), sent, goal_at=at(when) if goal else None)


def bought(when: str, *sent: Send) -> Run:
    return left(when, *sent, goal=True)


def copy(n: int, **more: object) -> dict[str, object]:
    """The nth step that sends the same email."""
    return {**email(f"copy-{n}"), **more}


def copies(*numbers: int, wait: str = "1 hour") -> list[Mapping[str, object]]:
    """The same email, an hour apart."""
    steps: list[Mapping[str, object]] = []
    for n in numbers:
        steps += [*([pause(f"wait-{n}", wait)] if steps else []), copy(n)]
    return steps


def sent_copies(*times: str) -> tuple[Send, ...]:
    return tuple(Send(f"copy-{n}", at(when)) for n, when in enumerate(times, 1))


def changed_contents(*written: Mapping[str, object]) -> dict[str, Content]:
    """The usual contents, some of them written anew."""
    return {**CONTENTS, **{content.content: content for content in map(read_content, written)}}


NIGHT = {"from": "21:00", "to": "08:00"}
NIGHTS = ruled(quiet=[NIGHT])
BOTH = ["commercial", "transactional"]
RECEIPTS = changed_contents(
    {"content": "second-text-reminder", "purpose": "transactional", "text": {"body": "Your receipt."}}
)
CANNOT_BE_FILLED_IN = changed_contents(
    {"content": "second-text-reminder", "text": {"body": "{{ 100 | divided_by: event.total }}"}}
)

AT_ELEVEN = walking(pause("three-hours", "3 hours"), text("nudge"))
AT_ELEVEN_ONLY = walking(pause("three-hours", "3 hours"), text("nudge"), exit=[])
EXPIRING = walking(pause("three-hours", "3 hours"), {**text("nudge"), "expires": "2 hours"}, push("then"))
IN_A_SERIES = walking(
    until(
        "series",
        {"trigger": "store-visit"},
        pause("three-hours", "3 hours"),
        text("nudge"),
        then=[push("thanks")],
        **{"else": [email("sorry")]},
    ),
    exit=[],
)
IN_A_SHORT_SERIES = walking(
    until(
        "series",
        {"trigger": "store-visit", "within": "6 hours"},
        pause("three-hours", "3 hours"),
        text("nudge"),
        **{"else": [pause("ten-hours", "10 hours"), email("sorry")]},
    ),
    exit=[],
)
ONE_A_DAY = {"at_most": 1, "per": "24 hours"}
THREE = walking(email("hello"), pause("an-hour", "1 hour"), text("nudge"), pause("hours", "23 hours"), push("last"))
HELLO_AT_ONCE = walking(email("hello"), exit=[])
BRAKE = ruled(brake={"same_content": {"at_most": 3, "per": "24 hours"}})
SLOWLY = ruled("30 minutes", brake={"same_content": {"at_most": 3, "per": "24 hours"}})
FOUR = walking(*copies(1, 2, 3, 4))
GO = LetGo(at("10 hours"))

POLICY_STORIES: dict[str, Story] = {
    # --- quiet times ----------------------------------------------------------------------------------
    "a-text-at-night-goes-out-in-the-morning": by_night(
        (cart(),), completed("12 hours", sends(nudge="12 hours")), journey=AT_ELEVEN
    ),
    "a-text-before-the-night": by_night(
        (cart(),),
        completed("59 minutes", sends(nudge="59 minutes")),
        journey=walking(pause("a-while", "59 minutes"), text("nudge")),
    ),
    "a-text-as-the-night-begins": by_night(
        (cart(),),
        completed("12 hours", sends(nudge="12 hours")),
        journey=walking(pause("an-hour", "1 hour"), text("nudge")),
    ),
    "a-text-as-the-night-ends": by_night(
        (cart(),),
        completed("12 hours", sends(nudge="12 hours")),
        journey=walking(pause("half-a-day", "12 hours"), text("nudge")),
    ),
    "a-text-at-night-by-clocks-of-the-house": by_night(
        (cart(),),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
        customer=CUSTOMER,
        policy=ruled(quiet=[NIGHT], time_zone=KATHMANDU),
    ),
    "a-text-at-night-by-clocks-of-the-journey": by_night(
        (cart(),),
        completed("12 hours", sends(nudge="12 hours")),
        journey=walking(pause("three-hours", "3 hours"), text("nudge"), time_zone=KATHMANDU),
        customer=CUSTOMER,
    ),
    "a-night-of-23-hours-in-oslo": changing(OSLO, 1, "11 hours"),
    "a-night-of-25-hours-in-oslo": changing(OSLO, -1, "13 hours"),
    "a-night-of-23-hours-in-new-york": changing(NEW_YORK, 1, "11 hours"),
    "a-night-of-25-hours-in-new-york": changing(NEW_YORK, -1, "13 hours"),
    "a-night-that-ends-in-the-hour-that-is-not-there": changing(
        OSLO, 1, "6 hours", ruled(quiet=[{"from": "22:00", "to": "02:30"}])
    ),
    "a-night-that-ends-in-the-hour-that-comes-twice": changing(
        OSLO, -1, "6 hours 30 minutes", ruled(quiet=[{"from": "22:00", "to": "02:30"}])
    ),
    "a-night-that-begins-in-the-hour-that-is-not-there": Story(
        (cart(),),
        (completed("11 hours", sends(nudge="11 hours")),),
        walking(pause("until-two", "6 hours"), text("nudge")),
        customer={**CUSTOMER, "time_zone": OSLO},
        policy=ruled(quiet=[{"from": "02:30", "to": "08:00"}]),
        begins=before_a_change(OSLO, timedelta(hours=1)),
    ),
    "a-friday-night-goes-on-into-saturday": Story(
        (cart(),),
        (completed("10 hours", sends(nudge="10 hours")),),
        AT_ELEVEN,
        customer=IN_KATHMANDU,
        policy=ruled(quiet=[{"on": ["fri"], "from": "22:00", "to": "06:00"}]),
        begins=shows(KATHMANDU, weekday=4),
    ),
    "a-thursday-night-is-no-friday-night": Story(
        (cart(),),
        (completed("3 hours", sends(nudge="3 hours")),),
        AT_ELEVEN,
        customer=IN_KATHMANDU,
        policy=ruled(quiet=[{"on": ["fri"], "from": "22:00", "to": "06:00"}]),
        begins=shows(KATHMANDU, weekday=3),
    ),
    "quiet-times-that-touch-are-one-hold": Story(
        (cart(),),
        (completed("26 hours", sends(hello="26 hours")),),
        walking(email("hello")),
        customer=IN_KATHMANDU,
        policy=ruled(quiet=[{"on": ["sat"]}, {"on": ["sun"], "from": "00:00", "to": "12:00"}]),
        begins=shows(KATHMANDU, "10:00", 5),
    ),
    "quiet-times-that-touch-are-spread-once": Story(
        (cart(),),
        (completed("26 hours 12 minutes", sends(hello="26 hours 12 minutes")),),
        walking(email("hello")),
        customer=IN_KATHMANDU,
        policy=ruled("15 minutes", quiet=[{"on": ["sat"]}, {"on": ["sun"], "from": "00:00", "to": "12:00"}]),
        begins=shows(KATHMANDU, "10:00", 5),
    ),
    "the-spread-ends-before-the-expiry": by_night(
        (cart(),),
        completed("12 hours 3 minutes", sends(nudge="12 hours 3 minutes")),
        journey=walking(pause("three-hours", "3 hours"), {**text("nudge"), "expires": "9 hours 5 minutes"}),
        policy=ruled("15 minutes", quiet=[NIGHT]),
    ),
    "an-email-in-a-night-for-texts": by_night(
        (cart(),),
        completed("12 hours", sends(hello="3 hours", nudge="12 hours")),
        journey=walking(pause("three-hours", "3 hours"), email("hello"), text("nudge")),
        policy=ruled(quiet=[{"channels": ["text"], **NIGHT}]),
    ),
    "a-text-that-ignores-the-night": by_night(
        (cart(),),
        completed("12 hours", sends(nudge="3 hours", last="12 hours")),
        journey=walking(pause("three-hours", "3 hours"), {**text("nudge"), "quiet": "ignore"}, push("last")),
    ),
    "a-receipt-at-night": by_night(
        (cart(),), completed("3 hours", sends(nudge="3 hours")), journey=AT_ELEVEN, contents=RECEIPTS
    ),
    "a-receipt-in-a-night-that-names-receipts": by_night(
        (cart(),),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
        contents=RECEIPTS,
        policy=ruled(quiet=[{"purpose": BOTH, **NIGHT}]),
    ),
    "a-night-of-a-country-that-is-not-known": by_night(
        (cart(),),
        completed("3 hours", sends(nudge="3 hours")),
        journey=AT_ELEVEN,
        policy=ruled(quiet=[{"where": SWEDISH, **NIGHT}]),
    ),
    "a-night-of-her-country": by_night(
        (cart(), moves("1 hour", "SE")),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
        policy=ruled(quiet=[{"where": SWEDISH, **NIGHT}]),
    ),
    "leaves-the-country-of-the-night": by_night(
        (cart(), moves("1 hour", "SE"), moves("5 hours", "NO")),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
        policy=ruled(quiet=[{"where": SWEDISH, **NIGHT}]),
    ),
    # --- while it is held -----------------------------------------------------------------------------
    "bought-while-it-is-held": by_night((cart(), buys("6 hours")), bought("6 hours"), journey=AT_ELEVEN),
    "bought-as-it-is-let-go": by_night((cart(), buys("12 hours")), bought("12 hours"), journey=AT_ELEVEN),
    "swedish-while-it-is-held": by_night(
        (cart(), moves("6 hours", "SE")),
        left("6 hours"),
        journey=walking(pause("three-hours", "3 hours"), text("nudge"), exit=[{"when": SWEDISH}]),
    ),
    "opted-out-while-it-is-held": by_night(
        (cart(), says("6 hours", "out")),
        completes("12 hours", blocked("nudge", "12 hours")),
        journey=AT_ELEVEN,
        policy=ruled(quiet=[NIGHT], consent=Rules(text="non-restrictive").model_dump()),
    ),
    "opted-in-while-it-is-held": by_night(
        (says("", "out"), cart("1 minute"), says("2 hours", "in")),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
        policy=ruled(quiet=[NIGHT], consent=Rules().model_dump()),
    ),
    "expires-while-it-is-held": by_night(
        (cart(),), completes("12 hours", blocked("nudge", "5 hours"), Send("then", at("12 hours"))), journey=EXPIRING
    ),
    "a-date-comes-while-it-is-held": by_night(
        trial(ends="6 hours"),
        completes("6 hours", blocked("nudge", "6 hours")),
        journey=walking(
            pause("three-hours", "3 hours"),
            {**text("nudge"), "expires": {"at": "event.ends_at"}},
            start={"trigger": "trial-started"},
        ),
    ),
    "a-date-comes-after-it-is-held": by_night(
        trial(ends="13 hours"),
        completed("12 hours", sends(nudge="12 hours")),
        journey=walking(
            pause("three-hours", "3 hours"),
            {**text("nudge"), "expires": {"at": "event.ends_at"}},
            start={"trigger": "trial-started"},
        ),
    ),
    "loses-the-phone-while-it-is-held": by_night(
        (cart(), changes("6 hours", phone=None)),
        completes("12 hours", blocked("nudge", "12 hours")),
        journey=AT_ELEVEN,
    ),
    "visits-while-a-series-is-held": by_night(
        (cart(), visits("6 hours", "Oslo")), completed("12 hours", sends(thanks="12 hours")), journey=IN_A_SERIES
    ),
    "nobody-visits-while-a-series-is-held": by_night(
        (cart(),), completed("12 hours", sends(nudge="12 hours", sorry="12 hours")), journey=IN_A_SERIES
    ),
    "a-series-ends-while-it-is-held": by_night(
        (cart(),), completed("16 hours", sends(sorry="16 hours")), journey=IN_A_SHORT_SERIES
    ),
    "moves-to-a-later-night-while-it-is-held": by_night(
        (cart(), changes("6 hours", time_zone="UTC")),
        completed("17 hours 45 minutes", sends(nudge="17 hours 45 minutes")),
        journey=AT_ELEVEN,
    ),
    "moves-to-where-it-is-day-while-it-is-held": by_night(
        (cart(), changes("6 hours", time_zone="Asia/Tokyo")),
        completed("12 hours", sends(nudge="12 hours")),
        journey=AT_ELEVEN,
    ),
    "stopped-while-it-is-held": by_night(
        (cart(), Stop(at("6 hours"))), Run("stopped", at("6 hours"), ()), journey=AT_ELEVEN
    ),
    "another-policy-while-it-is-held": by_night(
        (cart(), Rule(at("6 hours"), ruled(quiet=[{"from": "21:00", "to": "10:00"}]))),
        completed("14 hours", sends(nudge="14 hours")),
        journey=AT_ELEVEN,
    ),
    "what-comes-after-a-hold-counts-from-its-release": by_night(
        (cart(),),
        completed("38 hours", sends(nudge="12 hours", then="14 hours", last="38 hours")),
        journey=walking(
            pause("three-hours", "3 hours"),
            text("nudge"),
            pause("two-hours", "2 hours"),
            push("then"),
            pause("a-day", "1 day"),
            email("last"),
        ),
    ),
    "a-hold-after-a-hold": by_night(
        (cart(),),
        completed("36 hours", sends(nudge="12 hours", last="36 hours")),
        journey=walking(pause("three-hours", "3 hours"), text("nudge"), pause("half-a-day", "14 hours"), push("last")),
    ),
    # --- caps -----------------------------------------------------------------------------------------
    "a-cap-blocks-and-a-place-is-free-after-a-day": by_day(
        (cart(),),
        completes("24 hours", Send("hello", at("")), blocked("nudge", "1 hour"), Send("last", at("24 hours"))),
        journey=THREE,
        policy=ruled(caps=[ONE_A_DAY]),
    ),
    "a-cap-holds": by_day(
        (cart(),),
        completed("48 hours", sends(hello="", nudge="24 hours", last="48 hours")),
        journey=THREE,
        policy=ruled(caps=[{**ONE_A_DAY, "over": "hold"}]),
    ),
    "one-cap-holds-and-one-blocks": by_day(
        (cart(),),
        completes("24 hours", Send("hello", at("")), blocked("nudge", "1 hour"), Send("last", at("24 hours"))),
        journey=THREE,
        policy=ruled(caps=[{**ONE_A_DAY, "over": "hold"}, {"at_most": 1, "per": "3 hours"}]),
    ),
    "a-cap-over-two-channels": by_day(
        (cart(),),
        completes(
            "1 hour", Send("hello", at("")), Send("last", at("")), blocked("again", "1 hour"), blocked("more", "1 hour")
        ),
        journey=walking(email("hello"), push("last"), pause("an-hour", "1 hour"), text("again"), email("more")),
        policy=ruled(caps=[{**ONE_A_DAY, "channels": ["email", "text"]}]),
    ),
    "two-caps-of-two-channels": by_day(
        (cart(),),
        completed("3 hours", sends(hello="", nudge="", again="1 hour", more="3 hours")),
        journey=walking(email("hello"), text("nudge"), email("again"), text("more")),
        policy=ruled(
            caps=[
                {"at_most": 1, "per": "1 hour", "channels": ["email"], "over": "hold"},
                {"at_most": 1, "per": "3 hours", "channels": ["text"], "over": "hold"},
            ]
        ),
    ),
    "two-journeys-of-one-customer-under-one-cap": by_day(
        (cart(), visits("1 minute", "Oslo")),
        completed("", sends(hello="")),
        of_visitors(completed("24 hours", sends(welcome="24 hours"))),
        journey=HELLO_AT_ONCE,
        beside=(visitors(push("welcome")),),
        policy=ruled(caps=[{**ONE_A_DAY, "over": "hold"}]),
    ),
    "two-journeys-wait-for-one-place": by_day(
        (cart(), visits("1 minute", "Oslo"), visits("2 hours", "Rome")),
        completed("", sends(hello="")),
        of_visitors(completed("54 hours 6 minutes", sends(welcome="54 hours 6 minutes"))),
        of_visitors(completed("26 hours 37 minutes", sends(welcome="26 hours 37 minutes"))),
        journey=HELLO_AT_ONCE,
        beside=(visitors(push("welcome"), overlap="parallel"),),
        policy=ruled("4 hours", caps=[{**ONE_A_DAY, "over": "hold"}]),
    ),
    "what-ignores-caps-takes-a-place": by_day(
        (cart(),),
        completes("1 hour", Send("hello", at("")), Send("nudge", at("")), blocked("last", "1 hour")),
        journey=walking(email("hello"), {**text("nudge"), "caps": "ignore"}, pause("an-hour", "1 hour"), push("last")),
        policy=ruled(caps=[{**ONE_A_DAY, "at_most": 2}]),
    ),
    "what-is-blocked-or-failed-takes-no-place": by_day(
        (cart(total=0),),
        Run("completed", at(""), (blocked("hello", ""), Send("nudge", at(""), "failed"), Send("last", at("")))),
        journey=walking(email("hello"), {**text("nudge"), "failing": "go on"}, push("last")),
        policy=ruled(caps=[ONE_A_DAY]),
        customer={**CUSTOMER, "email": ""},
        contents=CANNOT_BE_FILLED_IN,
    ),
    "a-receipt-above-a-cap": by_day(
        (cart(),),
        completes("24 hours", Send("hello", at("")), Send("nudge", at("1 hour")), Send("last", at("24 hours"))),
        journey=THREE,
        policy=ruled(caps=[ONE_A_DAY]),
        contents=RECEIPTS,
    ),
    "a-receipt-under-a-cap-that-names-receipts": by_day(
        (cart(),),
        completes("24 hours", Send("hello", at("")), blocked("nudge", "1 hour"), Send("last", at("24 hours"))),
        journey=THREE,
        policy=ruled(caps=[{**ONE_A_DAY, "purpose": BOTH}]),
        contents=RECEIPTS,
    ),
    "a-place-that-is-free-at-night": by_night(
        (cart(),),
        completed("12 hours", sends(hello="", nudge="12 hours")),
        journey=walking(email("hello"), text("nudge")),
        policy=ruled(quiet=[NIGHT], caps=[{"at_most": 1, "per": "3 hours", "over": "hold"}]),
    ),
    "bought-while-a-cap-holds": by_day(
        (cart(), buys("6 hours")),
        bought("6 hours", Send("hello", at(""))),
        journey=THREE,
        policy=ruled(caps=[{**ONE_A_DAY, "over": "hold"}]),
    ),
    "expires-while-a-cap-holds": by_day(
        (cart(),),
        completes("3 hours", Send("hello", at("")), blocked("nudge", "3 hours")),
        journey=walking(email("hello"), pause("an-hour", "1 hour"), {**text("nudge"), "expires": "2 hours"}),
        policy=ruled(caps=[{**ONE_A_DAY, "over": "hold"}]),
    ),
    # --- the brake ------------------------------------------------------------------------------------
    "the-fourth-copy-holds-the-journey": by_day(
        (cart(), GO),
        completed("10 hours", sent_copies("", "1 hour", "2 hours", "10 hours")),
        journey=FOUR,
        policy=BRAKE,
    ),
    "copies-are-counted-anew-after-it-is-let-go": by_day(
        (cart(), GO, LetGo(at("20 hours"))),
        completed("20 hours", sent_copies("", "1 hour", "2 hours", "10 hours", "11 hours", "12 hours", "20 hours")),
        journey=walking(*copies(1, 2, 3, 4, 5, 6, 7)),
        policy=BRAKE,
    ),
    "three-copies-a-day-are-as-many-as-there-may-be": by_day(
        (cart(),),
        completed("24 hours", sent_copies("", "8 hours", "16 hours", "24 hours")),
        journey=walking(*copies(1, 2, 3, 4, wait="8 hours")),
        policy=BRAKE,
    ),
    "who-is-let-go-goes-out-in-turn": by_day(
        (cart(), GO),
        completed("10 hours 17 minutes", sent_copies("", "1 hour", "2 hours", "10 hours 17 minutes")),
        journey=FOUR,
        policy=SLOWLY,
    ),
    "everybody-in-the-journey-waits": by_day(
        (cart(), cart("5 hours", "c2"), GO, LetGo(at("20 hours"))),
        completed("10 hours", sent_copies("", "1 hour", "2 hours", "10 hours")),
        completed("21 hours", sent_copies("10 hours", "11 hours", "20 hours", "21 hours")),
        journey=FOUR,
        policy=BRAKE,
    ),
    "a-wait-goes-on-while-the-journey-is-held": by_day(
        (cart(), cart("30 minutes", "c2", total=200), LetGo(at("4 hours"))),
        completed("4 hours", sent_copies("", "1 hour", "2 hours", "4 hours")),
        completed("5 hours 30 minutes", sends(nudge="5 hours 30 minutes")),
        journey=walking(
            {
                "id": "size",
                "branch": [arm("large", pause("five-hours", "5 hours"), text("nudge"), when="event.total > 100")],
                "otherwise": copies(1, 2, 3, 4),
            }
        ),
        policy=BRAKE,
    ),
    "another-journey-is-not-held": by_day(
        (cart(), visits("4 hours", "Oslo"), GO),
        completed("10 hours", sent_copies("", "1 hour", "2 hours", "10 hours")),
        of_visitors(completed("4 hours", sends(welcome="4 hours"))),
        journey=FOUR,
        beside=(visitors(push("welcome")),),
        policy=BRAKE,
    ),
    "copies-by-another-journey-hold-that-one": by_day(
        (cart(), visits("4 hours", "Oslo"), LetGo(at("10 hours"), "visitors")),
        completed("", sends(one="", two="", three="")),
        of_visitors(completed("10 hours", sends(welcome="10 hours"))),
        journey=walking(push("one"), push("two"), push("three"), exit=[]),
        beside=(visitors(push("welcome")),),
        policy=BRAKE,
    ),
    "expires-while-the-journey-is-held": by_day(
        (cart(),),
        completes("5 hours", *sent_copies("", "1 hour", "2 hours"), blocked("copy-4", "5 hours")),
        journey=walking(*copies(1, 2, 3), pause("an-hour", "1 hour"), copy(4, expires="2 hours")),
        policy=BRAKE,
    ),
    "a-date-comes-while-the-journey-is-held": by_day(
        trial(ends="6 hours"),
        completes("6 hours", *sent_copies("", "1 hour", "2 hours"), blocked("copy-4", "6 hours")),
        journey=walking(
            *copies(1, 2, 3),
            pause("an-hour", "1 hour"),
            copy(4, expires={"at": "event.ends_at"}),
            start={"trigger": "trial-started"},
        ),
        policy=BRAKE,
    ),
    "stopped-while-the-journey-is-held": by_day(
        (cart(), Stop(at("6 hours"))),
        Run("stopped", at("6 hours"), sent_copies("", "1 hour", "2 hours")),
        journey=FOUR,
        policy=BRAKE,
    ),
    "bought-while-the-journey-is-held": by_day(
        (cart(), buys("6 hours"), GO),
        bought("6 hours", *sent_copies("", "1 hour", "2 hours")),
        journey=FOUR,
        policy=BRAKE,
    ),
    "visits-while-the-journey-is-held": by_day(
        (cart(), visits("6 hours", "Oslo"), GO),
        completed("10 hours", (*sent_copies("", "1 hour", "2 hours"), *sends(thanks="10 hours"))),
        journey=walking(
            until("series", {"trigger": "store-visit"}, *copies(1, 2, 3, 4), then=[push("thanks")]), exit=[]
        ),
        policy=BRAKE,
    ),
    "let-go-at-night": by_night(
        (cart(), LetGo(at("6 hours"))),
        completed("12 hours", sent_copies("", "10 minutes", "20 minutes", "12 hours")),
        journey=walking(*copies(1, 2, 3, 4, wait="10 minutes")),
        policy=ruled(quiet=[NIGHT], brake={"same_content": {"at_most": 3, "per": "24 hours"}}),
    ),
    "a-series-that-is-left-before-it-is-let-go-is-not-spread": by_day(
        (cart(), GO, visits("10 hours 1 minute", "Oslo")),
        completed("10 hours 1 minute", (*sent_copies("", "1 hour", "2 hours"), *sends(thanks="10 hours 1 minute"))),
        journey=walking(
            until("series", {"trigger": "store-visit"}, *copies(1, 2, 3, 4), then=[push("thanks")]), exit=[]
        ),
        policy=ruled("10 hours", brake={"same_content": {"at_most": 3, "per": "24 hours"}}),
    ),
}
