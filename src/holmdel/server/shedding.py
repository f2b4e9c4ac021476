"""New connections for which there is no time: told so at once, and let go soon."""

import contextlib
import socket
import time
from collections import deque

from holmdel.server.connections import refusal

MOST = 8192  # such connections at once, if so many files may be open
_LINGER = 5.0  # seconds in which a client may still send what it has begun
_UNREAD = 1_000_000  # bytes that are thrown away


class Shed:
    """Connections that were refused before anything was read of them.

    To read a request and refuse it takes several times as long as to accept its connection, so a
    server that reads all of far too many has no time left to answer any. A connection is not closed
    at once: its client would be told of a reset, and not of the answer.

    Args:
        most: how many may be open.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: deque[tuple[float, socket.socket]] = deque()

    def refuse(self, connection: socket.socket, reason: str) -> None:
        """Answers 503 on a new connection."""
        with contextlib.suppress(OSError):  # the client has gone
            connection.send(refusal(503, reason, "retry-after: 1\r\n"))
            connection.shutdown(socket.SHUT_WR)
        self._open.append((time.monotonic(), connection))
        if len(self._open) > self._most:
            _close(self._open.popleft()[1])

    def sweep(self, linger: float = _LINGER) -> None:
        """Closes the connections that were refused more than `linger` seconds ago."""
        while self._open and time.monotonic() - self._open[0][0] >= linger:
            _close(self._open.popleft()[1])


def _close(connection: socket.socket) -> None:
    """Closes a connection; what was sent and not read would reset it."""
    with contextlib.suppress(OSError):  # no more is there, or the client has gone
        connection.recv(_UNREAD)
    connection.close()
