"""What pydantic says about an input, in the words of people who write journeys. None of its own sentences is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from journeys.arm_words import belongs_into, is_no_arm, out_of_its_arm, stands_beside, unknown_share
from journeys.catalogue import Customer, Event
from journeys.definition import ConditionExit, EventExit
from journeys.language.moments import out_of_place
from journeys.problems import Flaw, did_you_mean, nearest
from journeys.steps import STEP_TYPES, BecomesQuestion, EventQuestion, MessageQuestion, Step
from journeys.steps.asking import Awaited, BecomesArm, EventArm, MessageArm
from journeys.unions import meant, members, tagged


def flaws_of(errors: Iterable[ErrorDetails], root: Any = None) -> list[Flaw]:  # noqa: ANN401 - an annotation
    """One flaw for each thing that is wrong with an input for *root*: a model, or what a field is annotated with."""
    found = [(error, _place(error["loc"], root)) for error in errors]
    # A union tells of each of its members why it is none of them: what is wrong deep in one was meant as that one.
    around = {place.path[:length] for _, place in found for length in range(len(place.path))}
    # A field under another name, or in another place, is one mistake: what is missing is what was meant.
    unknown = [place for error, place in found if error["type"] == "extra_forbidden"]
    meant = {way[:length] for place in unknown for way in [_belongs(place)] for length in (len(place.path), len(way))}
    no_arms = {place.path[:-1] for place in unknown if place.model and is_no_arm(place.model, place.name)}
    flaws: dict[str, Flaw] = {}
    for error, place in found:
        # A list is found to be short where something in it is wrong, for that is not counted.
        of_another_member = (place.of_a_union or error["type"] == "too_short") and place.path in around
        missing = error["type"] == "missing" and (place.path in meant or place.path[:-1] in no_arms)
        if not of_another_member and not missing:
            flaws.setdefault(path_of(place.path), _flaw(error, place))
    return list(flaws.values())


def path_of(places: Iterable[int | str]) -> str:
    """``("steps", 0, "wait")`` as people read it: ``steps[0].wait``."""
    path = ""
    for place in places:
        path += f"[{place}]" if isinstance(place, int) else f".{place}" if path else place
    return path


class _Place(NamedTuple):
    """Where an error is. *inside*: what is expected there, *words*: in words; *model*: the one that the place is in.

    *home*: where that model begins; *outer*: the place of the model around it.
    """

    path: tuple[int | str, ...]
    inside: Any
    words: str
    model: type[BaseModel] | None
    of_a_union: bool
    home: tuple[int | str, ...] = ()
    outer: _Place | None = None

    @property
    def name(self) -> str:
        return str(self.path[-1]) if self.path else ""

    @property
    def container(self) -> str:
        """The field of the model around it that the place lies in."""
        return str(self.path[len(self.outer.home)]) if self.outer else ""


def _place(loc: Iterable[int | str], root: Any) -> _Place:  # noqa: ANN401
    """The place in the input: pydantic's own notes on keys and on unions are left out."""
    inside, words = meant(root)
    place = _Place((), inside, words, None, of_a_union=False)
    for part in loc:
        if part == "[key]":
            continue
        if (member := tagged(place.inside).get(str(part))) is not None:
            place = place._replace(inside=member)
        elif union := members(place.inside):
            place = place._replace(inside=_named(union, part), of_a_union=True)
        else:
            inside, words = meant(_below(place.inside, part))
            here = (place.model, place.home, place.outer)
            if _is_model(place.inside):
                here = (place.inside, place.path, place if place.model else None)
            place = _Place((*place.path, part), inside, words, here[0], False, *here[1:])
    return place


def _named(union: Iterable[Any], name: int | str) -> Any:  # noqa: ANN401
    """The member of a union that pydantic calls by *name*, if it is a model or a list: others have nothing below."""
    inside = [meant(member)[0] for member in union]
    if str(name).startswith("tuple["):
        return next((several for several in inside if get_origin(several) is tuple), None)
    return next((model for model in inside if _is_model(model) and model.__name__ == name), None)


def _below(inside: Any, part: int | str) -> Any:  # noqa: ANN401
    """What is expected at *part* of what *inside* describes; None where nothing is."""
    if _is_model(inside):
        fields = inside.model_fields.items()
        return next((field.rebuild_annotation() for name, field in fields if part in (name, field.alias)), None)
    described = get_args(inside)
    if isinstance(get_origin(inside), type) and issubclass(get_origin(inside), Mapping):
        return described[1]
    return described[0] if described else None


def _is_of_texts(inside: Any) -> bool:  # noqa: ANN401
    return get_origin(inside) is tuple and meant(get_args(inside)[0])[0] is str


def _is_model(inside: Any) -> bool:  # noqa: ANN401
    return isinstance(inside, type) and issubclass(inside, BaseModel)


