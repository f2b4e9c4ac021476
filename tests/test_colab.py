"""The cell for Colab, run as it stands: PyTorch stays, and nothing is fetched."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
import torch

from holmdel.data import SOURCES, idx

ROOT = Path(__file__).parents[1]


@pytest.fixture
def python(tmp_path):
    """Returns the interpreter of an environment that has all that this one has but Holmdel."""
    venv.create(tmp_path / "colab", with_pip=True)
    there = tmp_path / "there"
    there.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "holmdel" not in entry.name.lower() and entry.suffix != ".pth":
            (there / entry.name).symlink_to(entry)
    own = tmp_path / "colab/lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for old in [*own.glob("setuptools*"), *own.glob("pkg_resources")]:  # before PyTorch's
        shutil.rmtree(old)
    (own / "there.pth").write_text(f"{there}\n")
    return tmp_path / "colab/bin/python"


@pytest.fixture
def small_fashion_mnist(tmp_path):
    """Returns a data root with 64 + 32 images in the files of Fashion-MNIST."""
    source, noise = SOURCES["fashion-mnist"], np.random.default_rng(0)
    source.raw(tmp_path).mkdir(parents=True)
    parts = []
    for count in (64, 32):
        parts.append(noise.integers(0, 256, (count, 28, 28), np.uint8))
        parts.append(np.arange(count, dtype=np.uint8) % 10)
    for file, part in zip(source.files, parts, strict=True):
        idx.write(source.raw(tmp_path) / f"{file.name}.gz", part)
    return tmp_path


@pytest.mark.exhaustive
def test_the_cell_for_colab_runs_as_it_stands(python, small_fashion_mnist, tmp_path):
    page = (ROOT / "docs/installing.md").read_text(encoding="utf-8")
    (cell,) = re.findall(r"## In Colab.*?```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "notebook").mkdir()
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    env |= {"PIP_NO_INDEX": "1", "HOLMDEL_DATA": str(small_fashion_mnist), "PYTHONSAFEPATH": "1"}
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    quick = {"CC": "false", "CXX": "false"}  # without the engine, which takes a minute
    built = [*wheel, "-w", tmp_path / "notebook", ROOT]
    subprocess.run(built, check=True, env=env | quick, capture_output=True)
    done = subprocess.run(
        [python, "-c", cell + "\nprint(d2l.torch.__version__)"],
        cwd=tmp_path / "notebook",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"loss \d\.\d{3}, train acc \d\.\d{3}, test acc \d\.\d{3}", done.stdout)
    assert done.stdout.strip().endswith(torch.__version__)
