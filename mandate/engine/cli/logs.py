"""Logs on standard error: lines for people at a terminal, JSON for machines."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..report.visible import visible

Context = Callable[[], Mapping[str, Any]]

# With `color_message` uvicorn says the message again, for a terminal.
_NOT_EXTRA = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what the call gave as `extra`.

    `context`: what every line says beside that, such as the request that is being served.
    """

    def __init__(self, context: Context = dict) -> None:
        super().__init__()
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """The line. Control and non-ASCII characters are escaped."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._context(),
            **{name: value for name, value in vars(record).items() if name not in _NOT_EXTRA},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Lines(logging.Formatter):
    """`warning: the collector drift failed`, with everything that a terminal could act on escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return f"{record.levelname.lower()}: {visible(record.getMessage(), 1000)}"


def configure(context: Context = dict) -> None:
    """Log Mandate's own events: warnings at a terminal, everything of note in CI or a pipe, as JSON there.

    `context`: see `JsonLines`.
    """
    person = _is_read_by_a_person()
    _log_to(logging.getLogger("mandate"), Lines() if person else JsonLines(context), person=person)


def serve(context: Context) -> None:
    """Log as a service does: what libraries say too, in the same form. `context`: see `JsonLines`.

    People are told where it answers, too.
    """
    person = _is_read_by_a_person()
    logging.getLogger("mandate.serving").setLevel(logging.INFO)
    formatter = Lines() if person else JsonLines(context)
    _log_to(logging.getLogger("mandate"), formatter, person=person)
    _log_to(logging.getLogger("uvicorn"), formatter, person=person)
    root = logging.getLogger()
    root.handlers[:] = [_handler(formatter)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def _is_read_by_a_person() -> bool:
    return sys.stderr.isatty() and not os.environ.get("CI")


def _log_to(logger: logging.Logger, formatter: logging.Formatter, *, person: bool) -> None:
    logger.handlers[:] = [_handler(formatter)]
    logger.setLevel(logging.WARNING if person else logging.INFO)
    logger.propagate = False


def _handler(formatter: logging.Formatter) -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    return handler
