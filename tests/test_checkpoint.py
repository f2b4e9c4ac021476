"""Checkpoints: weights come back as they were saved, and a broken file gets a clear error."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

import holmdel
from holmdel.checkpoint import Header, load_model, save_model
from holmdel.files import write_bytes
from holmdel.images import ImageContract

HEADER = Header(
    network="lenet",
    options={"activation": "relu", "size": (28, 28)},
    classes=tuple("0123456789"),
    image=ImageContract(mean=0.13, std=0.31),
)


def test_a_model_comes_back_as_it_was(tmp_path):
    network = holmdel.build("lenet", activation="relu")
    save_model(tmp_path / "m.safetensors", network, HEADER)
    back, header = load_model(tmp_path / "m.safetensors")
    assert header == HEADER
    assert not back.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, back.state_dict()[name])


def test_a_file_cut_short_is_told(tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(path, holmdel.build("lenet"), HEADER)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(holmdel.UserError, match=r"cannot be read as safetensors .* cut short"):
        load_model(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(holmdel.UserError, match="there is no file"):
        load_model(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        ("lenet-max", r"'f5.weight' of shape \(120, 256\), where lenet has \(120, 400\)"),
        ("missing", "has no tensor 'output.bias', which lenet needs"),
        ("more", "has the tensor 'extra', which lenet does not have"),
    ],
)
def test_a_file_of_another_network_is_told(tmp_path, network, sentence):
    tensors = holmdel.build("lenet-max" if network == "lenet-max" else "lenet").state_dict()
    if network == "missing":
        del tensors["output.bias"]
    if network == "more":
        tensors["extra"] = torch.zeros(1)
    save_model(tmp_path / "ok.safetensors", holmdel.build("lenet"), HEADER)
    text = json.dumps(
        {"network": "lenet", "options": {}, "classes": list("0123456789"), "image": {}}
    )
    save_file(tensors, tmp_path / "m.safetensors", {"holmdel": text})
    with pytest.raises(holmdel.UserError, match=sentence):
        load_model(tmp_path / "m.safetensors")


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (None, "has no holmdel header"),
        ({"holmdel": "{"}, "the header of .* is no JSON"),
        ({"holmdel": '{"colour": 1}'}, "has the field 'colour', which this version"),
        ({"holmdel": '{"network": "lenet"}'}, "the header of .* has no 'options'"),
        (
            {"holmdel": '{"network": "l", "options": {}, "classes": ["a"], "image": {"hue": 1}}'},
            "has the field 'hue', which this version does not know",
        ),
    ],
)
def test_a_foreign_header_is_told(tmp_path, metadata, sentence):
    path = tmp_path / "m.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata=metadata)
    with pytest.raises(holmdel.UserError, match=sentence):
        load_model(path)


def test_an_unwritable_place_is_told_and_nothing_is_left(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(holmdel.UserError, match="file is a file; expected a folder to write m"):
        write_bytes(tmp_path / "file" / "m.safetensors", b"x")
    assert [p.name for p in tmp_path.iterdir() if p.name not in ("home", "work")] == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path):
    """A process with a file size limit of 1,000 bytes stands for the full disk."""
    path = tmp_path / "m"
    path.write_bytes(b"old")
    program = (
        "import resource, signal, pathlib, sys\n"
        "from holmdel.files import write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_bytes(pathlib.Path(sys.argv[1]), bytes(5000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert "cannot be written (File too large); free some space" in done.stderr
    assert path.read_bytes() == b"old"
    assert not list(tmp_path.glob(".m.*"))
