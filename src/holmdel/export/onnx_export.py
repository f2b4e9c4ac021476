"""ONNX: the file, and its comparison in ONNX Runtime."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.checkpoint import Header
from holmdel.errors import UserError
from holmdel.export.check import (
    TOLERANCE,
    Report,
    compared,
    first_different,
    needing,
    refuse_difference,
    refuse_existing_files,
    tensors,
    write_all,
)
from holmdel.export.graph import IMAGES, LOGITS, Graph
from holmdel.export.network_graph import classifier_graph
from holmdel.export.quantised import quantised
from holmdel.export.steps import follow
from holmdel.export.subject import TOLERATED, Subject, without_paths
from holmdel.images.contract import to_input
from holmdel.runtime import PHOTOGRAPHS
from holmdel.version import __version__

INPUTS = ("uint8", "float32")


def to_onnx(
    subject: Subject,
    out: Path,
    *,
    force: bool = False,
    input: str = "uint8",
    quantize: bool = False,
    tolerance: float = TOLERATED,
    framing: bool = False,
) -> Report:
    """Writes a classifier as ONNX, once it has answered as the network does.

    Args:
        subject: what is exported.
        out: the file.
        force: whether a file may be replaced.
        input: `uint8`: images as stored; `float32`: what the network itself sees.
        quantize: whether to compute with 8 bits, calibrated on training images.
        tolerance: percentage points of accuracy that 8 bits may lose.
        framing: whether the file takes photographs of any size, and frames them.

    Raises:
        UserError: for a network that cannot be exported, a file that is there or cannot be
            written, or one that answers otherwise, or with 8 bits less well.
    """
    if input not in INPUTS:
        raise UserError(f"input was given as {input!r}; choose from {', '.join(INPUTS)}")
    if input != "uint8" and (quantize or framing):
        given = "--quantize" if quantize else "--framing"
        raise UserError(f"{given} and --input float32 were given together; choose one of them")
    refuse_existing_files([out], force)
    onnx_file, runtime = packages()
    graph = classifier_graph(subject.network, subject.header.image, input)
    content = onnx_file.onnx_bytes(graph, texts_of(subject, PHOTOGRAPHS if framing else input))
    name = f"ONNX Runtime {runtime.__version__}"
    answers = [_answers(runtime, content, subject, graph, fast) for fast in (True, False)]
    found = [compared(logits, subject.logits) for logits in answers]
    difference, equal = max(one for one, _ in found), min(other for _, other in found)
    refuse_difference(difference, name, lambda: _layer(runtime, onnx_file, graph, subject))
    facts = {"opset": onnx_file.OPSET, "input": input, "shape": list(graph.shapes[IMAGES])}
    if quantize:
        content, logits, more = _quantised(runtime, content, subject, graph, tolerance)
        (difference, equal), facts = compared(logits, subject.logits), facts | more
    if framing:
        content, more = _framed(runtime, content, subject, quantize)
        facts |= more
    report = Report(
        "onnx", (out.name,), len(content), name, subject.source, difference, equal, facts
    )
    write_all({out: content}, report)
    return report


def _quantised(
    runtime: Any, content: bytes, subject: Subject, graph: Graph, tolerance: float
) -> tuple[bytes, Tensor, dict[str, Any]]:
    """Returns a file of 8 bits, its logits, and accuracy and size before and after.

    Raises:
        UserError: where it loses more than is tolerated.
    """
    training = subject.images if subject.training is None else subject.training
    small = quantised(content, training)
    logits = _answers(runtime, small, subject, graph, fast=True)
    facts = subject.kept(logits, tolerance) | {"size": [len(content), len(small)]}
    return small, logits, facts


def _framed(
    runtime: Any, content: bytes, subject: Subject, quantize: bool
) -> tuple[bytes, dict[str, Any]]:
    """Returns a file that takes photographs, and how it frames some.

    Raises:
        UserError: where it answers otherwise.
    """
    from holmdel.export.photograph.check import checked
    from holmdel.export.photograph.whole import OPSET, with_framing

    whole = with_framing(content, subject.header.image)
    name = f"ONNX Runtime {runtime.__version__}"
    tolerance = float("inf") if quantize else TOLERANCE
    found = checked(session(runtime, whole), subject, name, tolerance)
    shape = [None, None, 3]
    return whole, {"opset": OPSET, "input": PHOTOGRAPHS, "shape": shape, "photographs": found}


def texts_of(subject: Subject, input: str) -> dict[str, str]:
    """Returns the metadata of a classifier's file."""
    return {
        **texts_of_header(subject.header, input),
        "licence": subject.licence or "not stated",
        "card": without_paths(subject.card),
    }


def texts_of_header(header: Header, input: str) -> dict[str, str]:
    """Returns of the metadata what `runtime` reads."""
    about = {
        "version": __version__,
        "network": header.network,
        "input": input,
        "image": header.image.to_json(),
        **({} if header.unknown is None else {"unknown": header.unknown}),
    }
    return {
        "holmdel": json.dumps(about),
        "classes": json.dumps(list(header.classes)),
    }


def packages() -> tuple[Any, Any]:
    """Returns the module that writes files, and ONNX Runtime.

    Raises:
        UserError: where they are not installed.
    """
    with needing("ONNX files", "pip install 'holmdel[export]'"):
        import onnxruntime

        from holmdel.export import onnx_file
    return onnx_file, onnxruntime


def session(runtime: Any, content: bytes, fast: bool = True) -> Any:
    """Returns ONNX Runtime with a file, on the CPU, with its optimisations or without."""
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    if not fast:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _given(subject: Subject, graph: Graph, images: Tensor) -> dict[str, Any]:
    """Returns images as the file takes them."""
    seen = images if graph.kind == "uint8" else to_input(images, subject.header.image)
    return {IMAGES: seen.numpy()}


def _answers(runtime: Any, content: bytes, subject: Subject, graph: Graph, fast: bool) -> Tensor:
    """Returns the logits of the subject's images."""
    running = session(runtime, content, fast)
    parts = subject.parts()
    logits = [running.run([LOGITS], _given(subject, graph, part))[0] for part in parts]
    return torch.cat([torch.from_numpy(part) for part in logits])


def _layer(runtime: Any, onnx_file: Any, graph: Graph, subject: Subject) -> str:
    """Returns the name of the layer where a file begins to differ from the network."""
    image = subject.images[:1]
    names = tuple(dict.fromkeys(graph.layers.values()))
    running = session(runtime, onnx_file.onnx_bytes(graph, {}, names), fast=False)
    values = dict(zip(names, running.run(list(names), _given(subject, graph, image)), strict=True))
    seen = to_input(image, subject.header.image)
    expected = follow(subject.network, seen, torch.cat([seen, seen])).given
    given = tensors({layer: values[value] for layer, value in graph.layers.items()})
    return first_different(given, expected)
