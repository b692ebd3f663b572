"""Nothing personal for Temporal: it keeps results, and every error's text, cause and context, in clear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from temporalio.exceptions import ApplicationError

from journeys.walk.diary import Delivery

log = structlog.get_logger()


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
