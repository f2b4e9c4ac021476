"""The line reader's network as ONNX."""

import base64
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from holmdel.checkpoint import Header
from holmdel.export.check import (
    Report,
    compared,
    refuse_difference,
    refuse_existing_files,
    write_all,
)
from holmdel.export.graph import IMAGES, LOGITS
from holmdel.export.network_graph import classifier_graph, line_graph
from holmdel.export.onnx_export import packages, session, texts_of_header
from holmdel.networks.line import LineNetwork
from holmdel.version import __version__

_WIDTHS = (40, 64, 130, 333)  # of the lines that it is compared on
_SEED = 1998


def lines_to_onnx(
    network: LineNetwork,
    out: Path,
    *,
    trust: dict[str, Any] | None = None,
    digits: tuple[nn.Module, Header] | None = None,
    force: bool = False,
) -> Report:
    """Writes a line network, float32 lines (N, 1, 32, W) to logits (N, K, T), any N and W.

    Args:
        network: the network.
        out: the file.
        trust: what makes confidences of its scores, kept in the file.
        digits: the classifier of single digits that combs are read with; it lies in the file.
        force: whether a file may be replaced.

    Raises:
        UserError: for a file that is there or cannot be written, or one that answers otherwise.
    """
    refuse_existing_files([out], force)
    onnx_file, runtime = packages()
    graph = line_graph(network)
    about = {"version": __version__, "network": "line", "input": "images.contract.to_line"}
    texts = {
        "holmdel": json.dumps(about),
        "classes": json.dumps([*network.alphabet, "blank"]),
        "licence": "MIT",
        "trust": json.dumps(trust),
        **({} if digits is None else {"digits": _file_of(onnx_file, *digits)}),
    }
    content = onnx_file.onnx_bytes(graph, texts)
    name, far = f"ONNX Runtime {runtime.__version__}", 0.0
    running, chance = session(runtime, content), torch.Generator().manual_seed(_SEED)
    shares = []
    for width in _WIDTHS:
        lines = torch.rand(4, 1, 32, width, generator=chance)
        with torch.inference_mode():
            expected = network(lines)
        logits = torch.from_numpy(running.run([LOGITS], {IMAGES: lines.numpy()})[0])
        difference, equal = compared(logits, expected)
        far = max(far, difference)
        shares.append(equal)
    refuse_difference(far, name, lambda: "of the output")
    facts = {"opset": onnx_file.OPSET, "shape": list(graph.shapes[IMAGES])}
    source = f"{4 * len(_WIDTHS)} generated lines"
    report = Report("onnx", (out.name,), len(content), name, source, far, min(shares), facts)
    write_all({out: content}, report)
    return report


def _file_of(onnx_file: Any, network: nn.Module, header: Header) -> str:
    """Returns a classifier's file in base64."""
    graph = classifier_graph(network, header.image)
    content = onnx_file.onnx_bytes(graph, texts_of_header(header, graph.kind))
    return base64.b64encode(content).decode()