def _flaw(error: ErrorDetails, place: _Place) -> Flaw:
    path, found = path_of(place.path), error["input"]
    match error["type"]:
        case "missing" if told := stands_beside(found, place.name):
            return Flaw(path=path, message=told[0], hint=told[1])
        case "missing":
            return Flaw(path=path, message="is missing.", hint=f"Expected {place.words}." if place.words else "")
        case "extra_forbidden":
            message, hint = _unknown_field(place)
            return Flaw(path=path, message=message, hint=hint)
        case "value_error":
            return Flaw(path=path, message=_sentence(str(error["ctx"]["error"])))
        case "timezone_aware":
            message = f"{_shown(found)} has no offset, so it is not one moment."
            return Flaw(path=path, message=message, hint="Add Z or an offset such as +02:00.")
        case "unknown_step":
            message, hint = _unknown_step(found)
            return Flaw(path=path, message=message, hint=hint)
        case "unknown_share":
            message, hint = unknown_share(found)
            return Flaw(path=path, message=message, hint=hint)
        case "unknown_question":
            message, hint = _unknown_question(found, place)
            return Flaw(path=path, message=message, hint=hint)
        case _:
            message = f"found {_shown(found)}; expected {_expected(error, place)}."
            return Flaw(path=path, message=message, hint=_hint(error, place))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _meant_by(place: _Place) -> str | None:
    """The field beside it that an unknown name means, if any."""
    return nearest(place.name, _fields(place.model)) if place.model else None


def _belongs(place: _Place) -> tuple[int | str, ...]:
    """The place where a field should have been that is unknown where it is, if there is one."""
    if place.model and (within := belongs_into(place.model, place.name)):
        return (*place.path[:-1], within, place.name)
    if below := _belongs_below(place):
        return (*place.path[:-1], *below)
    if place.outer and _belongs_around(place):
        return (*place.outer.home, place.name)
    return (*place.path[:-1], _meant_by(place) or "")


def _belongs_below(place: _Place) -> tuple[str, ...]:
    """The way from beside an unknown field to where it goes: ``("await", "within")``."""
    for field in _fields(place.model) if place.model else ():
        for model in _models(_below(place.model, field)):
            known = [name for name in _fields(model) if not issubclass(model, Step)]
            if place.name in known or (nearest(place.name, known) and not _meant_by(place) and place.name in _ARMS):
                return field, nearest(place.name, known) or place.name
    return ()


def _belongs_around(place: _Place) -> bool:
    """Whether an unknown field goes beside what it was put into."""
    outer = place.outer.model if place.outer else None
    return outer is not None and place.name in _fields(outer) and place.name != place.container


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401
    """The models that something may be, or of a list its members."""
    inside, _ = meant(annotation)
    if _is_model(inside):
        return [inside]
    several = members(inside) or (get_args(inside)[:1] if get_origin(inside) is tuple else ())
    return [model for member in several for model in _models(member)]


