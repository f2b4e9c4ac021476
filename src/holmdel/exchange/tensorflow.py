"""Weights of TensorFlow: SavedModels and checkpoints, an index and files of numbers beside it.

The index is a table of names to protocol buffers (tensor_bundle.proto), each with the type, the
shape and the place of a tensor. What the tensors are called in the network stands in a tensor of
its own, the graph of objects (trackable_object_graph.proto).
"""

import json
import mmap
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.archive import damaged
from holmdel.exchange.arrays import tensor
from holmdel.exchange.keras_config import Told, told_by
from holmdel.exchange.layers import natural
from holmdel.exchange.protobuf import Message
from holmdel.exchange.sstable import read_table
from holmdel.exchange.weights import HWC, NAMES, Weights, channels_first, same_of_all

MODEL, METADATA, VARIABLES = "saved_model.pb", "keras_metadata.pb", "variables/variables"
INDEX, DATA = ".index", re.compile(r"\.data-\d{5}-of-\d{5}$")
GRAPH = b"_CHECKPOINTABLE_OBJECT_GRAPH"
TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "|u1", 6: "|i1", 9: "<i8", 19: "<f2"}
KINDS = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
# What the keys of a network's variables begin with where Keras numbers them in their order.
NUMBERED = ("layer_with_weights-", "variables/", "_trainable_variables/")
# Fields of the messages.
ENTRY_TYPE, ENTRY_SHAPE, ENTRY_SHARD, ENTRY_OFFSET, ENTRY_SIZE = 1, 2, 3, 4, 5
NODES, ATTRIBUTES, FULL_NAME, KEY = 1, 2, 2, 3
META_GRAPHS, GRAPH_DEF, LIBRARY, FUNCTIONS, NODE_DEFS, OPERATOR = 2, 2, 2, 1, 3, 2
DESCRIPTION = 5
ACTIVATIONS = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu"}
POOLINGS = {"MaxPool": "max", "AvgPool": "avg"}


def prefix_of(path: Path) -> Path | None:
    """Returns what the names of a checkpoint's files begin with; None if there is none.

    Args:
        path: a SavedModel, a folder with one checkpoint, a file of it, or their common beginning.
    """
    if (path / MODEL).is_file():
        return path / VARIABLES
    if path.is_dir():
        found = sorted(path.glob(f"*{INDEX}"))
        return found[0].with_suffix("") if len(found) == 1 else None
    name = DATA.sub("", path.name).removesuffix(INDEX)
    if not name:
        return None  # it is called .index, and no more
    plain = path.with_name(name)
    index = plain.with_name(plain.name + INDEX)
    if not index.is_file() or (path.is_file() and path.name == plain.name):
        return None
    return plain


def read(path: str | Path, prefix: Path) -> Weights:
    """Returns the weights of a SavedModel or a checkpoint.

    Args:
        path: what sentences call it.
        prefix: as `prefix_of` gives it.

    Raises:
        UserError: if it is damaged, incomplete, or has no weights in it.
    """
    index = prefix.with_name(prefix.name + INDEX)
    if not index.is_file():
        raise UserError(f"{path} has no {index.name} in it; copy all of its files")
    entries = read_table(path, memoryview(index.read_bytes()))
    files = _Files(path, prefix, entries)
    tensors = {}
    for name, key in _variables(path, files):
        layer, _, kind = name.rpartition("/")
        tensors[f"{layer}.{NAMES.get(kind, kind)}"] = channels_first(files.tensor(key))
    if not tensors:
        raise UserError(f"{path} is a checkpoint of TensorFlow without kernels in it")
    told, options = _told(path, Path(path))
    return Weights(
        file=str(path),
        form="TensorFlow weights",
        tensors=tensors,
        flattened=told.flattened or HWC,
        assumed=told.flattened is None,
        options={"same": True} | (told.options or options),
        notes=told.notes,
    )


