"""Time and memory of `holmdel import`, over the size of the file: AlexNet's 187 MB.

python bench/imports.py            # a line a format, each in a process of its own
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from holmdel.networks import build
from holmdel.verbs import import_weights


def write(folder: Path) -> list[Path]:
    """Writes the weights of AlexNet in some formats."""
    torch.manual_seed(0)
    state = build("alexnet").state_dict()
    torch.save(state, folder / "alexnet.pt")
    save_file(state, folder / "alexnet.safetensors")
    np.savez(folder / "alexnet.npz", **{name: value.numpy() for name, value in state.items()})
    return sorted(folder.iterdir())


def measure(file: Path, out: Path) -> str:
    """Imports a file; returns the line on it."""
    before, start = memory("VmRSS"), time.perf_counter()
    import_weights(file, "alexnet", out)
    seconds, size = time.perf_counter() - start, file.stat().st_size
    more = (memory("VmHWM") - before) / size
    return f"{file.name}: {size / 1e6:.0f} MB, {seconds:.1f} s, memory {more:.2f} times that"


def memory(kind: str) -> int:
    """Returns the bytes that this process has (VmRSS), or had at most (VmHWM); Linux."""
    found = re.search(rf"{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) << 10 if found else 0


def main() -> None:
    """Measures all, or the one that is named."""
    if len(sys.argv) > 2:
        print(measure(Path(sys.argv[1]), Path(sys.argv[2])))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        for number, file in enumerate(write(folder / "files")):
            words = [sys.executable, __file__, str(file), str(folder / f"{number}")]
            subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
