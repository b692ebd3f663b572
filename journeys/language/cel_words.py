"""What CEL says about a condition or an expression, in the words of people who write journeys."""

from __future__ import annotations

import re
from difflib import get_close_matches

from journeys.language.attributes import meant_by
from journeys.language.cel_source import What
from journeys.language.cel_syntax import Place, syntax_flaw
from journeys.language.scopes import ROOTS, Scope
from journeys.nearest import did_you_mean
from journeys.problems import Flaw


def flaws_of(error: str, source: str, scope: Scope, what: What) -> list[Flaw]:
    """Every error in CEL's message, which lists them as ``ERROR: <input>:line:column: what``."""
    if not source.strip():
        return [Flaw(path="", message=f"the {what} is empty.")]
    if _DEEP.search(error):
        return [too_deep(what)]
    errors = [
        (said, Place(source, int(line), int(column)))
        for line, column, said in _ERROR.findall(error)[:_MOST_FLAWS]
        if int(line) > 0
    ]
    if dashed := _dashed(source, scope):
        return [dashed]
    # Where CEL has lost its way, whatever it says afterwards comes from that.
    if lost := next(filter(None, (syntax_flaw(said, place, what) for said, place in errors)), None):
        return [lost]
    flaws = [_flaw(said, place, scope, what) for said, place in errors if "*error*" not in said]
    return flaws or [Flaw(path="", message=_unlisted(error, what))]


_WITH_DASHES = re.compile(r"\b(event|customer|before)\.(\w+(?:-\w+)+)")


def _dashed(source: str, scope: Scope) -> Flaw | None:
    """A name that is written with a dash, which to CEL is a minus between two names."""
    for found in _WITH_DASHES.finditer(source):
        meant = f"{found[1]}.{found[2].replace('-', '_')}"
        if meant in scope:
            return Flaw(path="", message=f'there is no "{found[0]}".', hint=f'Did you mean "{meant}"?')
    return None


def why_untold(error: str) -> str:
    """Why it could not be told about some values: CEL's own words for it as ours."""
    return next((words for part, words in _UNTOLD.items() if part in error), "its values do not go together")


_UNTOLD = {
    "by zero": "it divides by zero",
    "overflow": "a number or a time in it is too large",
    "out of": "a number or a time in it is too large",
    "onver": "a value in it cannot be turned into another type",
    "regular expression": "the pattern that it matches is none",
    "Index error": "it asks for a member that a list does not have",
    "Key not found": "it asks for a key that a map does not have",
    "overload": "it compares or joins what is of different types",
    "SELECT": "it names a part of something that has none",
    "timezone": "there is no such time zone",
}


def name_type(cel_type: str) -> str:
    """``double`` is a number, ``list(string)`` a list."""
    return _TYPES.get(re.split("[(<]", cel_type.lower())[0], cel_type)


_TYPES = {
    "double": "a number",
    "int": "a number",
    "uint": "an unsigned number",
    "string": "text",
    "bool": "a boolean",
    "google.protobuf.timestamp": "a time",
    "timestamp": "a time",
    "google.protobuf.duration": "a duration",
    "duration": "a duration",
    "bytes": "bytes",
    "type": "a type",
    "null_type": "null",
    "null": "null",
    "list": "a list",
    "map": "a map",
    "dyn": "something of no known type",
}

_MOST_FLAWS = 10
_DEEP = re.compile(r"max recursion depth of|Expression recursion limit|Cannot parse serialized CEL expression")
_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE)
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\((.*)\)'")
_PARTS = re.compile(r"expression of type '([^']+)' cannot be the operand of a select operation")
_RANGE = re.compile(r"expression of type '([^']+)' cannot be the range of a comprehension")


def _flaw(error: str, place: Place, scope: Scope, what: What) -> Flaw:
    if found := _UNDECLARED.match(error):
        return _undeclared(found[1].removeprefix("has_"), place, scope, what)
    if found := _OVERLOAD.match(error):
        return _mismatch(found[1], _split(found[2]), place, scope)
    if found := _PARTS.match(error):
        kind = name_type(found[1])
        return Flaw(path="", message=f"{kind} has no parts to name ({place.words}).", hint=_part(kind, place))
    if found := _RANGE.match(error):
        return Flaw(path="", message=f"{name_type(found[1])} has no members to go through ({place.words}).")
    return Flaw(path="", message=f"this is not understood ({place.words}).")


def _part(kind: str, place: Place) -> str:
    """What to write for a part of something that has none."""
    if re.match(r"\.(length|len|size)\b", place.after):
        return f"Write size({_last(place)}) for its length."
    return f"Write {_last(place)}.getHours('Europe/Oslo') for the hour there." if kind == "a time" else ""


