"""Messages sent as a test: not to whom they are not wanted, and no more of them than people look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from journeys.clearance.addresses import fingerprint
from journeys.clearance.consent import About, refusal
from journeys.problems import Conflict, TooMany
from store.consents import said_by
from store.locks import lock_addresses
from store.schema import test_sends
from store.store import write_transaction
from store.suppressions import suppressed

HOUR = timedelta(hours=1)
TO_ONE = 10
IN_ALL = 100

_ALL = "all test sends"


@write_transaction
def allow_test_send(connection: Connection, about: About, addresses: Sequence[str], now: datetime) -> None:
    """Count one more test send to each of *addresses*, in their one spelling.

    Who has said nothing may be sent a test, whatever is asked of customers: it is for the house's own people.
    Raises Conflict where an address is suppressed or opted out, and TooMany within the hour.
    """
    there = [fingerprint(about.channel, address) for address in addresses]
    lock_addresses(connection, [_ALL])
    for reason in suppressed(connection, about.channel, addresses).values():
        raise Conflict(f"Nothing was sent: the address is suppressed: {reason}.")
    if why := refusal(about, "non-restrictive", said_by(connection, None, about.channel, there)):
        raise Conflict(f"Nothing was sent: whoever has this address {why}.")
    connection.execute(_FORGET, {"before": now - HOUR})
    for address in there:
        _bounded(connection, address, now)
    connection.execute(insert(test_sends), [{"address": address, "at": now} for address in there])


def _bounded(connection: Connection, address: str, now: datetime) -> None:
    rows = connection.execute(_TO_ONE, {"address": address}).one()
    everywhere = connection.execute(_IN_ALL).one()
    for counted, most, where in ((rows, TO_ONE, "to one address"), (everywhere, IN_ALL, "in all")):
        if counted.number >= most:
            after = counted.first + HOUR - now
            raise TooMany(f"At most {most} messages an hour are sent as a test {where}.", after=after)


_COUNT = select(func.count().label("number"), func.min(test_sends.c.at).label("first"))
_TO_ONE = _COUNT.where(test_sends.c.address == bindparam("address"))
_IN_ALL = _COUNT
_FORGET = delete(test_sends).where(test_sends.c.at <= bindparam("before"))
