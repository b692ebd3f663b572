"""One word for one thing: the API is made of the words in docs/words.md, and of none that the page refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activities.channels.registry import PROVIDERS
from tests.api.door import Door

Json = dict[str, Any]

WORDS = (Path(__file__).parents[2] / "docs" / "words.md").read_text()


def in_schemas(part: object) -> Iterator[str]:
    """Names of fields, and values that are words."""
    match part:
        case dict():
            if isinstance(properties := part.get("properties"), dict):
                yield from properties
            yield from (value for value in [*part.get("enum", []), part.get("const")] if isinstance(value, str))
            for name, value in part.items():
                if name not in ("example", "examples"):
                    yield from in_schemas(value)
        case list():
            for value in part:
                yield from in_schemas(value)
        case _:
            pass


def used(described: Json) -> set[str]:
    """All words that the API's description is made of, one by one, in small letters."""
    schemas = described["components"]["schemas"]
    names = [*schemas, *described["paths"], *in_schemas(schemas)]
    return {word.lower() for name in names for word in re.findall(r"[A-Z]?[a-z]+\d?|[A-Z]+", name)}


def first_column(heading: str) -> set[str]:
    table = WORDS.split(f"## {heading}")[1].split("\n## ")[0]
    return {row.split("|")[1].strip() for row in table.splitlines() if row.startswith("| ")} - {"word"}


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+\d?", text.lower()))


def known() -> set[str]:
    """The words of the page: the terms, the states, what events do, and the plain ones."""
    terms = words_of(" ".join(first_column("What Sojourn is about")))
    return terms | words_of("".join(WORDS.split("## States")[1:]))


def refused() -> set[str]:
    """What the page says is not the word, unless it is one for something else."""
    rows = WORDS.split("## States")[0].splitlines()
    return (
        {word.strip() for row in rows if row.startswith("| ") for word in row.split("|")[3].split(",")}
        - known()
        - {"not", ""}
    )


async def test_every_word_of_the_api_is_on_the_page(door: Door) -> None:
    words = used(await door.get("/openapi.json"))

    strange = {word for word in words if not {word, word.removesuffix("s"), f"{word}s"} & known()}

    assert strange - PROVIDERS.keys() == set()


async def test_no_word_that_the_page_refuses_is_used(door: Door) -> None:
    words = used(await door.get("/openapi.json"))

    assert {"user", "campaign", "template"} <= refused()
    assert words & refused() == set()


async def test_the_plain_words_are_used(door: Door) -> None:
    listed = words_of(WORDS.split("## Plain words of the API")[1].split("\n\n", 2)[2])

    assert listed - used(await door.get("/openapi.json")) == set()
