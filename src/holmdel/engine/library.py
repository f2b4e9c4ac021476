"""The compiled libraries, one per instruction set: the choice among them, and their C structures.

PyTorch is not loaded here.
"""

import ctypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.images.contract import ImageContract

INSTRUCTIONS = ("avx512", "avx2", "portable")  # the fastest first
VARIABLE = "HOLMDEL_INSTRUCTIONS"
FOLDER = "HOLMDEL_LIBRARY_FOLDER"  # where other builds of the libraries lie, such as sanitized ones
FORM = 4  # of the library's interface, engine.cpp
KINDS = (
    "conv", "linear", "avg", "max", "sigmoid", "tanh", "relu", "adaptive", "norm", "dropout",
    "leaky", "gelu", "gelu-tanh", "silu", "sum",
)  # fmt: skip
SLOTS = 2  # blocks of images a dense layer takes at once; measured: 1 and 4 are slower
_PEAK_SECONDS = 0.2
_FAULTS = (
    "does not follow from its settings and the layers before it",
    "stored images do not lie inside of what the network sees",
    "a layer has more numbers than the engine's addresses reach; smaller images or layers fit",
    "a dense layer and a convolution with padding read the same maps",
)


class Described(ctypes.Structure):
    """A layer: its kind, by its place in `KINDS`, and its sizes."""

    _fields_ = (
        ("kind", ctypes.c_int32),
        ("input", ctypes.c_int32 * 3),
        ("output", ctypes.c_int32 * 3),
        ("kernel", ctypes.c_int32 * 2),
        ("stride", ctypes.c_int32 * 2),
        ("padding", ctypes.c_int32 * 2),
        ("count_padding", ctypes.c_int32),
        ("normalised", ctypes.c_int32),
        ("number", ctypes.c_float),
        ("momentum", ctypes.c_float),
        ("reads", ctypes.c_int32 * 2),
        ("dilation", ctypes.c_int32 * 2),
        ("groups", ctypes.c_int32),
    )


FIELDS = {name for name, *_ in Described._fields_}


class Scaling(ctypes.Structure):
    """How bytes become what the network sees: where they lie in it, and byte * scale + shift."""

    _fields_ = (
        ("height", ctypes.c_int),
        ("width", ctypes.c_int),
        ("top", ctypes.c_int),
        ("left", ctypes.c_int),
        ("scale", ctypes.c_float),
        ("shift", ctypes.c_float),
    )


class Fault(ctypes.Structure):
    """What is wrong with a description, and with which layer or value."""

    _fields_ = (("kind", ctypes.c_int32), ("where", ctypes.c_int32))


class Images(ctypes.Structure):
    """Where images lie: bytes or floats, and which rows of them are meant."""

    _fields_ = (
        ("memory", ctypes.c_void_p),
        ("bytes", ctypes.c_bool),
        ("rows", ctypes.c_void_p),
    )


NO_RULE, SGD, ADAMW = range(3)
CHANGES = ("flip", "shift", "affine", "elastic")


class OneStep(ctypes.Structure):
    """A step for one parameter, by torch's formulas; of AdamW `momentum` is the first beta."""

    _fields_ = (
        ("rule", ctypes.c_int32),
        ("lr", ctypes.c_float),
        ("momentum", ctypes.c_float),
        ("decay", ctypes.c_float),
        ("nesterov", ctypes.c_int32),
        ("beta", ctypes.c_float),
        ("epsilon", ctypes.c_float),
        ("correction", ctypes.c_float),
        ("root", ctypes.c_float),
    )


class Augment(ctypes.Structure):
    """Random changes of images, by their places in `CHANGES`, and how large they are."""

    _fields_ = (
        ("count", ctypes.c_int32),
        ("changes", ctypes.c_int32 * 4),
        ("rotation", ctypes.c_float),
        ("scale", ctypes.c_float),
        ("shear", ctypes.c_float),
        ("shift", ctypes.c_float),
        ("ripple", ctypes.c_float),
    )


