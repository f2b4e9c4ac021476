"""Too much for a server: an open loop at a multiple of what it bears, some clients slow or cut off.

    python -m campaign.overload PORT RATE SECONDS SEED

is the process of the clients: so many requests a second, each on a connection of its own, whether
or not those before it were answered. One in ten sends its body in drops, or only half of it and
then closes its side.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serve
from clients import spread

SLOW = 0.1  # of the clients
GIVES_UP = 45.0  # seconds
TAKEN = {"200", "408", "413", "503", "cut off"}  # what may come of a request
CLIENTS = 64
PROCESSES = 2  # of clients; one alone is not quick enough

Waits = dict[str, list[float]]  # seconds by status


async def client(port: int, request: bytes, how: str, statuses: Counter[str]) -> None:
    """Sends a request and counts what came of it."""
    writer = None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if how == "drops":
            for at in range(0, len(request), len(request) // 6):
                if reader.at_eof() or writer.transport.is_closing():  # refused meanwhile
                    break
                writer.write(request[at : at + len(request) // 6])
                await asyncio.sleep(0.5)
        elif how == "half":
            writer.write(request[: -len(request) // 3])
            writer.write_eof()
        else:
            writer.write(request)
        line = await asyncio.wait_for(reader.readline(), GIVES_UP)
        answered = line[9:12].decode("latin-1") if line else "closed"
    except TimeoutError:
        answered = "late"
    except OSError as error:
        answered = f"closed ({type(error).__name__})"
    finally:
        if writer is not None:
            writer.close()
    half = how == "half" and answered.startswith("closed")
    statuses["cut off" if half else answered] += 1


async def clients(port: int, rate: float, seconds: float, seed: int) -> dict[str, Any]:
    """Returns what came of so many requests a second."""
    dice, statuses = random.Random(seed), Counter[str]()
    picture = serve.digit()
    head = f"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: image/png\r\n"
    request = f"{head}Content-Length: {len(picture)}\r\n\r\n".encode() + picture
    began, sent, tasks = time.perf_counter(), 0, set()
    while (now := time.perf_counter() - began) < seconds:
        while sent < rate * now:
            slow = dice.random() < SLOW
            how = dice.choice(("drops", "half")) if slow else "whole"
            task = asyncio.create_task(client(port, request, how, statuses))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            sent += 1
            if sent % 50 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0.002)
    sending = time.perf_counter() - began
    print("sent", flush=True)
    if tasks:
        await asyncio.wait(tasks, timeout=GIVES_UP)
    return {"per_sec": sent / sending, "statuses": statuses}


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


def much(server: serve.Server, rate: float, seconds: float, seed: int) -> dict[str, Any]:
    """Returns what came of so many requests a second, over several processes of clients."""
    share = str(rate / PROCESSES)
    words = [sys.executable, "-m", "campaign.overload", str(server.port), share, str(seconds)]
    with Watch(server) as watch:
        processes = [
            subprocess.Popen([*words, str(seed + n)], stdout=subprocess.PIPE)
            for n in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == b"sent\n"
        recovery = serve._recovery(server, serve.digit())
        said = [json.loads(process.communicate()[0]) for process in processes]
    statuses = sum((Counter(one["statuses"]) for one in said), Counter[str]())
    tenth = len(watch.memory) // 10
    return {
        "sent_per_sec": round(sum(one["per_sec"] for one in said)),
        "statuses": dict(sorted(statuses.items())),
        "one more": {
            status: {"asked": len(waits), **spread(waits)} for status, waits in watch.waits.items()
        },
        "unexpected": sorted(set(statuses) - TAKEN),
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
        result["open"] = much(server, times * capacity, seconds, seed)
        tell(f"open loop: {json.dumps(result)}")
        closed = serve.overload(server, seconds, picture)
        result["closed"] = closed
    tell(f"closed loop: {json.dumps(result['closed'])}")
    return result


def main() -> None:
    """Prints what the clients of this process saw."""
    port, rate, seconds, seed = sys.argv[1:]
    import uvloop

    found = uvloop.run(clients(int(port), float(rate), float(seconds), int(seed)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
