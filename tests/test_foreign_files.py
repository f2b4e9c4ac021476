"""Weights of other frameworks: files that the real ones made, and the logits they gave."""

import contextlib
import json
import pickle
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from holmdel.errors import UserError
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
    "flax-lenet.msgpack": ("lenet", {}),
    "flax-nnx.msgpack": ("lenet-max", {"activation": "relu"}),
    "paddle-lenet.pdparams": ("lenet", {}),
    "paddle-vision.pdparams": ("lenet", {}),  # another LeNet, as its first kernel says
    "keras-saved": ("lenet", {}),  # a folder of TensorFlow
    "keras-checkpoint.index": ("lenet", {}),
    "flax-orbax": ("lenet", {}),  # a folder
    "mxnet2-lenet.params": ("lenet-max", {}),
}


@pytest.mark.parametrize("name", MADE)
def test_the_outputs_are_those_of_the_framework(made, name):
    network, options = MADE[name]
    logits = json.loads((made / f"{name.partition('.')[0]}.json").read_text())
    assert difference(made / name, network, **options) < 1e-5 * max(1, *map(abs, logits))


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


def torch_lenet():
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )


def test_the_weights_of_a_torchscript_program(tmp_path):
    net = torch_lenet()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and still found in the world
        torch.jit.save(torch.jit.script(net), tmp_path / "script.pt")
    found = convert(read_weights(tmp_path / "script.pt"), "lenet")
    assert found.pairs[-1] == ("11", "output")
    assert torch.allclose(found.network(picture(28, 28)), net(picture(28, 28)), atol=1e-6)


def test_an_empty_tensor_of_a_torchscript_program(tmp_path):
    net = nn.Sequential(nn.Linear(3, 2))
    net.register_buffer("none", torch.zeros(0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated
        torch.jit.save(torch.jit.script(net), tmp_path / "script.pt")
    found = read_weights(tmp_path / "script.pt").tensors
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == {
        "none": (0,),
        "0.weight": (2, 3),
        "0.bias": (2,),
    }


def test_an_archive_of_npy_files_as_mxnet_2_writes_it(tmp_path):
    net = torch_lenet()
    np.savez(tmp_path / "net", **{name: t.numpy() for name, t in net.state_dict().items()})
    found = convert(read_weights(tmp_path / "net.npz"), "lenet")
    assert torch.allclose(found.network(picture(28, 28)), net(picture(28, 28)), atol=1e-6)


class Bomb:
    """What a pickle could do when it is opened."""

    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize("holds", [Bomb(), {"0.weight": Bomb()}, [Bomb()]])
def test_a_pickle_is_never_run(tmp_path, holds):
    (tmp_path / "bomb.pdparams").write_bytes(pickle.dumps(holds))
    with pytest.raises(UserError):
        read_weights(tmp_path / "bomb.pdparams")
    assert not Path("exploded").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; expected weights of PyTorch, Keras, TensorFlow, Flax"),
        (b"\x1c\0\0\0TFL3", "is a TensorFlow Lite model; save the Keras network"),
        (b"\x93NUMPY", "is a single NumPy array"),
        (b"\x1f\x8b\x08", "is packed by gzip; unpack it"),
        (b"version https://git-lfs.github.com/spec/v1", "is a pointer of Git LFS, not the file"),
    ],
)
def test_what_is_not_read_is_named(tmp_path, content, said):
    (tmp_path / "net.weights").write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_weights(tmp_path / "net.weights")


def test_the_odd_pixel_of_same_is_at_the_far_side(made):
    """GoogLeNet of TensorFlow and JAX; its logits are large, for its weights are of few values."""
    path = made / "keras-googlenet.weights.h5"
    largest = max(map(abs, json.loads((made / "keras-googlenet.json").read_text())))
    assert difference(path, "googlenet") < 1e-5 * max(1, largest)
    assert difference(path, "googlenet", same=False) > 1e-3 * largest


def test_a_checkpoint_by_any_of_its_names(holmdel, made, tmp_path):
    beginning = made / "keras-checkpoint"
    assert difference(beginning, "lenet") < 1e-5
    data = made / "keras-checkpoint.data-00000-of-00001"
    assert holmdel("import", data, "--as", "lenet", "--out", tmp_path / "run").status == 0
    card = json.loads((tmp_path / "run" / "config.json").read_text())
    assert card["source"]["format"] == "TensorFlow weights"


