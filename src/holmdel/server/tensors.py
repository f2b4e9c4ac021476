"""What an inference request asks: one input tensor, and the outputs wanted."""

import reprlib
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.server.tensors_body import Body
from holmdel.server.tensors_values import (
    numbers_of_bytes,
    numbers_of_json,
    pictures_of_bytes,
    pictures_of_json,
)

Given: TypeAlias = NDArray[np.float32] | NDArray[np.uint8] | list[bytes]
Shape: TypeAlias = tuple[int, int, int]

INPUT = "input"
OUTPUTS = {"probabilities": "FP32", "logits": "FP32", "index": "INT64", "label": "BYTES"}


class Wanted(NamedTuple):
    """An output that is wanted, and whether as binary data or as JSON."""

    name: str
    binary: bool


class Ask(NamedTuple):
    """An inference request, checked.

    Attributes:
        id: what the client calls it, or None.
        given: float32 or uint8 (N, C, H, W), or N encoded pictures.
        wanted: the outputs, in the order asked.
    """

    id: str | None
    given: Given
    wanted: tuple[Wanted, ...]


def read(body: Body, seen: Shape, stored: Shape, rows: int) -> Ask:
    """Returns what a request asks.

    Args:
        body: of the request.
        seen: (C, H, W) of an FP32 input: what the network sees.
        stored: (C, H, W) of a UINT8 input: the stored form.
        rows: the most N.

    Raises:
        UserError: for what the protocol does not allow, or another input than the model's.
    """
    header = body.header
    name = header.get("id")
    if not isinstance(name, str | None):
        raise UserError("the request's 'id' is not a string; expected one, or none")
    inputs = _objects(header, "inputs")
    _expect_names("input", [tensor.get("name") for tensor in inputs], (INPUT,))
    if not inputs:
        raise UserError(f"the request has no 'inputs'; expected one tensor, named {INPUT!r}")
    given = _given(inputs[0], body.binary, {"FP32": seen, "UINT8": stored}, rows)
    return Ask(name, given, _wanted(header))


def _wanted(header: dict[str, Any]) -> tuple[Wanted, ...]:
    """Returns the outputs asked for; all where none is named."""
    binary = _flag(_parameters(header, "request"), "binary_data_output", default=False)
    outputs = _objects(header, "outputs")
    names = [output.get("name") for output in outputs]
    _expect_names("output", names, tuple(OUTPUTS))
    if not outputs:
        return tuple(Wanted(name, binary) for name in OUTPUTS)
    wanted = []
    for output in outputs:
        parameters = _parameters(output, "output")
        for extension in ("classification", "shared_memory_region"):
            if parameters.get(extension):
                raise UserError(
                    f"an output asks for {extension!r}, an extension that this server does not "
                    "have; GET /v2 names those it has"
                )
        wanted.append(Wanted(output["name"], _flag(parameters, "binary_data", default=binary)))
    return tuple(wanted)


def _given(
    tensor: dict[str, Any], binary: memoryview, shapes: dict[str, Shape], rows: int
) -> Given:
    """Returns the data of the input."""
    datatype = tensor.get("datatype")
    if datatype != "BYTES" and (not isinstance(datatype, str) or datatype not in shapes):
        raise UserError(
            f"the input's datatype is {reprlib.repr(datatype)}; expected 'FP32', 'UINT8' or 'BYTES'"
        )
    shape = _shape(tensor, shapes.get(datatype, ()), datatype, rows)
    data = _binary(tensor, binary)
    if datatype == "BYTES":
        if data is not None:
            return pictures_of_bytes(data, shape[0])
        return pictures_of_json(tensor.get("data"), shape[0])
    if data is not None:
        return numbers_of_bytes(data, shape, datatype)
    return numbers_of_json(tensor.get("data"), shape, datatype)


def _shape(
    tensor: dict[str, Any], row: tuple[int, ...], datatype: str, rows: int
) -> tuple[int, ...]:
    """Returns the input's shape, (N, *row)."""
    shape = tensor.get("shape")
    whole = isinstance(shape, list) and all(type(size) is int for size in shape)
    if not whole or not shape or tuple(shape[1:]) != row:
        expected = ", ".join(["N", *map(str, row)])
        raise UserError(
            f"the input's shape is {reprlib.repr(shape)}; expected [{expected}] for {datatype}"
        )
    if not 1 <= shape[0] <= rows:
        raise UserError(f"the input has {reprlib.repr(shape[0])} rows; expected 1 to {rows}")
    return tuple(shape)


def _binary(tensor: dict[str, Any], binary: memoryview) -> memoryview | None:
    """Returns the input's binary data, or None where its data is in the JSON."""
    parameters = _parameters(tensor, "input")
    if "shared_memory_region" in parameters:
        raise UserError(
            "the input is in shared memory, an extension that this server does not have; "
            "send its data in the body"
        )
    size = parameters.get("binary_data_size")
    if size is None:
        if len(binary):
            raise UserError(
                f"{len(binary)} bytes follow the JSON, and the input has no 'binary_data_size'; "
                "expected that parameter, or no bytes"
            )
        return None
    if type(size) is not int or size != len(binary):
        raise UserError(
            f"the input's binary_data_size is {reprlib.repr(size)}, and {len(binary)} bytes follow "
            "the JSON; expected the same number"
        )
    if "data" in tensor:
        raise UserError("the input has both 'data' and binary data; expected one of them")
    return binary


def _objects(header: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """Returns a field that is an array of objects, or is not there."""
    found = header.get(field)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UserError(f"the request's {field!r} is not an array of objects; expected one")
    return found


def _expect_names(kind: str, names: list[Any], known: tuple[str, ...]) -> None:
    """Raises a UserError for a name that the model does not have, or that comes twice."""
    for place, name in enumerate(names):
        if not isinstance(name, str) or name not in known:
            expected = ", ".join(map(repr, known))
            raise UserError(f"the model has no {kind} {reprlib.repr(name)}; it has {expected}")
        if name in names[:place]:
            raise UserError(f"the {kind} {name!r} was given twice; expected it once")


def _parameters(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    found = thing.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UserError(f"the 'parameters' of the {kind} are not an object; expected one")
    return found


def _flag(parameters: dict[str, Any], name: str, *, default: bool) -> bool:
    found = parameters.get(name, default)
    if not isinstance(found, bool):
        raise UserError(f"the parameter {name!r} is {reprlib.repr(found)}; expected true or false")
    return found
