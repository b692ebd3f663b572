"""Constants in a source that cannot work, which CEL would only try, and fail on, when asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from cel_expr_python import cel

from journeys.language.attributes import wrong_date
from journeys.language.cel_tree import Call, Constant, Items, Name, Node, calls
from journeys.problems import Flaw

_WORDS = {
    "timestamp": ("is not a time.", "Write it like timestamp('2026-11-24T09:00:00Z')."),
    "duration": ("is not a duration to CEL.", "Write hours, minutes or seconds, such as duration('36h')."),
    "matches": ("is not a regular expression.", "See the syntax of RE2."),
}


def flaws_of_constants(root: Node, scope: Mapping[str, str]) -> list[Flaw]:
    """A flaw for each constant such as ``timestamp('tomorrow')``, or that is no date and compared with one."""
    found = [flaw for call in calls(root) for flaw in (_flaw(call), *_no_dates(call, scope))]
    return list(dict.fromkeys(flaw for flaw in found if flaw))


_COMPARING = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"})


def _no_dates(call: Call, scope: Mapping[str, str]) -> Iterator[Flaw]:
    """Dates are compared as texts of one form, so what is written otherwise would be compared wrongly."""
    named = next((side.name for side in call.arguments if isinstance(side, Name)), "")
    if call.function not in _COMPARING or scope.get(named) != "date":
        return
    for side in call.arguments:
        for constant in side.items if isinstance(side, Items) else (side,):
            if isinstance(constant, Constant) and constant.text is not None and (wrong := wrong_date(constant.text)):
                yield Flaw(path="", message=f"{named} is a date: {wrong}", hint='Write it like "2026-03-01".')


def _flaw(call: Call) -> Flaw | None:
    match call.function, call.arguments:
        case (("timestamp" | "duration"), (Constant(text=str() as text),)):
            pass
        case "matches", (_, Constant(text=str() as text)):
            pass
        case _:
            return None
    if _trial(call.function).eval(data={"text": text}).type() != cel.Type.ERROR:
        return None
    message, hint = _WORDS[call.function]
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    return Flaw(path="", message=f"{call.function}('{shown}') {message}", hint=hint)


@lru_cache(maxsize=3)
def _trial(function: str) -> cel.Expression:
    tried = "''.matches(text)" if function == "matches" else f"{function}(text)"
    return cel.NewEnv(variables={"text": cel.Type.STRING}).compile(tried)
