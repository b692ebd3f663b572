"""Stories of what fails: who is parked and who goes on, and what becomes of who is parked."""

from __future__ import annotations

from tests.policy_stories import NIGHT, changed_contents, completes, left, ruled, shows
from tests.samples import CONTENTS, CUSTOMER
from tests.stories import (
    Line,
    Mend,
    Repair,
    Run,
    Send,
    Stop,
    Story,
    at,
    buys,
    cart,
    changes,
    completed,
    email,
    pause,
    push,
    sends,
    text,
    until,
    visits,
    walking,
)

BROKEN = changed_contents({"content": "second-text-reminder", "text": {"body": "{{ 100 | divided_by: event.total }}"}})
MENDED = CONTENTS["second-text-reminder"]
NO_PAGE = changed_contents(
    {
        "content": "final-push-notification",
        "push": {"title": "Last call", "body": "Look", "link": "{{ customer.page }}"},
    }
)
FREE = cart(total=0)
NUDGE = walking(pause("an-hour", "1 hour"), text("nudge"), push("then"))
IN_A_SERIES = walking(
    until(
        "series",
        {"trigger": "store-visit", "within": "6 hours"},
        pause("an-hour", "1 hour"),
        text("nudge"),
        push("then"),
        then=[push("thanks")],
        **{"else": [email("sorry")]},
    ),
    exit=[],
)


def mend(when: str) -> Mend:
    return Mend(at(when), MENDED)


def repair(when: str, step: str | None = None, reason: str | None = None) -> Repair:
    return Repair(at(when), step, reason)


def go_on(when: str) -> Repair:
    return Repair(at(when), instead="go on")


def failing(how: str) -> dict[str, object]:
    return {**text("nudge"), "failing": how}


def failed(step: str, when: str) -> Send:
    return Send(step, at(when), "failed")


def told(lines: tuple[Line, ...], *runs: Run, **more: object) -> Story:
    """A story of a content that cannot be filled in where a cart is free."""
    return Story(lines, runs, **{"journey": NUDGE, "contents": BROKEN, "policy": ruled(), **more})  # type: ignore[arg-type]


