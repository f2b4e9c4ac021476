"""ONNX with weights and values of 8 bits, calibrated on images."""

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from holmdel.export.graph import IMAGES

CALIBRATED = 500  # images
_COMPUTES = ("Conv", "Gemm", "MatMul", "MaxPool", "AveragePool", "Relu", "Reshape")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps advice on graphs that were not prepared to itself: this one needs no preparing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)


class _Images:
    """Images, as the calibration asks for them."""

    def __init__(self, images: Tensor) -> None:
        self._batches: Iterator[Tensor] = iter(images[:CALIBRATED].split(50))  # type: ignore[no-untyped-call]

    def get_next(self) -> dict[str, Any] | None:
        """Returns the next batch; None behind the last."""
        batch = next(self._batches, None)
        return None if batch is None else {IMAGES: batch.numpy()}


def quantised(content: bytes, images: Tensor) -> bytes:
    """Returns an ONNX file whose convolutions and dense layers compute with 8 bits.

    Weights are int8, a scale a channel; values are uint8, their ranges those of the images. Weights
    have 7 of the 8 bits: processors without VNNI add two products of more in 16 bits, which is too
    few (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).

    Args:
        content: the file in float32.
        images: uint8 (N, C, H, W), of which the first 500 are used.
    """
    from onnxruntime import quantization

    with tempfile.TemporaryDirectory() as place, _quiet():
        given, made = Path(place) / "given.onnx", Path(place) / "made.onnx"
        given.write_bytes(content)
        quantization.quantize_static(
            given,
            made,
            _Images(images),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(_COMPUTES),
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=[f"{name}.node" for name in ("input", "input:2", "input:3")],
        )
        return made.read_bytes()
