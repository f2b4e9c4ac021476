"""Exported files: how far they are from the network, and how long an image takes.

    python bench/export.py [--images N]

Prints a line a network: the largest difference of a logit in ONNX Runtime and in OpenVINO (where it
is installed), on random images. Then LeNet by the exported C file (cc -O3), and by ONNX Runtime on
one thread in turns: microseconds an image, the least of 200 rounds.
"""

import argparse
import ctypes
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from holmdel.checkpoint import Header
from holmdel.classifier import Classifier, load
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.networks import NETWORKS, build, network_options
from holmdel.training.optimise import draw_weights

FORMATS = {"onnx": "m.onnx", "openvino": "m.xml"}
ROUNDS, CALLS = 200, 20


def classifier(name: str) -> Classifier:
    """Returns a network with drawn weights, for images of 28x28."""
    torch.manual_seed(0)
    options = {} if "lenet" in name else {"width": 0.25}
    network = build(name, **options)
    draw_weights(network, "xavier")
    known = network_options(name)
    channels, (height, width) = known["channels"], known["size"]
    contract = ImageContract(
        stored=(channels, 28, 28),
        input=(channels, height, width),
        enlarge={28: "none", 32: "pad"}.get(height, "resize"),
    )
    classes = tuple(map(str, range(10)))
    return Classifier(network, Header(network=name, options={}, classes=classes, image=contract))


def differences(name: str, count: int, folder: Path) -> str:
    """Returns what a network's files differ by."""
    model = classifier(name)
    number = count if "lenet" in name else min(count, 100)
    shape = number, *model.contract.stored
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    found = [name, f"{number} images"]
    for form, file in FORMATS.items():
        try:
            report = model.export(folder / file, to=form, images=images, force=True)
            found.append(f"{form} {report.difference:.1e} equal {report.equal:.4%}")
        except UserError as error:
            found.append(f"{form}: {error}")
    return ", ".join(found)


def least(calls: list[Callable[[], object]]) -> list[float]:
    """Returns the microseconds of one call of each, in turns, the least of the rounds."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for at, call in enumerate(calls):
            begun = time.perf_counter()
            for _ in range(CALLS):
                call()
            best[at] = min(best[at], (time.perf_counter() - begun) / CALLS * 1e6)
    return best


def times(folder: Path) -> str:
    """Returns how long LeNet takes by C and by ONNX Runtime, both called from Python."""
    model = load("lenet-mnist")
    model.export(folder, to="c", force=True)
    model.export(folder / "m.onnx", force=True)
    command = ["cc", "-std=c99", "-O3", "-fPIC", "-shared", "holmdel_model.c", "-o", "m.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    predict = ctypes.CDLL(str(folder / "m.so")).holmdel_predict
    image, answer = np.zeros((1, 1, 28, 28), np.uint8), np.zeros(10, np.float32)
    image[0, 0, 6:22, 12:16] = 255
    places = [ctypes.c_void_p(array.ctypes.data) for array in (image, answer)]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "m.onnx", options)
    given = {"images": image}
    calls = [lambda: predict(*places), lambda: session.run(["probabilities"], given)]
    ours, theirs = least(calls)
    return f"lenet-mnist, one image: C {ours:.1f} us, ONNX Runtime {theirs:.1f} us"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    count = parser.parse_args().images
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        print(times(folder))
        for name in NETWORKS:
            print(differences(name, count, folder), flush=True)


if __name__ == "__main__":
    main()
