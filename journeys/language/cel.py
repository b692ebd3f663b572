"""What conditions and expressions are made of: CEL over typed names, checked when written, never raising when asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cel_expr_python import cel
from google.protobuf.timestamp_pb2 import Timestamp

from journeys.language.attributes import LONGEST_TEXT, is_too_long
from journeys.language.cel_calendar import flaws_of_zones, warnings_of_calendar
from journeys.language.cel_constants import flaws_of_constants
from journeys.language.cel_cost import flaws_of_cost
from journeys.language.cel_numbers import CALCULATING, COMPARING, DIVIDED_BY_CEL, DIVIDING
from journeys.language.cel_sent import asks_of, flaws_of_sent
from journeys.language.cel_source import What, read
from journeys.language.cel_tree import Node, TooDeep, calling, tree
from journeys.language.cel_words import flaws_of, too_deep, why_untold
from journeys.language.cel_zones import ZONED, ZONED_BY_CEL
from journeys.language.scopes import Kind, Scope
from journeys.problems import Flaw
from journeys.storable import unstorable


class Refused(ValueError):
    """A source that cannot be used, with every flaw found in it."""

    def __init__(self, source: str, flaws: list[Flaw]) -> None:
        self.source = source
        self.flaws = tuple(flaws)
        super().__init__("\n".join(str(flaw) for flaw in flaws))


@dataclass(frozen=True, slots=True)
class Untold:
    """Why there is no answer, in words and without any value. *missing*: it is for want of a value."""

    why: str
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A source that was checked.

    *gives* is CEL's name of the type of what it gives; *uses* are the names of its scope that it names, such as
    ``event.total``; *asks_of* the steps whose outcomes it asks for, as in ``sent["hello"]``; *warnings* what its author
    should know.
    """

    source: str
    gives: str
    uses: tuple[str, ...]
    asks_of: tuple[str, ...]
    warnings: tuple[Flaw, ...]
    _expression: cel.Expression = field(repr=False, compare=False)

    def ask(self, values: Mapping[str, object]) -> object:
        """What it gives for values as ``scopes.values_of`` makes them, or Untold. Never raises."""
        if long := self._too_long(values):
            return Untold(f"{long} has more than {LONGEST_TEXT} bytes", missing=True)
        return self._told(_evaluate(self._expression, self._bindings(values)))

    @property
    def constant(self) -> object:
        """What it gives whatever the values are; Untold where that depends on them."""
        return self._told(_evaluate(self._expression, {}))

    def named(self, values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        """Each name that it uses with its value, None where it is missing; of outcomes each that it asks for."""
        sent = _sent(values)
        for name in self.uses:
            if name == "sent":
                yield from ((f'sent["{step}"]', sent.get(step)) for step in self.asks_of)
            else:
                yield name, values.get(name)

    def _told(self, answer: object) -> object:
        if not isinstance(answer, _Failure):
            return answer
        if found := _MISSING.search(answer.words):
            return Untold(f"{found[1]} is missing", missing=True)
        if (found := _NOT_SENT.search(answer.words)) and found[1] in self.asks_of:
            return Untold(f'sent["{found[1]}"] is missing', missing=True)
        return Untold(why_untold(answer.words))

    def _bindings(self, values: Mapping[str, object]) -> dict[str, object]:
        present = {name: _bound(values[name]) for name in self.uses if values.get(name) is not None}
        asked = {"sent": dict(_sent(values))} if self.asks_of else {}
        return present | {f"has_{name}": name in present for name in self.uses if "." in name} | asked

    def _too_long(self, values: Mapping[str, object]) -> str | None:
        """An attribute that an earlier release took, and that is longer than the cost was worked out for."""
        return next(
            (name for name in self.uses if isinstance(found := values.get(name), str) and is_too_long(found)),
            None,
        )


def check(
    source: str, scope: frozenset[tuple[str, Kind]], what: What, flaws_of_type: Callable[[str], list[Flaw]]
) -> Program | list[Flaw]:
    """The program of *source* in that scope, or every flaw found in it, those of the type of what it gives included."""
    types = dict(scope)
    if bad := unstorable(source):
        return [Flaw(path="", message=bad)]
    readable, uses = read(source, types)
    checking, evaluating = _environments(scope)
    try:
        checked = checking.compile(readable)
        root = tree(checked)
        gives = checked.return_type().name()
        if flaws := [*flaws_of_type(gives), *_flaws(root, types, what)]:
            return flaws
        return Program(
            source=source,
            gives=gives,
            uses=uses,
            asks_of=asks_of(root) if "sent" in types else (),
            warnings=tuple(warnings_of_calendar(root)),
            _expression=evaluating.deserialize(calling(checked, _INSTEAD)),
        )
    except RuntimeError as error:
        return flaws_of(str(error), source, types, what)
    except TooDeep:
        return [too_deep(what)]


def _flaws(root: Node, scope: Scope, what: What) -> list[Flaw]:
    outcomes = flaws_of_sent(root) if "sent" in scope else []
    return [*flaws_of_constants(root, scope), *flaws_of_zones(root), *outcomes, *flaws_of_cost(root, scope, what)]


_TYPES: Mapping[str, cel.Type] = {
    "text": cel.Type.STRING,
    "number": cel.Type.DOUBLE,
    "boolean": cel.Type.BOOL,
    "time": cel.Type.TIMESTAMP,
    "date": cel.Type.STRING,  # of one form, "2026-03-01", so that texts are in the order of days
    "outcomes": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
}


@lru_cache(maxsize=256)
def _environments(scope: frozenset[tuple[str, Kind]]) -> tuple[cel.Env, cel.Env]:
    # The runtime can already compare a double with an int, only the checker does not know it.
    # Declared where it is evaluated, the same comparison would be registered twice and fail.
    variables = {name: _TYPES[kind] for name, kind in scope}
    variables |= {f"has_{name}": cel.Type.BOOL for name, _ in scope if "." in name}
    checking = cel.NewEnv(variables=variables, extensions=[cel.CelExtension("numbers", [*COMPARING, *CALCULATING])])
    evaluating = cel.NewEnv(
        variables=variables, extensions=[cel.CelExtension("ours", [*CALCULATING, DIVIDING, *ZONED])]
    )
    return checking, evaluating


_INSTEAD = {**DIVIDED_BY_CEL, **ZONED_BY_CEL}
_MISSING = re.compile(r'No value with name "([^"]+)" found')
_NOT_SENT = re.compile(r'Key not found in map : "([^"]+)"')


@dataclass(frozen=True, slots=True)
class _Failure:
    """CEL's own words for why there is no answer."""

    words: str


def _evaluate(expression: cel.Expression, bindings: Mapping[str, object]) -> object:
    try:
        answer = expression.eval(data=bindings)
        value = answer.value()
    except Exception as error:  # noqa: BLE001 - half a surrogate pair, for one, fails only in the binding
        return _Failure(str(error))
    return _Failure(str(value)) if answer.type() in (cel.Type.ERROR, cel.Type.UNKNOWN) else value


def _sent(values: Mapping[str, object]) -> Mapping[str, object]:
    found = values.get("sent")
    return found if isinstance(found, Mapping) else {}


def _bound(value: object) -> object:
    # A deserialized expression has lost its variables' types: it takes a Timestamp but no datetime.
    if not isinstance(value, datetime):
        return value
    timestamp = Timestamp()
    timestamp.FromDatetime(value)
    return timestamp
