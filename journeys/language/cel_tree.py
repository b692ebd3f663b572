"""The tree that CEL makes of a source, read from what it serializes, so that more can be asked of it than its type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: its *text*, or its *number* as a float."""

    text: str | None = None
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute, ``now``, ``sent``, or a variable of a macro such as ``exists``."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of a map."""

    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator, such as ``_+_``. What it is called on is its first argument.

    *overload* tells by CEL's own name what it is called on, such as ``timestamp_to_hours_with_tz``; empty where only
    the values will tell.
    """

    function: str
    arguments: tuple[Node, ...]
    overload: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list, or a map with its keys and values one after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """What a macro such as ``map`` stands for: *step* adds to *total* once for each item of *over*."""

    variables: tuple[str, ...]
    over: Node
    total: str
    first: Node
    goes_on: Node
    step: Node
    result: Node


Node = Constant | Name | Part | Call | Items | Loop


class TooDeep(ValueError):
    """A tree with more levels than can be serialized."""


def tree(checked: cel.Expression) -> Node:
    """The tree of a source that CEL has checked. Raises TooDeep."""
    found = _read(checked.serialize())
    return _Reader(found.references).node(found.expr)


def calling(checked: cel.Expression, instead: Mapping[str, str]) -> bytes:
    """What CEL has checked, serialized, with other functions called *instead* of these overloads. Raises TooDeep.

    CEL lets nobody put another function in the place of one of its own.
    """
    found = _read(checked.serialize())
    others: dict[int, str] = {}
    for each in found.references:
        match list(each.reference.overloads):
            case [overload] if overload in instead:
                others[each.id] = instead[overload]
                each.reference.overloads[:] = [instead[overload]]
    for node in _nodes(found.expr) if others else ():
        if node.id in others:
            node.call.function = others[node.id]
    packed = any_pb2.Any()
    packed.ParseFromString(checked.serialize())
    packed.value = found.SerializeToString()
    return packed.SerializeToString()


def calls(node: Node) -> Iterator[Call]:
    """Every call in a tree."""
    if isinstance(node, Call):
        yield node
    for part in parts(node):
        yield from calls(part)


def parts(node: Node) -> tuple[Node, ...]:
    """What a node is made of."""
    match node:
        case Call(arguments=inside) | Items(items=inside):
            return inside
        case Part(of=of):
            return (of,)
        case Loop(over=over, first=first, goes_on=goes_on, step=step, result=result):
            return (over, first, goes_on, step, result)
        case _:
            return ()


def comparisons(root: Node) -> Iterator[tuple[Node, Constant]]:
    """What is compared with a constant by ``==``, ``!=`` or ``in``, and that constant."""
    for call in calls(root):
        match call.function, call.arguments:
            case (("_==_" | "_!=_"), (left, right)):
                sides: tuple[tuple[Node, Node], ...] = ((left, right), (right, left))
            case "@in", (left, Items(items=items)):
                sides = tuple((left, item) for item in items)
            case _:
                continue
        yield from ((of, constant) for of, constant in sides if isinstance(constant, Constant))


def _read(serialized: bytes) -> Any:  # noqa: ANN401
    packed, found = any_pb2.Any(), _checked_expression()()
    try:
        packed.ParseFromString(serialized)
        found.ParseFromString(packed.value)
    except DecodeError:
        raise TooDeep from None
    return found


def _nodes(message: Any) -> Iterator[Any]:  # noqa: ANN401
    """A message, if it is a node, and all nodes in it."""
    if message.DESCRIPTOR.name == "Node":
        yield message
    for field, value in message.ListFields():
        if field.message_type:
            for part in value if field.is_repeated else (value,):
                yield from _nodes(part)


class _Reader:
    """Makes nodes of messages of the schema below."""

    def __init__(self, references: Any) -> None:  # noqa: ANN401
        self._overloads = {each.id: each.reference.overloads for each in references}

    def node(self, found: Any) -> Node:  # noqa: ANN401
        match found.WhichOneof("kind"):
            case "constant":
                return _constant(found.constant)
            case "name":
                return Name(found.name.name)
            case "select":
                return Part(self.node(found.select.operand), found.select.name)
            case "call":
                on = [found.call.target] if found.call.HasField("target") else []
                return Call(found.call.function, self._all([*on, *found.call.arguments]), self._overload(found.id))
            case "list":
                return Items(self._all(found.list.elements))
            case "map":
                return Items(self._all(part for entry in found.map.entries for part in (entry.key, entry.value)))
            case "loop":
                return self._loop(found.loop)
            case _:
                return Constant()

    def _all(self, found: Iterable[Any]) -> tuple[Node, ...]:
        return tuple(map(self.node, found))

    def _overload(self, node: int) -> str:
        possible = self._overloads.get(node, ())
        return str(possible[0]) if len(possible) == 1 else ""

    def _loop(self, found: Any) -> Loop:  # noqa: ANN401
        return Loop(
            variables=tuple(filter(None, (found.variable, found.second_variable))),
            over=self.node(found.over),
            total=found.total,
            first=self.node(found.first),
            goes_on=self.node(found.goes_on),
            step=self.node(found.step),
            result=self.node(found.result),
        )


def _constant(found: Any) -> Constant:  # noqa: ANN401
    match found.WhichOneof("kind"):
        case "text":
            return Constant(text=found.text)
        case "whole" | "unsigned" | "decimal" as kind:
            return Constant(number=float(getattr(found, kind)))
        case _:
            return Constant()


# Field numbers of cel.expr.CheckedExpr; cel-expr-python ships no messages of its own.
# Source: https://github.com/google/cel-spec/tree/master/proto/cel/expr
_ONE, _MANY, _EITHER = "one", "many", "either"
_SCHEMA: Mapping[str, Mapping[str, tuple[int, str, str]]] = {
    "Checked": {"references": (2, "ReferenceOf", _MANY), "expr": (4, "Node", _ONE)},
    "ReferenceOf": {"id": (1, "whole", _ONE), "reference": (2, "Reference", _ONE)},
    "Reference": {"overloads": (3, "text", _MANY)},
    "Node": {
        "id": (2, "whole", _ONE),
        "constant": (3, "Constant", _EITHER),
        "name": (4, "Name", _EITHER),
        "select": (5, "Select", _EITHER),
        "call": (6, "Call", _EITHER),
        "list": (7, "List", _EITHER),
        "map": (8, "Map", _EITHER),
        "loop": (9, "Loop", _EITHER),
    },
    "Constant": {
        "whole": (3, "whole", _EITHER),
        "unsigned": (4, "unsigned", _EITHER),
        "decimal": (5, "decimal", _EITHER),
        "text": (6, "text", _EITHER),
    },
    "Name": {"name": (1, "text", _ONE)},
    "Select": {"operand": (1, "Node", _ONE), "name": (2, "text", _ONE)},
    "Call": {"target": (1, "Node", _ONE), "function": (2, "text", _ONE), "arguments": (3, "Node", _MANY)},
    "List": {"elements": (1, "Node", _MANY)},
    "Map": {"entries": (2, "Entry", _MANY)},
    "Entry": {"key": (3, "Node", _ONE), "value": (4, "Node", _ONE)},
    "Loop": {
        "variable": (1, "text", _ONE),
        "second_variable": (8, "text", _ONE),
        "over": (2, "Node", _ONE),
        "total": (3, "text", _ONE),
        "first": (4, "Node", _ONE),
        "goes_on": (5, "Node", _ONE),
        "step": (6, "Node", _ONE),
        "result": (7, "Node", _ONE),
    },
}
_FIELD = descriptor_pb2.FieldDescriptorProto
_PLAIN = {
    "text": _FIELD.TYPE_STRING,
    "whole": _FIELD.TYPE_INT64,
    "unsigned": _FIELD.TYPE_UINT64,
    "decimal": _FIELD.TYPE_DOUBLE,
}


@lru_cache(maxsize=1)
def _checked_expression() -> Any:  # noqa: ANN401 - a class that protobuf makes
    file = descriptor_pb2.FileDescriptorProto(name="sojourn/cel.proto", package="sojourn.cel", syntax="proto3")
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        if any(how == _EITHER for _, _, how in fields.values()):
            message.oneof_decl.add(name="kind")
        for called, (number, kind, how) in fields.items():
            added = message.field.add(
                name=called,
                number=number,
                type=_PLAIN.get(kind, _FIELD.TYPE_MESSAGE),
                label=_FIELD.LABEL_REPEATED if how == _MANY else _FIELD.LABEL_OPTIONAL,
            )
            if kind not in _PLAIN:
                added.type_name = f".sojourn.cel.{kind}"
            if how == _EITHER:
                added.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sojourn.cel.Checked"))
