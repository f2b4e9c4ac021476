"""`holmdel export --framing`: files that take photographs of any size, framed as by predict."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn

from holmdel import runtime
from holmdel.checkpoint import Header
from holmdel.classifier import Classifier, load
from holmdel.errors import UserError
from holmdel.images import ImageContract

onnxruntime = pytest.importorskip("onnxruntime")
KINDS = ["nothing", "one", "several"]


def small(framing: str, channels: int) -> Classifier:
    """Returns a classifier of one dense layer, for images of 20x24."""
    torch.manual_seed(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(channels * 480, 3))
    shape = (channels, 20, 24)
    contract = ImageContract(stored=shape, input=shape, framing=framing)
    return Classifier(
        network, Header(network="own", options={}, classes=("a", "b", "c"), image=contract)
    )


def photograph(height: int, width: int, ground: int = 230, sevens: int = 1) -> np.ndarray:
    """Returns sevens on paper that is lit from the left, with its grain: (H, W, 3)."""
    image = Image.new("RGB", (width, height), (ground, ground, ground - 10))
    draw = ImageDraw.Draw(image)
    step, ink = width // sevens, 255 - ground
    for left in range(0, sevens * step, step):
        x = [left + step * part for part in (0.3, 0.7, 0.45)]
        corners = [(x[0], height * 0.2), (x[1], height * 0.2), (x[2], height * 0.8)]
        draw.line(corners, fill=(ink, ink, ink + 20), width=max(2, step // 12))
    light = np.linspace(1, 0.85, width)[None, :, None]
    grain = np.random.default_rng(height).normal(0, 3, (height, width, 1))
    return (np.asarray(image) * light + grain).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=[("digit", 1), ("object", 3), ("fit", 3)])
def pair(request, tmp_path_factory):
    """Returns a classifier, and ONNX Runtime with its file."""
    classifier = small(*request.param)
    out = tmp_path_factory.mktemp("exported") / "m.onnx"
    report = classifier.export(out, framing=True)
    photos = report.facts["photographs"]
    assert photos["count"] == 24
    assert photos["equal"] >= 22
    assert photos["off"] <= 1
    return classifier, onnxruntime.InferenceSession(out)


SIZES = [(20, 24), (31, 40), (160, 200), (333, 120), (1, 9), (64, 64)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ground", [230, 20])
def test_photographs_are_framed_as_by_predict(pair, size, ground):
    classifier, session = pair
    taken = photograph(*size, ground)
    (expected,) = classifier.predict(taken)
    _, probabilities, seen, found = session.run(None, {"photograph": taken})
    assert KINDS[found] == expected.found
    assert np.abs(seen[0].astype(int) - expected.seen.numpy().astype(int)).max() <= 1
    if expected.found != "nothing":
        assert probabilities[0].max() == pytest.approx(expected.probability, abs=0.01)


@pytest.mark.parametrize(
    "taken",
    [
        np.full((50, 60, 3), 200, np.uint8),
        np.random.default_rng(1).integers(0, 256, (90, 80, 3), np.uint8),
        photograph(90, 200, sevens=2),
        photograph(1300, 700),
    ],
    ids=["paper", "noise", "two", "large"],
)
def test_what_is_found_is_what_predict_finds(pair, taken):
    classifier, session = pair
    (expected,) = classifier.predict(taken)
    _, _, seen, found = session.run(None, {"photograph": taken})
    assert KINDS[found] == expected.found
    assert np.abs(seen[0].astype(int) - expected.seen.numpy().astype(int)).max() <= 1


def test_from_the_command_line_to_the_runtime(holmdel, tmp_path):
    out = tmp_path / "m.onnx"
    words = ["export", "lenet-mnist", "--to", "onnx", "--out", out, "--data", "digits"]
    done = holmdel(*words, "--framing")
    assert (done.status, done.err) == (0, "")
    assert "photographs are framed as by predict, to the pixel" in done.out
    assert json.loads((tmp_path / "export.json").read_text())["m.onnx"]["facts"]["opset"] == 18
    taken = photograph(120, 100)
    exported = runtime.load(out)
    (found,), (expected,) = exported.predict([taken]), load("lenet-mnist").predict(taken)
    assert found.label == expected.label == "7"
    assert (found.seen == expected.seen.numpy()).all()
    (nothing,) = exported.predict([Image.new("L", (90, 90), 255)])
    assert (nothing.found, nothing.index) == ("nothing", -1)
    with pytest.raises(UserError, match="was exported with --framing; call predict"):
        exported.probabilities(expected.seen.numpy()[None])
    done = holmdel(*words, "--framing", "--input", "float32", "--force")
    assert "--framing and --input float32 were given together" in done.err
