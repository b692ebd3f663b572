"""A folder of definitions sent to the API, and its journeys published."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import typer
from rich.text import Text

from journeys.catalogue import Content, CustomerAttribute, Trigger
from journeys.clearance.policy import Policy
from journeys.definition import Journey
from journeys.endpoints import Endpoint
from journeys.problems import Flaw
from store.catalogue import ContentView, TriggerView
from store.consents import ConsentView
from store.customer_attributes import AttributeView
from store.customers import CustomerView
from store.endpoints import EndpointView
from store.journeys import JourneyView
from store.policy import PolicyVersion
from store.publishing import PublishedFor
from terminal import confirming, exits, policies, publishing, show
from terminal.asking import answer
from terminal.client import Api
from terminal.folder import Customer, Definition, File, Folder, Script, warnings
from terminal.policies import PolicyPut

NOTHING_PUBLISHED = "Nothing was published. Drafts of the journeys are sent, and so is everything else."

NOT_PUT = "The policy is as it was, and nothing was published. Drafts of the journeys are sent, and so is the rest."

PLACES = {
    "trigger": "triggers",
    "content": "contents",
    "endpoint": "endpoints",
    "attribute": "customer-attributes",
    "customer": "customers",
    "policy": "policy",
    "journey": "journeys",
}
"""Where definitions of each kind are sent to."""


class Would(NamedTuple):
    """What somebody is asked about: a policy, where it keeps less than the one in force, and new versions."""

    policy: PolicyPut | None
    journeys: Sequence[PublishedFor]


Agreed = Callable[[Would], bool]
"""Whether it is to be put and published: what is told is what that would do."""


@dataclass(frozen=True)
class Change:
    """What applying did to one definition: created, updated, unchanged, published v2 …

    *secret*: that of an endpoint which was made just now, and is never told again. *warnings*: what its author should
    know, and only the house could tell, such as that a journey is held. *published*: what a new version changes, and
    what becomes of the people inside.
    """

    kind: str
    name: str
    became: str
    secret: str | None = None
    warnings: tuple[Flaw, ...] = ()
    published: PublishedFor | None = None


async def apply_and_tell(
    api: Api, folder: Folder, *, publish: bool, people: str = "stay", yes: bool = True, as_json: bool = False
) -> None:
    """Send a folder, and tell each change when it is made. At a terminal somebody is asked, unless *yes* says so.

    Where nobody can be asked, new versions are published all the same, but a policy that keeps less is not put.
    """
    told_before = dict[str, PublishedFor]()
    warned = list[Flaw]()

    def agreed(would: Would) -> bool:
        told_before.update((each.journey, each) for each in would.journeys)
        warned.extend(would.policy.warnings if would.policy else ())
        return _agreed(would)

    asks = None if yes else agreed
    changes = []
    async for made in apply_folder(api, folder, publish=publish, people=people, agreed=asks):
        changes.append(made)
        if not as_json:
            show.tell(show.change(made.kind, made.name, made.became))
            show.tell(show.secret(made.name, made.secret) if made.secret else ())
            show.tell(_inside(made.published, told_before.get(made.name)) if made.published else ())
            show.tell(show.warnings(each for each in made.warnings if each not in warned), error=True)
    if as_json:
        answer(changes, (), as_json=True)


async def apply_folder(
    api: Api, folder: Folder, *, publish: bool = True, people: str = "stay", agreed: Agreed | None = None
) -> AsyncIterator[Change]:
    """Send everything in *folder*, mark triggers and contents ready, and publish journeys. Tells each change made.

    *people*: what becomes of those inside. *agreed*: asked before new versions take the place of others at a terminal,
    and before a policy that keeps less is put, which waits for it.
    """
    less = None
    for file in folder.of(*PLACES):
        if agreed and file.kind == "policy" and (less := await _keeps_less(api, folder, file)):
            continue
        yield await _send(api, folder, file)
    journeys = folder.of("journey") if publish else ()
    if agreed and (less or confirming.is_at_a_terminal()) and not await _agrees(api, journeys, people, less, agreed):
        show.tell(NOT_PUT if less else NOTHING_PUBLISHED, error=True)
        raise typer.Exit(exits.REFUSED)
    for file in folder.of("policy") if less else ():
        yield await _send(api, folder, file)
    for file in journeys:
        told = await publishing.publish(api, file.name, {"people": people}, dry_run=False)
        became = f"published v{told.version}" if told.new else f"live already, as v{told.version}"
        there = _not_told(folder, file, told.warnings)
        yield Change(file.kind, file.name, became, warnings=there, published=told)


def _not_told(folder: Folder, file: File, told: Sequence[Flaw]) -> tuple[Flaw, ...]:
    """The warnings of the API that the folder alone does not give, and that nobody was told of yet."""
    here = {flaw.message for flaw in warnings(folder, only=[file.path])[file.path]} if told else set()
    return tuple(flaw for flaw in told if flaw.message not in here)


async def _keeps_less(api: Api, folder: Folder, file: File) -> PolicyPut | None:
    """What putting a policy would do, where it keeps less than the one in force."""
    would = await api.put_policy(file.body, dry_run=True)
    if policies.question(would) is None:
        return None
    return would.model_copy(update={"warnings": _not_told(folder, file, would.warnings)})


async def _agrees(api: Api, journeys: Sequence[File], people: str, less: PolicyPut | None, agreed: Agreed) -> bool:
    would = [await publishing.publish(api, file.name, {"people": people}, dry_run=True) for file in journeys]
    return agreed(Would(less, [each for each in would if each.version > 1 and publishing.question(each)]))


def _agreed(would: Would) -> bool:
    """What somebody says who has read it."""
    put = policies.question(would.policy) if would.policy else None
    publish = publishing.question_of_all(would.journeys)
    if put is None and publish is None:
        return True
    question = f"{put[:-1]}, and {publish[0].lower()}{publish[1:]}" if put and publish else put or publish or ""
    return confirming.confirmed(_said(would), question, yes=False, unasked=put is None)


def _said(would: Would) -> Iterator[Text]:
    if would.policy:
        yield from policies.put(would.policy)
    for each in would.journeys:
        yield from publishing.published(each)


def _inside(told: PublishedFor, would: PublishedFor | None) -> Iterator[Text]:
    """Below the line of a journey: what is new for people inside, or what became of them.

    *would*: what was told before of that; then only what became of them.
    """
    if would is not None:
        lines = publishing.what_became(told, would)
    elif told.new or (told.move and told.move.moved):
        lines = publishing.inside(told)
    else:
        return
    yield from (Text("    ").append_text(line) for line in lines)


async def _send(api: Api, folder: Folder, file: File) -> Change:
    made = await _apply(api, file)
    return replace(made, warnings=_not_told(folder, file, made.warnings))


async def _apply(api: Api, file: File) -> Change:
    match file.model:
        case Trigger():
            trigger = await api.find(TriggerView, "triggers", file.name)
            change = await _put(api, file, trigger.trigger if trigger else None)
            return await _ready(api, change, already=trigger is not None and trigger.state == "ready")
        case Content():
            content = await api.find(ContentView, "contents", file.name)
            change = await _put(api, file, content.content if content else None)
            already = content is not None and content.state == "ready" and content.ready == content.content
            return await _ready(api, change, already=already)
        case Endpoint() as endpoint:
            known = await api.find(EndpointView, "endpoints", file.name)
            if known and known.endpoint == endpoint:
                return Change(file.kind, file.name, "unchanged")
            made = await api.put_endpoint(file.name, file.body)
            return Change(file.kind, file.name, "updated" if known else "created", made.secret)
        case Policy() as policy:
            in_force = await api.find(PolicyVersion, "policy")
            if in_force and in_force.policy == policy:
                return Change(file.kind, file.name, "unchanged")
            told = await api.put_policy(file.body)
            return Change(file.kind, file.name, f"in force, as number {told.number}", warnings=told.warnings)
        case Journey():
            journey = await api.find(JourneyView, "journeys", file.name)
            return await _put(api, file, journey.definition if journey else None)
        case CustomerAttribute():
            declared = await api.find(AttributeView, "customer-attributes", file.name)
            there = CustomerAttribute(attribute=declared.attribute, type=declared.type) if declared else None
            return await _put(api, file, there)
        case Customer() as customer:
            person = await api.find(CustomerView, "customers", file.name)
            stored = customer.with_attributes(person.attributes) if person else None
            body = customer.model_dump_json(exclude={"consents"}).encode()
            change = await _put(api, replace(file, model=customer.as_stored()), stored, body)
            return await _consents(api, change, customer)
        case Script():
            raise AssertionError("scripts are for previews, and are not sent")


async def _put(api: Api, file: File, there: Definition | None, body: bytes | None = None) -> Change:
    """Put one definition, as it was written or as *body*, unless what is *there* says the same."""
    if there == file.model:
        return Change(file.kind, file.name, "unchanged")
    await api.put(PLACES[file.kind], file.name, body=body or file.body)
    return Change(file.kind, file.name, "updated" if there else "created")


async def _consents(api: Api, change: Change, customer: Customer) -> Change:
    """Say for a customer what their file says, unless they have said it already."""
    if not customer.consents:
        return change
    there = await api.find(ConsentView, "customers", change.name, "consents")
    if there and set(customer.consents) <= set(there.said):
        return change
    consents = [consent.model_dump(mode="json") for consent in customer.consents]
    await api.put("customers", change.name, "consents", body=json.dumps({"consents": consents}).encode())
    return Change(change.kind, change.name, "updated" if change.became == "unchanged" else change.became)


async def _ready(api: Api, change: Change, *, already: bool) -> Change:
    """Make a trigger or a content ready, unless nothing changed and it is *already*."""
    if change.became == "unchanged" and already:
        return change
    await api.do(f"{change.kind}s", change.name, "ready")
    became = "made ready" if change.became == "unchanged" else f"{change.became}, ready"
    return Change(change.kind, change.name, became)
