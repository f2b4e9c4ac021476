"""From a pointer's event to the new maps on the screen, in a browser, while digits are drawn.

python bench/page.py [--rounds N] [--record]; needs Chromium and Playwright.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from record import record

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))

from handwriting import STROKES, draw

MODEL = "lenet-mnist"
MEASURE = "performance.getEntriesByName('draw-to-maps').map(one => one.duration)"
PAUSE = 12  # milliseconds between two moves of the mouse; with the way to the browser some 16
AHEAD = 5  # measures of the first digit that are left out: code is compiled, caches are filled


def main() -> None:
    """Draws the ten digits some times over and prints the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times that the ten are drawn")
    parser.add_argument("--record", action="store_true", help="append to results.jsonl")
    chosen = parser.parse_args()
    with subprocess.Popen(
        [sys.executable, "-m", "holmdel", "serve", MODEL, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        url = json.loads(server.stderr.readline())["url"]
        with subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL):
            try:
                took, right = drawn(url, chosen.rounds)
            finally:
                server.terminate()
    figures: dict[str, Any] = {
        "measures": len(took),
        "p50": round(statistics.median(took), 1),
        "p95": round(statistics.quantiles(took, n=20)[-1], 1),
        "most": round(max(took), 1),
        "right": right,
        "drawn": 10 * chosen.rounds,
    }
    print(
        f"from pointer to maps: {figures['p50']} ms median, {figures['p95']} ms at the 95th "
        f"percentile, {figures['most']} at most, of {len(took)}; "
        f"{right} of {figures['drawn']} digits recognised"
    )
    if chosen.record:
        record("page", figures)


def drawn(url: str, rounds: int) -> tuple[list[float], int]:
    """Returns all times in milliseconds, and how many of the digits were recognised."""
    from playwright.sync_api import sync_playwright

    took: list[float] = []
    right = 0
    with sync_playwright() as session:
        browser = session.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
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
        browser.close()
    return took, right


if __name__ == "__main__":
    main()
