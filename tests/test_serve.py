"""`holmdel serve` as a process: start, messages, signals, end."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection

import pytest

LONGEST = 120  # seconds


class Server:
    """`holmdel serve` on a free port."""

    def __init__(self, words):
        command = [sys.executable, "-m", "holmdel", "serve", "lenet-mnist", "--port", "0", *words]
        self.stack = contextlib.ExitStack()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.stack.callback(self.process.wait, LONGEST)
        self.stack.callback(self.process.kill)
        self.lines = []
        self._ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self.ready = self.wait_for("ready")
        self.port = int(self.ready["url"].rpartition(":")[2])

    def _read(self):
        with self.process.stderr as lines:
            for line in lines:
                self.lines.append(line.rstrip())
        self._ended.set()

    def events(self):
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def wait_for(self, event):
        until = time.monotonic() + LONGEST
        while time.monotonic() < until and not self._ended.is_set():
            for said in self.events():
                if said.get("event") == event:
                    return said
            time.sleep(0.02)
        raise AssertionError(f"no {event} in {self.lines}")

    def connect(self):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LONGEST)
        self.stack.callback(connection.close)
        return connection

    def slow_body(self):
        """Returns a connection on which a request has begun: its head is sent, its body is not."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST)
        self.stack.callback(connection.close)
        connection.sendall(
            b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")  # the route has begun to read it
        return connection

    def end(self):
        """Returns the exit status."""
        status = self.process.wait(LONGEST)
        assert self._ended.wait(LONGEST)
        return status


@pytest.fixture
def serve():
    """Returns a function that starts a server; all are ended after the test."""
    with contextlib.ExitStack() as stack:

        def start(*words):
            server = Server(words)
            stack.enter_context(server.stack)
            return server

        yield start


def children(process):
    """Returns the processes that serve for another."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    found = [line.split(None, 2) for line in listed.splitlines()]
    return [
        int(own) for own, parent, words in found if int(parent) == process and "spawn_main" in words
    ]


def received(connection):
    """Returns all that comes until the server closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_it_says_where_it_listens_and_that_is_this_machine(serve):
    server = serve()
    assert server.ready["url"] == f"http://127.0.0.1:{server.port}"
    assert server.ready["models"] == ["lenet-mnist"]
    assert not [line for line in server.lines if "anyone may use it" in line]
    server.process.terminate()
    assert server.end() == 0


def test_another_host_is_warned_of_unless_there_is_a_token(serve):
    server = serve("--host", "0.0.0.0")
    assert server.lines[0] == (
        f"holmdel: other machines can reach http://0.0.0.0:{server.port}, and everyone may use it; "
        "protect it with --token"
    )
    quiet = serve("--host", "0.0.0.0", "--token", "secret")
    assert "everyone" not in "".join(quiet.lines)
    assert "secret" not in "".join(quiet.lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_is_under_way_and_refuses_the_rest(serve, number):
    server = serve()
    waiting, kept = server.slow_body(), server.connect()
    kept.request("GET", "/v2/health/ready")
    assert kept.getresponse().read()
    server.process.send_signal(number)
    server.wait_for("stopping")
    with contextlib.suppress(ConnectionError, OSError):  # it is closed, or refused on
        kept.request("GET", "/v1/models")
        assert kept.getresponse().status == 503
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        try:
            server.connect().connect()
        except ConnectionRefusedError:
            break
        time.sleep(0.02)
    assert server.process.poll() is None  # one request is under way
    waiting.sendall(b"0123456789")
    answer = received(waiting)
    assert answer.startswith(b"HTTP/1.1 415 ")
    assert b"connection: close" in answer
    assert server.end() == 0


def test_a_second_signal_ends_it_at_once(serve):
    server = serve()
    waiting = server.slow_body()
    server.process.terminate()
    server.wait_for("stopping")
    server.process.terminate()
    assert server.end() == 128 + signal.SIGTERM
    assert b"HTTP/1.1 2" not in received(waiting)


def test_a_stream_of_events_ends_with_the_server(serve, data_root):
    server = serve("--timeout", "60")
    connection = server.connect()
    settings = {"epochs": 1000, "limit": 1000}
    body = json.dumps({"network": "lenet", "data": "digits", "settings": settings})
    connection.request("POST", "/v1/trainings", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    id_ = json.loads(answer.read())["id"]
    assert answer.status == 201
    connection.request("GET", f"/v1/trainings/{id_}/events")
    with connection.getresponse() as stream:
        assert stream.readline().startswith(b"data:")
        server.process.terminate()
        while stream.readline():
            pass
    assert server.end() == 0


def test_several_processes_answer_as_one_and_are_replaced(serve):
    server = serve("--workers", "2", "--grpc-port", "none")
    first, second = children(server.process.pid)
    for _ in range(20):
        connection = server.connect()
        connection.request("GET", "/v1/models")
        assert connection.getresponse().read()
    connection.request("GET", "/metrics")
    counted = connection.getresponse().read().decode()
    assert 'holmdel_requests_total{route="/v1/models",status="200"} 20.0' in counted
    os.kill(first, signal.SIGKILL)
    until = time.monotonic() + LONGEST
    while time.monotonic() < until and len({*children(server.process.pid)} - {first}) < 2:
        time.sleep(0.05)
    assert second in children(server.process.pid)
    assert "holmdel: a process ended with status -9; one is started" in server.lines
    server.process.terminate()
    assert server.end() == 0
    assert not children(server.process.pid)


def test_a_port_for_grpc_that_is_taken_is_passed_over_unless_it_was_asked_for(holmdel):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ("serve", "no-such-model", "--port")
        told = f"no gRPC: the server cannot listen on 127.0.0.1:{port} for gRPC"
        asked = holmdel(*words, 0, "--grpc-port", port)
        above = holmdel(*words, port - 1)
    assert asked.err == f"holmdel: {told}; choose another --grpc-port, or none\n"
    assert above.err.startswith(f"holmdel: {told}")
    assert "no-such-model" in above.err
    assert holmdel(*words, 0, "--grpc-port", "x").status == 2


def test_the_log_is_lines_of_json(serve):
    server = serve()
    connection = server.connect()
    connection.request("GET", "/v1/nothing", headers={"X-Request-Id": "seven"})
    assert connection.getresponse().read()
    with socket.create_connection(("127.0.0.1", server.port)) as other:
        other.sendall(b"this is no HTTP\r\n\r\n")
        assert received(other).startswith(b"HTTP/1.1 400 ")
    server.process.terminate()
    assert server.end() == 0
    said = server.events()
    [request] = [line for line in said if line.get("request") == "seven"]
    assert (request["path"], request["status"]) == ("/v1/nothing", 404)
    [warning] = [line for line in said if line.get("event") == "warning"]
    assert warning["logger"] == "uvicorn.error"


def test_a_log_that_nobody_reads_any_more_stops_nothing():
    read, write = os.pipe()
    words = [sys.executable, "-m", "holmdel", "serve", "lenet-mnist", "--port", "0"]
    process = subprocess.Popen(words, stderr=write)
    os.close(write)
    try:
        with os.fdopen(read) as lines:
            ready = json.loads(lines.readline())
        port = int(ready["url"].rpartition(":")[2])
        with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=LONGEST)) as connection:
            for _ in range(3):
                connection.request("GET", "/v1/models")
                answer = connection.getresponse()
                assert answer.read()
                assert answer.status == 200
        process.terminate()
        assert process.wait(LONGEST) == 0
    finally:
        process.kill()


def test_a_port_that_is_taken_is_told(holmdel):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = holmdel("serve", "lenet-mnist", "--port", port)
    assert result.status == 2
    assert result.err == (
        f"holmdel: the server cannot listen on 127.0.0.1:{port} (Address already in use); "
        "choose another --port or --host\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("no-such-model",), "no-such-model"),
        (("--allow-origin", "example.org"), "an origin was given as 'example.org'"),
        (("--token", ""), "--token was given an empty value"),
        (
            ("--host", "no.such.host.invalid"),
            "the server cannot listen on no.such.host.invalid:8000",
        ),
    ],
)
def test_a_mistake_is_told_in_a_sentence(holmdel, words, sentence):
    result = holmdel("serve", "--grpc-port", "none", *words)
    assert result.status == 2
    assert result.err.startswith("holmdel: ")
    assert sentence in result.err
    assert result.err.count("\n") == 1
