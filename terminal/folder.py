"""A folder of definitions: triggers, contents, endpoints, customers and attributes, a policy, journeys, scripts."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import WithJsonSchema

from journeys import catalogue
from journeys.address_attributes import BUILT_IN as ADDRESSES
from journeys.address_attributes import spelled
from journeys.catalogue import BUILT_IN_NAMES, CUSTOMER, Content, CustomerAttribute, Trigger
from journeys.checks.policy import check_policy
from journeys.checks.review import Catalogue
from journeys.clearance.consent import Consent
from journeys.clearance.policy import Policy
from journeys.contents import check_content
from journeys.definition import Journey
from journeys.endpoints import Endpoint
from journeys.language.attributes import Attributes, Schema, check_attributes, declaration_of
from journeys.models import Expected, Model, Name
from journeys.nearest import nearest
from journeys.problems import Flaw, Invalid
from journeys.publishing import check, version_of, warn
from journeys.reading import parse, read
from journeys.walk.publications import check_publications
from journeys.walk.script import Happening, check_happening
from terminal.next_versions import published_by, read_published, without_next_versions

SUFFIXES = frozenset({".yaml", ".yml", ".json"})


class Customer(catalogue.Customer):
    """A customer, and what they said about being messaged.

    *consents*: what they said, by channel, purpose and topic.
    """

    consents: tuple[Consent, ...] = ()

    def as_stored(self) -> Customer:
        """The same customer with each address in its one spelling."""
        return self.model_copy(update={"attributes": spelled(self.attributes, ADDRESSES)[0]})

    def with_attributes(self, stored: Attributes) -> Customer:
        """The same customer as it is stored: an attribute that is null here is as good as missing there."""
        missing = {name: None for name, value in self.attributes.items() if value is None}
        return self.model_copy(update={"attributes": {**missing, **stored}})


class Line(Happening):
    """One line of a script: what happens, at which time after its beginning.

    *publish*: a file with the journey as it is published then, from where the script is: ``../next/welcome.yaml``.
    """

    publish: Annotated[
        Journey | None,
        WithJsonSchema({"type": "string"}),
        Expected("a file with the journey, from where the script is, such as ../next/welcome.yaml"),
    ] = None


class Script(Model):
    """What a preview's customer does, and when.

    *title*: a name for people.
    *customer*: who does it, where nobody else is named.
    *events*: what happens, each at its time.
    """

    script: Name
    title: str = ""
    customer: catalogue.CustomerId | None = None
    events: tuple[Line, ...]


Definition = Trigger | Content | Endpoint | CustomerAttribute | Customer | Policy | Journey | Script
Kept = TypeVar("Kept", Trigger, Content, Endpoint, CustomerAttribute, Customer, Policy, Journey, Script)

POLICY = "policy"
"""What no field names, but the name of its file, at the top of a folder: there is one for the whole house."""

# In the order in which they can be sent: what a journey refers to comes before it.
MODELS: dict[str, type[Definition]] = {
    "trigger": Trigger,
    "content": Content,
    "endpoint": Endpoint,
    "attribute": CustomerAttribute,
    "customer": Customer,
    POLICY: Policy,
    "journey": Journey,
    "script": Script,
}
NAMED = tuple(kind for kind in MODELS if kind != POLICY)
"""The kinds of which a field of the file says what it is."""


@dataclass(frozen=True)
class File:
    """One file with the definition in it. *kind* is the field that names it, such as ``journey``; or ``policy``."""

    path: Path
    kind: str
    name: str
    model: Definition
    body: bytes


class Folder:
    """Everything that was read from some files."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = tuple(sorted(files, key=lambda file: (list(MODELS).index(file.kind), file.name)))

    def all(self, model: type[Kept]) -> dict[str, Kept]:
        """The definitions of one kind, by name."""
        return {file.name: file.model for file in self.files if isinstance(file.model, model)}

    def of(self, *kinds: str) -> list[File]:
        """The files of some kinds."""
        return [file for file in self.files if file.kind in kinds]

    def within(self, places: Iterable[Path]) -> list[File]:
        """The files that lie in some places."""
        return [file for file in self.files if any(_is_below(file.path, place) for place in places)]

    @property
    def policy(self) -> Policy | None:
        """The house's policy, if there is one here."""
        return next(iter(self.all(Policy).values()), None)

    @property
    def catalogue(self) -> Catalogue:
        """What journeys may refer to, as if all of it were ready."""
        return Catalogue(
            triggers={name: (trigger, "ready") for name, trigger in self.all(Trigger).items()},
            contents={name: (content, "ready") for name, content in self.all(Content).items()},
            customer=_customer_schema(self.all(CustomerAttribute).values(), self.all(Customer).values()),
            endpoints=dict.fromkeys(self.all(Endpoint), "open"),
            live=self.all(Journey),
            policy=self.policy or Policy(),
        )


