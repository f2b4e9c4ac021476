"""The native engine inside the commands and the book's listings gives PyTorch's results."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import nn

import holmdel as library
from holmdel import data as data_sets
from holmdel import engine
from holmdel.training.callbacks import Callback, Stopped
from holmdel.training.train import find_lr

pytestmark = pytest.mark.skipif(
    engine.status().name != "native", reason=f"needs the native engine: {engine.status()}"
)
RUN = ("--data", "digits", "--epochs", "1", "--batch-size", "32", "--limit", "512")
STORED = Path("run/model.safetensors")


def figures(folder):
    return [json.loads(line) for line in Path(folder, "metrics.jsonl").read_text().splitlines()]


# Trainings


@pytest.mark.parametrize(
    "words",
    [
        ("lenet", "--lr", "0.5"),
        ("lenet", "--momentum", "0.9", "--weight-decay", "0.01", "--lr", "0.1", "--average", "0.9"),
        ("lenet5", "--activation", "tanh", "--normalise", "--lr", "0.1", "--validation", "0.2"),
        ("lenet-max", "--activation", "relu", "--lr", "0.1", "--label-smoothing", "0.1"),
        ("lenet-max", "--activation", "relu", "--normalise", "--lr", "0.1", "--clip", "0.5"),
        ("lenet", "--activation", "relu", "--optimizer", "adamw", "--lr", "0.001"),
        ("lenet", "--activation", "tanh", "--lr", "0.1", "--batch-norm"),
        ("lenet", "--activation", "tanh", "--input", "1x40x40", "--lr", "0.05", "--calibrate"),
    ],
    ids=" ".join,
)
def test_both_engines_reach_the_same_figures(holmdel, words):
    for name in ("native", "torch"):
        done = holmdel("train", *words, *RUN, "--engine", name, "--out", name)
        assert done.status == 0, done.err
    (mine,), (theirs,) = figures("native"), figures("torch")
    assert mine.keys() == theirs.keys()
    for key in mine.keys() & {"loss", "train_acc", "test_acc", "test_loss", "val_acc"}:
        near = 6e-3 if key.endswith("_acc") else 1e-3  # two images whose classes are nearly even
        assert mine[key] == pytest.approx(theirs[key], abs=near), key


def test_the_first_line_says_which_engine_and_how_many_threads(holmdel):
    done = holmdel("train", "lenet", *RUN, "--out", "run", "--engine", "native")
    line = f"native engine, {engine.status().instructions}, {torch.get_num_threads()} thread"
    assert f"\nholmdel: {line}" in f"\n{done.err}"
    assert re.fullmatch(r"\d+\.\d examples/sec on cpu", done.out.splitlines()[-1])
    config = json.loads(Path("run/config.json").read_text())
    assert config["settings"]["engine"] == "native"
    assert config["engine"].startswith(line)
    assert f"| engine | {line}" in Path("run/README.md").read_text()


def test_the_modern_recipe_runs_in_the_engine(holmdel):
    done = holmdel("train", "lenet", *RUN, "--recipe", "modern", "--limit", 64, "--out", "run")
    assert done.status == 0, done.err
    assert json.loads(Path("run/config.json").read_text())["engine"].startswith("native engine")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lenet5-1998",), "the engine does not know the layer "),
        (("lenet", "--precision", "bfloat16"), "computes in float32, not in bfloat16"),
    ],
)
def test_what_the_engine_cannot_do_falls_back_with_a_reason(holmdel, words, sentence):
    done = holmdel("train", *words, *RUN, "--limit", 64, "--out", "run")
    assert done.status == 0
    (line,) = [line for line in done.err.splitlines() if line.startswith("holmdel: PyTorch: ")]
    assert sentence in line


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lenet5-1998", "--engine", "native"), "the engine does not know the layer "),
        (("alexnet", "--engine", "native"), "images of 224x224 are above the native engine's 96"),
        (
            ("lenet", "--engine", "quick"),
            "engine was given as 'quick'; choose from auto, native",
        ),
    ],
)
def test_who_insists_on_the_engine_is_told_before_anything_is_written(holmdel, words, sentence):
    done = holmdel("train", *words, *RUN, "--out", "run")
    assert (done.status, done.out) == (2, "")
    assert sentence in done.err
    assert not Path("run").exists()


def test_the_variable_turns_the_engine_off(holmdel, monkeypatch):
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", "none")
    done = holmdel("train", "lenet", *RUN, "--limit", 64, "--out", "run")
    assert "holmdel: PyTorch: HOLMDEL_INSTRUCTIONS=none" in done.err.splitlines()


class Stop(Callback):
    """Stops a training after its first epoch."""

    def epoch(self, history):
        if len(history) == 1:
            raise Stopped


def stopped(out, **settings):
    with pytest.raises(Stopped):
        library.train("lenet", "digits", out=out, callbacks=Stop(), **settings)


@pytest.mark.parametrize("more", [{"momentum": 0.9}, {"optimizer": "adamw", "lr": 0.001}])
def test_a_stopped_run_ends_with_the_very_weights_of_an_unbroken_one(more):
    settings = {"epochs": 3, "limit": 256, "lr": 0.1, "activation": "relu", **more}
    library.train("lenet", "digits", out="unbroken", **settings)
    stopped("run", **settings)
    library.train("lenet", "digits", out="run", resume=True)
    assert STORED.read_bytes() == Path("unbroken/model.safetensors").read_bytes()


@pytest.mark.parametrize("names", [("native", "torch"), ("torch", "native")], ids=" then ".join)
def test_the_other_engine_can_go_on(names):
    settings = {"epochs": 3, "limit": 256, "lr": 0.1, "momentum": 0.9, "batch_size": 32}
    whole = library.train("lenet", "digits", out="whole", engine=names[0], **settings)
    stopped("run", engine=names[0], **settings)
    run = library.train("lenet", "digits", out="run", resume=True, engine=names[1])
    assert run.settings.engine == names[1]
    assert run.loss == pytest.approx(whole.loss, abs=1e-4)


def test_the_range_test_is_the_same():
    tests = {
        name: find_lr("lenet", "digits", activation="relu", batch_size=32, engine=name)
        for name in ("native", "torch")
    }
    mine, theirs = (np.array(test.losses[:120]) for test in tests.values())
    assert np.abs(mine - theirs).max() < 1e-3


# Answers

DIGITS = "digits: 1,437 + 360 images from holmdel itself\n"


@pytest.fixture
def run(holmdel):
    """Returns a run folder with a LeNet that knows its digits."""
    words = ("--activation", "relu", "--lr", 0.1, "--epochs", 5, "--batch-size", 32)
    assert holmdel("train", "lenet", "--data", "digits", *words, "--out", "run").status == 0
    return "run"


def test_evaluate_says_the_same(holmdel, run):
    words = ("evaluate", run, "--data", "digits", "--json", "--engine")
    native, torchs, auto = (holmdel(*words, name) for name in ("native", "torch", "auto"))
    assert native.err == torchs.err == auto.err == DIGITS
    assert native.out == auto.out
    mine, theirs = json.loads(native.out), json.loads(torchs.out)
    assert mine["confusion"] == theirs["confusion"]
    assert mine["accuracy"] == theirs["accuracy"] > 0.9
    for key in ("loss", "ece"):
        assert mine[key] == pytest.approx(theirs[key], abs=1e-5)


def test_a_network_that_sees_enlarged_pictures_says_the_same():
    small = {"limit": 256, "epochs": 1, "input": "1x40x40", "activation": "relu"}
    library.train("lenet", "digits", out="run", **small)
    native, torchs = (
        library.evaluate("run", "digits", engine=name).probabilities for name in ("native", "torch")
    )
    assert torch.allclose(native, torchs, atol=1e-5)


def test_predict_says_the_same(holmdel, run):
    Path("digits").mkdir()
    for number, picture in enumerate(data_sets.load("digits").test.images[:20]):
        Image.fromarray(picture[0].numpy()).save(f"digits/{number:02}.png")
    words = ("predict", run, "digits", "--format", "jsonl", "--engine")
    native, torchs = (holmdel(*words, name) for name in ("native", "torch"))
    assert (native.status, native.err) == (0, "")
    for mine, theirs in zip(native.out.splitlines(), torchs.out.splitlines(), strict=True):
        mine, theirs = json.loads(mine), json.loads(theirs)
        assert mine["label"] == theirs["label"]
        assert mine["probability"] == pytest.approx(theirs["probability"], abs=1e-5)


@pytest.mark.parametrize("verb", ["evaluate", "predict"])
def test_an_engine_that_cannot_answer_is_told(holmdel, verb):
    holmdel("train", "lenet5-1998", "--data", "digits", "--epochs", 1, "--limit", 64, "--out", "r")
    words = ("--data", "digits") if verb == "evaluate" else ("picture.png",)
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).ellipse((8, 4, 19, 23), outline=255, width=3)
    image.save("picture.png")
    done = holmdel(verb, "r", *words, "--engine", "native")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("holmdel: the engine does not know the layer ")
    done = holmdel(verb, "r", *words)
    assert (done.status, done.err) == (0, DIGITS if verb == "evaluate" else "")


@pytest.mark.parametrize("name", ["lenet-mnist", "lenet-fashion-mnist"])
def test_the_shipped_models_run_native(name):
    pictures = torch.randint(256, (50, 1, 28, 28), dtype=torch.uint8)
    native, torchs = (library.load(name, engine=which) for which in ("native", "torch"))
    assert torch.allclose(native.logits(pictures), torchs.logits(pictures), atol=1e-4)


def test_a_classifier_follows_its_network(run):
    classifier = library.load(run, engine="native")
    picture = torch.randint(256, (1, 1, 28, 28), dtype=torch.uint8)
    before = classifier.logits(picture)
    with torch.no_grad():
        for parameter in list(classifier.network.parameters())[-2:]:
            parameter.mul_(2)
    assert torch.allclose(classifier.logits(picture), 2 * before, atol=1e-5)


def test_a_classifier_calls_the_hooks_of_its_network(run):
    classifier = library.load(run)
    seen = []
    classifier.network[0].register_forward_hook(lambda *call: seen.append(call[2].shape))
    classifier.predict(torch.zeros(28, 28, dtype=torch.uint8))
    assert len(seen) == 1


def test_a_network_in_training_mode_is_left_so(run):
    classifier = library.load(run)
    classifier.network.train()
    library.evaluate(classifier, "digits", limit=10)
    assert all(part.training for part in classifier.network.modules())


def test_a_module_of_ones_own_is_a_classifier_too():
    header = library.load("lenet-mnist").header
    classifier = library.Classifier(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), header)
    assert classifier.logits(torch.zeros(3, 1, 28, 28, dtype=torch.uint8)).shape == (3, 10)
