"""What every step is: a place in a tree that owns its shape. Whoever goes through a tree asks the steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from journeys.language.moments import Until
from journeys.models import Model, Name
from journeys.steps.questions import Question
from journeys.steps.uses import Use

if TYPE_CHECKING:
    from journeys.steps import AnyStep
    from journeys.steps.choosing import Tested


class Arm(NamedTuple):
    """One named way on from a step. *field* is where its steps are written, such as ``then``.

    *meanwhile*: it is no way on, but what a run walks as long as none is taken.
    """

    name: str
    steps: Sequence[AnyStep]
    field: str
    meanwhile: bool = False

    @property
    def is_named(self) -> bool:
        """Whether its author has named it: ``{arm: gold, …, then: []}``."""
        return self.field.endswith("].then")


class Step(Model):
    """One element of a journey. It owns its shape: whoever goes through a tree for another purpose asks it.

    What is said here holds for a step that leads straight on to the next one.

    *id*: its name, which no other step of the journey has.
    """

    id: Name

    @property
    def words(self) -> str:
        """What a run does here, for people: ``waits 1 day``."""
        return f"is at {self.id}"

    @property
    def parts(self) -> Mapping[str, str]:
        """All that is said of it but its steps, for people: by a verb, its object. ``{"waits": "1 day"}``."""
        return {}

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The ways on from here, in order. The steps after this one go on for all of them."""
        return ()

    @property
    def questions(self) -> Mapping[str, Question]:
        """What it listens to: for each arm that is taken at an answer, the question. The other arm is for none."""
        return {}

    @property
    def limit(self) -> timedelta:
        """How long it listens."""
        return timedelta(0)

    @property
    def limit_counts_from(self) -> str | None:
        """The message step from whose send on its limit counts; None: from when this step was entered."""
        return None

    @property
    def moment(self) -> Until | None:
        """Until when it waits, where that is a moment, and no length of time."""
        return None

    @property
    def uses(self) -> Iterable[Use]:
        """What has to be right before it may be published, in the order in which it is said."""
        return ()

    @property
    def longest(self) -> timedelta:
        """How long a run may stand here."""
        return timedelta(0)

    @property
    def shortest(self) -> timedelta:
        """How long a run stands here at least, before it takes an arm if there are any."""
        return timedelta(0)

    @property
    def has_outcome(self) -> bool:
        """Whether something becomes of it that conditions may ask for: ``sent["hello"]``."""
        return False

    @property
    def tested(self) -> Tested | None:
        """What it compares, if it is a test of its arms."""
        return None

    @property
    def leads_on(self) -> bool:
        """Whether a run can come from here to the steps after it."""
        ways = [arm for arm in self.arms if not arm.meanwhile]
        return not ways or any(lead_on(arm.steps) for arm in ways)

    def arm(self, name: str) -> Arm:
        """The arm of that name. Raises LookupError."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise LookupError(
            f'"{self.id}" has no arm "{name}"; it has {", ".join(arm.name for arm in self.arms) or "none"}'
        )

    def condition_of(self, arm: str) -> str:
        """When *arm* is taken, in a few words, as far as the definition tells: ``opened``."""
        return self.questions[arm].condition if arm in self.questions else ""

    def answer_name(self, arm: str) -> str:
        """What an answer that takes *arm* is called: the step's id, and with several questions the arm's name too."""
        return self.id if len(self.questions) == 1 else f"{self.id}.{arm}"


def lead_on(steps: Sequence[Step]) -> bool:
    """Whether a run can come through all of *steps* to what follows them."""
    return all(step.leads_on for step in steps)
