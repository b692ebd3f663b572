"""A published version of a journey, with what it was checked against: what it listens to, and what holds for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, lru_cache

from journeys.catalogue import CHANGED, CUSTOMER, Event, before_of
from journeys.definition import Journey
from journeys.language import conditions
from journeys.language.attributes import Schema, reference
from journeys.language.scopes import Scope, scope_of, values_of
from journeys.steps import (
    MEANWHILE,
    AnyStep,
    Listening,
    every_step,
    listening,
)
from journeys.walk.ahead import ahead
from journeys.walk.position import way_to


@dataclass(frozen=True)
class Version:
    """A published journey, complete in itself: its definition, and the attribute types it was checked against."""

    number: int
    journey: Journey
    schemas: Mapping[str, Schema]
    customer: Schema = field(default_factory=lambda: CUSTOMER)

    @property
    def name(self) -> str:
        return self.journey.journey

    @cached_property
    def steps(self) -> Mapping[str, AnyStep]:
        """All its steps, by id."""
        return {step.id: step for step in every_step(self.journey.steps)}

    @cached_property
    def steps_told(self) -> object:
        """The steps as Temporal is told of them."""
        told = self.journey.model_dump(mode="json", by_alias=True, exclude_defaults=True, include={"steps"})
        return told["steps"]

    @cached_property
    def run_triggers(self) -> frozenset[str]:
        """The names of the triggers that do something to its runs."""
        return self.journey.run_triggers

    @cached_property
    def triggers(self) -> frozenset[str]:
        """The names of all triggers that it listens to, that of its start included."""
        return self.journey.triggers

    @cached_property
    def endpoints(self) -> frozenset[str]:
        """The names of the endpoints that it calls."""
        return self.journey.endpoints

    @cached_property
    def question_triggers(self) -> frozenset[str]:
        """The names of the triggers whose events may answer its steps."""
        return self.journey.question_triggers

    @cached_property
    def soonest(self) -> Callable[[str], Mapping[str, timedelta]]:
        """For a step, those that a run may come to from there, that one first, and how long this takes at least."""
        steps = self.journey.steps
        return lru_cache(maxsize=200)(lambda at: {step.id: soonest for step, soonest in ahead(steps, at)})

    @cached_property
    def _scope(self) -> Callable[[str], Scope]:
        """What a condition on an event of a trigger may name. Many are asked, and it never changes."""
        return lru_cache(maxsize=200)(lambda trigger: scope_at(trigger, self.schemas[trigger], self.customer))

    @cached_property
    def _scope_now(self) -> Scope:
        return scope_of(customer=self.customer)

    @cached_property
    def questions(self) -> tuple[Listening, ...]:
        """What its steps listen to."""
        return tuple(listening(self.journey.steps))

    @cached_property
    def series(self) -> frozenset[str]:
        """The steps that walk others until something happens."""
        steps = every_step(self.journey.steps)
        return frozenset(step.id for step in steps if any(arm.meanwhile for arm in step.arms))

    def within(self, step: str) -> frozenset[str]:
        """The steps that a series walks until something happens; none of any other step."""
        arms = self.steps[step].arms
        return frozenset(inner.id for arm in arms if arm.meanwhile for inner in every_step(arm.steps))

    def around(self, step: str) -> frozenset[str]:
        """The series that a step is walked in."""
        turns = way_to(self.journey.steps, step) or () if self.series else ()
        return frozenset(turn.step for turn in turns if turn.arm == MEANWHILE) & self.series

    def holds(self, where: str | None, event: Event, customer: Mapping[str, object]) -> conditions.Verdict:
        """Whether a condition on an event holds, and if not, why, with the values that decided."""
        if where is None:
            return conditions.Verdict(holds=True, reason="")
        schema, before = self.schemas[event.trigger], before_of(event) or {}
        values = values_of(
            event=(schema, event.attributes),
            customer=(self.customer, customer),
            before=(self.customer, before) if event.trigger == CHANGED else None,
        )
        return conditions.ask(where, self._scope(event.trigger), values)

    def holds_now(self, when: str, customer: Mapping[str, object]) -> conditions.Verdict:
        """Whether a condition on the customer holds, and if not, why, with the values that decided."""
        values = values_of(customer=(self.customer, customer))
        return conditions.ask(when, self._scope_now, values)

    def exited_by(self, customer: Mapping[str, object]) -> str:
        """The exit on a condition that the customer meets, in words and without values; nothing where there is none."""
        for leaving in self.journey.condition_exits:
            if self.holds_now(leaving.when, customer).holds:
                return leaving.words
        return ""


def scope_at(trigger: str | None, schema: Schema, customer: Schema) -> Scope:
    """What a condition on an event of *trigger* may name, with the type of each."""
    return scope_of(event=schema, customer=customer, before=customer if trigger == CHANGED else None)


def key_of(version: Version, event: Event) -> str | None:
    """The value that tells this event's run apart, None where the journey or the event has none."""
    if version.journey.start.key is None:
        return None
    value = event.attributes.get(reference(version.journey.start.key)[1])
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
