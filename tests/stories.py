"""The stories: one customer each, what happens to her, and what she gets. Told on the virtual clock and on Temporal.

Times count from the beginning of the story. Lines are at least a minute apart, so that each has its effect
before the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from journeys.catalogue import Content
from journeys.clearance.consent import Consent
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.clearance.releases import CatchUp
from journeys.definition import Journey
from journeys.language.durations import parse
from journeys.moving import People
from journeys.steps import IN_TIME, LATE
from journeys.walk.diary import Ended
from journeys.walk.script import DEFAULT_START, Happening
from tests.samples import CONTENTS, CUSTOMER, abandoned_cart

EMAIL, TEXT, PUSH = "initial-reminder", "second-reminder", "final-reminder"


@dataclass(frozen=True)
class Publish:
    """The journey is published as it is written now. *people*: what becomes of those inside; *names*: of its steps."""

    at: timedelta
    journey: Journey
    people: People = "stay"
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stop:
    """The journey is stopped, or one *version* of it."""

    at: timedelta
    version: int | None = None


@dataclass(frozen=True)
class Complete:
    """Nobody enters the journey any more."""

    at: timedelta


@dataclass(frozen=True)
class LetGo:
    """A journey that the brake holds is let go."""

    at: timedelta
    journey: str = "abandoned-cart"


@dataclass(frozen=True)
class Pause:
    """A journey is paused."""

    at: timedelta
    journey: str = "abandoned-cart"


@dataclass(frozen=True)
class Resume:
    """A journey that is paused is resumed."""

    at: timedelta
    catch_up: CatchUp = "now"
    journey: str = "abandoned-cart"


@dataclass(frozen=True)
class Says:
    """The customer says what they may be sent."""

    at: timedelta
    consent: Consent


@dataclass(frozen=True)
class Rule:
    """Another policy is put in force."""

    at: timedelta
    policy: Policy


@dataclass(frozen=True)
class Mend:
    """A content is written anew, and ready."""

    at: timedelta
    content: Content


@dataclass(frozen=True)
class Repair:
    """Runs that are parked are told to try again, or *instead* to go on."""

    at: timedelta
    step: str | None = None
    reason: str | None = None
    instead: Literal["go on"] | None = None
    journey: str = "abandoned-cart"


Line = Happening | Publish | Stop | Complete | LetGo | Pause | Resume | Says | Rule | Mend | Repair


@dataclass(frozen=True)
class Send:
    """A message step that came up, and what became of it."""

    step: str
    at: timedelta
    outcome: str = "accepted"


@dataclass(frozen=True)
class Run:
    """One run as it ended. *goal_at*: when the goal was met."""

    ended: Ended
    at: timedelta
    sends: tuple[Send, ...]
    goal_at: timedelta | None = None
    version: int = 1
    journey: str = "abandoned-cart"


@dataclass(frozen=True)
class Story:
    """What happens, and the runs that come of it. *journey* is given the time at which the story begins.

    So are *lines* that tell of dates. *beside*: journeys that are live as well.
    *policy*: the house's, from the beginning. *contents*: what is sent. *begins*: when the story does, at the earliest
    at the time that it is given.
    """

    lines: tuple[Line, ...] | Callable[[datetime], tuple[Line, ...]]
    runs: tuple[Run, ...]
    journey: Callable[[datetime], Journey] = field(default=lambda _: abandoned_cart())
    customer: Mapping[str, str] = field(default_factory=lambda: CUSTOMER)
    beside: tuple[Journey, ...] = ()
    policy: Policy = NO_POLICY
    contents: Mapping[str, Content] = field(default_factory=lambda: CONTENTS)
    begins: Callable[[datetime], datetime] = field(default=lambda now: now)

    @property
    def length(self) -> timedelta:
        """How long it takes until nothing happens any more."""
        lines = self.lines_from(self.begins(DEFAULT_START))
        return max([line.at for line in lines] + [run.at for run in self.runs])

    def lines_from(self, begin: datetime) -> tuple[Line, ...]:
        """What happens in a story that begins then."""
        return self.lines(begin) if callable(self.lines) else self.lines


def at(text: str) -> timedelta:
    return parse(text) if text else timedelta(0)


def cart(when: str = "", cart_id: str = "c1", total: float = 60, **more: object) -> Happening:
    attributes = {"cart_id": cart_id, "total": total}
    return Happening.model_validate({"at": at(when), "trigger": "abandoned-cart", "attributes": attributes, **more})


def buys(when: str, cart_id: str | None = None, **more: object) -> Happening:
    attributes = {"cart_id": cart_id} if cart_id else {}
    return Happening.model_validate({"at": at(when), "trigger": "purchase-completed", "attributes": attributes, **more})


def visits(when: str, city: str, **more: object) -> Happening:
    attributes = {"city": city}
    return Happening.model_validate({"at": at(when), "trigger": "store-visit", "attributes": attributes, **more})


def moves(when: str, country: str | None) -> Happening:
    """The customer is in another country from then on."""
    return Happening.model_validate({"at": at(when), "customer": {"country": country}})


def appointment(what: str, when: str, id: str = "a1", **attributes: object) -> Happening:
    """An appointment that is booked or moved; only where it is booked, is a cart known, and a floor a number."""
    there = {"cart_id": "c1", "guests": 2, "floor": 3} if what == "booked" else {"floor": "third"}
    line = {
        "at": at(when),
        "trigger": f"appointment-{what}",
        "attributes": {"appointment_id": id, **there, **attributes},
    }
    return Happening.model_validate(line)


def does(when: str, what: str, message: str = EMAIL, run: int | None = None, **attributes: object) -> Happening:
    """An interaction; *attributes* are what the provider tells of it: its link, or that a machine did it."""
    line = {"at": at(when), "message": message, "is": what, "run": run, "attributes": attributes}
    return Happening.model_validate(line)


def opens(when: str, message: str = EMAIL, run: int | None = None, **attributes: object) -> Happening:
    return does(when, "opened", message, run, **attributes)


def changes(when: str, **attributes: object) -> Happening:
    """The customer changes."""
    return Happening.model_validate({"at": at(when), "customer": attributes})


def sends(**steps: str) -> tuple[Send, ...]:
    """``sends(initial_reminder="0 seconds")``: accepted, at that time."""
    return tuple(Send(step.replace("_", "-"), at(when)) for step, when in steps.items())


def reminders(*times: str) -> tuple[Send, ...]:
    """The first reminders of the abandoned cart, all accepted, at these times."""
    return tuple(Send(step, at(when)) for step, when in zip((EMAIL, TEXT, PUSH), times, strict=False))


def completed(when: str, sent: tuple[Send, ...], goal: str | None = None, version: int = 1) -> Run:
    return Run("completed", at(when), sent, at(goal) if goal else None, version)


def bought(when: str, *times: str) -> Run:
    return Run("exited", at(when), reminders(*times), goal_at=at(when))


def walking(*steps: Mapping[str, object], **changes: object) -> Callable[[datetime], Journey]:
    """A journey of these steps, with the abandoned cart's start, goal and exit."""
    return lambda _: abandoned_cart(**({"steps": list(steps)} | changes))


def starting(**start: object) -> Callable[[datetime], Journey]:
    """The abandoned cart with another start."""
    return lambda _: abandoned_cart(start={"trigger": "abandoned-cart", "key": "event.cart_id", **start})


def _from(delay: str) -> Callable[[datetime], Journey]:
    return lambda begin: starting(**{"from": (begin + at(delay)).isoformat()})(begin)


def email(id: str) -> dict[str, object]:
    return {"id": id, "email": "initial-email-reminder", "to": "customer.email"}


def text(id: str) -> dict[str, object]:
    return {"id": id, "text": "second-text-reminder", "to": "customer.phone"}


def push(id: str) -> dict[str, object]:
    return {"id": id, "push": "final-push-notification", "to": "customer.push_token"}


def pause(id: str, wait: str) -> dict[str, object]:
    return {"id": id, "wait": wait}


def end(id: str) -> dict[str, object]:
    return {"id": id, "end": f"because of {id}"}


ALL_THREE = completed("2 days", reminders("", "1 day", "2 days"))

