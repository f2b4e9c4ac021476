"""Other programs' runtimes as contenders at inference, on files that are made for them here.

Each function returns a call that computes the logits (batch, classes) of a workload's first batch,
in float32, on so many threads; it raises an ImportError for a package that is not installed.
"""

import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

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
    import litert_torch
    from ai_edge_litert.interpreter import Interpreter

    images = _images(work)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.tflite"
        litert_torch.convert(work.build().eval(), (images,)).export(str(file))
        interpreter = Interpreter(model_content=file.read_bytes(), num_threads=threads)
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
    method = runtime.load_program(program.to_executorch().buffer).load_method("forward")
    return lambda: method.execute([images])[0]


def _set_executorch_threads(threads: int) -> None:
    from executorch.extension.pybindings import _portable_lib

    setter = getattr(_portable_lib, "_unsafe_reset_threadpool", None)
    if setter is None:
        raise Missing("it does not let itself be told how many threads to take")
    setter(threads)


def ncnn_logits(work: Workload, threads: int) -> Call:
    """Returns the call of ncnn, which takes one image after the other."""
    import ncnn

    text, weights = _ncnn_files(work.build().eval())
    net = ncnn.Net()
    net.opt.num_threads = threads
    for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, name, False)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("net.param", text.encode()), ("net.bin", weights)):
            (Path(folder) / name).write_bytes(content)
        net.load_param(str(Path(folder) / "net.param"))
        net.load_model(str(Path(folder) / "net.bin"))
    images = [np.ascontiguousarray(image) for image in _images(work).numpy()]

    def one(image: Any) -> Any:
        extractor = net.create_extractor()
        extractor.input("0", ncnn.Mat(image))
        return np.array(extractor.extract(_last(text))[1])

    return lambda: np.stack([one(image) for image in images])


def _last(text: str) -> str:
    """Returns the name of what the last layer of an ncnn file gives."""
    return text.splitlines()[-1].split()[5]


_NCNN = {nn.Sigmoid: "Sigmoid", nn.Tanh: "TanH", nn.ReLU: "ReLU", nn.Flatten: "Flatten"}


def _ncnn_files(network: nn.Sequential) -> tuple[str, bytes]:
    """Returns a chain's layers as ncnn reads them, a line a layer, and its weights."""
    lines, weights = ["Input 0 0 1 0"], b""
    for module in network:
        kind, settings, tensors = _ncnn_layer(module)
        given = len(lines) - 1
        fields = " ".join(f"{key}={value}" for key, value in settings.items())
        lines.append(f"{kind} {given + 1} 1 1 {given} {given + 1} {fields}".rstrip())
        if tensors:
            weight, bias = (t.detach().numpy().astype("<f4").tobytes() for t in tensors)
            weights += struct.pack("<I", 0) + weight + bias  # 0: as they are, in float32
    return "\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n", weights


def _ncnn_layer(module: nn.Module) -> tuple[str, dict[int, int], tuple[Any, ...]]:
    """Returns kind, settings by number, and weights of a layer in ncnn.

    Raises:
        Missing: for a layer that is not written here.
    """
    if type(module) in _NCNN:
        return _NCNN[type(module)], {}, ()
    if isinstance(module, nn.Linear) and module.bias is not None:
        size = {0: module.out_features, 1: 1, 2: module.weight.numel()}
        return "InnerProduct", size, (module.weight, module.bias)
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        (high, wide), (down, along) = module.kernel_size, module.stride
        settings = {0: module.out_channels, 1: wide, 11: high, 3: along, 13: down, 5: 1}
        if isinstance(module.padding, str):
            raise Missing("no convolution whose padding is a word is written for it")
        above, before = module.padding
        settings |= {4: before, 14: above, 6: module.weight.numel()}
        return "Convolution", settings, (module.weight, module.bias)
    if isinstance(module, nn.AvgPool2d | nn.MaxPool2d):
        average, (wide, along) = isinstance(module, nn.AvgPool2d), _sides(module)
        return "Pooling", {0: int(average), 1: wide, 2: along, 5: 1}, ()
    raise Missing(f"no {type(module).__name__} is written for it")


def _sides(pool: nn.AvgPool2d | nn.MaxPool2d) -> tuple[int, int]:
    """Returns the side of a square pooling's windows, and their stride."""
    kernel, stride = pool.kernel_size, pool.stride
    if not isinstance(kernel, int) or not isinstance(stride, int):
        raise Missing("no pooling of windows that are not square is written for it")
    return kernel, stride


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
