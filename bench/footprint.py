"""How long `holmdel --help` takes, how much memory `holmdel train lenet` needs, and the runtime.

python bench/footprint.py [--record]
python bench/footprint.py --runtime DIR   # installs what runs exported files, without PyTorch
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from PIL import Image, ImageDraw

import holmdel
from record import record

RUNS = 11


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


NEEDS = {  # what is installed, and how an image is classified then
    "holmdel.runtime": (
        ["numpy", "pillow", "opencv-python-headless", "onnxruntime", "typer", "rich"],
        "from holmdel import runtime\nruntime.load('m.onnx').predict(['seven.png'])",
    ),
    "a file with --framing, without Holmdel": (
        ["numpy", "pillow", "onnxruntime"],
        "import numpy, onnxruntime; from PIL import Image\n"
        "pixels = numpy.asarray(Image.open('seven.png').convert('RGB'))\n"
        "onnxruntime.InferenceSession('framing.onnx').run(None, {'photograph': pixels})",
    ),
}
SOURCE = Path(__file__).parent.parent


def install(place: Path, here: Path, packages: list[str], whole: bool) -> None:
    """Makes an environment of some packages, and of Holmdel without what it needs besides."""
    venv.create(place)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(here)]
    subprocess.run([*pip, *packages], check=True)
    if whole:
        subprocess.run([*pip, "--no-deps", str(SOURCE)], check=True)


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
        model.export(folder / "framing.onnx", framing=True)
        for number, (way, (packages, script)) in enumerate(NEEDS.items()):
            place = (environments / str(number)).resolve()
            here = place / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
            if not place.exists():
                install(place, here, packages, whole=way == "holmdel.runtime")
            size = sum(f.stat().st_size for f in here.rglob("*") if f.is_file()) / 1e6
            times = []
            for _ in range(RUNS + 1):
                began = time.perf_counter()
                subprocess.run([place / "bin" / "python", "-c", script], check=True, cwd=folder)
                times.append(time.perf_counter() - began)
            seconds = statistics.median(times[1:])
            print(f"{way}: {size:.0f} MB, {seconds:.2f} s from start to the first answer")


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
