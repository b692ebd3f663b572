"""Contents: filled in for one customer and one event, and what is wrong with one before anybody gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from journeys.catalogue import CUSTOMER, Content
from journeys.findings import Findings, warning
from journeys.interactions import Kind
from journeys.language.attributes import under
from journeys.language.template_check import Known, check, other_braces, try_out
from journeys.language.templates import TemplateError, Values, readable, render, render_line, uses
from journeys.problems import Flaw

ONE_LINE = frozenset({"subject", "title", "link"})
BODIES = ("html", "text")

UNSUBSCRIBE = "unsubscribe_url"
SAMPLE_TEXTS: Mapping[Kind, Mapping[str, str]] = {
    "email": {UNSUBSCRIBE: "https://journeys.example.com/u/sample"},
    "text": {},
    "push": {},
}
"""What a content of each kind may name besides attributes, and what is put there where nothing is sent."""


def render_content(content: Content, values: Values, now: datetime) -> dict[str, str]:
    """All parts of a content, filled in: ``{"subject": "…", "text": "…"}``. Missing values are left empty.

    *values* holds the attributes and, for an email, its ``unsubscribe_url``; a sample stands in for that otherwise.
    *now* (aware UTC) is what ``{{ "now" | date: "%d %b" }}`` tells.

    Raises TemplateError where a template goes over its limits, and where a link leads to where none may.
    """
    values = {**SAMPLE_TEXTS[content.kind], **values}
    filled = {
        part: render_line(source, values, now=now)
        if part in ONE_LINE
        else render(source, values, html=part == "html", now=now)
        for part, source in content.parts.items()
    }
    if content.push and (wrong := content.push.wrong_link(filled.get("link", ""))):
        raise TemplateError(wrong)
    if content.kind == "text":
        # One no-break space, as in 128,40 €, and a text may be billed as two.
        filled = {part: _NO_BREAK.sub(" ", text) for part, text in filled.items()}
    return filled


_NO_BREAK = re.compile("[\u00a0\u202f]")


@lru_cache(maxsize=128)
def check_content(content: Content) -> Findings:
    """What is wrong with a content, whoever sends it to whom. Paths are those in the content: ``email.text``."""
    found = Findings()
    known = [*under("customer", CUSTOMER), *SAMPLE_TEXTS[content.kind]]
    for part, source in content.parts.items():
        flaws, warnings = other_braces(source, known) if readable(source) else ([], [])
        flaws = [*check(source, SAMPLE_TEXTS[content.kind]), *flaws]
        found += Findings(tuple(flaws), tuple(warnings)).within(f"{content.kind}.{part}")
    return found + _way_out(content) + Findings(tuple(_links(content)))


def check_use(content: Content, known: Known) -> Findings:
    """What is wrong with a content that has no flaw by itself, where only what is *known* can be filled in."""
    known = Known(known.attributes, known.optional, SAMPLE_TEXTS[content.kind])
    found = Findings()
    for part, source in content.parts.items():
        flaws, _ = other_braces(source, [*known.attributes, *known.texts])
        failed, holes = try_out(source, known, html=part == "html")
        warnings = tuple(_hole(name) for name in holes)
        found += Findings((*flaws, *failed), warnings).within(f"{content.kind}.{part}")
    return found


def _hole(name: str) -> Flaw:
    return Flaw(
        path="",
        message=f"where {name} is missing, nothing stands in its place.",
        hint=f"Give it a default, as in {{{{ {name} | default: '…' }}}}, or ask for it: {{% if {name} %}}.",
    )


def _way_out(content: Content) -> Findings:
    """A commercial email has a way out that people see: mail programs show the header's button only to some."""
    if content.email is None or content.purpose != "commercial":
        return Findings()
    bodies = [part for part in BODIES if part in content.parts]
    without = [part for part in bodies if not uses(content.parts[part], UNSUBSCRIBE)]
    if not without or not all(readable(content.parts[part]) for part in bodies):
        return Findings()
    if without == bodies:
        path, message = bodies[0], "a commercial email needs a way out that people see, and has none."
    else:
        path, message = without[0], "has no way out, as the other body has: some mail programs show this one."
    hint = f"Write {{{{ {UNSUBSCRIBE} }}}} where the link belongs. What sells nothing is purpose: transactional."
    return warning(f"email.{path}", message, hint)


def _links(content: Content) -> Iterator[Flaw]:
    """A push's link is checked as far as it is written out; the rest is, once it is filled in."""
    if content.push and content.push.link:
        written, liquid, _ = content.push.link.partition("{")
        if wrong := content.push.wrong_link(written, whole=not liquid):
            yield Flaw(path="push.link", message=f"{wrong}.")
