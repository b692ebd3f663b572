"""A condition's source before CEL reads it: the attributes it names."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

from journeys.models import when_written

LONGEST_CONDITION = 2_000


def flaw_of_length(source: str) -> str:
    """What is wrong with a condition that is too long to be read by anybody; nothing where it is not."""
    if len(source) <= LONGEST_CONDITION:
        return ""
    return (
        f"the condition has {len(source)} characters; at most {LONGEST_CONDITION} are read. "
        "Split it, or let the sender put what it asks for into an attribute."
    )


def _short(source: str) -> str:
    if flaw := flaw_of_length(source):
        raise ValueError(flaw)
    return source


Where = Annotated[str, when_written(_short)]
"""A condition as it is written in a definition."""


# What opens a text and never closes it goes on to the end, so that nothing is read twice.
_TOKEN = re.compile(
    r"""[rR]?[bB]?(?:"{3}(?:.*?"{3}|.*) | '{3}(?:.*?'{3}|.*))
    | [rR][bB]?(?:"[^"]*"? | '[^']*'?)
    | "(?:\\.|[^"\\])*+"? | '(?:\\.|[^'\\])*+'?
    | //[^\n]*
    | \bhas[ \t]*\([ \t]*(?P<given>[a-zA-Z_]\w*\.\w+)[ \t]*\)
    | (?P<name>[a-zA-Z_]\w*(?:\s*\.\s*[a-zA-Z_]\w*)*)""",
    re.VERBOSE | re.DOTALL,
)


def read(source: str, scope: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The source as CEL takes it, and the attributes of *scope* it names, in order.

    To CEL a dotted attribute is one variable, and ``has`` of a variable is its value, silently.
    So ``has(event.phone)`` is read as the variable ``has_event.phone``, padded to the same width.
    """
    uses: dict[str, None] = {}

    def replaced(token: re.Match[str]) -> str:
        name = ".".join(re.split(r"\s*\.\s*", token["given"] or token["name"] or "")[:2])
        if name in scope:
            uses[name] = None
        return f"has_{token['given']}".ljust(len(token[0])) if token["given"] else token[0]

    return _TOKEN.sub(replaced, source), tuple(uses)
