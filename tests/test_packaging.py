"""What is built and installed: the text of an index page, tested versions, public names."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

import holmdel

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = tomllib.loads((ROOT / "runtime" / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
index_page = runpy.run_path(str(ROOT / "setup.py"))["index_page"]


def test_a_link_of_the_readme_is_absolute_on_an_index_page():
    page = index_page("see [data](docs/data.md) and ![a net](docs/net.png)", "https://host/us/it")
    assert "[data](https://host/us/it/blob/main/docs/data.md)" in page
    assert "![a net](https://host/us/it/raw/main/docs/net.png)" in page


def test_without_an_address_a_link_becomes_its_text_and_an_image_goes():
    assert index_page("see [data](docs/data.md)![a net](net.png).", None) == "see data."


def test_links_that_work_anywhere_stay():
    text = "[the book](https://d2l.ai) and [below](#use)"
    assert index_page(text, "https://host/us/it") == index_page(text, None) == text


@pytest.mark.parametrize("repository", [None, "https://host/us/it"])
def test_the_readme_has_no_relative_link_on_an_index_page(repository):
    page = index_page((ROOT / "README.md").read_text(encoding="utf-8"), repository)
    targets = re.findall(r"\]\(([^)\s]+)\)", page) + re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [link for link in targets if not link.startswith(("https://", "#"))] == []


def test_there_is_a_tested_version_of_each_dependency():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    wanted = {re.match(r"[\w-]+", line).group() for group in groups for line in group}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines if not line.startswith("#")}
    assert wanted - {"holmdel"} - pinned == set()


def test_the_runtime_takes_the_versions_that_holmdel_takes():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    taken = {line for group in groups for line in group}
    extras = RUNTIME["optional-dependencies"].values()
    assert {*RUNTIME["dependencies"], *(line for group in extras for line in group)} <= taken
    assert RUNTIME["requires-python"] == PROJECT["requires-python"]


def test_pytorch_has_no_upper_bound():
    [torch] = [line for line in PROJECT["dependencies"] if line.startswith("torch")]
    assert torch == "torch>=2.11"


def test_dir_shows_the_public_names_and_no_others():
    assert dir(holmdel) == sorted(holmdel.__all__)


@pytest.mark.parametrize("name", holmdel.__all__)
def test_each_public_name_is_there(name):
    assert getattr(holmdel, name) is not None
