"""Where the logs of all parts go."""

from __future__ import annotations

import logging
from pathlib import Path

import structlog
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter


def log_to(file: Path | None, level: str) -> None:
    """Write the logs of all parts to *file*, or to standard error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    form = "%(asctime)s %(levelname)-7s %(name)s  %(message)s"
    handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler()
    logging.basicConfig(level=number, format=form, handlers=[handler], force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    # The SDK's core would print by itself, in colours, whatever the terminal is showing.
    core = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")),
    )
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=core)), error_if_already_set=False)
