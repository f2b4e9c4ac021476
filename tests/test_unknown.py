"""A threshold fitted on held-out images: what is of no class that the model knows is `unknown`."""

import json

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image

import holmdel as library
from holmdel import data as data_sets
from holmdel import runtime
from holmdel.server import ServerSettings, create_app

UNKNOWN = ("unknown", -1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a model of 0 to 4, which may call a twentieth of held-out images unknown."""
    digits = data_sets.load("digits")
    few, seen = (split.rows(split.labels < 5) for split in (digits.train, digits.test))
    arrays = [(part.images[:, 0].numpy(), part.labels.numpy()) for part in (few, seen)]
    folder = tmp_path_factory.mktemp("unknown") / "run"
    library.train("lenet", tuple(arrays), unknown=0.05, epochs=12, out=folder)
    return folder


@pytest.fixture(scope="module")
def strangers():
    """Digits that the model does not know."""
    digits = data_sets.load("digits").test
    return list(digits.images[digits.labels >= 5][:60])


def test_strangers_are_unknown_and_others_are_not(run, strangers):
    classifier = library.load(run)
    assert 0 < classifier.header.unknown < 1
    known = data_sets.load("digits").test
    known = known.rows(known.labels < 5)
    called = [answer.label for answer in classifier.predict(list(known.images))]
    assert called.count("unknown") < 0.15 * len(called)
    assert [answer.label for answer in classifier.predict(strangers)].count("unknown") > 25
    assert library.evaluate(run, _arrays(known)).count == len(known)


def test_evaluate_says_how_many_are_unknown(run, holmdel, tmp_path):
    known = data_sets.load("digits").test
    known = known.rows(known.labels < 5)
    called = [a.label == "unknown" for a in library.load(run).predict(list(known.images))]
    np.savez(tmp_path / "known.npz", images=_arrays(known)[0], labels=_arrays(known)[1])
    done = holmdel("evaluate", run, "--data", tmp_path / "known.npz", "--json")
    found = json.loads(done.out)
    assert found["unknown"] == pytest.approx(sum(called) / len(called), abs=0.01)
    assert found["known_accuracy"] >= found["accuracy"] - 0.02
    line = holmdel("evaluate", run, "--data", tmp_path / "known.npz").out.splitlines()[-2]
    assert line.startswith(f"called unknown {found['unknown']:.4f}; of the others right ")


def test_an_exported_file_calls_the_same_unknown(run, strangers, tmp_path):
    pytest.importorskip("onnxruntime")
    classifier = library.load(run)
    classifier.export(tmp_path / "m.onnx")
    images = [image[0].numpy() for image in strangers]
    found = runtime.load(tmp_path / "m.onnx").predict(images)
    expected = [(a.label, a.index) for a in classifier.predict(images)]
    assert [(a.label, a.index) for a in found] == expected
    assert UNKNOWN in expected


def _arrays(split):
    return split.images[:, 0].numpy(), split.labels.numpy()


def test_python_command_line_and_http_say_the_same(run, strangers, holmdel, tmp_path):
    answers = library.load(run).predict(strangers)
    assert {(a.label, a.index) for a in answers if a.label == "unknown"} == {UNKNOWN}
    files = []
    for number, image in enumerate(strangers[:20]):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(image[0].numpy()).save(files[-1])
    asked = library.load(run).predict(files)
    expected = [(a.label, a.index) for a in asked]
    said = holmdel("predict", run, *files, "--format", "jsonl").out.splitlines()
    assert [(json.loads(line)["label"], json.loads(line)["index"]) for line in said] == expected
    settings = ServerSettings(models=(str(run),))
    with TestClient(create_app(settings, log=None), base_url="http://localhost") as client:
        for file, pair in zip(files, expected, strict=True):
            kind = {"Content-Type": "image/png"}
            answer = client.post("/v1/classify", content=file.read_bytes(), headers=kind).json()
            assert (answer["label"], answer["index"]) == pair
        pixels = torch.stack([answer.seen for answer in asked])
        tensor = {"name": "image", "shape": [*pixels.shape], "datatype": "UINT8"}
        wanted = {"inputs": [tensor | {"data": pixels.flatten().tolist()}]}
        outputs = client.post("/v2/models/run/infer", json=wanted).json()["outputs"]
        found = {output["name"]: output["data"] for output in outputs}
        assert [*zip(found["label"], found["index"], strict=True)] == expected
