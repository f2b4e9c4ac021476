"""What every request passes: who may ask, how much, for how long; and what is noted of it."""

import asyncio
import hmac
import json
import re
import secrets
import sys
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holmdel.server.batching import BUSY
from holmdel.server.refusals import Refusal, answer
from holmdel.server.services import Services

_OPEN = ("/v2/health/live", "/v2/health/ready")  # for those who look whether a server is well
_SAFE = ("GET", "HEAD", "OPTIONS")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; "
        b"base-uri 'none'; form-action 'none'; object-src 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_FLIGHT_BODIES = 16  # so many bodies of the largest size may be in memory at once


@dataclass(eq=False)
class _Passage:
    """One request on its way through."""

    id: str
    began: float
    body: int = 0
    status: int = 500
    headers: dict[bytes, bytes] = field(default_factory=dict)


class Gate:
    """ASGI middleware that lets requests through, or says why not.

    Args:
        app: the application.
        services: settings, metrics, and whether the server is to stop.
        open_paths: paths that need no token: the page's files.
        log: where a JSON line a request goes; None for none.
    """

    def __init__(
        self,
        app: ASGIApp,
        services: Services,
        open_paths: frozenset[str],
        log: TextIO | None = sys.stderr,
    ) -> None:
        self._app = app
        self._services = services
        self._settings = services.settings
        self._open = open_paths | {*_OPEN}
        self._log = log
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)
        self._requests = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        id_ = given if _ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers)}"
        passage = _Passage(id_, time.perf_counter(), headers=headers)
        self._requests += 1
        try:
            await self._pass(passage, scope, receive, send)
        finally:
            self._requests -= 1
            self._bytes -= passage.body
            self._note(passage, scope)

    async def _pass(self, passage: _Passage, scope: Scope, receive: Receive, send: Send) -> None:
        """Has a request answered in time, or refuses it."""
        clock = asyncio.timeout(self._settings.seconds)
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                passage.status = message["status"]
                own = (b"x-request-id", passage.id.encode())
                message["headers"] = [*message["headers"], *_HEADERS, own]
                if not clock.expired():
                    clock.reschedule(None)  # a stream of events may go on for hours
            await send(message)

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._weigh(passage, len(message.get("body", b"")))
            return message

        try:
            async with clock:
                self._check(passage, scope)
                await self._app(scope, receiving, sending)
                return
        except TimeoutError:
            seconds = self._settings.seconds
            refusal = Refusal(408, f"the request took longer than {seconds:g} seconds; send less")
        except Refusal as error:
            refusal = error
        if not begun:
            await answer(refusal.status, str(refusal), self._advice(refusal))(
                scope, receive, sending
            )

    def _advice(self, refusal: Refusal) -> dict[str, str]:
        """Returns the headers of a refusal."""
        headers = {}
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        if refusal.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if refusal.status in (408, 413) or self._services.draining.is_set():
            headers["Connection"] = "close"
        return headers

    def _check(self, passage: _Passage, scope: Scope) -> None:
        """Raises a Refusal for a request that is not to be passed on."""
        path, headers = scope["path"], passage.headers
        if path in _OPEN:
            return
        self._check_site(scope["method"], headers)
        if self._settings.token and path not in self._open and scope["method"] != "OPTIONS":
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, b"Bearer " + self._settings.token.encode()):
                raise Refusal(
                    401, "no token was given, or another; expected Authorization: Bearer TOKEN"
                )
        if self._services.draining.is_set():
            raise Refusal(503, "the server is stopping; try another", retry_after=BUSY)
        if self._requests > self._settings.requests:
            raise Refusal(
                503, f"{self._requests - 1} requests are under way; try again later",
                retry_after=BUSY,
            )  # fmt: skip
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._settings.body_bytes:
            raise self._too_large()

    def _check_site(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Refuses what a page of another site has a browser send.

        Such a page may lie at a name that leads to this machine, so the name is looked at too.
        """
        host = headers.get(b"host", b"").decode("latin-1")
        name = re.sub(r":\d+$", "", host)
        if self._settings.loopback and name not in (*_LOCAL, self._settings.host):
            raise Refusal(403, f"the host was given as {name!r}; expected {', '.join(_LOCAL)}")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if method in _SAFE or not origin or origin in self._settings.origins:
            return
        if origin.partition("://")[2] != host:
            raise Refusal(403, f"a page of {origin} may not use this server; allow its origin")

    def _weigh(self, passage: _Passage, more: int) -> None:
        """Counts the bytes of a body, and refuses what is too much."""
        passage.body += more
        self._bytes += more
        if passage.body > self._settings.body_bytes:
            raise self._too_large()
        if self._bytes > _FLIGHT_BODIES * self._settings.body_bytes:
            raise Refusal(503, "too many bytes are under way; try again later", retry_after=BUSY)

    def _too_large(self) -> Refusal:
        return Refusal(
            413, f"the body is above {self._settings.body_bytes:,} bytes; send less at a time"
        )

    def _note(self, passage: _Passage, scope: Scope) -> None:
        """Counts an answer, and logs it."""
        seconds = time.perf_counter() - passage.began
        route = getattr(scope.get("route"), "path", "other")
        metrics = self._services.metrics
        metrics.requests.labels(route, passage.status).inc()
        metrics.seconds.labels(route).observe(seconds)
        if passage.status >= 400:
            metrics.refusals.labels(passage.status).inc()
        if self._log is not None:
            line = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "request": passage.id,
                "method": scope["method"],
                "path": scope["path"],
                "status": passage.status,
                "ms": round(seconds * 1000, 2),
                "bytes": passage.body,
            }
            print(json.dumps(line), file=self._log)
