"""What every request must pass, whichever protocol it comes by: token, limits, the log."""

import asyncio
import hmac
import re
import secrets
import sys
import time
from itertools import count
from typing import TYPE_CHECKING, Any, TextIO

from holmdel.errors import UserError
from holmdel.server.errors import BUSY, RequestError
from holmdel.server.log import Log

if TYPE_CHECKING:
    from holmdel.server.metrics import Metrics
    from holmdel.server.settings import ServerSettings

_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_FLIGHT_BODIES = 16  # bodies of the largest size that may be in memory at once
_PASSES = 4  # iterations of the event loop from a request's arrival to its answer
_FEW = 128  # requests that are never late: one that takes long would refuse those beside it


class Gate:
    """Counts the requests under way and refuses those that may not pass.

    Attributes:
        settings: the token and the limits.
        metrics: counts the answers.
        draining: set when the server is to stop: streams end, new requests get an error.
        under_way: the number of requests.
        listening: how many of them wait for more of their body, or whether their client goes. They
            take nothing from the others; their number is limited by that of the connections.
        turn: seconds that an iteration of the event loop may take, for none to wait too long.

    Args:
        settings, metrics: see above.
        log: gets a JSON line per request; None for no log.
    """

    def __init__(
        self, settings: "ServerSettings", metrics: "Metrics", log: TextIO | None = sys.stderr
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.draining = asyncio.Event()
        self.under_way = 0
        self.listening = 0
        self._log = Log(log)
        self._bytes = 0
        self._since: float | None = None  # when this iteration of the event loop began
        self.turn = settings.wait / _PASSES
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)

    def name(self, given: str) -> str:
        """Returns what a request is called: as it says, if that is a name, else a new one."""
        return given if _ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers)}"

    def check_token(self, given: bytes) -> None:
        """Raises a RequestError unless the header `Authorization` has the token."""
        token = self.settings.token
        if token and not hmac.compare_digest(given, b"Bearer " + token.encode()):
            raise RequestError(
                401, "the request has no token or a wrong one; send Authorization: Bearer TOKEN"
            )

    def check_open(self) -> None:
        """Raises a RequestError where the server is stopping."""
        if self.draining.is_set():
            raise RequestError(503, "the server is stopping; try again later", retry_after=BUSY)

    def too_much(self, own: int = 0) -> str | None:
        """Returns why a request cannot be answered soon, None where it can.

        Requests that came together are begun one after another in one iteration of the event loop.
        Those whose turn comes after the iteration's share of `settings.wait` are refused: that is
        how long they have waited, and what those before them took has still to be answered.

        Args:
            own: 1 where the request itself is counted.
        """
        if reason := self.full(-own):
            return reason
        if self._since is None:
            self._since = time.perf_counter()
            asyncio.get_running_loop().call_soon(self._over)
            return None
        if self.answering - own < _FEW or time.perf_counter() - self._since <= self.turn:
            return None
        return self.late

    @property
    def answering(self) -> int:
        """The number of requests that are being answered."""
        return self.under_way - self.listening

    def full(self, more: int) -> str | None:
        """Returns why a request has no place, None where it has one.

        Args:
            more: requests beside those under way that have a place.
        """
        others = self.answering + more
        if others < self.settings.requests:
            return None
        return f"{others} requests are being answered; try again later"

    @property
    def late(self) -> str:
        """Why a request is refused that would come too late."""
        return f"a request waits for more than {self.settings.wait:g} s; try again later"

    def _over(self) -> None:
        """Notes that an iteration of the event loop is over."""
        self._since = None

    def weigh(self, body: int, more: int) -> None:
        """Counts bytes of a body, which `forget` takes back.

        Args:
            body: the bytes of it so far.
            more: those of them that are new.

        Raises:
            RequestError: if it is too large, or all bodies are, or it came late.
        """
        self._bytes += more
        if body > self.settings.body_bytes:
            raise self.too_large()
        if self._bytes > _FLIGHT_BODIES * self.settings.body_bytes:
            raise RequestError(
                503,
                "the bodies of all requests are too large together; try again later",
                retry_after=BUSY,
            )
        # Once more, as many may have come while this one was waited for.
        if reason := self.too_much(own=1):
            raise RequestError(503, reason, retry_after=BUSY)

    def forget(self, body: int) -> None:
        """Forgets the bytes of a body."""
        self._bytes -= body

    def too_large(self) -> RequestError:
        """Returns the error of a body that is too large."""
        return RequestError(
            413, f"the body is larger than {self.settings.body_bytes:,} bytes; send less at once"
        )

    def failure(self, error: Exception, id_: str) -> RequestError:
        """Returns the error that a client is told of; one that nobody expects goes into the log."""
        if isinstance(error, RequestError):
            return error
        if isinstance(error, UserError):
            return RequestError(400, str(error))
        if isinstance(error, TimeoutError):
            seconds = self.settings.seconds
            return RequestError(
                408, f"the request took longer than {seconds:g} seconds; send less at once"
            )
        self._log.failure(id_, error)
        return RequestError(
            500, f"the server failed at this request; its log has the reason under {id_}"
        )

    def note(self, route: str, status: int, seconds: float, **said: Any) -> None:
        """Counts and logs an answer.

        Args:
            route: the label of the metrics, which no request can choose freely.
            status: of HTTP.
            seconds: that it took.
            said: what the log says beside these.
        """
        self.metrics.answered(route, status, seconds)
        self._log.request(**said, status=status, ms=round(seconds * 1000, 2))