def too_deep(what: What) -> Flaw:
    """The flaw of a source that has more levels than CEL reads."""
    return Flaw(
        path="",
        message=f"the {what} is nested too deeply: it has more than 32 levels.",
        hint="Leave out brackets, or compare with a list: event.size in ['s', 'm'].",
    )


def _unlisted(error: str, what: What) -> str:
    return f"the {what} is {'nested too deeply' if 'recursion' in error else 'too long or cannot be read'}."


def _last(place: Place) -> str:
    return re.split(r"[\s(!&|]", place.before)[-1]


_FUNCTIONS = """
    all bool contains double duration endsWith exists exists_one filter getDate getDayOfMonth getDayOfWeek
    getDayOfYear getFullYear getHours getMinutes getMonth getSeconds has int map matches size startsWith string
    timestamp
""".split()  # noqa: SIM905 - as a list it takes a line for each


_METHODS = frozenset({"contains", "endsWith", "matches", "startsWith"})
_FUNCTIONS_ELSEWHERE = {
    **dict.fromkeys(("len", "length", "count"), "size"),
    **dict.fromkeys(("date", "datetime", "todate"), "timestamp"),
    **dict.fromkeys(("exists", "isset", "defined"), "has"),
    **dict.fromkeys(("includes", "indexof"), "contains"),
    **dict.fromkeys(("weekday", "dayofweek"), "getDayOfWeek"),
    **dict.fromkeys(("str", "tostring"), "string"),
    **dict.fromkeys(("number", "float", "tonumber"), "double"),
    "hour": "getHours",
    "month": "getMonth",
    "year": "getFullYear",
}
_OF_CASE = re.compile(r"(?:to)?_?(?:lower|upper)(?:_?case|ascii)?")
_CASES = "Nothing changes the case of a text: name each, as in customer.country in ['NO', 'no']."


