"""What a source asks of the outcomes of its run's messages: ``sent["hello"] in ["blocked", "failed"]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from journeys.interactions import Interaction
from journeys.language.cel_tree import Call, Constant, Name, Node, Part, comparisons, parts
from journeys.nearest import did_you_mean
from journeys.problems import Flaw
from journeys.walk.diary import Outcome

OUTCOMES: tuple[str, ...] = get_args(Outcome)
LONGEST_OUTCOME = max(map(len, OUTCOMES))


def asks_of(root: Node) -> tuple[str, ...]:
    """The ids of the steps whose outcomes it asks for, in order."""
    return tuple(dict.fromkeys(_asked(root)))


def flaws_of_sent(root: Node) -> list[Flaw]:
    """Outcomes that nobody can look up, and words that no outcome is."""
    return list(dict.fromkeys((*_wrongly_asked(root), *_wrongly_compared(root))))


def _step(node: Node) -> str | None:
    """The step that this node asks for; None where it asks for none, or for one that is not written out."""
    match node:
        case Call(function="_[_]", arguments=(Name(name="sent"), Constant(text=step))):
            return step
        case Call(function="@in", arguments=(Constant(text=step), Name(name="sent"))):
            return step
        case _:
            return None


def _asked(node: Node) -> Iterator[str]:
    if (step := _step(node)) is not None:
        yield step
    for part in parts(node):
        yield from _asked(part)


_HINT = 'Write the id of one message in quotes, such as sent["hello"].'


def _wrongly_asked(node: Node) -> Iterator[Flaw]:
    if _step(node) is not None:
        return
    match node:
        case Part(of=Name(name="sent"), name=name):
            yield Flaw(path="", message=f"sent.{name} is not understood.", hint=f'Write sent["{name}"].')
        case (
            Call(function="_[_]", arguments=(Name(name="sent"), _))
            | Call(function="@in", arguments=(_, Name(name="sent")))
        ):
            yield Flaw(path="", message="sent takes an id that is written out; here it comes from data.", hint=_HINT)
        case Name(name="sent"):
            yield Flaw(path="", message="sent by itself is nothing that can be asked.", hint=_HINT)
        case _:
            for part in parts(node):
                yield from _wrongly_asked(part)


def _wrongly_compared(root: Node) -> Iterator[Flaw]:
    for of, constant in comparisons(root):
        step, word = _step(of), constant.text
        if step is not None and word is not None and word not in OUTCOMES:
            yield Flaw(path="", message=f'sent["{step}"] is never "{_short(word)}".', hint=_hint(step, word))


def _hint(step: str, word: str) -> str:
    if word in get_args(Interaction):
        return f"What was told later is asked by a step: if: {{message: {step}, is: {word}, within: 1 day}}."
    return did_you_mean(word, OUTCOMES)


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:39]}…"
