"""The input of an inference request: which tensor it is, its data, and whether that can be meant.

A model sees its image as one of two inputs. `image` is pixels: UINT8 in 0..255, FP32 in 0..1, or an
encoded image. `input` is that too, except that its FP32 is what the network sees, normalised.
"""

import reprlib
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.images import ImageContract, to_input
from holmdel.server.protocol.tensors import (
    images_of_bytes,
    images_of_json,
    numbers_of_bytes,
    numbers_of_json,
)

Given: TypeAlias = NDArray[np.float32] | NDArray[np.uint8] | list[bytes]

IMAGE, NORMALISED = "image", "input"
INPUTS = (IMAGE, NORMALISED)
_SLACK = 0.1  # of the range of normalised pixels: resizing overshoots, and so does noise


def read_input(
    tensors: list[dict[str, Any]], binary: memoryview, contract: ImageContract, rows: int
) -> tuple[Given, tuple[str, ...]]:
    """Returns the image that a request gives, and why it is perhaps not what the client means.

    Args:
        tensors: the request's inputs, at least one, of different names in `INPUTS`.
        binary: the binary data behind the JSON.
        contract: what the model's network was trained to see.
        rows: the most N.

    Returns:
        float32 (N, C, H, W) as the network sees it, uint8 in the stored form, or encoded images;
        sentences.

    Raises:
        UserError: for a tensor that the model cannot take.
    """
    parts = _parts(tensors, binary)
    tensor = min(tensors, key=lambda tensor: INPUTS.index(tensor["name"]))
    name = tensor["name"]
    size = contract.input if name == NORMALISED else contract.stored
    shapes = {"FP32": size, "UINT8": contract.stored}
    given = _given(tensor, parts[name], shapes, rows)
    doubts: tuple[str, ...] = ()
    # A program that sends all inputs that metadata list, as load generators do, gets an answer.
    if len(tensors) > 1:
        doubts = (f"both inputs were given; {IMAGE!r} was used, and {NORMALISED!r} was not",)
    if isinstance(given, list) or given.dtype == np.uint8:
        return given, doubts
    if name == IMAGE:
        return normalised(given, contract), doubts
    return given, (*doubts, *_doubts(given, contract))


def normalised(pixels: NDArray[Any], contract: ImageContract) -> NDArray[np.float32]:
    """Returns pixels as the network sees them.

    Args:
        pixels: float32 (N, C, H, W) in 0..1, in the stored form.
        contract: what the network was trained to see.

    Raises:
        UserError: for pixels beyond 0..1.
    """
    if not (pixels.min() >= 0 and pixels.max() <= 1):  # NaN is neither
        raise UserError(
            f"the FP32 data of {IMAGE!r} lies in {pixels.min():.4g}..{pixels.max():.4g}; expected "
            f"pixels in 0..1, or in 0..255 as UINT8, or normalised ones as {NORMALISED!r}"
        )
    found: NDArray[np.float32] = to_input(torch.from_numpy(pixels * 255), contract).numpy()
    return found


def limits(contract: ImageContract) -> tuple[float, float]:
    """Returns the lowest and the highest value of a normalised pixel."""
    return -contract.mean / contract.std, (1 - contract.mean) / contract.std


def _doubts(seen: NDArray[Any], contract: ImageContract) -> tuple[str, ...]:
    """Returns why values are perhaps no normalised images; nothing where they may be.

    Pixels / 255, the usual mistake, lie in 0..1. No normalised image does where the background is
    below 0: of the 140,000 images of MNIST and Fashion-MNIST none has all its pixels there.
    """
    low, high = limits(contract)
    slack = _SLACK * (high - low)
    flat = seen.reshape(len(seen), -1)
    least, most = flat.min(axis=1), flat.max(axis=1)
    how = (
        f"{NORMALISED!r} takes (pixel / 255 - {contract.mean:g}) / {contract.std:g}, and {IMAGE!r} "
        "takes pixels / 255"
    )
    said = []
    if low < 0 and (plain := int(((least >= 0) & (most <= 1)).sum())):
        said.append(
            f"{plain} of {len(seen)} images lie in 0..1, as no normalised image does; {how}"
        )
    if beyond := int((~((least >= low - slack) & (most <= high + slack))).sum()):
        said.append(
            f"{beyond} of {len(seen)} images have values that are not in {low:.4g}..{high:.4g}, "
            f"where normalised pixels lie; {how}"
        )
    return tuple(said)