def test_a_folder_becomes_a_run_folder(holmdel, made, tmp_path):
    out = tmp_path / "run"
    assert holmdel("import", made / "keras-saved", "--as", "lenet", "--out", out).status == 0
    source = json.loads((out / "config.json").read_text())["source"]
    sizes = [file.stat().st_size for file in (made / "keras-saved").rglob("*") if file.is_file()]
    assert (source["file"], source["bytes"]) == ("keras-saved", sum(sizes))


def test_a_folder_without_its_files_is_a_sentence(made, tmp_path):
    with pytest.raises(UserError, match="is a folder, and none of TensorFlow or Orbax; expected"):
        read_weights(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(UserError, match=r"has no variables\.index in it; copy all of its files"):
        read_weights(tmp_path)
    index = (made / "keras-checkpoint.index").read_bytes()
    (tmp_path / "alone.index").write_bytes(index)
    with pytest.raises(UserError, match=r"lacks alone\.data-00000-of-00001; copy all of its files"):
        read_weights(tmp_path / "alone.index")


def test_a_file_whose_whole_name_is_an_ending_is_a_file(tmp_path):
    (tmp_path / ".index").write_bytes(b"nothing")
    with pytest.raises(UserError, match="expected weights of PyTorch, Keras, TensorFlow"):
        read_weights(tmp_path / ".index")


def test_an_archive_of_something_else_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as archive:
        archive.writestr("word/document.xml", "")
    with pytest.raises(
        UserError, match=r"is a zip archive with word/document\.xml in it; expected"
    ):
        read_weights(tmp_path / "letter.docx")


def copied(made: Path, name: str, folder: Path) -> list[Path]:
    """Copies a file, or all that belongs to it, to a folder; returns what can be damaged of it."""
    if (made / name).is_dir():
        shutil.copytree(made / name, folder / name)
        return [
            file for file in (folder / name).rglob("*") if file.stat().st_size and file.is_file()
        ]
    for file in made.glob(f"{name.partition('.')[0]}.*"):
        shutil.copy(file, folder)
    return [folder / name]


@pytest.mark.parametrize("name", [*MADE])
def test_a_file_cut_short_is_a_sentence(made, tmp_path, name):
    files = copied(made, name, tmp_path)
    for file in files:
        whole = file.read_bytes()
        many = (1, 9, 30, 200, 3000, len(whole) // 2, len(whole) - 1)
        for length in many if len(files) == 1 else (len(whole) // 2,):
            if length >= len(whole):
                continue
            file.write_bytes(whole[:length])
            if len(files) > 1:  # of a folder, some files are not needed
                with contextlib.suppress(UserError):
                    convert(read_weights(tmp_path / name), *MADE[name][:1])
                continue
            with pytest.raises(UserError):
                convert(read_weights(tmp_path / name), *MADE[name][:1])
        file.write_bytes(whole)


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """Returns a file with some bytes other ones, most of them near its ends, or a piece gone."""
    content = bytearray(whole)
    for _ in range(rng.integers(1, 6)):
        near = int(min(rng.exponential(600), len(content) - 1))
        place = rng.choice([near, len(content) - 1 - near, rng.integers(len(content))])
        content[place] = rng.choice([0, 0xFF, 0x80, rng.integers(256)])
    if rng.random() < 0.2:
        place = rng.integers(len(content))
        del content[place : place + rng.integers(1, 64)]
    return bytes(content)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [*MADE])
def test_a_damaged_file_is_read_or_a_sentence(made, tmp_path, name):
    """However it is damaged: no other error, no hang, and memory within some sizes of the file."""
    rng = np.random.default_rng(0)
    files = copied(made, name, tmp_path)
    size = sum(file.stat().st_size for file in tmp_path.rglob("*"))
    refused = 0
    for number in range(100 if name.endswith(".h5") else 2000):  # each of these takes a process
        file = files[number % len(files)]
        whole = file.read_bytes()
        file.write_bytes(damaged(whole, rng))
        try:
            weights = read_weights(tmp_path / name)
            assert sum(t.numel() * t.element_size() for t in weights.tensors.values()) < 4 * size
        except UserError:
            refused += 1
        file.write_bytes(whole)
    assert refused > 20
