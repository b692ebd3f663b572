"""One run in the virtual world: the world of its own walk, on a clock that the stage moves, where nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from journeys.acting import Impossible, Setting, action, done, impossible, told
from journeys.catalogue import Content, CustomerId, Event
from journeys.chains import Maker, joined, maker
from journeys.choices import choose
from journeys.clearance.circumstances import Blocked, Circumstances, Clear, Clearance
from journeys.clearance.clearance import clearance, may_act, no_longer_than_it_may_be_sent, written
from journeys.clearance.consent import About
from journeys.clearance.consent import Choice as Consented
from journeys.clearance.policy import Policy
from journeys.clearance.releases import SKIPPED, Release, Resumption, release_of
from journeys.clearance.windows import Sent, taken, windows_of
from journeys.contents import render_content
from journeys.dates import Dated
from journeys.facts import Decision, RunFacts
from journeys.known import Known
from journeys.language.attributes import Attributes
from journeys.language.moments import Moment
from journeys.language.templates import TemplateError
from journeys.moving import Names, Stays, another, moved, say_move
from journeys.steps import Webhook
from journeys.versions import Version
from journeys.walk.diary import ENDED, Choice, Delivery, EndedBy, Entry, Held, Outcome
from journeys.walk.lots import StagedLots
from journeys.walk.position import Arrival, Position
from journeys.walk.timeline import PreviewCall, PreviewHold, PreviewRun, PreviewSend
from journeys.walk.walk import Walk
from journeys.walk.world import Visit

Told = TypeVar("Told", Entry, PreviewSend, PreviewCall, PreviewHold)


class Surroundings(Protocol):
    """What a run finds around it: the time, its customer, and whoever hears of what it makes."""

    now: datetime
    customer: Attributes
    customer_id: CustomerId
    contents: Mapping[str, Content]
    said: Mapping[About, Consented]
    policy: Policy
    held: dict[str, str]
    let_go_at: dict[str, datetime]
    paused: set[str]
    resumed: dict[str, Resumption]
    sent: list[Sent]
    lots: StagedLots

    def hold(self, journey: str, why: str) -> None:
        """The brake holds a journey."""
        ...

    def make(self, does: Event | Setting, made_by: Maker) -> tuple[Decision, ...]:
        """A run makes an event, or changes the customer. Returns what that did."""
        ...

    def was_made(self, event: str) -> bool:
        """Whether a run made an event of that id before."""
        ...

    def answer(self, call: PreviewCall) -> Delivery:
        """What becomes of a call."""
        ...


class VirtualRun:
    """One run in the virtual world. It is the world of its own walk."""

    def __init__(self, facts: RunFacts, event: Event, around: Surroundings) -> None:
        self.facts = facts
        version = facts.version
        steps = version.journey.steps
        self.walk = Walk(steps, Position.at_start(steps[0].id, facts.entered_at), run=facts.id, version=version.number)
        self.sends: list[PreviewSend] = []
        self._calls: list[PreviewCall] = []
        self._holds: list[PreviewHold] = []
        self.until: datetime | None = None
        self._held: tuple[str, Held] | None = None  # at which step, and by what
        self._skip_until: datetime | None = None
        self._repaired_at: datetime | None = None
        self._moved_at: datetime | None = None
        self._without: tuple[str, str] | None = None  # the step that it goes on without, and why that has failed
        self._event = event
        self._around = around
        self._why = ""
        self.ended_by: EndedBy | None = None
        self._goal_met_at: datetime | None = None
        self._acts = False
        self._before: tuple[Entry, ...] = ()  # what it did in versions that it was moved from
        self._coroutine: Coroutine[datetime | Visit | None, Delivery | None, str] | None = self.walk.go(self)

    @property
    def facts_now(self) -> RunFacts:
        """What is known of it, with where it stands."""
        if not self.facts.active:
            return self.facts
        position = self.walk.position
        return replace(
            self.facts, step=position.step, step_at=position.since, heard=position.heard, inside=position.inside
        )

    @property
    def held(self) -> Held | None:
        """What holds the message where it stands; a run that has left a series holds nothing there any more."""
        step, held = self._held or ("", None)
        return held if held and self.walk.diary.at_step == step else None

    def now(self) -> datetime:
        return self._around.now

    async def deliver(self, visit: Visit) -> Delivery | Held:
        around, step = self._around, visit.message
        if until := step.expiry:
            expiry = self._dated.expiry(until, visit.position.since)
            self.walk.diary.explain(expiry.why)
            visit = visit.expiring(expiry.at)
        if self._without and self._without[0] == step.id:
            return self._sent(visit, "failed", self._without[1])
        if (still := self.held) and still.by == "park" and (still.until is None or visit.now < still.until):
            return still  # as it was: it is tried no more before it is repaired
        known = self._circumstances(visit)
        asked = clearance(visit, known)
        answer = no_longer_than_it_may_be_sent(asked, visit)
        self._hold(visit, answer)
        if isinstance(answer, Held):
            if isinstance(asked, Held) and asked.by == "brake":
                around.hold(self.facts.version.name, asked.why)
            return answer
        outcome: Outcome = "blocked" if isinstance(answer, Blocked) else "accepted"
        refused = answer.why if isinstance(answer, Blocked) else ""
        parts: dict[str, str] = {}
        try:
            parts = self._render(known.content) if known.content else {}
        except TemplateError as error:
            if isinstance(answer, Clear) and step.parks("not filled in"):
                held = Held(until=None, why=f"it cannot be filled in: {error}", by="park")
                answer = no_longer_than_it_may_be_sent(held, visit)
                self._hold(visit, answer)
                return answer
            outcome, refused = ("blocked", refused) if refused else ("failed", f"it cannot be filled in: {error}")
        if isinstance(answer, Clear) and answer.notes:
            self.walk.diary.explain("; ".join(answer.notes))
        if outcome == "accepted":
            around.sent.append(Sent(step.kind, known.purpose, step.content, visit.now))
        to = answer.to if isinstance(answer, Clear) else written(step, known.event, known.customer)
        return self._sent(visit, outcome, refused, to, parts)

    def _sent(
        self, visit: Visit, outcome: Outcome, reason: str, to: str | None = None, parts: dict[str, str] | None = None
    ) -> Delivery:
        step = visit.message
        self._held = None
        self.sends.append(
            PreviewSend(
                step=step.id,
                kind=step.kind,
                content=step.content,
                at=visit.now,
                outcome=outcome,
                to=to,
                reason=reason,
                parts=parts or {},
            )
        )
        return Delivery(outcome=outcome, at=visit.now, reason=reason)

    def _circumstances(self, visit: Visit) -> Circumstances:
        """All that decides about a message, as it is now."""
        around, step, version = self._around, visit.message, self.facts.version
        let_go_at = around.let_go_at.get(version.name)
        known = Circumstances(
            event=self._event.attributes,
            customer=around.customer,
            said=around.said,
            content=around.contents.get(step.content),
            held=around.held.get(version.name),
            let_go_at=let_go_at,
            paused=version.name in around.paused,
            released=self._released(visit),
            skipped=self._skipped(visit),
            policy=around.policy,
            schema=version.customer,
            ignored=version.journey.ignored(step),
            zone=self._dated.zone,
            day=self.facts.day,
        )
        windows = windows_of(
            around.policy, step.kind, known.purpose, step.content, visit.now, day=known.day, anew=let_go_at
        )
        return replace(known, taken=taken(windows, around.sent))

    async def decide(self, visit: Visit) -> Choice | None:
        lots = self._around.lots
        choice = choose(self.facts.version.steps[visit.at_step], self._known(visit), lots)
        self.facts = replace(self.facts, measured_until=lots.measured_until(self.facts.id))
        return choice

    def _released(self, visit: Visit) -> Release | None:
        return release_of(
            self.held.by if self.held else None,
            visit.position.since,
            let_go_at=self._around.let_go_at.get(self.facts.version.name),
            resumed=self._around.resumed.get(self.facts.version.name),
            spread=self._around.policy.spread,
            repaired_at=self._repaired_at,
            moved_at=self._moved_at,
        )

    def _skipped(self, visit: Visit) -> str | None:
        return SKIPPED if self._skip_until is not None and visit.position.since < self._skip_until else None

    async def perform(self, visit: Visit) -> Delivery | Held:
        against = may_act(
            visit,
            paused=self.facts.version.name in self._around.paused,
            skipped=self._skipped(visit),
            released=self._released(visit),
            day=self.facts.day,
        )
        self._hold(visit, against)
        match against:
            case Held():
                return against
            case Blocked(why):
                return Delivery(outcome="blocked", at=visit.now, reason=why)
            case None:
                return await _Act(visit)

    def _hold(self, visit: Visit, answer: Clearance | None) -> None:
        """Note what holds the run where it stands now, if anything does."""
        self._held = (visit.at_step, answer) if isinstance(answer, Held) else None
        if isinstance(answer, Held):
            self.walk.diary.explain(answer.words(visit.now))
            self._holds.append(PreviewHold(**dict(answer), step=visit.at_step, at=visit.now))

    async def moment(self, visit: Visit) -> Moment:
        until = self.facts.version.steps[visit.at_step].moment
        assert until is not None  # noqa: S101 - only a step that waits for one asks
        found = self._dated.moment(until, visit.position.since)
        self.walk.diary.explain(found.why)
        return found

    @property
    def _dated(self) -> Dated:
        """What is known of this run's dates now."""
        return Dated(
            self.facts.version.journey,
            self._event.attributes,
            self._around.customer,
            self._around.policy.time_zone,
            self.facts.day,
        )

    def _known(self, visit: Visit) -> Known:
        return Known(
            version=self.facts.version,
            run=self.facts.id,
            customer_id=self._around.customer_id,
            trigger=self._event.trigger,
            event=self._event.attributes,
            customer=self._around.customer,
            now=visit.now,
            sent={step: delivery.outcome for step, delivery in visit.position.sent.items()},
        )

    async def wait(self, until: datetime | None, arrived: Callable[[], bool], why: str) -> bool:
        del why
        while not arrived():
            if until is not None and self._around.now >= until:
                return False
            await _Until(until)
        return True

    def hear(self, arrival: Arrival, made_by: Maker | None) -> None:
        """Hear of an answer."""
        self.facts = replace(self.facts, chain=joined(self.facts.chain, made_by))
        self.walk.arrive(arrival)

    def let_go(self) -> None:
        """Look again at what is held, if its journey held it."""
        if self.held is not None and self.held.by == "brake":
            self.walk.let_go()
            self.resume()

    def catch_up(self, *, skip: bool) -> None:
        """Look again at what is held, if the pause of its journey held it; or leave it out."""
        if self.held is not None and self.held.by == "pause":
            self._skip_until = self._around.now if skip else self._skip_until
            self.walk.let_go()
            self.resume()

    def move(self, version: Version, names: Names) -> str:
        """Go on in another version, from where it stands. Returns why it stays where it is; nothing if it does not."""
        found = moved(self.facts.version, version, self.walk.position, names)
        if isinstance(found, Stays) or self._coroutine is None:
            return found.why if isinstance(found, Stays) else "it has ended"
        held, step, old = self.held, self.walk.position.step, self.facts.version
        self._coroutine.close()
        self._moved_at = self._around.now
        begin = found.model_copy(update={"lines": found.lines + 1, "moved_at": self._moved_at})
        line = Entry(n=found.lines, at=self._around.now, step=found.step, did="moved", why=say_move(old, version))
        self._before = tuple(_called(entry, names) for entry in (*self._diary, line))
        self.sends = [_called(send, names) for send in self.sends]
        self._calls = [_called(call, names) for call in self._calls]
        self._holds = [_called(hold, names) for hold in self._holds]
        self._held = (found.step, held) if held else None
        if another(old, version, step, names):
            self._park_no_more()
        self.facts = replace(self.facts, version=version)
        self.walk = Walk(version.journey.steps, begin, run=self.facts.id, version=version.number)
        self._coroutine = self.walk.go(self)
        self.resume()
        return ""

    def repair(self, step: str | None, reason: str, instead: Literal["go on"] | None) -> None:
        """Try again what has failed, or go on without it, if the run is parked at this *step* for this *reason*."""
        held, stands = self.held, self.walk.position.step
        if held is None or held.by != "park" or step not in (None, stands) or reason.lower() not in held.why.lower():
            return
        self._without = (stands, held.why) if instead else None
        self._park_no_more()
        self.walk.let_go()
        self.resume()

    def _park_no_more(self) -> None:
        if self._held and self._held[1].by == "park":
            self._repaired_at = self._around.now
            again = Held(until=self._around.now, why="it is to be tried again", by="release")
            self._held = (self._held[0], again)

    def resume(self) -> None:
        """Walk on to the next wait, or to the end. While it acts, it goes on by itself afterwards."""
        did: Delivery | None = None
        try:
            while self._coroutine is not None and not self._acts:
                match self._coroutine.send(did):
                    case Visit() as visit:
                        did = self._do(visit)
                    case until:
                        self.until = until
                        return
        except StopIteration as over:
            self.end("done", over.value, self._around.now)

    def _do(self, visit: Visit) -> Delivery:
        if isinstance(visit.step, Webhook):
            return self._call(visit.step, visit)
        self._acts = True
        made_by = maker(self.facts.id, visit.at_step, self.facts.version.name, self.facts.chain)
        if self._around.was_made(made_by.event):  # by an action that was called so before the run was moved
            made_by = made_by.of_version(self.facts.version.number)
        try:
            does = action(self.facts.version.steps[visit.at_step], self._known(visit), made_by)
            return done(self._around.make(does, made_by), visit.now)
        except Impossible as error:
            return impossible(error, visit.now)
        finally:
            self._acts = False

    def _call(self, step: Webhook, visit: Visit) -> Delivery:
        data = told(step, self._known(visit))
        self._calls.append(PreviewCall(step=step.id, endpoint=step.webhook, at=visit.now, data=data))
        return self._around.answer(self._calls[-1])

    @property
    def _diary(self) -> tuple[Entry, ...]:
        """All lines. Of a walk that began with a move, the first one is that of the move."""
        return (*self._before, *self.walk.diary.entries[bool(self._before) :])

    def end(self, by: EndedBy, why: str, at: datetime) -> None:
        if self._coroutine is None:
            return
        self._coroutine.close()
        self._coroutine = self.until = self._held = None
        self.walk.diary.leave(why, at)
        self._why = why
        self.ended_by = by
        self.facts = replace(self.facts, ended=ENDED[by], ended_at=at)

    def meet_goal(self, at: datetime) -> None:
        self._goal_met_at = at
        self.facts = replace(self.facts, goal_met=True)

    def summary(self) -> PreviewRun:
        return PreviewRun(
            id=self.facts.id,
            version=self.facts.version.number,
            key=self.facts.key,
            entered_at=self.facts.entered_at,
            ended=self.facts.ended,
            ended_by=self.ended_by,
            ended_at=self.facts.ended_at,
            why=self._why,
            goal_met_at=self._goal_met_at,
            held=self.held,
            holds=tuple(self._holds),
            sends=tuple(self.sends),
            calls=tuple(self._calls),
            diary=self._diary,
        )

    def _render(self, content: Content) -> dict[str, str]:
        values = {"event": self._event.attributes, "customer": self._around.customer}
        return render_content(content, values, self._around.now)


def _called(told: Told, names: Names) -> Told:
    return told.model_copy(update={"step": names.get(told.step, told.step)})


class _Until:
    """What a walk awaits in the virtual world: the stage wakes it at that time, or at an arrival."""

    def __init__(self, until: datetime | None) -> None:
        self.until = until

    def __await__(self) -> Generator[datetime | None, None, None]:
        yield self.until


class _Act:
    """An action that a walk awaits. It is done while the walk stands still, as it may end or answer that walk."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def __await__(self) -> Generator[Visit, Delivery | None, Delivery]:
        did = yield self.visit
        assert did is not None  # noqa: S101 - resume() answers a visit with a delivery
        return did
