"""Files that the real frameworks write now, each in an environment of its own: the same logits."""

import json
import os
import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest
import torch

from holmdel.exchange import convert, read_weights

HERE = Path(__file__).parent
NETWORKS = ("lenet", "alexnet", "vgg11", "nin", "googlenet")
NEEDS = {
    "keras": ("tensorflow-cpu",),
    "flax": ("jax", "flax"),
    "paddle": ("paddlepaddle",),
}
pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module", params=NEEDS)
def made(request, tmp_path_factory) -> tuple[str, Path]:
    """Returns a framework and a folder of files that it wrote.

    The interpreter that HOLMDEL_KERAS_PYTHON and so on name is taken; else one is made.
    """
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    python = os.environ.get(f"HOLMDEL_{name.upper()}_PYTHON")
    if python is None:
        venv.create(folder / "environment", with_pip=True)
        python = str(folder / "environment" / "bin" / "python")
        words = [python, "-m", "pip", "install", "--quiet", *NEEDS[name]]
        if subprocess.run(words, check=False).returncode:
            pytest.skip(f"{name} cannot be installed")
    files = [f"{name}-full-{network}" for network in NETWORKS]
    words = [python, str(HERE / f"make_{name}_files.py"), str(folder), *files]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return name, folder


@pytest.mark.parametrize("network", NETWORKS)
def test_the_logits_are_those_of_the_framework(made, network):
    """To 1e-5 of the largest in float32, where sums round in another order; in 64 bits to 1e-9."""
    framework, folder = made
    stem = f"{framework}-full-{network}"
    (file,) = (one for one in folder.glob(f"{stem}.*") if one.suffix != ".json")
    found = convert(read_weights(file), network)
    side = found.input[1]
    numbers = np.arange(side * side, dtype=np.int64) * 7919 % 256 / 255
    image = torch.from_numpy(numbers.astype(np.float32).reshape(1, 1, side, side))
    expected, precise = (
        torch.tensor(json.loads((folder / f"{stem}{end}").read_text()), dtype=torch.float64)
        for end in (".json", ".float64.json")
    )
    with torch.no_grad():
        single = found.network(image)[0].double()
        double = found.network.double()(image.double())[0]
    difference, exact = (
        (one - other).abs().max() for one, other in ((single, expected), (double, precise))
    )
    ours, theirs = ((one - double).abs().max() for one in (single, expected))
    largest = expected.abs().max()
    print(  # noqa: T201
        f"{stem}: {difference:.1e}, the largest logit {largest:.3g}; in 64 bits {exact:.1e}; "
        f"float32 is off by {ours:.1e} here and {theirs:.1e} there"
    )
    assert exact <= 1e-9
    assert difference <= 1e-5 * max(1.0, float(largest))
