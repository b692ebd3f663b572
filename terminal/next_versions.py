"""The journeys that a script publishes: each in a file of its own, named from where the script is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from journeys.definition import Journey
from journeys.problems import Flaw, Invalid
from journeys.reading import parse, read


def read_published(data: dict[str, Any], script: Path) -> None:
    """Put into a script's *data* the journeys that it publishes, where their files are named.

    Raises Invalid with all that is wrong with them.
    """
    flaws: list[Flaw] = []
    for index, line, named in _named(data):
        try:
            line["publish"] = _journey_in(script.parent / named)
        except Invalid as error:
            wrong = error.flaws or (Flaw(path="", message=error.detail),)
            flaws += (_in_line(index, named, flaw) for flaw in wrong)
    if flaws:
        raise Invalid("What the script publishes is not valid.", flaws)


def published_by(script: Path) -> set[Path]:
    """The files that a script publishes, whatever is wrong with it; nothing where that is no script."""
    try:
        source = script.read_bytes()
        data = parse(source, "script") if b"publish" in source else {}
    except (OSError, Invalid):
        return set()
    return {(script.parent / named).resolve() for _, _, named in _named(data)}


def _named(data: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any], str]]:
    """The lines that name a file which they publish, each with its index and that name."""
    events = data.get("events") if "script" in data else ()
    for index, line in enumerate(events if isinstance(events, list) else ()):
        if isinstance(line, dict) and isinstance(named := line.get("publish"), str):
            yield index, line, named


class Defined(Protocol):
    """A file of a folder, and what is defined in it."""

    @property
    def path(self) -> Path: ...

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...


AFile = TypeVar("AFile", bound=Defined)


def without_next_versions(files: Sequence[AFile], published: set[Path], places: Sequence[Path]) -> Iterator[AFile]:
    """All files, but those of journeys that scripts have *published*, where the journey itself is in another file.

    That is the one that *places* name, if they name one.
    """
    named = {place.resolve() for place in places}

    def rank(file: AFile) -> tuple[bool, bool]:
        path = file.path.resolve()
        return path not in named, path in published

    for file in files:
        first = min((other for other in files if (other.kind, other.name) == (file.kind, file.name)), key=rank)
        is_next = file.kind == "journey" and {first.path.resolve(), file.path.resolve()} & published
        if not (is_next and rank(first) < rank(file)):
            yield file


def _in_line(index: int, named: str, flaw: Flaw) -> Flaw:
    where = f"events[{index}].publish: {named}"
    return flaw.model_copy(update={"path": f"{where}: {flaw.path}" if flaw.path else where})


def _journey_in(file: Path) -> Journey:
    try:
        source = file.read_bytes()
    except OSError as error:
        hint = "Name the file from where the script is, such as ../next/welcome.yaml."
        raise Invalid("", [Flaw(path="", message=f"it cannot be read: {error.strerror}.", hint=hint)]) from None
    data = parse(source, "journey")
    if "journey" not in data:
        found = ", ".join(map(str, [*data][:5])) or "nothing"
        raise Invalid(f"it holds no journey: expected journey: …; found {found}.")
    return read(Journey, data, "journey")
