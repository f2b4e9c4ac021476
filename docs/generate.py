"""Writes the generated parts of the documents; with --check, fails if one is out of date.

A generated part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`: the tables of
measured figures, the settings, the command line's help, a network's anatomy. So do the
layer tables in the networks' docstrings. The primer's pictures and the drawings of networks are
generated whole.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from measured import benchmark, curves, figures, reproduction, starts
from measured_paper import paper
from measured_reading import reading
from measured_records import times
from measured_results import results
from measured_serving import serving

if TYPE_CHECKING:
    from holmdel.schema import Setting

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "README.zh-CN.md",
    "docs/anatomy.md",
    "docs/bench.md",
    "docs/commands.md",
    "docs/reading.md",
    "docs/recipes.md",
    "docs/records.md",
    "docs/reproduction.md",
    "docs/server.md",
    "docs/settings.md",
)
DRAWN = ("lenet", "lenet5-1998", "resnet8", "alexnet", "vgg11", "nin", "googlenet")


def settings() -> str:
    """Returns the table of all settings."""
    from holmdel.networks import NETWORKS, network_options
    from holmdel.settings import OPTIONS, TRAINING
    from holmdel.training.settings import plan

    modern = plan("lenet", "fashion-mnist", {"recipe": "modern"}).settings
    rows = ["| setting | type | book | modern | what |", "| --- | --- | --- | --- | --- |"]
    for name, about in TRAINING.items():
        kind = about.type + (" or none" if about.optional else "")
        chosen = getattr(modern, name)
        rows.append(f"| `{name}` | {kind} | {about.default} | {chosen} | {_said(about)} |")
    rows += ["", "The options of networks:", ""]
    rows += ["| option | type | what |", "| --- | --- | --- |"]
    rows += [f"| `{name}` | {about.type} | {_said(about)} |" for name, about in OPTIONS.items()]
    rows += [
        "",
        "The book column is LeNet's. What `book` sets for each network, and its options:",
        "",
    ]
    rows += ["| network | book | options |", "| --- | --- | --- |"]
    plain = plan("lenet", "fashion-mnist", {}).settings
    for name in NETWORKS:
        book = vars(plan(name, "fashion-mnist", {}).settings)
        own = ", ".join(f"`{k}` {v}" for k, v in book.items() if v != getattr(plain, k))
        options = ", ".join(f"`{k}` {_shown(v)}" for k, v in network_options(name).items())
        rows.append(f"| `{name}` | {own or 'as above'} | {options} |")
    return "\n".join(rows + reader_settings())


def _said(setting: "Setting") -> str:
    """Returns what a setting does, and what it may be where that is not any value."""
    return f"{setting.help}; {setting.expected}" if setting.bounded else setting.help


def reader_settings() -> list[str]:
    """Returns the table of `holmdel train reader`'s settings, line by line."""
    from holmdel.reader_training.settings import ReaderPlan, make_plan
    from holmdel.schema import schema

    given = {"processes": 1}
    plain, tuned = make_plan(given), make_plan(given, tuned=True)
    rows = ["", "`holmdel train reader` has settings of its own:", ""]
    rows += ["| setting | from nothing | with `--strings` | what |", "| --- | --- | --- | --- |"]
    for name, about in schema(ReaderPlan).items():
        values = f"{getattr(plain, name)} | {getattr(tuned, name)}"
        rows.append(f"| `{name}` | {values} | {_said(about)} |")
    return rows


def _shown(value: object) -> str:
    """Returns an option's value as it is given on the command line."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def commands() -> str:
    """Returns the help text of every verb."""
    verbs = (
        "train",
        "evaluate",
        "predict",
        "read",
        "review",
        "template new",
        "template check",
        "serve",
        "inspect",
        "import",
        "data",
        "bench",
        "demo",
    )
    parts = [f"## holmdel {verb}\n\n```\n{printed(*verb.split(), '--help')}\n```" for verb in verbs]
    return "\n\n".join(parts)


def anatomy() -> str:
    """Returns what `holmdel inspect` prints of LeNet-5."""
    return f"```\n{printed('inspect', 'lenet5-1998')}\n```"


def printed(*words: str) -> str:
    """Returns what `holmdel` prints in a terminal of 100 columns."""
    done = subprocess.run(
        [sys.executable, "-m", "holmdel", *words],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"},
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "figures": figures,
    "records": times,
    "benchmark": benchmark,
    "curves": curves,
    "anatomy": anatomy,
    "reproduction": reproduction,
    "starts": starts,
    "paper": paper,
    "reading": reading,
    "results": results,
    "serving": serving,
}


def generated(text: str) -> str:
    """Returns a document with its generated parts made anew."""
    for name in re.findall(r"<!-- begin (\w+) -->", text):
        part = f"<!-- begin {name} -->\n{PARTS[name]()}\n<!-- end {name} -->"
        pattern = rf"<!-- begin {name} -->.*?<!-- end {name} -->"
        text = re.sub(pattern, part.replace("\\", r"\\"), text, flags=re.DOTALL)
    return text


def files() -> dict[str, str]:
    """Returns the text of every generated file, by its name: documents and pictures."""
    from layer_tables import with_tables
    from primer_pictures import drawn

    made = {name: generated((ROOT / name).read_text(encoding="utf-8")) for name in DOCUMENTS}
    made |= with_tables()
    pictures = drawn() | drawings()
    return made | {f"docs/img/{name}": text for name, text in pictures.items()}


def drawings() -> dict[str, str]:
    """Returns the drawings of networks, by file name."""
    from holmdel import draw, inspect

    return {f"{name}.svg": draw(inspect(name)) for name in DRAWN}


def main() -> int:
    """Writes the documents, or compares them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = 0
    for name, new in files().items():
        path = ROOT / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if check and new != old:
            stale += 1
            difference = difflib.unified_diff(
                old.splitlines(), new.splitlines(), name, "generated", lineterm=""
            )
            print("\n".join(difference))
        elif new != old:
            path.parent.mkdir(exist_ok=True)
            path.write_text(new, encoding="utf-8")
    if stale:
        print(f"{stale} files are out of date: run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
