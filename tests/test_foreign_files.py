"""Weights of other frameworks: files that the real ones made, and the logits they gave."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from holmdel.exchange import convert, read_weights

FILES = Path(__file__).parent / "files"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of files that make_*_files.py wrote; the archives keep them small."""
    folder = tmp_path_factory.mktemp("made")
    for archive in FILES.glob("*.zip"):
        zipfile.ZipFile(archive).extractall(folder)
    return folder


def picture(height: int, width: int) -> torch.Tensor:
    """Returns the picture that the frameworks saw; see make_keras_files.py."""
    numbers = np.arange(height * width, dtype=np.int64) * 7919 % 256 / 255
    return torch.from_numpy(numbers.astype(np.float32).reshape(1, 1, height, width))


def difference(path: Path, network: str, flatten: str | None = None, **options: object) -> float:
    """Returns how far our outputs are from those that the framework gave."""
    found = convert(read_weights(path).in_order(flatten), network, **options)
    name = path.name.partition(".")[0]
    expected = torch.tensor(json.loads(path.with_name(f"{name}.json").read_text()))
    with torch.no_grad():
        given = found.network(picture(*found.input[1:]))[0]
    if expected.min() >= 0 and abs(expected.sum() - 1) < 1e-5:
        given = given.softmax(0)  # the file's network ends in one
    return float((given - expected).abs().max())


MADE = {
    "keras-lenet.keras": ("lenet", {"size": (16, 20)}),
    "keras-lenet-legacy.h5": ("lenet", {}),  # of tanh and max pooling, as it says
    "keras-lenet-weights.weights.h5": ("lenet", {}),
    "keras-first.keras": ("lenet", {}),  # channels first, and put last by Flatten
    "keras-reshape.keras": ("lenet", {}),  # channels first, and left so by Reshape
}


@pytest.mark.parametrize("name", MADE)
def test_the_outputs_are_those_of_the_framework(made, name):
    network, options = MADE[name]
    assert difference(made / name, network, **options) < 1e-5


def test_the_order_of_flattened_maps_matters(made):
    for name, right, wrong in (("keras-first", "hwc", "chw"), ("keras-reshape", "chw", "hwc")):
        path = made / f"{name}.keras"
        assert read_weights(path).flattened == right
        assert difference(path, "lenet", flatten=wrong) > 1e-2


def test_what_is_taken_where_the_file_does_not_say(holmdel, made, tmp_path, caplog):
    path = made / "keras-lenet-weights.weights.h5"
    words = ("--as", "lenet", "--out")
    assert holmdel("import", path, *words, tmp_path / "run").status == 0
    assert "in which order its maps were flattened; rows, columns, channels was" in caplog.text
    assert "--flatten chw takes the other" in caplog.text
    caplog.clear()
    assert holmdel("import", path, *words, tmp_path / "chw", "--flatten", "chw").status == 0
    assert holmdel("import", made / "keras-first.keras", *words, tmp_path / "said").status == 0
    assert caplog.text == ""
    done = holmdel("import", path, *words, tmp_path / "none", "--flatten", "hcw")
    assert "flatten was given as 'hcw'; expected chw or hwc" in done.err
