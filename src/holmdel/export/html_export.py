"""HTML: one page that shows a network at work, computed in the browser."""

import base64
import gzip
import html
import json
import posixpath
import re
import shutil
import subprocess
import tempfile
from functools import partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holmdel.anatomy import inspect_module
from holmdel.errors import UserError
from holmdel.export.check import (
    Report,
    compared,
    first_different,
    refuse_difference,
    refuse_existing_files,
    write_all,
)
from holmdel.export.graph import IMAGES, LOGITS, Graph
from holmdel.export.network_graph import classifier_graph
from holmdel.export.plain_graph import plain_graph
from holmdel.export.steps import follow
from holmdel.export.subject import Subject
from holmdel.files.page_text import STYLES, bare
from holmdel.images.contract import to_input
from holmdel.version import __version__

MOST_MACS = 2e10  # of a comparison: half a minute of Node.js
_BEGIN = "frame.js"
_IMPORT = re.compile(r'(from |import |import\()"(\.[^"]+\.js)"')
_ALWAYS = ("open", "unknown", "Input", "Softmax", "Backward")  # kinds of what is no layer
_ROOMS = (  # whose texts it has
    *("shell", "upload", "kind", "detail", "legend", "draw", "unit", "tour", "backward", "stages"),
)
_OWN, _PLAYGROUND = "export/page/", "server/page/"  # folders of modules


def to_html(subject: Subject, out: Path, *, force: bool = False) -> Report:
    """Writes a classifier as a page, once its JavaScript has answered as the network does.

    Args:
        subject: what is exported.
        out: the file.
        force: whether a file may be replaced.

    Raises:
        UserError: for a network that cannot go into a page, a file that is there or cannot be
            written, without Node.js, or where it answers otherwise.
    """
    refuse_existing_files([out], force)
    subject.refuse_large("pages")
    graph = classifier_graph(subject.network, subject.header.image)
    anatomy = inspect_module(subject.network, subject.header.image.input)
    plain, weights = plain_graph(graph)
    node, runtime = _node()
    count = int(min(len(subject.images), max(1, MOST_MACS / max(1, anatomy.totals.macs or 1))))
    images = subject.images[:count]
    values = _computed(node, plain, weights, images, [LOGITS])
    logits = torch.stack([value[LOGITS] for value in values])
    difference, equal = compared(logits, subject.logits[:count].double())
    refuse_difference(difference, runtime, lambda: _layer(node, plain, weights, graph, subject))
    content = _page(subject, plain, weights, anatomy.to_json()["layers"]).encode()
    source = subject.source if count == len(subject.images) else f"{count} of {subject.source}"
    facts = {"weights": len(weights) // 4}
    report = Report("html", (out.name,), len(content), runtime, source, difference, equal, facts)
    write_all({out: content}, report)
    return report


def _page(subject: Subject, plain: dict[str, Any], weights: bytes, rows: Any) -> str:
    """Returns the page."""
    header, contract = subject.header, subject.header.image
    name = subject.name or header.network
    model = {
        "name": name,
        "network": header.network,
        "classes": list(header.classes),
        "input": list(contract.input),
        "stored": list(contract.stored),
        "framing": contract.framing,
        "parameters": subject.parameters,
        "unknown": header.unknown,
        "source": "folder",
        "data": "",
    }
    kinds = {row["kind"] for row in rows}
    page = {"version": __version__, "model": model, "rows": rows, "graph": plain}
    licence = f", weights: {subject.licence}" if subject.licence else ""
    parts = {
        "title": html.escape(name),
        "version": __version__,
        "style": bare("".join(map(_text, STYLES))),
        "modules": _safe({"imports": _modules()}),
        "facts": html.escape(
            f"{subject.parameters:,} parameters. Made with Holmdel {__version__}{licence}."
        ),
        "texts": _safe({language: _texts(language, kinds) for language in ("en", "zh")}),
        "network": _safe(page),
        "weights": base64.b64encode(_packed(weights)).decode(),
    }
    template = _file("index.html").read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], found[0]), template)


def _packed(weights: bytes) -> bytes:
    """Returns float32 values compressed: the first bytes of all, then the second ones, ..."""
    planes = np.frombuffer(weights, np.uint8).reshape(-1, 4).T
    return gzip.compress(planes.tobytes(), mtime=0)


def _texts(language: str, kinds: set[str]) -> dict[str, str]:
    """Returns the texts of the tab that the page shows, of its own kinds of layers alone."""
    texts: dict[str, str] = json.loads(_text(f"{language}.json"))
    wanted = {*kinds, *_ALWAYS}
    parts = {key: key.split(".") for key in texts}
    return {
        key: texts[key]
        for key, (room, name, *_) in parts.items()
        if room in _ROOMS and (room != "kind" or name in wanted)
    }


