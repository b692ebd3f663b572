"""Stories by chance: a journey, what happens to one customer, and what becomes of it on the virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from journeys.checks.review import Catalogue
from journeys.definition import Journey
from journeys.interactions import INTERACTIONS
from journeys.publishing import check, version_of
from journeys.steps import EventQuestion, MessageQuestion, Question
from journeys.versions import Version
from journeys.walk.diary import Delivery
from journeys.walk.preview import Stage
from journeys.walk.script import DEFAULT_START, Happening
from journeys.walk.timeline import PreviewCall, PreviewRun, PreviewSend
from tests.random_journeys import FATES, REACTIONS, RENEWS, journeys
from tests.samples import CONTENTS, CUSTOMER, catalogue
from tests.stories import buys, cart, changes, does, moves, visits

LATE = ("store-visit", "purchase-completed")
"""What may be heard of late."""


@dataclass(frozen=True)
class Played:
    """A story as the preview tells it."""

    journey: Journey
    lines: tuple[Happening, ...]
    runs: tuple[PreviewRun, ...]

    @property
    def hurries(self) -> bool:
        """Whether a run ends another one at the very instant at which that has something to do.

        Who comes first, is a matter of luck then; and a server that skips time stands still for good where a run is
        cancelled while one of its activities is under way.
        """
        acting = [(run, entry.at) for run in self.runs for entry in run.diary if entry.did != "left"]
        exited = {(run.id, run.ended_at) for run in self.runs if run.ended == "exited"}
        hurried = {at for run, at in acting if (run.id, at) in exited}
        return any(len({run.id for run, at in acting if at == instant}) > 1 for instant in hurried)


class EndpointsStage(Stage):
    """A stage with endpoints, each of which does what its name says."""

    def answer(self, call: PreviewCall) -> Delivery:
        return Delivery(outcome=FATES[call.endpoint], at=call.at)


@st.composite
def stories(draw: st.DrawFn) -> Played:
    """A cart or a trial, and what happens after it: whatever journeys can ask for."""
    journey = draw(journeys())
    stage = EndpointsStage(CUSTOMER, customer_id="ada", contents=CONTENTS)
    stage.publish(live := version(journey))
    starting = [line for line in (cart(), *trials("")) if line.trigger in journey.start.triggers]
    lines = [draw(st.sampled_from(starting)).model_copy(update={"id": "e-0"})]
    stage.happen(lines[0])
    at = timedelta(0)
    for number in range(1, draw(st.integers(2, 9))):
        # To a minute of its own: a message that goes at that instant may be a moment later on a server.
        at += draw(st.integers(1, 6) | st.integers(1, 40)) * timedelta(hours=1) + timedelta(minutes=1)
        stage.advance(stage.started_at + at)
        kinds = [lines for lines in possible(stage, live, f"{at.total_seconds():.0f} seconds") if lines]
        line = draw(st.sampled_from(draw(st.sampled_from(kinds))))
        late = draw(st.sampled_from([0, 0, 0, 1, 2, 5])) if line.trigger in LATE else 0
        occurred_at = at - timedelta(hours=late) if late else None
        lines.append(line.model_copy(update={"id": f"e-{number}", "occurred_at": occurred_at}))
        stage.happen(lines[-1])
    return Played(journey, tuple(lines), stage.finish().runs)


def version(journey: Journey) -> Version:
    """The version that publishing makes of a journey. It must be one that may be published."""
    known = catalogue()
    stocked = Catalogue(known.triggers, known.contents, RENEWS, endpoints=dict.fromkeys(FATES, "open"))
    flaws = check(journey, stocked)
    assert not flaws, flaws
    return version_of(journey, 1, stocked)


def date(hours: int) -> str:
    """A date so long after the story begins, at a minute at which nothing else comes."""
    at: datetime = DEFAULT_START + timedelta(hours=hours, minutes=59)
    return at.isoformat()


def trials(when: str) -> Iterator[Happening]:
    """A trial that ends one day or another, or never."""
    for dated in ({}, {"ends_at": date(-10)}, {"ends_at": date(30)}, {"ends_at": date(90)}):
        told = cart(when, "c1")
        yield told.model_copy(update={"trigger": "trial-started", "attributes": {**told.attributes, **dated}})


def possible(stage: Stage, live: Version, when: str) -> Iterator[list[Happening]]:
    """What may happen now, by its kind."""
    yield [visits(when, city) for city in ("Oslo", "Bergen")]
    yield [buys(when), cart(when), cart(when, "c2"), *trials(when)]
    yield [moves(when, country) for country in ("NO", "SE", None)]
    yield [changes(when, renews_at=renews) for renews in (date(40), date(100), None)]
    for number, run in enumerate(stage.so_far, 1):
        yield [line for send in run.sends if send.outcome == "accepted" for line in reacting(when, send, number)]
        here = "" if run.ended else run.diary[-1].step
        asked = [asked.question for asked in live.questions if asked.step.id in {here, *live.around(here)}]
        yield [line for question in asked for line in answering(question, when, number)]


def reacting(when: str, send: PreviewSend, run: int) -> Iterator[Happening]:
    """What may be done with a message."""
    for each in REACTIONS:
        if each in INTERACTIONS[send.kind]:
            said = ({"reply": "Ja!"}, {"reply": "no"}) if each == "replied" else ({},)
            yield from (does(when, each, send.step, run=run, **attributes) for attributes in said)


def answering(question: Question, when: str, run: int) -> Iterator[Happening]:
    """What answers a question, mostly."""
    match question:
        case MessageQuestion(message=message, is_=what):
            yield does(when, what, message, run=run, **({"reply": "yes"} if what == "replied" else {}))
        case EventQuestion(trigger="store-visit"):
            yield visits(when, "Oslo")
        case _:
            yield moves(when, "SE")
            yield changes(when, renews_at=date(60))
