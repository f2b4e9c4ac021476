"""What trained networks of other frameworks have beside their weights, and other ways to keep them.

Files that the real frameworks wrote are taken, and changed as a training changes them.
"""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from holmdel.errors import UserError
from holmdel.exchange import convert, read_weights

h5py = pytest.importorskip("h5py")
FILES = Path(__file__).parent / "files"


@pytest.fixture
def made(tmp_path):
    """Returns the folder of what make_keras_files.py wrote."""
    zipfile.ZipFile(FILES / "keras.zip").extractall(tmp_path / "made")
    return tmp_path / "made"


def changed(source, target, config=lambda _: None, weights=lambda _: None):
    """Writes a `.keras` archive again, its description and its weights changed."""
    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    described = json.loads(parts["config.json"])
    config(described["config"]["layers"])
    parts["config.json"] = json.dumps(described).encode()
    store = target.with_suffix(".h5")
    store.write_bytes(parts["model.weights.h5"])
    with h5py.File(store, "r+") as file:
        weights(file)
    parts["model.weights.h5"] = store.read_bytes()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def optimized(file):
    """Adds what an optimizer keeps: two arrays for each of the weights, and counts."""
    group = file.create_group("optimizer/vars")
    group["0"] = np.int64(9)
    for number in range(1, 9):
        group[str(number)] = np.zeros((5, 5, 1, 6) if number % 2 else (120, 84), np.float32)


def test_a_trained_keras_network_has_its_optimizer_beside_it(made, tmp_path):
    changed(made / "keras-lenet.keras", tmp_path / "trained.keras", weights=optimized)
    numbers = np.arange(16 * 20, dtype=np.int64) * 7919 % 256 / 255  # as make_keras_files.py
    image = torch.from_numpy(numbers.astype(np.float32).reshape(1, 1, 16, 20))
    with torch.no_grad():
        logits = convert(read_weights(tmp_path / "trained.keras"), "lenet").network(image)[0]
    expected = torch.tensor(json.loads((made / "keras-lenet.json").read_text()))
    assert torch.allclose(logits, expected, atol=1e-5)


def test_a_keras_archive_says_what_its_network_sees(made):
    weights = read_weights(made / "keras-lenet.keras")
    assert (weights.options["channels"], weights.options["size"]) == (1, (16, 20))
    assert convert(weights, "lenet").input == (1, 16, 20)
    with pytest.raises(UserError, match=r"does not fit lenet5: .*; it fits with --as lenet$"):
        convert(weights, "lenet5")
    with pytest.raises(UserError, match=r"it sees images of 16x20, of which alexnet makes nothing"):
        convert(weights, "alexnet")


def before(kind, **config):
    """Returns what puts a layer before the first convolution."""
    return lambda layers: layers.insert(1, {"class_name": kind, "config": {"name": "x"} | config})


def gelus(layers):
    for layer in layers:
        if layer["config"].get("activation") == "sigmoid":
            layer["config"]["activation"] = "gelu"


@pytest.mark.parametrize(
    ("config", "note"),
    [
        (before("Rescaling", scale=1 / 127.5, offset=-1), "--mean 0.5 --std 0.5 does so"),
        (before("Rescaling", scale=1.0, offset=0), "--mean 0 --std 0.003922 does so"),
        (before("Normalization", mean=[[0.13]], variance=0.09), "--mean 0.13 --std 0.3 does so if"),
        (before("Normalization", mean=None, variance=None), "--mean and --std say by what"),
        (gelus, "its layers use gelu, which no network here does: the answers will not be"),
    ],
)
def test_what_keras_does_otherwise_is_said(made, tmp_path, config, note):
    changed(made / "keras-lenet.keras", tmp_path / "a.keras", config)
    (said,) = convert(read_weights(tmp_path / "a.keras"), "lenet").notes
    assert note in said


def test_an_activation_that_is_told_is_not_called_open(made, tmp_path, holmdel):
    changed(made / "keras-lenet.keras", tmp_path / "a.keras", gelus)
    told = holmdel("import", tmp_path / "a.keras", "--as", "lenet")
    assert told.status == 0
    assert "the file's activation is none of sigmoid, tanh, relu: taken as sigmoid" in told.out
    assert "does not say activation" not in told.out


def test_pixels_over_255_need_no_word(made, tmp_path):
    config = before("Rescaling", scale=1 / 255, offset=0.0)
    changed(made / "keras-lenet.keras", tmp_path / "a.keras", config)
    assert convert(read_weights(tmp_path / "a.keras"), "lenet").notes == ()


def tree():
    """Returns parameters as Flax has them, and the same as PyTorch has them."""
    draw = np.random.default_rng(4)
    shapes = {"Conv_0": (5, 5, 1, 6), "Conv_1": (5, 5, 6, 16)}
    shapes |= {f"Dense_{n}": shape for n, shape in enumerate([(400, 120), (120, 84), (84, 10)])}
    return {
        layer: {
            "kernel": draw.normal(size=shape).astype(np.float32),
            "bias": draw.normal(size=shape[-1]).astype(np.float32),
        }
        for layer, shape in shapes.items()
    }


def test_parameters_of_flax_may_be_pickled_or_in_an_archive(tmp_path):
    found = tree()
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"params": found}))
    np.savez(
        tmp_path / "a.npz", **{f"{a}/{b}": w for a, of in found.items() for b, w in of.items()}
    )
    for name in ("a.pkl", "a.npz"):
        network = convert(read_weights(tmp_path / name), "lenet").network
        kernel = found["Conv_1"]["kernel"].transpose(3, 2, 0, 1)
        assert np.array_equal(network.c3.weight.detach(), kernel)
        columns = found["Dense_0"]["kernel"].T.reshape(120, 5, 5, 16).transpose(0, 3, 1, 2)
        assert np.array_equal(network.f5.weight.detach(), columns.reshape(120, 400))


def test_a_pickle_that_holds_a_dictionary_many_times_ends(tmp_path):
    inner = {"kernel": np.zeros((2, 2), np.float32)}
    for _ in range(30):  # a thousand million ways down
        inner = {"a": inner, "b": inner}
    (tmp_path / "deep.pkl").write_bytes(pickle.dumps(inner))
    assert len(read_weights(tmp_path / "deep.pkl").tensors) == 1


def test_halves_of_paddle_are_whole_numbers_in_its_file(tmp_path):
    numbers = torch.linspace(-3, 3, 6 * 25).view(6, 1, 5, 5).bfloat16()
    kept = {"c.weight": numbers.view(torch.int16).numpy().view(np.uint16)}
    (tmp_path / "a.pdparams").write_bytes(pickle.dumps(kept | {"StructuredToParameterName@@": {}}))
    assert torch.equal(read_weights(tmp_path / "a.pdparams").tensors["c.weight"], numbers)
