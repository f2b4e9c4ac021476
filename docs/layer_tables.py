"""The layer tables in the networks' docstrings, made from their anatomy."""

import re
from pathlib import Path

import holmdel
from holmdel.anatomy import Anatomy
from holmdel.anatomy.table import kind, times
from holmdel.networks import NETWORKS

ROOT = Path(__file__).parents[1]
HEAD = ["| name | kind | output | parameters |", "| --- | --- | --- | --- |"]
INDENT = " " * 8


def with_tables() -> dict[str, str]:
    """Returns the sources of the networks with the tables made anew, by their name."""
    sources: dict[str, str] = {}
    for name, function in NETWORKS.items():
        path = Path(function.__code__.co_filename).relative_to(ROOT).as_posix()
        text = sources.get(path) or (ROOT / path).read_text(encoding="utf-8")
        rows = "".join(f"{INDENT}{row}\n" for row in [*HEAD, *table(holmdel.inspect(name))])
        pattern = rf"(def {function.__name__}\([\s\S]*?\n    Layers:\n)(?:{INDENT}\|.*\n)*"
        sources[path] = re.sub(pattern, rf"\g<1>{rows}", text)
    return sources


def table(anatomy: Anatomy) -> list[str]:
    """Returns a row a layer; blocks whose paths are joined are one row each."""
    joined = {layer.name.partition(".")[0] for layer in anatomy.layers if len(layer.inputs) > 1}
    groups = {group.name: group for group in anatomy.groups if group.name in joined}
    rows: dict[str, tuple[str, str, int]] = {}
    for layer in anatomy.layers:
        block = groups.get(layer.name.partition(".")[0])
        if block is None:
            rows[layer.name] = (kind(layer), times(layer.output), layer.parameters)
        else:
            before = rows.get(block.name, ("", "", 0))[2]
            rows[block.name] = (block.kind, times(block.output), before + layer.parameters)
    return [f"| {name} | {what} | {out} | {n:,} |" for name, (what, out, n) in rows.items()]
