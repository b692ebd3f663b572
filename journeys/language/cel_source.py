"""A condition's source before CEL reads it: the attributes it names, and constants that cannot work."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from cel_expr_python import cel

from journeys.problems import Flaw

_TEXT = r"""
    (?: [rR]?[bB]?(?:\"{3}.*?\"{3} | '{3}.*?'{3})
      | [rR](?:"[^"]*" | '[^']*')
      | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'
    )"""
_SKIPPED = rf"{_TEXT} | //[^\n]*"
_TOKEN = re.compile(
    rf"""{_SKIPPED}
    | \bhas[ \t]*\([ \t]*(?P<given>[a-zA-Z_]\w*\.\w+)[ \t]*\)
    | (?P<name>[a-zA-Z_]\w*(?:\s*\.\s*[a-zA-Z_]\w*)*)""",
    re.VERBOSE | re.DOTALL,
)
_CONSTANT = re.compile(
    rf"""(?P<function>\b(?:timestamp|duration)|\.matches)\(\s*(?P<text>{_TEXT})\s*\)
    | {_SKIPPED}""",
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


def flaws_of_constants(source: str) -> list[Flaw]:
    """Constants such as ``timestamp('2026-01-01')``, which CEL would only try, and fail on, when asked."""
    calls = (found for found in _CONSTANT.finditer(source) if found["function"])
    return [flaw for call in calls if (flaw := _flaw_of_constant(call["function"], call["text"]))]


_WORDS = {
    "timestamp": ("is not a time.", "Write it like timestamp('2026-11-24T09:00:00Z')."),
    "duration": ("is not a duration to CEL.", "Write hours, minutes or seconds, such as duration('36h')."),
    ".matches": ("is not a regular expression.", "See the syntax of RE2."),
}


def _flaw_of_constant(function: str, text: str) -> Flaw | None:
    call = f"{function}({text})"
    alone = f"''{call}" if function == ".matches" else call
    if _nothing_declared().compile(alone).eval(data={}).type() != cel.Type.ERROR:
        return None
    message, hint = _WORDS[function]
    return Flaw(path="", message=f"{call.removeprefix('.')} {message}", hint=hint)


@lru_cache(maxsize=1)
def _nothing_declared() -> cel.Env:
    return cel.NewEnv(variables={})