SWEDISH = 'customer.country == "SE"'
MOVED = {"trigger": "customer-changed", "where": f'before.country == "NO" && {SWEDISH}'}
IN_OSLO = walking(
    {
        "id": "visited",
        "if": {"trigger": "store-visit", "where": "event.city == 'Oslo'", "within": "2 days"},
        "then": [text("thanks")],
        "else": [push("come")],
    }
)
VISITED_THEN_BOUGHT = walking(
    {
        "id": "visited",
        "if": {"trigger": "store-visit", "within": "2 days"},
        "then": [
            {
                "id": "bought",
                "if": {"trigger": "purchase-completed", "within": "2 days"},
                "then": [text("thanks")],
                "else": [push("please")],
            }
        ],
    },
    exit=[],
)
NESTED = walking(
    email("hello"),
    {
        "id": "opened",
        "if": {"message": "hello", "is": "opened", "within": "1 day"},
        "then": [
            {
                "id": "clicked",
                "if": {"message": "hello", "is": "clicked", "within": "3 days"},
                "then": [],
                "else": [text("nudge")],
            }
        ],
        "else": [push("last-call")],
    },
)
JOINED = walking(
    email("hello"),
    {
        "id": "opened",
        "if": {"message": "hello", "is": "opened", "within": "1 day"},
        "then": [],
        "else": [text("nudge")],
    },
    pause("an-hour", "1 hour"),
    push("for-both"),
)
UNLESS_OPENED = walking(
    email("hello"),
    {"id": "opened", "if": {"message": "hello", "is": "opened", "within": "1 day"}, "then": [end("enough")]},
    pause("an-hour", "1 hour"),
    text("nudge"),
)
TWO_EMAILS = walking(
    email("first"),
    pause("an-hour", "1 hour"),
    email("second"),
    {
        "id": "opened",
        "if": {"message": "first", "is": "opened", "within": "1 day"},
        "then": [],
        "else": [text("nudge")],
    },
)


def asking(**question: str) -> Callable[[datetime], Journey]:
    """An email, a question about it, and a text to those who do not answer."""
    asked = {"message": "hello", "within": "1 day", **question}
    return walking(email("hello"), {"id": "asked", "if": asked, "then": [], "else": [text("nudge")]})


ANSWERED = completed("3 hours", sends(hello=""))
NOT_ANSWERED = completed("1 day", sends(hello="", nudge="1 day"))
CART = "https://shop.example.com/cart"
VERSION_2 = abandoned_cart(steps=[pause("patience", "2 hours"), text("only-text")])


def await_(id: str, *arms: Mapping[str, object], within: str = "2 days", otherwise: object = ()) -> dict[str, object]:
    return {"id": id, "await": {"within": within, "arms": [*arms], "otherwise": otherwise}}


def until(id: str, question: Mapping[str, object], *steps: object, **arms: object) -> dict[str, object]:
    return {"id": id, "until": {"within": "10 days", **question}, "steps": [*steps], **arms}


REACTION = walking(
    text("hello"),
    await_(
        "reaction",
        {"arm": "agreed", "message": "hello", "is": "replied", "reply": ["yes", "ja"], "then": [email("thanks")]},
        {"arm": "clicked", "message": "hello", "is": "clicked", "then": [push("clicked-it")]},
        {"arm": "visited", "trigger": "store-visit", "then": [push("come-again")]},
        otherwise=[push("last-call")],
    ),
    exit=[],
)
REACTION_AFTER_A_DAY = walking(
    text("hello"),
    pause("a-day", "1 day"),
    await_(
        "reaction",
        {"arm": "clicked", "message": "hello", "is": "clicked", "then": [push("clicked-it")]},
        {"arm": "agreed", "message": "hello", "is": "replied", "reply": ["yes"], "then": [email("thanks")]},
    ),
    exit=[],
)
NUDGES = walking(
    until(
        "nudges",
        {"trigger": "store-visit"},
        email("first"),
        pause("a-day", "1 day"),
        text("second"),
        pause("two-days", "2 days"),
        push("third"),
        then=[text("thanks")],
        **{"else": [pause("an-hour", "1 hour"), email("sorry")]},
    ),
    push("for-all"),
    exit=[],
)
SHORT_NUDGES = walking(
    until(
        "nudges",
        {"trigger": "store-visit", "within": "2 days"},
        email("first"),
        pause("three-days", "3 days"),
        text("second"),
        **{"else": [push("sorry")]},
    ),
    exit=[],
)
WITHIN_NUDGES = walking(
    until(
        "outer",
        {"trigger": "purchase-completed"},
        until(
            "inner",
            {"trigger": "store-visit", "within": "2 days"},
            email("first"),
            pause("three-days", "3 days"),
            then=[text("visited")],
        ),
        pause("a-day", "1 day"),
        push("still"),
        then=[text("bought")],
    ),
    exit=[],
)
LONG_WITHIN_SHORT = walking(
    until(
        "outer",
        {"trigger": "purchase-completed", "within": "2 days"},
        until(
            "inner",
            {"trigger": "store-visit", "within": "5 days"},
            pause("ten-days", "10 days"),
            then=[text("visited")],
        ),
        pause("a-day", "1 day"),
        push("still"),
        **{"else": [email("sorry")]},
    ),
    exit=[],
)
ASKED_WITHIN_NUDGES = walking(
    until(
        "nudges",
        {"trigger": "store-visit"},
        {"id": "visited", "if": {"trigger": "store-visit", "within": "2 days"}, "then": [text("inside")]},
        pause("a-day", "1 day"),
        push("still"),
        then=[text("thanks")],
    ),
    {"id": "again", "if": {"trigger": "store-visit", "within": "1 day"}, "else": [push("come-again")]},
    exit=[],
)
SINCE_THE_EMAIL = walking(
    email("hello"),
    pause("a-day", "1 day"),
    until(
        "nudges", {"message": "hello", "is": "opened", "within": "3 days"}, pause("five-days", "5 days"), text("second")
    ),
    push("for-all"),
    exit=[],
)
BECOMES = walking(
    email("hello"),
    {"id": "moved", "if": {"becomes": SWEDISH, "within": "1 day"}, "then": [text("thanks")], "else": [push("come")]},
    exit=[],
)
BECOMES_AFTER_A_DAY = walking(
    pause("a-day", "1 day"),
    {"id": "moved", "if": {"becomes": SWEDISH, "within": "1 day"}, "then": [text("thanks")], "else": [push("come")]},
    exit=[],
)
SERIES_UNTIL_SWEDISH = walking(
    until(
        "nudges", {"becomes": SWEDISH}, email("first"), pause("a-day", "1 day"), text("second"), then=[text("thanks")]
    ),
    exit=[],
)


def arm(name: str, *steps: Mapping[str, object], **taken: object) -> dict[str, object]:
    """An arm of a step that chooses; *taken*: when it is."""
    return {"arm": name, **taken, "then": [*steps]}


TIER = walking(
    {
        "id": "tier",
        "branch": [
            arm("coupon", email("with-coupon"), when='event.coupon == "SPRING"'),
            arm("large", text("for-large"), when="event.total > 100 && customer.first_name == 'Ada'"),
            arm("not-small", push("for-not-small"), when="event.total > 50"),
        ],
    },
    pause("an-hour", "1 hour"),
    email("for-all"),
)
REACHED = walking(
    text("hello"),
    {
        "id": "reached",
        "branch": [
            arm("unreached", email("other-way"), when='sent["hello"] in ["blocked", "failed"]'),
            arm("late", push("too-late"), when='now < timestamp("2020-01-01T00:00:00Z")'),
        ],
        "otherwise": [push("well-done")],
    },
)
AFTER_A_DAY = walking(
    pause("a-day", "1 day"),
    {
        "id": "country",
        "branch": [
            arm("norway", pause("a-while", "1 day"), text("in-norwegian"), when='customer.country == "NO"'),
            arm("sweden", pause("some-time", "1 day"), text("in-swedish"), when='customer.country == "SE"'),
        ],
    },
    exit=[],
)
A_SPLIT = {
    "id": "half",
    "split": [arm("a", email("by-email"), share="50%"), arm("b", text("by-text"), share="50%")],
}
HALF = walking(A_SPLIT, exit=[])
EACH_TIME = walking({**A_SPLIT, "by": "run"}, exit=[])
PILOT = walking(
    {
        "id": "pilot",
        "split": [arm("pilot", email("new-way"), first=1)],
        "otherwise": [text("old-way")],
    },
    exit=[],
)


