"""Middleware: hosts, origins, tokens, limits, logs, and the error for each refusal."""

import asyncio
import io
import json
import re
import threading
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
from fastapi import Request
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from PIL import Image

from holmdel.server import ServerSettings, create_app

TOKEN = {"Authorization": "Bearer secret"}
ELSEWHERE = "https://example.org"


def digit() -> bytes:
    """Returns a PNG file of a bar, white on black, 28x28."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:23, 13:16] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def served(log=None, **settings) -> TestClient:
    app = create_app(ServerSettings(models=("lenet-mnist",), **settings), log=log)
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


def sentence(answer) -> str:
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error"}
    return answer.json()["error"]


@pytest.fixture(scope="module")
def client():
    with served() as found:
        yield found


@pytest.mark.parametrize("path", ["/", "/v1/models", "/metrics", "/v1/nothing"])
def test_every_answer_has_the_security_headers(client, path):
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


def test_a_request_keeps_its_id_if_it_is_one(client):
    assert client.get("/", headers={"X-Request-Id": "mine-7"}).headers["x-request-id"] == "mine-7"
    forged = client.get("/", headers={"X-Request-Id": 'a"b c'}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{8}-\d+", forged)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost."])
def test_a_name_that_leads_to_this_machine_is_refused(client, host):
    answer = client.get("/v1/models", headers={"Host": host})
    assert answer.status_code == 403
    assert sentence(answer) == (
        f"the Host header names {host!r}; expected one of localhost, 127.0.0.1, [::1]"
    )


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST", "127.0.0.1:1", "[::1]:8000"])
def test_the_names_of_this_machine_are_not(client, host):
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


def test_any_name_will_do_where_the_server_listens_for_others():
    with served(host="0.0.0.0") as client:
        assert client.get("/v1/models", headers={"Host": "lab.example"}).status_code == 200


@pytest.mark.parametrize("origin", [ELSEWHERE, "null", "http://127.0.0.1:9999"])
def test_a_page_of_another_site_may_not_post(client, origin):
    answer = client.post("/v1/classify", content=digit(), headers={"Origin": origin})
    assert answer.status_code == 403
    assert (
        sentence(answer)
        == f"a page of {origin} may not use this server; start it with --allow-origin"
    )


def test_the_page_itself_may(client):
    own = {"Origin": "http://127.0.0.1"}
    assert client.post("/v1/classify", content=digit(), headers=own).status_code == 200


def test_without_the_token_nothing_but_the_page_and_the_health_is_told():
    with served(token="secret") as client:
        for path in ("/", "/page/main.js", "/v2/health/live", "/v2/health/ready"):
            assert client.get(path).status_code == 200
        for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Basic secret"}):
            for path in ("/v1/models", "/metrics", "/openapi.json", "/page/nothing", "/v2"):
                answer = client.get(path, headers=headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == "Bearer"
                assert sentence(answer) == (
                    "the request has no token or a wrong one; send Authorization: Bearer TOKEN"
                )
        assert client.get("/v1/models", headers=TOKEN).status_code == 200


def test_a_page_of_an_allowed_origin_sees_answers_and_refusals():
    with served(origins=(ELSEWHERE,), token="secret", body_bytes=1000) as client:
        asked = {
            "Origin": ELSEWHERE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
            "Access-Control-Request-Private-Network": "true",
        }
        before = client.options("/v1/classify", headers=asked)
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == ELSEWHERE
        assert before.headers["access-control-allow-private-network"] == "true"
        assert "POST" in before.headers["access-control-allow-methods"]
        assert before.headers["access-control-allow-headers"] == "authorization,content-type"
        page = {"Origin": ELSEWHERE}
        for content, headers, status in [
            (digit(), page | TOKEN, 200),
            (digit(), page, 401),
            (bytes(2000), page | TOKEN, 413),
            (b"no picture", page | TOKEN, 415),
        ]:
            answer = client.post("/v1/classify", content=content, headers=headers)
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == ELSEWHERE
            assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
            assert answer.headers["vary"] == "Origin"


def test_a_page_of_any_other_origin_does_not():
    with served(origins=(ELSEWHERE,)) as client:
        other = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        before = client.options("/v1/classify", headers=other)
        assert before.status_code == 400
        assert "access-control-allow-origin" not in before.headers
        answer = client.get("/v1/models", headers=other)
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(chunked):
    with served(body_bytes=300_000) as client:
        body = iter([bytes(200_000), bytes(200_000)]) if chunked else bytes(300_001)
        answer = client.post("/v1/classify", content=body)
        assert answer.status_code == 413
        assert sentence(answer) == "the body is larger than 300,000 bytes; send less at once"
        assert client.post("/v1/classify", content=digit()).status_code == 200


def test_what_takes_too_long_is_told_so():
    with served(seconds=0.2) as client:

        @client.app.post("/slow")
        async def slow(request: Request) -> None:
            await request.body()
            await asyncio.sleep(20)

        answer = client.post("/slow", content=digit())
        assert answer.status_code == 408
        assert sentence(answer) == "the request took longer than 0.2 seconds; send less at once"
        assert client.post("/v1/classify", content=digit()).status_code == 200


def test_a_stream_may_go_on_for_longer():
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.1)
            yield b"part "

    with served(seconds=0.2) as client:

        @client.app.get("/stream")
        async def stream() -> StreamingResponse:
            return StreamingResponse(parts())

        assert client.get("/stream").text == "part part part "


def test_what_is_too_much_at_once_is_refused():
    come, go = threading.Event(), threading.Event()
    with served(requests=1) as client:

        @client.app.get("/slow")
        async def slow() -> None:
            come.set()
            while not go.is_set():
                await asyncio.sleep(0.01)

        thread = threading.Thread(target=client.get, args=["/slow"])
        thread.start()
        try:
            assert come.wait(20)
            second = client.post("/v1/classify", content=digit())
            assert second.status_code == 503
            assert second.headers["retry-after"] == "1"
            assert sentence(second) == "1 requests are being answered; try again later"
            assert client.get("/v2/health/live").status_code == 200
        finally:
            go.set()
            thread.join(20)
        assert client.post("/v1/classify", content=digit()).status_code == 200


async def asgi(app, method, path, receive):
    """Returns status, headers and body of an answer, asked for in the event loop of the caller."""
    said = []

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "root_path": ""}
    await app(scope | {"headers": [(b"host", b"127.0.0.1")]}, receive, send)
    return said[0]["status"], dict(said[0]["headers"]), said[1]["body"]


def test_of_too_many_that_come_together_the_last_are_refused():
    """Each keeps the event loop for 10 ms; they may wait for 0.4 s, and be begun in a quarter."""

    async def nothing():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask_all(app):
        asked = [asgi(app, "GET", "/long", nothing) for _ in range(200)]
        answers = await asyncio.gather(*asked)
        again = []
        for _ in range(200):  # each in an iteration of its own
            again.append(asyncio.create_task(asgi(app, "GET", "/held", nothing)))
            await asyncio.sleep(0)
        begun.set()
        return answers, await asyncio.gather(*again)

    app = create_app(ServerSettings(models=("lenet-mnist",), wait=0.4), log=None)

    @app.get("/long")
    async def long() -> None:
        time.sleep(0.01)
        await asyncio.sleep(0.2)

    begun = asyncio.Event()

    @app.get("/held")
    async def held() -> None:
        await begun.wait()

    answers, after = asyncio.run(ask_all(app))
    app.state.services.close()
    statuses = [status for status, _, _ in answers]
    assert statuses == sorted(statuses)  # the first are answered
    assert 128 <= statuses.count(200) < 160
    assert set(statuses) == {200, 503}
    _, headers, body = answers[-1]
    assert headers[b"retry-after"] == b"1"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert json.loads(body) == {"error": "a request waits for more than 0.4 s; try again later"}
    # None was late before it began, though more than 128 were under way.
    assert {status for status, _, _ in after} == {200}


def test_whose_body_comes_when_others_have_taken_the_place_is_refused():
    async def ask(app):
        come = asyncio.Event()

        async def late():
            await come.wait()
            return {"type": "http.request", "body": digit(), "more_body": False}

        slow = asyncio.create_task(asgi(app, "POST", "/v1/classify", late))
        await asyncio.sleep(0.1)
        other = asyncio.create_task(asgi(app, "GET", "/long", late))
        await asyncio.sleep(0.1)
        come.set()
        return await slow, await other

    app = create_app(ServerSettings(models=("lenet-mnist",), requests=1), log=None)

    @app.get("/long")
    async def long() -> None:
        await asyncio.sleep(0.5)

    slow, other = asyncio.run(ask(app))
    app.state.services.close()
    assert (slow[0], other[0]) == (503, 200)
    assert json.loads(slow[2]) == {"error": "1 requests are being answered; try again later"}


def test_who_has_not_sent_a_body_takes_no_place():
    async def half():
        await asyncio.sleep(20)

    async def whole():
        return {"type": "http.request", "body": digit(), "more_body": False}

    async def ask(app):
        slow = asyncio.create_task(asgi(app, "POST", "/v1/classify", half))
        await asyncio.sleep(0.1)
        answer = await asgi(app, "POST", "/v1/classify", whole)
        slow.cancel()
        return answer

    app = create_app(ServerSettings(models=("lenet-mnist",), requests=1), log=None)
    assert asyncio.run(ask(app))[0] == 200
    app.state.services.close()


def test_a_server_that_is_told_to_stop_refuses():
    with served() as client:
        client.app.state.services.draining.set()
        answer = client.post("/v1/classify", content=digit())
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["connection"] == "close"
        assert sentence(answer) == "the server is stopping; try again later"
        assert client.get("/v2/health/live").status_code == 200
        assert client.get("/v2/health/ready").status_code == 503


def test_what_should_not_happen_is_told_and_logged_with_its_place():
    log = io.StringIO()
    with served(log=log) as client:

        @client.app.get("/broken")
        async def broken() -> None:
            raise ZeroDivisionError("on purpose")

        answer = client.get("/broken", headers={"X-Request-Id": "seven"})
    assert answer.status_code == 500
    assert (
        sentence(answer) == "the server failed at this request; its log has the reason under seven"
    )
    assert answer.headers["x-request-id"] == "seven"
    failure, line = (json.loads(text) for text in log.getvalue().splitlines())
    assert failure["event"] == "failure"
    assert failure["request"] == line["request"] == "seven"
    assert "ZeroDivisionError: on purpose" in failure["traceback"]
    assert line["status"] == 500


def test_each_request_is_a_line_of_the_log():
    log = io.StringIO()
    with served(log=log) as client:
        client.post("/v1/classify", content=digit(), headers={"X-Request-Id": "one"})
        client.get("/v1/nothing?secret=1")
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert first.keys() == {"time", "request", "method", "path", "status", "ms", "bytes"}
    assert first["request"] == "one"
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/classify", 200)
    assert first["bytes"] == len(digit())
    assert (second["path"], second["status"]) == ("/v1/nothing", 404)


def test_a_log_that_cannot_be_written_stops_nothing():
    log = io.StringIO()
    log.close()
    with served(log=log) as client:
        assert client.get("/v1/models").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/page/..%2f..%2fapp.py", "/page/%2e%2e/app.py", "/page//etc/passwd", "/page/main.js%00"],
)
def test_no_path_reaches_the_file_system(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert sentence(answer).startswith("there is no route /")


def test_the_page_is_sent_once():
    with served() as client:
        browser = {"Accept": "text/html,*/*;q=0.8"}
        first = client.get("/", headers=browser)
        assert first.headers["cache-control"] == "no-cache"
        again = client.get("/", headers=browser | {"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.head("/", headers=browser).headers["etag"] == first.headers["etag"]


def test_a_program_learns_that_the_server_lives_where_a_browser_gets_the_page(client):
    """As KServe's first protocol has it; its client asks so."""
    assert client.get("/").json() == {"status": "alive"}
    assert client.get("/", headers={"Accept": "text/html"}).text.startswith("<!doctype html>")


def test_the_pages_files_travel_packed(client):
    packed = client.get("/page/main.js", headers={"Accept-Encoding": "gzip, br"})
    plain = client.get("/page/main.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content  # the client unpacks
    sent = int(packed.headers["content-length"]), int(plain.headers["content-length"])
    assert sent[0] < sent[1] / 2
