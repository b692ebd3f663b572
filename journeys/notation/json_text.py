"""JSON text to plain data, within the bounds that hold for YAML, and what is wrong with it in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NoReturn

from journeys.notation.bounds import MOST_LEVELS, MOST_VALUES, number
from journeys.notation.unreadable import Unreadable, place_of, unreadable
from journeys.problems import Flaw


def read_json(text: str) -> object:
    """What the JSON *text* holds. Raises Unreadable."""
    try:
        data = json.loads(
            text, object_pairs_hook=_object, parse_int=_number, parse_float=_number, parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        raise _explained(text, error) from None
    except RecursionError:
        raise _too_deep() from None
    _check(data)
    return data


def _number(text: str) -> int | float:
    try:
        return number(text)
    except ValueError as error:
        raise _whole(str(error), "Put it in quotes if it is a text.") from None


def _no_number(text: str) -> NoReturn:
    raise _whole(f"{text} is not a number that can be kept.", "Write null where there is none.")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise _whole(f'"{_escaped(name)}" is given twice.', "Keep one of them.")
        found[name] = value
    return found


def _check(data: object) -> None:
    """Raises Unreadable where it is deeper or longer than is read."""
    level, values = [data], 0
    for _ in range(MOST_LEVELS + 1):
        values += len(level)
        if values > MOST_VALUES:
            raise _whole(f"at most {MOST_VALUES} values are read.", "Make it smaller.")
        level = list(_below(level))
        if not level:
            return
    raise _too_deep()


def _below(level: list[object]) -> Iterator[object]:
    for value in level:
        if isinstance(value, dict):
            yield from value.values()
        elif isinstance(value, list):
            yield from value


def _escaped(text: str) -> str:
    return text[:60].encode("utf-8", "backslashreplace").decode()


def _whole(message: str, hint: str) -> Unreadable:
    return Unreadable(Flaw(path="", message=message, hint=hint))


def _too_deep() -> Unreadable:
    return _whole(f"it is nested too deeply: at most {MOST_LEVELS} levels are read.", "")


_WORDS = {
    "Expecting value": ("a value is missing here.", 'Write text in quotes: "…".'),
    "Expecting ',' delimiter": ("a comma, or the end of the list or object, is missing here.", ""),
    "Expecting ':' delimiter": ("a colon is missing between the field and its value.", ""),
    "Expecting property name": ("a field's name is missing here.", 'Write it in quotes: "name". No comma before }.'),
    "Illegal trailing comma": ("there is a comma too many.", "Remove it."),
    "Extra data": ("something follows the end.", "Remove it."),
    "Unterminated string": ('the " that opens here is not closed.', 'End the text with ".'),
    "Invalid control character": ("a line break or a tab cannot stand in a text.", r"Write \n or \t."),
    "Invalid \\": (r"\ begins a special character, and this is none.", r"Write \\ for it."),
}


def _otherwise(rest: str) -> tuple[str, str] | None:
    """What is said of something that other languages have, and JSON has not."""
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no remarks.", "Remove it, or write YAML, which has: # …"
    if word := re.match(r"(True|False|None)\b", rest):
        return f"{word[1]} is no value of JSON.", f"Write {'null' if word[1] == 'None' else word[1].lower()}."
    return None


def _explained(text: str, error: json.JSONDecodeError) -> Unreadable:
    found = (words for known, words in _WORDS.items() if error.msg.startswith(known))
    message, hint = _otherwise(text[error.pos :]) or next(found, ("this is not JSON.", ""))
    line, column = place_of(text, error.pos)
    return unreadable(text, line, column, message, hint)
