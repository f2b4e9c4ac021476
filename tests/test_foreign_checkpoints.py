"""Checkpoints as trainings of others save them: weights with all kinds of things beside them."""

import argparse
import collections
import datetime
import json
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import parametrizations, prune

from holmdel.errors import UserError
from holmdel.exchange import convert, read_weights
from holmdel.networks import build

torch.manual_seed(11)
NETWORK = build("lenet").eval()
STATE = {name: tensor.detach().clone() for name, tensor in NETWORK.state_dict().items()}
ARRAYS = {name: tensor.numpy() for name, tensor in STATE.items()}
PER_LAYER: dict[str, dict[str, torch.Tensor]] = {}
for _name, _tensor in STATE.items():
    _layer, _, _kind = _name.partition(".")
    PER_LAYER.setdefault(_layer, {})[_kind] = _tensor


def is_lenet(weights):
    """Tells whether the logits are those of the network that was saved."""
    images = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return torch.equal(convert(weights, "lenet").network(images), NETWORK(images))


@pytest.mark.parametrize(
    "content",
    [
        {"model": STATE, "args": argparse.Namespace(lr=0.1, data="x")},
        {"net": STATE, "when": datetime.datetime(2026, 1, 2), "seen": {1, 2}},
        collections.defaultdict(list, {"model": STATE}),
        {"checkpoint": {"state_dict": STATE}, "epoch": 3},
        {"state": {"ema": {"weights": STATE}}},
        {"best": STATE, "acc": np.float64(0.5), "losses": np.arange(3.0)},
        {"model_state_dict": STATE, "loss": torch.tensor(0.4), "rng": torch.zeros(9).byte()},
        STATE | {"epoch": torch.tensor(4)},
        STATE | {"epoch": 4, "name": "lenet"},
        ARRAYS,
        PER_LAYER,
        {"args": argparse.Namespace(), "weights": {k: nn.Parameter(v) for k, v in STATE.items()}},
        torch.optim.swa_utils.AveragedModel(NETWORK).state_dict(),
        {f"module._orig_mod.{name}": tensor for name, tensor in STATE.items()},
    ],
)
def test_what_stands_beside_the_weights_does_not_matter(tmp_path, content):
    torch.save(content, tmp_path / "checkpoint.pt")
    assert is_lenet(read_weights(tmp_path / "checkpoint.pt"))


def test_a_key_has_dots_where_the_state_dict_lies_deeper(tmp_path):
    other = {name: tensor * 2 for name, tensor in STATE.items()}
    path = tmp_path / "two.pt"
    torch.save({"student": other, "teacher": {"state_dict": STATE}}, path)
    with pytest.raises(UserError, match=r"2 state dicts \(student, teacher\.state_dict\)"):
        read_weights(path)
    assert is_lenet(read_weights(path, "teacher.state_dict"))
    assert not is_lenet(read_weights(path, "student"))


