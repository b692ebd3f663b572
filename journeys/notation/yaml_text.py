"""YAML text to plain data: the core schema of YAML 1.2 without its guesses, never deep, never without bound."""

from __future__ import annotations

import re
from typing import cast

import yaml

from journeys.notation.bounds import MOST_LEVELS, MOST_VALUES, NUMBER, number
from journeys.notation.unreadable import Unreadable, place_of, unreadable
from journeys.notation.yaml_words import QUOTES, SIGNS, explain, no_field, sign_before

_PLAIN: dict[str, bool | None] = {"": None, "~": None, "null": None}
_PLAIN |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULL_OR_A_NAME = frozenset({"Null", "NULL"})
_INDENTED_BLOCK = re.compile(r"([|>])[-+]?[0-9]")


def read_yaml(text: str) -> object:
    """The object or list that the YAML *text* holds; None where it is empty. Raises Unreadable.

    Text stays text: ``NO``, ``01234``, ``+15550100``, ``12:30:45`` and ``2026-11-24`` are what they look like.
    """
    builder = _Builder(text)
    try:
        # Events, not nodes: they come from libyaml, and nothing here calls itself, however deep the text is.
        for event in yaml.parse(text, yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise explain(text, error, builder.last) from None
    except yaml.reader.ReaderError as error:
        raise _no_character(text, error.position) from None
    except UnicodeEncodeError as error:
        raise _no_character(text, error.start) from None
    if builder.whole is None or isinstance(builder.whole, dict | list):
        return builder.whole
    raise no_field(text)


def write_yaml(data: object) -> str:
    """YAML that is read back as the same *data*."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Puts in quotes whatever would be read as something else than text."""


# PyYAML reads 1e3 as text, and leaves it without quotes.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-.0123456789"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Other ends of lines are read back as spaces, unless they are escaped.
    style = '"' if any(letter in text for letter in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _no_character(text: str, offset: int) -> Unreadable:
    line, column = place_of(text, offset)
    what = f"the character U+{ord(text[offset]):04X} cannot be in a text."
    return unreadable(text, line, column, what, "Leave it out.")


class _Open:
    """A list or an object that has begun. *lines*: where each of its fields was given."""

    __slots__ = ("key", "lines", "values")

    def __init__(self, values: list[object] | dict[str, object]) -> None:
        self.values = values
        self.lines: dict[str, int] = {}
        self.key: str | None = None


class _Builder:
    """The value that the events of a text make."""

    def __init__(self, text: str) -> None:
        self.whole: object = None
        self.last: yaml.ScalarEvent | None = None
        self._text = text
        self._open: list[_Open] = []
        self._values = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self.last = event
                self._refuse_notes(event)
                self._scalar(event)
            case yaml.MappingStartEvent():
                self._begin({}, event)
            case yaml.SequenceStartEvent():
                self._begin([], event)
            case yaml.CollectionEndEvent():
                self._end()
            case yaml.AliasEvent():
                raise self._flaw(event, SIGNS["*"], QUOTES)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._flaw(event, "`---` begins a second document.", "Write one definition in each file.")
            case _:
                pass  # where the text and its documents end

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        top = self._open[-1] if self._open else None
        if top and isinstance(top.values, dict) and top.key is None:
            top.key = self._field(event, top)
        elif top and top.key and ":" in top.key and event.implicit[0] and not event.value:
            name, _, value = top.key.partition(":")
            raise self._flaw(event, "after the colon goes a space.", f"Write {name}: {value}")
        else:
            self._put(self._value(event), event)

    def _field(self, event: yaml.ScalarEvent, top: _Open) -> str:
        name: str = event.value
        if event.implicit[0] and name == "":
            raise self._flaw(event, "a field has no name.", "Write it as name: value.")
        if event.implicit[0] and name[0].isspace():
            raise self._flaw(event, "this line begins with a blank that is no space.", "Write spaces in its place.")
        if event.implicit[0] and name == "<<":
            raise self._flaw(event, "`<<` copies another object's fields, which is not done.", "Write the fields out.")
        if name in top.lines:
            raise self._flaw(
                event, f'"{name}" is given twice, in line {top.lines[name]} and here.', "Keep one of them."
            )
        top.lines[name] = _mark(event).line + 1
        return name

    def _value(self, event: yaml.ScalarEvent) -> object:
        text: str = event.value
        if not event.implicit[0]:
            self._refuse_an_empty_block(event)
            return text
        if text in _PLAIN:
            return _PLAIN[text]
        if text in _NULL_OR_A_NAME:
            raise self._flaw(
                event, f"{text} may be nothing, or a name.", f'Write null for nothing, "{text}" for a text.'
            )
        if not NUMBER.fullmatch(text):
            return text
        try:
            return number(text)
        except ValueError as error:
            raise self._flaw(event, str(error), "Put it in quotes if it is a text.") from None

    def _refuse_an_empty_block(self, event: yaml.ScalarEvent) -> None:
        # `where: >5` begins a block of text that is indented by 5, and loses what was meant.
        if not event.value.strip() and (sign := _INDENTED_BLOCK.match(self._text, _mark(event).index)):
            raise self._flaw(event, SIGNS[sign[1]], QUOTES)

    def _begin(self, values: list[object] | dict[str, object], event: yaml.CollectionStartEvent) -> None:
        self._refuse_notes(event)
        if self._open and isinstance(self._open[-1].values, dict) and self._open[-1].key is None:
            raise self._no_name(event)
        self._put(values, event)
        self._open.append(_Open(values))
        if len(self._open) > MOST_LEVELS:
            raise self._flaw(event, f"it is nested too deeply: at most {MOST_LEVELS} levels are read.", "")

    def _no_name(self, event: yaml.CollectionStartEvent) -> Unreadable:
        mark = _mark(event)
        if self._text.startswith("{{", mark.index - 1):
            return sign_before(self._text, mark.line, mark.column - 1)
        return self._flaw(event, "the name of a field is a text, not an object or a list.", QUOTES)

    def _put(self, value: object, event: yaml.Event) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            raise self._flaw(event, f"at most {MOST_VALUES} values are read, and this is one more.", "Make it smaller.")
        if not self._open:
            self.whole = value
            return
        top = self._open[-1]
        if isinstance(top.values, list):
            top.values.append(value)
        elif top.key is not None:
            top.values[top.key] = value
            top.key = None

    def _end(self) -> None:
        self._open.pop()

    def _refuse_notes(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            raise self._flaw(event, SIGNS["&"], QUOTES)
        if event.tag is not None:
            raise self._flaw(event, SIGNS["!"], QUOTES)

    def _flaw(self, event: yaml.Event, message: str, hint: str) -> Unreadable:
        mark = _mark(event)
        return unreadable(self._text, mark.line, mark.column, message, hint)


def _mark(event: yaml.Event) -> yaml.Mark:
    return cast(yaml.Mark, event.start_mark)  # libyaml always sets it
