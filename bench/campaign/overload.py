"""Too much for a server: an open loop at a multiple of what it bears, some clients slow or cut off.

The clients are those of flood.c: so many requests a second, each on a connection of its own,
whether or not those before it were answered. One in ten sends its request in drops, or only two
thirds of it and then closes its side.
"""

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serve
from clients import spread

SOURCE = Path(__file__).with_name("flood.c")
SLOW = 0.1  # of the clients
TAKEN = {"200", "408", "413", "503", "cut off"}  # what may come of a request
CLIENTS = 64

Waits = dict[str, list[float]]  # seconds by status


def request(port: int) -> bytes:
    """Returns what each client sends: a digit to be classified."""
    picture = serve.digit()
    head = f"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/png\r\n"
    return f"{head}Content-Length: {len(picture)}\r\n\r\n".encode() + picture


def said(lines: str) -> Waits:
    """Returns the seconds of each outcome that flood.c printed."""
    waits = Waits()
    for line in lines.splitlines():
        outcome, _, milliseconds = line.rpartition("\t")
        waits.setdefault(outcome, []).append(float(milliseconds) / 1000)
    return waits


class Watch:
    """Notes a server's memory, and what one more client sees, until the end of `with`."""

    def __init__(self, server: serve.Server) -> None:
        self.server, self.memory = server, [server.megabytes()]
        self.waits = Waits()
        self.picture = serve.digit()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.25):
            self.memory.append(self.server.megabytes())
            began = time.perf_counter()
            try:
                status = str(self.server.ask("POST", "/v1/classify", self.picture))
            except OSError as error:
                status = type(error).__name__
            self.waits.setdefault(status, []).append(time.perf_counter() - began)


def much(
    server: serve.Server, rate: float, seconds: float, seed: int, folder: Path
) -> dict[str, Any]:
    """Returns what so many requests a second did, with files of its own in a folder."""
    program, asked, told = folder / "flood", folder / "request", folder / "told"
    subprocess.run(["cc", "-O2", str(SOURCE), "-o", str(program)], check=True)
    asked.write_bytes(request(server.port))
    words = [server.port, rate, seconds, seed, SLOW, asked]
    with Watch(server) as watch, told.open("w") as out:
        clients = subprocess.Popen(
            [program, *map(str, words)], stdout=out, stderr=subprocess.PIPE, text=True
        )
        assert clients.stderr
        assert clients.stderr.readline() == "sent\n"
        recovery = serve._recovery(server, serve.digit())
        assert clients.wait() == 0
    waits = said(told.read_text())
    tenth = len(watch.memory) // 10
    return {
        "sent_per_sec": round(sum(map(len, waits.values())) / seconds),
        "statuses": {outcome: len(found) for outcome, found in sorted(waits.items())},
        "ms": {outcome: spread(found) for outcome, found in sorted(waits.items())},
        "one more": {
            status: {"asked": len(found), **spread(found)} for status, found in watch.waits.items()
        },
        "unexpected": sorted(set(waits) - TAKEN),
        "healthy_after_seconds": round(recovery, 3),
        "megabytes": {
            "before": round(watch.memory[0]),
            "after a tenth": round(watch.memory[tenth]),
            "most": round(max(watch.memory)),
        },
    }


def campaign(seed: int, seconds: float, times: float, tell: Callable[[str], None]) -> Any:
    """Returns what an open loop and a closed one did to a server.

    Args:
        seed: of which clients are slow.
        seconds: that each of them lasts.
        times: the rate of the open one, in times of what the server bears.
        tell: is told how it goes.
    """
    with tempfile.TemporaryDirectory() as folder, serve.running() as server:
        picture = Path(folder) / "digit.png"
        picture.write_bytes(serve.digit())
        serve.load(server, CLIENTS, 2, picture)
        capacity = serve.load(server, CLIENTS, 5, picture)["accepted_per_sec"]
        result = {"capacity_per_sec": capacity, "seconds": seconds}
        result["open"] = much(server, times * capacity, seconds, seed, Path(folder))
        tell(f"open loop: {json.dumps(result)}")
        closed = serve.overload(server, seconds, picture)
        result["closed"] = closed
    tell(f"closed loop: {json.dumps(result['closed'])}")
    return result