class Task(ctypes.Structure):
    """A batch to learn from, and what is to be done with the gradients."""

    _fields_ = (
        ("images", Images),
        ("labels", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("threads", ctypes.c_int64),
        ("seed", ctypes.c_uint64),
        ("values", ctypes.c_void_p),
        ("gradients", ctypes.c_void_p),
        ("steps", ctypes.c_void_p),
        ("velocities", ctypes.c_void_p),
        ("squares", ctypes.c_void_p),
        ("smoothing", ctypes.c_float),
        ("clip", ctypes.c_float),
        ("augment", Augment),
    )


class Learned(ctypes.Structure):
    """What came of a batch: mean loss, how many were right, the first image at fault."""

    _fields_ = (("loss", ctypes.c_double), ("correct", ctypes.c_int64), ("where", ctypes.c_int64))


@dataclass(frozen=True)
class Status:
    """Which engine this machine has.

    Attributes:
        name: `native` or `torch`.
        instructions: `avx512`, `avx2`, `portable`, or None without a compiled engine.
        reason: why it is not the fastest, or not there; empty where nothing is amiss.
    """

    name: str
    instructions: str | None
    reason: str = ""

    def __str__(self) -> str:
        what = "PyTorch" if self.instructions is None else f"native engine, {self.instructions}"
        return f"{what} ({self.reason})" if self.reason else what


@dataclass(frozen=True)
class _Found:
    status: Status
    library: ctypes.CDLL | None


def status() -> Status:
    """Returns which engine this machine has, and why it is no faster one.

    Raises:
        UserError: if the environment variable HOLMDEL_INSTRUCTIONS asks for what is not there.
    """
    return _find(os.environ.get(VARIABLE, ""), os.environ.get(FOLDER, "")).status


def library() -> ctypes.CDLL | None:
    """Returns the library in use, or None where PyTorch does the work; raises as `status`."""
    return _find(os.environ.get(VARIABLE, ""), os.environ.get(FOLDER, "")).library


def described(rows: Sequence[Mapping[str, Any]]) -> "ctypes.Array[Described]":
    """Returns layers as the library takes them.

    Args:
        rows: what `FIELDS` names of each: its kind as in `KINDS`, sizes as tuples of whole numbers.
    """
    found = (Described * len(rows))()
    for to, row in zip(found, rows, strict=True):
        to.kind = KINDS.index(row["kind"])
        for name in ("input", "output", "kernel", "stride", "padding", "dilation"):
            getattr(to, name)[:] = row[name]
        to.reads[:] = row["reads"] if len(row["reads"]) > 1 else (*row["reads"], -1)
        for name in ("groups", "count_padding", "normalised", "number", "momentum"):
            setattr(to, name, row[name])
    return found


def scaling_of(image: ImageContract) -> Scaling:
    """Returns how bytes as stored become what a network sees; of resized ones there are none."""
    height, width = image.stored[1:]
    top, left = (image.input[1] - height) // 2, (image.input[2] - width) // 2
    if image.enlarge == "resize":
        (height, width), top, left = image.input[1:], 0, 0
    return Scaling(height, width, top, left, 1 / (255 * image.std), -image.mean / image.std)


def new_chain(found: ctypes.CDLL, described: "ctypes.Array[Described]", scaling: Scaling) -> int:
    """Returns the library's handle of a chain; `holmdel_free` is to be called with it.

    Raises:
        UserError: for layers that do not follow from one another, or are too large.
        MemoryError: without memory for the weights.
    """
    fault, given = Fault(), (described, len(described), ctypes.byref(scaling), SLOTS)
    if handle := found.holmdel_create(*given, ctypes.byref(fault)):
        return int(handle)
    if not fault.kind:
        raise MemoryError("not enough memory for the native engine's buffers")
    sentence = _FAULTS[fault.kind - 1]
    if fault.kind == 1 and len(described):
        layer = described[fault.where]
        kind = KINDS[layer.kind] if 0 <= layer.kind < len(KINDS) else f"kind {layer.kind}"
        what = f"{kind} from {tuple(layer.input)} to {tuple(layer.output)}"
        sentence = f"layer {fault.where} of a chain, {what}, {sentence}"
    raise UserError(sentence)


def peak(threads: int) -> float:
    """Returns the GFLOP/s of float32 multiply-adds (two each) that `threads` threads reach here.

    Raises:
        UserError: if there is no compiled engine to measure with.
    """
    found = library()
    if found is None:
        raise UserError(f"the peak is measured by the native engine, which is not here: {status()}")
    rate: float = found.holmdel_peak(threads, _PEAK_SECONDS)
    return rate / 1e9


@cache
def _find(wanted: str, folder: str) -> _Found:
    if wanted == "none":
        return _Found(Status("torch", None, f"{VARIABLE}=none"), None)
    if wanted and wanted not in INSTRUCTIONS:
        raise UserError(
            f"{VARIABLE} was set to {wanted!r}; expected {', '.join(INSTRUCTIONS)} or none"
        )
    libraries = {name: path for name in INSTRUCTIONS if (path := _file(name, folder))}
    reason = "the compiled engine is not installed; it is built where a C++ compiler is at hand"
    if any(_form(path) != FORM for path in libraries.values()):
        libraries, reason = {}, "the compiled engine is of another version; install Holmdel anew"
    if "portable" not in libraries:
        if wanted:
            raise UserError(f"{VARIABLE} was set to {wanted!r}, but {reason}")
        return _Found(Status("torch", None, reason), None)
    portable = _open(libraries["portable"])
    able = [name for name in libraries if portable.holmdel_has(name.encode())]
    if wanted and wanted not in able:
        raise UserError(
            f"{VARIABLE} was set to {wanted!r}; this processor and this installation have "
            f"{', '.join(able)}"
        )
    name = wanted or able[0]
    reason = f"{VARIABLE}={wanted}" if wanted else ""
    return _Found(Status("native", name, reason), _open(libraries[name]))


def _form(path: Path) -> int | None:
    """Returns which form of the interface a library has; None for one that cannot say."""
    asked = getattr(ctypes.CDLL(str(path)), "holmdel_form", None)
    return None if asked is None else int(asked())


def _open(path: Path) -> ctypes.CDLL:
    """Returns a library with the types of its functions, in the order of engine.cpp."""
    opened = ctypes.CDLL(str(path))
    pointer, number = ctypes.c_void_p, ctypes.c_int
    types: dict[str, tuple[Any, ...]] = {
        "has": (number, ctypes.c_char_p),
        "create": (pointer, pointer, number, pointer, number, pointer),
        "free": (None, pointer),
        "learn": (number, pointer, pointer, pointer),
        "keep": (number, pointer, pointer, number),
        "answer": (number, pointer, pointer, ctypes.c_long, number, pointer, pointer),
        "answer_one": (number, pointer, pointer, number, pointer),
        "peak": (ctypes.c_double, number, ctypes.c_double),
    }
    for name, (result, *given) in types.items():
        function = getattr(opened, f"holmdel_{name}")
        function.restype, function.argtypes = result, given
    return opened


def _file(name: str, folder: str) -> Path | None:
    """Returns the library for an instruction set, or None where it was not built."""
    return built(Path(folder) if folder else Path(__file__).parent, name)


def built(folder: Path, name: str) -> Path | None:
    """Returns the library of a name in a folder, or None where it was not built."""
    found = sorted(folder.glob(f"_{name}.*"))
    return next((p for p in found if p.suffix in (".so", ".pyd", ".dylib")), None)
