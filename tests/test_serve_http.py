"""HTTP on a real socket: bodies, headers, time limits and connections of all sorts."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

LONGEST = 60  # seconds
HOST = b"Host: 127.0.0.1\r\n"


@contextlib.contextmanager
def serving(*words):
    """Runs `holmdel serve`; gives the process and its port; no answer may have failed."""
    command = [sys.executable, "-m", "holmdel", "serve", "lenet-mnist", "--port", "0", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    url = json.loads(process.stderr.readline())["url"]
    log: list[str] = []
    reading = threading.Thread(target=lambda: log.extend(process.stderr))
    reading.start()  # a full pipe would stop the server
    yield process, int(url.rpartition(":")[2])
    process.terminate()
    assert process.wait(LONGEST) == 0
    reading.join(LONGEST)
    process.stderr.close()
    assert not [line for line in log if '"event": "failure"' in line]


@pytest.fixture(scope="module")
def port():
    """Runs `holmdel serve` with small limits; returns its port."""
    with serving("--max-body", "300000", "--timeout", "2") as (_, found):
        yield found


@pytest.fixture
def wire(port):
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as found:
        yield found


def answer(wire):
    """Returns status, headers and body of the next answer."""
    file = wire.makefile("rb")
    status = int(file.readline().split()[1])
    headers = {}
    while line := file.readline().strip():
        name, _, value = line.decode().partition(": ")
        headers[name] = value
    return status, headers, file.read(int(headers.get("content-length", 0)))


def closed(wire):
    """Returns whether the server has closed the connection."""
    try:
        return wire.recv(1) == b""
    except ConnectionError:
        return True


def post(body=b"", *headers, path=b"/v1/classify"):
    lines = [b"POST " + path + b" HTTP/1.1", HOST.strip(), *headers]
    if not any(line.lower().startswith((b"content-length", b"transfer")) for line in headers):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", b""]) + body


def chunks(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


def test_a_connection_is_kept(wire):
    for _ in range(3):
        wire.sendall(post(b"no picture"))
        assert answer(wire)[0] == 415


@pytest.mark.parametrize("requests", [1, 3])
def test_who_closes_its_side_behind_a_request_is_answered(wire, requests):
    wire.sendall(post(b"seven") * requests)
    wire.shutdown(socket.SHUT_WR)
    said = b""
    while part := wire.recv(65536):
        said += part
    assert said.count(b"HTTP/1.1 415") == requests


def test_who_closes_its_side_within_a_request_is_not(wire):
    wire.sendall(post(b"seven")[:-2])
    wire.shutdown(socket.SHUT_WR)
    assert closed(wire)


def test_who_still_sends_after_a_refusal_is_told_of_it(wire):
    wire.sendall(b"this is no HTTP\r\n\r\n")
    for _ in range(5):
        time.sleep(0.05)
        wire.sendall(bytes(10_000))
    assert answer(wire)[0] == 400
    assert closed(wire)


def test_of_too_many_new_connections_the_last_are_refused_unread():
    """They come while the server is stopped, so it finds them all together."""
    with serving("--grpc-port", "none") as (process, port), contextlib.ExitStack() as stack:
        os.kill(process.pid, signal.SIGSTOP)
        try:
            wires = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), LONGEST))
                for _ in range(700)
            ]
            for wire in wires:
                wire.sendall(post(b"no picture"))
        finally:
            os.kill(process.pid, signal.SIGCONT)
        found = [answer(wire) for wire in wires]
        with socket.create_connection(("127.0.0.1", port), LONGEST) as wire:
            wire.sendall(post(b"no picture"))
            assert answer(wire)[0] == 415
    statuses = [status for status, _, _ in found]
    assert set(statuses) == {415, 503}
    assert statuses.count(415) >= 32
    status, headers, body = found[-1]
    assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
    assert json.loads(body)["error"].endswith("; try again later")


def test_a_body_in_chunks_is_a_body(wire):
    wire.sendall(post(chunks(b"no ", b"picture"), b"Transfer-Encoding: chunked"))
    status, _, body = answer(wire)
    assert status == 415
    assert json.loads(body)["error"].startswith("the file is not an image")


@pytest.mark.parametrize("header", [b"Content-Length: 5000000", b"Transfer-Encoding: chunked"])
def test_who_sends_too_much_sees_the_refusal(wire, header):
    """Also a client that looks for an answer only when all is sent, as most do."""
    body = bytes(5_000_000)
    wire.sendall(post(body if b"Length" in header else chunks(body), header))
    status, headers, told = answer(wire)
    assert status == 413
    assert headers["connection"] == "close"
    assert json.loads(told)["error"] == "the body is larger than 300,000 bytes; send less at once"
    assert closed(wire)


def test_who_asks_first_sends_nothing_in_vain(wire):
    wire.sendall(post(b"", b"Content-Length: 5000000", b"Expect: 100-continue"))
    assert answer(wire)[0] == 413
    assert closed(wire)


def test_who_asks_first_is_told_to_go_on(wire):
    wire.sendall(post(b"", b"Content-Length: 10", b"Expect: 100-continue"))
    assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b"no picture")
    assert answer(wire)[0] == 415


def test_a_body_that_does_not_come_is_waited_for_no_longer_than_said(wire):
    wire.sendall(post(b"half", b"Content-Length: 10"))
    status, headers, body = answer(wire)
    assert status == 408
    assert headers["connection"] == "close"
    assert json.loads(body)["error"] == "the request took longer than 2 seconds; send less at once"
    assert closed(wire)


@pytest.mark.parametrize("part", [b"", b"POST /v1/classify HTTP/1.1\r\nHost:"])
def test_a_head_that_does_not_come_is_not_waited_for_either(wire, part):
    wire.sendall(part)
    status, _, body = answer(wire)
    assert status == 408
    assert (
        json.loads(body)["error"] == "no complete request arrived within 2 seconds; send it again"
    )
    assert closed(wire)


def test_a_head_without_end_is_refused(wire):
    wire.sendall(b"GET / HTTP/1.1\r\n")
    for _ in range(20):
        try:
            wire.sendall(b"X-Much: " + b"x" * 10_000 + b"\r\n")
        except ConnectionError:
            break
    status, _, body = answer(wire)
    assert status == 431
    assert json.loads(body)["error"] == "the headers are larger than 65,536 bytes; send fewer"


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        post(b"x", b"Content-Length: -1"),
        post(b"x", b"Content-Length: 1", b"Content-Length: 2"),
        post(b"zz\r\n", b"Transfer-Encoding: chunked"),
        post(chunks(b"x"), b"Transfer-Encoding: chunked", b"Content-Length: 1"),
    ],
)
def test_what_is_no_http_is_refused(wire, request_):
    wire.sendall(request_)
    status, headers, body = answer(wire)
    assert status == 400
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["error"]
    assert closed(wire)


def test_what_is_no_http_behind_a_request_ends_the_connection(wire):
    wire.sendall(b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n" + b"\0nonsense\r\n\r\n")
    status, _, body = answer(wire)
    assert status == 400
    assert json.loads(body)["error"]
    assert closed(wire)


def test_requests_in_a_row_are_answered_in_order(wire):
    paths = (b"/v1/one", b"/v1/two", b"/v1/three")
    wire.sendall(b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n" for path in paths))
    file = wire.makefile("rb")
    text = b""
    while text.count(b'"error"') < 3:
        text += file.read1()
    assert [text.index(b"no route " + path) for path in paths] == sorted(
        text.index(b"no route " + path) for path in paths
    )


def test_head_is_get_without_the_body(wire):
    wire.sendall(b"HEAD / HTTP/1.1\r\nAccept: text/html\r\n" + HOST + b"Connection: close\r\n\r\n")
    text = wire.makefile("rb").read()
    assert text.startswith(b"HTTP/1.1 200 ")
    assert text.endswith(b"\r\n\r\n")
    assert int(text.split(b"content-length: ")[1].split(b"\r\n")[0]) > 100


@pytest.mark.parametrize("path", [b"/v1/models", b"/metrics", b"/openapi.json", b"/v2/health/live"])
def test_head_is_answered_wherever_get_is(wire, path):
    for method in (b"GET", b"HEAD"):
        wire.sendall(method + b" " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        file = wire.makefile("rb")
        assert file.readline().startswith(b"HTTP/1.1 200 ")
        headers = dict(line.strip().split(b": ", 1) for line in iter(file.readline, b"\r\n"))
        assert int(headers[b"content-length"]) > 0
        if method == b"GET":
            file.read(int(headers[b"content-length"]))


def test_head_of_what_has_no_get_is_refused(wire):
    wire.sendall(b"HEAD /v1/classify HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    text = wire.makefile("rb").read()
    assert text.startswith(b"HTTP/1.1 405 ")
    assert text.endswith(b"\r\n\r\n")


def test_http_1_0_is_answered_and_closed(wire):
    wire.sendall(b"GET /v2/health/live HTTP/1.0\r\n\r\n")
    status, _, body = answer(wire)
    assert (status, json.loads(body)["live"]) == (200, True)
    assert closed(wire)


def test_a_request_to_become_something_else_is_answered_as_it_is(wire):
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    wire.sendall(b"GET /v1/models HTTP/1.1\r\n" + HOST + upgrade + b"\r\n")
    assert answer(wire)[0] == 200


H2C = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQ")
WEBSOCKET = (b"Connection: keep-alive, Upgrade", b"Upgrade: websocket")


@pytest.mark.parametrize("offer", [H2C, WEBSOCKET])
@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_a_body_whatever_the_request_offers(wire, offer, parts, chunked):
    """Java's client and `curl --http2` offer HTTP/2 with each request."""
    body = chunks(b"no ", b"picture") if chunked else b"no picture"
    headers = (*offer, b"Transfer-Encoding: chunked") if chunked else offer
    whole = post(body, *headers) * 2  # the second at once behind the first
    middle = whole.index(b"\r\n\r\n")
    cuts = {1: [], 2: [middle + 4], 3: [middle - 30, middle + 7]}[parts]
    for first, last in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        wire.sendall(whole[first:last])
        time.sleep(0.05 if parts > 1 else 0)
    file = wire.makefile("rb")
    for _ in range(2):
        assert file.readline().startswith(b"HTTP/1.1 415 ")
        headers = dict(line.strip().split(b": ", 1) for line in iter(file.readline, b"\r\n"))
        told = json.loads(file.read(int(headers[b"content-length"])))
        assert told["error"].startswith("the file is not an image")


def test_who_offers_much_keeps_the_limits(wire):
    wire.sendall(post(b"", *H2C, b"Content-Length: 5000000", b"Expect: 100-continue"))
    assert answer(wire)[0] == 413
