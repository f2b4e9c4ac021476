"""One digit to a server and its probabilities back: Holmdel and other servers, in turns.

    python bench/servers.py VENVS [--seconds 5] [--rounds 3] [--record]

VENVS/mlserver, VENVS/litserve and VENVS/bentoml are virtual environments with the package of that
name and onnxruntime; what is not there is left out. All have the same weights, the others as the
ONNX file that `holmdel export` makes, and the same pixels as JSON; Holmdel besides as binary data.
The load is wrk's, on the same two cores.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import holmdel
from record import record

APPS = Path(__file__).parent / "other_servers"
CORES, CLIENTS, WARM = 2, (1, 64), 1.0
WAIT = 120  # seconds in which a server must answer
SHAPE = (1, 1, 28, 28)
PIXELS = [min(255, 9 * (i % 28)) for i in range(784)]
LUA = """wrk.method = "POST"
wrk.body = io.open("%s", "rb"):read("*a")
wrk.headers["Content-Type"] = "%s"
%s
done = function(summary, latency)
  io.stderr:write(string.format('{"requests": %%d, "us": %%d, "bad": %%d, "p50": %%d, "p99": %%d}',
    summary.requests, summary.duration, summary.errors.status + summary.errors.read +
    summary.errors.timeout, latency:percentile(50), latency:percentile(99)))
end
"""


class Contender:
    """A server, and what it is asked.

    Args:
        words: its command line, `{port}` for the port, `{folder}` for a folder of its own.
        path: of the route.
        body: of the request.
        kind: the body's content type.
        more: a line of wrk's script.
        runs: another that is the same server.
    """

    def __init__(
        self,
        words: list[str],
        path: str,
        body: bytes,
        kind: str = "application/json",
        more: str = "",
        runs: "Contender | None" = None,
    ) -> None:
        self.words, self.path, self.body, self.kind, self.more = words, path, body, kind, more
        self.port: int = runs.port if runs else free_port()
        self.runs = runs

    @contextlib.contextmanager
    def running(self, name: str, folder: Path) -> Iterator[None]:
        """Runs the server until the end of `with`; writes the script for wrk."""
        own = folder / name
        own.mkdir()
        (own / "body").write_bytes(self.body)
        (own / "ask.lua").write_text(LUA % (own / "body", self.kind, self.more))
        self.script = own / "ask.lua"
        if self.runs:
            yield
            return
        words = [word.format(port=self.port, folder=own) for word in self.words]
        if name == "mlserver":
            settled(own, self.port)
        log = (own / "log").open("w")
        process = subprocess.Popen(
            words, stdout=log, stderr=log, cwd=APPS, env=environment(folder), start_new_session=True
        )
        self.process = process.pid
        try:
            self.wait(process, own / "log")
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # some leave processes of theirs behind
            process.wait()

    def wait(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        """Returns when it answers."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end and process.poll() is None:
            head = {"Content-Type": self.kind}
            url = f"http://127.0.0.1:{self.port}{self.path}"
            asked = urllib.request.Request(url, self.body, head)
            try:
                with urllib.request.urlopen(asked, timeout=10) as answer:
                    answer.read()
                    return
            except urllib.error.HTTPError as error:
                sys.exit(f"{url}: {error.code} {error.read()[:500]!r}")
            except OSError:
                time.sleep(0.1)
        sys.exit(log.read_text()[-3000:])

    def load(self, clients: int, seconds: float) -> dict[str, Any]:
        """Returns what so many clients of wrk saw."""
        url = f"http://127.0.0.1:{self.port}{self.path}"
        process = (self.runs or self).process
        before = processor_seconds(process)
        words = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "-s", str(self.script), url]
        run = subprocess.run(words, check=True, capture_output=True, text=True)
        said: dict[str, int] = json.loads(run.stderr)
        used = (processor_seconds(process) - before) / max(said["requests"], 1)
        per_sec = said["requests"] / said["us"] * 1e6
        return {"per_sec": per_sec, "cpu_us": used * 1e6, **said}


def processor_seconds(server: int) -> float:
    """Returns what a process and those below it have used of the processor."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            words = stat.read_text().rpartition(")")[2].split()
            process = int(stat.parent.name)
            parents[process], ticks[process] = int(words[1]), int(words[11]) + int(words[12])
    family = {server}
    for process in sorted(parents):  # parents have smaller numbers
        if parents[process] in family:
            family.add(process)
    return sum(ticks.get(process, 0) for process in family) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment(folder: Path) -> dict[str, str]:
    """Returns what the servers find in their environment."""
    own = {
        "HOLMDEL_ONNX": str(folder / "lenet.onnx"),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    own["PYTHONPATH"] = f"{APPS}:{own['PYTHONPATH']}"
    return os.environ | own | {"BENTOML_DO_NOT_TRACK": "True"}


def settled(folder: Path, port: int) -> None:
    """Writes MLServer's settings: without a process for each model, which only costs here."""
    server = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    server |= {"debug": False, "parallel_workers": 0}
    (folder / "settings.json").write_text(json.dumps(server))
    model = {"name": "lenet", "implementation": "mlserver_digits.Digits"}
    (folder / "model-settings.json").write_text(json.dumps(model))