def compared(after: str, default: str = "plain") -> dict[str, object]:
    """A test by goal."""
    arms = [arm("plain", email("plain"), share="50%"), arm("witty", text("witty"), share="50%")]
    return {"id": "subject", "test": {"winner": {"by": "goal", "after": after}, "arms": arms, "default": default}}


LEAVES = {"goal": "purchase-completed", "exit": "store-visit"}
SUBJECT = walking(
    compared("2 weeks"),
    pause("a-day", "1 day"),
    push("for-all"),
    exit=[],
)
KATHMANDU = "Asia/Kathmandu"  # where clocks never change, and show other minutes than elsewhere


def clock_of(begin: datetime, when: str, zone: str = KATHMANDU) -> str:
    """What clocks in a zone show so long after the beginning."""
    return f"{(begin + at(when)).astimezone(ZoneInfo(zone)):%H:%M:%S}"


def day_of(begin: datetime, when: str) -> str:
    """The day of the week in Kathmandu so long after the beginning."""
    return f"{(begin + at(when)).astimezone(ZoneInfo(KATHMANDU)):%a}".lower()


def until_moment(id: str, until: str, **more: object) -> dict[str, object]:
    arms: dict[str, object] = {arm: more.pop(arm) for arm in (IN_TIME, LATE) if arm in more}
    return {"id": id, "wait": {"until": until, **more}, **arms}


def at_clock(when: str, zone: str = KATHMANDU, **changes: object) -> Callable[[datetime], Journey]:
    """A wait until clocks in a zone show what they do so long after the beginning, and then an email."""
    return lambda begin: walking(until_moment("then", clock_of(begin, when, zone)), email("hello"), **changes)(begin)


def trial(when: str = "", ends: str | None = None, **more: object) -> Callable[[datetime], tuple[Line, ...]]:
    """A trial that ends so long after the beginning of the story."""

    def line(begin: datetime) -> tuple[Line, ...]:
        attributes = {"cart_id": "c1", "total": 60} | ({"ends_at": (begin + at(ends)).isoformat()} if ends else {})
        told = {"at": at(when), "trigger": "trial-started", "attributes": attributes, **more}
        return (Happening.model_validate(told),)

    return line


def born(begin: datetime) -> tuple[Line, ...]:
    """A trial whose date is an anniversary ten days from the beginning."""
    day = (begin + at("10 days")).astimezone(ZoneInfo(KATHMANDU))
    attributes = {"cart_id": "c1", "total": 60, "ends_at": day.replace(year=1992).isoformat()}
    return (Happening.model_validate({"trigger": "trial-started", "attributes": attributes}),)


def on_trial(*steps: Mapping[str, object]) -> Callable[[datetime], Journey]:
    """A journey of these steps for those who start a trial."""
    return walking(*steps, start={"trigger": "trial-started"})


def ending(**more: object) -> Callable[[datetime], Journey]:
    """A wait around the end of the trial, an email in time, and a text to those who are late."""
    return on_trial(
        until_moment("then", "event.ends_at", then=[email("in-time")], late=[text("too-late")], **more), push("for-all")
    )


def launch(when: str) -> Callable[[datetime], Journey]:
    return lambda begin: walking(
        until_moment("launch", (begin + at(when)).isoformat(), then=[email("in-time")], late=[text("too-late")])
    )(begin)


IN_KATHMANDU = {**CUSTOMER, "time_zone": KATHMANDU}
TOO_LATE = completed("0 seconds", sends(too_late="", for_all=""))
TWO_HOURS_BEFORE = {"at": "event.ends_at", "before": "2 hours"}
APPOINTMENT = walking(
    pause("a-day", "1 day"),
    text("see-you"),
    pause("an-hour", "1 hour"),
    push("now"),
    start={
        "trigger": ["appointment-booked", "appointment-moved"],
        "key": "event.appointment_id",
        "overlap": "restart",
        "where": "!has_event.guests || event.guests < 5",
    },
    exit=[],
)


def raise_(id: str, trigger: str, **attributes: object) -> dict[str, object]:
    return {"id": id, "raise": trigger, "with": attributes}


def visitors(*steps: Mapping[str, object], trigger: str = "store-visit", **start: object) -> Journey:
    """A second journey, by default of those who visit a store."""
    started = {"trigger": trigger, **start}
    return abandoned_cart(journey="visitors", start=started, goal=None, exit=[], steps=list(steps))


def of_visitors(run: Run) -> Run:
    """A run of that journey."""
    return replace(run, journey="visitors")


def after_news(is_: str, **more: object) -> dict[str, object]:
    """What leads back to the first journey as soon as something is told of a message."""
    question = {"message": "news", "is": is_, "within": "5 days", **more}
    return {"id": "told", "if": question, "then": [ANEW_OF_A_VISIT, push("welcome")]}


def set_(id: str, **attributes: object) -> dict[str, object]:
    return {"id": id, "set": attributes}


TOLD_NOTHING = completed("", sends(first=""))
OSLO = "'Oslo'"
TELLS = walking(email("hello"), raise_("tell", "store-visit", city=OSLO), pause("a-day", "1 day"), text("nudge"))
TOLD = completed("1 day", sends(hello="", nudge="1 day"))
ANEW = raise_("anew", "abandoned-cart", cart_id="'c2'", total="event.total + 1")
ANEW_OF_A_VISIT = raise_("anew", "abandoned-cart", cart_id="'c2'", total=60)
LEAVES_ITS_SERIES = walking(
    until(
        "nudges",
        {"trigger": "store-visit"},
        email("first"),
        pause("a-day", "1 day"),
        raise_("tell", "store-visit", city=OSLO),
        text("never"),
        then=[push("thanks")],
    ),
    exit=[],
)
ASKS_LATER = walking(
    raise_("tell", "store-visit", city=OSLO),
    {
        "id": "visited",
        "if": {"trigger": "store-visit", "within": "2 days"},
        "then": [text("thanks")],
        "else": [push("come")],
    },
    exit=[],
)

