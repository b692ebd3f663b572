"""What is wrong with a template, found before anybody gets it: by reading it, and by filling it in with samples."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache

from liquid import BoundTemplate
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.arguments import KeywordArgument, PositionalArgument
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.path import Path
from liquid.builtin.expressions.primitive import Literal

from journeys.language.attributes import AttributeType
from journeys.language.liquid_bounds import expressions, filters
from journeys.language.liquid_numbers import NUMERIC, wrong_literal
from journeys.language.placeholders import Placeholder, placeholders
from journeys.language.templates import (
    ROOTS,
    TemplateError,
    Values,
    fill_in,
    line_of,
    names_one,
    parse,
    variables,
)
from journeys.problems import Flaw

SAMPLES: Mapping[AttributeType, object] = {
    "text": "12",  # what expects a number in a text is content too
    "number": 12,
    "boolean": True,
    "time": "2026-11-24T09:00:00+00:00",
    "date": "2026-03-01",
}
SAMPLE_TIME = datetime(2026, 11, 24, 9, tzinfo=UTC)
MOST_MISSING = 20
"""How many attributes are tried without, each by itself."""


@dataclass(frozen=True)
class Known:
    """What a template may name: attributes with their types, and texts such as ``unsubscribe_url``.

    *optional* are those of the attributes that may be missing.
    """

    attributes: Mapping[str, AttributeType]
    optional: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)


def check(source: str, texts: Iterable[str] = ()) -> list[Flaw]:
    """What is wrong with a template, whoever it is filled in for. *texts*: names besides event.… and customer.…

    The first syntax error, or else all unknown filters, arguments and names, in the order in which they are written.
    """
    try:
        template = parse(source)
    except TemplateError as error:
        return [error.flaw]
    found = sorted(
        [*_wrong_filters(template, source), *_unknown_names(template, source, frozenset(texts))],
        key=lambda error: error.line or 0,
    )
    return [error.flaw for error in found] or list(_never_fills(source))


def other_braces(source: str, known: Iterable[str]) -> tuple[list[Flaw], list[Flaw]]:
    """Placeholders of other products, which are sent as they are: flaws where the name is *known*, else warnings."""
    flaws: dict[Placeholder, Flaw] = {}
    warnings: dict[Placeholder, Flaw] = {}
    names = {_folded(name): name for name in sorted(known, reverse=True)}
    for found in placeholders(source):
        line = f"line {found.line}: "
        meant = (names.get(_folded(f"{root}{found.name}")) for root in ("", "customer.", "event."))
        if name := next(filter(None, meant), None) or _rooted(found.name):
            message = f"{line}{found.text} is not filled in, but sent as it is."
            flaws.setdefault(found, Flaw(path="", message=message, hint=f"Write {{{{ {name} }}}}."))
        elif found.sure:
            message = f"{line}{found.text} looks like a placeholder, and is sent as it is."
            hint = "An attribute is written {{ customer.first_name }}."
            warnings.setdefault(found, Flaw(path="", message=message, hint=hint))
    return list(flaws.values()), list(warnings.values())


def try_out(source: str, known: Known, *, html: bool = False) -> tuple[list[Flaw], list[str]]:
    """Fill in a template that has no flaws by itself with samples of all that it names.

    Returns what fails, and the attributes that leave a hole where they are missing.
    """
    used = {_attribute(variable.segments) for variable in variables(parse(source))}
    attributes = frozenset((name, kind) for name, kind in known.attributes.items() if name in used)
    flaws, holes = _tried(source, attributes, known.optional & used, frozenset(known.texts.items()), html=html)
    return list(flaws), list(holes)


@lru_cache(maxsize=512)
def _tried(
    source: str,
    attributes: frozenset[tuple[str, AttributeType]],
    optional: frozenset[str],
    texts: frozenset[tuple[str, str]],
    *,
    html: bool,
) -> tuple[tuple[Flaw, ...], tuple[str, ...]]:
    """Kept, for it may take long, and publishing asks again under a lock that others need."""
    known = Known(dict(attributes), optional, dict(texts))
    if wrong := tuple(_of_wrong_type(parse(source), source, known)):
        return wrong, ()
    if failed := _attempt(source, _sample(known), html=html)[0]:
        return (failed,), ()
    holes: set[str] = set()
    for missing in (optional, *({name} for name in sorted(optional)[:MOST_MISSING])):
        failed, found = _attempt(source, _sample(known, missing), html=html)
        if failed:
            without = ", ".join(sorted(missing))
            return (failed.model_copy(update={"message": f"without {without}, {failed.message}", "hint": GUARD}),), ()
        holes |= found & missing
    return (), tuple(sorted(holes))


def _rooted(name: str) -> str:
    """The name itself where it is an attribute's as it stands, such as ``event.total``, whoever declares it."""
    return name if name.partition(".")[0] in ROOTS and "." in name else ""


GUARD = "Give it a default, as in {{ customer.first_name | default: 'you' }}, or ask for it with {% if %}."


# --- filters ---------------------------------------------------------------------------------------


