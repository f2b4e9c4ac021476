"""Middleware around every route: access, limits, metrics and the log."""

import asyncio
import re
import time
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from holmdel.server.errors import BUSY, RequestError, error_response
from holmdel.server.guarded_request import GuardedRequest, security_headers
from holmdel.server.log import WARNING

if TYPE_CHECKING:
    from holmdel.server.gate import Gate

_OPEN = ("/v2/health/live", "/v2/health/ready")  # for load balancers, without a token
_SAFE = ("GET", "HEAD", "OPTIONS")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r":\d*$")
_GONE = 499  # nginx's status for a client that went away before the answer


class GuardMiddleware:
    """ASGI middleware that checks requests and answers those that may not pass with an error.

    Args:
        app: the application.
        gate: what requests must pass.
        open_paths: paths that need no token: the page's files.
    """

    def __init__(self, app: ASGIApp, gate: "Gate", open_paths: frozenset[str]) -> None:
        self._app = app
        self._gate = gate
        self._settings = gate.settings
        self._hosts = {*_LOCAL, self._settings.host} if self._settings.loopback else None
        self._open = open_paths | {*_OPEN}
        self._added = security_headers(framed=self._settings.framed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection; only HTTP requests are checked."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        busy = scope["path"] not in _OPEN and self._gate.too_much()
        headers = dict(scope["headers"])
        id_ = self._gate.name(headers.get(b"x-request-id", b"").decode("latin-1"))
        if busy and not self._gate.draining.is_set():
            await self._refuse(id_, scope, send, busy)
            return
        request = GuardedRequest(id_, scope, headers, self._added, receive, send, self._gate)
        self._gate.under_way += 1
        began = time.perf_counter()
        try:
            await self._pass(request)
        finally:
            self._gate.under_way -= 1
            self._gate.forget(request.body)
            self._note(request, time.perf_counter() - began)

    async def _refuse(self, id_: str, scope: Scope, send: Send, reason: str) -> None:
        """Answers 503 before anything else is looked at.

        A server that takes as long to refuse as to answer does nothing else when too much comes.
        """
        began = time.perf_counter()
        body = b'{"error":"%s"}' % reason.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % BUSY),
            *self._added,
            (b"x-request-id", id_.encode()),
        ]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        said = {"request": id_, "method": scope["method"], "path": scope["path"], "bytes": 0}
        self._gate.note("other", 503, time.perf_counter() - began, **said)

    async def _pass(self, request: GuardedRequest) -> None:
        """Answers a request within the time limit, by the application or by an error."""
        try:
            async with asyncio.timeout(self._settings.seconds) as request.clock:
                self._check(request)
                return await self._app(request.scope, request.receive, request.send)
        except ClientDisconnect:
            request.status = _GONE
            return None
        except asyncio.CancelledError:
            if not self._gate.draining.is_set():
                raise
            failure = RequestError(
                503, "the server stopped before the request was done", retry_after=BUSY
            )
        except Exception as error:
            failure = self._gate.failure(error, request.id)
        if request.begun:  # a begun answer cannot be replaced; the connection is closed
            return None
        request.clock = None
        last = {"Connection": "close"} if self._gate.draining.is_set() else {}
        headers = failure.headers | last
        return await request.answer(error_response(failure.status, str(failure), headers))

    def _check(self, request: GuardedRequest) -> None:
        """Raises a RequestError for a request that may not pass."""
        path, method, headers = request.scope["path"], request.method, request.headers
        if path in _OPEN:
            return
        self._check_site(method, headers)
        if path not in self._open:
            self._gate.check_token(headers.get(b"authorization", b""))
        self._gate.check_open()
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and (len(length) > 18 or int(length) > self._settings.body_bytes):
            raise self._gate.too_large()

    def _check_site(self, method: str, headers: dict[bytes, bytes]) -> None:
        """Raises a RequestError for what a page of another site has a browser send.

        The name of such a site may point to this machine (DNS rebinding), so the Host header is
        checked too.
        """
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = _PORT.sub("", host)
        if self._hosts and name not in self._hosts:
            raise RequestError(
                403, f"the Host header names {name!r}; expected one of {', '.join(_LOCAL)}"
            )
        if method in _SAFE or b"origin" not in headers:
            return
        origin = headers[b"origin"].decode("latin-1")
        if origin.partition("://")[2] != host and origin not in self._settings.origins:
            raise RequestError(
                403, f"a page of {origin} may not use this server; start it with --allow-origin"
            )

    def _note(self, request: GuardedRequest, seconds: float) -> None:
        """Counts and logs an answer."""
        scope = request.scope
        route = getattr(scope.get("route"), "path", "other")
        self._gate.note(
            route,
            request.status,
            seconds,
            request=request.id,
            method=request.method,
            path=scope["path"],
            bytes=request.body,
            **({"warning": scope[WARNING]} if WARNING in scope else {}),
        )
