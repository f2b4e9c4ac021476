"""Weights of other frameworks, undamaged: files alone, and with others beside them."""

import argparse
import collections
import datetime
import io
import json
import os
import pickle
import shutil
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save, save_file

import holmdel
from campaign.doors import INDEX, PART
from campaign.fuzz import MARK

FILES = Path(__file__).parents[2] / "tests" / "files"
SHARDED, TENSORFLOW = "sharded", "tensorflow"  # folders
TREE = {
    **{"Conv_0": (5, 5, 1, 6), "Conv_1": (5, 5, 6, 16)},
    **{"Dense_0": (400, 120), "Dense_1": (120, 84), "Dense_2": (84, 10)},
}


class Called:
    """An object that a pickle would make by calling a function."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        """Returns what is called and with what: it makes the folder `MARK`."""
        return os.mkdir, (MARK,)


def found(folder: Path) -> list[bytes]:
    """Returns files of weights, but HDF5, which takes a process each, and pickles."""
    kept = [path.read_bytes() for path in FILES.glob("*.params")]
    for name in ("flax.zip", "mxnet2.zip"):
        with zipfile.ZipFile(FILES / name) as opened:
            names = [n for n in opened.namelist() if n.endswith((".msgpack", ".params"))]
            kept += [opened.read(name) for name in names]
    network = holmdel.build("lenet")
    np.savez(folder / "state.npz", **arrays(network))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and still found in the world
        script = torch.jit.script(network)
        script.save(str(folder / "script.pt"))  # type: ignore[no-untyped-call]
    kept += [(folder / name).read_bytes() for name in ("script.pt", "state.npz")]
    kept += [onnx(folder), save(network.state_dict())]
    return kept


def arrays(network: torch.nn.Module) -> dict[str, Any]:
    """Returns the weights of a network as NumPy's arrays."""
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def of_torch() -> list[bytes]:
    """Returns what `torch.save` writes of checkpoints with all kinds of things beside them."""
    network = holmdel.build("lenet")
    state = dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.zeros(2, 1, 28, 28)).sum().backward()
    optimizer.step()
    beside = {"args": argparse.Namespace(lr=0.1), "when": datetime.datetime(2026, 1, 2)}
    halves = {name: tensor.bfloat16() for name, tensor in state.items()}
    turned = {**state, "f5.weight": state["f5.weight"].t().contiguous().t()}
    kept: list[Any] = [
        *(state, {"model": state, "epoch": 3}, {"model": state, "optimizer": optimizer}),
        *({"net": state, "optimizer": optimizer.state_dict(), **beside}, halves, turned),
        *({"model": state, "beside": Called()}, {"model": network, "n": 1}, arrays(network)),
        *(collections.defaultdict(None, {"model": state}), {"a": {"b": {"c": state}}, **beside}),
        {name: torch.nn.Parameter(tensor) for name, tensor in state.items()} | beside,
    ]
    zips = [_saved(content) for content in kept]
    return [*zips, *(_saved(content, _use_new_zipfile_serialization=False) for content in kept[:4])]


def _saved(content: object, **options: bool) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def pickled() -> list[bytes]:
    """Returns pickles: of Paddle, halves too; of Flax; of NumPy; of a network; of what calls."""
    draw = np.random.default_rng(4)
    tree = {
        layer: {"kernel": draw.random(shape, np.float32), "bias": np.zeros(shape[-1], np.float32)}
        for layer, shape in TREE.items()
    }
    network = holmdel.build("lenet")
    named = arrays(network)
    halves = {
        name: (tensor.t() if tensor.ndim == 2 else tensor).bfloat16().view(torch.int16).numpy()
        for name, tensor in network.state_dict().items()
    }
    halves = {name: array.view(np.uint16) for name, array in halves.items()}
    contents = [
        *(
            named,
            {"params": tree, "step": np.int64(3)},
            halves | {"StructuredToParameterName@@": {}},
        ),
        *({"model": named, "opt": {"lr": 0.1}}, network, {**named, "beside": Called()}),
    ]
    kept = [pickle.dumps(content, protocol) for content in contents for protocol in (2, 4)]
    with zipfile.ZipFile(FILES / "paddle.zip") as opened:
        return kept + [opened.read(n) for n in opened.namelist() if n.endswith(".pdparams")]


def hdf5(folder: Path) -> list[bytes]:
    """Returns files of Keras that are HDF5, or have it inside; one as a training leaves it."""
    with zipfile.ZipFile(FILES / "keras.zip") as opened:
        names = [name for name in opened.namelist() if name.endswith((".h5", ".keras"))]
        kept = {name: opened.read(name) for name in names}
    return [*kept.values(), _trained(kept["keras-lenet.keras"], folder / "trained.h5")]


def _trained(content: bytes, store: Path) -> bytes:
    """Returns a `.keras` archive with an optimizer's numbers in it."""
    import h5py

    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(file, "w") as made:
        for name in whole.namelist():
            part = whole.read(name)
            if name.endswith(".h5"):
                store.write_bytes(part)
                with h5py.File(store, "r+") as opened:
                    kept = opened.create_group("optimizer/vars")
                    for number in range(9):
                        kept[str(number)] = np.zeros((120, 84), np.float32)
                part = store.read_bytes()
            made.writestr(name, part)
    return file.getvalue()


def beside(folder: Path) -> None:
    """Writes what is in several files: safetensors with an index, and a checkpoint's."""
    sharded = folder / SHARDED
    shutil.rmtree(sharded, ignore_errors=True)
    sharded.mkdir()
    state = holmdel.build("lenet").state_dict()
    files = {name: PART.replace("1", str(1 + (n > 4)), 1) for n, name in enumerate(state)}
    for file in set(files.values()):
        save_file({n: t for n, t in state.items() if files[n] == file}, sharded / file)
    index = {"metadata": {"total_size": 246824}, "weight_map": files}
    (sharded / INDEX).write_text(json.dumps(index))
    with zipfile.ZipFile(FILES / "keras.zip") as opened:
        names = [name for name in opened.namelist() if name.startswith("keras-checkpoint.")]
        opened.extractall(folder / TENSORFLOW, names)


def onnx(folder: Path) -> bytes:
    """Returns an exported classifier."""
    path = folder / "made.onnx"
    holmdel.load(folder / "done").export(path, "onnx", force=True)  # a process may begin anew
    return path.read_bytes()
