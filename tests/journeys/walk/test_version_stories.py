"""Stories of new versions, told on the virtual clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from journeys.walk.script import DEFAULT_START
from tests.staged import staged
from tests.version_stories import VERSION_STORIES
from tests.workflows.test_stories import told


@pytest.mark.parametrize("name", VERSION_STORIES)
def test_a_story_of_a_new_version(name: str) -> None:
    story = VERSION_STORIES[name]

    runs = staged(name, story, DEFAULT_START).finish().runs

    assert [told(run, DEFAULT_START, timedelta.resolution) for run in runs] == list(story.runs)