class _Files:
    """The tensors of a checkpoint.

    Args:
        path: what sentences call it.
        prefix: of its files' names.
        entries: the index.
    """

    def __init__(self, path: str | Path, prefix: Path, entries: Mapping[bytes, memoryview]) -> None:
        self._path = path
        self._prefix = prefix
        self.entries = entries
        self._count = Message(path, entries.get(b"", memoryview(b""))).number(1)
        self._open: dict[int, memoryview] = {}

    def content(self, key: bytes) -> memoryview:
        """Returns the bytes of a tensor."""
        entry = Message(self._path, self.entries[key])
        whole = self._file(entry.number(ENTRY_SHARD))
        begin, size = entry.number(ENTRY_OFFSET), entry.number(ENTRY_SIZE)
        if begin < 0 or size < 0 or begin + size > len(whole):
            raise damaged(self._path, f"{size} bytes at byte {begin} of {len(whole)}")
        return whole[begin : begin + size]

    def tensor(self, key: bytes) -> Tensor:
        """Returns a tensor by its key."""
        entry = Message(self._path, self.entries[key])
        number = entry.number(ENTRY_TYPE)
        if number not in TYPES:
            raise UserError(
                f"{self._path} has {key.decode(errors='replace')!r} of the type number {number}; "
                "expected numbers of 16, 32 or 64 bits"
            )
        shape = tuple(side.number(1) for side in entry.message(ENTRY_SHAPE).messages(2))
        return tensor(self._path, bytes(self.content(key)), TYPES[number], shape)

    def _file(self, shard: int) -> memoryview:
        """Returns a file of numbers."""
        if shard not in self._open:
            name = f"{self._prefix.name}.data-{shard:05d}-of-{self._count:05d}"
            try:
                with self._prefix.with_name(name).open("rb") as file:
                    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError):
                raise UserError(f"{self._path} lacks {name}; copy all of its files") from None
            self._open[shard] = memoryview(mapped)
        return self._open[shard]


def _variables(path: str | Path, files: _Files) -> Iterator[tuple[str, bytes]]:
    """Yields the names and the keys of a network's variables, in the order of their keys."""
    found: dict[str, str] = {}
    for name, key in _named(path, files):
        known = name.rpartition("/")[2] in KINDS and key.encode() in files.entries
        if known and (name not in found or _place(key) < _place(found[name])):
            found[name] = key
    for name in sorted(found, key=lambda name: _place(found[name])):
        # What an optimiser keeps of `conv/kernel` is called `Adam/m/conv/kernel`.
        if not any(name != other and name.endswith(f"/{other}") for other in found):
            yield name, found[name].encode()


def _named(path: str | Path, files: _Files) -> Iterator[tuple[str, str]]:
    """Yields each variable's name and key; the keys themselves where no objects are told."""
    if GRAPH not in files.entries:
        yield from ((key.decode(errors="replace"),) * 2 for key in files.entries)
        return
    content = files.content(GRAPH)
    # A list of one text: its length as a number of seven bits a byte, four of a checksum, itself.
    begin = next((at for at, byte in enumerate(content) if byte < 0x80), len(content)) + 5
    for node in Message(path, content[begin:]).messages(NODES):
        for attribute in node.messages(ATTRIBUTES):
            key = attribute.text(KEY)
            if ".OPTIMIZER_SLOT" not in key:
                yield attribute.text(FULL_NAME) or key, key


def _place(key: str) -> tuple[int, list[tuple[int, str]]]:
    """Returns what sorts the keys: those that Keras numbers first, numbers as numbers."""
    family = next((at for at, part in enumerate(NUMBERED) if _begins(key, part)), len(NUMBERED))
    return family, natural(key)


def _begins(key: str, part: str) -> bool:
    return key.startswith(part) or f"/{part}" in key


def _told(path: str | Path, folder: Path) -> tuple[Told, dict[str, Any]]:
    """Returns what a SavedModel tells: Keras' description of it, and what its operators say."""
    described: object = None
    if (folder / METADATA).is_file():
        nodes = _message(path, folder / METADATA).messages(NODES)
        described = _json(nodes[0].text(DESCRIPTION)) if nodes else None
    options: dict[str, Any] = {}
    if (folder / MODEL).is_file():
        operators = list(_operators(_message(path, folder / MODEL)))
        options = same_of_all("activation", ACTIVATIONS, operators)
        options |= same_of_all("pooling", POOLINGS, operators)
    return told_by(described), options


def _message(path: str | Path, file: Path) -> Message:
    return Message(path, memoryview(file.read_bytes()))


def _operators(model: Message) -> Iterator[str]:
    """Yields the names of the operators of a SavedModel's functions."""
    for graph in model.messages(META_GRAPHS):
        for function in graph.message(GRAPH_DEF).message(LIBRARY).messages(FUNCTIONS):
            for node in function.messages(NODE_DEFS):
                yield node.text(OPERATOR)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
