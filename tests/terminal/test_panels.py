"""Every command stands under one heading of ``sojourn --help``, and the headings name no other."""

from __future__ import annotations

from itertools import chain

import cli
from terminal.panels import PANELS, commands


def test_every_command_stands_under_one_heading() -> None:
    listed = sorted(chain.from_iterable(PANELS.values()))

    assert listed == sorted(name for name, _ in commands(cli.app))
    assert {command.rich_help_panel for _, command in commands(cli.app)} == {*PANELS}