def _fields(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown_field(place: _Place) -> tuple[str, str]:  # noqa: PLR0911 - a sentence for each way to err
    model = place.model
    if told := out_of_place(model, place.name):
        return told
    if model and issubclass(model, Step) and place.name in STEP_TYPES:
        mine = next(name for name, step in STEP_TYPES.items() if step is model)
        return f'a step is one thing, and this one is "{mine}" already.', "Make two steps of it, each with its id."
    if model and issubclass(model, Step) and "late" in model.model_fields and place.name in ("else", "otherwise"):
        return "the arms of a wait are then and late.", "Write late for those who come after the moment."
    if model in (EventExit, ConditionExit) and place.name in ("trigger", "where", "when"):
        return "an exit is on a trigger, with or without where, or on a condition: when.", _EXITS
    if model in _ASKING and place.name in ("message", "trigger", "becomes"):
        other = next(name for name in ("message", "trigger", "becomes") if name in _fields(model))
        return f"one question asks for a {other} or a {place.name}, not for both.", "Leave one of them out."
    if model and (told := out_of_its_arm(model, place.name)):
        return told
    if model and issubclass(model, Step) and "await" in _fields(model) and place.name == "then":
        return "an await has then in each of its arms, not beside them.", f"Write {_AWAIT}."
    if below := _belongs_below(place):
        field, name = below
        return f"goes into {field}, not beside it.", f"Write {field}: {{…, {name}: …}}."
    if _belongs_around(place):
        return f"goes beside {place.container}, not into it.", "Move it out by one level."
    if model and issubclass(model, Step) and place.name in _ARMS and not _meant_by(place):
        return f"belongs to a step with {_ARMS[place.name][0]}, and this is none.", _ARMS[place.name][1]
    if model and issubclass(model, Event | Customer) and not _meant_by(place):
        return "there is no such field.", f"What you want to know of it goes into attributes: {{{place.name}: …}}."
    return "there is no such field.", did_you_mean(place.name, _fields(model) if model else [])


_EXITS = 'Write {trigger: purchase-completed, where: event.total > 50} or {when: customer.status == "churned"}.'
_IF = "Such a step waits for something: if: {trigger: purchase-completed, within: 1 day}."
_UNTIL = "Such a step walks others until something happens: until: {trigger: purchase-completed, within: 1 day}."
_AWAIT = "await: {within: 1 day, arms: [{arm: bought, trigger: purchase-completed, then: []}]}"
_ARMS = {
    "then": ("if", _IF),
    "else": ("if", _IF),
    "steps": ("until", _UNTIL),
    "otherwise": ("await or branch", f"Such a step waits for several things: {_AWAIT}."),
    "arms": ("await or test", f"Such a step waits for several things: {_AWAIT}."),
}
"""Fields in which steps are written, the steps that have them, and how such a step is written."""

_ASKING = (MessageQuestion, EventQuestion, BecomesQuestion, MessageArm, EventArm, BecomesArm)


def _unknown_step(found: object) -> tuple[str, str]:
    if not isinstance(found, dict):
        return f"found {_shown(found)}; expected a step.", "Write it as an object, such as {id: pause, wait: 1 day}."
    near = next(filter(None, (nearest(str(name), STEP_TYPES) for name in found if name not in _ARMS)), None)
    hint = f'Did you mean "{near}"?' if near else f"A step has one of: {', '.join(STEP_TYPES)}."
    arms = min(_ARMS.keys() & {*found}, key=[*_ARMS].index, default=None)  # the order of the table
    hint = _ARMS["steps" if "steps" in found else arms][1] if arms and not near else hint
    return f"is no step: it has {', '.join(_short(str(name)) for name in found) or 'nothing'}.", hint


_A_NAME = re.compile(r"[a-z][a-z0-9-]*")


def _unknown_question(found: object, place: _Place) -> tuple[str, str]:
    asks = place.name if isinstance(place.path[-1], str) else "await"
    within = "" if asks == "await" else ", within: 1 day"
    example = f"{{message: <id of a step>, is: opened{within}}} or {{trigger: purchase-completed{within}}}"
    known = isinstance(found, dict) and not found.keys().isdisjoint(("where", "when"))
    if known or (isinstance(found, str) and not _A_NAME.fullmatch(found)):
        return (
            f"`{asks}` asks whether something happens while a run waits, not what is known already.",
            f"Write {example}. What is known already is asked by a branch, or in where of start or of a trigger.",
        )
    return f"found {_shown(found)}; expected what is waited for.", f"Write {example}."


def _expected(error: ErrorDetails, place: _Place) -> str:
    if place.words:
        return place.words
    if _is_model(place.inside) and error["type"] in _OBJECTS:
        return f"an object such as {_like(place.inside)}"
    told = _WORDS.get(error["type"], "something else")
    return told.format_map({name: _plain(value) for name, value in error.get("ctx", {}).items()})


def _plain(value: object) -> object:
    """``'never' or 'immediately'`` without the quotes, which are pydantic's."""
    return value.replace("'", "") if isinstance(value, str) else value


def _like(model: type[BaseModel]) -> str:
    """An example of an object: ``{trigger: …}``."""
    needed = [field.alias or name for name, field in model.model_fields.items() if field.is_required()]
    named = needed or _fields(model)[:1]
    return "{" + ", ".join(f"{name}: …" for name in named) + "}"


def _hint(error: ErrorDetails, place: _Place) -> str:
    found, kind = error["input"], error["type"]
    if kind == "string_type" and isinstance(found, bool | int | float) and not place.words:
        return "Put it in quotes to make it a text."
    if kind == "string_type" and found is None and not place.words:
        return 'Write "" for an empty text. One that begins with # goes in quotes.'
    if kind in _LISTS and found is None:
        return "" if place.words else "Write [] for none."
    if kind in _LISTS and isinstance(found, str) and _A_NAME.fullmatch(_short(found)) and _is_of_texts(place.inside):
        return f"Write [{found}] for one alone."
    if kind in _LISTS:
        return "Begin the line of each thing in it with a dash: - …"
    if kind in _OBJECTS and isinstance(found, list | tuple) and place.inside is Awaited:
        return "Write the list below arms."
    if kind in _OBJECTS and isinstance(found, list | tuple):
        return "Remove the dash or the brackets: it is not a list."
    if kind == "literal_error" and isinstance(found, str):
        known = re.findall("'([^']*)'", str(error["ctx"]["expected"]))
        return f'Did you mean "{near}"?' if (near := nearest(found, known)) else ""
    return ""


def _shown(value: object) -> str:
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
            return _short(json.dumps(value, default=str, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"


_LISTS = frozenset(
    {"tuple_type", "list_type", "set_type", "frozen_set_type", "deque_type", "iterable_type", "iteration_error"}
)
_OBJECTS = frozenset(
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
    **dict.fromkeys(_LISTS, _LIST),
    **dict.fromkeys(_OBJECTS, _OBJECT),
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
