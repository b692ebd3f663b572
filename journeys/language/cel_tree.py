"""The tree that CEL makes of a condition, read from what it serializes, so that its cost can be worked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant; *text* where it is one."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute, or a variable of a macro such as ``exists``."""

    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of a map."""

    of: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator, such as ``_+_``. What it is called on is its first argument."""

    function: str
    arguments: tuple[Node, ...]


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
    """The tree of a condition that CEL has checked. Raises TooDeep."""
    packed, found = any_pb2.Any(), _checked_expression()()
    try:
        packed.ParseFromString(checked.serialize())
        found.ParseFromString(packed.value)
    except DecodeError:
        raise TooDeep from None
    return _node(found.expr)


def calls(node: Node) -> Iterator[Call]:
    """Every call in a tree."""
    match node:
        case Call(arguments=inside):
            yield node
        case Part(of=of):
            inside = (of,)
        case Items(items=inside):
            pass
        case Loop(over=over, first=first, goes_on=goes_on, step=step, result=result):
            inside = (over, first, goes_on, step, result)
        case _:
            inside = ()
    for part in inside:
        yield from calls(part)


def _node(found: Any) -> Node:  # noqa: ANN401 - a message of the schema below
    match found.WhichOneof("kind"):
        case "constant":
            return Constant(found.constant.text if found.constant.WhichOneof("kind") == "text" else None)
        case "name":
            return Name(found.name.name)
        case "select":
            return Part(_node(found.select.operand))
        case "call":
            on = [found.call.target] if found.call.HasField("target") else []
            return Call(found.call.function, tuple(map(_node, [*on, *found.call.arguments])))
        case "list":
            return Items(tuple(map(_node, found.list.elements)))
        case "map":
            pairs = (part for entry in found.map.entries for part in (entry.key, entry.value))
            return Items(tuple(map(_node, pairs)))
        case "loop":
            return _loop(found.loop)
        case _:
            return Constant(None)


def _loop(found: Any) -> Loop:  # noqa: ANN401
    return Loop(
        variables=tuple(filter(None, (found.variable, found.second_variable))),
        over=_node(found.over),
        total=found.total,
        first=_node(found.first),
        goes_on=_node(found.goes_on),
        step=_node(found.step),
        result=_node(found.result),
    )


# Field numbers of cel.expr.CheckedExpr; cel-expr-python ships no messages of its own.
# Source: https://github.com/google/cel-spec/tree/master/proto/cel/expr
_ONE, _MANY, _EITHER = "one", "many", "either"
_SCHEMA: Mapping[str, Mapping[str, tuple[int, str, str]]] = {
    "Checked": {"expr": (4, "Node", _ONE)},
    "Node": {
        "constant": (3, "Constant", _EITHER),
        "name": (4, "Name", _EITHER),
        "select": (5, "Select", _EITHER),
        "call": (6, "Call", _EITHER),
        "list": (7, "List", _EITHER),
        "map": (8, "Map", _EITHER),
        "loop": (9, "Loop", _EITHER),
    },
    "Constant": {"text": (6, "", _EITHER)},
    "Name": {"name": (1, "", _ONE)},
    "Select": {"operand": (1, "Node", _ONE)},
    "Call": {"target": (1, "Node", _ONE), "function": (2, "", _ONE), "arguments": (3, "Node", _MANY)},
    "List": {"elements": (1, "Node", _MANY)},
    "Map": {"entries": (2, "Entry", _MANY)},
    "Entry": {"key": (3, "Node", _ONE), "value": (4, "Node", _ONE)},
    "Loop": {
        "variable": (1, "", _ONE),
        "second_variable": (8, "", _ONE),
        "over": (2, "Node", _ONE),
        "total": (3, "", _ONE),
        "first": (4, "Node", _ONE),
        "goes_on": (5, "Node", _ONE),
        "step": (6, "Node", _ONE),
        "result": (7, "Node", _ONE),
    },
}


@lru_cache(maxsize=1)
def _checked_expression() -> Any:  # noqa: ANN401 - a class that protobuf makes
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="sojourn/cel.proto", package="sojourn.cel", syntax="proto3")
    for name, fields in _SCHEMA.items():
        message = file.message_type.add(name=name)
        if any(how == _EITHER for _, _, how in fields.values()):
            message.oneof_decl.add(name="kind")
        for called, (number, kind, how) in fields.items():
            added = message.field.add(
                name=called,
                number=number,
                type=field.TYPE_MESSAGE if kind else field.TYPE_STRING,
                label=field.LABEL_REPEATED if how == _MANY else field.LABEL_OPTIONAL,
            )
            if kind:
                added.type_name = f".sojourn.cel.{kind}"
            if how == _EITHER:
                added.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sojourn.cel.Checked"))
