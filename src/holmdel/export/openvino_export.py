"""OpenVINO: the two files, and their comparison at float32."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.export.check import (
    Report,
    first_different,
    needing,
    refuse_existing_files,
    tensors,
    written,
)
from holmdel.export.graph import IMAGES, Graph
from holmdel.export.network_graph import classifier_graph
from holmdel.export.onnx_export import texts_of
from holmdel.export.steps import follow
from holmdel.export.subject import Subject
from holmdel.images.contract import to_input


def to_openvino(subject: Subject, out: Path, *, force: bool = False) -> Report:
    """Writes a classifier for OpenVINO, once it has answered as the network does at float32.

    Args:
        subject: what is exported.
        out: the file, `.xml`; the weights lie beside it, with the ending `.bin`.
        force: whether files may be replaced.

    Raises:
        UserError: for a network that cannot be exported, files that are there or cannot be
            written, or where they answer otherwise.
    """
    if out.suffix != ".xml":
        raise UserError(f"{out} was given for OpenVINO, whose files end in .xml and .bin")
    paths = [out, out.with_suffix(".bin")]
    refuse_existing_files(paths, force)
    openvino, onnx_file = _packages()
    graph = classifier_graph(subject.network, subject.header.image)
    model = openvino.Core().read_model(onnx_file.onnx_bytes(graph, {}))
    for key, text in texts_of(subject, "uint8").items():
        model.set_rt_info(text, [key])
    name = f"OpenVINO {openvino.__version__.partition('-')[0]} at float32"
    logits = torch.cat([_answers(openvino, model, part)["logits"] for part in subject.parts()])
    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(model, Path(folder) / out.name, compress_to_fp16=False)
        contents = [(Path(folder) / path.name).read_bytes() for path in paths]
    files = dict(zip(paths, contents, strict=True))
    layer = partial(_layer, openvino, onnx_file, graph, subject)
    return written(subject, "openvino", files, logits, name, layer)


def _packages() -> tuple[Any, Any]:
    """Returns OpenVINO, and the module that writes ONNX, which OpenVINO reads.

    Raises:
        UserError: where they are not installed.
    """
    with needing("OpenVINO files", "pip install onnx openvino"):
        import openvino

        from holmdel.export import onnx_file
    return openvino, onnx_file


def _answers(openvino: Any, model: Any, images: Tensor) -> dict[str, Tensor]:
    """Returns all that a model answers to images, by name.

    At its default precision it computes in bfloat16 where the processor does.
    """
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    found = openvino.compile_model(model, "CPU", hint)(images.numpy())
    return {
        name: torch.from_numpy(value.copy())
        for key, value in found.items()
        for name in key.get_names()
    }


def _layer(openvino: Any, onnx_file: Any, graph: Graph, subject: Subject) -> str:
    """Returns the name of the layer where a file begins to differ from the network."""
    image = subject.images[:1]
    names = tuple(name for name in dict.fromkeys(graph.layers.values()) if name != IMAGES)
    model = openvino.Core().read_model(onnx_file.onnx_bytes(graph, {}, names))
    values = _answers(openvino, model, image)
    seen = to_input(image, subject.header.image)
    expected = follow(subject.network, seen, torch.cat([seen, seen])).given
    found = {layer: values[name] for layer, name in graph.layers.items() if name in values}
    return first_different(tensors(found), expected)