class Bomb:
    """What a pickle could do when it is opened."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def test_nothing_beside_the_weights_is_run(tmp_path):
    torch.save({"model": STATE, "beside": Bomb()}, tmp_path / "bomb.pt")
    assert is_lenet(read_weights(tmp_path / "bomb.pt"))


def pruned():
    network = nn.Sequential(nn.Conv2d(1, 6, 5))
    prune.l1_unstructured(network[0], "weight", amount=0.3)
    return network.state_dict()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"model": NETWORK, "n": 1}, r"weights_only=False\)\['model'\]; torch\.save\(net\.state"),
        (NETWORK, r"weights_only=False\); torch\.save\(net\.state_dict\(\), 'file-state\.pt'\)"),
        ({"optimizer": {"state": {0: {"step": torch.ones(2, 2)}}}}, r"no state dicts in it \(opt"),
        ({name: tensor.to("meta") for name, tensor in STATE.items()}, "without numbers, from the"),
        (pruned(), r"'0\.weight_mask', a part of .*prune\.remove\(layer, 'weight'\)"),
        (
            nn.Sequential(parametrizations.weight_norm(nn.Conv2d(1, 6, 5))).state_dict(),
            r"remove_parametrizations\(layer, 'weight'\)",
        ),
        ({**STATE, "f5._packed_params.dtype": torch.qint8, "s": (1,)}, "holds quantised layers"),
        ({}, "holds an empty dictionary"),
        (None, r"holds nothing \(None\)"),
    ],
)
def test_what_cannot_be_taken_is_said_with_what_can_be_done(tmp_path, content, sentence):
    torch.save(content, tmp_path / "file.pt")
    with pytest.raises(UserError, match=sentence):
        convert(read_weights(tmp_path / "file.pt"), "lenet")


def test_pickles_are_told_by_what_is_in_them(tmp_path):
    path = tmp_path / "w.pkl"
    path.write_bytes(pickle.dumps(ARRAYS))
    assert is_lenet(read_weights(path))
    paddles = {name: array.T if array.ndim == 2 else array for name, array in ARRAYS.items()}
    path.write_bytes(pickle.dumps(paddles))
    assert is_lenet(read_weights(path))
    path.write_bytes(pickle.dumps(STATE))
    with pytest.raises(UserError, match=r"torch\.save\(pickle\.load\(open\('w\.pkl', 'rb'\)\), "):
        read_weights(path)
    path.write_bytes(pickle.dumps(NETWORK))
    with pytest.raises(UserError, match=r"'rb'\)\)\.state_dict\(\), 'w-state\.pt'\)"):
        read_weights(path)
    path.write_bytes(pickle.dumps(list(ARRAYS.values())))
    with pytest.raises(UserError, match="is a pickled list; expected a dictionary of arrays"):
        read_weights(path)


def test_counts_are_no_weights(holmdel, tmp_path):
    save_file({"batches": torch.tensor(7)}, tmp_path / "counts.safetensors")
    (tmp_path / "no.pkl").write_bytes(
        pickle.dumps({"StructuredToParameterName@@": {}, "kernel": 1})
    )
    for name in ("counts.safetensors", "no.pkl"):
        said = holmdel("import", tmp_path / name, "--list")
        assert said.status == 2
        assert "has no weights in it; save those of the network" in said.err


def sharded(folder):
    """Writes weights in two files, as large models have them, and returns their index."""
    names = list(STATE)
    files = {name: f"model-0000{1 + (n > 4)}-of-00002.safetensors" for n, name in enumerate(names)}
    for file in set(files.values()):
        save_file({n: STATE[n] for n in names if files[n] == file}, folder / file)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 246824}, "weight_map": files}))
    return index


def test_weights_in_several_files_are_read_by_their_index(tmp_path):
    index = sharded(tmp_path)
    assert is_lenet(read_weights(index))
    assert is_lenet(read_weights(tmp_path))
    first = tmp_path / "model-00001-of-00002.safetensors"
    with pytest.raises(UserError, match=r"one of 2 files .*, model\.safetensors\.index\.json"):
        read_weights(first)
    first.unlink()
    with pytest.raises(UserError, match=r"there is no file .*00001-of-00002|cannot be read \(No"):
        read_weights(index)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"weight_map": {"a": "../a.safetensors"}}', "does not lie beside it"),
        ('{"weight_map": {"a": 1}}', "is JSON and no index of weights"),
        ('{"config": [1, 2]}', "is JSON and no index of weights"),
        ('{"weight_map": {"a": "i.index.json"}}', "is an index, and another one names it"),
        ('{"weight_map": ', "is no JSON"),
        ('{"weight_map": {}}', r"i\.index\.json has no weights in it; save"),
        (r'{"weight_map": {"a": "a\u0000b"}}', "does not lie beside it"),
        (r'{"weight_map": {"a": "\ud800"}}', "does not lie beside it"),
        (f'{{"weight_map": {{"a": "{"x" * 999}"}}}}', "names 'x{80}', which does not lie"),
    ],
)
def test_an_index_that_is_none(tmp_path, text, sentence):
    (tmp_path / "i.index.json").write_text(text)
    with pytest.raises(UserError, match=sentence):
        read_weights(tmp_path / "i.index.json")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_files_that_are_not_read_are_named(tmp_path):
    exported = tmp_path / "net.pt2"
    with zipfile.ZipFile(exported, "w") as archive:
        archive.writestr("net/models/model.json", "{}")
    frozen = tmp_path / "frozen.pt"
    torch.jit.save(torch.jit.freeze(torch.jit.script(NETWORK)), frozen)
    unnamed = tmp_path / "unnamed.npz"
    np.savez(unnamed, *ARRAYS.values())
    language = tmp_path / "model.gguf"
    language.write_bytes(b"GGUF\3\0\0\0" + bytes(64))
    packed = tmp_path / "packed.tar"
    packed.write_bytes(bytes(257) + b"ustar\x0000")
    for path, sentence in (
        (
            exported,
            r"torch\.save\(torch\.export\.load\('net\.pt2'\)\.state_dict, 'net-state\.pt'\)",
        ),
        (frozen, r"save the module as it was before torch\.jit\.freeze"),
        (unnamed, r"arrays without names .* np\.savez\(file, \*\*"),
        (language, "is a GGUF file"),
        (packed, "is packed by tar; unpack it"),
    ):
        with pytest.raises(UserError, match=sentence):
            read_weights(path)
