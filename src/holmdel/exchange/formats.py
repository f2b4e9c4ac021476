"""Which program wrote a file of weights: seen by its first bytes, not by its name."""

from collections.abc import Callable
from pathlib import Path

from holmdel.errors import UserError
from holmdel.exchange import (
    archive,
    caffe,
    flax,
    hdf5,
    keras,
    mxnet,
    onnx_weights,
    orbax,
    paddle,
    sharded,
    tensorflow,
    torch_archive,
    torch_state,
    torchscript,
)
from holmdel.exchange.layers import is_count
from holmdel.exchange.pickles import read_pickle
from holmdel.exchange.weights import Weights

ZIP, PICKLE = b"PK\x03\x04", b"\x80"
HEAD = 512  # bytes: a tar says what it is at 257
ENDINGS = (
    *(".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".params", ".pdparams", ".h5", ".keras"),
    *(".onnx", ".npz", ".msgpack", ".caffemodel"),
)
EXPORTED = "/models/model.json"  # in an archive of torch.export
MOST_PICKLED = 1 << 32  # bytes of a pickle, which is read whole
ONNX = b"\x08"  # the version, the first field
EXPECTED = (
    "expected weights of PyTorch, Keras, TensorFlow, Flax, PaddlePaddle, MXNet, Caffe or ONNX: "
    "docs/exchange.md"
)


def read_weights(path: str | Path, key: str | None = None) -> Weights:
    """Returns what a file of weights holds; what it is, is seen by its first bytes, not its name.

    Args:
        path: the file.
        key: which state dict of a checkpoint is meant.

    Raises:
        UserError: if it is missing, damaged, or of a format that is not read.
    """
    try:
        found = _found(path, key)
    except OSError as error:
        raise UserError(
            f"{error.filename or path} cannot be read ({error.strerror or error})"
        ) from None
    if all(map(is_count, found.tensors.values())):
        raise UserError(f"{path} has no weights in it; save those of the network")
    return found


def _found(path: str | Path, key: str | None) -> Weights:
    """Returns what a file or a folder holds."""
    if prefix := tensorflow.prefix_of(Path(path)):
        return tensorflow.read(path, prefix)
    if Path(path).is_dir():
        return _folder(Path(path))
    head = _head(Path(path))
    sharded.refuse_part(path)
    return _read(path, head, key)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _read(path: str | Path, head: bytes, key: str | None) -> Weights:
    """Returns the weights of a file that begins with these bytes."""
    if head.startswith(ZIP):
        return _zipped(path, key)
    if head.startswith(torch_state.BEFORE_ZIPS):
        return torch_state.read(path, key)
    if head.startswith(PICKLE) and not flax.is_flax(head):
        return _pickled(path, key)
    if sharded.is_index(head):
        return sharded.read(path, _part)
    if key is not None:
        raise UserError(f"--key was given, and {path} is no checkpoint of several; leave it out")
    for begins, read in READERS:
        if begins(head):
            return read(path)
    raise UserError(f"{path} is {_kind(head)}; {EXPECTED}")


READERS: tuple[tuple[Callable[[bytes], bool], Callable[[str | Path], Weights]], ...] = (
    (lambda head: head.startswith(hdf5.MAGIC), keras.read_hdf5),
    (mxnet.is_params, mxnet.read),
    (flax.is_flax, flax.read),
    (torch_state.is_safetensors, torch_state.read_safetensors),
    (lambda head: head.startswith(ONNX), onnx_weights.read),
    (caffe.is_caffe, caffe.read),
)


def _part(path: Path) -> Weights:
    """Returns the weights of one of the files of an index."""
    head = _head(path)
    if sharded.is_index(head):
        raise UserError(f"{path} is an index, and another one names it; give the weights")
    return _read(path, head, None)


def _zipped(path: str | Path, key: str | None) -> Weights:
    """Returns the weights of a zip archive; what is in it says which program wrote it."""
    with archive.opened(path) as opened:
        names = opened.names
    if keras.WEIGHTS in names:
        return keras.read_archive(path)
    if names and all(name.endswith(".npy") for name in names):
        return mxnet.read_zip(path)
    if any(name.endswith(torch_archive.DATA) for name in names):
        program = any("/code/" in name for name in names)
        return torchscript.read(path) if program else torch_state.read(path, key)
    if any(name.endswith(EXPORTED) for name in names):
        name, state = Path(path).name, f"{Path(path).stem}-state.pt"
        raise UserError(
            f"{path} is a program of torch.export, which is not read; where it was made, run: "
            f"torch.save(torch.export.load({name!r}).state_dict, {state!r})"
        )
    inside = ", ".join(name[:40] for name in names[:3]) or "nothing"
    packed = next((name for name in names if Path(name).suffix in ENDINGS), None)
    do = f"unpack it, and give {packed[:40]}" if packed else EXPECTED
    raise UserError(f"{path} is a zip archive with {inside} in it; {do}")


def _pickled(path: str | Path, key: str | None) -> Weights:
    """Returns the weights of a pickle, if it has arrays and names and nothing else."""
    if Path(path).stat().st_size > MOST_PICKLED:
        raise UserError(f"{path} is a pickle of more than 4 GB; save it in pieces")
    loaded = read_pickle(path, Path(path).read_bytes())
    if isinstance(loaded, dict) and key is None and flax.is_tree(loaded):
        return flax.of_tree(path, loaded)
    if isinstance(loaded, dict) and not any(map(torch_archive.is_torch, loaded.values())):
        return paddle.read(path, loaded, key)
    if isinstance(loaded, list | tuple):
        raise UserError(
            f"{path} is a pickled {type(loaded).__name__}; expected a dictionary of arrays by name"
        )
    name, state = Path(path).name, f"{Path(path).stem}-state.pt"
    of_it = "" if isinstance(loaded, dict) else ".state_dict()"
    raise UserError(
        f"{path} was written by pickle, which could run any code, so it is not opened; where it "
        f"was made, run: torch.save(pickle.load(open({name!r}, 'rb')){of_it}, {state!r})"
    )


def _folder(folder: Path) -> Weights:
    """Returns the weights of a folder, if it is one of Orbax."""
    if arrays := orbax.folder_of(folder):
        return orbax.read(folder, arrays)
    if index := sharded.index_in(folder):
        return sharded.read(index, _part)
    raise UserError(f"{folder} is a folder, and none of TensorFlow or Orbax; {EXPECTED}")


KINDS = (
    (0, b"\x93NUMPY", "a single NumPy array"),
    (0, b"GGUF", "a GGUF file, which language models have, no network of images"),
    (257, b"ustar", "packed by tar; unpack it"),
    (4, b"TFL3", "a TensorFlow Lite model; save the Keras network it was made of"),
    (0, b"\x1f\x8b", "packed by gzip; unpack it"),
    (0, b"name:", "a description of Caffe without weights; give the .caffemodel"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file: git lfs pull"),
    (0, b"\0\0\0\0\0\0\0\0", "a .pdiparams of PaddlePaddle; save net.state_dict() as .pdparams"),
)


def _kind(head: bytes) -> str:
    """Returns what a file that is not read is, in words."""
    if not head:
        return "empty"
    known = (words for place, magic, words in KINDS if head[place:].startswith(magic))
    return next(known, "of another format")
