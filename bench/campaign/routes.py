"""Damaged requests to every route of a running server: answers, and none that owns to a fault."""

import base64
import http.client
import json
import random
import re
import socket
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from campaign.mutate import NUMBERS, WORDS, damage, damage_json, damage_text, encoded
from campaign.seeds import in_format
from serve import Server

OWN = {"500", "501", "502", "504", "505"}  # that no request should be answered with
WAIT = 40.0  # seconds for an answer; a body that does not come is waited for 30
LINE_ENDS = re.compile(r"[\r\n\0]")


class Request:
    """A request, in parts that can be damaged one by one."""

    def __init__(self, method: str, path: str, body: Any = b"", **headers: str) -> None:
        self.method, self.path, self.body = method, path, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def damaged(self, dice: random.Random) -> bytes:
        """Returns the bytes of the request, with a part of it damaged."""
        method, path, headers, body = self.method, self.path, dict(self.headers), self.body
        kind = dice.choice(("path", "query", "header", "body", "body", "bytes", "method"))
        if kind == "path":
            path = damage_text(path, dice)
        elif kind == "query":
            name = dice.choice(("model", "top", "pattern", "lines", "layer", "x", "unit", "limit"))
            path += f"{'&' if '?' in path else '?'}{name}={dice.choice(NUMBERS + WORDS)}"
        elif kind == "header" and headers:
            name = dice.choice(list(headers))
            headers[name] = damage_text(headers[name], dice)
        elif kind == "method":
            method = dice.choice(("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "GET", "POST", "X"))
        if isinstance(body, bytes):
            body = damage(body, dice) if kind == "body" else body
        else:
            changed = damage_json(body, dice) if kind == "body" else body
            body = json.dumps(changed).encode()
        path = re.sub(r"[\s\0]", "+", path)
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
        head += [f"{name}: {LINE_ENDS.sub(' ', value)}" for name, value in headers.items()]
        head += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
        whole = encoded("\r\n".join(head) + "\r\n\r\n") + body
        return damage(whole, dice) if kind == "bytes" else whole


def tensor(content: bytes) -> Request:
    """Returns a binary request of the inference protocol."""
    one: dict[str, Any] = {"name": "image", "datatype": "UINT8", "shape": [1, 1, 28, 28]}
    one["parameters"] = {"binary_data_size": len(content)}
    head = json.dumps({"inputs": [one], "outputs": [{"name": "index"}]}).encode()
    body = head + content
    length = {"Inference_Header_Content_Length": str(len(head))}
    kind = "application/octet-stream"
    return Request("POST", "/v2/models/lenet-mnist/infer", body, Content_Type=kind, **length)


def requests(paths: dict[str, Any]) -> list[Request]:
    """Returns a request for every route that the document describes, and some more."""
    picture = in_format("PNG")
    form = b"--line\r\nContent-Disposition: form-data; name=file; filename=7.png\r\n\r\n"
    form += picture + b"\r\n--line--\r\n"
    text = base64.b64encode(picture).decode()
    pixels = [[0.5] * 28] * 28
    infer = {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 1, 28, 28]}]}
    infer["inputs"][0]["data"] = [0] * 784
    start = {"network": "lenet", "data": "digits", "settings": {"epochs": 1, "limit": 64}}
    plain, json_ = {"Content_Type": "image/png"}, {"Content_Type": "application/json"}
    found = [
        Request("POST", "/v1/classify?top=3", picture, **plain),
        Request("POST", "/v1/classify", form, Content_Type="multipart/form-data; boundary=line"),
        Request("POST", "/v1/read?pattern=digits:5", picture, **plain),
        Request("POST", "/v1/activations?model=lenet-mnist", picture, **plain),
        Request("POST", "/v1/models/lenet-mnist:predict", {"instances": [{"b64": text}]}, **json_),
        Request("POST", "/v1/models/lenet-mnist:predict", {"instances": [pixels]}, **json_),
        Request("POST", "/v2/models/lenet-mnist/infer", infer, **json_),
        Request("POST", "/v1/trainings", start, **json_),
        tensor(bytes(784)),
        tensor(struct.pack("<I", len(picture)) + picture),
    ]
    words = {"name": "lenet-mnist", "model": "lenet-mnist", "model_name": "lenet-mnist"}
    for path, methods in paths.items():
        filled = re.sub(r"\{(\w+)\}", lambda part: words.get(part[1], "1"), path)
        found += [Request(method.upper(), filled, picture, **plain) for method in methods]
    return found


def ask(port: int, request: bytes) -> str:
    """Returns the status of the answer; `closed` for none, `late` for none in time."""
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while len(answer) < 13 and (part := connection.recv(65536)):
                answer += part
        except TimeoutError:
            return "late"
        except OSError:
            return "closed"
    return answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "closed"


def campaign(seed: int, cases: int, found: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Returns what so many damaged requests were answered with."""
    statuses: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            seeds = requests(described(server.port))
            before = server.megabytes()
            for case in range(cases):
                dice = random.Random(f"routes {seed} {case}")
                request = dice.choice(seeds).damaged(dice)
                began = time.perf_counter()
                status = ask(server.port, request)
                slowest = max(slowest, time.perf_counter() - began)
                statuses[status] += 1
                if status in OWN or status == "late":
                    faults.append({"case": case, "status": status})
                    found.mkdir(parents=True, exist_ok=True)
                    (found / f"request-{seed}-{case}").write_bytes(request)
            errors = logged(Path(folder) / "server.log")
            after = server.megabytes()
            healthy = server.ask("GET", "/v2/health/ready") == 200
        finally:
            server.stop()
    result = {
        "cases": cases, "statuses": dict(sorted(statuses.items())), "faults": faults,
        "errors_logged": errors, "slowest_seconds": round(slowest, 2), "healthy": healthy,
        "megabytes": [round(before), round(after)],
    }  # fmt: skip
    tell(f"routes: {json.dumps(result)}")
    return result


def described(port: int) -> dict[str, Any]:
    """Returns the paths of a server's own document."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/openapi.json")
    paths: dict[str, Any] = json.loads(connection.getresponse().read())["paths"]
    return paths


def logged(log: Path) -> list[str]:
    """Returns the lines of a log that tell of errors."""
    return [
        line[:300]
        for line in log.read_text().splitlines()
        if '"level":"error"' in line.replace(" ", "")
    ][:20]
