"""The server's log: one JSON object per line."""

import asyncio
import contextlib
import json
import logging
import sys
import time
import traceback
from typing import Any, TextIO

from pydantic_core import to_json

WARNING = "holmdel.warning"  # in a request's scope: what its line is to say beside the rest
_TIME = "%Y-%m-%dT%H:%M:%S%z"


class Log:
    """Writes JSON lines to a stream.

    The lines of one iteration of the event loop are written together, as many requests end in one.

    Args:
        stream: gets the lines; None for no log, except that failures go to standard error as text.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""

    def request(self, **said: Any) -> None:
        """Logs a request that was answered."""
        if self._stream is None:
            return
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._write)
        self._lines.append(to_json({"time": self._now(), **said}).decode())

    def failure(self, request: str, error: BaseException) -> None:
        """Logs an exception that no route expects, with its traceback."""
        text = "".join(traceback.format_exception(error))
        if self._stream is None:
            _put(sys.stderr, f"holmdel: request {request} failed\n{text}")
            return
        said = {"time": self._now(), "event": "failure", "request": request, "traceback": text}
        _put(self._stream, json.dumps(said) + "\n")

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        if self._stream is not None:
            _put(self._stream, "\n".join(lines) + "\n")

    def _now(self) -> str:
        """Returns the time as text, which is formatted once a second."""
        second = int(time.time())
        if second != self._second:
            self._second, self._stamp = second, time.strftime(_TIME, time.localtime(second))
        return self._stamp


class JsonFormatter(logging.Formatter):
    """Formats the log records of libraries as JSON lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns a record as a JSON line."""
        said = {
            "time": time.strftime(_TIME, time.localtime(record.created)),
            "event": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said)


def _put(stream: TextIO, text: str) -> None:
    """Writes a text; a closed stream does not stop the server."""
    with contextlib.suppress(OSError, ValueError):
        stream.write(text)
        stream.flush()
