"""Nothing personal for Temporal: it keeps results, and every error's text, cause and context, in clear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from temporalio.exceptions import ApplicationError

from journeys.walk.diary import Delivery

log = structlog.get_logger()

_PERSONAL = re.compile(
    r"""
    "[^"]*" | '[^']*' | <[^>]*>     # what is quoted
    | \w+://\S+ | \S+@\S+          # addresses of pages and people
    | \+?\d(?:[\s().-]?\d){6,}     # telephone numbers
    | \S{32,}                       # tokens
    """,
    re.VERBOSE,
)


@contextmanager
def nothing_personal(doing: str) -> Iterator[None]:
    """Log an error here, where it is ours to read, and tell Temporal no more than its class."""
    try:
        yield
    except ApplicationError:
        raise
    except Exception as error:
        name = type(error).__name__
        log.warning("activity failed", doing=doing, exc_info=True)
        # from None: a database error as cause would carry its statement, and with it an address.
        raise ApplicationError(f"{doing}: {name}. The worker's log has the details.", type=name) from None


def without_quotes(delivery: Delivery) -> Delivery:
    """Without a reason that may quote a provider, and with it an address. Why we blocked a send is in our own words."""
    return delivery if delivery.outcome == "blocked" else delivery.model_copy(update={"reason": ""})


def without_values(why: str, to: str, values: Mapping[str, Mapping[str, object]]) -> str:
    """*why* something failed, without what it quotes of a customer: for whoever looks at many of them at once.

    *to*: where it was to go. *values*: what it was filled in with.
    """
    texts = {to, *(str(value) for named in values.values() for value in named.values())}
    for text in sorted(filter(_tells, texts), key=len, reverse=True):
        why = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "…", why, flags=re.IGNORECASE)
    return _PERSONAL.sub("…", why)


def _tells(text: str) -> bool:
    return len(text) > 1
