"""What a key may post, events of its triggers, under its own name; and what it is told of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.keys import Caller
from api.problems import MOST_FLAWS
from journeys.catalogue import Event
from journeys.problems import Flaw, Forbidden
from store.events import Receipt


def posted_by(caller: Caller, event: Event) -> Event:
    """The *event*, from the key's own name where it says nothing else. Raises Forbidden, with every flaw."""
    if flaws := list(_flaws(caller, event)):
        raise Forbidden(f'The key "{caller.name}" may not post this event.', flaws)
    return _named(caller, event)


def all_posted_by(caller: Caller, events: Sequence[Event]) -> tuple[Event, ...]:
    """The same for all of them, or for none."""
    found = [[flaw.within(f"[{index}]") for flaw in _flaws(caller, event)] for index, event in enumerate(events)]
    if wrong := sum(map(bool, found)):
        detail = f'The key "{caller.name}" may not post {wrong} of {len(events)} events, so none was accepted.'
        raise Forbidden(detail, [flaw for flaws in found for flaw in flaws][:MOST_FLAWS])
    return tuple(_named(caller, event) for event in events)


def told(caller: Caller, receipt: Receipt) -> Receipt:
    """The *receipt* as its key may read it.

    A page's key is known to whoever sees the page, and may be used in any customer's name: it hears nothing of them.
    """
    return receipt.model_copy(update={"decisions": (), "already_sent": ()}) if caller.origins else receipt


def _flaws(caller: Caller, event: Event) -> Iterator[Flaw]:
    if caller.triggers and event.trigger not in caller.triggers:
        yield Flaw(
            path="trigger",
            message=f'found "{event.trigger}"; this key posts events of {", ".join(caller.triggers)} alone.',
            hint="Post it with another key.",
        )
    if wrong := caller.wrong_source(event):
        yield wrong


def _named(caller: Caller, event: Event) -> Event:
    source = caller.source_of(event)
    return event if event.source == source else event.model_copy(update={"source": source})
