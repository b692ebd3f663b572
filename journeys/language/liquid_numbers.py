"""Numbers in templates: an attribute's calculate as decimals, and money and numbers are written as people write them.

To a trigger and to a condition 25, 25.0 and 25.5 are numbers alike, so half of 25 is 12.5 here as well. Two numbers
that stand in the template itself are calculated as Liquid does it: whole ones divide whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import lru_cache, wraps

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal, get_currency_precision, is_currency
from liquid import RenderContext
from liquid.builtin.filters import math
from liquid.exceptions import FilterArgumentError
from liquid.filter import num_arg, with_context

DEFAULT_LANGUAGE = "en"
MOST_DECIMALS = 20
SIGNIFICANT = 16  # digits of a quotient that has no end

# Exact for all that fits into a float, and for products of two; what grows beyond that is refused, not rounded.
_TRAPS = [DivisionByZero, InvalidOperation, Overflow]
_EXACT = Context(prec=700, Emax=5_000, Emin=-5_000, traps=_TRAPS)
_PLAIN = re.compile(r"\s*[+-]?\d{1,300}(\.\d{1,300})?\s*")


class Number(Decimal):
    """A number of an attribute. 25.0 is written 25, and 0.1 is the 0.1 of a template."""

    __slots__ = ()

    @classmethod
    def of(cls, value: float) -> Number:
        """The number that *value* is written as: 0.1 is a tenth, and a large whole number is itself."""
        return cls(value if isinstance(value, int) else repr(value))

    def __str__(self) -> str:
        text = format(Decimal(self), "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text

    def __eq__(self, other: object) -> bool:
        return super().__eq__(_as_written(other))

    def __hash__(self) -> int:
        return super().__hash__()

    def __lt__(self, other: object) -> bool:
        return super().__lt__(_as_written(other))  # type: ignore[operator]

    def __le__(self, other: object) -> bool:
        return super().__le__(_as_written(other))  # type: ignore[operator]

    def __gt__(self, other: object) -> bool:
        return super().__gt__(_as_written(other))  # type: ignore[operator]

    def __ge__(self, other: object) -> bool:
        return super().__ge__(_as_written(other))  # type: ignore[operator]


def _as_written(other: object) -> object:
    return Decimal(repr(other)) if isinstance(other, float) else other


# --- calculating -----------------------------------------------------------------------------------


def _divided_by(left: Decimal, right: Decimal) -> Decimal:
    context = _EXACT.copy()
    quotient = context.divide(left, right)
    if not context.flags[Inexact]:
        return quotient
    return Context(prec=max(SIGNIFICANT, quotient.adjusted() + SIGNIFICANT)).plus(quotient)


def _modulo(left: Decimal, right: Decimal) -> Decimal:
    """What is left over, with the sign of *right*: as Liquid has it."""
    whole = _EXACT.divide(left, right).to_integral_value(ROUND_FLOOR)
    return _EXACT.subtract(left, _EXACT.multiply(right, whole))


def _rounded(value: Decimal, digits: Decimal = Decimal(0)) -> Decimal:
    places = max(-300, min(300, int(digits)))
    with localcontext(_EXACT):
        found = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return found or found.copy_abs()  # nobody writes -0.00


_CALCULATIONS: Mapping[str, tuple[Callable[..., object], Callable[..., Decimal]]] = {
    "abs": (math.abs_, _EXACT.abs),
    "at_least": (math.at_least, max),
    "at_most": (math.at_most, min),
    "ceil": (math.ceil, lambda value: value.to_integral_value(ROUND_CEILING)),
    "divided_by": (math.divided_by, _divided_by),
    "floor": (math.floor, lambda value: value.to_integral_value(ROUND_FLOOR)),
    "minus": (math.minus, _EXACT.subtract),
    "modulo": (math.modulo, _modulo),
    "plus": (math.plus, _EXACT.add),
    "round": (math.round_, _rounded),
    "times": (math.times, _EXACT.multiply),
}


def _calculating(name: str) -> Callable[..., object]:
    """A filter of Liquid's that is decimal as soon as one number in it comes from an attribute."""
    liquids, ours = _CALCULATIONS[name]

    @wraps(liquids)
    def apply(left: object, *others: object) -> object:
        if not any(isinstance(value, Number) for value in (left, *others)):
            return liquids(left, *others)
        try:
            return Number(ours(*map(_decimal, (left, *others))))
        except (DivisionByZero, InvalidOperation):
            raise FilterArgumentError(f"{name}: can't divide by 0", token=None) from None
        except Overflow:
            raise FilterArgumentError(f"{name}: the number grows too large", token=None) from None

    return apply


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return Decimal(value)
    return Decimal(str(num_arg(value, default=0)))  # as Liquid: what is no number is 0


