"""Contents filled in for one customer and one event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from journeys.catalogue import Content
from journeys.language.templates import render, render_line

ONE_LINE = frozenset({"subject", "title", "link"})


def render_content(content: Content, values: Mapping[str, Mapping[str, object]], now: datetime) -> dict[str, str]:
    """All parts of a content, filled in: ``{"subject": "…", "text": "…"}``. Missing values are left empty.

    *now* (aware UTC) is what ``{{ "now" | date: "%d %b" }}`` tells.

    Raises TemplateError where a template goes over its limits.
    """
    filled = {
        part: render_line(source, values, now=now)
        if part in ONE_LINE
        else render(source, values, html=part == "html", now=now)
        for part, source in content.parts.items()
    }
    if content.kind == "text":
        # One no-break space, as in 128,40 €, and a text may be billed as two.
        filled = {part: _NO_BREAK.sub(" ", text) for part, text in filled.items()}
    return filled


_NO_BREAK = re.compile("[\u00a0\u202f]")
