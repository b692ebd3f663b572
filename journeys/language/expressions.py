"""Expressions: CEL that gives a value for an attribute, such as ``customer.count + 1``, ``now`` or ``"warm"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from journeys.language.attributes import AttributeType, check_attributes
from journeys.language.cel import Program, Refused, Untold, check
from journeys.language.cel_source import Plain, flaw_of_length
from journeys.language.expression_words import (
    EXPECTED,
    KINDS,
    a_text,
    flaw_of_bare_text,
    flaw_of_bare_time,
    flaws_of_type,
)
from journeys.language.scopes import Kind, Scope
from journeys.problems import Flaw
from journeys.storable import unstorable_number


class ExpressionError(Refused):
    """An expression that cannot be used, with every flaw found in it."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What an expression gives, as an attribute keeps it: a time is text in UTC, such as ``2026-11-24T09:00:00Z``.

    Without a *value*, *why* says what is missing or went wrong, in words and without any value.
    """

    value: Plain | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that compiled, of the type that it *gives*."""

    source: str
    gives: AttributeType
    uses: tuple[str, ...] = ()
    asks_of: tuple[str, ...] = ()
    warnings: tuple[Flaw, ...] = ()
    _worth: Program | Worth = Worth(None)

    @property
    def constant(self) -> Plain | None:
        """What it gives whatever the values are; None where that depends on them."""
        return self._worth.value if isinstance(self._worth, Worth) else None

    def value(self, values: Mapping[str, object]) -> Worth:
        """What it gives for values as ``scopes.values_of`` makes them. Never raises."""
        if isinstance(self._worth, Worth):
            return self._worth
        return _kept(self._worth.ask(values), self.gives)


def compile_expression(source: Plain, scope: Scope, expected: AttributeType | None = None) -> Expression:
    """Check *source* against what it may name, as ``scopes.scope_of`` says it, and against the type that is *expected*.

    A number, true or false, as YAML gives them, stands for itself. Raises ExpressionError with all flaws at once.
    Compiling the same again costs nothing.
    """
    if isinstance(source, str) and (flaw := flaw_of_length(source, "expression")):
        raise ExpressionError(source, [Flaw(path="", message=flaw)])
    compiled = _compile(source, frozenset(scope.items()), expected)
    if isinstance(compiled, ExpressionError):
        raise compiled
    return compiled


def work_out(source: Plain, scope: Scope, values: Mapping[str, object], expected: AttributeType | None = None) -> Worth:
    """What an expression gives that was published, perhaps by a release that checked less. Never raises."""
    compiled = _compile(source, frozenset(scope.items()), expected)
    if isinstance(compiled, ExpressionError):
        return Worth(None, f"it cannot be told: {compiled.flaws[0]}")
    return compiled.value(values)


# Typed, for to Python 1, 1.0 and True are the same key.
@lru_cache(maxsize=1024, typed=True)
def _compile(
    source: Plain, scope: frozenset[tuple[str, Kind]], expected: AttributeType | None
) -> Expression | ExpressionError:
    if not isinstance(source, str):
        return _itself(source, expected)
    if flaw := flaw_of_bare_time(source, expected):
        return ExpressionError(source, [flaw])
    program = check(source, scope, "expression", lambda gives: flaws_of_type(gives, expected, source))
    if isinstance(program, list):
        meant = flaw_of_bare_text(source, dict(scope), expected)
        return ExpressionError(source, [meant] if meant else program)
    gives: AttributeType = expected or KINDS[program.gives]
    answer = program.constant
    if not isinstance(answer, Untold):
        return _always(source, answer, gives, program)
    if not program.uses:
        return ExpressionError(source, [Flaw(path="", message=f"it cannot be told: {answer.why}.")])
    return Expression(source, gives, program.uses, program.asks_of, program.warnings, program)


def _itself(source: Plain, expected: AttributeType | None) -> Expression | ExpressionError:
    """A number, true or false, as YAML gave it."""
    own: AttributeType = "boolean" if isinstance(source, bool) else "number"
    written = str(source).lower()
    if expected is None or expected == own:
        return _always(written, source, own)
    message = f"{written} ({own}) was found, {EXPECTED[expected]} is expected."
    hint = a_text(written) if expected == "text" else ""
    return ExpressionError(written, [Flaw(path="", message=message, hint=hint)])


def _always(
    source: str, answer: object, gives: AttributeType, program: Program | None = None
) -> Expression | ExpressionError:
    """What gives the same whatever the values are, so that it can be seen now whether an attribute may keep it."""
    value = _written(answer)
    if flaws := check_attributes({"it": gives}, {"it": value}):
        return ExpressionError(source, [flaw.model_copy(update={"path": ""}) for flaw in flaws])
    worth = _kept(answer, gives)
    if program is None:
        return Expression(source, gives, _worth=worth)
    return Expression(source, gives, program.uses, program.asks_of, program.warnings, worth)


def _kept(answer: object, gives: AttributeType) -> Worth:
    if isinstance(answer, Untold):
        return Worth(None, answer.why)
    value = _written(answer)
    if value is None or check_attributes({"it": gives}, {"it": value}):
        return Worth(None, f"what it gives cannot be kept as {EXPECTED[gives]}")
    return Worth(value)


def _written(answer: object) -> Plain | None:
    match answer:
        case datetime():
            return answer.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case float() if answer.is_integer() and not unstorable_number(int(answer)):
            return int(answer)  # CEL calculates attributes as decimal numbers: 2 + 1 is 3, not 3.0
        case bool() | int() | float() | str():
            return answer
        case _:
            return None
