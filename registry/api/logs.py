"""Operational logs: one JSON object a line on standard output, ids and places only. They are not the audit log."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from registry.domain.clock import SystemClock

_CLOCK = SystemClock()

# Names under which somebody could one day log what must not be in a log. Their values are dropped, whatever they are.
_NEVER = frozenset(
    {"address", "authorization", "body", "case", "exc_info", "exception", "note", "path", "query", "stack", "token"}
    | {"url", "value"}
)


def configure_logs(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Set up logging for a server process.

    Args:
        stream: where lines go; standard output when not given.
        level: of our own lines; libraries are heard from warnings on.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_personal_keys,
            structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=Lines(stream or sys.stdout, is_heard=level <= logging.INFO),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [ConstantHandler()]
    root.setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(level)


class Lines(structlog.WriteLoggerFactory):
    """Writes lines: those of answers together, once in a round of the event loop, all others at once."""

    def __init__(self, stream: TextIO, *, is_heard: bool) -> None:
        """Write to a stream; ``is_heard`` tells whether answers are wanted at all."""
        super().__init__(stream)
        self._stream = stream
        self._is_heard = is_heard
        self._answers: list[bytes] = []

    def answered(self, fields: dict[str, Any]) -> None:
        """Write of an answer, soon; on an event loop."""
        if not self._is_heard:
            return
        line = {**fields, "event": "answered", "level": "info", "timestamp": _CLOCK.now()}
        self._answers.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        if len(self._answers) == 1:
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        lines, self._answers = self._answers, []
        self._stream.write(b"".join(lines).decode())
        self._stream.flush()


def say_answered(**fields: str | float | None) -> None:
    """Log an answer: its fields are ids, places and numbers, never what anybody sent."""
    lines = structlog.get_config()["logger_factory"]
    if isinstance(lines, Lines):
        lines.answered(fields)
    else:
        structlog.get_logger("registry.api").info("answered", **fields)


def _json(event: MutableMapping[str, Any], **_options: Any) -> str:
    return orjson.dumps(event, default=repr).decode()


def without_personal_keys(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop keywords that could carry somebody's data."""
    for key in _NEVER & event.keys():
        event[key] = "***"
    return event


class ConstantHandler(logging.Handler):
    """Passes on what libraries log: the constant text of the call, never its arguments or an exception's text."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        log = structlog.get_logger("registry.api")
        raised = record.exc_info[0] if record.exc_info else None
        fault = None if raised is None else raised.__name__
        message = record.msg if isinstance(record.msg, str) and not raised else "library message"
        log.log(record.levelno, "library", library=record.name, said=_template(message), error=fault)


def _template(message: str) -> str:
    # A message that was put together beforehand cannot be told from a template; only known short ones pass.
    return message if message in _KNOWN else "other"


_KNOWN = frozenset(
    {
        "Started server process [%d]",
        "Waiting for application startup.",
        "Application startup complete.",
        "Shutting down",
        "Waiting for connections to close. (CTRL+C to force quit)",
        "Waiting for background tasks to complete. (CTRL+C to force quit)",
        "Waiting for application shutdown.",
        "Application shutdown complete.",
        "Application startup failed. Exiting.",
        "Application shutdown failed. Exiting.",
        "Finished server process [%d]",
        "Invalid HTTP request received.",
    }
)
