"""The page as such: every tab on a phone, in the dark, in Chinese, by keyboard alone."""

import pytest

pytestmark = pytest.mark.exhaustive

TABS = {
    "draw": "canvas.maps[data-layer=output]",
    "train": "#train-start",
    "anatomy": "#anatomy-table",
    "read": "#read-stage",
}
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("tab", TABS)
def test_a_phone_shows_it_without_scrolling_sideways(open_page, keep_picture, tab):
    page = open_page(
        f"tab={tab}&sample=digits:3", size=PHONE, has_touch=True, is_mobile=True,
        device_scale_factor=2,
    )  # fmt: skip
    page.wait_for_selector(TABS[tab])
    page.wait_for_load_state("networkidle")
    keep_picture(page, f"phone-{tab}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("tab", TABS)
def test_the_dark_theme(open_page, keep_picture, tab):
    page = open_page(f"tab={tab}&sample=digits:3", color_scheme="dark")
    page.wait_for_selector(TABS[tab])
    page.wait_for_load_state("networkidle")
    keep_picture(page, f"dark-{tab}")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in paper[4:-1].split(",")[:3]) < 64


@pytest.mark.parametrize("tab", TABS)
def test_all_texts_are_there_in_chinese(open_page, keep_picture, tab):
    page = open_page(f"tab={tab}&lang=zh&sample=digits:3")
    page.wait_for_selector(TABS[tab])
    page.wait_for_load_state("networkidle")
    keep_picture(page, f"chinese-{tab}")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert "\u4e00" <= page.locator(f"#tab-{tab}").inner_text()[0] <= "\u9fff"
    text = page.locator("body").inner_text()
    assert not [word for word in text.split() if word.startswith((f"{tab}.", "shell."))]


def test_tabs_go_by_arrow_keys_and_back(open_page):
    page = open_page()
    page.wait_for_selector("#sheet")
    page.locator("#tab-draw").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#train-start")
    assert page.locator("#tab-train").get_attribute("aria-selected") == "true"
    page.go_back()
    page.wait_for_selector("#sheet")


def test_a_digit_is_drawn_by_keys_alone(open_page):
    page = open_page("model=lenet-mnist")
    page.wait_for_selector("#sheet")
    for _ in range(40):  # by Tab to the sheet
        if page.evaluate("document.activeElement.id") == "sheet":
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError("Tab does not come to the sheet")
    for _ in range(9):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(18):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.wait_for_selector("canvas.maps[data-layer=output]")
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-best]").first.inner_text() == "1"


def test_a_unit_is_reached_and_pinned_by_keys(open_page):
    page = open_page("model=lenet-mnist&sample=digits:3")
    page.wait_for_selector("canvas.maps[data-layer=output]")
    page.wait_for_load_state("networkidle")
    page.locator("canvas.maps[data-layer=c3]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#unit[data-unit^='c3.']")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "unit=c3." in url)
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "unit=" not in url)


def test_a_finger_draws_and_does_not_scroll(open_page):
    page = open_page("model=lenet-mnist", size=PHONE, has_touch=True, is_mobile=True)
    page.wait_for_selector("#sheet")
    assert page.evaluate("getComputedStyle(document.querySelector('#sheet')).touchAction") == "none"
    session = page.context.new_cdp_session(page)
    box = page.locator("#sheet").bounding_box()
    x = box["x"] + box["width"] / 2
    touches = [box["y"] + box["height"] * part / 20 for part in range(4, 17)]
    for kind, y in [("touchStart", touches[0]), *(("touchMove", y) for y in touches[1:])]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_url(lambda url: "strokes=" in url)
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-best]").first.inner_text() == "1"
    assert page.evaluate("scrollY") == 0
