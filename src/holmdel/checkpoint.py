"""Weights on disk: safetensors with a JSON header; written atomically; never a pickle."""

import contextlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.networks import build
from holmdel.version import __version__

FORMAT = 1
PART = ".part"  # the ending of a file that is being written


@dataclass(frozen=True, kw_only=True)
class Header:
    """What must be known beside the weights to use them; kept inside the file.

    Attributes:
        network: a name for `networks.build`.
        options: its options.
        classes: the label texts, in the order of the logits.
        image: what the network was trained to see.
        format: the version of this header.
    """

    network: str
    options: dict[str, Any]
    classes: tuple[str, ...]
    image: ImageContract
    format: int = FORMAT


def save_model(path: Path, network: nn.Module, header: Header) -> None:
    """Writes a network's weights and header to `path`, atomically.

    Raises:
        UserError: if the file cannot be written (a full disk, no permission).
    """
    save_tensors(path, network.state_dict(), {"holmdel": json.dumps(asdict(header))})


def load_model(path: Path) -> tuple[nn.Module, Header]:
    """Returns the network of a file, in eval mode on the CPU, and its header.

    Raises:
        UserError: if the file is missing, cut short, of another program, of another network than
            its header says, or has a field this version does not know.
    """
    tensors, metadata = load_tensors(path)
    header = _parse_header(path, metadata)
    network = build(header.network, **header.options)
    _fit(path, header.network, network.state_dict(), tensors)
    network.load_state_dict(tensors)
    return network.eval(), header


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes named tensors and texts to `path` as safetensors, atomically.

    Raises:
        UserError: if the file cannot be written.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, to_bytes(plain, metadata=metadata))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Returns the tensors and the texts of a safetensors file.

    Raises:
        UserError: if there is no such file, or it is cut short or of another form.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; expected a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} cannot be read as safetensors ({error}); it is cut short or of another "
            "format; copy or train it again"
        ) from None


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path` so that a reader sees the old file or the whole new one.

    Raises:
        UserError: if it cannot be written (a full disk, no permission); `path` is as before.
    """
    with _replacing(path) as temporary:
        temporary.write_bytes(content)


def write_files(stem: Path, files: dict[str, bytes]) -> None:
    """Writes one file a kind, `stem.png` for `png`, each as `write_bytes` does.

    Raises:
        UserError: if one cannot be written.
    """
    for kind, content in files.items():
        write_bytes(stem.with_name(f"{stem.name}.{kind}"), content)


def versions() -> dict[str, str]:
    """Returns the versions that `config.json` names beside a model."""
    return {
        "holmdel": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def refuse_existing(folder: Path, advice: str = "choose another --out") -> None:
    """Raises a UserError if there is such a file, or such a folder with something in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists already; {advice}")


def sweep(folder: Path) -> None:
    """Removes what a writer that was killed left half-written in a folder."""
    for leftover in folder.glob(f".*{PART}"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`, and moves it there at the end."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{path} cannot be written ({reason}); free some space or choose another folder"
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _parse_header(path: Path, metadata: dict[str, str]) -> Header:
    if "holmdel" not in metadata:
        raise UserError(f"{path} has no holmdel header; expected a file that holmdel train wrote")
    try:
        values = json.loads(metadata["holmdel"])
    except ValueError as error:
        raise UserError(f"{path} has a header that is no JSON ({error}); train it again") from None
    known = [field.name for field in fields(Header)]
    for name in values:
        if name not in known:
            raise UserError(
                f"{path} has the header field {name!r}, which this version does not know; it "
                f"knows {', '.join(known)}; upgrade holmdel"
            )
    for name in known:
        if name not in values and name != "format":
            raise UserError(f"{path} has a header without {name!r}; expected one of holmdel train")
    values["classes"] = tuple(values["classes"])
    values["image"] = ImageContract.from_json(values["image"])
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in values["options"].items()}
    return Header(**(values | {"options": options}))


def _fit(path: Path, name: str, expected: dict[str, Tensor], given: dict[str, Tensor]) -> None:
    """Raises a UserError that names the first tensor that is not the network's."""
    for key, tensor in expected.items():
        if key not in given:
            raise UserError(
                f"{path} has no tensor {key!r}, which {name} needs; it is of another network"
            )
        if given[key].shape != tensor.shape:
            raise UserError(
                f"{path} has {key!r} of shape {tuple(given[key].shape)}, where {name} has "
                f"{tuple(tensor.shape)}; it is of another network"
            )
    for key in given:
        if key not in expected:
            raise UserError(
                f"{path} has the tensor {key!r}, which {name} does not have; "
                "it is of another network"
            )
