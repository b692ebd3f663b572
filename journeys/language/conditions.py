"""Conditions: CEL that asks something of an event, a customer or a run, and whether it holds, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from journeys.language.cel import Program, Refused, Untold, check
from journeys.language.cel_source import flaw_of_length
from journeys.language.cel_words import name_type
from journeys.language.scopes import Kind, Scope
from journeys.problems import Flaw

LONGEST_CLAUSE = 200
"""Characters of a condition that a diary keeps."""


class ConditionError(Refused):
    """A condition that cannot be used, with every flaw found in it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds, and why in words. *clause* says the same without any value, to be kept in a diary.

    *told*: False where it cannot be told, such as for a missing value.
    """

    holds: bool
    reason: str
    clause: str = ""
    told: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that compiled."""

    _program: Program

    @property
    def source(self) -> str:
        """As it was written."""
        return self._program.source

    @property
    def uses(self) -> tuple[str, ...]:
        """What it names of its scope, such as ``event.total`` or ``now``."""
        return self._program.uses

    @property
    def asks_of(self) -> tuple[str, ...]:
        """The steps whose outcomes it asks for: ``hello`` of ``sent["hello"] == "accepted"``."""
        return self._program.asks_of

    @property
    def warnings(self) -> tuple[Flaw, ...]:
        """What it may be published with, and its author should know."""
        return self._program.warnings

    @property
    def constant(self) -> bool | None:
        """What it always says, whatever the values are; None where that depends on them."""
        answer = self._program.constant
        return answer if isinstance(answer, bool) else None

    def holds(self, values: Mapping[str, object]) -> Verdict:
        """Ask it about values as ``scopes.values_of`` makes them, such as ``{"event.total": 40.0}``.

        What cannot be told, such as for a missing value, does not hold. Never raises.
        """
        match self._program.ask(values):
            case bool() as answer:
                said, given = "holds" if answer else "does not hold", self._given(values)
                return Verdict(answer, *_reason(self.source, said, given))
            case Untold(why=why, missing=missing):
                given = "" if missing else self._given(values)
                return Verdict(False, *_reason(self.source, f"cannot be told: {why}", given), told=False)
            case _:  # an attribute is not of its declared type
                said, given = "cannot be told: its values do not go together", self._given(values)
                return Verdict(False, *_reason(self.source, said, given), told=False)

    def _given(self, values: Mapping[str, object]) -> str:
        said = ", ".join(f"{name} is {_say(value)}" for name, value in self._program.named(values))
        return f" ({said})" if said else ""


def compile_condition(source: str, scope: Scope) -> Condition:
    """Check *source* against what it may name, as ``scopes.scope_of`` says it, such as ``{"event.total": "number"}``.

    Raises ConditionError with all flaws at once. Compiling the same again costs nothing.
    """
    if flaw := flaw_of_length(source, "condition"):
        raise ConditionError(source, [Flaw(path="", message=flaw)])
    compiled = _compile(source, frozenset(scope.items()))
    if isinstance(compiled, ConditionError):
        raise compiled
    return compiled


def ask(source: str, scope: Scope, values: Mapping[str, object]) -> Verdict:
    """Whether a condition holds that was published, perhaps by a release that checked less. Never raises."""
    compiled = _compile(source, frozenset(scope.items()))
    if isinstance(compiled, ConditionError):
        return Verdict(False, *_reason(source, f"cannot be told: {compiled.flaws[0]}"), told=False)
    return compiled.holds(values)


def _reason(source: str, said: str, given: str = "") -> tuple[str, str]:
    """Reason and clause: what is *said* of the source, with and without the values that were *given*."""
    words = " ".join(source.split())
    return f"{words} {said}{given}", f"{_short(words)} {said}"


@lru_cache(maxsize=1024)
def _compile(source: str, scope: frozenset[tuple[str, Kind]]) -> Condition | ConditionError:
    program = check(source, scope, "condition", _flaws_of_type)
    return ConditionError(source, program) if isinstance(program, list) else Condition(program)


def _flaws_of_type(gives: str) -> list[Flaw]:
    if gives == "BOOL":
        return []
    message = f"the condition gives {name_type(gives)}, it must give true or false."
    return [Flaw(path="", message=message, hint="Compare it with something, such as event.total > 50.")]


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_CLAUSE else f"{words[: LONGEST_CLAUSE - 1]}…"


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
