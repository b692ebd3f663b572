"""Conditions: CEL over typed attributes, checked when published, never raising when asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from cel_expr_python import cel
from google.protobuf.timestamp_pb2 import Timestamp

from journeys.language.attributes import LONGEST_TEXT, AttributeType, is_too_long
from journeys.language.cel_constants import flaws_of_constants
from journeys.language.cel_cost import flaws_of_cost
from journeys.language.cel_numbers import CALCULATING, COMPARING
from journeys.language.cel_source import flaw_of_length, read
from journeys.language.cel_tree import TooDeep, tree
from journeys.language.cel_words import TOO_DEEP, flaws_of, name_type, why_untold
from journeys.problems import Flaw
from journeys.storable import unstorable


class ConditionError(ValueError):
    """A condition that cannot be used, with every flaw found in it."""

    def __init__(self, source: str, flaws: list[Flaw]) -> None:
        self.source = source
        self.flaws = tuple(flaws)
        super().__init__("\n".join(str(flaw) for flaw in flaws))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds, and why in words."""

    holds: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that compiled; *uses* are the attributes it names, such as ``event.total``."""

    source: str
    uses: tuple[str, ...]
    _expression: cel.Expression = field(repr=False, compare=False)

    def holds(self, values: Mapping[str, object]) -> Verdict:
        """Ask it about ``{"event.total": 40.0, …}``, values as ``attributes.typed`` gives them.

        What cannot be told, such as for a missing value, does not hold. Never raises.
        """
        asked = " ".join(self.source.split())
        if long := self._too_long(values):
            return Verdict(False, f"{asked} cannot be told: {long} has more than {LONGEST_TEXT} bytes")
        answer = _ask(self._expression, self._bindings(values))
        if isinstance(answer, bool):
            return Verdict(answer, f"{asked} {'holds' if answer else 'does not hold'}{self._given(values)}")
        if missing := _MISSING.search(answer):
            return Verdict(False, f"{asked} cannot be told: {missing[1]} is missing")
        return Verdict(False, f"{asked} cannot be told: {why_untold(answer)}{self._given(values)}")

    def _bindings(self, values: Mapping[str, object]) -> dict[str, object]:
        present = {name: _bound(values[name]) for name in self.uses if values.get(name) is not None}
        return present | {f"has_{name}": name in present for name in self.uses}

    def _too_long(self, values: Mapping[str, object]) -> str | None:
        """An attribute that an earlier release took, and that is longer than a condition's cost was worked out for."""
        return next(
            (name for name in self.uses if isinstance(found := values.get(name), str) and is_too_long(found)),
            None,
        )

    def _given(self, values: Mapping[str, object]) -> str:
        said = ", ".join(f"{name} is {_say(values.get(name))}" for name in self.uses)
        return f" ({said})" if said else ""


def compile_condition(source: str, scope: Mapping[str, AttributeType]) -> Condition:
    """Check *source* against the attributes in *scope*, such as ``{"event.total": "number"}``.

    Raises ConditionError with all flaws at once. Compiling the same again costs nothing.
    """
    if flaw := flaw_of_length(source):
        raise ConditionError(source, [Flaw(path="", message=flaw)])
    compiled = _compile(source, frozenset(scope.items()))
    if isinstance(compiled, ConditionError):
        raise compiled
    return compiled


def ask(source: str, scope: Mapping[str, AttributeType], values: Mapping[str, object]) -> Verdict:
    """Whether a condition holds that was published, perhaps by a release that checked less. Never raises."""
    compiled = _compile(source, frozenset(scope.items()))
    if isinstance(compiled, ConditionError):
        return Verdict(False, f"{' '.join(source.split())} cannot be told: {compiled.flaws[0]}")
    return compiled.holds(values)


@lru_cache(maxsize=1024)
def _compile(source: str, scope: frozenset[tuple[str, AttributeType]]) -> Condition | ConditionError:
    types = dict(scope)
    if bad := unstorable(source):
        return ConditionError(source, [Flaw(path="", message=bad)])
    readable, uses = read(source, types)
    checking, evaluating = _environments(scope)
    try:
        checked = checking.compile(readable)
        root = tree(checked)
        flaws = _flaws_of_result(checked) + flaws_of_constants(root) + flaws_of_cost(root, types)
        if flaws:
            return ConditionError(source, flaws)
        return Condition(source, uses, evaluating.deserialize(checked.serialize()))
    except RuntimeError as error:
        return ConditionError(source, flaws_of(str(error), source, types))
    except TooDeep:
        return ConditionError(source, [TOO_DEEP])


def _flaws_of_result(checked: cel.Expression) -> list[Flaw]:
    if (result := checked.return_type()) == cel.Type.BOOL:
        return []
    message = f"the condition gives {name_type(result.name())}, it must give true or false."
    return [Flaw(path="", message=message, hint="Compare it with something, such as event.total > 50.")]


_TYPES: Mapping[AttributeType, cel.Type] = {
    "text": cel.Type.STRING,
    "number": cel.Type.DOUBLE,
    "boolean": cel.Type.BOOL,
    "time": cel.Type.TIMESTAMP,
}


@lru_cache(maxsize=256)
def _environments(scope: frozenset[tuple[str, AttributeType]]) -> tuple[cel.Env, cel.Env]:
    # The runtime can already compare a double with an int, only the checker does not know it.
    # Declared where it is evaluated, the same comparison would be registered twice and fail.
    variables = {name: _TYPES[kind] for name, kind in scope} | {f"has_{name}": cel.Type.BOOL for name, _ in scope}
    checking = cel.NewEnv(variables=variables, extensions=[cel.CelExtension("numbers", [*COMPARING, *CALCULATING])])
    evaluating = cel.NewEnv(variables=variables, extensions=[cel.CelExtension("numbers", CALCULATING)])
    return checking, evaluating


_MISSING = re.compile(r'No value with name "([^"]+)" found')


def _ask(expression: cel.Expression, bindings: Mapping[str, object]) -> bool | str:
    """True or false, or the words of what went wrong."""
    try:
        answer = expression.eval(data=bindings)
    except Exception as error:  # noqa: BLE001 - half a surrogate pair, for one, fails only in the binding
        return str(error)
    if answer.type() == cel.Type.BOOL:
        return cast(bool, answer.value())
    return str(answer.value())


def _bound(value: object) -> object:
    # A deserialized expression has lost its variables' types: it takes a Timestamp but no datetime.
    if not isinstance(value, datetime):
        return value
    timestamp = Timestamp()
    timestamp.FromDatetime(value)
    return timestamp


def _say(value: object) -> str:
    match value:
        case None:
            return "missing"
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return f"{value:.0f}"
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:59]}…"'
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            return str(value)
