"""The exported classifier, as each of the other servers runs it: on one thread, image by image."""

import os
from typing import Any

import onnxruntime


def session() -> Any:
    """Returns ONNX Runtime's session of the file that `HOLMDEL_ONNX` names."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(os.environ["HOLMDEL_ONNX"], options)


def probabilities(runs: Any, images: Any) -> Any:
    """Returns the probabilities (N, K) of images, uint8 (N, 1, 28, 28)."""
    return runs.run(["probabilities"], {runs.get_inputs()[0].name: images})[0]
