"""Makes a Jupyter notebook of a page: its `python` blocks become cells, `text` blocks their output.

python docs/notebooks.py            # writes notebooks/*.ipynb, a chapter in two languages each

A chapter in `notebooks/` has its prose in English, then `<!-- zh -->` and the same in Chinese.
Behind the cell with its settings, `<!-- quick: ... -->` has those with which the tests run it.
"""

import ast
import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).parent
PAGES = ("primer.md", "tour.md")
OUT = DOCS.parent / "notebooks"
CHAPTERS = ("lenet", "alexnet", "vgg", "nin", "googlenet")
LANGUAGES = ("en", "zh")
TURN = "<!-- zh -->"  # what stands between the English and the Chinese of a chapter
_QUICK = re.compile(r"<!-- quick: (.*?) -->\n*")
_BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


class Cell(NamedTuple):
    """A part of a page: prose, or code and what it prints (None if nothing is shown)."""

    prose: str
    code: str
    shown: str | None


def cells(page: str) -> list[Cell]:
    """Returns the parts of a Markdown page in order; of prose and code one is empty."""
    found, at = [], 0
    for block in _BLOCK.finditer(page):
        found += [Cell(page[at : block.start()].strip(), "", None)]
        found += [Cell("", block[1].rstrip(), block[2] and block[2].rstrip())]
        at = block.end()
    found.append(Cell(page[at:].strip(), "", None))
    return [cell for cell in found if cell.prose or cell.code]


def notebook(page: str) -> dict[str, Any]:
    """Returns a page as a notebook of format 4.5, as JSON values."""
    made: list[dict[str, Any]] = []
    for number, cell in enumerate(cells(page)):
        text = (cell.prose or cell.code).splitlines(keepends=True)
        common = {"id": f"cell-{number}", "metadata": {}, "source": text}
        if cell.prose:
            made.append({"cell_type": "markdown"} | common)
        else:
            code: dict[str, Any] = {"execution_count": None, "outputs": []}
            made.append({"cell_type": "code"} | code | common)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": made,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def chapter(page: str, language: str) -> str:
    """Returns a chapter in one of its two languages, as a page."""
    parts = re.split(r"(```python\n.*?```)", _QUICK.sub("", page), flags=re.DOTALL)
    for number in range(0, len(parts), 2):  # every second part is code
        english, _, chinese = parts[number].partition(TURN)
        prose = chinese if language == "zh" and chinese else english
        parts[number] = f"\n\n{prose.strip()}\n\n"
    return "".join(parts).strip() + "\n"


def quick(page: str) -> str:
    """Returns a page whose settings are those that the tests run it with."""
    settings = re.compile(r"```python\n([^`]*?)\n```\n\n<!-- quick: (.*?) -->")
    return settings.sub(r"```python\n\2\n```", page)


def written() -> Iterator[tuple[Path, str]]:
    """Yields the path of each notebook and the page that it is made of."""
    for name in CHAPTERS:
        source = (OUT / f"{name}.md").read_text(encoding="utf-8")
        for language in LANGUAGES:
            ending = "" if language == "en" else f".{language}"
            yield OUT / f"{name}{ending}.ipynb", chapter(source, language)
    for page in PAGES:
        text = (DOCS / page).read_text(encoding="utf-8").replace("](img/", "](../docs/img/")
        yield OUT / page.replace(".md", ".ipynb"), text
    yield OUT / "primer.zh.ipynb", (OUT / "primer.zh.md").read_text(encoding="utf-8")


def as_file(page: str) -> str:
    """Returns the text of a page's notebook."""
    return json.dumps(notebook(page), indent=1, ensure_ascii=False) + "\n"


def run(code: str, names: dict[str, Any]) -> str:
    """Runs a cell as a notebook does; returns what it prints and the value of its last line."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
            if value is not None:
                print(repr(value))
    return "\n".join(line.rstrip() for line in said.getvalue().splitlines())


def main() -> None:
    """Writes the notebooks."""
    for path, page in written():
        path.write_text(as_file(page), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
