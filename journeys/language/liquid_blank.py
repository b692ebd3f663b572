"""``blank`` in templates: what is missing, false, empty or nothing but spaces, as Liquid has it.

The library looks for what is missing before it looks for ``blank``, so that ``customer.nick == blank`` would be false
for whoever has no nick.
"""

from __future__ import annotations

from collections.abc import Mapping

from liquid import RenderContext
from liquid.builtin.expressions.logical import EqExpression, NeExpression, _eq
from liquid.builtin.expressions.primitive import Blank
from liquid.builtin.tags.case_tag import _AnyExpression
from liquid.expression import Expression
from liquid.undefined import is_undefined


def equal(left: object, right: object) -> bool:
    """Whether two values are equal in Liquid, ``blank`` included."""
    if isinstance(left, Blank) or isinstance(right, Blank):
        other = right if isinstance(left, Blank) else left
        return other is None or other is False or is_undefined(other) or left == right
    return bool(_eq(left, right))


class Equal(EqExpression):
    """``==``."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        return equal(self.left.evaluate(context), self.right.evaluate(context))


class Unequal(NeExpression):
    """``!=``."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> bool:
        return not equal(self.left.evaluate(context), self.right.evaluate(context))


class When(_AnyExpression):
    """``when`` of a ``case``."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> list[bool]:
        left = self.left.evaluate(context)
        return [equal(left, right.evaluate(context)) for right in self.expressions]


REPLACED: Mapping[type[Expression], type[Expression]] = {
    EqExpression: Equal,
    NeExpression: Unequal,
    _AnyExpression: When,
}
"""The library's own, and what takes their place in a template that was read."""
