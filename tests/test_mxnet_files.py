"""MXNet's parameter files, read without MXNet: real ones, damaged ones, dishonest ones."""

import json
import os
import struct
import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest
import torch

from holmdel.errors import UserError
from holmdel.exchange import convert, read_weights
from holmdel.exchange.mxnet import read_params

FILES = Path(__file__).parent / "files"
MAKER = Path(__file__).parent / "make_mxnet_files.py"
TWO_BY_THREE = np.arange(6).reshape(2, 3) / 2 - 1


def picture(side: int) -> torch.Tensor:
    """Returns the picture that MXNet saw; see make_mxnet_files.py."""
    numbers = np.arange(side * side, dtype=np.int64) * 7919 % 256 / 255
    return torch.from_numpy(numbers.astype(np.float32).reshape(1, 1, side, side))


def difference(path: Path, network: str, **options: object) -> float:
    """Returns how far our logits are from those that MXNet gave."""
    found = convert(read_weights(path), network, **options)
    expected = torch.tensor(json.loads(path.with_suffix(".json").read_text()))
    with torch.no_grad():
        return float((found.network(picture(found.input[1]))[0] - expected).abs().max())


@pytest.mark.parametrize("name", ["lenet", "lenet-prefix"])
def test_lenet_gives_mxnets_logits(name):
    assert difference(FILES / f"{name}.params", "lenet-max") < 1e-5


def test_the_logits_of_mxnet_depend_on_weights_and_activation():
    assert difference(FILES / "lenet.params", "lenet-max", activation="tanh") > 1e-2


def test_structural_and_prefixed_names():
    structural = read_params(FILES / "lenet.params")
    assert list(structural)[:3] == ["0.weight", "0.bias", "2.weight"]
    prefixed = read_params(FILES / "lenet-prefix.params")
    assert [name.split("_")[1] for name in prefixed] == ["weight", "bias"] * 5
    for mine, theirs in zip(structural.values(), prefixed.values(), strict=True):
        assert np.array_equal(mine, theirs)


def test_an_exported_network_loses_its_arg_and_aux():
    arrays = read_params(FILES / "exported.params")
    assert not any(":" in name for name in arrays)
    names = [name.partition("_")[2] for name in arrays]
    normal = ["gamma", "beta", "running_mean", "running_var"]
    assert names == ["weight", "bias", *normal, "weight", "bias"]


def test_every_type_of_number():
    halves = read_params(FILES / "halves.params")["0.weight"]
    assert halves.dtype == np.float16
    assert np.array_equal(halves, TWO_BY_THREE)
    for kind, array in read_params(FILES / "types.params").items():
        assert array.dtype == kind
        assert np.array_equal(array, np.arange(6).reshape(2, 3))


def test_arrays_of_no_dimensions_and_of_no_numbers():
    arrays = read_params(FILES / "np.params")
    assert arrays["scalar"].shape == ()
    assert arrays["scalar"] == 1.5
    assert arrays["empty"].shape == (0, 3)


def listed(array: bytes, names: tuple[bytes, ...] = (b"w",), count: int = 1) -> bytes:
    """Returns a list of one array as MXNet writes it."""
    texts = b"".join(struct.pack("<Q", len(name)) + name for name in names)
    return (
        struct.pack("<QQQ", 0x112, 0, count) + array * count + struct.pack("<Q", len(names)) + texts
    )


NUMBERS = struct.pack("<iii", 1, 0, 0) + TWO_BY_THREE.astype("<f4").tobytes()  # cpu(0), float32
TODAY = struct.pack("<IiIqq", 0xF993FAC9, 0, 2, 2, 3)
OLDER = struct.pack("<IIqq", 0xF993FAC8, 2, 2, 3)
OLDEST = struct.pack("<III", 2, 2, 3)


@pytest.mark.parametrize("start", [TODAY, OLDER, OLDEST])
def test_older_forms(tmp_path, start):
    path = tmp_path / "old.params"
    path.write_bytes(listed(start + NUMBERS))
    assert np.array_equal(read_params(path)["w"], TWO_BY_THREE)


