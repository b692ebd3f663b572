"""A source before CEL reads it, of a condition or an expression: what it names."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import StrictBool, StrictFloat, StrictInt

from journeys.models import Expected, when_written

What = Literal["condition", "expression"]
"""What a source is: it asks something, or gives a value."""

Plain = str | bool | int | float
"""An expression as it is written: its source, or a number, true or false that stands for itself."""

LONGEST_SOURCE = 2_000


def flaw_of_length(source: str, what: What) -> str:
    """What is wrong with a source that is too long to be read by anybody; nothing where it is not."""
    if len(source) <= LONGEST_SOURCE:
        return ""
    return (
        f"the {what} has {len(source)} characters; at most {LONGEST_SOURCE} are read. "
        "Split it, or let the sender put what it asks for into an attribute."
    )


def _short_condition(source: str) -> str:
    return _short(source, "condition")


def _short_expression(source: Plain) -> Plain:
    return _short(source, "expression") if isinstance(source, str) else source


def _short(source: str, what: What) -> str:
    if flaw := flaw_of_length(source, what):
        raise ValueError(flaw)
    return source


Where = Annotated[str, when_written(_short_condition), Expected("a condition, such as event.total > 50")]
"""A condition as it is written in a definition."""

Formula = Annotated[
    str | StrictBool | StrictInt | StrictFloat,
    when_written(_short_expression),
    Expected("an expression, such as event.total, now, 1, true or '\"warm\"'"),
]
"""The same in a definition."""


# What opens a text and never closes it goes on to the end, so that nothing is read twice.
_TOKEN = re.compile(
    r"""[rR]?[bB]?(?:"{3}(?:.*?"{3}|.*) | '{3}(?:.*?'{3}|.*))
    | [rR][bB]?(?:"[^"]*"? | '[^']*'?)
    | "(?:\\.|[^"\\])*+"? | '(?:\\.|[^'\\])*+'?
    | //[^\n]*
    | \bhas[ \t]*\([ \t]*(?:(?P<given>[a-zA-Z_]\w*\.\w+)|sent\[(?P<step>"[^"\\]*"|'[^'\\]*')\])[ \t]*\)
    | (?P<name>[a-zA-Z_]\w*(?:\s*\.\s*[a-zA-Z_]\w*)*)""",
    re.VERBOSE | re.DOTALL,
)


def read(source: str, scope: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The source as CEL takes it, and what it names of *scope*, in order.

    To CEL a dotted attribute is one variable, and ``has`` of a variable is its value, silently.
    So ``has(event.phone)`` is read as the variable ``has_event.phone``, padded to the same width; and so that outcomes
    are asked for like attributes, ``has(sent["hello"])`` as ``("hello" in sent)``.
    """
    uses: dict[str, None] = {}

    def replaced(token: re.Match[str]) -> str:
        if token["step"]:
            uses["sent"] = None
            return f"({token['step']} in sent)".ljust(len(token[0]))
        root, *rest = re.split(r"\s*\.\s*", token["given"] or token["name"] or "")
        if name := next((name for name in (".".join([root, *rest[:1]]), root) if name in scope), None):
            uses[name] = None
        return f"has_{token['given']}".ljust(len(token[0])) if token["given"] else token[0]

    return _TOKEN.sub(replaced, source), tuple(uses)


def names_in(source: str) -> set[str]:
    """What a condition names outside its texts, by the first two parts: ``event.total``, ``now``."""
    found = (token["given"] or token["name"] or "" for token in _TOKEN.finditer(source))
    return {".".join(re.split(r"\s*\.\s*", name)[:2]) for name in found if name}


def names_root(source: str, root: str) -> bool:
    """Whether a condition names *root*, such as ``before`` or ``now``, or a part of it."""
    return any(name.partition(".")[0] == root for name in names_in(source))
