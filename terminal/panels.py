"""Under which heading ``sojourn --help`` lists each command, so that somebody new finds what they came for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import typer
from typer.models import CommandInfo, TyperInfo

PANELS: Mapping[str, tuple[str, ...]] = {
    "Run Sojourn": ("dev", "demo", "api", "worker"),
    "Keep it running": ("migrate", "check-upgrade", "rebuild", "prune", "audit", "key"),
    "Define journeys, and try them out": ("validate", "schema", "show", "preview", "apply", "policy"),
    "Publish, pause, repair and end journeys": (
        "publish",
        "pause",
        "resume",
        "release",
        "repair",
        "complete",
        "stop",
        "archive",
    ),
    "See what happens": ("event", "journeys", "journey", "runs", "run", "tests", "problems"),
    "Customers": ("cancel", "erase", "suppressions", "lift"),
}


def arrange(app: typer.Typer) -> None:
    """Put each command of *app* under its heading. Raises KeyError for one that has none."""
    panel_of = {name: panel for panel, names in PANELS.items() for name in names}
    for name, command in commands(app):
        command.rich_help_panel = panel_of[name]


def commands(app: typer.Typer) -> Iterator[tuple[str, CommandInfo | TyperInfo]]:
    """All that can be typed after ``sojourn``, those of groups without a name among them."""
    for command in app.registered_commands:
        if command.callback:
            yield command.name or command.callback.__name__, command
    for group in app.registered_groups:
        if group.name:
            yield group.name, group
        elif group.typer_instance:
            yield from commands(group.typer_instance)