STORIES: dict[str, Story] = {
    # --- four customers -------------------------------------------------------------------------------
    "ada-does-nothing": Story((cart(),), (ALL_THREE,)),
    "bo-opens-the-email": Story((cart(), opens("3 hours")), (completed("3 hours", reminders("")),)),
    "cy-buys-after-the-text": Story((cart(), buys("36 hours")), (bought("36 hours", "", "1 day"),)),
    "di-bought-before-we-heard-of-the-cart": Story((buys("1 hour"), cart("2 hours", occurred_at="30 minutes")), ()),
    # --- entering -------------------------------------------------------------------------------------
    "a-cart-before-the-start": Story((cart("59 minutes"),), (), _from("1 hour")),
    "a-cart-at-the-start": Story(
        (cart("1 hour"),),
        (completed("49 hours", reminders("1 hour", "25 hours", "49 hours")),),
        _from("1 hour"),
    ),
    "a-cart-too-small": Story((cart(total=40),), (), starting(where="event.total > 50")),
    "a-cart-large-enough": Story((cart(total=50.5),), (ALL_THREE,), starting(where="event.total > 50")),
    "the-same-cart-twice": Story((cart(id="e1"), cart("1 hour", id="e1")), (ALL_THREE,)),
    "another-event-of-the-same-cart": Story((cart(), cart("1 hour")), (ALL_THREE,)),
    "never-again": Story(
        (cart(), opens("1 hour"), cart("2 hours")), (completed("1 hour", reminders("")),), starting(repeat="never")
    ),
    "again-after-a-day": Story(
        (cart(), opens("1 hour"), cart("23 hours"), cart("24 hours"), opens("25 hours")),
        (completed("1 hour", reminders("")), completed("25 hours", reminders("24 hours"))),
        starting(repeat={"after": "1 day"}),
    ),
    "a-newer-cart-restarts": Story(
        (cart(), cart("5 hours")),
        (
            Run("exited", at("5 hours"), reminders("")),
            completed("53 hours", reminders("5 hours", "29 hours", "53 hours")),
        ),
        starting(overlap="restart"),
    ),
    "a-newer-cart-runs-beside": Story(
        (cart(), cart("5 hours"), opens("6 hours", run=1), opens("7 hours", run=2)),
        (completed("6 hours", reminders("")), completed("7 hours", reminders("5 hours"))),
        starting(overlap="parallel"),
    ),
    "a-cart-heard-of-late": Story(
        (cart("2 hours", occurred_at="0 seconds"),),
        (completed("50 hours", reminders("2 hours", "26 hours", "50 hours")),),
    ),
    "a-purchase-by-a-clock-that-is-ahead": Story(
        (buys("", occurred_at="3 minutes"), cart("1 minute")),
        (completed("2 days 1 minute", reminders("1 minute", "1 day 1 minute", "2 days 1 minute")),),
    ),
    # --- several triggers start it --------------------------------------------------------------------
    "an-appointment-is-booked": Story(
        (appointment("booked", ""),), (completed("25 hours", sends(see_you="1 day", now="25 hours")),), APPOINTMENT
    ),
    "an-appointment-is-moved-that-we-had-not-heard-of": Story(
        (appointment("moved", ""),), (completed("25 hours", sends(see_you="1 day", now="25 hours")),), APPOINTMENT
    ),
    "an-appointment-is-moved": Story(
        (appointment("booked", ""), appointment("moved", "20 hours", cart_id="c1")),
        (Run("exited", at("20 hours"), ()), completed("45 hours", sends(see_you="44 hours", now="45 hours"))),
        APPOINTMENT,
    ),
    "another-appointment-is-moved": Story(
        (appointment("booked", ""), appointment("moved", "10 hours", "a2", cart_id="c1")),
        (
            completed("25 hours", sends(see_you="1 day", now="25 hours")),
            completed("35 hours", sends(see_you="34 hours", now="35 hours")),
        ),
        APPOINTMENT,
    ),
    "too-many-guests-by-either-trigger": Story(
        (appointment("booked", "", guests=5), appointment("moved", "1 hour", guests=6)), (), APPOINTMENT
    ),
    # --- opening --------------------------------------------------------------------------------------
    "opened-just-in-time": Story(
        (cart(), opens("23 hours 59 minutes")), (completed("23 hours 59 minutes", reminders("")),)
    ),
    "opened-too-late": Story((cart(), opens("1 day 1 minute")), (ALL_THREE,)),
    "opened-twice": Story((cart(), opens("1 hour"), opens("2 hours")), (completed("1 hour", reminders("")),)),
    "only-clicked": Story((cart(), does("1 hour", "clicked")), (ALL_THREE,)),
    "another-email-opened": Story(
        (cart(), opens("3 hours", "second")),
        (completed("1 day", sends(first="", second="1 hour", nudge="1 day")),),
        TWO_EMAILS,
    ),
    "the-first-of-two-emails-opened-before-it-is-asked": Story(
        (cart(), opens("30 minutes", "first")), (completed("1 hour", sends(first="", second="1 hour")),), TWO_EMAILS
    ),
    "another-run-s-email-opened": Story(
        (cart(), cart("1 hour", "c2"), opens("2 hours", run=2)),
        (ALL_THREE, completed("2 hours", reminders("1 hour"))),
    ),
    "opened-by-a-machine": Story(
        (cart(), opens("3 hours", "hello", machine=True)), (NOT_ANSWERED,), asking(**{"is": "opened"})
    ),
    "opened-by-a-machine-and-then-by-her": Story(
        (cart(), opens("1 minute", "hello", machine=True), opens("3 hours", "hello", machine=False)),
        (ANSWERED,),
        asking(**{"is": "opened"}),
    ),
    "opened-by-a-machine-where-anyone-counts": Story(
        (cart(), opens("3 hours", "hello", machine=True)), (ANSWERED,), asking(**{"is": "opened", "by": "anyone"})
    ),
    "the-link-was-clicked": Story(
        (cart(), does("3 hours", "clicked", "hello", link=CART)), (ANSWERED,), asking(**{"is": "clicked", "link": CART})
    ),
    "another-link-was-clicked": Story(
        (cart(), does("3 hours", "clicked", "hello", link=f"{CART}/help")),
        (NOT_ANSWERED,),
        asking(**{"is": "clicked", "link": CART}),
    ),
    "any-link-was-clicked": Story(
        (cart(), does("3 hours", "clicked", "hello", link=f"{CART}/help")), (ANSWERED,), asking(**{"is": "clicked"})
    ),
    # --- buying ---------------------------------------------------------------------------------------
    "bought-at-once": Story((cart(), buys("1 minute")), (bought("1 minute", ""),)),
    "bought-just-before-the-text": Story((cart(), buys("23 hours 59 minutes")), (bought("23 hours 59 minutes", ""),)),
    "bought-at-the-instant-of-the-text": Story((cart(), buys("1 day")), (bought("1 day", ""),)),
    "bought-just-after-the-text": Story((cart(), buys("1 day 1 minute")), (bought("1 day 1 minute", "", "1 day"),)),
    "bought-at-the-instant-of-the-push": Story((cart(), buys("2 days")), (bought("2 days", "", "1 day"),)),
    "bought-in-time-for-the-goal": Story(
        (cart(), buys("4 days 23 hours"), buys("4 days 23 hours 30 minutes")),
        (completed("2 days", reminders("", "1 day", "2 days"), goal="4 days 23 hours"),),
    ),
    "bought-too-late-for-the-goal": Story((cart(), buys("5 days 1 minute")), (ALL_THREE,)),
    "the-same-purchase-twice": Story(
        (cart(), buys("1 hour", id="p1"), buys("2 hours", id="p1")), (bought("1 hour", ""),)
    ),
    "two-carts-one-bought": Story(
        (cart(), cart("1 hour", "c2"), buys("2 hours", "c1")),
        (bought("2 hours", ""), completed("49 hours", reminders("1 hour", "25 hours", "49 hours"))),
    ),
    "two-carts-and-a-purchase-of-no-cart": Story(
        (cart(), cart("1 hour", "c2"), buys("2 hours")), (bought("2 hours", ""), bought("2 hours", "1 hour"))
    ),
    "opened-and-then-bought": Story(
        (cart(), opens("1 hour"), buys("2 hours")), (completed("1 hour", reminders(""), goal="2 hours"),)
    ),
    # --- publishing and stopping ----------------------------------------------------------------------
    "a-second-version-for-newcomers": Story(
        (cart(), Publish(at("1 hour"), VERSION_2), cart("2 hours", "c2")),
        (ALL_THREE, completed("4 hours", sends(only_text="4 hours"), version=2)),
    ),
    "stopped-with-people-on-both-versions": Story(
        (cart(), Publish(at("1 hour"), VERSION_2), cart("2 hours", "c2"), Stop(at("3 hours")), cart("5 hours", "c3")),
        (Run("stopped", at("3 hours"), reminders("")), Run("stopped", at("3 hours"), (), version=2)),
    ),
    "bought-before-the-stop-and-heard-of-after-it": Story(
        (cart(), Stop(at("12 hours")), buys("15 hours", occurred_at="11 hours")),
        (Run("stopped", at("12 hours"), reminders(""), goal_at=at("11 hours")),),
    ),
    "bought-after-the-stop": Story(
        (cart(), Stop(at("12 hours")), buys("15 hours")), (Run("stopped", at("12 hours"), reminders("")),)
    ),
    "opened-after-the-stop": Story(
        (cart(), Stop(at("12 hours")), opens("15 hours")), (Run("stopped", at("12 hours"), reminders("")),)
    ),
    "completed-with-somebody-inside": Story(
        (cart(), Complete(at("1 hour")), cart("2 hours", "c2")),
        (ALL_THREE,),
    ),
    "completed-and-published-again": Story(
        (cart(), Complete(at("1 hour")), Publish(at("2 hours"), VERSION_2), cart("3 hours", "c2")),
        (ALL_THREE, completed("5 hours", sends(only_text="5 hours"), version=2)),
    ),
    "the-older-of-two-versions-is-stopped": Story(
        (
            cart(),
            Publish(at("1 hour"), VERSION_2),
            cart("2 hours", "c2"),
            Stop(at("3 hours"), version=1),
            cart("5 hours", "c3"),
        ),
        (
            Run("stopped", at("3 hours"), reminders("")),
            completed("4 hours", sends(only_text="4 hours"), version=2),
            completed("7 hours", sends(only_text="7 hours"), version=2),
        ),
    ),
    "the-newer-of-two-versions-is-stopped": Story(
        (
            cart(),
            Publish(at("1 hour"), VERSION_2),
            cart("2 hours", "c2"),
            Stop(at("3 hours"), version=2),
            cart("5 hours", "c3"),
        ),
        (ALL_THREE, Run("stopped", at("3 hours"), (), version=2)),
    ),
    # --- other trees ----------------------------------------------------------------------------------
    "a-visit-answers": Story((cart(), visits("1 day", "Oslo")), (completed("1 day", sends(thanks="1 day")),), IN_OSLO),
    "a-visit-elsewhere-does-not": Story(
        (cart(), visits("1 day", "Rome")), (completed("2 days", sends(come="2 days")),), IN_OSLO
    ),
    "a-visit-before-the-cart-does-not": Story(
        (visits("", "Oslo"), cart("1 hour")), (completed("49 hours", sends(come="49 hours")),), IN_OSLO
    ),
    "visited-and-then-bought": Story(
        (cart(), visits("1 hour", "Oslo"), buys("2 hours")),
        (completed("2 hours", sends(thanks="2 hours"), goal="2 hours"),),
        VISITED_THEN_BOUGHT,
    ),
    "bought-heard-of-before-the-visit-that-it-followed": Story(
        (cart(), buys("3 hours"), visits("4 hours", "Oslo", occurred_at="2 hours")),
        (completed("4 hours", sends(thanks="4 hours"), goal="3 hours"),),
        VISITED_THEN_BOUGHT,
    ),
    "bought-before-the-visit": Story(
        (cart(), buys("1 hour"), visits("2 hours", "Oslo")),
        (completed("50 hours", sends(please="50 hours"), goal="1 hour"),),
        VISITED_THEN_BOUGHT,
    ),
    "a-visit-heard-of-late-gives-the-purchase-no-more-time": Story(
        (cart(), visits("10 hours", "Oslo", occurred_at="1 hour")),
        (completed("49 hours", sends(please="49 hours")),),
        VISITED_THEN_BOUGHT,
    ),
    "many-visits-and-one-purchase": Story(
        (cart(), *(visits(f"{hour} hours", "Oslo") for hour in range(1, 9)), buys("9 hours")),
        (completed("9 hours", sends(thanks="9 hours"), goal="9 hours"),),
        VISITED_THEN_BOUGHT,
    ),
    "ended-after-a-yes": Story(
        (cart(), opens("2 hours", "hello")), (completed("2 hours", sends(hello="")),), UNLESS_OPENED
    ),
    "ended-by-neither": Story((cart(),), (completed("25 hours", sends(hello="", nudge="25 hours")),), UNLESS_OPENED),
    "ended-right-after-a-message": Story(
        (cart(),), (completed("0 seconds", sends(hello="")),), walking(email("hello"), end("enough"))
    ),
    "ended-before-anything": Story((cart(),), (completed("0 seconds", ()),), walking(end("enough"))),
    "nested-yes-yes": Story(
        (cart(), opens("1 hour", "hello"), does("2 hours", "clicked", "hello")),
        (completed("2 hours", sends(hello="")),),
        NESTED,
    ),
    "nested-yes-no": Story(
        (cart(), opens("1 hour", "hello")), (completed("3 days", sends(hello="", nudge="3 days")),), NESTED
    ),
    "nested-no": Story((cart(),), (completed("1 day", sends(hello="", last_call="1 day")),), NESTED),
    "nested-clicked-before-it-is-asked": Story(
        (cart(), does("1 hour", "clicked", "hello"), opens("2 hours", "hello")),
        (completed("2 hours", sends(hello="")),),
        NESTED,
    ),
    "joined-after-yes": Story(
        (cart(), opens("2 hours", "hello")), (completed("3 hours", sends(hello="", for_both="3 hours")),), JOINED
    ),
    "joined-after-no": Story(
        (cart(),), (completed("25 hours", sends(hello="", nudge="1 day", for_both="25 hours")),), JOINED
    ),
    "a-wait-of-four-hundred-days": Story(
        (cart(),), (completed("400 days", sends(hello="400 days")),), walking(pause("long", "400 days"), email("hello"))
    ),
    "a-wait-that-is-over-when-we-hear": Story(
        (cart("2 hours", occurred_at="0 seconds"),),
        (completed("2 hours", sends(hello="2 hours")),),
        walking(pause("an-hour", "1 hour"), email("hello")),
    ),
    "expired-when-we-hear": Story(
        (cart("2 hours", occurred_at="0 seconds"),),
        (
            Run(
                "completed",
                at("2 hours"),
                (Send("hello", at("2 hours"), "blocked"), Send("nudge", at("2 hours"))),
            ),
        ),
        walking({**email("hello"), "expires": "1 hour"}, text("nudge")),
    ),
    "not-expired-when-we-hear": Story(
        (cart("2 hours", occurred_at="0 seconds"),),
        (completed("2 hours", sends(hello="2 hours")),),
        walking({**email("hello"), "expires": "3 hours"}),
    ),
    "left-as-soon-as-the-customer-changes": Story(
        (cart(), moves("2 hours", "NO"), moves("3 hours", "SE"), moves("4 hours", "DK")),
        (Run("exited", at("3 hours"), sends(hello="")),),
        walking(email("hello"), pause("a-day", "1 day"), email("again"), exit=[{"when": SWEDISH}]),
    ),
    "met-before-anything": Story(
        (
            cart("1 hour"),
            cart("2 hours"),
            moves("3 hours", "SE"),
            cart("4 hours"),
            moves("5 hours", None),
            cart("6 hours"),
        ),
        (
            Run("exited", at("3 hours"), ()),
            completed("30 hours", sends(hello="30 hours")),
        ),
        walking(pause("a-day", "1 day"), email("hello"), exit=[{"when": SWEDISH}]),
    ),
    "started-by-a-change": Story(
        (moves("1 hour", "NO"), moves("2 hours", "SE"), moves("3 hours", "SE"), moves("4 hours", "DK")),
        (completed("26 hours", sends(hi="2 hours", again="26 hours")),),
        walking(
            push("hi"),
            pause("a-day", "1 day"),
            push("again"),
            start=MOVED,
        ),
    ),
    "answered-by-a-change-that-is-the-goal-too": Story(
        (cart(), moves("1 hour", "NO"), moves("2 hours", "SE")),
        (completed("2 hours", sends(hello="2 hours"), goal="2 hours"),),
        walking(
            {"id": "moved", "if": {**MOVED, "within": "1 day"}, "then": [email("hello")], "else": [email("nudge")]},
            goal=MOVED,
        ),
    ),
    "a-change-that-is-none-answers-nothing": Story(
        (cart(), moves("1 hour", None)),
        (completed("1 day", sends(nudge="1 day")),),
        walking(
            {"id": "moved", "if": {"trigger": "customer-changed", "within": "1 day"}, "else": [email("nudge")]},
        ),
    ),
    # --- becomes --------------------------------------------------------------------------------------
    "becomes-true": Story(
        (cart(), moves("1 hour", "NO"), moves("3 hours", "SE")),
        (completed("3 hours", sends(hello="", thanks="3 hours")),),
        BECOMES,
    ),
    "holds-already": Story(
        (moves("", "SE"), cart("1 hour")), (completed("1 hour", sends(hello="1 hour", thanks="1 hour")),), BECOMES
    ),
    "becomes-true-before-it-is-asked": Story(
        (cart(), moves("1 hour", "SE")), (completed("1 day", sends(thanks="1 day")),), BECOMES_AFTER_A_DAY
    ),
    "was-true-before-it-was-asked": Story(
        (cart(), moves("1 hour", "SE"), moves("2 hours", "NO")),
        (completed("2 days", sends(come="2 days")),),
        BECOMES_AFTER_A_DAY,
    ),
    "never-becomes-true": Story(
        (cart(), moves("1 day 1 minute", "SE")), (completed("1 day", sends(hello="", come="1 day")),), BECOMES
    ),
    "one-of-several-becomes-true": Story(
        (cart(), moves("1 hour", "SE"), visits("2 hours", "Oslo")),
        (completed("1 hour", sends(thanks="1 hour")),),
        walking(
            await_(
                "reaction",
                {"arm": "visited", "trigger": "store-visit", "then": [push("come-again")]},
                {"arm": "moved", "becomes": SWEDISH, "then": [text("thanks")]},
            ),
            exit=[],
        ),
    ),
    "a-series-until-the-customer-is-so": Story(
        (cart(), moves("1 hour", "SE")),
        (completed("1 hour", sends(first="", thanks="1 hour")),),
        SERIES_UNTIL_SWEDISH,
    ),
    "a-series-of-a-customer-who-is-so-already": Story(
        (moves("", "SE"), cart("1 hour")), (completed("1 hour", sends(thanks="1 hour")),), SERIES_UNTIL_SWEDISH
    ),
    "no-phone": Story(
        (cart(),),
        (
            Run(
                "completed",
                at("2 days"),
                (Send(EMAIL, at("")), Send(TEXT, at("1 day"), "blocked"), Send(PUSH, at("2 days"))),
            ),
        ),
        customer={"email": "ada@example.com", "push_token": "token"},
    ),
    "no-address-at-all": Story(
        (cart(),),
        (
            Run(
                "completed",
                at("2 days"),
                tuple(
                    Send(step, at(when), "blocked") for step, when in ((EMAIL, ""), (TEXT, "1 day"), (PUSH, "2 days"))
                ),
            ),
        ),
        customer={},
    ),
    # --- several questions ----------------------------------------------------------------------------
    "agreed-in-her-own-spelling": Story(
        (cart(), does("3 hours", "replied", "hello", reply=" JA! ")),
        (completed("3 hours", sends(hello="", thanks="3 hours")),),
        REACTION,
    ),
    "a-reply-that-is-no-answer": Story(
        (cart(), does("3 hours", "replied", "hello", reply="yes, but later")),
        (completed("2 days", sends(hello="", last_call="2 days")),),
        REACTION,
    ),
    "visited-before-she-agreed": Story(
        (cart(), visits("2 hours", "Oslo"), does("3 hours", "replied", "hello", reply="yes")),
        (completed("2 hours", sends(hello="", come_again="2 hours")),),
        REACTION,
    ),
    "clicked-and-agreed-before-either-was-asked": Story(
        (
            cart(),
            does("2 hours", "clicked", "hello"),
            does("3 hours", "replied", "hello", reply="yes").model_copy(update={"occurred_at": at("1 hour")}),
        ),
        (completed("1 day", sends(hello="", thanks="1 day")),),
        REACTION_AFTER_A_DAY,
    ),
    "nothing-of-several-in-time": Story(
        (cart(), visits("2 days 1 minute", "Oslo")),
        (completed("2 days", sends(hello="", last_call="2 days")),),
        REACTION,
    ),
    # --- local times and dates ------------------------------------------------------------------------
    "at-a-time-of-her-own-clock": Story(
        (cart(),), (completed("3 hours", sends(hello="3 hours")),), at_clock("3 hours"), IN_KATHMANDU
    ),
    "at-a-time-of-the-journey-s-clock": Story(
        (cart(),), (completed("3 hours", sends(hello="3 hours")),), at_clock("3 hours", time_zone=KATHMANDU)
    ),
    "her-own-clock-goes-before-the-journey-s": Story(
        (cart(),),
        (completed("3 hours", sends(hello="3 hours")),),
        at_clock("3 hours", time_zone="Asia/Kolkata"),
        IN_KATHMANDU,
    ),
    "a-zone-that-nobody-knows": Story(
        (cart(),),
        (completed("3 hours", sends(hello="3 hours")),),
        at_clock("3 hours", time_zone=KATHMANDU),
        {**CUSTOMER, "time_zone": "Asia/Katmandoo"},
    ),
    "at-a-time-of-nobody-s-clock": Story(
        (cart(),), (completed("3 hours", sends(hello="3 hours")),), at_clock("3 hours", zone="UTC")
    ),
    "on-one-day-of-the-week": Story(
        (cart(),),
        (completed("3 days", sends(hello="3 days")),),
        lambda begin: walking(
            until_moment("then", clock_of(begin, "3 days"), on=[day_of(begin, "3 days")]), email("hello")
        )(begin),
        IN_KATHMANDU,
    ),
    "the-same-time-twice-is-a-day-apart": Story(
        (cart(),),
        (completed("27 hours", sends(first="3 hours", second="27 hours")),),
        lambda begin: walking(
            until_moment("one", clock_of(begin, "3 hours")),
            email("first"),
            until_moment("another", clock_of(begin, "3 hours")),
            text("second"),
        )(begin),
        IN_KATHMANDU,
    ),
    "a-time-that-is-over-when-we-hear": Story(
        (cart("2 hours", occurred_at="0 seconds"),),
        (completed("2 hours", sends(hello="2 hours")),),
        at_clock("1 hour"),
        IN_KATHMANDU,
    ),
    "until-an-instant": Story((cart(),), (completed("2 days", sends(in_time="2 days")),), launch("2 days")),
    "too-late-for-an-instant": Story(
        (cart("3 hours"),), (completed("3 hours", sends(too_late="3 hours")),), launch("2 hours")
    ),
    "until-a-date": Story(
        trial(ends="5 days"), (completed("5 days", sends(in_time="5 days", for_all="5 days")),), ending()
    ),
    "days-before-a-date": Story(
        trial(ends="5 days"), (completed("2 days", sends(in_time="2 days", for_all="2 days")),), ending(before="3 days")
    ),
    "hours-after-a-date": Story(
        trial(ends="1 day"),
        (completed("36 hours", sends(in_time="36 hours", for_all="36 hours")),),
        ending(after="12 hours"),
    ),
    "a-day-before-a-date-at-a-time-of-her-clock": Story(
        trial(ends="5 days"),
        (completed("4 days", sends(in_time="4 days", for_all="4 days")),),
        lambda begin: ending(before="1 day", at=clock_of(begin, ""))(begin),
        IN_KATHMANDU,
    ),
    "a-date-that-is-too-near": Story(trial(ends="2 days"), (TOO_LATE,), ending(before="3 days")),
    "a-date-that-is-missing": Story(trial(), (TOO_LATE,), ending(before="3 days")),
    "late-without-arms-goes-on": Story(
        trial(ends="1 day"),
        (completed("0 seconds", sends(hello="")),),
        on_trial(until_moment("then", "event.ends_at", before="3 days"), email("hello")),
    ),
    "the-next-anniversary": Story(
        born, (completed("10 days", sends(in_time="10 days", for_all="10 days")),), ending(yearly=True), IN_KATHMANDU
    ),
    "bought-before-the-time-came": Story(
        (cart(), buys("1 hour")), (Run("exited", at("1 hour"), (), goal_at=at("1 hour")),), at_clock("3 hours")
    ),
    "a-series-left-before-the-time-came": Story(
        (cart(), visits("1 hour", "Oslo")),
        (completed("1 hour", sends(thanks="1 hour")),),
        lambda begin: walking(
            until(
                "nudges",
                {"trigger": "store-visit"},
                until_moment("then", clock_of(begin, "3 hours")),
                email("hello"),
                then=[text("thanks")],
            )
        )(begin),
        IN_KATHMANDU,
    ),
    "a-series-at-its-limit-before-the-date": Story(
        trial(ends="5 days"),
        (completed("2 days", sends(sorry="2 days")),),
        on_trial(
            until(
                "nudges",
                {"trigger": "store-visit", "within": "2 days"},
                until_moment("then", "event.ends_at", then=[email("hello")]),
                **{"else": [push("sorry")]},
            )
        ),
    ),
    "a-message-before-its-date": Story(
        trial(ends="5 hours"),
        (completed("2 hours", sends(hello="2 hours")),),
        on_trial(pause("two-hours", "2 hours"), {**email("hello"), "expires": TWO_HOURS_BEFORE}),
    ),
    "a-message-after-its-date": Story(
        trial(ends="5 hours"),
        (Run("completed", at("4 hours"), (Send("hello", at("4 hours"), "blocked"), Send("nudge", at("4 hours")))),),
        on_trial(pause("four-hours", "4 hours"), {**email("hello"), "expires": TWO_HOURS_BEFORE}, text("nudge")),
    ),
    "a-message-without-its-date": Story(
        trial(),
        (completed("4 hours", sends(hello="4 hours")),),
        on_trial(pause("four-hours", "4 hours"), {**email("hello"), "expires": TWO_HOURS_BEFORE}),
    ),
    # --- a series that is left ------------------------------------------------------------------------
    "a-series-to-its-end": Story(
        (cart(), visits("4 days", "Oslo")),
        (
            completed(
                "3 days 1 hour",
                sends(first="", second="1 day", third="3 days", sorry="3 days 1 hour", for_all="3 days 1 hour"),
            ),
        ),
        NUDGES,
    ),
    "a-series-left-while-it-waits": Story(
        (cart(), visits("2 days", "Oslo")),
        (completed("2 days", sends(first="", second="1 day", thanks="2 days", for_all="2 days")),),
        NUDGES,
    ),
    "a-series-left-at-the-instant-of-a-message": Story(
        (cart(), visits("1 day", "Oslo")),
        (completed("1 day", sends(first="", thanks="1 day", for_all="1 day")),),
        NUDGES,
    ),
    "a-series-left-at-its-limit": Story(
        (cart(), visits("2 days 1 minute", "Oslo")),
        (completed("2 days", sends(first="", sorry="2 days")),),
        SHORT_NUDGES,
    ),
    "a-series-within-a-series-left": Story(
        (cart(), visits("1 day", "Oslo"), buys("3 days")),
        (completed("2 days", sends(first="", visited="1 day", still="2 days"), goal="3 days"),),
        WITHIN_NUDGES,
    ),
    "both-series-left-at-once": Story(
        (cart(), buys("1 day")),
        (completed("1 day", sends(first="", bought="1 day"), goal="1 day"),),
        WITHIN_NUDGES,
    ),
    "a-series-within-a-series-at-its-limit": Story(
        (cart(), buys("2 days 12 hours")),
        (completed("2 days 12 hours", sends(first="", bought="2 days 12 hours"), goal="2 days 12 hours"),),
        WITHIN_NUDGES,
    ),
    "an-inner-series-left-before-the-limit-of-the-outer": Story(
        (cart(), visits("12 hours", "Oslo")),
        (completed("1 day 12 hours", sends(visited="12 hours", still="1 day 12 hours", sorry="1 day 12 hours")),),
        LONG_WITHIN_SHORT,
    ),
    "an-inner-series-longer-than-the-outer": Story(
        (cart(), visits("36 hours", "Oslo")),
        (completed("2 days", sends(visited="36 hours", sorry="2 days")),),
        LONG_WITHIN_SHORT,
    ),
    "one-event-for-all-that-is-asked-then-and-nothing-after": Story(
        (cart(), visits("1 day", "Oslo")),
        (completed("2 days", sends(thanks="1 day", come_again="2 days")),),
        ASKED_WITHIN_NUDGES,
    ),
    "a-series-that-is-answered-already": Story(
        (cart(), opens("3 hours", "hello")),
        (completed("1 day", sends(hello="", for_all="1 day")),),
        SINCE_THE_EMAIL,
    ),
    "a-series-whose-limit-counts-from-a-send": Story(
        (cart(), opens("3 days 1 minute", "hello")),
        (completed("3 days", sends(hello="", for_all="3 days")),),
        SINCE_THE_EMAIL,
    ),
    # --- what is known now ----------------------------------------------------------------------------
    "the-first-condition-that-holds": Story(
        (cart(total=200),), (completed("1 hour", sends(for_large="", for_all="1 hour")),), TIER
    ),
    "a-condition-further-down": Story(
        (cart(total=60),), (completed("1 hour", sends(for_not_small="", for_all="1 hour")),), TIER
    ),
    "a-condition-on-what-is-there-for-once": Story(
        (cart(total=200).model_copy(update={"attributes": {"cart_id": "c1", "total": 200, "coupon": "SPRING"}}),),
        (completed("1 hour", sends(with_coupon="", for_all="1 hour")),),
        TIER,
    ),
    "no-condition-holds-and-the-arm-is-empty": Story(
        (cart(total=20),), (completed("1 hour", sends(for_all="1 hour")),), TIER
    ),
    "the-message-before-went-out": Story((cart(),), (completed("", sends(hello="", well_done="")),), REACHED),
    "the-message-before-was-blocked": Story(
        (cart(),),
        (completed("", (Send("hello", at(""), "blocked"), *sends(other_way=""))),),
        REACHED,
        customer={"email": "ada@example.com"},
    ),
    "looked-at-once-when-it-is-entered": Story(
        (cart(), changes("12 hours", country="SE"), changes("36 hours", country="NO")),
        (completed("2 days", sends(in_swedish="2 days")),),
        AFTER_A_DAY,
    ),
    # --- chance ---------------------------------------------------------------------------------------
    "always-the-same-half": Story(
        (cart(), cart("1 hour", "c2"), cart("2 hours", "c3")),
        (
            completed("", sends(by_text="")),
            completed("1 hour", sends(by_text="1 hour")),
            completed("2 hours", sends(by_text="2 hours")),
        ),
        HALF,
    ),
    "the-other-half": Story((cart(),), (completed("", sends(by_email="")),), HALF),
    "a-half-for-each-run": Story(
        (cart(), cart("1 hour", "c2"), cart("2 hours", "c3")),
        (
            completed("", sends(by_text="")),
            completed("1 hour", sends(by_email="1 hour")),
            completed("2 hours", sends(by_text="2 hours")),
        ),
        EACH_TIME,
    ),
    "the-one-place-is-kept": Story(
        (cart(), cart("1 hour", "c2")),
        (completed("", sends(new_way="")), completed("1 hour", sends(new_way="1 hour"))),
        PILOT,
    ),
    # --- a test ---------------------------------------------------------------------------------------
    "one-arm-as-long-as-the-test-runs": Story(
        (cart(), cart("13 days", "c2")),
        (
            completed("1 day", sends(witty="", for_all="1 day")),
            completed("14 days", sends(witty="13 days", for_all="14 days")),
        ),
        SUBJECT,
    ),
    "after-a-test-the-default": Story(
        (cart(), cart("14 days 1 minute", "c2")),
        (
            completed("1 day", sends(witty="", for_all="1 day")),
            completed("15 days 1 minute", sends(plain="14 days 1 minute", for_all="15 days 1 minute")),
        ),
        SUBJECT,
    ),
    "bought-in-the-time-of-a-test-after-an-exit": Story(
        (cart(), visits("1 hour", "Oslo"), buys("2 days 23 hours")),
        (Run("exited", at("1 hour"), sends(witty=""), goal_at=at("2 days 23 hours")),),
        walking(compared("2 weeks"), pause("a-day", "1 day"), **LEAVES),
    ),
    "bought-after-an-exit-and-after-the-time-of-a-test": Story(
        (cart(), visits("1 hour", "Oslo"), buys("3 days 1 hour")),
        (Run("exited", at("1 hour"), sends(witty="")),),
        walking(compared("2 weeks"), pause("a-day", "1 day"), **LEAVES),
    ),
    "a-test-goes-on-by-the-rules-that-it-began-with": Story(
        (
            cart(),
            Publish(at("1 day 1 hour"), abandoned_cart(steps=[compared("4 days", "witty"), push("other")], exit=[])),
            cart("5 days", "c2"),
            cart("14 days 1 minute", "c3"),
        ),
        (
            completed("1 day", sends(plain="", for_all="1 day")),
            completed("5 days", sends(plain="5 days", other="5 days"), version=2),
            completed("14 days 1 minute", sends(plain="14 days 1 minute", other="14 days 1 minute"), version=2),
        ),
        SUBJECT,
    ),
    # --- events that runs make -------------------------------------------------------------------------
    "raises-what-starts-another-journey": Story(
        (cart(),), (TOLD, of_visitors(completed("", sends(welcome="")))), TELLS, beside=(visitors(push("welcome")),)
    ),
    "raises-what-another-run-waits-for": Story(
        (buys(""), cart("1 hour")),
        (
            of_visitors(completed("1 hour", sends(welcome="1 hour"))),
            completed("25 hours", sends(hello="1 hour", nudge="25 hours")),
        ),
        TELLS,
        beside=(
            visitors(
                {"id": "visited", "if": {"trigger": "store-visit", "within": "5 days"}, "then": [push("welcome")]},
                trigger="purchase-completed",
            ),
        ),
    ),
    "raises-what-nobody-may-start-by": Story(
        (cart(),), (TOLD,), TELLS, beside=(visitors(push("welcome"), where="event.city == 'Bergen'"),)
    ),
    "raises-its-own-exit": Story(
        (cart(),),
        (Run("exited", at("1 day"), sends(hello=""), goal_at=at("1 day")),),
        walking(email("hello"), pause("a-day", "1 day"), raise_("buy", "purchase-completed"), text("never")),
    ),
    "raises-at-its-end": Story(
        (cart(),),
        (completed("1 day", sends(hello="")), of_visitors(completed("1 day", sends(welcome="1 day")))),
        walking(email("hello"), pause("a-day", "1 day"), raise_("tell", "store-visit", city=OSLO)),
        beside=(visitors(push("welcome")),),
    ),
    "raises-what-its-series-waits-for": Story(
        (cart(),), (completed("1 day", sends(first="", thanks="1 day")),), LEAVES_ITS_SERIES
    ),
    "raises-what-it-asks-for-later": Story((cart(),), (completed("2 days", sends(come="2 days")),), ASKS_LATER),
    "raises-its-own-start": Story(
        (cart(),),
        (completed("1 day", sends(hello="1 day")),),
        walking(
            pause("a-day", "1 day"),
            ANEW,
            email("hello"),
            start={"trigger": "abandoned-cart", "key": "event.cart_id", "where": "event.total > 0"},
        ),
    ),
    "raises-what-leads-back": Story(
        (cart(),),
        (completed("", sends(hello="")), of_visitors(completed("1 day", sends(welcome="1 day")))),
        walking(email("hello"), raise_("tell", "store-visit", city=OSLO)),
        beside=(visitors(pause("a-day", "1 day"), ANEW_OF_A_VISIT, push("welcome"), where="event.city == 'Oslo'"),),
    ),
    "raises-what-leads-back-after-she-bought": Story(
        (cart(), buys("3 hours")),
        (
            completed("", sends(hello=""), goal="3 hours"),
            of_visitors(completed("3 hours", sends(welcome="3 hours"))),
            completed("3 hours", sends(hello="3 hours")),
        ),
        walking(email("hello"), raise_("tell", "store-visit", city=OSLO), exit=[]),
        beside=(
            visitors(
                {
                    "id": "bought",
                    "if": {"trigger": "purchase-completed", "within": "5 days"},
                    "then": [ANEW_OF_A_VISIT, push("welcome")],
                }
            ),
        ),
    ),
    "raises-what-leads-back-after-a-report": Story(
        (cart(), does("3 hours", "delivered", "news", run=2)),
        (completed("", sends(hello="")), of_visitors(completed("3 hours", sends(news="", welcome="3 hours")))),
        walking(email("hello"), raise_("tell", "store-visit", city=OSLO), exit=[]),
        beside=(visitors(push("news"), after_news("delivered")),),
    ),
    "raises-what-leads-back-after-a-program-opened": Story(
        (cart(), opens("3 hours", "news", run=2, machine=True)),
        (completed("", sends(hello="")), of_visitors(completed("3 hours", sends(news="", welcome="3 hours")))),
        walking(email("hello"), raise_("tell", "store-visit", city=OSLO), exit=[]),
        beside=(visitors(push("news"), after_news("opened", by="anyone")),),
    ),
    "raises-what-leads-back-after-she-opened": Story(
        (cart(), opens("3 hours", "news", run=2)),
        (
            completed("", sends(hello="")),
            of_visitors(completed("3 hours", sends(news="", welcome="3 hours"))),
            completed("3 hours", sends(hello="3 hours")),
        ),
        walking(email("hello"), raise_("tell", "store-visit", city=OSLO), exit=[]),
        beside=(visitors(push("news"), after_news("opened", by="anyone")),),
    ),
    "starts-by-a-report-of-another-but-not-of-its-own": Story(
        (cart(), does("1 hour", "delivered", "first", run=1), does("2 hours", "delivered", "news", run=2)),
        (TOLD_NOTHING, of_visitors(completed("1 hour", sends(news="1 hour")))),
        walking(push("first"), exit=[]),
        beside=(visitors(push("news"), trigger="push-delivered"),),
    ),
    "raises-what-lacks-a-value": Story(
        (cart(),),
        (TOLD,),
        walking(
            email("hello"),
            raise_("tell", "store-visit", city="event.coupon"),
            pause("a-day", "1 day"),
            text("nudge"),
        ),
        beside=(visitors(push("welcome")),),
    ),
    # --- what runs set of their customer ----------------------------------------------------------------
    "sets-what-starts-another-journey": Story(
        (cart(),),
        (completed("1 day", sends(nudge="1 day")), of_visitors(completed("", sends(welcome="")))),
        walking(set_("tag", country="'NO'"), pause("a-day", "1 day"), text("nudge")),
        beside=(
            visitors(
                push("welcome"), trigger="customer-changed", where="before.country == 'SE' && customer.country == 'NO'"
            ),
        ),
        customer={**CUSTOMER, "country": "SE"},
    ),
    "sets-what-is-so-already": Story(
        (cart(),),
        (completed("1 day", sends(nudge="1 day")),),
        walking(set_("tag", country="'SE'"), pause("a-day", "1 day"), text("nudge")),
        beside=(visitors(push("welcome"), trigger="customer-changed"),),
        customer={**CUSTOMER, "country": "SE"},
    ),
    "sets-what-its-own-exit-asks-for": Story(
        (cart(),),
        (Run("exited", at("1 day"), sends(hello="")),),
        walking(
            email("hello"),
            pause("a-day", "1 day"),
            set_("tag", country="'NO'"),
            text("never"),
            exit=[{"when": "customer.country == 'NO'"}],
        ),
    ),
    "sets-what-its-series-waits-for": Story(
        (cart(),),
        (completed("", sends(thanks="")),),
        walking(
            until(
                "nudges",
                {"becomes": "customer.country == 'NO'"},
                set_("tag", country="'NO'"),
                text("never"),
                then=[push("thanks")],
            ),
            exit=[],
        ),
    ),
    "sets-its-own-start-again": Story(
        (cart(), moves("1 hour", "SE")),
        (TOLD_NOTHING, of_visitors(completed("1 hour", sends(welcome="1 hour")))),
        walking(push("first"), exit=[]),
        beside=(visitors(set_("tag", country="'NO'"), push("welcome"), trigger="customer-changed"),),
    ),
    "sets-an-address-aside": Story(
        (cart(),),
        (Run("completed", at(""), (Send("nudge", at(""), "blocked"), Send("hello", at("")))),),
        walking(set_("forget", phone=None), text("nudge"), email("hello")),
    ),
    "sets-an-address-that-is-none": Story(
        (cart(),),
        (completed("", sends(hello="", nudge="")),),
        walking(
            set_("tag", country="'NO'", phone="'call me Ada'"),
            {"id": "went", "branch": [{"arm": "not", "when": "sent['tag'] == 'failed'", "then": [email("hello")]}]},
            {"id": "moved", "branch": [{"arm": "so", "when": "customer.country == 'NO'", "then": [email("never")]}]},
            text("nudge"),
        ),
    ),
    "sets-an-address-as-people-write-it": Story(
        (cart(),),
        (completed("", sends(hello="", nudge="")),),
        walking(
            set_("tag", phone="'tel:+1 555 (0) 0199'"),
            {
                "id": "kept",
                "branch": [{"arm": "plain", "when": "customer.phone == '+15550199'", "then": [email("hello")]}],
            },
            text("nudge"),
        ),
    ),
    "sets-all-or-nothing": Story(
        (cart(),),
        (completed("", sends(nudge="")),),
        walking(set_("tag", phone=None, country="event.coupon"), text("nudge")),
    ),
}
