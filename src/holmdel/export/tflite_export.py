"""LiteRT (TensorFlow Lite): the file that litert-torch makes, and its comparison in LiteRT."""

import contextlib
import io
import logging
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.export.check import Report, needing, refuse_existing_files, written
from holmdel.export.subject import Subject
from holmdel.export.torch_exports import about, refuse_what_cannot_go
from holmdel.export.whole import Whole


def to_tflite(subject: Subject, out: Path, *, force: bool = False) -> Report:
    """Writes a classifier for LiteRT, once it has answered as the network does.

    It takes one image, uint8 (1, C, H, W) as stored, and answers with logits and probabilities.

    Args:
        subject: what is exported.
        out: the file, `.tflite`; what must be known of it lies beside it in `.json`.
        force: whether files may be replaced.

    Raises:
        UserError: for a network that cannot be exported, files that are there or cannot be
            written, or where they answer otherwise.
    """
    paths = [out, out.with_suffix(".json")]
    refuse_existing_files(paths, force)
    litert_torch, interpreter = packages()
    refuse_what_cannot_go(subject)
    whole = Whole(subject.network, subject.header.image).eval()
    example = torch.zeros(1, *subject.header.image.stored, dtype=torch.uint8)
    content = converted(litert_torch, whole, example)
    running = interpreter(model_content=content)
    running.allocate_tensors()
    (taken,), given = running.get_input_details(), running.get_output_details()
    logits = []
    for image in subject.images:
        running.set_tensor(taken["index"], image[None].numpy())
        running.invoke()
        logits.append(torch.from_numpy(running.get_tensor(given[0]["index"]).copy()))
    files = {paths[0]: content, paths[1]: about(subject).encode()}
    runtime = f"LiteRT {version('ai-edge-litert')}"
    return written(subject, "tflite", files, torch.cat(logits), runtime)


def packages() -> tuple[Any, Any]:
    """Returns the converter, and LiteRT's interpreter.

    Raises:
        UserError: where they are not installed.
    """
    apart = "in an environment without Holmdel's server (docs/export.md)"
    with needing("LiteRT's files", f"pip install litert-torch, {apart}"):
        import litert_torch
        from ai_edge_litert.interpreter import Interpreter
    return litert_torch, Interpreter


def converted(litert_torch: Any, network: nn.Module, example: Tensor) -> bytes:
    """Returns the file; the converter's progress is not shown.

    Args:
        litert_torch: the converter.
        network: in eval mode.
        example: what it is called with.

    Raises:
        UserError: if the converter does not take the network.
    """
    logging.getLogger("litert_torch").setLevel(logging.ERROR)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        tempfile.TemporaryDirectory() as folder,
    ):
        warnings.simplefilter("ignore")
        try:
            litert_torch.convert(network, (example,)).export(f"{folder}/m.tflite")
        except Exception as error:  # of many kinds, none of which is public
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise UserError(
                f"litert-torch cannot convert the network ({reason}); ONNX takes it"
            ) from None
        return (Path(folder) / "m.tflite").read_bytes()
