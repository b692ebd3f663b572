"""Placeholders as other products write them, such as ``{first_name}`` and ``%FIRSTNAME%``: Liquid leaves them alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,80}"

# What Liquid reads, and what it is told not to.
_LIQUID = re.compile(r"\{%-?\s*(raw|comment|doc)\b.{0,40}?%\}.*?\{%-?\s*end\1\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_FORMS = re.compile(
    rf"""
      [$\#%@!]?\{{[!$]?\s?(?P<braces>{_NAME})\s?\}}       # {{name}} ${{name}} #{{name}} %{{name}} {{!name}}
    | \[\[\s?(?P<brackets>{_NAME})\s?\]\]                  # [[name]]
    | \[%\s?(?P<mixed>{_NAME})\s?%\]                       # [%name%]
    | \*\|\s?(?P<stars>{_NAME})\s?\|\*                     # *|NAME|*
    | <<\s?(?P<angles>{_NAME})\s?>>                        # <<name>>
    | <%=?\s?(?P<erb>{_NAME})\s?%>                         # <%= name %>
    | (?<![\w%])%%?(?P<percents>{_NAME})%%?(?![\w%])       # %NAME%
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Placeholder:
    """One of them, as it is written, and the name in it. *line* counts from 1, where it first stands."""

    text: str
    name: str
    line: int = field(compare=False)


def placeholders(source: str) -> Iterator[Placeholder]:
    """What looks like a placeholder outside of Liquid, in the order in which it is written."""
    plain = _LIQUID.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    for found in _FORMS.finditer(plain):
        if found["percents"] and not (found[0].startswith("%%") or _is_meant(found["percents"])):
            continue
        name = next(name for name in found.groups() if name)
        yield Placeholder(found[0], name, source.count("\n", 0, found.start()) + 1)


def _is_meant(name: str) -> bool:
    """Whether ``%NAME%`` is one: percent signs also stand in prices and in addresses."""
    return len(name) > 2 and (name.isupper() or "_" in name or "." in name)
