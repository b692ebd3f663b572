"""What a key may post: events of its triggers, under its own name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from api.keys import Caller
from api.problems import MOST_FLAWS
from journeys.catalogue import Event
from journeys.problems import Flaw, Forbidden


def posted_by(caller: Caller, given: Event | Sequence[Event]) -> Event | tuple[Event, ...]:
    """What is *given*, with the key's name as the source where none is said. Raises Forbidden, with every flaw."""
    if caller.is_root:
        return given if isinstance(given, Event) else tuple(given)
    if isinstance(given, Event):
        if flaws := list(_flaws(caller, given)):
            raise Forbidden(f'The key "{caller.name}" may not post this event.', flaws)
        return _named(caller, given)
    _check_all(caller, given)
    return tuple(_named(caller, event) for event in given)


def _check_all(caller: Caller, given: Sequence[Event]) -> None:
    flaws = [[flaw.within(f"[{index}]") for flaw in _flaws(caller, event)] for index, event in enumerate(given)]
    if wrong := sum(map(bool, flaws)):
        detail = f'The key "{caller.name}" may not post {wrong} of {len(given)} events, so none was accepted.'
        raise Forbidden(detail, [flaw for each in flaws for flaw in each][:MOST_FLAWS])


def _flaws(caller: Caller, event: Event) -> Iterator[Flaw]:
    if not caller.is_limited:
        return
    if caller.triggers and event.trigger not in caller.triggers:
        yield Flaw(
            path="trigger",
            message=f'found "{event.trigger}"; this key posts events of {", ".join(caller.triggers)} alone.',
            hint="Post it with another key.",
        )
    if "source" in event.model_fields_set and event.source != caller.name:
        yield Flaw(
            path="source",
            message=f'found "{event.source}"; this key posts under its own name alone, "{caller.name}".',
            hint="Leave it out.",
        )


def _named(caller: Caller, event: Event) -> Event:
    return event if "source" in event.model_fields_set else event.model_copy(update={"source": caller.name})
