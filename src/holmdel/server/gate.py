"""What every request passes: who may ask, how much, for how long; and what is noted of it."""

import asyncio
import hmac
import re
import secrets
import sys
import time
from collections.abc import Mapping
from itertools import count
from typing import TextIO

from fastapi import Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from holmdel.server.batching import BUSY
from holmdel.server.log import Log
from holmdel.server.passage import Passage
from holmdel.server.refusals import Refusal, answer
from holmdel.server.services import Services

_OPEN = ("/v2/health/live", "/v2/health/ready")  # for those who look whether a server is well
_SAFE = ("GET", "HEAD", "OPTIONS")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_PORT = re.compile(r":\d*$")
_GONE = 499  # what nginx notes where the client went away before it was answered
_EXPOSED = b"x-request-id, retry-after, inference-header-content-length"
_FLIGHT_BODIES = 16  # so many bodies of the largest size may be in memory at once


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
        self._hosts = {*_LOCAL, self._settings.host} if self._settings.loopback else None
        self._open = open_paths | {*_OPEN}
        self._log = Log(log)
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
        passage = Passage(id_, scope, headers, receive, send, self._weigh)
        passage.added += self._shared_with(headers)
        self._requests += 1
        began = time.perf_counter()
        try:
            await self._pass(passage)
        finally:
            self._requests -= 1
            self._bytes -= passage.body
            self._note(passage, time.perf_counter() - began)

    async def _pass(self, passage: Passage) -> None:
        """Has a request answered in time, or refuses it."""
        try:
            async with asyncio.timeout(self._settings.seconds) as passage.clock:
                if self._is_preflight(passage):
                    return await passage.answer(self._preflight(passage.headers))
                self._check(passage)
                return await self._app(passage.scope, passage.receive, passage.send)
        except Refusal as error:
            refusal = error
        except ClientDisconnect:
            passage.status = _GONE
            return None
        except asyncio.CancelledError:
            if not self._services.draining.is_set():
                raise
            refusal = Refusal(503, "the server stopped before this was done", retry_after=BUSY)
        except Exception as error:
            if isinstance(error, TimeoutError) and passage.late:
                seconds = self._settings.seconds
                refusal = Refusal(
                    408, f"the request took longer than {seconds:g} seconds; send less"
                )
            else:
                self._log.failure(passage.id, error)
                refusal = Refusal(
                    500, f"the server failed at this request; its log has why, by {passage.id}"
                )
        if passage.begun:  # what is on its way cannot be taken back; the connection is closed
            return None
        passage.clock = None
        return await passage.answer(answer(refusal.status, str(refusal), self._advice(refusal)))

    def _advice(self, refusal: Refusal) -> Mapping[str, str]:
        """Returns the headers of a refusal."""
        headers = {}
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        if refusal.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self._services.draining.is_set():
            headers["Connection"] = "close"
        return headers

    def _check(self, passage: Passage) -> None:
        """Raises a Refusal for a request that is not to be passed on."""
        path, method, headers = passage.scope["path"], passage.scope["method"], passage.headers
        if path in _OPEN:
            return
        self._check_site(method, headers)
        if self._settings.token and path not in self._open:
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
        host = headers.get(b"host", b"").decode("latin-1").lower()
        name = _PORT.sub("", host)
        if self._hosts and name not in self._hosts:
            raise Refusal(403, f"the host was given as {name!r}; expected {', '.join(_LOCAL)}")
        if method in _SAFE or b"origin" not in headers:
            return
        origin = headers[b"origin"].decode("latin-1")
        if origin.partition("://")[2] != host and origin not in self._settings.origins:
            raise Refusal(403, f"a page of {origin} may not use this server; allow its origin")

    def _shared_with(self, headers: dict[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
        """Returns the headers by which a page of an allowed origin may see an answer (CORS)."""
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

    def _is_preflight(self, passage: Passage) -> bool:
        """Whether a browser asks, before a request of an allowed page, if it may send it."""
        return (
            passage.scope["method"] == "OPTIONS"
            and b"access-control-request-method" in passage.headers
            and passage.headers.get(b"origin", b"").decode("latin-1") in self._settings.origins
        )

    def _preflight(self, headers: dict[bytes, bytes]) -> Response:
        """Returns that it may; a token is looked for in the request itself."""
        asked = headers.get(b"access-control-request-headers", b"").decode("latin-1")
        allowed = {
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Allow-Headers": asked or "content-type",
            "Access-Control-Max-Age": "600",
        }
        if b"access-control-request-private-network" in headers:
            allowed["Access-Control-Allow-Private-Network"] = "true"
        return Response(status_code=204, headers=allowed)

    def _weigh(self, passage: Passage, more: int) -> None:
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

    def _note(self, passage: Passage, seconds: float) -> None:
        """Counts an answer, and logs it."""
        scope = passage.scope
        route = getattr(scope.get("route"), "path", "other")
        self._services.metrics.answered(route, passage.status, seconds)
        self._log.request(
            request=passage.id,
            method=scope["method"],
            path=scope["path"],
            status=passage.status,
            ms=round(seconds * 1000, 2),
            bytes=passage.body,
        )