def _wrong_filters(template: BoundTemplate, source: str) -> Iterator[TemplateError]:
    known = template.env.filters
    for found in _filters(template):
        line = line_of(source, found.token.start_index)
        if found.name not in known:
            yield TemplateError(f'there is no filter "{found.name}"', line, _near(found.name, known))
        elif wrong := _wrong_arguments(found, inspect.signature(known[found.name])):
            message, hint = wrong
            yield TemplateError(message, line, hint)


def _filters(template: BoundTemplate) -> Iterator[Filter]:
    for expression in expressions(template):
        yield from filters(expression)


def _near(name: str, known: Iterable[str]) -> str:
    if name == "safe":
        return "Values in HTML are always escaped."
    near = get_close_matches(name, known, n=1)
    return f'Did you mean "{near[0]}"?' if near else ""


def _wrong_arguments(found: Filter, signature: inspect.Signature) -> tuple[str, str] | None:
    """What is wrong with the arguments of one filter, and what to do about it."""
    _, *takes = [each for each in signature.parameters.values() if each.name not in ("context", "environment")]
    positional = [each for each in takes if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    least = sum(each.default is inspect.Parameter.empty for each in positional) or int(found.name == "default")
    given = [each for each in found.args if isinstance(each, PositionalArgument)]
    named = {each.name for each in found.args if isinstance(each, KeywordArgument)}
    if unknown := sorted(named - {each.name for each in takes}):
        return f'the filter "{found.name}" takes nothing called "{unknown[0]}"', ""
    if not least <= len(given) + len(named & {each.name for each in positional}) <= len(positional):
        message = f'the filter "{found.name}" takes {_count(least, len(positional))}, found {len(given)}'
        example = ", ".join(['"…"'] * least)
        return message, _HINTS.get(found.name, f"Write it like {found.name}: {example}." if example else "")
    if given and isinstance(given[0].value, Literal) and (wrong := wrong_literal(found.name, given[0].value.value)):
        return wrong, ""
    return None


_HINTS = {
    "date": 'Write it like date: "%d %B %Y". Times are written in UTC.',
    "money": 'Write it like money: "EUR".',
}


def _count(least: int, most: int) -> str:
    if least == most:
        return "no argument" if most == 0 else f"{most} argument{'s' * (most > 1)}"
    return f"{least} to {most} arguments" if least else f"at most {most} argument{'s' * (most > 1)}"


def _of_wrong_type(template: BoundTemplate, source: str, known: Known) -> Iterator[Flaw]:
    """Calculations with what is no number: they would go on with 0, and nobody would notice."""
    for expression in expressions(template):
        if not (isinstance(expression, FilteredExpression) and isinstance(expression.left, Path)):
            continue
        name = _attribute(expression.left.path)
        kind = known.attributes.get(name)
        for first in filters(expression)[:1]:
            if first.name in NUMERIC and kind in ("boolean", "time", "date"):
                line = line_of(source, first.token.start_index)
                message = f'the filter "{first.name}" takes a number, and {name} is a {kind}'
                yield TemplateError(message, line).flaw


# --- names -----------------------------------------------------------------------------------------


def _unknown_names(template: BoundTemplate, source: str, texts: frozenset[str]) -> Iterator[TemplateError]:
    for variable in variables(template):
        root, *rest = variable.segments
        line = line_of(source, variable.span.index)
        if root in texts and not rest:
            continue
        if root not in ROOTS:
            message = f'"{variable}" does not start with event. or customer., which is all a template sees'
            yield TemplateError(message, line, _where(str(root), str(variable), texts))
        elif not names_one(rest):
            yield TemplateError(f"{variable} does not name one attribute", line, f"Write it like {root}.name.")


def _where(root: str, variable: str, texts: frozenset[str]) -> str:
    if root in ("now", "today"):
        return 'For the time, write {{ "now" | date: "%Y" }}.'
    if near := get_close_matches(root, [*ROOTS, *texts], n=1):
        return f'Did you mean "{near[0]}{variable.removeprefix(root)}"?'
    return f"Write event.{root} or customer.{root}." if variable == root else ""


def _attribute(segments: object) -> str:
    """``event.total`` of a path that begins so; else nothing."""
    match segments:
        case [str(root), str(name), *_] if root in ROOTS:
            return f"{root}.{name}"
        case _:
            return ""


def _folded(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum() or char == ".")


# --- trying ----------------------------------------------------------------------------------------


def _never_fills(source: str) -> Iterator[Flaw]:
    """What fails without any attribute, and with attributes of each type too."""
    flaw, _ = _attempt(source, {})
    if flaw is None:
        return
    used = [name for variable in variables(parse(source)) if (name := _attribute(variable.segments))]
    for kind in SAMPLES:
        if _attempt(source, _sample(Known(dict.fromkeys(used, kind))))[0] is None:
            return
    yield flaw


def _sample(known: Known, without: Iterable[str] = ()) -> Values:
    values: dict[str, dict[str, object]] = {root: {} for root in ROOTS}
    for reference, kind in known.attributes.items():
        if reference not in without:
            root, _, name = reference.partition(".")
            values[root][name] = SAMPLES[kind]
    return {**values, **known.texts}


def _attempt(source: str, values: Values, *, html: bool = False) -> tuple[Flaw | None, frozenset[str]]:
    try:
        return None, fill_in(source, values, html=html, now=SAMPLE_TIME)[1]
    except TemplateError as error:
        return error.flaw, frozenset()
