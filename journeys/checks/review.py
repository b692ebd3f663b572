"""A journey under review: the triggers, contents and endpoints that it is held against, and what it may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from journeys.catalogue import CUSTOMER, Content, State, Trigger, built_in_schema
from journeys.clearance.consent import Purpose
from journeys.clearance.policy import NO_POLICY, Policy
from journeys.definition import Journey
from journeys.endpoints import EndpointState
from journeys.interactions import INTERACTIONS, Kind
from journeys.language.attributes import AttributeType, Schema, meant_by, types, under
from journeys.language.scopes import Scope, scope_of
from journeys.language.shared import shared, why_not_shared
from journeys.steps import Message, placed
from journeys.steps.uses import ContentUse


@dataclass(frozen=True)
class Catalogue:
    """What a journey may refer to: triggers, contents and endpoints with their states, and customers' attributes.

    *channels*: the kinds of message for which a channel is configured. *live*: the journeys that may be entered.
    *policy*: the house's rules about who may be messaged when.
    """

    triggers: Mapping[str, tuple[Trigger, State]]
    contents: Mapping[str, tuple[Content, State]]
    customer: Schema = field(default_factory=lambda: CUSTOMER)
    channels: frozenset[Kind] = frozenset(INTERACTIONS)
    endpoints: Mapping[str, EndpointState] = field(default_factory=dict)
    live: Mapping[str, Journey] = field(default_factory=dict)
    policy: Policy = NO_POLICY

    def schema(self, trigger: str) -> Schema | None:
        """The attributes of a trigger, built in or own; None where there is no such trigger."""
        if (built_in := built_in_schema(trigger)) is not None:
            return built_in
        return self.triggers[trigger][0].attributes if trigger in self.triggers else None


@dataclass(frozen=True)
class Review:
    """A journey under review, and what it is held against.

    *told*: the contents whose own flaws are told elsewhere. *now*: when it would be published, if that is to be held
    against the instants that it waits for.
    """

    journey: Journey
    catalogue: Catalogue
    told: frozenset[str] = frozenset()
    now: datetime | None = None

    @cached_property
    def starts(self) -> Mapping[str, Schema]:
        """The attributes of each trigger of the start that there is."""
        schemas = {trigger: self.catalogue.schema(trigger) for trigger in self.journey.start.triggers}
        return {trigger: schema for trigger, schema in schemas.items() if schema is not None}

    @cached_property
    def event(self) -> Schema | None:
        """What every start has. None where one of its triggers is not known, and said to be."""
        return shared(self.starts) if self.starts.keys() >= {*self.journey.start.triggers} else None

    @cached_property
    def names(self) -> Mapping[str, AttributeType]:
        """What contents and addresses may name, with the type of each."""
        return under("event", types(self.event or {})) | under("customer", types(self.catalogue.customer))

    @cached_property
    def first_sent(self) -> Mapping[str, str]:
        """Where each content is sent first. One mistake in it is one flaw, however often it is sent."""
        sent: dict[str, str] = {}
        for path, step in placed(self.journey.steps, "steps"):
            for use in step.uses:
                if isinstance(use, ContentUse):
                    sent.setdefault(use.content, f"{path}.{use.path}")
        return sent

    def purpose(self, message: Message) -> Purpose:
        """What a message is for; where its content is not there, it is taken for a commercial one."""
        content, _ = self.catalogue.contents.get(message.content, (None, None))
        return content.purpose if content else "commercial"

    def scope(self, *, sent: bool = False) -> Scope | None:
        """What a step may name: the outcomes of messages where it chooses by them. None as for *event*."""
        if self.event is None:
            return None
        customer = self.catalogue.customer
        return scope_of(event=self.event, customer=customer, customer_id=True, now=True, sent=sent)

    def meant(self, name: str, known: Iterable[str], kind: AttributeType = "text") -> str:
        """What to do about a *name* that is not *known*, in the place of which one of that *kind* would do."""
        return self.not_shared(name) or meant_by(name, known, kind)

    def not_shared(self, name: str) -> str:
        """What to do about an attribute that some of the triggers that start the journey have, and others do not."""
        source, _, attribute = name.partition(".")
        why = why_not_shared(attribute, self.starts) if source == "event" and len(self.starts) > 1 else ""
        return f"Name only what all triggers of start have: {why}." if why else ""
