"""Clients of a server on this machine, in a process of their own; prints what they saw as JSON.

python bench/clients.py PORT CLIENTS SECONDS [PICTURE]

Each client sends a picture to /v1/classify, waits for the answer and sends it again. HTTP is
spoken by hand: a client that does more would be measured in place of the server.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import cast

import uvloop

_AFTER = 5.0  # seconds in which the last answers may come


class Client(asyncio.Protocol):
    """Asks one request after another until the time is up."""

    def __init__(self, crowd: "Crowd") -> None:
        self.crowd = crowd
        self.buffer = b""
        self.sent = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Sends the first request."""
        self.transport = cast(asyncio.Transport, transport)
        self.crowd.open += 1
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Counts a connection that was ended by the server."""
        self.crowd.open -= 1
        if time.perf_counter() < self.crowd.end:
            self.crowd.statuses["lost"] += 1

    def send(self) -> None:
        """Sends a request."""
        self.sent = time.perf_counter()
        self.transport.write(self.crowd.request)

    def data_received(self, data: bytes) -> None:
        """Notes a whole answer, and asks again."""
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        self.buffer = b""
        now = time.perf_counter()
        status = head[9:12].decode()
        self.crowd.statuses[status] += 1
        self.crowd.waits.setdefault(status, []).append(now - self.sent)
        if now < self.crowd.end:
            self.send()
        else:
            self.transport.close()


class Crowd:
    """Some clients and what they saw."""

    def __init__(self, port: int, seconds: float, picture: bytes) -> None:
        self.request = (
            b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: image/png\r\n"
            b"Content-Length: %d\r\n\r\n" % (port, len(picture))
        ) + picture
        self.port = port
        self.seconds = seconds
        self.end = 0.0
        self.open = 0
        self.statuses: Counter[str] = Counter()
        self.waits: dict[str, list[float]] = {}

    async def run(self, clients: int) -> None:
        """Lets so many clients ask."""
        loop = asyncio.get_running_loop()
        self.end = time.perf_counter() + self.seconds
        for _ in range(clients):
            await loop.create_connection(lambda: Client(self), "127.0.0.1", self.port)
        last = self.end + _AFTER
        while self.open and time.perf_counter() < last:
            await asyncio.sleep(0.05)
        self.statuses["unanswered"] += self.open

    def report(self) -> dict[str, object]:
        """Returns answers by status, and the milliseconds that they took."""
        return {
            "seconds": self.seconds,
            "statuses": {status: n for status, n in self.statuses.items() if n},
            "ms": {status: spread(waits) for status, waits in self.waits.items()},
        }


def spread(waits: list[float]) -> dict[str, float]:
    """Returns the median of some seconds, the 99th percentile and the longest, in milliseconds."""
    ordered = sorted(waits)
    marks = {"p50": 0.5, "p99": 0.99, "longest": 1.0}
    return {
        name: round(1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)], 2)
        for name, share in marks.items()
    }


def main() -> None:
    """Prints what the clients saw."""
    port, clients, seconds, picture = sys.argv[1:]
    crowd = Crowd(int(port), float(seconds), Path(picture).read_bytes())
    uvloop.run(crowd.run(int(clients)))
    if not crowd.waits:
        sys.exit("no answer came")
    print(json.dumps(crowd.report()))


if __name__ == "__main__":
    main()
