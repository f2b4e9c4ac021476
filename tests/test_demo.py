"""`holmdel demo`, which `make demo` runs."""

import re
from pathlib import Path

import pytest


def test_without_data_the_demo_trains_on_digits_and_says_so(holmdel, monkeypatch):
    monkeypatch.delenv("HOLMDEL_DATA", raising=False)
    monkeypatch.setenv("HOLMDEL_MIRROR", "http://127.0.0.1:9/")  # nothing listens there
    done = holmdel("demo")
    assert done.status == 0
    assert "training on digits" in done.out
    assert "Conv2d     output shape: [1, 6, 28, 28]" in done.out
    assert "Linear     output shape: [1, 10]" in done.out
    figures = re.search(r"loss [\d.]+, train acc [\d.]+, test acc ([\d.]+)\n([\d.]+) ex", done.out)
    assert figures is not None
    assert float(figures.group(1)) > 0.95
    assert "evaluated: accuracy 0.9" in done.out
    assert "curves: runs/demo-digits/curves.png" in done.out
    assert Path("runs/demo-digits/curves.png").is_file()


@pytest.mark.slow
def test_with_data_the_demo_trains_on_fashion_mnist(holmdel, data_root):
    done = holmdel("demo", "--data-root", data_root)
    assert done.status == 0
    assert "training on Fashion-MNIST" in done.out
    assert float(re.search(r"evaluated: accuracy ([\d.]+)", done.out).group(1)) > 0.6
