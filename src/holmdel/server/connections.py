"""Connections with limits: on their number, the size of a request's head, and the time for it."""

import json
import time
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_BYTES = 65_536  # of the request line and the headers
_LINGER = 5.0  # seconds for which what a refused client still sends is thrown away
LINGERING = 1024  # refused connections beyond the limit that may be open meanwhile
_OFFER = b"upgrade"  # the header that offers another protocol, such as h2c or websocket


class Connection(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits, and with errors as JSON like those of the routes.

    Attributes:
        most: the number of connections that may be open.
        head_seconds: the seconds in which a request's head must arrive, counted from the connection
            or from the last answer on it.
    """

    most = 2048
    head_seconds = 10.0

    _idle_since = 0.0
    _head = 0  # bytes received since the last complete head
    _closing_since: float | None = None
    _refused = False  # whether an answer was given in place of the application
    _all_said = False  # whether the client has closed its side, with requests still to be answered

    def connection_made(self, transport: Any) -> None:
        """Accepts a connection; answers 503 where too many are open."""
        super().connection_made(transport)
        self._idle_since = time.monotonic()
        if len(self.connections) > self.most:
            self._reject(
                503, "too many connections are open; try again later", "retry-after: 1\r\n"
            )

    def data_received(self, data: bytes) -> None:
        """Parses the bytes received; answers 431 to a head that is too large."""
        if self._refused:
            return
        self._head += len(data)
        self._unset_keepalive_if_required()
        while data:
            data = self._parse(data)
        if self._head > _HEAD_BYTES and not self._refused and not self.transport.is_closing():
            self._reject(431, f"the headers are larger than {_HEAD_BYTES:,} bytes; send fewer")

    def _parse(self, data: bytes) -> bytes:
        """Parses bytes received; returns what is to be parsed instead of those not yet taken.

        httptools takes no body of a request that offers another protocol, so such a request is
        parsed anew without its offer.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.logger.warning("invalid HTTP: %s", error)
            self.send_400_response(str(error))
        except httptools.HttpParserUpgrade as offer:
            if self._should_upgrade():
                return self._declined() + data[offer.args[0] :]
        return b""

    def _should_upgrade(self) -> bool:
        """Whether the parser stopped at these headers, as they offer another protocol."""
        return any(name == _OFFER for name, _ in self.headers)

    def _declined(self) -> bytes:
        """Returns the request's head without the offer, and makes a parser for it."""
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != _OFFER]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        return b"\r\n".join([*lines, b"", b""])

    def on_headers_complete(self) -> None:
        """Notes that a head is complete."""
        self._head = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Notes that the bytes received belong to a body."""
        self._head = 0
        super().on_body(body)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answers what a client has asked before it closed its side of the connection."""
        if self._refused:
            return False
        self._all_said = self._answering() and not self.cycle.more_body
        return self._all_said

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def on_response_complete(self) -> None:
        """Notes when the wait for the next request began; closes where none can come."""
        self._idle_since = time.monotonic()
        super().on_response_complete()
        if self._all_said and not self._answering():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answers 400 to what is not HTTP."""
        self._reject(400, "the request is not valid HTTP/1.1; check its request line and headers")

    def check_time(self, now: float) -> None:
        """Closes the connection if a head is late, or if the client does not take the answer."""
        if self._refused and now - self._idle_since > _LINGER:
            self.transport.close()
        if self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > self.head_seconds:
                self.transport.abort()
            return
        if (
            not self._refused
            and not self._answering()
            and now - self._idle_since > self.head_seconds
        ):
            seconds = f"{self.head_seconds:g}"
            self._reject(
                408, f"no complete request arrived within {seconds} seconds; send it again"
            )

    def _reject(self, status: int, sentence: str, headers: str = "") -> None:
        """Answers in place of the application, and closes the connection.

        A client that still sends would be told of a reset and not of the answer, so only this side
        is closed at once; both are where the application may still write an answer.
        """
        self.transport.write(refusal(status, sentence, headers))
        self._refused, self._idle_since = True, time.monotonic()
        if self._answering() or len(self.connections) > self.most + LINGERING:
            self.transport.close()
        else:
            self.transport.write_eof()


@lru_cache(maxsize=1024)
def refusal(status: int, sentence: str, headers: str = "") -> bytes:
    """Returns an answer in place of the application's, after which the connection is closed."""
    body = json.dumps({"error": sentence}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{headers}connection: close\r\n\r\n"
    )
    return head.encode() + body


def sweep(connections: Iterable[Any]) -> None:
    """Closes the connections that are over a time limit; to be called about once a second."""
    now = time.monotonic()
    for connection in tuple(connections):
        cast(Connection, connection).check_time(now)
