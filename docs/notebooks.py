"""Makes a Jupyter notebook of a page: its `python` blocks become cells, `text` blocks their output.

python docs/notebooks.py            # writes build/notebooks/*.ipynb, with the images beside them
"""

import ast
import contextlib
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).parent
PAGES = ("primer.md", "tour.md")
OUT = DOCS.parent / "build" / "notebooks"
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
    """Writes the notebooks and copies the images that they show."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name in PAGES:
        page = (DOCS / name).read_text(encoding="utf-8")
        path = OUT / name.replace(".md", ".ipynb")
        path.write_text(json.dumps(notebook(page), indent=1) + "\n", encoding="utf-8")
        print(path)
    shutil.copytree(DOCS / "img", OUT / "img", dirs_exist_ok=True)


if __name__ == "__main__":
    main()