# --- writing ---------------------------------------------------------------------------------------


@with_context
def _money(value: object, currency: object, *, language: object = None, context: RenderContext) -> object:
    """An amount as people write it: ``{{ event.total | money: "EUR" }}`` is €128.40, and 128,40 € in German.

    What is missing stays empty, and what is no number stays as it is.
    """
    amount, code = _amount("money", value), str(currency or "").strip().upper()
    if amount is None:
        return value
    if not code:
        return _written(amount, 2, language, context)
    with localcontext(_EXACT):
        exact = _rounded(amount, Decimal(get_currency_precision(code)))
        return format_currency(exact, code, locale=_locale(language, context))


@with_context
def _decimals(value: object, digits: object = 2, *, language: object = None, context: RenderContext) -> object:
    """A number with so many decimals, as people write it: ``{{ event.km | decimals: 1 }}`` is 1,234.5."""
    amount = _amount("decimals", value)
    return value if amount is None else _written(amount, int(_decimal(digits)), language, context)


def _written(amount: Decimal, digits: int, language: object, context: RenderContext) -> str:
    places = max(0, min(MOST_DECIMALS, digits))
    form = "#,##0" + ("." + "0" * places if places else "")
    with localcontext(_EXACT):
        return format_decimal(_rounded(amount, Decimal(places)), form, locale=_locale(language, context))


def _amount(name: str, value: object) -> Decimal | None:
    match value:
        case bool():
            raise FilterArgumentError(f"{name} takes a number, found {str(value).lower()}", token=None)
        case int() | float() | Decimal():
            return _decimal(value)
        case str() if _PLAIN.fullmatch(value):
            return Decimal(value.strip())
        case _:
            return None


def _locale(language: object, context: RenderContext) -> Locale:
    """How the customer writes: by the *language* given, else the customer's, else English."""
    customer = context.scope.get("customer")
    theirs = customer.get("language") if isinstance(customer, Mapping) else None
    return _locale_of(str(language or theirs or DEFAULT_LANGUAGE)[:40])


@lru_cache(maxsize=256)
def _locale_of(language: str) -> Locale:
    """``de``, ``de-CH``, ``pt_BR``; a country that is not known there is left out, and so is a language."""
    name = language.strip().replace("-", "_")
    for tried in (name, name.partition("_")[0]):
        try:
            return Locale.parse(tried)
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse(DEFAULT_LANGUAGE)


FILTERS: Mapping[str, Callable[..., object]] = {
    **{name: _calculating(name) for name in _CALCULATIONS},
    "money": _money,
    "decimals": _decimals,
}

NUMERIC = frozenset(FILTERS)
"""The filters that take a number."""


def wrong_literal(name: str, argument: object) -> str:
    """What is wrong with the first argument of a filter where it stands in the template itself; else nothing."""
    if name == "money":
        known = isinstance(argument, str) and is_currency(argument.strip().upper())
        return "" if known else f'"{argument}" is no currency; expected its code, such as "EUR"'
    if name in NUMERIC and isinstance(argument, str) and not _PLAIN.fullmatch(argument):
        return f'the filter "{name}" takes a number, found "{argument}"'
    return ""