def read_folder(paths: Iterable[Path]) -> Folder:
    """All definitions in *paths*: files, or folders with all that is below. Raises Invalid with every file's flaws."""
    files: list[File] = []
    flaws: list[Flaw] = []
    places = tuple(paths)
    paths = {path.resolve(): path for path in _expand(places)}.values()
    for path in paths:
        try:
            files.append(read_file(path))
        except Invalid as error:
            flaws += _in_file(path, error.flaws or [Flaw(path="", message=error.detail)])
    published = {file for path in paths for file in published_by(path)}
    files = [*without_next_versions(files, published, places)]
    flaws += [*_twice(files), *_policies_too_many(files, places)]
    if flaws:
        raise Invalid(count(flaws), flaws)
    return Folder(files)


def read_file(path: Path) -> File:
    """The definition in one file. Raises Invalid, its flaws not yet saying in which file they are."""
    source = bytes_of(path)
    data = parse(source, "definition")
    kind = _kind_of(data) or (POLICY if path.stem == POLICY else None)
    if kind is None:
        expected = ", ".join(f"{kind}: …" for kind in NAMED)
        found = ", ".join(map(str, [*data][:5])) or "nothing"
        raise Invalid(f"Nothing says what this is: expected one of {expected}; found {found}.{_hint(data)}")
    if kind == "script":
        read_published(data, path)
    model: Definition = read(MODELS[kind], data, kind)
    return File(path=path, kind=kind, name=str(getattr(model, kind, kind)), model=model, body=source)


def bytes_of(path: Path) -> bytes:
    """What is in a file. Raises Invalid where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from None


def _kind_of(data: Mapping[str, Any]) -> str | None:
    """The kind that a field names."""
    # The last one first: a script names its customer too.
    kind = next((kind for kind in reversed(NAMED) if isinstance(data.get(kind), str)), None)
    return kind or next((kind for kind in reversed(NAMED) if kind in data), None)


def _hint(data: Mapping[str, Any]) -> str:
    if data and data.keys() <= {POLICY, *Policy.model_fields}:
        return " A policy has no name: call the file policy.yaml, and put it at the top of the folder."
    near = (nearest(str(name).strip("“”„"), NAMED) for name in data if str(name) not in ("name", "attributes"))
    return f' Did you mean "{kind}"?' if (kind := next(filter(None, near), None)) else ""


def together(places: Iterable[Path]) -> Folder:
    """The definitions in *places*, with those around them that they may refer to. Raises Invalid.

    Around a file is the nearest folder above that has triggers or contents in it.
    """
    wanted: set[Path] = set()
    for place in places:
        here = place if place.is_dir() else place.parent
        above = Path(os.path.relpath(here.resolve().parent))
        homes = (home for home in (here, above) if (home / "triggers").is_dir() or (home / "contents").is_dir())
        # An outsider's file may lie beside the folder that it belongs to.
        wanted |= {next(homes, place), place}
    return read_folder(wanted)


def validate(folder: Folder, only: Iterable[Path] | None = None) -> list[Flaw]:
    """All that is wrong with the definitions in *only*, or in all files, as seen together with the others."""
    files = folder.files if only is None else folder.within(only)
    told = {file.name for file in files if file.kind == "content"}
    return [flaw for file in files for flaw in _in_file(file.path, _flaws(file.model, folder.catalogue, told))]


def warnings(folder: Folder, only: Iterable[Path] | None = None) -> dict[Path, list[Flaw]]:
    """What the authors of the definitions in *only*, or in all files, should know, by file. Of what has no flaw."""
    files = folder.files if only is None else folder.within(only)
    told = {file.name for file in files if file.kind == "content"}
    return {file.path: _in_file(file.path, _warnings(file.model, folder.catalogue, told)) for file in files}


def check_script(script: Script, catalogue: Catalogue, told: Collection[str] = ()) -> Iterator[Flaw]:
    """What is wrong with a script: triggers that are not there, attributes that they do not take, what is published.

    *told*: the contents whose own flaws are told elsewhere.
    """
    for index, line in enumerate(script.events):
        yield from (flaw.within(f"events[{index}]") for flaw in check_happening(line, catalogue))
    published = next((line.publish for line in script.events if line.publish), None)
    if published:
        before = catalogue.live.get(published.journey, published)
        found = check_publications(version_of(before, 1, catalogue), script.events, catalogue, told=told)
        yield from (flaw.within(f"events[{index}]") for index, flaw in found)


def _warnings(model: Definition, catalogue: Catalogue, told: Collection[str]) -> Iterable[Flaw]:
    match model:
        case Journey():
            return warn(model, catalogue, told=told)
        case Content():
            return check_content(model).warnings
        case Policy():
            return check_policy(model, catalogue.customer, datetime.now(UTC)).warnings
        case _:
            return ()


def _flaws(model: Definition, catalogue: Catalogue, told: Collection[str]) -> Iterable[Flaw]:
    """What is wrong with a definition. Of a journey's contents without what is told of those in *told*."""
    match model:
        case Journey():
            return check(model, catalogue, told=told)
        case Content():
            return check_content(model).flaws
        case Policy():
            return check_policy(model, catalogue.customer).flaws
        case Customer():
            wrong = check_attributes(catalogue.customer, model.attributes)
            _, unsendable = spelled(model.attributes, ADDRESSES)
            return [flaw.within("attributes") for flaw in (*wrong, *unsendable)]
        case Script():
            return list(check_script(model, catalogue, told))
        case Trigger() if model.trigger in BUILT_IN_NAMES:
            return [Flaw(path="trigger", message=f'"{model.trigger}" is built in.', hint="Choose another name.")]
        case CustomerAttribute() if model.attribute in CUSTOMER and model.type != "text":
            message = f'"{model.attribute}" is built in: text, for all customers.'
            return [Flaw(path="attribute", message=message, hint="Use an attribute of another name.")]
        case Trigger() | Endpoint() | CustomerAttribute():
            return []


