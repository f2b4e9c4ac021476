"""/docs: the routes for people, with nothing from other hosts."""

import re

from fastapi.testclient import TestClient

from holmdel.server import ServerSettings, create_app


def test_all_that_the_page_loads_is_here_and_needs_no_token():
    app = create_app(ServerSettings(models=("lenet-mnist",), token="secret"), log=None)
    client = TestClient(app, base_url="http://127.0.0.1")
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    for path in loaded:
        assert path.startswith("/docs/")
        assert client.get(path).status_code == 200
    start = client.get("/docs/start.js").text
    assert re.findall(r'fetch\("([^"]+)"', start) == ["/openapi.json"]
    assert client.get("/openapi.json").status_code == 401
