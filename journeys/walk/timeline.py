"""What a preview tells: every event with what it did, and every run with its messages, its calls and its diary."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from journeys.facts import Decision
from journeys.interactions import Kind
from journeys.language.attributes import Attributes
from journeys.models import Model
from journeys.walk.diary import Ended, EndedBy, Entry, Held


class PreviewSend(Model):
    """One message that would go out, or would be blocked."""

    step: str
    kind: Kind
    content: str
    at: AwareDatetime
    outcome: str
    to: str | None = None
    reason: str = ""
    parts: dict[str, str] = Field(default_factory=dict)


class PreviewCall(Model):
    """One call of an endpoint, with what it would be told. It is taken to succeed."""

    step: str
    endpoint: str
    at: AwareDatetime
    data: Attributes


class PreviewHold(Held):
    """A message that would be held at a *step*, from *at* on."""

    step: str
    at: AwareDatetime


class PreviewRun(Model):
    """What one run would do.

    *holds*: where its messages would be held, until when and why, one after the other; then all is looked at again.
    *held*: why it stands where it is, where its message would be held without an end.
    """

    id: str
    version: int
    key: str | None
    entered_at: AwareDatetime
    ended: Ended | None
    ended_by: EndedBy | None
    ended_at: AwareDatetime | None
    why: str
    goal_met_at: AwareDatetime | None
    held: Held | None = None
    holds: tuple[PreviewHold, ...] = ()
    sends: tuple[PreviewSend, ...]
    calls: tuple[PreviewCall, ...] = ()
    diary: tuple[Entry, ...]


class Heard(Model):
    """One line of the script with what it did. *trigger*: of its event; nothing where somebody let go or repaired."""

    event: str
    trigger: str
    at: AwareDatetime
    decisions: tuple[Decision, ...]


class Made(Heard):
    """One event that a run made at a step, with what it did."""

    run: str
    step: str


class PreviewMove(Model):
    """A run that was to go on in the version that was published then. *stays*: why it did not, if it did not."""

    run: str
    version: int
    at: AwareDatetime
    stays: str = ""


class Timeline(Model):
    """The outcome of a preview: every event with its decisions, every run with its sends and its diary.

    *made*: the events that are not in the script, as runs made them. *moves*: what became of the people inside where a
    version was published.
    """

    started_at: AwareDatetime
    events: tuple[Heard, ...]
    runs: tuple[PreviewRun, ...]
    made: tuple[Made, ...] = ()
    moves: tuple[PreviewMove, ...] = ()
