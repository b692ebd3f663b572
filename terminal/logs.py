"""Where the logs of all parts go."""

from __future__ import annotations

import logging
from pathlib import Path

import structlog


def log_to(file: Path | None, level: str) -> None:
    """Write the logs of all parts to *file*, or to standard error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    form = "%(asctime)s %(levelname)-7s %(name)s  %(message)s"
    handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler()
    logging.basicConfig(level=number, format=form, handlers=[handler], force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
