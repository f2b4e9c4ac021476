"""What an inference answers: output tensors as JSON, or as binary data after it."""

import json
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from holmdel.server.tensors import OUTPUTS, Wanted

Output: TypeAlias = NDArray[np.float32] | NDArray[np.int64] | list[str]


class Written(NamedTuple):
    """The body of an answer, and the length of its JSON where binary data follows it."""

    body: bytes
    header_length: int | None


def write(
    head: Mapping[str, str], outputs: Mapping[str, Output], wanted: tuple[Wanted, ...]
) -> Written:
    """Returns the answer of an inference.

    Args:
        head: the fields before the outputs: the model's name and version, the request's id.
        outputs: by name, each an array, or texts.
        wanted: which of them, in which order and form.
    """
    tensors: list[dict[str, Any]] = []
    blocks: list[bytes] = []
    for name, binary in wanted:
        output = outputs[name]
        shape = [len(output)] if isinstance(output, list) else list(output.shape)
        tensor: dict[str, Any] = {"name": name, "datatype": OUTPUTS[name], "shape": shape}
        if binary:
            blocks.append(_bytes_of(output))
            tensor["parameters"] = {"binary_data_size": len(blocks[-1])}
        else:
            tensor["data"] = output if isinstance(output, list) else output.ravel().tolist()
        tensors.append(tensor)
    header = json.dumps({**head, "outputs": tensors}, allow_nan=False).encode()
    return Written(b"".join([header, *blocks]), len(header) if blocks else None)


def _bytes_of(output: Output) -> bytes:
    """Returns a tensor's binary data: little-endian; a text is its length and its UTF-8."""
    if isinstance(output, list):
        encoded = [text.encode() for text in output]
        return b"".join(struct.pack("<I", len(text)) + text for text in encoded)
    return output.astype(output.dtype.newbyteorder("<"), copy=False).tobytes()
