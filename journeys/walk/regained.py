"""The position of a run, regained from what is kept of it: its diary, what it did, and what it has heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from journeys.steps import MEANWHILE, AnyStep, Asking, BecomesQuestion, EventQuestion, Steps, every_step
from journeys.walk.answer_window import window
from journeys.walk.diary import Delivery, Entry
from journeys.walk.pace import DAY
from journeys.walk.position import Arrival, Position, way_to

Around = tuple[str, ...]
"""Series around a step, from the outside in."""


def regained(
    steps: Steps,
    entries: Sequence[Entry],
    became: Mapping[str, Delivery],
    heard: Sequence[Arrival],
    *,
    day: timedelta = DAY,
) -> Position:
    """Where a run of *steps* stands by its whole diary; what comes after the line where it stands is left out.

    *became*: what became of its messages and actions, by step. *heard*: all answers that it was told of, in that order.
    Of a run that was moved, *steps* are those of now, and lines about steps that they do not have still count.
    Raises LookupError where it stands at none of them.
    """
    last = max((number for number, entry in enumerate(entries) if entry.stands), default=None)
    if last is None:
        raise LookupError("the diary has no line that enters a step")
    so_far = entries[: last + 1]
    stands = entries[last].step
    turns = way_to(steps, stands)
    if turns is None:
        raise LookupError(f'the run stands at "{stands}", which is not among the steps')
    entered = entries[last]
    past = {entry.step for entry in so_far if entry.did == "passed"}
    sent = {step: delivery for step, delivery in became.items() if step in past}
    around = [turn.step for turn in turns if turn.arm == MEANWHILE]
    around += [stands] if entered.did == "returned" else []
    since = _entered_at(so_far)
    return Position(
        step=stands,
        since=entered.at,
        turns=turns,
        lines=entries[last].n + 1,
        sent=sent,
        heard=tuple(heard),
        taken=_Taking(steps, heard, sent, day).by(so_far),
        inside={step: since.get(step, entered.at) for step in around},
        moved_at=entries[last - 1].at if last and entries[last - 1].did == "moved" else None,
    )


def _entered_at(entries: Iterable[Entry]) -> dict[str, datetime]:
    """When each step was entered, the last time: a version may have it once more, behind where a run stood."""
    return {entry.step: entry.at for entry in entries if entry.did == "entered"}


class _Taking(NamedTuple):
    """What decides which event answered a question that was passed, as the walk chose it."""

    steps: Steps
    heard: Sequence[Arrival]
    sent: Mapping[str, Delivery]
    day: timedelta

    def by(self, entries: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
        """The events that answered, each with the series around its question."""
        steps = {step.id: step for step in every_step(self.steps)}
        entered: dict[str, datetime] = {}
        stood = entries[0].at
        taken: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            if entry.stands:
                stood = entry.at
                entered |= {entry.step: entry.at} if entry.did == "entered" else {}
            elif entry.did == "passed" and entry.arm:
                asked_at = entered.get(entry.step, stood)
                if answer := self._answer(steps.get(entry.step), entry, asked_at, stood, taken):
                    taken[answer.event] = self._around(entry.step)
        return taken

    def _answer(
        self, step: AnyStep | None, passed: Entry, asked_at: datetime, stood: datetime, taken: Mapping[str, Around]
    ) -> Arrival | None:
        """What answered a step; None where the arm that was taken is for no answer, or was chosen by what was known."""
        if step is None:
            found = [heard for heard in self.heard if not _names(passed).isdisjoint(heard.answers)]
        elif isinstance(step, Asking) and (question := step.questions.get(passed.arm or "")):
            if isinstance(question, BecomesQuestion) and passed.why != question.words:
                return None
            found = list(self._answering(step, passed.arm or "", asked_at, taken))
        else:
            return None
        in_time = sorted((heard for heard in found if heard.at <= passed.at), key=lambda heard: (heard.at, heard.event))
        exactly = [heard for heard in in_time if max(heard.at, stood) == passed.at]
        # What release 0.1 passed, it passed when it heard of the answer.
        return next(iter(exactly or (in_time if step else ())), None)

    def _answering(self, step: Asking, arm: str, asked_at: datetime, taken: Mapping[str, Around]) -> Iterator[Arrival]:
        question, sent = step.questions[arm], self.sent.get(step.limit_counts_from or "")
        when = window(step, asked_at, sent.at if sent else None, self.day)
        for heard in self.heard:
            used = isinstance(question, EventQuestion) and step.id not in taken.get(heard.event, (step.id,))
            if step.answer_name(arm) in heard.answers and when.has(heard.at, question) and not used:
                yield heard

    def _around(self, step: str) -> Around:
        return tuple(turn.step for turn in way_to(self.steps, step) or () if turn.arm == MEANWHILE)


def _names(passed: Entry) -> frozenset[str]:
    """What answers are called to a step of another version, which may have one question or several."""
    return frozenset((passed.step, f"{passed.step}.{passed.arm}"))
