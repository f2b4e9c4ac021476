"""The Anatomy tab in a real browser: any network layer by layer, and the numbers that follow."""

import pytest

import holmdel


def test_the_layers_and_sums_of_a_network(open_page, keep_picture):
    page = open_page("tab=anatomy&anatomy.network=lenet")
    page.wait_for_selector("#anatomy-table tr[data-layer=output]")
    expected = holmdel.inspect("lenet")
    names = page.locator("#anatomy-table tr[data-layer]").evaluate_all(
        "all => all.map(one => one.dataset.layer)"
    )
    assert names == [layer.name for layer in expected.layers]
    for name in ("parameters", "connections", "macs"):
        shown = page.locator(f"#anatomy-sum-{name}").inner_text()
        assert f"{getattr(expected.totals, name):,}" in shown
    assert page.locator("#anatomy-drawing svg").count() == 1
    keep_picture(page, "anatomy")


@pytest.mark.exhaustive
def test_the_numbers_follow_an_option(open_page):
    page = open_page("tab=anatomy&anatomy.network=lenet")
    page.wait_for_selector("#anatomy-table tr[data-layer=output]")
    page.locator("#anatomy-classes").fill("26")
    page.locator("#anatomy-classes").press("Enter")
    page.wait_for_url(lambda url: "anatomy.classes=26" in url)
    more = 16 * (84 + 1)  # a dense layer's weights and biases
    page.wait_for_selector(f"#anatomy-sum-parameters:has-text('{61706 + more:,}')")
    assert f"{more:,}" in page.locator("#anatomy-sums").inner_text()


@pytest.mark.exhaustive
def test_the_paths_of_an_inception_block(open_page, keep_picture):
    page = open_page("tab=anatomy&anatomy.network=googlenet")
    page.wait_for_selector("#anatomy-table tr[data-layer='inception3a.cat']")
    keep_picture(page, "anatomy-googlenet")
