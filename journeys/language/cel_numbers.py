"""Whole and decimal numbers in CEL, which keeps them apart: here ``event.total > 50`` simply works."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

from cel_expr_python import cel

_BOOL, _DOUBLE, _INT = cel.Type.BOOL, cel.Type.DOUBLE, cel.Type.INT
_MIXED = ([_DOUBLE, _INT], [_INT, _DOUBLE])

Calculate = Callable[[float, float], float]


def _comparison(operation: str) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        operation, [cel.Overload(id=_id(operation, kinds), return_type=_BOOL, parameters=kinds) for kinds in _MIXED]
    )


def _membership() -> cel.FunctionDecl:
    kinds = [_DOUBLE, cel.Type.List(_INT)]
    return cel.FunctionDecl("@in", [cel.Overload(id=_id("@in", kinds), return_type=_BOOL, parameters=kinds)])


def _calculation(operation: str, calculate: Calculate, also: Sequence[list[cel.Type]] = ()) -> cel.FunctionDecl:
    overloads = [
        cel.Overload(id=_id(operation, kinds), return_type=_DOUBLE, parameters=kinds, impl=calculate)
        for kinds in (*_MIXED, *also)
    ]
    return cel.FunctionDecl(operation, overloads)


def _id(operation: str, kinds: Sequence[cel.Type]) -> str:
    return f"sojourn {operation} {' '.join(kind.name() for kind in kinds)}"


def _quotient(number: float, divisor: float) -> float:
    if not divisor:
        raise ZeroDivisionError("division by zero")
    return number / divisor


def _remainder(number: float, divisor: float) -> float:
    if not divisor:
        raise ZeroDivisionError("division by zero")
    return math.fmod(number, divisor)


COMPARING = [*map(_comparison, ("_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_")), _membership()]
"""Declarations only: the runtime brings the functions."""

CALCULATING = [
    _calculation("_+_", operator.add),
    _calculation("_-_", operator.sub),
    _calculation("_*_", operator.mul),
    _calculation("_/_", operator.truediv),
    _calculation("_%_", _remainder, also=[[_DOUBLE, _DOUBLE]]),
]

_DIVIDED = "divided"

DIVIDED_BY_CEL = {"divide_double": _DIVIDED}
"""CEL's own function, which gives infinity for a division by zero, with the one that stands in its place."""

DIVIDING = cel.FunctionDecl(
    _DIVIDED, [cel.Overload(id=_DIVIDED, return_type=_DOUBLE, parameters=[_DOUBLE, _DOUBLE], impl=_quotient)]
)
