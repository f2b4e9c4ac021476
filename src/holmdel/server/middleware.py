"""Middleware around every route: access, limits, CORS, metrics and the log."""

import asyncio
import hmac
import re
import secrets
import sys
import time
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Protocol, TextIO

from fastapi import Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from holmdel.server.errors import BUSY, RequestError, error_response
from holmdel.server.guarded_request import GuardedRequest
from holmdel.server.log import WARNING, Log

if TYPE_CHECKING:
    from holmdel.server.metrics import Metrics
    from holmdel.server.settings import ServerSettings

_OPEN = ("/v2/health/live", "/v2/health/ready")  # for load balancers, without a token
_SAFE = ("GET", "HEAD", "OPTIONS")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_PORT = re.compile(r":\d*$")
_GONE = 499  # nginx's status for a client that went away before the answer
_EXPOSED = b"x-request-id, retry-after, inference-header-content-length"
_FLIGHT_BODIES = 16  # bodies of the largest size that may be in memory at once


class Guarded(Protocol):
    """What the middleware asks of the services of a server; see `Services`."""

    settings: "ServerSettings"
    metrics: "Metrics"
    draining: asyncio.Event


class GuardMiddleware:
    """ASGI middleware that checks requests and answers those that may not pass with an error.

    Args:
        app: the application.
        services: for the settings, the metrics, and whether the server is stopping.
        open_paths: paths that need no token: the page's files.
        log: gets a JSON line per request; None for no log.
    """

    def __init__(
        self,
        app: ASGIApp,
        services: Guarded,
        open_paths: frozenset[str],
        log: TextIO | None = sys.stderr,
    ) -> None:
        self._app = app
        self._services = services
        self._settings = services.settings
        self._hosts = {*_LOCAL, self._settings.host} if self._settings.loopback else None
        self._open = open_paths | {*_OPEN}
        self._log = Log(log)
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)
        self._requests = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection; only HTTP requests are checked."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        id_ = given if _ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers)}"
        request = GuardedRequest(id_, scope, headers, receive, send, self._weigh)
        request.added += self._shared_with(headers)
        self._requests += 1
        began = time.perf_counter()
        try:
            await self._pass(request)
        finally:
            self._requests -= 1
            self._bytes -= request.body
            self._note(request, time.perf_counter() - began)

    async def _pass(self, request: GuardedRequest) -> None:
        """Answers a request within the time limit, by the application or by an error."""
        try:
            async with asyncio.timeout(self._settings.seconds) as request.clock:
                if self._is_preflight(request):
                    return await request.answer(self._preflight(request.headers))
                self._check(request)
                return await self._app(request.scope, request.receive, request.send)
        except RequestError as error:
            failure = error
        except ClientDisconnect:
            request.status = _GONE
            return None
        except asyncio.CancelledError:
            if not self._services.draining.is_set():
                raise
            failure = RequestError(
                503, "the server stopped before the request was done", retry_after=BUSY
            )
        except Exception as error:
            if isinstance(error, TimeoutError) and request.late:
                seconds = self._settings.seconds
                failure = RequestError(
                    408, f"the request took longer than {seconds:g} seconds; send less at once"
                )
            else:
                self._log.failure(request.id, error)
                failure = RequestError(
                    500,
                    f"the server failed at this request; its log has the reason under {request.id}",
                )
        if request.begun:  # a begun answer cannot be replaced; the connection is closed
            return None
        request.clock = None
        headers = self._error_headers(failure)
        return await request.answer(error_response(failure.status, str(failure), headers))

    def _error_headers(self, failure: RequestError) -> Mapping[str, str]:
        """Returns the headers of an error's answer."""
        headers = {}
        if failure.retry_after is not None:
            headers["Retry-After"] = str(failure.retry_after)
        if failure.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self._services.draining.is_set():
            headers["Connection"] = "close"
        return headers

    def _check(self, request: GuardedRequest) -> None:
        """Raises a RequestError for a request that may not pass."""
        path, method, headers = request.scope["path"], request.method, request.headers
        if path in _OPEN:
            return
        self._check_site(method, headers)
        if self._settings.token and path not in self._open:
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, b"Bearer " + self._settings.token.encode()):
                raise RequestError(
                    401,
                    "the request has no token or a wrong one; send Authorization: Bearer TOKEN",
                )
        if self._services.draining.is_set():
            raise RequestError(503, "the server is stopping; try again later", retry_after=BUSY)
        if self._requests > self._settings.requests:
            raise RequestError(
                503, f"{self._requests - 1} requests are being answered; try again later",
                retry_after=BUSY,
            )  # fmt: skip
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and (len(length) > 18 or int(length) > self._settings.body_bytes):
            raise self._too_large()

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

    def _shared_with(self, headers: dict[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
        """Returns the CORS headers with which a page of an allowed origin may read an answer."""
        if not self._settings.origins:
            return ()
        origin = headers.get(b"origin", b"")
        if origin.decode("latin-1") not in self._settings.origins:
            return ((b"vary", b"Origin"),)
        return (
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
        )

    def _is_preflight(self, request: GuardedRequest) -> bool:
        """Whether it is a CORS preflight request for a page of an allowed origin."""
        return (
            request.method == "OPTIONS"
            and b"access-control-request-method" in request.headers
            and request.headers.get(b"origin", b"").decode("latin-1") in self._settings.origins
        )

    def _preflight(self, headers: dict[bytes, bytes]) -> Response:
        """Returns the answer to a preflight; the token is checked in the request that follows."""
        asked = headers.get(b"access-control-request-headers", b"").decode("latin-1")
        allowed = {
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Allow-Headers": asked or "content-type",
            "Access-Control-Max-Age": "600",
        }
        if b"access-control-request-private-network" in headers:
            allowed["Access-Control-Allow-Private-Network"] = "true"
        return Response(status_code=204, headers=allowed)

    def _weigh(self, request: GuardedRequest, more: int) -> None:
        """Counts the bytes of a body; raises a RequestError for too many."""
        request.body += more
        self._bytes += more
        if request.body > self._settings.body_bytes:
            raise self._too_large()
        if self._bytes > _FLIGHT_BODIES * self._settings.body_bytes:
            raise RequestError(
                503,
                "the bodies of all requests are too large together; try again later",
                retry_after=BUSY,
            )

    def _too_large(self) -> RequestError:
        return RequestError(
            413, f"the body is larger than {self._settings.body_bytes:,} bytes; send less at once"
        )

    def _note(self, request: GuardedRequest, seconds: float) -> None:
        """Counts and logs an answer."""
        scope = request.scope
        route = getattr(scope.get("route"), "path", "other")
        self._services.metrics.answered(route, request.status, seconds)
        self._log.request(
            request=request.id,
            method=request.method,
            path=scope["path"],
            status=request.status,
            ms=round(seconds * 1000, 2),
            bytes=request.body,
            **({"warning": scope[WARNING]} if WARNING in scope else {}),
        )
