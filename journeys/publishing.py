"""What must be right before a journey may be published. Everything that is wrong is found in one go."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeGuard

from journeys.action_checks import KnownThen, check_raise, check_set, check_told
from journeys.catalogue import (
    BUILT_IN_NAMES,
    CHANGED,
    CREATED,
    CUSTOMER,
    CUSTOMER_TRIGGERS,
    Content,
    State,
    Trigger,
    built_in_schema,
)
from journeys.choice_checks import check_choice
from journeys.circles import flaws_of_circles
from journeys.contents import check_content, check_use
from journeys.definition import After, ConditionExit, EventExit, Journey
from journeys.earlier import Earlier
from journeys.endpoints import EndpointState
from journeys.interactions import INTERACTIONS, Kind
from journeys.language import conditions
from journeys.language.attributes import AttributeType, Schema, reference, types, under
from journeys.language.cel_source import names_root
from journeys.language.clock import say_instant
from journeys.language.durations import LONGEST, say
from journeys.language.scopes import Scope, scope_of
from journeys.language.shared import shared, why_not_shared
from journeys.language.template_check import Known
from journeys.language.templates import names, readable
from journeys.language.zones import check_zone
from journeys.links import flaw_of
from journeys.listening import Version, scope_at
from journeys.problems import Flaw, did_you_mean
from journeys.series_checks import cut_off
from journeys.steps import (
    MEANWHILE,
    AddressUse,
    AnyStep,
    ChannelUse,
    ContentUse,
    DurationUse,
    EndpointUse,
    LinkUse,
    Message,
    MessageUse,
    Step,
    TriggerUse,
    Use,
    every_step,
    lead_on,
    placed,
)
from journeys.steps.uses import (
    BecomesUse,
    ConditionsUse,
    DateUse,
    ExpressionUse,
    InstantUse,
    RaiseUse,
    ReplyUse,
    SetUse,
    SharesUse,
    WinnerUse,
)
from journeys.walk.position import way_to

DATES = ("time", "date")
"""The types of attributes that a run can wait for."""

MOST_BYTES = 2_000_000
"""Of all steps as JSON: a run is given them whole, and Temporal takes 2 MiB at most."""


A_YEAR = timedelta(days=366)


@dataclass(frozen=True)
class Catalogue:
    """What a journey may refer to: triggers, contents and endpoints with their states, and customers' attributes.

    *channels*: the kinds of message for which a channel is configured. *live*: the journeys that may be entered.
    """

    triggers: Mapping[str, tuple[Trigger, State]]
    contents: Mapping[str, tuple[Content, State]]
    customer: Schema = field(default_factory=lambda: CUSTOMER)
    channels: frozenset[Kind] = frozenset(INTERACTIONS)
    endpoints: Mapping[str, EndpointState] = field(default_factory=dict)
    live: Mapping[str, Journey] = field(default_factory=dict)

    def schema(self, trigger: str) -> Schema | None:
        """The attributes of a trigger, built in or own; None where there is no such trigger."""
        if (built_in := built_in_schema(trigger)) is not None:
            return built_in
        return self.triggers[trigger][0].attributes if trigger in self.triggers else None


def version_of(journey: Journey, number: int, catalogue: Catalogue) -> Version:
    """The version that publishing makes: the journey with the attribute types it was checked against."""
    schemas = {trigger: catalogue.schema(trigger) or {} for trigger in journey.triggers | journey.raises}
    return Version(number=number, journey=journey, schemas=schemas, customer=catalogue.customer)


def check(
    journey: Journey, catalogue: Catalogue, *, told: Collection[str] = (), now: datetime | None = None
) -> list[Flaw]:
    """Every reason why *journey* may not be published, in the order in which it is written. Empty: it may.

    *told*: the contents whose own flaws are told elsewhere. *now*: when it would be published, if that is to be held
    against the instants that it waits for.
    """
    checker = _Checker(journey, catalogue, told, now)
    return [*checker.start(), *checker.goal(), *checker.exits(), *checker.zone(), *checker.steps(), *checker.circles()]


def warn(journey: Journey, catalogue: Catalogue, *, told: Collection[str] = ()) -> list[Flaw]:
    """What *journey* may be published with, and its author should know."""
    checker = _Checker(journey, catalogue, told)
    for _ in (*checker.start(), *checker.goal(), *checker.exits(), *checker.steps(), *checker.circles()):
        pass
    return [*checker.advice(), *checker.warnings]


def check_tree(journey: Journey) -> list[Flaw]:
    """Every reason why nobody could walk *journey*, whatever else there is or is not: it needs no catalogue."""
    return list(_Checker(journey, Catalogue({}, {}), ()).steps((DurationUse, MessageUse)))


class _Checker:
    def __init__(
        self, journey: Journey, catalogue: Catalogue, told: Collection[str], now: datetime | None = None
    ) -> None:
        self._journey = journey
        self._catalogue = catalogue
        starts = {trigger: catalogue.schema(trigger) for trigger in journey.start.triggers}
        self._starts = {trigger: schema for trigger, schema in starts.items() if schema is not None}
        self._event = shared(self._starts) if len(self._starts) == len(starts) else None
        self._told = frozenset(told)
        self._now = now
        self._contents: set[str] = set()
        self.warnings: list[Flaw] = []

    def start(self) -> Iterator[Flaw]:
        start = self._journey.start
        for index, trigger in enumerate(start.triggers):
            here = "start.trigger" if isinstance(start.trigger, str) else f"start.trigger[{index}]"
            yield from self._ready(here, trigger)
            if trigger in start.triggers[:index]:
                yield Flaw(path=here, message=f'"{trigger}" is named twice.', hint="Leave one of them out.")
        if start.where is not None and self._event is not None:
            scope = scope_at(start.triggers[0], self._event, self._catalogue.customer)
            if len(start.triggers) > 1:
                scope = scope_of(event=self._event, customer=self._catalogue.customer)
            meant = (_of_changes(start.where, trigger) for trigger in start.triggers)
            yield from self._condition("start.where", start.where, scope, next(filter(None, meant), []))
        if start.key is not None:
            yield from self._key(start.key)
        if start.from_ and start.until and start.until <= start.from_:
            yield Flaw(
                path="start.until",
                message=f"found {start.until.isoformat()}, which is not after from.",
                hint="Nobody could enter. Give a later time.",
            )
        if isinstance(start.repeat, After):
            yield from _positive("start.repeat.after", start.repeat.after)
        yield from _positive("start.newest", start.newest)

    def goal(self) -> Iterator[Flaw]:
        goal = self._journey.goal
        if goal is None:
            return
        yield from self._listens("goal", goal.trigger, goal.where)
        yield from _positive("goal.within", goal.within)
        if goal.target is not None and float(str(goal.target).rstrip("%")) <= 0:
            yield Flaw(path="goal.target", message=f"found {goal.target}; expected more than nothing.")

    def exits(self) -> Iterator[Flaw]:
        for index, leaving in enumerate(self._journey.exit):
            match leaving:
                case EventExit(trigger=trigger, where=where):
                    yield from self._listens(f"exit[{index}]", trigger, where)
                case ConditionExit(when=when):
                    yield from self._of_customer(f"exit[{index}].when", when)

    def zone(self) -> Iterator[Flaw]:
        zone = self._journey.time_zone
        if zone is not None and (flaw := check_zone(zone)):
            yield flaw.within("time_zone")

    def steps(self, of: tuple[type[Use], ...] | None = None) -> Iterator[Flaw]:
        """What is wrong with the tree and with what its steps use, or only with those *of* these types."""
        steps = self._journey.steps
        seen: dict[str, str] = {}
        for path, step in placed(steps, "steps"):
            if step.id in seen:
                yield Flaw(
                    path=f"{path}.id",
                    message=f'"{step.id}" is already the id of {seen[step.id]}.',
                    hint="Give every step an id of its own.",
                )
            seen.setdefault(step.id, path)
        if (whole := sum(map(_longest, every_step(steps)), timedelta(0))) > LONGEST:
            yield Flaw(path="steps", message=f"last {say(whole)} in all; at most {say(LONGEST)}.")
        if (
            size := len(self._journey.model_dump_json(include={"steps"}, by_alias=True, exclude_defaults=True).encode())
        ) > MOST_BYTES:
            yield Flaw(
                path="steps",
                message=f"take {size:,} bytes as JSON; at most {MOST_BYTES:,} can be handed to a run.",
                hint="Write shorter conditions, or make a journey of each part.",
            )
        yield from self._each(steps, "steps", Earlier(), of)

    def _each(
        self, steps: Sequence[AnyStep], path: str, earlier: Earlier, of: tuple[type[Use], ...] | None
    ) -> Iterator[Flaw]:
        """The flaws of *steps*. What comes *earlier* grows on the way."""
        for index, step in enumerate(steps):
            here = f"{path}[{index}]"
            if index and not steps[index - 1].leads_on:
                yield Flaw(
                    path=here,
                    message=f'nothing leads to "{step.id}": every run ends at "{steps[index - 1].id}".',
                    hint="Remove what comes after it, or let a run go on there.",
                )
            for use in step.uses:
                if of is None or isinstance(use, of):
                    yield from self._use(here, use, earlier)
            earlier.come_to(step)
            yield from self._arm_names(step, here)
            joining: list[Earlier] = []
            for arm in step.arms:
                inside = earlier.on_the_way()
                yield from self._each(arm.steps, f"{here}.{arm.field}", inside, of)
                if arm.meanwhile:
                    earlier.left_anywhere(inside)
                elif lead_on(arm.steps):
                    joining.append(inside)
            earlier.joined(joining)

    def advice(self) -> Iterator[Flaw]:
        """What is allowed, and seldom meant."""
        steps = self._journey.steps
        if not self._journey.exit and any(step.longest for step in every_step(steps)):
            yield Flaw(
                path="exit",
                message="nothing ends a run before its last step.",
                hint="Name what makes the rest needless, such as exit: [{trigger: purchase-completed}].",
            )
        yield from self._exits_of_all()
        yield from cut_off(steps)
        for path, step in placed(steps, "steps"):
            if isinstance(step, Message) and step.kind == "text" and step.expires is None:
                yield Flaw(
                    path=path,
                    message="a text that is held up goes out however late it is.",
                    hint="Say until when it is of use, such as expires: 2 hours.",
                )
            if step.shortest > A_YEAR:
                yield Flaw(path=f"{path}.wait", message=f"lasts {say(step.shortest)}, which is more than a year.")

    def _exits_of_all(self) -> Iterator[Flaw]:
        """Exits that do not tell apart what the key tells apart, and so end all runs of a customer."""
        start = self._journey.start
        if start.key is None or start.repeat == "never":
            return
        name = start.key.partition(".")[2]
        for index, leaving in enumerate(self._journey.exit):
            if not isinstance(leaving, EventExit) or leaving.trigger in BUILT_IN_NAMES:
                continue
            schema = self._catalogue.schema(leaving.trigger)
            if schema is not None and name not in schema:
                yield Flaw(
                    path=f"exit[{index}].trigger",
                    message=f'"{leaving.trigger}" has no {name}, so it ends the runs of every {start.key}.',
                    hint=f"Declare {name} in the trigger, if only one of them is meant.",
                )

    def _arm_names(self, step: Step, path: str) -> Iterator[Flaw]:
        seen: set[str] = set()
        for arm in sorted(step.arms, key=lambda arm: arm.is_named):  # the names that the step gives come first
            if arm.name in seen:
                yield Flaw(
                    path=f"{path}.{arm.field.rpartition('.')[0]}.arm",
                    message=f'"{arm.name}" is already the name of an arm of "{step.id}".',
                    hint="Give every arm of a step a name of its own.",
                )
            seen.add(arm.name)

    def _use(self, path: str, use: Use, earlier: Earlier) -> Iterator[Flaw]:
        """What is wrong with one thing that the step at *path* refers to."""
        here = f"{path}.{use.path}"
        match use:
            case ChannelUse(kind=kind):
                yield from self._channel(here, kind)
            case AddressUse(attribute=attribute):
                yield from self._known(here, attribute, self._names())
            case ContentUse(content=content, kind=kind):
                yield from self._content(here, content, kind)
            case TriggerUse(trigger=trigger, where=where):
                yield from self._listens(here, trigger, where)
            case EndpointUse(endpoint=endpoint):
                yield from self._endpoint(here, endpoint)
            case BecomesUse(condition=condition):
                yield from self._of_customer(here, condition, "becomes")
            case InstantUse() | DateUse():
                yield from self._moment(here, use)
            case RaiseUse() | SetUse() | ExpressionUse():
                yield from self._action(path, use)
            case _:
                yield from self._within(here, use, earlier)

    def _moment(self, path: str, use: InstantUse | DateUse) -> Iterator[Flaw]:
        """What is wrong with a moment that a step depends on."""
        match use:
            case InstantUse(at=at) if self._now is not None and at <= self._now:
                message = f"{say_instant(at)} has passed: everybody would be late."
                yield Flaw(path=path, message=message, hint="Give a later time, or leave it out.")
            case DateUse():
                yield from self._date(path, use)
            case _:
                pass

    def _within(self, path: str, use: Use, earlier: Earlier) -> Iterator[Flaw]:
        """What is wrong with what a step says of itself, or of other steps of the journey."""
        match use:
            case DurationUse(duration=duration):
                yield from _positive(path, duration)
            case MessageUse():
                yield from self._asked(path, use, earlier.surely)
            case LinkUse(link=link):
                if wrong := flaw_of(link):
                    yield Flaw(path=path, message=f'found "{link}"; {wrong}.')
            case ReplyUse(interaction=interaction) if interaction != "replied":
                message = f"only a reply has words, and what is asked for is {interaction}."
                yield Flaw(path=path, message=message, hint="Ask whether the text was replied.")
            case ConditionsUse() | SharesUse() | WinnerUse():
                found = check_choice(path, use, self._scope(), earlier, self._journey)
                self.warnings += found.warnings
                yield from found.flaws
            case _:
                pass

    def _date(self, path: str, use: DateUse) -> Iterator[Flaw]:
        known = self._names()
        yield from self._known(path, use.attribute, known)
        if (kind := known.get(use.attribute)) is not None and kind not in DATES:
            yield Flaw(path=path, message=f"{use.attribute} is a {kind}; a time or a date is expected.")
        if use.yearly and self._journey.start.repeat == "never":
            message = "it comes once in a life: repeat is never, so nobody enters again for the next anniversary."
            hint = "Let people enter again, such as by repeat: {after: 300 days}."
            self.warnings.append(Flaw(path=path, message=message, hint=hint))

    def _action(self, path: str, use: RaiseUse | SetUse | ExpressionUse) -> Iterator[Flaw]:
        """What is wrong with what a step works out and does."""
        if self._event is None:
            return  # the trigger itself is not known, and said to be
        customer = self._catalogue.customer
        scope = scope_of(event=self._event, customer=customer, customer_id=True, now=True)
        known, triggers = KnownThen(scope, self._event, customer), self._catalogue.triggers
        match use:
            case RaiseUse():
                found = check_raise(use, triggers, known)
            case SetUse():
                found = check_set(use, known)
            case _:
                found = check_told(use, known)
        self.warnings += [warning.within(path) for warning in found.warnings]
        yield from (flaw.within(path) for flaw in found.flaws)

    def circles(self) -> Iterator[Flaw]:
        """The circles in which journeys would start one another."""
        flaws, warnings = flaws_of_circles(self._journey, self._catalogue.live)
        self.warnings += warnings
        yield from flaws

    def _channel(self, path: str, kind: Kind) -> Iterator[Flaw]:
        if kind not in self._catalogue.channels:
            yield Flaw(
                path=path,
                message=f"no channel is configured for {kind} messages.",
                hint=f"Set SOJOURN_{kind.upper()}, for example to console.",
            )

    def _content(self, path: str, name: str, kind: Kind) -> Iterator[Flaw]:
        content, state = self._catalogue.contents.get(name, (None, None))
        if content is None:
            hint = did_you_mean(name, self._catalogue.contents)
            yield Flaw(path=path, message=f'no content "{name}".', hint=hint)
            return
        if content.kind != kind:
            yield Flaw(
                path=path,
                message=f'"{name}" is for {content.kind}, this step sends {kind}.',
                hint=f"Choose a content for {kind}.",
            )
        if state != "ready":
            yield Flaw(
                path=path,
                message=f'content "{name}" is {state}, not ready to send.',
                hint=f"Mark it ready: POST /v1/contents/{name}/ready.",
            )
        if name not in self._contents:  # one mistake is one flaw, however often it is sent
            self._contents.add(name)
            yield from self._filled_in(path, content)

    def _filled_in(self, path: str, content: Content) -> Iterator[Flaw]:
        """What keeps a content from being filled in here: what it has by itself, or else what this journey has not."""
        own = check_content(content)
        unknown = list(self._unknown(path, content))
        yield from _of(content, path, () if content.content in self._told else own.flaws)
        yield from unknown
        if own.flaws or unknown or self._event is None:
            return
        found = check_use(content, self._known_to(content))
        yield from _of(content, path, found.flaws)
        if not found.flaws:
            own_warnings = () if content.content in self._told else own.warnings
            self.warnings += _of(content, path, (*own_warnings, *found.warnings))

    def _unknown(self, path: str, content: Content) -> Iterator[Flaw]:
        known = self._names()
        for part, source in content.parts.items():
            for name in sorted(names(source)) if readable(source) else ():
                if self._event is None and name.startswith("event."):
                    continue  # the trigger itself is not known, and said to be
                if name not in known:
                    yield Flaw(
                        path=path,
                        message=f'content "{content.content}" uses {name} in its {part}, which is not known here.',
                        hint=self._meant(name, known),
                    )

    def _known_to(self, content: Content) -> Known:
        """What a content may name. The address that it is sent to is there, or it is not sent."""
        declared = under("event", self._event or {}) | under("customer", self._catalogue.customer)
        to = {step.addresses for step in every_step(self._journey.steps) if _sends(step, content)}
        there = {addresses[0] for addresses in to} if len(to) == 1 and all(len(named) == 1 for named in to) else set()
        optional = {name for name, kind in declared.items() if kind.endswith("?")}
        return Known(self._names(), frozenset(optional - there))

    def _endpoint(self, path: str, name: str) -> Iterator[Flaw]:
        state = self._catalogue.endpoints.get(name)
        if state is None:
            hint = f"{did_you_mean(name, self._catalogue.endpoints)} Register it: PUT /v1/endpoints/{name}."
            yield Flaw(path=path, message=f'no endpoint "{name}".', hint=hint)
        elif state == "closed":
            self.warnings.append(
                Flaw(
                    path=path,
                    message=f'endpoint "{name}" is closed: nothing is posted to it.',
                    hint=f"Why, says GET /v1/endpoints/{name}. To open it: POST /v1/endpoints/{name}/open.",
                )
            )

    def _key(self, key: str) -> Iterator[Flaw]:
        yield from self._known(
            "start.key",
            key,
            {name: kind for name, kind in self._names().items() if name.startswith("event.")},
        )

    def _known(self, path: str, name: str, known: Mapping[str, AttributeType]) -> Iterator[Flaw]:
        try:
            source, _ = reference(name)
        except ValueError as error:
            several = [part for part in re.split(r"[\s,|]+|\bor\b", name) if part]
            are_names = len(several) > 1 and all(re.fullmatch(r"\w+\.\w+", part) for part in several)
            hint = f"Of several, write a list: [{', '.join(several)}]." if are_names else ""
            yield Flaw(path=path, message=f"{error}." if hint else str(error), hint=hint)
            return
        if source == "event" and self._event is None:
            return  # the trigger itself is not known, and said to be
        if name not in known:
            yield Flaw(path=path, message=f'no attribute "{name}".', hint=self._meant(name, known))
        elif known[name] != "text" and (path.endswith(".to") or ".to[" in path):
            yield Flaw(path=path, message=f"{name} is a {known[name]}; an address is a text.")

    def _asked(self, path: str, use: MessageUse, certain: set[str]) -> Iterator[Flaw]:
        asked = self._journey.message(use.message)
        if asked is None:
            messages = {step.id for step in every_step(self._journey.steps) if isinstance(step, Message)}
            hint = did_you_mean(use.message, messages)
            yield Flaw(path=f"{path}.message", message=f'no message step "{use.message}".', hint=hint)
            return
        if use.message not in certain:
            series = self._series_of(use.message)
            sent_in = f': it is sent in the series "{series}", which may be left before' if series else ""
            yield Flaw(
                path=f"{path}.message",
                message=f'"{use.message}" does not precede this step on every path{sent_in}.',
                hint=f"Ask about one that does: {', '.join(sorted(certain)) or 'there is none yet'}.",
            )
        if use.interaction not in INTERACTIONS[asked.kind]:
            yield Flaw(
                path=f"{path}.is",
                message=f"nothing tells whether a {asked.kind} message was {use.interaction}.",
                hint=f"For {asked.kind} there is: {', '.join(INTERACTIONS[asked.kind])}.",
            )

    def _series_of(self, message: str) -> str | None:
        """The outermost series that a message is sent in, if it is."""
        turns = way_to(self._journey.steps, message) or ()
        return next((turn.step for turn in turns if turn.arm == MEANWHILE), None)

    def _listens(self, path: str, trigger: str, where: str | None) -> Iterator[Flaw]:
        yield from self._ready(f"{path}.trigger", trigger)
        if where is not None and (schema := self._catalogue.schema(trigger)) is not None:
            scope = scope_at(trigger, schema, self._catalogue.customer)
            yield from self._condition(f"{path}.where", where, scope, _of_changes(where, trigger))

    def _ready(self, path: str, trigger: str) -> Iterator[Flaw]:
        if trigger not in self._catalogue.triggers and trigger not in BUILT_IN_NAMES:
            hint = did_you_mean(trigger, {*self._catalogue.triggers, *BUILT_IN_NAMES})
            yield Flaw(path=path, message=f'no trigger "{trigger}".', hint=hint)
            return
        state = "ready" if trigger in BUILT_IN_NAMES else self._catalogue.triggers[trigger][1]
        if state != "ready":
            yield Flaw(
                path=path,
                message=f'trigger "{trigger}" is {state}, not ready.',
                hint=f"Mark it ready: POST /v1/triggers/{trigger}/ready.",
            )

    def _condition(self, path: str, condition: str, scope: Scope, meant: Collection[Flaw] = ()) -> Iterator[Flaw]:
        """What is wrong with a condition; *meant* where it is wrong says it better."""
        try:
            self.warnings += [flaw.within(path) for flaw in conditions.compile_condition(condition, scope).warnings]
        except conditions.ConditionError as error:
            yield from _within(path, meant or map(self._explained, error.flaws))

    def _of_customer(self, path: str, when: str, what: str = "an exit on a condition") -> Iterator[Flaw]:
        """What is wrong with a condition that is looked at whenever the customer changes, and never in between."""
        try:
            condition = conditions.compile_condition(when, scope_of(customer=self._catalogue.customer))
        except conditions.ConditionError as error:
            elsewhere = [flaw for root, flaw in _elsewhere(what).items() if names_root(when, root)]
            yield from _within(path, elsewhere[:1] or error.flaws)
            return
        self.warnings += [flaw.within(path) for flaw in condition.warnings]
        if not condition.uses:
            yield Flaw(
                path=path,
                message="it names no attribute of the customer, so no change could make it hold.",
                hint='Ask for one, such as customer.status == "churned".',
            )

    def _explained(self, flaw: Flaw) -> Flaw:
        name = _UNKNOWN_NAME.match(flaw.message)
        why = self._not_shared(name[1]) if name else ""
        return flaw.model_copy(update={"hint": why}) if why else flaw

    def _meant(self, name: str, known: Iterable[str]) -> str:
        return self._not_shared(name) or did_you_mean(name, known)

    def _not_shared(self, name: str) -> str:
        """What to do about an attribute that some of the triggers that start the journey have, and others do not."""
        source, _, attribute = name.partition(".")
        why = why_not_shared(attribute, self._starts) if source == "event" and len(self._starts) > 1 else ""
        return f"Name only what all triggers of start have: {why}." if why else ""

    def _names(self) -> dict[str, AttributeType]:
        """What contents and addresses may name, with the type of each."""
        return under("event", types(self._event or {})) | under("customer", types(self._catalogue.customer))

    def _scope(self) -> Scope | None:
        """What a step may ask that chooses by what is known. None: the trigger itself is not known, and said to be."""
        if self._event is None:
            return None
        return scope_of(event=self._event, customer=self._catalogue.customer, customer_id=True, now=True, sent=True)


def _elsewhere(what: str) -> Mapping[str, Flaw]:
    """Why names of other roots cannot be asked for in a condition on the customer, and what to write instead."""
    at_a_time = "To go on at a time, write a step such as wait: {until: customer.renews_at, before: 3 days}."
    of_events = "For what happens, name a trigger: {trigger: purchase-completed, where: event.total > 50}."
    of_changes = 'For a change: {trigger: customer-changed, where: before.plan == "pro" && customer.plan == "free"}.'
    only = "so it asks for customer.* only."
    return {
        "now": Flaw(
            path="",
            message="now does not go here: time alone changes no customer, and so nobody would look.",
            hint=at_a_time,
        ),
        "event": Flaw(path="", message=f"{what} is looked at when the customer changes, {only}", hint=of_events),
        "before": Flaw(path="", message=f"{what} is about the customer as they are, {only}", hint=of_changes),
    }


def _of_changes(where: str, trigger: str) -> list[Flaw]:
    """What is wrong where a condition takes a change for an event with attributes, or an event for a change."""
    if trigger in CUSTOMER_TRIGGERS and names_root(where, "event"):
        message = f"{trigger} has no event.*: what changed is the customer."
        return [Flaw(path="", message=message, hint="Ask for customer.* as it is now, and for before.* as it was.")]
    if trigger == CREATED and names_root(where, "before"):
        message = "before.* is what a customer was before a change, and a new one was nothing."
        return [Flaw(path="", message=message, hint="Leave it out, or listen to customer-changed.")]
    if trigger != CHANGED and names_root(where, "before"):
        message = f"before.* is what a customer was before a change, and {trigger} is none."
        return [Flaw(path="", message=message, hint="Ask for customer.*, or listen to customer-changed.")]
    return []


def _within(path: str, flaws: Iterable[Flaw]) -> Iterator[Flaw]:
    return (flaw.within(path) for flaw in flaws)


_UNKNOWN_NAME = re.compile(r'there is no "([a-z0-9_.]+)"')


def _sends(step: Step, content: Content) -> TypeGuard[Message]:
    return isinstance(step, Message) and step.content == content.content


def _of(content: Content, path: str, found: Iterable[Flaw]) -> list[Flaw]:
    """What was found in a content, told at the step that sends it."""
    return [
        Flaw(path=path, message=f'content "{content.content}", {flaw.path}: {flaw.message}', hint=flaw.hint)
        for flaw in found
    ]


def _positive(path: str, duration: timedelta) -> Iterator[Flaw]:
    if duration <= timedelta(0):
        yield Flaw(path=path, message=f"found {say(duration)}; expected more than nothing, such as 1 day.")
    elif duration > LONGEST:
        yield Flaw(path=path, message=f"found {say(duration)}; at most {say(LONGEST)} go.")


def _longest(step: Step) -> timedelta:
    """How long a step may take by itself. Bounded, so that the sum of a thousand steps is a duration still."""
    return min(step.longest, 2 * LONGEST)
