"""C: the two files, and their comparison by the compiler that is here."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.export.c.source import NAME, Source, c_source, until
from holmdel.export.check import (
    Report,
    compared,
    first_different,
    refuse_difference,
    refuse_existing_files,
    write_all,
)
from holmdel.export.graph import Graph
from holmdel.export.network_graph import classifier_graph
from holmdel.export.steps import follow
from holmdel.export.subject import TOLERATED, Subject
from holmdel.images.contract import to_input
from holmdel.version import __version__


def to_c(
    subject: Subject,
    out: Path,
    *,
    force: bool = False,
    quantize: bool = False,
    tolerance: float = TOLERATED,
) -> Report:
    """Writes a classifier as a header and a source file, once they have answered as it does.

    Args:
        subject: what is exported.
        out: the folder.
        force: whether files may be replaced.
        quantize: whether to keep weights in 8 bits.
        tolerance: percentage points of accuracy that 8 bits may lose.

    Raises:
        UserError: for a network that cannot go into C, files that are there or cannot be written,
            without a compiler, or where they answer otherwise, or with 8 bits less well.
    """
    paths = [out / f"{NAME}.{ending}" for ending in ("h", "c")]
    refuse_existing_files(paths, force)
    subject.refuse_large("C files")
    graph = classifier_graph(subject.network, subject.header.image)
    found = c_source(graph, subject.header.classes, about(subject))
    compiler = _compiler()
    difference, equal = compared(
        _answers(compiler, found, subject.images, len(subject.header.classes)), subject.logits
    )
    refuse_difference(difference, compiler, lambda: _layer(compiler, graph, subject))
    facts: dict[str, Any] = dict(found.facts)
    if quantize:
        whole, found = found, c_source(graph, subject.header.classes, about(subject), eight=True)
        logits = _answers(compiler, found, subject.images, len(subject.header.classes))
        difference, equal = compared(logits, subject.logits)
        facts = dict(found.facts) | subject.kept(logits, tolerance)
        facts["size"] = [whole.facts["flash"], found.facts["flash"]]
    contents = [text.encode() for text in (found.header, found.source)]
    size = sum(map(len, contents))
    names = tuple(path.name for path in paths)
    report = Report("c", names, size, compiler, subject.source, difference, equal, facts)
    write_all(dict(zip(reversed(paths), reversed(contents), strict=True)), report)
    return report


_UNKNOWN = (
    "An image is unknown where all classes but the best have together a probability above {:.3g}."
)


def about(subject: Subject) -> list[str]:
    """Returns the sentences of a file's head."""
    header = subject.header
    stored = "x".join(map(str, header.image.stored))
    return [
        f"{header.network}: an image {stored} of bytes to {len(header.classes)} classes.",
        f"Written by Holmdel {__version__}. Licence of the weights: "
        f"{subject.licence or 'not stated'}.",
        *([] if header.unknown is None else [_UNKNOWN.format(header.unknown)]),
    ]


def _compiler() -> str:
    """Returns the C compiler.

    Raises:
        UserError: where there is none.
    """
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        if name and shutil.which(name):
            return name
    raise UserError(
        "no C compiler was found (cc, gcc, clang, or CC), by which C files are compared with the "
        "network; install one"
    )


def _answers(compiler: str, found: Source, images: Tensor, count: int) -> Tensor:
    """Returns the logits of images by C, compiled into a library that is gone again."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / f"{NAME}.h").write_text(found.header)
        (folder / f"{NAME}.c").write_text(found.source)
        library = folder / ("model.dylib" if sys.platform == "darwin" else "model.so")
        command: list[str | Path] = [
            compiler,
            "-std=c99",
            "-O2",
            "-fPIC",
            "-shared",
            f"{NAME}.c",
            "-o",
            library,
            "-lm",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"{compiler} refuses the file: {done.stderr.strip().splitlines()[0]}")
        run = ctypes.CDLL(str(library)).holmdel_logits
        run.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        logits = torch.empty(len(images), count)
        images = images.contiguous()
        for image, answer in zip(images, logits, strict=True):
            run(image.data_ptr(), answer.data_ptr())
    return logits


def _layer(compiler: str, graph: Graph, subject: Subject) -> str:
    """Returns the name of the layer where the C files begin to differ from the network."""
    image = subject.images[:1]
    seen = to_input(image, subject.header.image)
    expected = follow(subject.network, seen, torch.cat([seen, seen])).given
    given = {}
    for layer, value in graph.layers.items():
        if value in {node.output for node in graph.nodes}:
            part = c_source(until(graph, value), subject.header.classes, [])
            count = prod(side or 1 for side in graph.shapes[value])
            given[layer] = _answers(compiler, part, image, count)
    return first_different(given, expected)
