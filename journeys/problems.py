"""What can go wrong, in one family: each error says what, where, what was expected and what to do.

SojournError            500  a bug, or something outside failed
├── Invalid             422  the input is wrong; carries every flaw at once
├── Unknown             404  nothing has that name
├── Conflict            409  the input is fine, the state is not
├── Unauthorized        401  no key, or a wrong one
├── Forbidden           403  a key that does not open this
├── TooMany             429  there is a limit, and it is reached for now
└── Unavailable         503  what we stand on does not answer; try again
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from textwrap import indent
from typing import Annotated

from pydantic import AfterValidator

from journeys.models import Frozen


def showable(text: str) -> str:
    """*text* as everybody can show it: half a surrogate pair, which is no character, as its number."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


class Flaw(Frozen):
    """One thing wrong with an input: where it is, what was found, what was expected, what to do.

    *excerpt*: of a text that cannot be read the line, with a mark below the place.
    """

    path: Annotated[str, AfterValidator(showable)]
    message: Annotated[str, AfterValidator(showable)]
    hint: Annotated[str, AfterValidator(showable)] = ""
    excerpt: Annotated[str, AfterValidator(showable)] = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        said = f"{where}{self.message}" + (f" {self.hint}" if self.hint else "")
        return "\n".join([said, *(f"  {line}" for line in self.excerpt.splitlines())])

    def within(self, prefix: str) -> Flaw:
        """The same flaw, seen from further out: ``where`` in ``start`` is ``start.where``."""
        joint = "" if not self.path or self.path.startswith("[") else "."
        return self.model_copy(update={"path": showable(f"{prefix}{joint}{self.path}")})


class SojournError(Exception):
    """The base of the family; *status* is the HTTP status, *slug* the stable end of the problem type.

    *cause*: what a library said, for whoever runs Sojourn. It is logged and printed, and never answered.
    """

    status = 500
    slug = "internal"
    title = "Something failed on our side"

    def __init__(self, detail: str, flaws: Iterable[Flaw] = (), *, cause: str = "") -> None:
        self.detail = showable(detail)
        self.flaws = tuple(flaws)
        self.cause = cause
        super().__init__(self.detail)

    def __str__(self) -> str:
        said = f"{self.detail.rstrip('.')}: {self.cause}" if self.cause else self.detail
        return "\n".join([said, *(indent(str(flaw), "  ") for flaw in self.flaws)])


class Invalid(SojournError):
    """The input is wrong. Every flaw is listed, so that one round of mending is enough."""

    status = 422
    slug = "invalid"
    title = "The input is not valid"


class Unknown(SojournError):
    """Nothing has that name or id."""

    status = 404
    slug = "unknown"
    title = "There is nothing by that name"


class Conflict(SojournError):
    """The input is fine, but what is there does not allow it now."""

    status = 409
    slug = "conflict"
    title = "The present state does not allow this"


class Unauthorized(SojournError):
    """No bearer key was given, or not the right one."""

    status = 401
    slug = "unauthorized"
    title = "A valid key is needed"


class Forbidden(SojournError):
    """The key is a valid one, and does not open this. The detail says what it lacks."""

    status = 403
    slug = "forbidden"
    title = "The key does not open this"


class TooMany(SojournError):
    """There is a limit to how often this is done, and it is reached. Nothing was done; try again *after* that long."""

    status = 429
    slug = "too-many"
    title = "A limit is reached for now"

    def __init__(self, detail: str, flaws: Iterable[Flaw] = (), *, after: timedelta = timedelta(seconds=1)) -> None:
        self.after = after
        super().__init__(detail, flaws)


class Unavailable(SojournError):
    """Something we stand on does not answer. Nothing was done; the same request may be sent again."""

    status = 503
    slug = "unavailable"
    title = "Not available just now"
