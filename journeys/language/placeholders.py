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
      [$\#%@!]?\{{[!$]?\s?(?P<braces>{_NAME})\s?(?:\|[^{{}}\n]{{0,200}})?\}}   # {{name}} ${{name}} {{name | filter}}
    | \[\[\s?(?P<brackets>{_NAME})\s?\]\]                  # [[name]]
    | \[%\s?(?P<mixed>{_NAME})\s?%\]                       # [%name%]
    | \*\|\s?(?P<stars>{_NAME})\s?\|\*                     # *|NAME|*
    | <<\s?(?P<angles>{_NAME})\s?>>                        # <<name>>
    | <%=?\s?(?P<erb>{_NAME})\s?%>                         # <%= name %>
    | (?<![\w%])%%?(?P<percents>{_NAME})%%?(?![\w%])       # %NAME%
    | \[\s?(?P<bracket>{_NAME})\s?\](?!\()                # [name], but no link of Markdown
    | (?<![\w$])\$(?P<dollar>{_NAME})                      # $name
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Placeholder:
    """One of them, as it is written, and the name in it. *line* counts from 1, where it first stands.

    *sure*: False where it may as well be a price, an address or a note in brackets.
    """

    text: str
    name: str
    line: int = field(compare=False)
    sure: bool = field(compare=False)


def placeholders(source: str) -> Iterator[Placeholder]:
    """What looks like a placeholder outside of Liquid, in the order in which it is written."""
    plain = _LIQUID.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)
    line, counted = 1, 0
    for found in _FORMS.finditer(plain):
        line, counted = line + source.count("\n", counted, found.start()), found.start()
        name = next(name for name in found.groups() if name).rstrip(".")
        apart = "_" in name or "." in name
        if (found["bracket"] or found["dollar"]) and not apart:
            continue
        sure = not (found["bracket"] or found["dollar"] or found["percents"])
        sure |= bool(found["percents"]) and len(name) > 2 and (name.isupper() or apart or found[0].startswith("%%"))
        yield Placeholder(found[0], name, line, sure)
