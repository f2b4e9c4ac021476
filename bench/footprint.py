"""How long `holmdel --help` takes, how much memory `holmdel train lenet` needs, and the runtime.

python bench/footprint.py [--record]
python bench/footprint.py --runtime DIR   # installs what runs exported files, without PyTorch
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from pathlib import Path

from PIL import Image, ImageDraw

import holmdel
from holmdel.verbs import export_model
from record import record

RUNS = 11
NAMES = {"cv2": "opencv", "opencv_python_headless": "opencv", "PIL": "pillow"}


def help_seconds() -> float:
    """Returns the median seconds of `holmdel --help`, after one that warms the disk."""
    words = [sys.executable, "-m", "holmdel", "--help"]
    times = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def peak_megabytes() -> float:
    """Returns the peak resident memory of an epoch of `holmdel train lenet` on Fashion-MNIST."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "holmdel", "train", "lenet", "--epochs", "1"]
        pid = os.spawnv(os.P_NOWAIT, sys.executable, [*words, "--out", f"{folder}/run"])
        _, status, usage = os.wait4(pid, 0)
        if status:
            sys.exit("holmdel train failed")
        return usage.ru_maxrss / 1024  # kilobytes on Linux


SOURCE = Path(__file__).parent.parent
CLASSIFY = "from holmdel import runtime\nruntime.load('{}').predict(['seven.png'])"
COMMAND = (
    "import sys\nfrom holmdel.__main__ import main\n"
    "sys.argv[1:] = ['predict', 'm.safetensors', 'seven.png', '--format', 'jsonl']\nmain()"
)
READ = "import holmdel\nholmdel.read('seven.png', model='reader.onnx')"
NEEDS = {  # what is installed, and what is done then
    "holmdel-runtime[read], reading": ([f"{SOURCE}/runtime[read]"], READ),
    "holmdel-runtime[onnx], a file": ([f"{SOURCE}/runtime[onnx]"], CLASSIFY.format("m.onnx")),
    "holmdel-runtime[onnx], a file with --framing": (
        [f"{SOURCE}/runtime[onnx]"],
        CLASSIFY.format("framing.onnx"),
    ),
    "holmdel-runtime, a .safetensors file": (
        [f"{SOURCE}/runtime"],
        CLASSIFY.format("m.safetensors"),
    ),
    "holmdel-runtime, the command, a .safetensors file": ([f"{SOURCE}/runtime"], COMMAND),
    "a file with --framing, without Holmdel": (
        ["numpy", "pillow", "onnxruntime"],
        "import numpy, onnxruntime; from PIL import Image\n"
        "pixels = numpy.asarray(Image.open('seven.png').convert('RGB'))\n"
        "options = onnxruntime.SessionOptions()\n"
        "none = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL\n"
        "options.graph_optimization_level = none\n"
        "session = onnxruntime.InferenceSession('framing.onnx', options)\n"
        "session.run(None, {'photograph': pixels})",
    ),
}


def installed(environments: Path, packages: list[str]) -> tuple[Path, Path]:
    """Returns the Python of an environment of some packages, made if need be, and their folder."""
    number = sorted({tuple(needed) for needed, _ in NEEDS.values()}).index(tuple(packages))
    place = (environments / str(number)).resolve()
    here = place / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    if not place.exists():
        venv.create(place)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(here)]
        subprocess.run([*pip, *packages], check=True)
    return place / "bin" / "python", here


def first_answer(python: Path, script: str, folder: Path) -> tuple[float, float]:
    """Returns the median seconds from start to answer, and of the processor's."""
    times = []
    for _ in range(RUNS + 1):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [str(python), "-c", script]
        subprocess.run(words, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.append((seconds, used))
    wall, processor = zip(*times[1:], strict=True)
    return statistics.median(wall), statistics.median(processor)


def sizes(here: Path) -> dict[str, int]:
    """Returns the bytes of each package, the largest first; a wheel's libraries are its own."""
    found: Counter[str] = Counter()
    for file in here.rglob("*"):
        if file.is_file():
            name = file.relative_to(here).parts[0].removesuffix(".libs").split("-")[0]
            found[NAMES.get(name, name)] += file.stat().st_size
    return dict(found.most_common())


def runtime(environments: Path) -> None:
    """Prints, for each way to run exported files, its size and the time to a first answer.

    Args:
        environments: where they are made, if they are not there.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = Image.new("L", (200, 160), 235)
        ImageDraw.Draw(picture).line([(60, 30), (140, 30), (90, 130)], fill=30, width=14)
        picture.save(folder / "seven.png")
        model = holmdel.load("lenet-mnist")
        model.export(folder / "m.onnx")
        model.export(folder / "m.safetensors", to="safetensors")
        model.export(folder / "framing.onnx", framing=True)
        export_model("reader", folder / "reader.onnx")
        for way, (packages, script) in NEEDS.items():
            python, here = installed(environments, packages)
            wall, processor = first_answer(python, script, folder)
            parts = sizes(here)
            most = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in [*parts.items()][:6])
            print(f"{way}: {sum(parts.values()) / 1e6:.0f} MB ({most})")
            print(
                f"    {wall:.2f} s from start to the first answer, {processor:.2f} s of processor"
            )


def main() -> None:
    """Prints and, if asked, records both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--runtime", type=Path)
    words = parser.parse_args()
    if words.runtime:
        runtime(words.runtime)
        return
    seconds, megabytes = help_seconds(), peak_megabytes()
    print(f"holmdel --help: {seconds:.2f} s; train lenet: {megabytes:.0f} MB at its peak")
    if words.record:
        record("footprint", {"help_seconds": round(seconds, 3), "peak_mb": round(megabytes)})


if __name__ == "__main__":
    main()
