"""Stories of new versions: who goes on in one, from where they stand, and who finishes theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from journeys.definition import Journey
from tests.parked_stories import BROKEN, FREE, mend, repair
from tests.pause_stories import pauses, resumes
from tests.policy_stories import by_night, ruled
from tests.samples import abandoned_cart
from tests.stories import (
    EMAIL,
    PUSH,
    TEXT,
    Publish,
    Run,
    Send,
    Story,
    at,
    cart,
    completed,
    email,
    of_visitors,
    opens,
    pause,
    push,
    raise_,
    reminders,
    sends,
    set_,
    text,
    until,
    visitors,
    visits,
)


def of(*steps: Mapping[str, object], **more: object) -> Journey:
    """A journey of these steps, from which nobody exits."""
    return abandoned_cart(**({"steps": list(steps), "exit": []} | more))


def once(*steps: Mapping[str, object]) -> Journey:
    """The same, which nobody enters twice."""
    return of(*steps, start={"trigger": "abandoned-cart", "repeat": "never"})


def waits(wait: str, **more: object) -> Journey:
    return of(email(EMAIL), pause("pause", wait), {**push(PUSH), **more})


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


def nudges(text_id: str, wait: str = "1 hour", **more: object) -> Journey:
    return of(pause("an-hour", wait), {**text(text_id), **more}, push("its-last"))


def renamed(when: str) -> Publish:
    """Everybody goes on where the text has another name."""
    return Publish(at(when), nudges("again"), "move", {"nudge": "again"})


def acts(before: Mapping[str, object], *after: Mapping[str, object]) -> Journey:
    return of(before, pause("a-day", "1 day"), *after)


def given_away(first: Mapping[str, object], again: Mapping[str, object], **more: Any) -> Story:
    """A step acts, is called otherwise, and what is new takes the name that it had: both do what they say."""
    renamed = {**first, "id": "renamed"}
    return Story(
        (
            cart(),
            Publish(at("1 hour"), acts(renamed), "move", {str(first["id"]): "renamed"}),
            Publish(at("2 hours"), acts(renamed, again, text("nudge")), "move"),
        ),
        (
            completed("1 day", sends(nudge="1 day"), version=3),
            of_visitors(completed("", sends(welcome=""))),
            of_visitors(completed("1 day", sends(welcome="1 day"))),
        ),
        lambda _: acts(first),
        **more,
    )


VERSION_STORIES: dict[str, Story] = {
    "moved-to-a-shorter-wait-that-is-over": Story(
        (cart(), Publish(at("5 days"), waits("3 days"), "move")),
        (completed("5 days", sends(initial_reminder="", final_reminder="5 days"), version=2),),
        lambda _: waits("7 days"),
        policy=ruled(),
    ),
    "moved-to-a-shorter-wait-that-is-over-what-comes-next-takes-its-turn": Story(
        (cart(), Publish(at("5 days"), waits("3 days"), "move")),
        (completed("5 days 16 minutes", sends(initial_reminder="", final_reminder="5 days 16 minutes"), version=2),),
        lambda _: waits("7 days"),
        policy=ruled("5 hours"),
    ),
    "moved-to-a-shorter-wait-that-is-over-what-comes-next-has-not-expired": Story(
        (cart(), Publish(at("5 days"), waits("3 days", expires="1 hour"), "move")),
        (completed("5 days", sends(initial_reminder="", final_reminder="5 days"), version=2),),
        lambda _: waits("7 days"),
        policy=ruled(),
    ),
    "moved-to-a-shorter-wait-that-is-over-the-next-wait-begins-then": Story(
        (
            cart(),
            Publish(
                at("5 days"), of(email(EMAIL), pause("pause", "3 days"), pause("more", "1 day"), push(PUSH)), "move"
            ),
        ),
        (completed("6 days", sends(initial_reminder="", final_reminder="6 days"), version=2),),
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
        policy=ruled(),
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
    "moved-at-night-to-another-name-it-waits-for-the-morning": by_night(
        (cart(), renamed("3 hours")),
        completed("12 hours", sends(again="12 hours", its_last="12 hours"), version=2),
        journey=lambda _: nudges("nudge"),
    ),
    "moved-while-paused-it-goes-out-when-resumed": Story(
        (cart(), pauses("30 minutes"), renamed("2 hours"), resumes("3 hours")),
        (completed("3 hours", sends(again="3 hours", its_last="3 hours"), version=2),),
        lambda _: nudges("nudge"),
        policy=ruled(),
    ),
    "moved-while-paused-it-is-left-out-where-that-is-said": Story(
        (
            cart(),
            pauses("30 minutes"),
            Publish(at("2 hours"), of(pause("an-hour", "1 hour"), text("again")), "move", {"nudge": "again"}),
            resumes("3 hours", "skip"),
        ),
        (Run("completed", at("3 hours"), (Send("again", at("3 hours"), "blocked"),), None, 2),),
        lambda _: of(pause("an-hour", "1 hour"), text("nudge")),
        policy=ruled(),
    ),
    "resumed-in-turn-and-moved-it-takes-its-turn": Story(
        (cart(), pauses("30 minutes"), resumes("3 hours"), renamed("3 hours 1 minute")),
        (completed("3 hours 16 minutes", sends(again="3 hours 16 minutes", its_last="3 hours 16 minutes"), version=2),),
        lambda _: nudges("nudge"),
        policy=ruled("40 minutes"),
    ),
    "moved-while-parked-it-waits-for-its-repair": Story(
        (FREE, mend("2 hours"), renamed("3 hours"), repair("5 hours", step="again")),
        (completed("5 hours", sends(again="5 hours", its_last="5 hours"), version=2),),
        lambda _: nudges("nudge"),
        contents=BROKEN,
        policy=ruled(),
    ),
    "moved-while-parked-to-a-step-that-is-another-it-is-tried-again": Story(
        (FREE, mend("2 hours"), Publish(at("3 hours"), nudges("nudge", expires="1 day"), "move")),
        (completed("3 hours", sends(nudge="3 hours", its_last="3 hours"), version=2),),
        lambda _: nudges("nudge"),
        contents=BROKEN,
        policy=ruled(),
    ),
    "who-was-moved-does-not-enter-again-that-never-repeats": Story(
        (cart(), Publish(at("1 day"), once(text("other"), pause("pause", "2 days")), "move"), cart("3 days")),
        (completed("2 days", (), version=2),),
        lambda _: once(pause("pause", "7 days"), text("nudge")),
    ),
    "sends-by-a-name-that-was-given-away": Story(
        (
            cart(),
            Publish(at("1 hour"), acts(email("renamed")), "move", {"it": "renamed"}),
            Publish(at("2 hours"), acts(email("renamed"), text("it")), "move"),
        ),
        (completed("1 day", sends(renamed="", it="1 day"), version=3),),
        lambda _: acts(email("it")),
    ),
    "raises-by-a-name-that-was-given-away": given_away(
        raise_("tell", "store-visit", city="'Oslo'"),
        raise_("tell", "store-visit", city="'Bergen'"),
        beside=(visitors(push("welcome")),),
    ),
    "raises-the-same-by-a-name-that-was-given-away": given_away(
        raise_("tell", "store-visit", city="'Oslo'"),
        raise_("tell", "store-visit", city="'Oslo'"),
        beside=(visitors(push("welcome")),),
    ),
    "sets-by-a-name-that-was-given-away": given_away(
        set_("tag", first_name="'Ada L.'"),
        set_("tag", first_name="'Ada M.'"),
        beside=(visitors(push("welcome"), trigger="customer-changed"),),
    ),
}
