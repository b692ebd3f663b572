"""A folder of definitions sent to the API, and its journeys published."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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
from terminal import confirming, exits, publishing, show
from terminal.asking import answer
from terminal.client import Api
from terminal.folder import Customer, Definition, File, Folder, Script, warnings

NOTHING_PUBLISHED = "Nothing was published. Drafts of the journeys are sent, and so is everything else."

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


Agreed = Callable[[Sequence[PublishedFor]], bool]
"""Whether journeys are to be published: what is told is what that would do, of each that is asked about."""


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
    """Send a folder, and tell each change when it is made. At a terminal somebody is asked, unless *yes* says so."""
    told_before = dict[str, PublishedFor]()

    def agreed(would: Sequence[PublishedFor]) -> bool:
        told_before.update((each.journey, each) for each in would)
        return _agreed(would)

    asks = None if yes or not confirming.is_at_a_terminal() else agreed
    changes = []
    async for made in apply_folder(api, folder, publish=publish, people=people, agreed=asks):
        changes.append(made)
        if not as_json:
            show.tell(show.change(made.kind, made.name, made.became))
            show.tell(show.secret(made.name, made.secret) if made.secret else ())
            show.tell(_inside(made.published, told_before.get(made.name)) if made.published else ())
            show.tell(show.warnings(made.warnings), error=True)
    if as_json:
        answer(changes, (), as_json=True)


async def apply_folder(
    api: Api, folder: Folder, *, publish: bool = True, people: str = "stay", agreed: Agreed | None = None
) -> AsyncIterator[Change]:
    """Send everything in *folder*, mark triggers and contents ready, and publish journeys. Tells each change made.

    *people*: what becomes of those inside. *agreed*: asked before new versions take the place of others.
    """
    for file in folder.of(*PLACES):
        made = await _apply(api, file)
        yield replace(made, warnings=_not_told(folder, file, made.warnings))
    journeys = folder.of("journey") if publish else ()
    if agreed and not await _agrees(api, journeys, people, agreed):
        show.tell(NOTHING_PUBLISHED, error=True)
        raise typer.Exit(exits.REFUSED)
    for file in journeys:
        told = await publishing.publish(api, file.name, {"people": people}, dry_run=False)
        became = f"published v{told.version}" if told.new else f"live already, as v{told.version}"
        there = _not_told(folder, file, told.warnings)
        yield Change(file.kind, file.name, became, warnings=there, published=told)


def _not_told(folder: Folder, file: File, told: Sequence[Flaw]) -> tuple[Flaw, ...]:
    """The warnings of the API that the folder alone does not give, and that nobody was told of yet."""
    here = {flaw.message for flaw in warnings(folder, only=[file.path])[file.path]} if told else set()
    return tuple(flaw for flaw in told if flaw.message not in here)


async def _agrees(api: Api, journeys: Sequence[File], people: str, agreed: Agreed) -> bool:
    would = [await publishing.publish(api, file.name, {"people": people}, dry_run=True) for file in journeys]
    return agreed([each for each in would if each.version > 1 and publishing.question(each)])


def _agreed(would: Sequence[PublishedFor]) -> bool:
    """What somebody says who has read it."""
    question = publishing.question_of_all(would)
    said = (line for each in would for line in publishing.published(each))
    return question is None or confirming.confirmed(said, question, yes=False)


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