def contenders(venvs: Path) -> dict[str, Contender]:
    """Returns Holmdel, and the others whose environment is there."""
    rows = [[PIXELS[28 * row : 28 * row + 28] for row in range(28)]]
    nested = json.dumps({"image": [rows]}).encode()
    tensor: dict[str, Any] = {"name": "image", "datatype": "UINT8", "shape": SHAPE}
    plain = json.dumps({"inputs": [tensor | {"data": PIXELS}], "outputs": PROBABILITIES}).encode()
    sized = tensor | {"parameters": {"binary_data_size": 784}}
    head = json.dumps(
        {"inputs": [sized], "outputs": PROBABILITIES, "parameters": {"binary_data_output": True}}
    ).encode()
    length = f'wrk.headers["Inference-Header-Content-Length"] = "{len(head)}"'
    infer = "/v2/models/lenet-mnist/infer"
    serve = [sys.executable, "-m", "holmdel", "serve", "lenet-mnist", "--port", "{port}"]
    ours = Contender([*serve, "--grpc-port", "none"], infer, plain)
    found = {
        "holmdel": ours,
        "holmdel, binary": Contender(
            [], infer, head + bytes(PIXELS), "application/octet-stream", length, ours
        ),
    }
    bins = {name: venvs / name / "bin" for name in ("mlserver", "litserve", "bentoml")}
    others = {
        "mlserver": (
            [f"{bins['mlserver']}/mlserver", "start", "{folder}"],
            "/v2/models/lenet/infer",
        ),
        "litserve": ([f"{bins['litserve']}/python", "litserve_digits.py", "{port}"], "/predict"),
        "bentoml": (
            [f"{bins['bentoml']}/bentoml", "serve", "bentoml_digits:Digits", "--port", "{port}"],
            "/predict",
        ),
    }
    for name, (words, path) in others.items():
        if bins[name].is_dir():
            found[name] = Contender(words, path, plain if name == "mlserver" else nested)
    return found


PROBABILITIES = [{"name": "probabilities"}]


def measured(chosen: dict[str, Contender], rounds: int, seconds: float) -> dict[str, Any]:
    """Returns the medians of so many rounds, in which each server has its turn."""
    turns: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for one in chosen.values():
        one.load(CLIENTS[-1], WARM)
    for _ in range(rounds):
        for name, one in chosen.items():
            for clients in CLIENTS:
                found = one.load(clients, seconds)
                turns.setdefault((name, clients), []).append(found)
                print(name, clients, json.dumps(found), flush=True)
    figures: dict[str, Any] = {name: {} for name in chosen}
    for (name, clients), said in turns.items():
        median = {key: statistics.median(one[key] for one in said) for key in said[0]}
        figures[name][str(clients)] = {
            "per_sec": round(median["per_sec"]),
            "ms": {key: round(median[key] / 1000, 2) for key in ("p50", "p99")},
            "cpu_ms": round(median["cpu_us"] / 1000, 2),
            "bad": sum(one["bad"] for one in said),
        }
    return figures


def version(venvs: Path, name: str) -> str:
    """Returns the version of a package in its environment."""
    program = f"from importlib.metadata import version; print(version({name!r}))"
    words = [str(venvs / name / "bin" / "python"), "-c", program]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Prints and, if asked, records the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("venvs", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    with tempfile.TemporaryDirectory() as work, contextlib.ExitStack() as stack:
        folder = Path(work)
        holmdel.load("lenet-mnist").export(folder / "lenet.onnx")
        chosen = contenders(words.venvs.resolve())
        for name, one in chosen.items():
            stack.enter_context(one.running(name, folder))
        figures = measured(chosen, words.rounds, words.seconds)
    print(json.dumps(figures))
    if words.record:
        others = [name for name in chosen if not name.startswith("holmdel")]
        versions = {name: version(words.venvs, name) for name in others}
        about = {"seconds": words.seconds, "rounds": words.rounds, "versions": versions}
        record("servers", about | {"servers": figures})


if __name__ == "__main__":
    main()