def _given(
    tensor: dict[str, Any],
    binary: memoryview | None,
    shapes: dict[str, tuple[int, int, int]],
    rows: int,
) -> Given:
    """Returns the data of the input; `binary` is None where it is in the JSON."""
    datatype = tensor.get("datatype")
    if datatype != "BYTES" and (not isinstance(datatype, str) or datatype not in shapes):
        raise UserError(
            f"the input's datatype is {reprlib.repr(datatype)}; expected 'FP32', 'UINT8' or 'BYTES'"
        )
    shape = _shape(tensor, shapes.get(datatype, ()), datatype, rows)
    if datatype == "BYTES":
        if binary is not None:
            return images_of_bytes(binary, shape[0])
        return images_of_json(tensor.get("data"), shape)
    if binary is not None:
        return numbers_of_bytes(binary, shape, datatype)
    return numbers_of_json(tensor.get("data"), shape, datatype)


def _shape(
    tensor: dict[str, Any], row: tuple[int, ...], datatype: str, rows: int
) -> tuple[int, ...]:
    """Returns the input's shape, (N, *row); encoded images may be (N, 1) too."""
    shape = tensor.get("shape")
    whole = isinstance(shape, list) and all(type(size) is int for size in shape)
    allowed = [row] if row else [(), (1,)]
    if not whole or not shape or tuple(shape[1:]) not in allowed:
        expected = " or ".join(f"[{', '.join(['N', *map(str, row)])}]" for row in allowed)
        raise UserError(
            f"the input's shape is {reprlib.repr(shape)}; expected {expected} for {datatype}"
        )
    if not 1 <= shape[0] <= rows:
        raise UserError(f"the input has {reprlib.repr(shape[0])} rows; expected 1 to {rows}")
    return tuple(shape)


def _parts(tensors: list[dict[str, Any]], binary: memoryview) -> dict[str, memoryview | None]:
    """Returns each input's binary data by its name, None where its data is in the JSON."""
    found: dict[str, memoryview | None] = {}
    rest = binary
    for place, tensor in enumerate(tensors, 1):
        size = _size(tensor, len(rest), last=place == len(tensors))
        found[tensor["name"]] = None if size is None else rest[:size]
        rest = rest[size or 0 :]
    return found


def _size(tensor: dict[str, Any], left: int, *, last: bool) -> int | None:
    """Returns how many of the bytes left are an input's, or None where its data is in the JSON."""
    asked = parameters(tensor, "input")
    if "shared_memory_region" in asked:
        raise UserError(
            "the input is in shared memory, an extension that this server does not have; "
            "send its data in the body"
        )
    size = asked.get("binary_data_size")
    if size is None:
        if last and left:
            raise UserError(
                f"{left} bytes follow the JSON, and the input has no 'binary_data_size'; "
                "expected that parameter, or no bytes"
            )
        return None
    if type(size) is not int or not 0 <= size <= left or (last and size != left):
        raise UserError(
            f"the input's binary_data_size is {reprlib.repr(size)}, and {left} bytes follow "
            "the JSON; expected the same number"
        )
    if "data" in tensor:
        raise UserError("the input has both 'data' and binary data; expected one of them")
    return size


def parameters(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    """Returns the parameters of a request, an input or an output, which need not have any.

    Raises:
        UserError: for parameters that are no JSON object.
    """
    found = thing.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UserError(f"the 'parameters' of the {kind} are not an object; expected one")
    return found
