"""New connections: how many there is time for, and the others told so at once."""

import asyncio
import contextlib
import socket
import time
from collections import deque
from typing import TYPE_CHECKING

from holmdel.server.connections import refusal

if TYPE_CHECKING:
    from holmdel.server.gate import Gate

MOST = 8192  # such connections at once, if so many files may be open
_LINGER = 5.0  # seconds in which a client may still send what it has begun
_UNREAD = 1_000_000  # bytes that are thrown away
_MORE = getattr(socket, "MSG_MORE", 0)  # an answer and the end of it are one packet

_LEAST = 16  # requests that may wait however slow the event loop is
_FULL = 0.5  # of the longest iteration: from there on fewer may wait
_SHARE = 3  # times as long as all else in an iteration new connections are taken and refused
_SHORTEST = 0.005  # seconds in which they are
_PASSES = 4  # iterations from a new connection to its request
_FORGOTTEN = 1.0  # seconds after which it does not count how long an iteration took


class Door:
    """Says how many new connections are let in, and when the event loop has to go on.

    It follows what the iterations of the event loop take, by the clock: other programs may leave
    the server little of the processor. Where one takes too long, fewer may wait, in proportion;
    else more, by and by.

    Args:
        gate: what the requests must pass.
    """

    def __init__(self, gate: "Gate") -> None:
        self._gate = gate
        self._aim = _FULL * gate.turn
        self._most = gate.settings.requests  # that may wait
        self._new = deque([0], _PASSES)  # connections let in, by iteration, without a request yet
        self._rest = 0.0  # seconds of the last iteration, without those for new connections
        self._taking = 0.0  # seconds of this one for them
        self._began = self._until = 0.0  # when new ones are taken
        self._turns = 0  # iterations that are still to be followed
        self._turned = 0.0  # when the last ended

    def open(self) -> None:
        """Begins to take new connections."""
        self._began = time.perf_counter()
        if self._began - self._turned > _FORGOTTEN:
            self._most, self._rest = self._gate.settings.requests, 0.0
        self._until = self._began + min(_SHARE * max(self._rest, _SHORTEST), self._aim)

    def refuses(self) -> str | None:
        """Returns why the next connection cannot be served soon; None lets it in."""
        new = sum(self._new)
        if reason := self._gate.full(new):
            return reason
        if self._gate.answering + new >= self._most:
            return self._gate.late
        self._new[-1] += 1
        return None

    @property
    def over(self) -> bool:
        """Whether those who wait for an answer are to go on now."""
        return time.perf_counter() >= self._until

    def close(self) -> None:
        """Ends taking new connections for this iteration."""
        now = time.perf_counter()
        self._taking += now - self._began
        if not self._turns:
            self._turned = now
            asyncio.get_running_loop().call_soon(self._turn)
        self._turns = _PASSES + 1

    def _turn(self) -> None:
        """Follows an iteration of the event loop."""
        now = time.perf_counter()
        whole = now - self._turned
        self._rest, self._taking, self._turned = max(whole - self._taking, 0.0), 0.0, now
        waiting = self._gate.answering + sum(self._new)
        if whole > self._aim:
            self._most = max(_LEAST, int(waiting * self._aim / whole))
        else:
            self._most = min(self._most + _LEAST, self._gate.settings.requests)
        self._new.append(0)
        self._turns -= 1
        if self._turns:
            asyncio.get_running_loop().call_soon(self._turn)


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
            connection.send(refusal(503, reason, "retry-after: 1\r\n"), _MORE)
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