PARKED_STORIES: dict[str, Story] = {
    "parked-until-the-content-is-mended": told(
        (FREE, mend("2 hours"), repair("5 hours")),
        completed("5 hours", sends(nudge="5 hours", then="5 hours")),
    ),
    "repaired-before-it-is-mended-it-is-parked-again": told(
        (FREE, repair("3 hours"), mend("4 hours"), repair("5 hours")),
        completed("5 hours", sends(nudge="5 hours", then="5 hours")),
    ),
    "mended-alone-nobody-tries-again": told(
        (FREE, mend("2 hours"), buys("5 hours")),
        Run("exited", at("5 hours"), (), goal_at=at("5 hours")),
    ),
    "repaired-twice-it-goes-out-once": told(
        (FREE, mend("2 hours"), repair("5 hours"), repair("5 hours"), repair("6 hours")),
        completed("5 hours", sends(nudge="5 hours", then="5 hours")),
    ),
    "another-cart-is-not-parked": told(
        (FREE, cart("1 hour", "c2"), mend("3 hours"), repair("5 hours")),
        completed("5 hours", sends(nudge="5 hours", then="5 hours")),
        completed("2 hours", sends(nudge="2 hours", then="2 hours")),
    ),
    "exits-while-it-is-parked": told(
        (FREE, buys("2 hours"), mend("3 hours"), repair("5 hours")),
        Run("exited", at("2 hours"), (), goal_at=at("2 hours")),
    ),
    "stopped-while-it-is-parked": told(
        (FREE, Stop(at("2 hours")), mend("3 hours"), repair("5 hours")),
        Run("stopped", at("2 hours"), ()),
    ),
    "expires-while-it-is-parked": told(
        (FREE,),
        completes("3 hours", Send("nudge", at("3 hours"), "blocked"), *sends(then="3 hours")),
        journey=walking(pause("an-hour", "1 hour"), {**text("nudge"), "expires": "2 hours"}, push("then")),
    ),
    "repaired-before-it-expires": told(
        (FREE, mend("90 minutes"), repair("2 hours")),
        completed("2 hours", sends(nudge="2 hours", then="2 hours")),
        journey=walking(pause("an-hour", "1 hour"), {**text("nudge"), "expires": "2 hours"}, push("then")),
    ),
    "the-limit-of-its-series-comes-while-it-is-parked": told(
        (FREE, mend("7 hours"), repair("8 hours")),
        completed("6 hours", sends(sorry="6 hours")),
        journey=IN_A_SERIES,
    ),
    "its-series-is-answered-while-it-is-parked": told(
        (FREE, visits("3 hours", "Oslo")),
        completed("3 hours", sends(thanks="3 hours")),
        journey=IN_A_SERIES,
    ),
    "repaired-in-its-series": told(
        (FREE, mend("2 hours"), repair("3 hours"), visits("4 hours", "Oslo")),
        completed("3 hours", sends(nudge="3 hours", then="3 hours", sorry="3 hours")),
        journey=IN_A_SERIES,
    ),
    "said-to-go-on-it-is-not-parked": told(
        (FREE,),
        completes("1 hour", failed("nudge", "1 hour"), *sends(then="1 hour")),
        journey=walking(pause("an-hour", "1 hour"), failing("go on"), push("then")),
    ),
    "let-go-on-without-it": told(
        (FREE, go_on("5 hours")),
        completes("5 hours", failed("nudge", "5 hours"), *sends(then="5 hours")),
    ),
    "the-customer-is-mended": told(
        (cart(), changes("2 hours", page="https://shop.example.com/cart"), repair("5 hours")),
        completed("5 hours", sends(then="5 hours")),
        journey=walking(pause("an-hour", "1 hour"), push("then")),
        contents=NO_PAGE,
        customer={**CUSTOMER, "page": "ftp://shop.example.com/cart"},
    ),
    "only-one-step-is-repaired": told(
        (FREE, mend("2 hours"), repair("5 hours", step="then"), repair("6 hours", step="nudge")),
        completed("6 hours", sends(nudge="6 hours", then="6 hours")),
    ),
    "only-those-of-a-reason-are-repaired": told(
        (FREE, mend("2 hours"), repair("5 hours", reason="refused"), repair("6 hours", reason="FILLED IN")),
        completed("6 hours", sends(nudge="6 hours", then="6 hours")),
    ),
    "repaired-at-night-it-goes-out-in-the-morning": told(
        (FREE, mend("30 minutes"), repair("3 hours")),
        completed("12 hours", sends(nudge="12 hours", then="12 hours")),
        journey=walking(text("nudge"), push("then")),
        policy=ruled(quiet=[NIGHT]),
        customer={"phone": "+15550100", "push_token": "token-ada", "time_zone": "Europe/Oslo"},
        begins=shows("Europe/Oslo"),
    ),
    "repaired-it-goes-out-in-turn": told(
        (FREE, mend("2 hours"), repair("5 hours")),
        completed("5 hours 27 minutes", sends(nudge="5 hours 27 minutes", then="5 hours 27 minutes")),
        policy=ruled("30 minutes"),
    ),
    "a-customer-opts-out-while-it-is-parked": told(
        (FREE, changes("2 hours", phone=None), mend("3 hours"), repair("5 hours")),
        completes("5 hours", Send("nudge", at("5 hours"), "blocked"), *sends(then="5 hours")),
    ),
    "restarted-while-it-is-parked": told(
        (FREE, cart("2 hours"), mend("4 hours"), repair("5 hours")),
        left("2 hours"),
        completed("3 hours", sends(nudge="3 hours", then="3 hours")),
        journey=walking(
            pause("an-hour", "1 hour"),
            text("nudge"),
            push("then"),
            start={"trigger": "abandoned-cart", "key": "event.cart_id", "repeat": "immediately", "overlap": "restart"},
        ),
    ),
}
