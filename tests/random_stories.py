"""Stories by chance: a journey, what happens to one customer, and what becomes of it on the virtual clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from journeys.catalogue import Content
from journeys.checks.review import Catalogue
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.definition import Journey
from journeys.interactions import INTERACTIONS
from journeys.publishing import check, version_of
from journeys.steps import EventQuestion, MessageQuestion, Question
from journeys.versions import Version
from journeys.walk.diary import Delivery
from journeys.walk.preview import Stage
from journeys.walk.script import DEFAULT_START, Happening
from journeys.walk.timeline import PreviewCall, PreviewRun, PreviewSend
from tests.random_journeys import FATES, REACTIONS, RENEWS, beginning, journeys
from tests.random_policies import CHANGING, ZONES, before_a_change, later_by, policies
from tests.samples import CONTENTS, CUSTOMER, catalogue
from tests.stories import LetGo, buys, cart, changes, does, moves, visits

ScriptLine = Happening | LetGo

LATE = ("store-visit", "purchase-completed")
"""What may be heard of late."""


@dataclass(frozen=True)
class Scene:
    """What a story is about, before anything happens. *season*: the zone whose clocks are changed meanwhile, if any."""

    journey: Journey
    policy: Policy
    customer: Mapping[str, str]
    contents: Mapping[str, Content]
    season: str | None = None
    begin: datetime = DEFAULT_START

    def moved(self, now: datetime) -> Scene:
        """The same, at the next time for it from the usual time of *now* on; all dates come as long after that."""
        begin = before_a_change(now, self.season) if self.season else now
        by = begin - self.begin
        return replace(self, begin=begin, policy=later_by(self.policy, by))

    def stage(self, customer: str) -> EndpointsStage:
        """A stage on which it is played."""
        stage = EndpointsStage(
            self.customer,
            customer_id=customer,
            contents=self.contents,
            policy=self.policy,
            said={},
            started_at=self.begin,
        )
        stage.publish(version(beginning(self.journey, self.begin)))
        return stage

    def dated(self, line: Happening) -> Happening:
        """A line with its dates as they are when the story begins."""
        told = {"attributes": beginning(line.attributes, self.begin)}
        return line.model_copy(
            update=told | ({"customer": beginning(line.customer, self.begin)} if line.customer else {})
        )


@dataclass(frozen=True)
class Played:
    """A story as the preview tells it."""

    scene: Scene
    lines: tuple[ScriptLine, ...]
    runs: tuple[PreviewRun, ...]

    def again(self, customer: str, now: datetime, hurry: timedelta = timedelta(0), others: int = 1) -> Played | None:
        """The same for another customer and at another time; None where it cannot happen then.

        *hurry*: by so much every other line comes earlier, from the second on unless *others* is 0.
        """
        scene = self.scene.moved(now)
        stage = scene.stage(customer)
        for number, line in enumerate(self.lines):
            if not happen(stage, scene, replace_at(line, line.at - hurry * (number % 2 == others))):
                return None
        return replace(self, scene=scene, runs=stage.finish().runs)

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
def scenes(draw: st.DrawFn, *, ruled: bool) -> Scene:
    """A journey, a house and a customer, perhaps while clocks are changed. Unless *ruled*, there is no policy."""
    if not ruled:
        return Scene(draw(journeys()), NO_POLICY, CUSTOMER, CONTENTS)
    season = draw(st.sampled_from([*([None] * 6), *CHANGING]))
    zones: list[dict[str, str]] = [{}, *({"time_zone": zone} for zone in ZONES)]
    zone = {"time_zone": season} if season else draw(st.sampled_from(zones))
    receipts = draw(st.sampled_from([None, None, *CONTENTS]))
    contents = {
        name: content.model_copy(update={"purpose": "transactional"}) if name == receipts else content
        for name, content in CONTENTS.items()
    }
    policy = draw(policies(DEFAULT_START.date()))
    scene = Scene(draw(journeys(talkative=True)), policy, {**CUSTOMER, **zone}, contents, season)
    return scene.moved(DEFAULT_START)


@st.composite
def stories(draw: st.DrawFn, *, ruled: bool = True) -> Played:
    """A cart or a trial, and what happens after it: whatever journeys and policies can ask for."""
    scene = draw(scenes(ruled=ruled))
    stage = scene.stage("ada")
    live = version(beginning(scene.journey, scene.begin))
    starting = [line for line in (cart(), *trials("")) if line.trigger in scene.journey.start.triggers]
    lines: list[ScriptLine] = [draw(st.sampled_from(starting)).model_copy(update={"id": "e-0"})]
    happen(stage, scene, lines[0])
    at = timedelta(0)
    for number in range(1, draw(st.integers(2, 9))):
        # To a minute of its own: a message that goes at that instant may be a moment later on a server.
        at += draw(st.integers(1, 6) | st.integers(1, 40)) * timedelta(hours=1) + timedelta(minutes=1)
        stage.advance(stage.started_at + at)
        kinds = [lines for lines in possible(stage, live, at) if lines]
        line: ScriptLine = draw(st.sampled_from(draw(st.sampled_from(kinds))))
        if isinstance(line, Happening):
            late = draw(st.sampled_from([0, 0, 0, 1, 2, 5])) if line.trigger in LATE else 0
            occurred_at = at - timedelta(hours=late) if late else None
            line = line.model_copy(update={"id": f"e-{number}", "occurred_at": occurred_at})
        lines.append(line)
        happen(stage, scene, line)
    lines += at_last(stage)
    return Played(scene, tuple(lines), stage.so_far)


def at_last(stage: Stage) -> Iterator[LetGo]:
    """Let time pass to the end, and let go whatever is held, until nobody is inside any more."""
    stage.advance()
    while stage.held:
        at = timedelta(days=1 + (stage.now - stage.started_at) // timedelta(days=1), minutes=11)
        yield (line := LetGo(at))
        stage.advance(stage.started_at + line.at)
        stage.let_go(line.journey)
        stage.advance()


def happen(stage: Stage, scene: Scene, line: ScriptLine) -> bool:
    """Let a line happen. Returns whether it can: what was not sent is not opened, what is not held is not let go."""
    stage.advance(stage.started_at + line.at)
    if isinstance(line, LetGo):
        if line.journey not in stage.held:
            return False
        stage.let_go(line.journey)
        return True
    try:
        stage.happen(scene.dated(line))
    except ValueError:
        return False
    return True


def replace_at(line: ScriptLine, at: timedelta) -> ScriptLine:
    """The same line at another time."""
    if isinstance(line, LetGo):
        return replace(line, at=at)
    return line.model_copy(update={"at": at})


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


def possible(stage: Stage, live: Version, at: timedelta) -> Iterator[Sequence[ScriptLine]]:
    """What may happen now, by its kind."""
    when = f"{at.total_seconds():.0f} seconds"
    yield [LetGo(at, journey) for journey in stage.held]
    yield [changes(when, time_zone=zone) for zone in (*ZONES, None)]
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
