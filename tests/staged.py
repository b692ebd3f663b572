"""A story on the virtual clock."""

from __future__ import annotations

from datetime import datetime

from journeys.walk.preview import Stage
from journeys.walk.script import Happening
from tests.samples import version
from tests.stories import Complete, LetGo, Line, Mend, Pause, Publish, Repair, Resume, Rule, Says, Stop, Story


def staged(name: str, story: Story, begin: datetime) -> Stage:
    """The stage on which a story was played to the end of its last line; nobody has let the rest of time pass."""
    stage = Stage(
        story.customer,
        customer_id=name,
        contents=story.contents,
        said={},
        policy=story.policy,
        started_at=begin,
        compiled=version,
    )
    for journey in (story.journey(begin), *story.beside):
        stage.publish(version(journey))
    for line in story.lines_from(begin):
        stage.advance(begin + line.at)
        _happen(stage, line)
    return stage


def _happen(stage: Stage, line: Line) -> None:
    match line:
        case Happening():
            stage.happen(line)
        case Publish():
            published = {"publish": line.journey, "people": line.people, "map": dict(line.names)}
            stage.happen(Happening.model_validate({"at": line.at, **published}))
        case Stop(version=number):
            stage.stop("abandoned-cart", number)
        case Complete():
            stage.complete("abandoned-cart")
        case LetGo():
            stage.let_go(line.journey)
        case Pause():
            stage.pause(line.journey)
        case Resume():
            stage.resume(line.journey, line.catch_up)
        case Says(consent=consent):
            stage.said = {**stage.said, consent.about: consent.choice}
        case Rule():
            stage.policy = line.policy
        case Mend(content=content):
            stage.contents = {**stage.contents, content.content: content}
        case Repair(step=step, reason=reason, instead=instead):
            stage.repair(step=step, reason=reason, instead=instead)
