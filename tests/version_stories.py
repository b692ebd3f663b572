"""Stories of new versions: who goes on in one, from where they stand, and who finishes theirs."""

from __future__ import annotations

from collections.abc import Mapping

from journeys.definition import Journey
from tests.samples import abandoned_cart
from tests.stories import (
    EMAIL,
    PUSH,
    TEXT,
    Publish,
    Story,
    at,
    cart,
    completed,
    email,
    opens,
    pause,
    push,
    reminders,
    sends,
    text,
    until,
    visits,
)


def of(*steps: Mapping[str, object]) -> Journey:
    """A journey of these steps, from which nobody exits."""
    return abandoned_cart(steps=list(steps), exit=[])


def waits(wait: str) -> Journey:
    return of(email(EMAIL), pause("pause", wait), push(PUSH))


def asks(within: str, *, pause_id: str = "pause") -> Journey:
    """The abandoned cart, with another limit."""
    opened = {"message": EMAIL, "is": "opened", "within": within}
    return of(
        email(EMAIL),
        {"id": "opened", "if": opened, "else": [text(TEXT), pause(pause_id, "1 day"), push(PUSH)]},
    )


def in_series(wait: str, within: str = "10 days") -> Journey:
    question = {"trigger": "store-visit", "within": within}
    return of(email(EMAIL), until("series", question, pause("pause", wait), push(PUSH), then=[text("thanks")]))


VERSION_STORIES: dict[str, Story] = {
    "moved-to-a-shorter-wait-that-is-over": Story(
        (cart(), Publish(at("5 days"), waits("3 days"), "move")),
        (completed("5 days", sends(initial_reminder="", final_reminder="5 days"), version=2),),
        lambda _: waits("7 days"),
    ),
    "moved-to-a-shorter-wait-that-is-not-over": Story(
        (cart(), Publish(at("1 day"), waits("3 days"), "move")),
        (completed("3 days", sends(initial_reminder="", final_reminder="3 days"), version=2),),
        lambda _: waits("7 days"),
    ),
    "moved-to-a-longer-wait": Story(
        (cart(), Publish(at("1 day"), waits("9 days"), "move")),
        (completed("9 days", sends(initial_reminder="", final_reminder="9 days"), version=2),),
        lambda _: waits("7 days"),
    ),
    "moved-with-a-question-open": Story(
        (cart(), Publish(at("12 hours"), asks("3 days"), "move"), opens("2 days")),
        (completed("2 days", reminders(""), version=2),),
        lambda _: asks("1 day"),
    ),
    "moved-to-a-shorter-limit-that-is-over": Story(
        (cart(), Publish(at("12 hours"), asks("6 hours"), "move"), opens("13 hours")),
        (completed("36 hours", reminders("", "12 hours", "36 hours"), version=2),),
        lambda _: asks("1 day"),
    ),
    "moved-to-steps-of-other-names": Story(
        (cart(), Publish(at("26 hours"), asks("1 day", pause_id="a-day"), "move", {"pause": "a-day"})),
        (completed("2 days", reminders("", "1 day", "2 days"), version=2),),
        lambda _: asks("1 day"),
    ),
    "moved-within-a-series": Story(
        (cart(), Publish(at("1 day"), in_series("2 days"), "move"), visits("30 hours", "Oslo")),
        (completed("30 hours", sends(initial_reminder="", thanks="30 hours"), version=2),),
        lambda _: in_series("9 days"),
    ),
    "moved-within-a-series-to-the-end-of-its-wait": Story(
        (cart(), Publish(at("1 day"), in_series("2 days"), "move")),
        (completed("2 days", sends(initial_reminder="", final_reminder="2 days"), version=2),),
        lambda _: in_series("9 days"),
    ),
    "moved-within-a-series-whose-limit-is-over": Story(
        (cart(), Publish(at("3 days"), in_series("9 days", "2 days"), "move")),
        (completed("3 days", sends(initial_reminder=""), version=2),),
        lambda _: in_series("9 days"),
    ),
    "a-message-that-comes-new-ahead": Story(
        (cart(), Publish(at("1 day"), of(email(EMAIL), pause("pause", "3 days"), text(TEXT), push(PUSH)), "move")),
        (
            completed(
                "3 days", sends(initial_reminder="", second_reminder="3 days", final_reminder="3 days"), version=2
            ),
        ),
        lambda _: waits("7 days"),
    ),
    "not-moved-out-of-a-series": Story(
        (cart(), Publish(at("1 day"), waits("2 days"), "move")),
        (completed("9 days", sends(initial_reminder="", final_reminder="9 days")),),
        lambda _: in_series("9 days"),
    ),
    "not-moved-before-what-was-sent": Story(
        (cart(), Publish(at("1 day"), of(pause("pause", "3 days"), email(EMAIL), push(PUSH)), "move")),
        (completed("7 days", sends(initial_reminder="", final_reminder="7 days")),),
        lambda _: waits("7 days"),
    ),
    "not-moved-where-its-step-is-gone": Story(
        (cart(), Publish(at("1 day"), of(email(EMAIL), push(PUSH)), "move"), cart("2 days", "c2")),
        (
            completed("7 days", sends(initial_reminder="", final_reminder="7 days")),
            completed("2 days", sends(initial_reminder="2 days", final_reminder="2 days"), version=2),
        ),
        lambda _: waits("7 days"),
    ),
}
