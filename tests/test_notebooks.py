"""The pages that teach: each block of code prints what stands below it, and becomes a notebook."""

import importlib
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from holmdel.data import SOURCES, idx

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def notebooks():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("notebooks")


@pytest.mark.parametrize("name", ["primer.md", "tour.md"])
def test_the_code_of_a_page_prints_what_is_shown(notebooks, name, tmp_path, monkeypatch):
    """In order and in one namespace, as in a notebook."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    shown = [cell for cell in notebooks.cells((DOCS / name).read_text("utf-8")) if cell.code]
    assert len(shown) > 5
    for cell in shown:
        assert notebooks.run(cell.code, names) == (cell.shown or ""), cell.code


@pytest.mark.parametrize("name", ["primer.md", "tour.md"])
def test_a_page_holds_no_other_code(name):
    page = (DOCS / name).read_text(encoding="utf-8")
    assert set(re.findall(r"^```(\w+)", page, flags=re.MULTILINE)) <= {"python", "text", "sh"}


def test_a_notebook_holds_the_page_as_cells(notebooks):
    page = "# Title\n\nProse.\n\n```python\n1 + 1\n```\n\n```text\n2\n```\n\nThe end.\n"
    made = json.loads(json.dumps(notebooks.notebook(page)))
    assert [cell["cell_type"] for cell in made["cells"]] == ["markdown", "code", "markdown"]
    assert "".join(made["cells"][1]["source"]) == "1 + 1"
    assert made["nbformat"] == 4


@pytest.fixture
def small_fashion_mnist(tmp_path, monkeypatch):
    """A data root with 32 + 16 images in the files of Fashion-MNIST."""
    source, noise = SOURCES["fashion-mnist"], np.random.default_rng(0)
    source.raw(tmp_path).mkdir(parents=True)
    parts = []
    for count in (32, 16):
        parts.append(noise.integers(0, 256, (count, 28, 28), np.uint8))
        parts.append(np.arange(count, dtype=np.uint8) % 10)
    for file, part in zip(source.files, parts, strict=True):
        idx.write(source.raw(tmp_path) / f"{file.name}.gz", part)
    monkeypatch.setenv("HOLMDEL_DATA", str(tmp_path))


CHAPTERS = ("lenet", "alexnet", "vgg", "nin", "googlenet")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs(notebooks, name, small_fashion_mnist, capsys):
    """With its quick settings; the code is the same in both languages."""
    page = notebooks.quick((notebooks.OUT / f"{name}.md").read_text("utf-8"))
    assert "quick:" not in page
    names: dict[str, object] = {}
    said = [
        notebooks.run(cell.code, names)
        for cell in notebooks.cells(notebooks.chapter(page, "en"))
        if cell.code
    ]
    plt.close("all")
    assert any("examples/sec on cpu" in text for text in said)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_says_the_same_in_both_languages(notebooks, name):
    page = (notebooks.OUT / f"{name}.md").read_text("utf-8")
    english, chinese = (notebooks.cells(notebooks.chapter(page, word)) for word in ("en", "zh"))
    assert [bool(cell.code) for cell in english] == [bool(cell.code) for cell in chinese]
    for one, other in zip(english, chinese, strict=True):
        assert one.code == other.code
        assert not re.search("[一-鿿]", one.prose)
        assert not other.prose or re.search("[一-鿿]", other.prose) or one.prose == other.prose


def test_the_chinese_primer_prints_what_is_shown(notebooks):
    names: dict[str, object] = {}
    for cell in notebooks.cells((notebooks.OUT / "primer.zh.md").read_text("utf-8")):
        if cell.code:
            assert notebooks.run(cell.code, names) == (cell.shown or ""), cell.code


def test_the_notebooks_are_those_of_the_pages(notebooks):
    made = dict(notebooks.written())
    assert {path.name for path in notebooks.OUT.glob("*.ipynb")} == {path.name for path in made}
    for path, page in made.items():
        assert path.read_text("utf-8") == notebooks.as_file(page), "run make notebooks"


def test_the_primers_drawings_are_those_the_build_draws(notebooks):
    drawn = importlib.import_module("primer_pictures").drawn()
    page = (DOCS / "primer.md").read_text(encoding="utf-8")
    assert list(drawn) == re.findall(r"\]\(img/([^)]+)\)", page)
    for name, text in drawn.items():
        assert (DOCS / "img" / name).read_text(encoding="utf-8") == text, "run make docs"
