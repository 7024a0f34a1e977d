"""Logs on standard error: lines for people at a terminal, JSON for machines."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime

from ..report.visible import visible

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the call gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Control and non-ASCII characters are escaped."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        return json.dumps(line, default=str)


class Lines(logging.Formatter):
    """`warning: the collector drift failed`, with everything that a terminal could act on escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return f"{record.levelname.lower()}: {visible(record.getMessage(), 1000)}"


def configure() -> None:
    """Log Mandate's own events: warnings at a terminal, everything of note in CI or a pipe, as JSON there."""
    person = sys.stderr.isatty() and not os.environ.get("CI")
    handler = logging.StreamHandler()
    handler.setFormatter(Lines() if person else JsonLines())
    logger = logging.getLogger("mandate")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.WARNING if person else logging.INFO)
    logger.propagate = False
