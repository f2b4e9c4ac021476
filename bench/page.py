"""From a pointer's event to the new maps on the screen, and until the page stands, in a browser.

python bench/page.py [--rounds N] [--beside CHECKOUT] [--record]; needs Chromium and Playwright.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from record import record

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from handwriting import STROKES, draw

MODEL = "lenet-mnist"
MEASURE = "performance.getEntriesByName('draw-to-maps').map(one => one.duration)"
SIGHTS = 7  # times that the page is opened by a browser that knows nothing of it
PAUSE = 12  # milliseconds between two moves of the mouse; with the way to the browser some 16
AHEAD = 5  # measures of the first digit that are left out: code is compiled, caches are filled


def main() -> None:
    """Draws the ten digits some times over and prints the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times that the ten are drawn")
    parser.add_argument("--beside", type=Path, help="a checkout whose page is measured in turn")
    parser.add_argument("--record", action="store_true", help="append to results.jsonl")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(serving())
        other = stack.enter_context(serving(chosen.beside / "src")) if chosen.beside else None
        took: dict[str, list[float]] = {url: [], **({other: []} if other else {})}
        right = 0
        for _ in range(chosen.rounds):  # in turn, so that both meet the same machine
            for each in took:
                times, found = drawn(each, 1)
                took[each] += times
                right += found if each == url else 0
        sights = first_sights(url)
    figures: dict[str, Any] = told(took[url]) | {"right": right, "drawn": 10 * chosen.rounds}
    print(
        f"from pointer to maps: {figures['p50']} ms median, {figures['p95']} ms at the 95th "
        f"percentile, {figures['most']} at most, of {len(took[url])}; "
        f"{right} of {figures['drawn']} digits recognised"
    )
    figures |= sights
    print(
        f"first sight, nothing cached: {sights['requests']} requests, {sights['bytes']} bytes, "
        f"drawn in {sights['drawn_ms']} ms (median of {SIGHTS}), {sights['slowest_ms']} at most"
    )
    if other:
        before = told(took[other])
        figures |= {"beside": before, "ratio": round(figures["p95"] / before["p95"], 3)}
        print(
            f"beside {chosen.beside}: {before['p50']} ms median, {before['p95']} ms at the 95th "
            f"percentile, of {before['measures']}: {figures['ratio']} times"
        )
    if chosen.record:
        record("page", figures)


def told(times: list[float]) -> dict[str, Any]:
    """Returns the percentiles of times in milliseconds."""
    return {
        "measures": len(times),
        "p50": round(statistics.median(times), 1),
        "p95": round(statistics.quantiles(times, n=20)[-1], 1),
        "most": round(max(times), 1),
    }


@contextmanager
def serving(sources: Path | None = None) -> Iterator[str]:
    """Gives the address of a server; of other sources where they are given."""
    more = {"PYTHONPATH": str(sources.resolve())} if sources else {}
    with subprocess.Popen(
        [sys.executable, "-m", "holmdel", "serve", MODEL, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | more,
    ) as server:
        assert server.stderr is not None
        url = json.loads(server.stderr.readline())["url"]
        with subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL):
            try:
                yield url
            finally:
                server.terminate()


@contextmanager
def chromium() -> Iterator[Any]:
    """Gives a browser that knows nothing of the page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as session:
        browser = session.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def first_sights(url: str) -> dict[str, Any]:
    """Returns what a browser that knows nothing of the page asks for, and until its maps stand."""
    with chromium() as browser:
        seen = [first_sight(browser, url) for _ in range(SIGHTS)]
    times = [one[0] for one in seen]
    return {
        "requests": seen[-1][1],
        "bytes": seen[-1][2],
        "drawn_ms": round(statistics.median(times)),
        "slowest_ms": round(max(times)),
    }


def first_sight(browser: Any, url: str) -> tuple[float, int, int]:
    """Returns milliseconds until the answer stands there, and requests and bytes until then."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    asked: set[str] = set()  # not what stands in the page itself, as data:
    sent: list[int] = []

    def request(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            asked.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in asked:
            sent.append(event["encodedDataLength"])

    network.on("Network.requestWillBeSent", request)
    network.on("Network.loadingFinished", finished)
    began = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("[data-best='5']")
    took = 1000 * (time.perf_counter() - began)
    page.wait_for_load_state("networkidle")
    context.close()
    return took, len(sent), sum(sent)


def drawn(url: str, rounds: int) -> tuple[list[float], int]:
    """Returns all times in milliseconds, and how many of the digits were recognised."""
    took: list[float] = []
    right = 0
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/#model={MODEL}")
        page.wait_for_selector("#sheet")
        for number in range(rounds):
            for digit in STROKES:
                page.evaluate("performance.clearMeasures('draw-to-maps')")
                draw(page, digit, PAUSE)
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(100)
                took += page.evaluate(MEASURE)[AHEAD if not number and digit == "0" else 0 :]
                right += page.locator("[data-best]").first.inner_text() == digit
                page.locator("#clear").click()
                page.wait_for_load_state("networkidle")
    return took, right


if __name__ == "__main__":
    main()
