"""Other programs' runtimes as contenders at inference, on files that are made for them here.

Each function returns a call that computes the logits (batch, classes) of a workload's first batch,
in float32, on so many threads; it raises an ImportError for a package that is not installed, or the
UserError of the export that it needs.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from holmdel.benchmark.rounds import Missing
from holmdel.benchmark.workload import Workload
from holmdel.export.graph import IMAGES, LOGITS
from holmdel.images.contract import ImageContract

Call = Callable[[], Any]


def onnx_logits(work: Workload, threads: int) -> Call:
    """Returns the call of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(_onnx(work), options, providers=["CPUExecutionProvider"])
    images = {IMAGES: _images(work).numpy()}
    return lambda: session.run([LOGITS], images)[0]


def openvino_logits(work: Workload, threads: int) -> Call:
    """Returns the call of OpenVINO, held to float32: of itself it may take bfloat16."""
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = core.read_model(_onnx(work), b"")
    images = _images(work).numpy()
    model.reshape(list(images.shape))
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda: request.infer([images], share_inputs=True, share_outputs=True)[0]


def litert_logits(work: Workload, threads: int) -> Call:
    """Returns the call of LiteRT, which is TensorFlow Lite, with XNNPACK."""
    from holmdel.export.tflite_export import converted, packages

    litert_torch, interpreter_of = packages()
    images = _images(work)
    content = converted(litert_torch, work.build().eval(), images)
    interpreter = interpreter_of(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    into = interpreter.get_input_details()[0]["index"]
    out = interpreter.get_output_details()[0]["index"]
    given = images.numpy()

    def call() -> Any:
        interpreter.set_tensor(into, given)
        interpreter.invoke()
        return interpreter.get_tensor(out)

    return call


def executorch_logits(work: Workload, threads: int) -> Call:
    """Returns the call of ExecuTorch with XNNPACK."""
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower
    from executorch.runtime import Runtime

    images = _images(work)
    exported = torch.export.export(work.build().eval(), (images,))
    program = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()])
    runtime = Runtime.get()
    if "XnnpackBackend" not in runtime.backend_registry.registered_backend_names:
        raise Missing("its XNNPACK is not in the package that is installed")
    _set_executorch_threads(threads)
    content = program.to_executorch().buffer
    loaded = runtime.load_program(content)
    method = loaded.load_method("forward")

    def call(owners: Any = (content, loaded)) -> Any:  # a method does not keep its program alive
        return method.execute([images])[0]

    return call


def _set_executorch_threads(threads: int) -> None:
    from executorch.extension.pybindings import portable_lib

    setter = getattr(portable_lib, "_unsafe_reset_threadpool", None)
    if setter is None:
        raise Missing("it does not let itself be told how many threads to take")
    setter(threads)


def ncnn_logits(work: Workload, threads: int) -> Call:
    """Returns the call of ncnn, which takes one image after the other."""
    from holmdel.export.ncnn_export import converted, loaded, packages

    ncnn, program = packages()
    with tempfile.TemporaryDirectory() as name:
        converted(program, work.build().eval(), work.input, Path(name))
        net = loaded(ncnn, Path(name), threads)
    images = [np.ascontiguousarray(image) for image in _images(work).numpy()]

    def one(image: Any) -> Any:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(image))
        return np.array(extractor.extract("out0")[1])

    return lambda: np.stack([one(image) for image in images])


def _images(work: Workload) -> torch.Tensor:
    return work.batches(torch.contiguous_format)[0][0]


def _onnx(work: Workload) -> bytes:
    from holmdel.export.network_graph import classifier_graph
    from holmdel.export.onnx_file import onnx_bytes

    contract = ImageContract(stored=work.input, input=work.input)
    graph = classifier_graph(work.build(), contract, "float32")
    graph.outputs = (LOGITS,)
    return onnx_bytes(graph, {})


RUNTIMES: dict[str, Callable[[Workload, int], Call]] = {
    "ONNX Runtime": onnx_logits,
    "OpenVINO": openvino_logits,
    "LiteRT": litert_logits,
    "ExecuTorch": executorch_logits,
    "ncnn": ncnn_logits,
}
