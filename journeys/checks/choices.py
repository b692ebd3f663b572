"""What must be right before a step may choose: by conditions, by shares, or by a test until there is a winner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from journeys.ab_tests import counted_in, window
from journeys.checks.earlier import Earlier
from journeys.definition import Journey
from journeys.findings import Findings
from journeys.interactions import INTERACTIONS
from journeys.language.conditions import Condition, ConditionError, compile_condition
from journeys.language.durations import say
from journeys.language.scopes import Scope
from journeys.language.shares import flaw_of_shares
from journeys.nearest import did_you_mean
from journeys.problems import Flaw
from journeys.steps import AnyStep, every_step
from journeys.steps.choosing import Tested
from journeys.steps.uses import ConditionsUse, SharesUse, WinnerUse


def check_choice(
    path: str, use: ConditionsUse | SharesUse | WinnerUse, scope: Scope | None, earlier: Earlier, journey: Journey
) -> Findings:
    """What is wrong with how a step of *journey* chooses, at *path*.

    *scope*: what a condition may name; None where that is not known. *earlier*: what has come before the step.
    """
    match use:
        case ConditionsUse():
            return _conditions(path, use, scope, earlier, journey) if scope is not None else Findings()
        case SharesUse():
            return _shares(path, use)
        case WinnerUse(tested=tested):
            return _test(path, tested, journey)


def _conditions(path: str, use: ConditionsUse, scope: Scope, earlier: Earlier, journey: Journey) -> Findings:
    """The first arm whose condition holds is taken."""
    found, sure = Findings(), None
    for index, source in enumerate(use.conditions):
        here = f"{path}[{index}].when"
        if sure is not None:
            found += Findings((_never_taken(f"{path}[{index}]", f"{path}[{sure}]"),))
        try:
            condition = compile_condition(source, scope)
        except ConditionError as error:
            found += Findings(tuple(flaw.within(here) for flaw in error.flaws))
            continue
        found += Findings(tuple(_asks(here, condition, earlier, journey)), tuple(_hardly_meant(here, condition)))
        if sure is None and condition.constant:
            sure = index
    if sure is not None and use.others_go:
        found += Findings((_never_taken(f"{path.rpartition('.')[0]}.otherwise", f"{path}[{sure}]"),))
    return found


def _shares(path: str, use: SharesUse) -> Findings:
    around = path.rpartition(".")[0]
    flaws = []
    if use.shares and (flaw := flaw_of_shares(path, use.shares)):
        flaws.append(flaw)
    if use.shares and use.others_go:
        message = "nobody goes here: the shares take everybody who has no place by number."
        flaws.append(Flaw(path=f"{around}.otherwise", message=message, hint="Leave it out, or give it a share."))
    if use.by_run and not use.shares:
        message = "there is nothing to draw for each run: these arms go by number, and a person keeps the place."
        flaws.append(Flaw(path=f"{around}.by", message=message, hint="Leave it out, or give the arms shares."))
    return Findings(tuple(flaws))


def _test(path: str, tested: Tested, journey: Journey) -> Findings:
    flaws = (*_measured(path, tested, journey), *_in_time(path, tested, journey), *_default(path, tested))
    return Findings(flaws, tuple(_shared_again(path, tested)))


def _never_taken(path: str, before: str) -> Flaw:
    message = f"nobody comes here: the condition at {before} always holds."
    return Flaw(path=path, message=message, hint="Remove it, or put it first.")


def _hardly_meant(path: str, condition: Condition) -> Iterator[Flaw]:
    yield from (flaw.within(path) for flaw in condition.warnings)
    if condition.constant is False:
        yield Flaw(path=path, message="this never holds, so nobody takes the arm.")


def _asks(path: str, condition: Condition, earlier: Earlier, journey: Journey) -> Iterator[Flaw]:
    """Outcomes that it asks for, of steps that have none or cannot have come before."""
    steps = {step.id: step for step in every_step(journey.steps)}
    for id in condition.asks_of:
        if id in earlier.perhaps:
            continue
        with_outcome = [step.id for step in steps.values() if step.has_outcome]
        if id not in steps:
            yield Flaw(path=path, message=f'no message "{id}".', hint=_step_meant(steps.values(), id))
        elif id not in with_outcome:
            message = f'nothing becomes of "{id}" that could be asked for: it {steps[id].words}.'
            yield Flaw(path=path, message=message, hint="Ask for the outcome of a message or an action.")
        else:
            before = ", ".join(sorted(earlier.perhaps)) or "there is none yet"
            hint = f"Ask for one that may have: {before}."
            yield Flaw(path=path, message=f'"{id}" cannot have come before this step.', hint=hint)


def _step_meant(steps: Iterable[AnyStep], name: str) -> str:
    """The step that is meant by a *name* of none: perhaps by what it sends, calls or raises."""
    having = [step for step in steps if step.has_outcome]
    if by := next((step.id for step in having if step.words.endswith(f" {name}")), None):
        return f'Outcomes go by the id of the step: sent["{by}"].'
    return did_you_mean(name, [step.id for step in having])


def _measured(path: str, tested: Tested, journey: Journey) -> Iterator[Flaw]:
    by = tested.winner.by
    if by == "goal":
        if journey.goal is None:
            hint = "Give it one, such as goal: purchase-completed, or find the winner by clicked or opened."
            yield Flaw(path=f"{path}.winner.by", message="the journey has no goal to measure by.", hint=hint)
        return
    for index, arm in enumerate(tested.arms):
        messages = counted_in(arm.then, by)
        if len(messages) != 1:
            kinds = " or ".join(kind for kind, told in INTERACTIONS.items() if by in told)
            found = ", ".join(message.id for message in messages) or "none"
            yield Flaw(
                path=f"{path}.arms[{index}].then",
                message=f"one message is expected of which it is told whether it was {by}; found {found}.",
                hint=f"Put one {kinds} into the arm, or find the winner by goal.",
            )


def _in_time(path: str, tested: Tested, journey: Journey) -> Iterator[Flaw]:
    winner, within = tested.winner, window(journey, tested)
    if winner.after is not None and timedelta(0) < winner.after <= within:
        yield Flaw(
            path=f"{path}.winner.after",
            message=f"found {say(winner.after)}; each person is measured for {say(within)}, so nobody would count.",
            hint="Give the test more time, or measure within less: within: 1 day.",
        )


def _default(path: str, tested: Tested) -> Iterator[Flaw]:
    names = [arm.arm for arm in tested.arms]
    if tested.default not in names:
        hint = did_you_mean(tested.default, names)
        yield Flaw(path=f"{path}.default", message=f'no arm "{tested.default}".', hint=hint)


def _shared_again(path: str, tested: Tested) -> Iterator[Flaw]:
    for index, arm in enumerate(tested.arms):
        for step in every_step(arm.then):
            if any(isinstance(use, SharesUse) for use in step.uses):
                yield Flaw(
                    path=f"{path}.arms[{index}]",
                    message=f'people are shared out again in this arm, by "{step.id}".',
                    hint="What they do then has two reasons, and the test sees only one. Test one after the other.",
                )
