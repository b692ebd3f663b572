"""The examples: folders of definitions with scripts, which the demonstration plays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from journeys.definition import Journey
from journeys.nearest import did_you_mean
from journeys.problems import Invalid, Unknown
from terminal.folder import Folder, Script, read_folder
from terminal.show import columns

HOME = Path(__file__).parent.parent / "examples"


@dataclass(frozen=True)
class Example:
    """One example: its folder, and the one journey in it."""

    name: str
    folder: Folder
    journey: Journey

    @property
    def scripts(self) -> list[Script]:
        """What people do in it, one script each."""
        return list(self.folder.all(Script).values())


def names() -> list[str]:
    """The examples that there are."""
    return sorted(folder.parent.name for folder in HOME.glob("*/journeys"))


def find(name: str) -> Example:
    """The example of that name. Raises Unknown, naming the nearest, and Invalid."""
    there = names()
    if not there:
        raise Invalid(f"The examples are not at {HOME}: run the demonstration from a clone of the repository.")
    if name not in there:
        raise Unknown(f'There is no example "{name}". {did_you_mean(name, there)}')
    folder = read_folder([HOME / name])
    (journey,) = folder.all(Journey).values()
    return Example(name, folder, journey)


def listed() -> Iterator[Text]:
    """The examples with what they are about, and who is in them."""
    rows: list[tuple[str, str, str]] = [("Example", "What it is about", "Played by")]
    for example in map(find, names()):
        people = sorted({script.customer for script in example.scripts if script.customer})
        rows.append((example.name, example.journey.title, ", ".join(person.capitalize() for person in people)))
    return columns(rows)
