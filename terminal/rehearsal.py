"""Previews from files: a journey, a script and a customer of one folder, played on a virtual clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from journeys.catalogue import Content
from journeys.clearance.consent import said
from journeys.clearance.policy import Policy
from journeys.definition import Journey
from journeys.nearest import did_you_mean
from journeys.problems import Flaw, Invalid, Unknown
from journeys.publishing import version_of
from journeys.walk.preview import preview
from journeys.walk.script import DEFAULT_START
from journeys.walk.timeline import Timeline
from terminal.folder import Customer, Folder, Script, check_script, count, read_file, together, validate

Chosen = TypeVar("Chosen", Customer, Script)

MORNING = time(9, tzinfo=UTC)


def journey_at(file: Path) -> tuple[Journey, Folder]:
    """The journey in *file*, with the folder it belongs to. Raises Invalid with everything that is wrong with it."""
    folder = together([file])
    journey = journey_in(file, folder)
    if flaws := validate(folder, only=[file]):
        raise Invalid(count(flaws), flaws)
    return journey, folder


def journey_in(file: Path, folder: Folder) -> Journey:
    """The journey in *file*, whatever is wrong between it and others. Raises Invalid where there is none."""
    for found in folder.within([file]):
        if isinstance(found.model, Journey):
            return found.model
    raise Invalid(f"{file} holds no journey.")


def customer_for(script: Script, wanted: str | None, folder: Folder) -> Customer:
    """Whom a preview is about: the customer who is asked for, else the script's own. Raises Invalid and Unknown."""
    return choose(Customer, wanted or script.customer, folder)


def choose(model: type[Chosen], wanted: str | None, folder: Folder) -> Chosen:
    """The script or customer of that name or in that file; without one, the only one or the first there is.

    Raises Invalid and Unknown.
    """
    kind, there = model.__name__.lower(), folder.all(model)
    if wanted is None:
        if not there:
            raise Invalid(f"There is no {kind} beside the journey. Name a file with --{kind}.")
        return there[min(there)]
    if wanted in there:
        return there[wanted]
    if not Path(wanted).exists():
        raise Unknown(f'There is no {kind} "{wanted}". {did_you_mean(wanted, there)}')
    found = read_file(Path(wanted)).model
    if not isinstance(found, model):
        raise Invalid(f"{wanted} holds no {kind}.")
    return found


def play(
    journey: Journey,
    folder: Folder,
    script: Script,
    customer: Customer,
    started_at: datetime | None = None,
    policy: Policy | None = None,
) -> Timeline:
    """What *script* would do for *customer*. Raises Invalid where the script does not go with the journey.

    *policy*: the house's, where the folder has none and it is not as usual.
    """
    catalogue = folder.catalogue
    if flaws := list(check_script(script, catalogue)):
        raise Invalid(f'The script "{script.script}" is not valid.', flaws)
    try:
        return preview(
            version_of(journey, 1, catalogue),
            script.events,
            customer.attributes,
            customer_id=customer.customer,
            contents=folder.all(Content),
            said=said(customer.consents),
            policy=folder.policy or policy or Policy(),
            started_at=started_at or begin_of(journey),
            compiled=partial(version_of, catalogue=catalogue),
        )
    except ValueError as error:
        raise Invalid(f'The script "{script.script}" does not go with the journey.', [_flaw(error)]) from None


def begin_of(journey: Journey) -> datetime:
    """When a preview begins by itself: nine o'clock on the first day on which the journey lets people in."""
    first = max(journey.start.from_ or DEFAULT_START, DEFAULT_START)
    morning = datetime.combine(first.date(), MORNING)
    return morning if morning >= first else morning + timedelta(days=1)


def _flaw(error: ValueError) -> Flaw:
    return Flaw(path="events", message=f"{error}.")