def number_at(place: int, value: int, form: str = "<Q") -> bytes:
    """Returns the file with another number at a byte."""
    content = bytearray(listed(TODAY + NUMBERS))
    struct.pack_into(form, content, place, value)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\3\4", r"is no \.params file of MXNet; it begins otherwise"),
        (b"", "is no .params file"),
        (number_at(16, 2**60), "says it holds 1152921504606846976 arrays, more than fit into it"),
        (number_at(36, 2**40, "<q"), r"has array 1 of the shape \(1099511627776, 3\); it is dam"),
        (number_at(36, -2, "<q"), r"of the shape \(-2, 3\); it is damaged"),
        (number_at(36, 90, "<q"), "cut short or damaged: 1080 bytes should follow byte 64, and"),
        (number_at(32, 33, "<I"), "has array 1 of 33 dimensions; it is damaged"),
        (number_at(32, 0, "<I"), "has array 1 without values; initialise the network first"),
        (number_at(60, 12, "<I"), "has array 1 of the type number 12; expected one of float32, fl"),
        (listed(TODAY + NUMBERS)[:-9] + b"\xff" * 8 + b"w", "cut short or damaged: 18446744073709"),
        (listed(TODAY + NUMBERS)[:-1] + b"\xff", "has a name that is no text; it is damaged"),
        (listed(TODAY + NUMBERS, (b"w", b"w"), 2), "has the name 'w' twice; save it again"),
        (listed(TODAY + NUMBERS, (b"w", b"v")), "has 1 arrays and 2 names; save a dictionary"),
    ],
)
def test_a_fault_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "faulty.params"
    path.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_params(path)


def test_what_mxnet_writes_and_is_not_read():
    with pytest.raises(UserError, match=r"array 1 in sparse storage.*array\.tostype\('default'\)"):
        read_params(FILES / "sparse.params")
    with pytest.raises(UserError, match="has 1 arrays and 0 names; save a dictionary"):
        read_params(FILES / "unnamed.params")
    with pytest.raises(UserError, match=r"none\.params cannot be read \(No such file"):
        read_params(FILES / "none.params")


def test_a_file_cut_short_anywhere_is_a_sentence(tmp_path):
    whole = (FILES / "types.params").read_bytes()
    path = tmp_path / "cut.params"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(UserError, match="cut"):
            read_params(path)


def test_a_file_damaged_anywhere_is_read_or_a_sentence(tmp_path):
    whole = (FILES / "types.params").read_bytes()
    path = tmp_path / "damaged.params"
    refused = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_params(path)
        except UserError:
            refused += 1
    assert refused > 100


def mxnet_python(folder: Path) -> str:
    """Returns an interpreter that has MXNet; made in `folder`, or the test is skipped."""
    python = os.environ.get("HOLMDEL_MXNET_PYTHON")
    if python is None:
        venv.create(folder, with_pip=True)
        python = str(folder / "bin" / "python")
        words = [python, "-m", "pip", "install", "--quiet", "numpy<1.24", "mxnet==1.9.1"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"MXNet 1.9.1 cannot be installed: {done.stderr.strip()[-300:]}")
    words = [python, "-c", "import mxnet"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"MXNet does not start: {done.stderr.strip()[-300:]}")
    return python


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of files that the real MXNet makes, now."""
    folder = tmp_path_factory.mktemp("mxnet")
    words = [mxnet_python(folder / "environment"), str(MAKER), str(folder), *MADE]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


MADE = {
    "lenet": "lenet-max",
    "lenet-prefix": "lenet-max",
    "lenet-export": "lenet-max",
    "lenet-avg": "lenet",
    "alexnet": "alexnet",
    "alexnet-prefix": "alexnet",
    "vgg11": "vgg11",
    "vgg11-prefix": "vgg11",
    "nin": "nin",
    "googlenet": "googlenet",
    "googlenet-prefix": "googlenet",
}


@pytest.mark.mxnet
@pytest.mark.parametrize(("name", "network"), MADE.items())
def test_the_real_mxnet(made, name, network):
    assert difference(made / f"{name}.params", network) < 1e-5


@pytest.mark.mxnet
def test_the_padding_of_alexnet_matters(made):
    assert difference(made / "alexnet.params", "alexnet", padding=1) > 1e-3
