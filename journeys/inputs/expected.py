"""What was found, and what was expected in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from journeys.inputs.places import Place, fields, is_model

A_NAME = re.compile(r"[a-z][a-z0-9-]*")


def shown(value: object) -> str:
    """What was found: short enough to be read, whatever it is."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list() | tuple() | set() | frozenset():
            return "a list" if value else "a list with nothing in it"
        case int() if value.bit_length() > 1_000:
            return "a number that is too large"
        case _:
            return short(json.dumps(value, default=str, ensure_ascii=False))


def short(text: str) -> str:
    """*text*, or its beginning."""
    return text if len(text) <= 80 else f"{text[:77]}…"


def expected(error: ErrorDetails, place: Place) -> str:
    """What was expected at a *place*."""
    if place.words:
        return place.words
    if is_model(place.inside) and error["type"] in OBJECTS:
        return f"an object such as {_like(place.inside)}"
    told = _WORDS.get(error["type"], "something else")
    return told.format_map({name: _plain(value) for name, value in error.get("ctx", {}).items()})


def _plain(value: object) -> object:
    """``'never' or 'immediately'`` without the quotes, which are pydantic's."""
    return value.replace("'", "") if isinstance(value, str) else value


def _like(model: type[BaseModel]) -> str:
    """An example of an object: ``{trigger: …}``."""
    needed = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    named = needed or fields(model)[:1]
    return "{" + ", ".join(f"{name}: …" for name in named) + "}"


LISTS = frozenset(
    {"tuple_type", "list_type", "set_type", "frozen_set_type", "deque_type", "iterable_type", "iteration_error"}
)
OBJECTS = frozenset(
    {
        *("model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type", "named_tuple_type"),
        *("dict_type", "frozen_dict_type", "ordered_dict_type", "counter_type", "mapping_type", "arguments_type"),
    }
)

_TEXT = "text"
_NUMBER = "a number"
_WHOLE = "a whole number"
_TRUTH = "true or false"
_LIST = "a list"
_OBJECT = "an object"
_DATE = "a date such as 2026-11-24"
_CLOCK = "a time of day such as 09:00"
_TIME = "a time with its offset, such as 2026-11-24T09:00:00Z"
_LENGTH = "a duration such as 1 day"
_URL = "an address such as https://example.com"
_UUID = "a UUID such as 3f2b8c1e-9d4a-4f6b-8a57-1c2d3e4f5a6b"
_NOTHING = "nothing here"

_WORDS: Mapping[str, str] = {
    **dict.fromkeys(LISTS, _LIST),
    **dict.fromkeys(OBJECTS, _OBJECT),
    "no_such_attribute": "a field that is there",
    "json_invalid": "JSON",
    "json_type": "JSON as text",
    "needs_python_object": "something else",
    "recursion_loop": "something that does not hold itself",
    "recursion_depth_exceeded": "something that is nested less deeply",
    "frozen_field": "no change here",
    "frozen_instance": "no change here",
    "invalid_key": "a name that is text",
    "get_attribute_error": "a field that can be read",
    "default_factory_not_called": "what it follows from to be right",
    "none_required": _NOTHING,
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "finite_number": "a number that is not infinite",
    "too_short": "at least {min_length} in it",
    "too_long": "at most {max_length} in it",
    "string_type": _TEXT,
    "string_unicode": "text without halves of characters",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text of another form",
    "string_not_ascii": "text of plain letters, digits and signs",
    "enum": "{expected}",
    "literal_error": "{expected}",
    "set_item_not_hashable": "things that can be told apart",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "a smaller number",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bytes_type": _TEXT,
    "bytes_too_short": "at least {min_length} bytes",
    "bytes_too_long": "at most {max_length} bytes",
    "bytes_invalid_encoding": "bytes in another encoding",
    "assertion_error": "something else",
    "missing_sentinel_error": _NOTHING,
    "ellipsis_error": "something else",
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": "a date without a time of day",
    "date_past": "a date in the past",
    "date_future": "a date in the future",
    "time_type": _CLOCK,
    "time_parsing": _CLOCK,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "datetime_from_date_parsing": _TIME,
    "datetime_past": "a time in the past",
    "datetime_future": "a time in the future",
    "timezone_naive": "a time without an offset",
    "timezone_offset": "a time with another offset",
    "time_delta_type": _LENGTH,
    "time_delta_parsing": _LENGTH,
    "is_instance_of": "something else",
    "is_subclass_of": "something else",
    "callable_type": "something else",
    "union_tag_invalid": "{expected_tags}",
    "union_tag_not_found": "a field that tells what it is",
    "missing_argument": "one more value",
    "unexpected_keyword_argument": _NOTHING,
    "missing_keyword_only_argument": "one more value",
    "unexpected_positional_argument": _NOTHING,
    "missing_positional_only_argument": "one more value",
    "multiple_argument_values": "one value",
    "url_type": _URL,
    "url_parsing": _URL,
    "url_syntax_violation": _URL,
    "url_too_long": "an address of at most {max_length} characters",
    "url_scheme": "an address that begins with {expected_schemes}",
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "uuid_version": _UUID,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_digits": "a number of at most {max_digits} digits",
    "decimal_max_places": "a number of at most {decimal_places} digits after the point",
    "decimal_whole_digits": "a number of at most {whole_digits} digits before the point",
    "fraction_type": _NUMBER,
    "fraction_parsing": _NUMBER,
    "complex_type": _NUMBER,
    "complex_str_parsing": _NUMBER,
}
"""What was expected, by pydantic's name for what was found instead."""
