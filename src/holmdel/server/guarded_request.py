"""One request inside the middleware: its bytes are counted, its answer gets security headers."""

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from fastapi import Response
from starlette.types import Message, Receive, Scope, Send

if TYPE_CHECKING:
    from holmdel.server.gate import Gate

_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; "
        b"base-uri 'none'; form-action 'none'; object-src 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
# Where notebooks may show the page: those of this machine.
_LOCAL = b"frame-ancestors http://localhost:* http://127.0.0.1:* https://localhost:*"


Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


def security_headers(*, framed: bool) -> Headers:
    """Returns what every answer says to browsers.

    Args:
        framed: whether pages of this machine may show it in a frame.
    """
    if not framed:
        return _HEADERS
    return tuple(
        (name, value.replace(b"frame-ancestors 'none'", _LOCAL))
        for name, value in _HEADERS
        if name != b"x-frame-options"
    )


_PART = 30.0  # seconds in which a client has to take the next part of a stream
_LINGER = 2.0  # seconds for which the rest of a too large body is read and thrown away


class GuardedRequest:
    """One request, and the ASGI channels that the application gets for it.

    Attributes:
        id: of the request.
        method: as it was sent.
        scope: as ASGI has it; HEAD is GET there, as every route that has the one has the other.
        headers: of the request, by name in lower case.
        added: headers that its answer gets.
        body: bytes of the body received so far.
        status: of its answer, 500 until it has one.
        begun: whether its answer has begun.
        clock: its time limit.

    Args:
        id_: of the request.
        scope: as ASGI has it.
        headers: of the request.
        added: headers that its answer gets.
        receive: ASGI's channel that its body comes from.
        send: ASGI's channel that its answer goes to.
        gate: weighs its body.
    """

    __slots__ = (
        "_gate", "_receive", "_send", "_unread",
        "added", "begun", "body", "clock", "headers", "id", "method", "scope", "status",
    )  # fmt: skip

    def __init__(
        self,
        id_: str,
        scope: Scope,
        headers: dict[bytes, bytes],
        added: Headers,
        receive: Receive,
        send: Send,
        gate: "Gate",
    ) -> None:
        self.id = id_
        self.method: str = scope["method"]
        self.scope = {**scope, "method": "GET"} if self.method == "HEAD" else scope
        self.headers = headers
        self.added = (*added, (b"x-request-id", id_.encode()))
        self.body = 0
        self.status = 500
        self.begun = False
        self.clock: asyncio.Timeout | None = None
        self._receive = receive
        self._send = send
        self._gate = gate
        self._unread = headers.get(b"content-length", b"0") != b"0" or (
            b"transfer-encoding" in headers
        )

    async def receive(self) -> Message:
        """Returns ASGI's next message."""
        self._gate.listening += 1
        try:
            message = await self._receive()
        finally:
            self._gate.listening -= 1
        if message["type"] == "http.request":
            self._unread = message.get("more_body", False)
            new = len(message.get("body", b""))
            self.body += new
            self._gate.weigh(self.body, new)
        return message

    async def send(self, message: Message) -> None:
        """Sends a part of the answer; headers are added to the first one."""
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self.added]
            if self._unread and self.status in (408, 413):
                message["headers"].append((b"connection", b"close"))
            if not any(name == b"content-length" for name, _ in message["headers"]):
                self._wait(None)  # a stream may go on for hours
            await self._send(message)
            if self.method == "HEAD":
                await self._send({"type": "http.response.body"})
        elif self.method == "HEAD":
            return
        elif message.get("more_body"):
            await self._send_on(message)
        elif self._unread and self.status == 413:
            await self._send({**message, "more_body": True})
            await self._drain()
            await self._send({"type": "http.response.body"})
        else:
            await self._send(message)

    async def answer(self, response: Response) -> None:
        """Sends a whole answer."""
        await response(self.scope, self.receive, self.send)

    async def _send_on(self, message: Message) -> None:
        """Sends a part of a stream; each part has a time limit of its own."""
        self._wait(_PART)
        await self._send(message)
        self._wait(None)

    def _wait(self, seconds: float | None) -> None:
        """Sets the time limit anew, unless it is over."""
        if self.clock is not None and not self.clock.expired():
            now = asyncio.get_running_loop().time()
            self.clock.reschedule(None if seconds is None else now + seconds)

    async def _drain(self) -> None:
        """Throws the rest of a body away: a client that still sends would not see the answer."""
        if b"expect" in self.headers:
            return
        try:
            async with asyncio.timeout(_LINGER):
                while (await self._receive()).get("more_body"):
                    pass
        except TimeoutError:
            return
