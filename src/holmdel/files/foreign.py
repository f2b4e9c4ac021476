"""Files of weights that other programs wrote, told by how they begin."""

import contextlib
import zipfile
from pathlib import Path

_ZIP, _PICKLE, _HDF5 = b"PK\x03\x04", b"\x80", b"\x89HDF\r\n\x1a\n"
_PYTORCH = (".pt", ".pth", ".ckpt")
_ELSEWHERE = (".params", ".pdparams", ".msgpack", ".caffemodel", ".h5", ".keras")


def foreign(path: Path) -> str | None:
    """Returns what a file of another program is, in words; None for one that may be Holmdel's."""
    with path.open("rb") as file:
        head = file.read(9)
    if head.startswith(_ZIP):
        return _zipped(path)
    pickled = head.startswith(_PICKLE) and head[8:] != b"{"  # a length of safetensors may be one
    if pickled or path.suffix in _PYTORCH:
        return "a PyTorch checkpoint"
    other = head.startswith(_HDF5) or path.suffix in _ELSEWHERE
    return "a file of another program" if other else None


def _zipped(path: Path) -> str:
    names: list[str] = []
    with (
        contextlib.suppress(zipfile.BadZipFile, OSError, ValueError),
        zipfile.ZipFile(path) as file,
    ):
        names = file.namelist()
    if "model.weights.h5" in names:
        return "a Keras model"
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays"
    return "a PyTorch checkpoint"