def _undeclared(name: str, place: Place, scope: Scope, what: What) -> Flaw:
    word = name.lower()
    if word in _NOW:
        return Flaw(path="", message=f'there is no "{name}".', hint=_now(scope))
    if name in ROOTS and (inside := _IN_BRACKETS.match(place.after.removeprefix(name))):
        return Flaw(path="", message=f"{name}{inside[0]} is not understood.", hint=f"Write {name}.{inside[1]}.")
    if not place.after.startswith("("):
        return Flaw(path="", message=f'there is no "{name}".', hint=_LITERALS.get(word) or _nearest(name, scope, what))
    if name in _METHODS:
        message = f"{name} is written after what it is asked of."
        return Flaw(path="", message=message, hint=f"Write it as event.name.{name}('…').")
    near = get_close_matches(_FUNCTIONS_ELSEWHERE.get(word, name), _FUNCTIONS, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else _CASES if _OF_CASE.fullmatch(word) else ""
    if name == "sent" and "sent" in scope:
        hint = 'Write it with brackets: sent["hello"].'
    return Flaw(path="", message=f'there is no function "{name}".', hint=hint)


_IN_BRACKETS = re.compile(r"""\[['"]?(\w+)['"]?\]""")
_NOTHING = "Ask has(event.name) whether an attribute is there."
_LITERALS = {
    "true": "Write true in small letters.",
    "false": "Write false in small letters.",
    **dict.fromkeys(("none", "nil", "null", "undefined"), _NOTHING),
}
_NOW = frozenset({"now", "today", "current_time", "current_timestamp", "datetime.now", "date.now"})


def _now(scope: Scope) -> str:
    if "now" in scope:
        return "The present time is now, without brackets."
    return (
        "Time alone makes nothing happen here, so the present time is not known. "
        "Let a step wait for it: wait: {until: event.trial_ends_at, before: 3 days}."
    )


def _nearest(name: str, scope: Scope, what: What) -> str:
    """The name that was meant, or what there is."""
    root, _, rest = name.partition(".")
    if root == "sent":
        return _sent(rest, scope)
    if any(known.startswith(f"{root}.") for known in scope):
        return meant_by(name, scope)
    if root == "before":
        return "What a customer was before is known of the trigger customer-changed alone."
    if root in ROOTS:
        known = "an event" if root == "event" else "a customer"
        return f"No attributes of {known} are known here. {did_you_mean('', scope)}"
    alike = get_close_matches(name, scope, n=1)
    if what == "expression" and not rest:
        text = TEXTS.format("text", name)
        return f"{did_you_mean(name, scope)} {text}" if alike else text
    return did_you_mean(name, scope) + ("" if rest or alike else " Texts go in quotes.")


TEXTS = """A {} is written '"{}"', with quotes of its own within those of YAML."""


def _sent(step: str, scope: Scope) -> str:
    if "sent" in scope:
        return f'Write sent["{step or "hello"}"].'
    return "What became of messages is known in a branch alone."


_COMPARISONS = {"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"}
_CALCULATIONS = {
    "_+_": "added to",
    "_-_": "subtracted from",
    "_*_": "multiplied by",
    "_/_": "divided by",
    "_%_": "divided by",
}
_LOGIC = {"_&&_", "_||_", "!_"}


def _mismatch(operation: str, kinds: list[str], place: Place, scope: Scope) -> Flaw:
    symbol = operation.strip("_@").replace("[_]", "[ ]")
    names = [name_type(kind) for kind in kinds]
    if operation in _LOGIC:
        other = next((name for name in names if name != "a boolean"), names[0])
        return Flaw(path="", message=f"{symbol} needs true or false, {other} was found ({place.words}).")
    if operation in _COMPARISONS or operation in _CALCULATIONS or operation == "@in":
        message = f"{_shown(symbol, names, place, scope)}: {_cannot(operation, names)}."
        literal = _as_other(symbol, names, place) if operation in _COMPARISONS else ""
        return Flaw(path="", message=message, hint=_hint(operation, names) or literal)
    if operation == "_?_:_":
        message = f"after ? are {names[1]} and {names[2]}, they must be of one type ({place.words})."
        return Flaw(
            path="",
            message=message,
            hint="Write whole numbers with .0 here: 1.0 for 1." if names[1] == names[2] else "",
        )
    return Flaw(path="", message=f"{symbol} cannot be used on {' and '.join(names)} ({place.words}).")


def _cannot(operation: str, names: list[str]) -> str:
    if operation == "@in":
        return f"{names[0]} is not in a list of other things" if names[1] == "a list" else f"{names[1]} is not a list"
    if operation in _COMPARISONS:
        return f"{names[0]} cannot be compared with {names[1]}"
    first, second = reversed(names) if operation == "_-_" else names
    return f"{first} cannot be {_CALCULATIONS[operation]} {second}"


def _hint(operation: str, names: list[str]) -> str:
    if operation not in _COMPARISONS:
        return ""
    if "null" in names:
        return _NOTHING
    if "a boolean" in names and "a number" in names:
        return "Join two comparisons with &&."
    return "Write a time as timestamp('2026-11-24T09:00:00Z')." if "a time" in names else ""


def _as_other(symbol: str, names: list[str], place: Place) -> str:
    """How a number or a text is written that is compared with the other."""
    if re.search(r"\bsent\[[^]]*\]\s*$", place.before):
        return "An outcome is a word: accepted, blocked, failed or unknown."
    left, right = _LEFT.search(place.before), _RIGHT.match(place.after.removeprefix(symbol))
    for found in (left, right):
        literal = found[1] if found and {*names} == {"text", "a number"} else ""
        if re.fullmatch(r"[0-9.]+", literal):
            return f'Write "{literal}" for a text.'
        if re.fullmatch(r"""(["'])[0-9.]+\1""", literal):
            return f"Write {literal[1:-1]} for a number."
    return ""


_OPERAND = r"""([\w.]+|"[^"]*"|'[^']*')"""
_LEFT = re.compile(rf"(?:^|[\s(!&|]){_OPERAND}\s*$")
_RIGHT = re.compile(rf"\s*{_OPERAND}\s*(?:$|[)&|])")


def _shown(symbol: str, names: list[str], place: Place, scope: Scope) -> str:
    """``event.total (number) > "a" (text)`` where both operands are plain, else the place."""
    left = _LEFT.search(place.before)
    right = _RIGHT.match(place.after.removeprefix(symbol))
    if not left or not right:
        return f"{symbol} at {place.words}"
    kinds = [name.removeprefix("a ") for name in names]
    sides = list(zip((left[1], right[1]), kinds, strict=True))
    # In "50 < event.total < 60" the left side of the second "<" is not event.total but a boolean.
    if any(scope.get(operand, kind) != kind for operand, kind in sides):
        return f"{symbol} at {place.words}"
    return f" {symbol} ".join(operand if operand == kind else f"{operand} ({kind})" for operand, kind in sides)


def _split(kinds: str) -> list[str]:
    """``double, list(string)`` apart at its outer commas."""
    return re.findall(r"[^,()\s]+(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?", kinds)
