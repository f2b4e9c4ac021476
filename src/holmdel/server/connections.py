"""A client's connection: bounded in number, in the size of a request's head, and in patience."""

import json
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_BYTES = 65_536  # of a request's line and headers


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with the limits that it lacks, and refusals as the routes give them.

    Attributes:
        most: connections that may be open.
        head_seconds: how long a request's head may take to come, counted from the connection or
            from the last answer on it.
    """

    most = 2048
    head_seconds = 10.0

    _idle_since = 0.0
    _head = 0  # bytes that came since the last request was understood
    _closing_since: float | None = None

    def connection_made(self, transport: Any) -> None:
        """Takes a connection, or refuses it where there are too many."""
        super().connection_made(transport)
        self._idle_since = time.monotonic()
        if len(self.connections) > self.most:
            self._refuse(
                503, "too many connections are open; try again later", "retry-after: 1\r\n"
            )

    def data_received(self, data: bytes) -> None:
        """Takes what came, or refuses a head without end."""
        self._head += len(data)
        super().data_received(data)
        if self._head > _HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, f"the head of the request is above {_HEAD_BYTES:,} bytes; send less")

    def on_headers_complete(self) -> None:
        """Notes that a head is complete."""
        self._head = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Notes that what came was no head."""
        self._head = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Notes from when on the next request is waited for."""
        self._idle_since = time.monotonic()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP."""
        self._refuse(400, "what came is not HTTP/1.1 as it should be; look at the request")

    def look(self, now: float) -> None:
        """Ends the connection if a request's head is late, or its last bytes are not taken."""
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > self.head_seconds:
                self.transport.abort()
            return
        answering = self.cycle is not None and not self.cycle.response_complete
        if not answering and now - self._idle_since > self.head_seconds:
            seconds = f"{self.head_seconds:g}"
            self._refuse(408, f"no request came within {seconds} seconds; send it at once")

    def _refuse(self, status: int, sentence: str, headers: str = "") -> None:
        """Answers in place of the application, and closes."""
        body = json.dumps({"error": sentence}).encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n{headers}connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def sweep(connections: Iterable[Any]) -> None:
    """Has each connection look whether it has gone on for too long."""
    now = time.monotonic()
    for connection in tuple(connections):
        cast(Connection, connection).look(now)