def _customer_schema(attributes: Iterable[CustomerAttribute], customers: Iterable[Customer]) -> Schema:
    """What customers may have: what is declared, and else what its first value is, as it is in production."""
    schema: dict[str, Any] = {declared.attribute: f"{declared.type}?" for declared in attributes} | dict(CUSTOMER)
    for customer in customers:
        for name, value in customer.attributes.items():
            if value is not None:
                schema.setdefault(name, declaration_of(value))
    return schema


def _expand(paths: Iterable[Path]) -> Iterator[Path]:
    for path in sorted(paths):
        if not path.is_dir():
            yield path
            continue
        below = sorted(file for file in _below(path) if file.suffix in SUFFIXES and file.is_file())
        if not below:
            raise Invalid(f"{path} holds no definitions: expected YAML or JSON files in it.")
        yield from below


def _below(folder: Path) -> Iterator[Path]:
    """All files in a folder, but for what is hidden: that is an editor's or our own, such as .sojourn/schemas."""

    def unreadable(error: OSError) -> NoReturn:
        raise Invalid(f"{error.filename} cannot be read: {error.strerror}.")

    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _twice(files: Sequence[File]) -> Iterator[Flaw]:
    first: dict[tuple[str, str], Path] = {}
    for file in files:
        other = first.setdefault((file.kind, file.name), file.path)
        if other != file.path and file.kind != POLICY:
            yield Flaw(path=f"{file.path}: {file.kind}", message=f'"{file.name}" is also in {other}.', hint="Keep one.")


def _policies_too_many(files: Sequence[File], places: Sequence[Path]) -> Iterator[Flaw]:
    """Policies that are not the one at the top: whoever sends a folder is to see at once that it holds one."""
    tops = {place.resolve() for place in places}
    first: Path | None = None
    for file in files:
        if file.kind != POLICY:
            continue
        if not tops & {file.path.resolve(), file.path.resolve().parent}:
            message = "a policy holds for the whole house, and is at the top of the folder or not at all."
            yield Flaw(path=str(file.path), message=message, hint="Move it to the top, or name its own folder.")
        elif first:
            yield Flaw(path=str(file.path), message=f"there is a policy in {first} too.", hint="Keep one.")
        else:
            first = file.path


def _in_file(path: Path, flaws: Iterable[Flaw]) -> list[Flaw]:
    return [flaw.model_copy(update={"path": f"{path}: {flaw.path}" if flaw.path else str(path)}) for flaw in flaws]


def count(flaws: Sequence[Flaw]) -> str:
    """How many flaws there are, as a sentence."""
    return "1 thing is wrong." if len(flaws) == 1 else f"{len(flaws)} things are wrong."


def _is_below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
