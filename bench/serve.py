"""How fast `holmdel serve` answers, how it bears too much, and how soon it is there.

    python bench/serve.py [--seconds 20] [--overload 60] [--record]

The server and its clients (bench/clients.py, a process of their own) share two cores and talk over
the loopback device. The picture is a digit of 28x28 as a PNG file.
"""

import argparse
import contextlib
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from holmdel import data
from record import record

CORES = 2
STARTS = 5
ALONE = 5.0  # seconds with one client
CLIENTS = 64
TIMES = 10  # as many clients as `CLIENTS` are too many
LOG = Path(__file__).parent / "logs" / "serve.log"
SOON = 0.1  # seconds in which a healthy server answers one request


class Server:
    """`holmdel serve` on a free port."""

    def __init__(self, folder: Path) -> None:
        words = [sys.executable, "-m", "holmdel", "serve", "--port", "0"]
        began = time.perf_counter()
        with (folder / "server.log").open("w") as log:
            self.process = subprocess.Popen(words, stderr=log, cwd=folder)
        while '"ready"' not in (said := (folder / "server.log").read_text()):
            if self.process.poll() is not None:
                sys.exit(f"holmdel serve ended: {said}")
            time.sleep(0.005)
        self.port = int(json.loads(said.splitlines()[-1])["url"].rpartition(":")[2])
        self.ask("GET", "/v2/health/ready")
        self.seconds = time.perf_counter() - began  # until it answers

    def ask(self, method: str, path: str, body: bytes | None = None, wait: float = 30) -> int:
        """Returns the status of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=wait)
        with contextlib.closing(connection):
            connection.request(method, path, body)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def megabytes(self) -> float:
        """Returns its resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def stop(self) -> None:
        """Ends it."""
        self.process.terminate()
        if self.process.wait(60):
            sys.exit("holmdel serve did not end well")


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Gives a server, which is ended."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            yield server
        except BaseException:
            server.process.kill()
            raise
        server.stop()


def digit() -> bytes:
    """Returns the PNG file of a digit in MNIST's form."""
    file = io.BytesIO()
    Image.fromarray(data.load("digits").test.images[0, 0].numpy()).save(file, "PNG")
    return file.getvalue()


def start_seconds() -> float:
    """Returns the median seconds from the command to the first answer."""
    times = []
    for _ in range(STARTS + 1):
        with running() as server:
            times.append(server.seconds)
    return statistics.median(times[1:])  # the first warms the disk


def load(server: Server, clients: int, seconds: float, picture: Path) -> dict[str, Any]:
    """Returns what so many clients saw in so many seconds."""
    words = [Path(__file__).with_name("clients.py"), server.port, clients, seconds, picture]
    run = subprocess.run(
        [sys.executable, *map(str, words)], check=True, stdout=subprocess.PIPE, timeout=seconds + 60
    )
    found: dict[str, Any] = json.loads(run.stdout)
    found["clients"] = clients
    found["accepted_per_sec"] = round(found["statuses"].get("200", 0) / seconds)
    return found


def overload(server: Server, seconds: float, picture: Path) -> dict[str, Any]:
    """Returns what too many clients saw, and how the server's memory and health were."""
    memory, done = [server.megabytes()], threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            memory.append(server.megabytes())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        found = load(server, TIMES * CLIENTS, seconds, picture)
    finally:
        done.set()
        watching.join()
    found["healthy_after_seconds"] = round(_recovery(server, picture.read_bytes()), 3)
    tenth = max(len(memory) // 10, 1)
    found["mb"] = {
        "before": round(memory[0]),
        "after a tenth": round(memory[tenth]),
        "most": round(max(memory)),
        "after": round(server.megabytes()),
    }
    return found


def _recovery(server: Server, picture: bytes) -> float:
    """Returns the seconds until a request is answered as ever."""
    began = time.perf_counter()
    while True:
        asked = time.perf_counter()
        with contextlib.suppress(OSError):
            good = server.ask("POST", "/v1/classify", picture) == 200
            if good and time.perf_counter() - asked < SOON:
                return time.perf_counter() - began
        if time.perf_counter() - began > 60:
            sys.exit("the server did not recover")


def main() -> None:
    """Prints and, if asked, records the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--overload", type=float, default=60.0)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    figures: dict[str, Any] = {"start_seconds": round(start_seconds(), 2)}
    with tempfile.TemporaryDirectory() as folder, running() as server:
        picture = Path(folder) / "digit.png"
        picture.write_bytes(digit())
        load(server, CLIENTS, 2, picture)  # warms it
        figures["alone"] = load(server, 1, ALONE, picture)
        figures["sustained"] = load(server, CLIENTS, words.seconds, picture)
        figures["overload"] = overload(server, words.overload, picture)
    lines = [f"{name}: {json.dumps(value)}" for name, value in figures.items()]
    print("\n".join(lines))
    if words.record:
        LOG.write_text("\n".join(lines) + "\n", encoding="utf-8")
        record("serve", figures | {"log": f"bench/logs/{LOG.name}"})


if __name__ == "__main__":
    main()