def _safe(values: Any) -> str:
    """Returns JSON that ends no element it stands in."""
    return (
        json.dumps(values, separators=(",", ":"), ensure_ascii=False)
        .replace("</", "<\\/")
        .replace("<!", "<\\u0021")
    )


def _file(name: str) -> Traversable:
    """Returns a file of this page, or else of the playground's."""
    own = resources.files("holmdel.export") / "page" / name
    return own if own.is_file() else resources.files("holmdel.server") / "page" / name


def _text(name: str) -> str:
    return _file(name).read_text(encoding="utf-8")


def _modules() -> dict[str, str]:
    """Returns an import map: the modules that the page needs, each as an address that holds it.

    A page that is opened as a file may import nothing from beside it.
    """
    found: dict[str, str] = {}
    waiting = [_OWN + _BEGIN]
    while waiting:
        path = waiting.pop()
        if path not in found:
            text = resources.files("holmdel").joinpath(path).read_text(encoding="utf-8")
            waiting += [_resolved(path, target) for _, target in _IMPORT.findall(text)]
            plain = bare(_IMPORT.sub(partial(_renamed, path), text))
            found[path] = "data:text/javascript;charset=utf-8," + _escaped(plain)
    return {_called(path): address for path, address in sorted(found.items())}


def _resolved(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _renamed(path: str, found: re.Match[str]) -> str:
    """Returns an import as it stands in the page: by a name of the import map."""
    return f'{found[1]}"{_called(_resolved(path, found[2]))}"'


def _called(path: str) -> str:
    return "holmdel/" + path.removeprefix(_OWN).removeprefix(_PLAYGROUND)


def _escaped(text: str) -> str:
    """Returns a text as it may stand in an address, with as few escapes as that takes."""
    for sign in "%#\n\t\r":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _node() -> tuple[str, str]:
    """Returns Node.js and its name with its version.

    Raises:
        UserError: where it is not installed.
    """
    found = shutil.which("node") or shutil.which("nodejs")
    if not found:
        raise UserError(
            "Node.js was not found, in which a page's network is compared with the model; install "
            "nodejs"
        )
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return found, f"Node.js {said.stdout.strip().lstrip('v')}"


_SCRIPT = """
import { readFileSync, writeFileSync } from "node:fs";
import { constantsOf, run } from "./network.mjs";
const { graph, wanted, count } = JSON.parse(readFileSync("graph.json", "utf8"));
const bytes = (name) => Uint8Array.from(readFileSync(name)).buffer;
const constants = constantsOf(graph, bytes("weights"));
const images = new Uint8Array(bytes("images"));
const size = images.length / count;
const found = [];
for (let at = 0; at < images.length; at += size) {
  const values = run(graph, constants, images.subarray(at, at + size));
  for (const name of wanted) found.push(...values.get(name).data);
}
writeFileSync("answers", new Float64Array(found));
"""


def _computed(
    node: str, plain: dict[str, Any], weights: bytes, images: Tensor, wanted: list[str]
) -> list[dict[str, Tensor]]:
    """Returns some values of each image, by name, as the page's JavaScript computes them."""
    sizes = [int(np.prod(plain["shapes"][name])) for name in wanted]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place)
        (folder / "network.mjs").write_text(_text("network.js"), encoding="utf-8")
        (folder / "run.mjs").write_text(_SCRIPT, encoding="utf-8")
        asked = {"graph": plain, "wanted": wanted, "count": len(images)}
        (folder / "graph.json").write_text(json.dumps(asked), encoding="utf-8")
        (folder / "weights").write_bytes(weights)
        (folder / "images").write_bytes(images.contiguous().numpy().tobytes())
        done = subprocess.run(
            [node, "run.mjs"], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise UserError(f"Node.js cannot run the network: {done.stderr.strip()[:200]}")
        flat = torch.from_numpy(np.frombuffer((folder / "answers").read_bytes()).copy())
    rows = torch.split(flat.view(len(images), -1), sizes, dim=1)
    return [{name: rows[at][i] for at, name in enumerate(wanted)} for i in range(len(images))]


def _layer(node: str, plain: dict[str, Any], weights: bytes, graph: Graph, subject: Subject) -> str:
    """Returns the name of the layer where the page's network begins to differ."""
    image = subject.images[:1]
    seen = to_input(image, subject.header.image)
    expected = follow(subject.network, seen, torch.cat([seen, seen])).given
    names = [name for name in dict.fromkeys(graph.layers.values()) if name != IMAGES]
    (values,) = _computed(node, plain, weights, image, names)
    return first_different(
        {layer: values[name] for layer, name in graph.layers.items() if name in values}, expected
    )
