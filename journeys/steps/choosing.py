"""The steps that choose at once: by what is known now, by chance, and by chance until there is a winner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from journeys.language.cel_source import Where
from journeys.language.durations import Duration, say
from journeys.language.shares import Share, say_share
from journeys.models import Expected, Model, Name
from journeys.steps.asking import OTHERWISE
from journeys.steps.step import Arm, Step
from journeys.steps.uses import ConditionsUse, DurationUse, SharesUse, Use, WinnerUse

if TYPE_CHECKING:
    from journeys.steps import AnyStep

ArmName = Annotated[Name, Expected("a name of lower-case letters, digits and dashes, such as gold")]
LIKE_A_TEST = "two arms at least, such as - {arm: plain, share: 50%, then: []}"
LIKE_A_BRANCH = 'a list of arms, such as - {arm: gold, when: customer.tier == "gold", then: []}'
LIKE_A_SPLIT = "a list of arms, such as - {arm: a, share: 50%, then: []}"


class BranchArm(Model):
    """An arm that is taken where a condition on what is known now holds.

    *arm*: its name, which no other arm of the step has.
    *when*: the condition, such as ``customer.tier == "gold"`` or ``sent["hello"] == "blocked"``.
    *then*: the steps where it is the first that holds.
    """

    arm: ArmName
    when: Annotated[Where, Expected("a condition, such as event.total > 100")]
    then: tuple[AnyStep, ...] = ()


class Branch(Step):
    """Go on by what is known when the step is entered: the first arm whose condition holds, or else ``otherwise``.

    *branch*: the arms, of which the first that holds is taken.
    *otherwise*: the steps where none holds.
    """

    branch: Annotated[Annotated[tuple[BranchArm, ...], Field(min_length=1)], Expected(LIKE_A_BRANCH)]
    otherwise: tuple[AnyStep, ...] = ()

    @property
    def words(self) -> str:
        return f"looks for {', '.join(arm.arm for arm in self.branch)}"

    @property
    def parts(self) -> Mapping[str, str]:
        names = [arm.arm for arm in self.branch]
        return {f"takes {arm} where": self.condition_of(arm) for arm in names} | {"has the arms": ", ".join(names)}

    @property
    def arms(self) -> tuple[Arm, ...]:
        written = (Arm(arm.arm, arm.then, f"branch[{n}].then") for n, arm in enumerate(self.branch))
        return *written, Arm(OTHERWISE, self.otherwise, "otherwise")

    @property
    def uses(self) -> Iterable[Use]:
        yield ConditionsUse("branch", tuple(arm.when for arm in self.branch), others_go=bool(self.otherwise))

    def condition_of(self, arm: str) -> str:
        return next((" ".join(written.when.split()) for written in self.branch if written.arm == arm), "")


class ShareArm(Model):
    """An arm that a share of the people takes.

    *arm*: its name, which no other arm of the step has.
    *share*: how many of the people, such as ``45%``.
    *then*: its steps.
    """

    arm: ArmName
    share: Share
    then: tuple[AnyStep, ...] = ()


class FirstArm(Model):
    """An arm that so many people take, the first who come.

    *arm*: its name, which no other arm of the step has.
    *first*: how many people, such as 1000.
    *then*: its steps.
    """

    arm: ArmName
    first: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000), Expected("a number of people, such as 1000")]
    then: tuple[AnyStep, ...] = ()


def _by_share_or_number(arm: object) -> str | None:
    if isinstance(arm, dict):
        return next((name for name in ("share", "first") if name in arm), None)
    return "share" if isinstance(arm, ShareArm) else "first" if isinstance(arm, FirstArm) else None


SplitArm = Annotated[
    Annotated[ShareArm, Tag("share")] | Annotated[FirstArm, Tag("first")],
    Discriminator(
        _by_share_or_number,
        custom_error_type="unknown_share",
        custom_error_message="An arm of a split has a share or a first",
    ),
]


class Split(Step):
    """Share people out by chance, the same person always the same way; or by number, the first who come.

    Arms by number come first, in the order in which they are written; those who find no place go by the shares, if
    there are any, or else to ``otherwise``.

    *split*: the arms, each with a share or a number of people.
    *by*: ``run`` draws for each run anew.
    *otherwise*: the steps of those who find no place, where no arm has a share.
    """

    split: Annotated[Annotated[tuple[SplitArm, ...], Field(min_length=1)], Expected(LIKE_A_SPLIT)]
    by: Literal["customer", "run"] = "customer"
    otherwise: tuple[AnyStep, ...] = ()

    @property
    def words(self) -> str:
        return f"splits into {', '.join(arm.name for arm in self.arms)}"

    @property
    def parts(self) -> Mapping[str, str]:
        names = [arm.arm for arm in self.split]
        taken = {f"gives {arm}": self.condition_of(arm) for arm in names}
        return {**taken, "has the arms": ", ".join(names), "draws once for each": self.by}

    @property
    def shares(self) -> dict[str, Decimal]:
        """The shares of its arms, by their names."""
        return {arm.arm: arm.share for arm in self.split if isinstance(arm, ShareArm)}

    @property
    def places(self) -> dict[str, int]:
        """How many people may take each of the arms by number."""
        return {arm.arm: arm.first for arm in self.split if isinstance(arm, FirstArm)}

    @property
    def arms(self) -> tuple[Arm, ...]:
        written = tuple(Arm(arm.arm, arm.then, f"split[{n}].then") for n, arm in enumerate(self.split))
        return written if self.shares else (*written, Arm(OTHERWISE, self.otherwise, "otherwise"))

    @property
    def uses(self) -> Iterable[Use]:
        yield SharesUse("split", tuple(self.shares.values()), others_go=bool(self.otherwise), by_run=self.by == "run")

    def condition_of(self, arm: str) -> str:
        if arm in self.places:
            return f"the first {self.places[arm]}"
        return say_share(self.shares[arm]) if arm in self.shares else ""


By = Literal["goal", "clicked", "opened"]


class Winner(Model):
    """How a test ends: by what, and after how long or how many people.

    *by*: the goal of the journey, or what becomes of the one message in each arm.
    *after*: how long it lasts, counted from the first person in it.
    *people*: how many people are in it.
    *within*: what somebody does so long after they took their arm counts. Without it, by goal as long as the goal does,
    and else 3 days.
    """

    exactly_one = ("after", "people")

    by: By
    after: Duration | None = None
    people: Annotated[int, Field(strict=True, ge=2), Expected("a number of people, such as 2000")] | None = None
    within: Duration | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Winner:
        if (self.after is None) == (self.people is None):
            raise ValueError("a winner is found after a time or a number of people: after: 2 weeks, or people: 2000")
        return self


class Tested(Model):
    """What a test compares, and what is taken by everybody where the difference says nothing.

    *winner*: how it ends.
    *arms*: what is compared, each with the share of the people who take it.
    *default*: the arm that is taken by everybody where the difference says nothing.
    """

    winner: Annotated[Winner, Expected("an object that says how it ends, such as {by: goal, after: 2 weeks}")]
    arms: Annotated[Annotated[tuple[ShareArm, ...], Field(min_length=2)], Expected(LIKE_A_TEST)]
    default: Annotated[Name, Expected("the arm that is taken where none is better, such as plain")]


class Test(Step):
    """A split that ends with a winner: whoever enters after it was decided goes the winner's way.

    *test*: what is compared, and how it ends.
    """

    __test__ = False  # what pytest would take for a test of ours

    test: Tested

    @property
    def words(self) -> str:
        return f"tests {', '.join(self.shares)}"

    @property
    def parts(self) -> Mapping[str, str]:
        winner = self.test.winner
        taken = {f"gives {arm}": self.condition_of(arm) for arm in self.shares}
        within = {} if winner.within is None else {"counts what follows within": say(winner.within)}
        return {
            **taken,
            "has the arms": ", ".join(self.shares),
            "is decided by": winner.by,
            "is decided after": f"{winner.people} people" if winner.after is None else say(winner.after),
            **within,
            "takes without a winner": self.test.default,
        }

    @property
    def shares(self) -> dict[str, Decimal]:
        """The shares of its arms, by their names."""
        return {arm.arm: arm.share for arm in self.test.arms}

    @property
    def arms(self) -> tuple[Arm, ...]:
        return tuple(Arm(arm.arm, arm.then, f"test.arms[{n}].then") for n, arm in enumerate(self.test.arms))

    @property
    def tested(self) -> Tested:
        return self.test

    @property
    def uses(self) -> Iterable[Use]:
        for name, duration in (("after", self.test.winner.after), ("within", self.test.winner.within)):
            if duration is not None:
                yield DurationUse(f"test.winner.{name}", duration)
        yield WinnerUse("test", self.test)
        yield SharesUse("test.arms", tuple(self.shares.values()))

    def condition_of(self, arm: str) -> str:
        return say_share(self.shares[arm])
