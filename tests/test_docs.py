"""The documents are true: commands, links, version, examples, both languages."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from PIL import Image
from typer.main import get_command

import holmdel as library
from holmdel import data as data_sets
from holmdel import engine
from holmdel.cli.app import app
from holmdel.cli.flags import settings_among
from holmdel.reader_training.settings import make_plan
from holmdel.server import ServerSettings, create_app
from holmdel.settings import OPTIONS, READER, TRAINING
from holmdel.training.settings import plan

ROOT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", "README.zh-CN.md", "CHANGELOG.md"]
DOCUMENTS += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(name: str) -> list[str]:
    """Returns the command lines of a document: the lines of its `sh` blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", text_of(name), flags=re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


ALL = sorted({(name, line) for name in DOCUMENTS for line in commands(name)})


@pytest.mark.parametrize(("name", "line"), ALL, ids=lambda value: value)
def test_commands_are_ones_that_exist(name, line):
    words = [word for word in shlex.split(line) if not re.match(r"[A-Z_]+=", word)]
    if not words or words[0] in ("git", "cd", "pip", "export", "cat", "cc"):
        return
    if words[0] == "make":
        assert f"\n{words[1]}: " in text_of("Makefile")
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file()
    elif words[0] == "curl":
        [url] = [word for word in words if word.startswith("http://127.0.0.1:8000/")]
        assert url.removeprefix("http://127.0.0.1:8000").partition("?")[0] in routes()
    else:
        assert words[0].rpartition("/")[2] == "holmdel"
        parses(words[1:])


@cache
def routes() -> set[str]:
    """Returns the paths of the server's routes, as its own document has them."""
    return set(create_app(ServerSettings(), log=None).openapi()["paths"])


def parses(words: list[str]) -> None:
    """Raises if the command line would not take the words."""
    command = get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words[0]]
        words = words[1:]
    context = command.make_context(command.name, words)
    if command.name == "train":
        known = TRAINING | OPTIONS | READER
        given = {k: v for k, v in settings_among(context.params).items() if k in known}
        if context.params["network"] == "reader":
            make_plan(given)
            return
        plan(context.params["network"], context.params["data"], given)


def test_both_readmes_have_the_same_commands():
    assert commands("README.zh-CN.md") == commands("README.md")
    assert len(commands("README.md")) > 5


def test_the_readme_starts_with_the_two_commands():
    assert commands("README.md")[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(name)):
        if "://" not in target:
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"


def test_the_version_is_one():
    assert "version" in tomllib.loads(text_of("pyproject.toml"))["project"]["dynamic"]
    assert f"## {library.__version__}" in text_of("CHANGELOG.md")


def test_public_names_are_documented_and_there():
    for name in library.__all__:
        assert getattr(library, name)
        assert name.startswith("_") or name in (library.__doc__ or "") + "ClassifierUserError"


def test_the_readmes_python_prints_what_it_shows():
    """The first block, beside an image of a seven; tests/test_d2l.py runs the second."""
    digits = data_sets.load("digits").test
    seven = digits.images[(digits.labels == 7).nonzero()[0, 0], 0]
    Image.fromarray(seven.numpy()).save("seven.png")
    for name in ("README.md", "README.zh-CN.md"):
        block, shown = re.search(
            r"```python\n(.*?)```.*?```text\n(.*?)```", text_of(name), re.S
        ).groups()
    said: list[str] = []
    exec(block, {"print": lambda *values: said.append(" ".join(map(str, values)))})
    assert said[1:] == shown.splitlines()[1:]
    right, shown_right = (int(re.findall(r"\d+", line)[0]) for line in (said[0], shown))
    assert abs(right - shown_right) <= 2  # another processor rounds otherwise


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_is_read_in_one_sitting(name):
    assert len(text_of(name).splitlines()) <= 180


def test_the_servers_python_runs():
    """With the port that is free here in place of the one that is written there."""
    server = subprocess.Popen(
        [sys.executable, "-m", "holmdel", "serve", "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    try:
        port = json.loads(server.stderr.readline())["url"].rpartition(":")[2]
        [block] = re.findall(r"```python\n(.*?)```", text_of("docs/server.md"), flags=re.DOTALL)
        names = {"print": lambda *values: None}
        exec(block.replace("8000", port), names)
        assert names["found"].as_numpy("probabilities").shape == (1, 10)
        names["client"].close()
    finally:
        server.terminate()
        server.communicate(timeout=30)


def test_the_playgrounds_python_runs():
    [block] = re.findall(r"```python\n(.*?)```", text_of("docs/playground.md"), flags=re.DOTALL)
    names = {"print": lambda *values: None}
    exec(block, names)
    unit = names["unit"]
    products = unit.sum.patch * unit.sum.kernel
    assert float(products.sum()) + unit.sum.bias == pytest.approx(unit.value, rel=1e-12)


def test_the_server_answers_at_the_paths_that_its_document_names():
    for path in re.findall(r"(?:GET|POST) `?(/v[12][\w/{}:]*)", text_of("docs/server.md")):
        assert path in routes(), path


def test_the_engines_python_runs():
    if engine.status().name == "torch":
        pytest.skip(f"needs the native engine: {engine.status()}")
    block = re.findall(r"```python\n(.*?)```", text_of("docs/engine.md"), flags=re.DOTALL)[0]
    names = {"print": lambda *values: None}
    exec(block, names)
    assert names["logits"].shape == (64, 10)
