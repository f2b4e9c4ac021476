"""ncnn: the two files that pnnx makes, and their comparison in ncnn at float32."""

import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from holmdel.errors import UserError
from holmdel.export.check import Report, needing, refuse_existing_files, written
from holmdel.export.steps import Step
from holmdel.export.subject import Subject
from holmdel.export.torch_exports import about, refuse_what_cannot_go
from holmdel.export.whole import Whole

_NAMES = ("use_fp16_storage", "use_fp16_packed", "use_fp16_arithmetic", "use_bf16_storage")


def to_ncnn(subject: Subject, out: Path, *, force: bool = False) -> Report:
    """Writes a classifier for ncnn, once it has answered as the network does.

    Its input `in0` is one image of the stored form as float32, 0..255, as `ncnn::Mat::from_pixels`
    makes it; `out0` are logits, `out1` probabilities.

    Args:
        subject: what is exported.
        out: the file, `.param`; weights lie beside it, with the ending `.bin`, and what must be
            known of them in `.json`.
        force: whether files may be replaced.

    Raises:
        UserError: for a network that cannot be exported, files that are there or cannot be
            written, or where they answer otherwise.
    """
    if out.suffix != ".param":
        raise UserError(f"{out} was given for ncnn, whose files end in .param and .bin")
    paths = [out, out.with_suffix(".bin"), out.with_suffix(".json")]
    refuse_existing_files(paths, force)
    ncnn, program = packages()
    _refuse_ceil(refuse_what_cannot_go(subject))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = Whole(subject.network, subject.header.image).eval()
        parameters, weights = converted(program, whole, subject.header.image.stored, folder)
        net = loaded(ncnn, folder, 1)
        logits = torch.stack([_answer(ncnn, net, image) for image in subject.images])
    files = {paths[0]: parameters, paths[1]: weights, paths[2]: about(subject).encode()}
    return written(subject, "ncnn", files, logits, f"ncnn {ncnn.__version__} at float32")


def _refuse_ceil(steps: list[Step]) -> None:
    """Raises a UserError for an average over fewer pixels at the edge, which ncnn divides by all.

    It does so with padding and without (docs/export.md).
    """
    for step in steps:
        if step.operator == "avg_pool2d" and step.arguments["ceil_mode"]:
            raise UserError(
                f"the layer {step.layer} averages with ceil_mode, and ncnn divides windows that "
                "reach over the edge by all of their pixels; ONNX takes it, and so does ncnn with "
                "ceil_mode=False"
            )


def packages() -> tuple[Any, str]:
    """Returns ncnn, and the path of pnnx's program.

    Raises:
        UserError: where they are not installed.
    """
    with needing("ncnn's files", "pip install 'holmdel[ncnn]'"):
        import ncnn
        from pnnx import EXEC_PATH
    return ncnn, EXEC_PATH


def converted(
    program: str, network: nn.Module, size: tuple[int, int, int], folder: Path
) -> tuple[bytes, bytes]:
    """Returns the two files, which stay in the folder as `m.ncnn.param` and `m.ncnn.bin`.

    Args:
        program: the path of pnnx's.
        network: in eval mode.
        size: (C, H, W) of an image.
        folder: where they are made.

    Raises:
        UserError: if pnnx does not make them.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, torch.zeros(1, *size))  # type: ignore[no-untyped-call]
        traced.save(str(folder / "m.pt"))
    sides = ",".join(map(str, (1, *size)))
    words = [program, "m.pt", f"inputshape=[{sides}]", "fp16=0"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    files = [folder / f"m.ncnn.{end}" for end in ("param", "bin")]
    if done.returncode or not all(file.is_file() for file in files):
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1][:200]
        raise UserError(f"pnnx cannot convert the network ({last}); ONNX takes it")
    return files[0].read_bytes(), files[1].read_bytes()


def loaded(ncnn: Any, folder: Path, threads: int) -> Any:
    """Returns ncnn's network of the files in a folder, held to float32.

    Raises:
        UserError: if it does not load.
    """
    net = ncnn.Net()
    for name in _NAMES:  # else dense weights are rounded to half
        setattr(net.opt, name, False)
    net.opt.num_threads = threads
    if net.load_param(str(folder / "m.ncnn.param")) or net.load_model(str(folder / "m.ncnn.bin")):
        raise UserError("ncnn cannot load what pnnx made of the network; ONNX takes it")
    return net


def _answer(ncnn: Any, net: Any, image: torch.Tensor) -> torch.Tensor:
    """Returns the logits of an image."""
    extractor = net.create_extractor()
    pixels = image.float().contiguous().numpy()  # a name, for ncnn's Mat does not keep it alive
    extractor.input("in0", ncnn.Mat(pixels).clone())
    failed, logits = extractor.extract("out0")
    if failed:
        raise UserError("ncnn cannot run what pnnx made of the network; ONNX takes it")
    return torch.from_numpy(np.array(logits).reshape(-1))
