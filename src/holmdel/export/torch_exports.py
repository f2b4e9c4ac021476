"""PyTorch's own files: `torch.export` archives, TorchScript, weights as safetensors."""

import copy
import io
import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes

from holmdel.engine import status
from holmdel.engine.writing import to_json
from holmdel.errors import UserError
from holmdel.export.check import Report, refuse_existing_files, written
from holmdel.export.steps import Step, follow
from holmdel.export.subject import Subject
from holmdel.export.whole import Whole
from holmdel.runtime import ABOUT, CHAIN, ExportedClassifier


def to_pt2(subject: Subject, out: Path, *, force: bool = False) -> Report:
    """Writes a classifier as an archive of `torch.export`, once it has answered as it does.

    Args:
        subject: what is exported.
        out: the file, `.pt2`.
        force: whether a file may be replaced.

    Raises:
        UserError: for a network that cannot be exported, a file that is there or cannot be
            written, or one that answers otherwise.
    """
    refuse_existing_files([out], force)
    refuse_what_cannot_go(subject)
    # Zeros, for the archive keeps the example; two, for one image is a size of its own.
    example = torch.zeros(2, *subject.header.image.stored, dtype=torch.uint8)
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = Whole(subject.network, subject.header.image).eval()
        found = torch.export.export(whole, (example,), dynamic_shapes=({0: torch.export.Dim.AUTO},))
        torch.export.save(found, content, extra_files={"holmdel": about(subject)})
        content.seek(0)
        running = torch.export.load(content).module()
    with torch.inference_mode():
        logits = torch.cat([running(part)[0] for part in subject.parts()])
    runtime = f"torch.export of PyTorch {torch.__version__}"
    return written(subject, "pt2", {out: content.getvalue()}, logits, runtime)


def to_torchscript(subject: Subject, out: Path, *, force: bool = False) -> Report:
    """Writes a classifier as a program of TorchScript, once it has answered as the network does.

    Args:
        subject: what is exported.
        out: the file, `.pt`.
        force: whether a file may be replaced.

    Raises:
        UserError: as `to_pt2`.
    """
    refuse_existing_files([out], force)
    refuse_what_cannot_go(subject)
    example = torch.zeros(2, *subject.header.image.stored, dtype=torch.uint8)
    content = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # deprecated, and still what LibTorch's programs load
        whole = Whole(subject.network, subject.header.image).eval()
        traced = torch.jit.trace(whole, example)  # type: ignore[no-untyped-call]
        torch.jit.save(
            torch.jit.freeze(traced), content, _extra_files={"holmdel.json": about(subject)}
        )
        content.seek(0)
        running = torch.jit.load(content)  # type: ignore[no-untyped-call]
    with torch.inference_mode():
        logits = torch.cat([running(part)[0] for part in subject.parts()])
    runtime = f"TorchScript of PyTorch {torch.__version__}"
    return written(subject, "torchscript", {out: content.getvalue()}, logits, runtime)


def to_safetensors(subject: Subject, out: Path, *, force: bool = False) -> Report:
    """Writes a classifier's weights by their names, and what must be known beside as JSON.

    Where the native engine takes the network, the file says how, and `holmdel.runtime` runs it.

    Args:
        subject: what is exported.
        out: the file, `.safetensors`; the JSON lies beside it, with the ending `.json`.
        force: whether files may be replaced.

    Raises:
        UserError: as `to_pt2`.
    """
    beside = out.with_suffix(".json")
    refuse_existing_files([out, beside], force)
    refuse_what_cannot_go(subject)
    state = {name: value.contiguous() for name, value in subject.network.state_dict().items()}
    said = about(subject)
    texts = {"format": "pt", ABOUT: said}
    try:
        chain = to_json(subject.network, subject.header.image)
        content = to_bytes(state, metadata=texts | {CHAIN: chain})
        answers = ExportedClassifier(content).logits
    except UserError:  # what the engine does not take goes without it
        content, runtime = to_bytes(state, metadata=texts), "PyTorch"
        again = copy.deepcopy(subject.network)
        again.load_state_dict(from_bytes(content))
        logits = Subject(again, subject.header, subject.images, subject.source).logits
    else:
        runtime = f"the {status()}"
        logits = torch.cat([torch.from_numpy(answers(part.numpy())) for part in subject.parts()])
    files = {out: content, beside: said.encode()}
    return written(subject, "safetensors", files, logits, f"safetensors and {runtime}")


def refuse_what_cannot_go(subject: Subject) -> list[Step]:
    """Raises a UserError for a network that no file can hold, as `follow` does; gives its steps."""
    shape = subject.header.image.input
    return follow(subject.network, torch.zeros(1, *shape), torch.zeros(2, *shape)).steps


def about(subject: Subject) -> str:
    """Returns what must be known to use a file, as JSON."""
    header = subject.header
    found: dict[str, Any] = {
        "network": header.network,
        "options": header.options,
        "classes": header.classes,
        "image": header.image.to_json(),
        **({} if header.unknown is None else {"unknown": header.unknown}),
        "licence": subject.licence or "not stated",
    }
    return json.dumps(found, indent=2) + "\n"
