"""Exported ONNX files put to work where there is no PyTorch: the same answers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from holmdel import runtime
from holmdel.classifier import load
from holmdel.cli import quick
from holmdel.errors import UserError

pytest.importorskip("onnxruntime")


@pytest.fixture
def digit(tmp_path):
    """Returns a drawn seven on paper."""
    image = Image.new("L", (200, 160), 235)
    ImageDraw.Draw(image).line([(60, 30), (140, 30), (90, 130)], fill=30, width=14)
    image.save(tmp_path / "seven.png")
    return tmp_path / "seven.png"


def test_without_torch_the_answers_are_the_same(holmdel, without_torch, digit, tmp_path):
    load("lenet-mnist").export(tmp_path / "m.onnx")
    (tmp_path / "empty.png").write_bytes(b"")
    words = [digit, tmp_path / "empty.png", "--format", "jsonl"]
    said = holmdel("predict", "lenet-mnist", *words).out
    expected = [json.loads(line) for line in said.splitlines()]
    done = without_torch("predict", tmp_path / "m.onnx", *words)
    assert done.returncode == 1, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found[1] == expected[1]
    assert found[0]["label"] == expected[0]["label"] == "7"
    assert found[0].keys() == expected[0].keys()
    assert found[0]["probability"] == pytest.approx(expected[0]["probability"], abs=1e-5)


def test_a_file_that_frames_needs_no_opencv(holmdel, without_torch, digit, tmp_path):
    load("lenet-mnist").export(tmp_path / "m.onnx", framing=True)
    words = [digit, "--format", "jsonl"]
    expected = json.loads(holmdel("predict", "lenet-mnist", *words).out)
    absent = ("cv2", "platformdirs", "fsspec")
    done = without_torch("predict", tmp_path / "m.onnx", *words, besides=absent)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["label"] == expected["label"]
    assert found["probability"] == pytest.approx(expected["probability"], abs=1e-5)


def test_without_its_runtime_an_onnx_file_says_what_goes_without(without_torch, digit, tmp_path):
    load("lenet-mnist").export(tmp_path / "m.onnx")
    done = without_torch("predict", tmp_path / "m.onnx", digit, besides=("onnxruntime",))
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install onnxruntime, or export with --to safetensors" in done.stderr


def test_a_safetensors_file_needs_neither_onnx_runtime_nor_opencv(
    holmdel, without_torch, digit, tmp_path
):
    load("lenet-mnist").export(tmp_path / "m.safetensors", to="safetensors")
    words = [digit, "--format", "jsonl"]
    expected = json.loads(holmdel("predict", "lenet-mnist", *words).out)
    absent = ("cv2", "onnxruntime", "platformdirs", "fsspec")
    done = without_torch("predict", tmp_path / "m.safetensors", *words, besides=absent)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() == expected.keys()
    assert found["label"] == expected["label"]
    assert found["probability"] == pytest.approx(expected["probability"], abs=1e-5)


SLOW = {"typer", "pydantic", "rich", "numpy.ma", "tomllib", "html", "PIL.TiffImagePlugin", "torch"}
LOADED = (
    "import atexit, sys\nfrom holmdel.__main__ import main\n"
    "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\nmain()"
)


@pytest.mark.parametrize("words", [[], ["--format=csv", "--top", "2"], ["--format", "jsonl"]])
def test_an_answer_waits_for_no_module_that_it_does_not_need(digit, tmp_path, words):
    load("lenet-mnist").export(tmp_path / "m.safetensors", to="safetensors")
    Image.new("L", (90, 90), 255).save(tmp_path / "nothing.png")
    command = ["predict", "m.safetensors", str(digit), "nothing.png", "gone.png", *words]

    def done(*further):
        program = [sys.executable, "-c", LOADED, *command, *further]
        return subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)

    short, whole = done(), done("--engine", "auto")
    table = {"rich"} if not words else set()
    assert {*short.stderr.split()} & SLOW == table
    assert "typer" in whole.stderr
    assert (short.returncode, short.stdout) == (1, whole.stdout)


@pytest.mark.parametrize(
    "words", [["--top", "0"], ["--top", "x"], ["--form", "csv"], ["--format"], [""], ["--help"]]
)
def test_mistakes_are_left_to_the_whole_command_line(words):
    assert quick.asked(["predict", "m.onnx", "a.png", *words]) is None
    assert quick.asked(["read", "m.onnx", "a.png"]) is None


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["train"], "train needs torch, which is not installed; install holmdel"),
        (["predict", "lenet-mnist"], "or give a file that holmdel export wrote"),
        (["predict", "gone.safetensors"], "there is no file gone.safetensors"),
    ],
)
def test_what_needs_torch_says_so(without_torch, digit, words, advice):
    done = without_torch(*words, digit if words[0] == "predict" else "lenet")
    assert done.returncode == 2
    assert advice in done.stderr
    assert done.stderr.count("\n") == 1


def test_answers_in_parts_without_torch(holmdel, without_torch, digit, tmp_path):
    load("lenet-mnist").export(tmp_path / "m.onnx")
    words = ("predict", tmp_path / "m.onnx", digit)
    done = without_torch(*words, "--out", tmp_path / "parts", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    said = holmdel(*words, "--format", "jsonl").out
    assert (tmp_path / "parts" / "part-00000.jsonl").read_text() == said


def test_answers_in_parts_are_those_of_one_file(holmdel, digit, tmp_path):
    load("lenet-mnist").export(tmp_path / "m.onnx")
    words = ("predict", tmp_path / "m.onnx", digit)
    said = holmdel(*words, "--format", "jsonl").out
    assert holmdel(*words, "--out", "parts/", "--jobs", 1).status == 0
    assert Path("parts/part-00000.jsonl").read_text() == said


def test_from_python(digit, tmp_path):
    model = load("lenet-mnist")
    model.export(tmp_path / "m.onnx")
    exported = runtime.load(tmp_path / "m.onnx")
    assert exported.classes == model.classes
    assert exported.contract == model.contract
    (found,), (expected,) = exported.predict([digit], top=2), model.predict(digit, top=2)
    assert [name for name, _ in found.top] == [name for name, _ in expected.top]
    assert (found.seen == expected.seen.numpy()).all()
    (nothing,) = exported.predict([Image.new("L", (90, 90), 255)])
    assert (nothing.found, nothing.index) == ("nothing", -1)


def test_a_file_that_is_none(run_folder, tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        runtime.load(tmp_path / "m.onnx")
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match="cannot be read as ONNX"):
        runtime.load(tmp_path / "m.onnx")
    load(run_folder).export(tmp_path / "f.onnx", input="float32")
    with pytest.raises(UserError, match="takes float32"):
        runtime.load(tmp_path / "f.onnx")
