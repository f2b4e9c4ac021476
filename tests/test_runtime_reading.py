"""The reader as an ONNX file, put to work where there is no PyTorch: the same strings."""

import json

import pytest
from PIL import Image, ImageDraw

import holmdel as library
from holmdel.errors import UserError

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Returns the shipped reader as an ONNX file."""
    from holmdel.verbs import export_model

    out = tmp_path_factory.mktemp("reader") / "reader.onnx"
    assert export_model("reader", out).difference < 1e-4
    return out


def page(path, comb=False):
    """Draws a line of digits, or a comb of five cells with one in each."""
    image = Image.new("L", (420, 110), 240)
    draw = ImageDraw.Draw(image)
    for number, digit in enumerate("40712"):
        x = 30 + 72 * number
        if comb:
            draw.rectangle([x - 12, 14, x + 60, 96], outline=60, width=3)
        draw.text((x + 8, 14), digit, fill=30, font_size=70)
    image.save(path)
    return path


@pytest.mark.parametrize("comb", [False, True])
def test_the_same_strings_without_torch(exported, comb, tmp_path, holmdel, without_torch):
    scan = page(tmp_path / "scan.png", comb)
    words = ["read", str(scan), "--pattern", "digits:5", "--format", "jsonl", "--jobs", "1"]
    expected = json.loads(holmdel(*words).out)
    done = without_torch(*words, "--model", exported)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["lines"]) == len(expected["lines"]) == 1
    (one,), (other,) = found["lines"], expected["lines"]
    assert (one["text"], one["box"], one["status"]) == (
        *(other[key] for key in ("text", "box", "status")),
    )
    assert one["confidence"] == pytest.approx(other["confidence"], abs=0.01)


def test_other_processes_read_without_torch(exported, tmp_path, without_torch):
    scans = [page(tmp_path / f"{number}.png") for number in range(17)]  # 16 are not worth one
    words = ["read", *scans, "--pattern", "digits:5", "--format", "jsonl", "--jobs", "2"]
    done = without_torch(*words, "--model", exported)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["lines"][0]["text"] for one in answers} == {"40712"}
    assert len(answers) == 17


def test_from_python(exported, tmp_path):
    scan = page(tmp_path / "scan.png")
    expected = library.read(scan, "digits:5")
    found = library.read(scan, "digits:5", model=exported)
    assert [line.text for line in found.lines] == [line.text for line in expected.lines]


def test_without_torch_a_checkpoint_is_a_sentence(tmp_path, without_torch):
    done = without_torch("read", page(tmp_path / "s.png"), "--jobs", "1")
    assert done.returncode == 2
    assert "give a reader that holmdel export --to onnx wrote" in done.stderr


def test_a_file_that_is_no_reader(tmp_path):
    library.load("lenet-mnist").export(tmp_path / "m.onnx")
    with pytest.raises(UserError, match="is no reader that holmdel export wrote"):
        library.Reader(tmp_path / "m.onnx")
