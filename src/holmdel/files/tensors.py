"""Tensors as safetensors with a header and a checksum; never a pickle."""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from holmdel.errors import UserError
from holmdel.files import replacing
from holmdel.schema import read_json

CHECKSUM = "checksum"  # the last field of a header
_log = logging.getLogger("holmdel")
_unchecked: set[Path] = set()  # files that the user was told of


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], name: str, header: Mapping[str, Any]
) -> None:
    """Writes named tensors and a header to `path` as safetensors with a checksum, atomically.

    Args:
        path: a file ending in `.safetensors`.
        tensors: by name.
        name: of the header: of what kind the file is.
        header: JSON-ready; `checksum` is added to it.

    Raises:
        UserError: if the file cannot be written.
    """
    plain = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
    text = json.dumps({**header, CHECKSUM: checksum(plain, header)})
    # One text: several would come in another order each time.
    with replacing(path) as temporary:
        try:
            save_file(plain, temporary, metadata={name: text})
        except SafetensorError as error:  # of a full disk
            why = str(error).rpartition("I/O error: ")[2].partition(" (os error")[0]
            raise OSError(why) from None


def load_checked(path: Path, name: str) -> tuple[dict[str, Tensor], Any]:
    """Returns the tensors and the header that `save_tensors` wrote.

    Files of versions before 0.3 have no checksum; whoever loads one is told so once. The header is
    whatever JSON the file has; None for none.

    Raises:
        UserError: if there is no such file, it is damaged, not as it was written, or has numbers
            that are not finite.
    """
    tensors, metadata = load_tensors(path)
    header = None
    if name in metadata:
        header = read_json(metadata[name], f"the header of {path}")
    if isinstance(header, dict):
        _refuse_changed(path, tensors, header, header.pop(CHECKSUM, None))
    for key, tensor in tensors.items():
        if tensor.dtype not in _TYPES:
            raise UserError(
                f"{path} has {key!r} in {str(tensor.dtype).removeprefix('torch.')}, which no file "
                "of holmdel has; copy or train it again"
            )
        if not tensor.isfinite().all():
            raise UserError(
                f"{path} has numbers in {key!r} that are not finite; copy or train it again"
            )
    return tensors, header


def checksum(tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> str:
    """Returns the SHA-256 of a header and of tensors: names, types, shapes and numbers.

    It is the same in whatever order the tensors come.
    """
    digest = hashlib.sha256(json.dumps(header).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _refuse_changed(
    path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any], given: object
) -> None:
    """Raises a UserError if a file is not as it was written."""
    if given is None:
        if path not in _unchecked:
            _unchecked.add(path)
            _log.warning(
                "%s has no checksum, as an older version wrote it; damage would not be noticed",
                path,
            )
    elif given != checksum(tensors, header):
        raise UserError(
            f"{path} is not as it was written (its checksum differs); copy or train it again"
        )


_TYPES = (
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
)


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
