"""The pages that teach: each block of code prints what stands below it, and becomes a notebook."""

import importlib
import json
import re
from pathlib import Path

import pytest

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


def test_the_primers_drawings_are_those_the_build_draws(notebooks):
    drawn = importlib.import_module("primer_pictures").drawn()
    page = (DOCS / "primer.md").read_text(encoding="utf-8")
    assert list(drawn) == re.findall(r"\]\(img/([^)]+)\)", page)
    for name, text in drawn.items():
        assert (DOCS / "img" / name).read_text(encoding="utf-8") == text, "run make docs"
