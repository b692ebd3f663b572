"""Which attributes of customers hold addresses, and what a customer is given as it is kept: each address one way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from journeys.clearance.addresses import Unsendable, normal_each
from journeys.interactions import Kind
from journeys.language.attributes import Value, reference
from journeys.problems import Flaw
from journeys.steps import Message, every_step
from journeys.versions import Version

BUILT_IN: Mapping[str, Kind] = {"email": "email", "phone": "text", "push_token": "push"}


def holding_addresses(live: Iterable[Version]) -> dict[str, Kind]:
    """The attributes that hold addresses, each with what is sent there.

    Those that every customer may have, and those that a *live* journey sends to. One that is sent both emails and texts
    is taken for neither.
    """
    sent_to = set(_sent_to(live))
    kinds = {name: {kind for attribute, kind in sent_to if attribute == name} for name, _ in sent_to}
    return {name: kind for name, (kind, *others) in kinds.items() if not others} | dict(BUILT_IN)


def spelled(attributes: Mapping[str, Value], holding: Mapping[str, Kind]) -> tuple[dict[str, Value], list[Flaw]]:
    """The attributes with each address in its one spelling, and what is wrong where nothing can be sent."""
    told, flaws = dict(attributes), []
    for name, value in attributes.items():
        if name in holding and isinstance(value, str):
            try:
                told[name] = ",".join(normal_each(holding[name], value))
            except Unsendable as error:
                flaws.append(Flaw(path=name, message=f"this {error.why}.", hint=error.hint))
    return told, flaws


def _sent_to(versions: Iterable[Version]) -> Iterable[tuple[str, Kind]]:
    for version in versions:
        for step in every_step(version.journey.steps):
            if isinstance(step, Message):
                for source, name in map(reference, step.addresses):
                    if source == "customer":
                        yield name, step.kind
