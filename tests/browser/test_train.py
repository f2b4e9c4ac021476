"""The Train tab in a real browser: started, watched, stopped, kept, drawn on."""

import re

import pytest

SETTINGS = "&".join(
    f"train.{name}={value}"
    for name, value in {
        "network": "lenet",
        "data": "digits",
        "activation": "relu",
        "pooling": "max",
        "lr": 0.1,
        "batch_size": 32,
    }.items()
)


def test_a_training_is_watched_and_kept(open_page, keep_picture, server):
    page = open_page(f"tab=train&{SETTINGS}&train.epochs=3&sample=digits:3")
    page.locator("#train-start").click()
    page.wait_for_selector("#train-keep:enabled", timeout=60_000)
    assert "3" in page.locator("#train-epoch").inner_text()
    page.wait_for_selector("#live-bars li")
    page.locator("#train-epochs summary").click()
    page.wait_for_selector("#train-epochs tbody tr")
    assert page.locator("#train-epochs tbody tr").count() == 3
    keep_picture(page, "train")
    page.locator("#train-keep").click()
    page.wait_for_selector("#train-kept-draw:visible")
    [kept] = [path.name for path in server.runs.iterdir()]
    assert kept in page.locator("#train-kept").inner_text()
    page.locator("#train-kept-draw").click()
    page.wait_for_url(re.compile(f"model={kept}"))
    page.wait_for_selector("#sheet")
    page.locator("#tab-train").click()
    page.locator("#train-forget").click()


@pytest.mark.exhaustive
def test_a_training_is_held_and_stopped(open_page, keep_picture):
    page = open_page(f"tab=train&{SETTINGS}&train.epochs=500")
    page.locator("#train-start").click()
    page.wait_for_selector("#train-pause:enabled")
    page.wait_for_selector("#train-epoch:has-text('epoch 2')")
    page.locator("#train-pause").click()
    page.wait_for_selector("#train-resume:enabled")
    done = page.locator("#train-epoch").inner_text()
    page.wait_for_timeout(1000)
    assert page.locator("#train-epoch").inner_text() == done
    page.locator("#train-resume").click()
    page.wait_for_selector("#train-pause:enabled")
    page.locator("#train-stop").click()
    page.wait_for_selector("#train-keep:enabled")
    keep_picture(page, "train-stopped")
    page.locator("#train-forget").click()
    page.wait_for_selector("#train-none:visible")


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [(1280, 720), (1440, 900), (1920, 1080)])
def test_a_lesson_needs_no_scroll_bar(open_page, keep_picture, size):
    page = open_page("tab=train", size=dict(zip(("width", "height"), size, strict=True)))
    page.locator("#lesson-dead").click()
    page.wait_for_selector("#live-bars li")
    page.wait_for_selector("#run-2, #train-runs tbody tr:nth-child(1)")
    scrolled = page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll("main *")]
        .filter((one) => one.scrollHeight > one.clientHeight + 1
            && /auto|scroll/.test(getComputedStyle(one).overflowY))
        .map((one) => one.id || one.className)"""
    )
    assert scrolled == []
    assert page.evaluate("document.documentElement.scrollHeight") <= size[1]
    keep_picture(page, f"lesson-{size[0]}")
    page.locator("#train-forget").click()
