"""A Chromium, a server, and pages that may neither log an error nor load from another site."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDE = {"width": 1440, "height": 900}


class Server(NamedTuple):
    """A running server: where it is, and where what is kept goes."""

    url: str
    runs: Path


@pytest.fixture(scope="session")
def program() -> str:
    """Returns the path of the browser that is installed, or skips."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"needs a browser: install one of {', '.join(NAMES)}")
    return found


@pytest.fixture(scope="module")  # its event loop would be in the way of other tests
def browser(program: str) -> Iterator[object]:
    """Gives a running browser."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as session:
        chosen = session.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chosen
        chosen.close()


@pytest.fixture(scope="session")
def server(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Gives a server in a process of its own, with the models that ship."""
    folder = tmp_path_factory.mktemp("server")
    words = ["serve", "--port", "0", "--runs", str(folder / "runs")]
    process = subprocess.Popen(
        [sys.executable, "-m", "holmdel", *words],
        stderr=subprocess.PIPE,
        cwd=folder,
        env=os.environ | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")},
        text=True,
    )
    assert process.stderr is not None
    ready = json.loads(process.stderr.readline())
    drain = subprocess.Popen(  # so that the log never fills the pipe
        ["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL
    )
    process.stderr.close()
    yield Server(ready["url"], folder / "runs")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    drain.wait(timeout=10)


@contextlib.contextmanager
def serving(folder: Path, *models: str) -> Iterator[Server]:
    """Gives a server of networks in files of a folder, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "holmdel", "serve", *models, "--port", "0"],
        stderr=subprocess.PIPE,
        cwd=folder,
        text=True,
        env=os.environ | {"HOME": str(folder)},
    )
    assert process.stderr is not None
    yield Server(json.loads(process.stderr.readline())["url"], folder)
    process.kill()
    process.wait()
    process.stderr.close()


def end_trainings(server: Server) -> None:
    """Ends the trainings that a test left, as one that fails does: one may run at once."""
    with urllib.request.urlopen(f"{server.url}/v1/trainings", timeout=60) as answer:
        left = json.load(answer)["trainings"]
    for training in left:
        where = f"{server.url}/v1/trainings/{training['id']}"
        with contextlib.suppress(urllib.error.HTTPError):  # the page has, just now
            request = urllib.request.Request(where, method="DELETE")
            urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture
def open_page(browser, server: Server) -> Iterator[Callable[..., object]]:
    """Returns what opens a page at a hash; at the end nothing may have gone wrong in it."""
    complaints: list[str] = []
    contexts = []

    def open_(hash_: str = "", *, size: dict[str, int] = WIDE, **settings: object) -> object:
        context = browser.new_context(viewport=size, locale="en-GB", **settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda line: (
                complaints.append(line.text) if line.type in ("error", "warning") else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((server.url, "data:", "blob:"))
                else complaints.append(f"request to {request.url}")
            ),
        )
        page.goto(f"{server.url}/#{hash_}")
        return page

    yield open_
    for context in contexts:
        context.close()
    end_trainings(server)
    assert complaints == []


@pytest.fixture
def keep_picture(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Returns what saves a screenshot as build output, to be looked at."""

    def keep(page, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")

    return keep
