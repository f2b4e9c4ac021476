"""Damaged files: each bit counts, and every field that is not ours gets a sentence."""

import copy
import json
import logging
import random
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import holmdel as library
from holmdel.checkpoint import (
    Header,
    load_line_model,
    load_model,
    save_line_model,
    save_model,
)
from holmdel.errors import UserError
from holmdel.files.tensors import load_tensors
from holmdel.images import ImageContract
from holmdel.networks.line import LineNetwork
from holmdel.reading.trust import Trust, calibration_path, load_calibration, save_calibration
from holmdel.training.callbacks import Callback, Stopped

HEADER = Header(network="lenet", options={}, classes=tuple("0123456789"), image=ImageContract())
TINY = (4, 4, 8, 8, 8, 8, 8)  # channels
FLIPS = 150
WRONG = (None, True, -1, 0, 7, 0.5, 10**30, float("nan"), "x", "", [], [[]], [None], {}, {"a": 1})


def classifier(folder: Path) -> Path:
    save_model(folder / "model.safetensors", library.build("lenet"), HEADER)
    return folder / "model.safetensors"


def reader(folder: Path) -> Path:
    trust = Trust(1.5, 0.25, ((0.9, 0.01), (0.0, 0.2))).to_json()
    save_line_model(folder / "line.safetensors", LineNetwork(TINY), trust)
    return folder / "line.safetensors"


KINDS = pytest.mark.parametrize(
    ("make", "load"), [(classifier, load_model), (reader, load_line_model)]
)


def header_of(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["holmdel"])


def rewrite(path: Path, header: object) -> None:
    """Puts another header into a file, without a checksum: as another program would write it."""
    tensors, _ = load_tensors(path)
    save_file(tensors, path, {"holmdel": json.dumps(header)})


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """Gives the way to each value inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inside:
        yield (key,)
        if isinstance(part, dict | list):
            yield from ((key, *rest) for rest in places(part))


def with_mistakes(value: Any) -> Iterator[Any]:
    """Gives a JSON value with each part of it missing, or of another kind."""
    for way in places(value):
        for wrong in (..., *WRONG):
            changed = copy.deepcopy(value)
            *outer, last = way
            inner = changed
            for key in outer:
                inner = inner[key]
            if wrong is ...:
                del inner[last]
            else:
                inner[last] = wrong
            yield changed


def refusal(call: Callable[..., object], *arguments: object) -> str | None:
    """Returns the sentence that a call is refused with; None if it is not."""
    try:
        call(*arguments)
    except UserError as error:
        return str(error)
    return None


def some(mistakes: Iterator[Any], count: int) -> list[Any]:
    """Returns so many of the mistakes, and what is no object at all."""
    return [*WRONG, *random.Random(0).sample([*mistakes], count)]


@KINDS
def test_a_file_in_which_one_bit_differs_is_refused(tmp_path, make, load):
    path = make(tmp_path)
    content = path.read_bytes()
    load(path)
    draw = random.Random(0)
    for _ in range(FLIPS):
        damaged = bytearray(content)
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(UserError):
            load(path)


@KINDS
def test_the_sentence_says_what_is_wrong(tmp_path, make, load):
    path = make(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"is not as it was written \(its checksum differs\)"):
        load(path)


@KINDS
def test_a_file_without_a_checksum_is_loaded_and_told_once(tmp_path, caplog, make, load):
    path = make(tmp_path)
    rewrite(path, {k: v for k, v in header_of(path).items() if k != "checksum"})
    with caplog.at_level(logging.WARNING):
        load(path)
        load(path)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} has no checksum, as an older version wrote it; damage would not be noticed"
    ]


@pytest.mark.parametrize("name", ["lenet-mnist", "lenet-fashion-mnist", "reader"])
def test_what_ships_has_a_checksum(name):
    """A file without one gets it by `python bench/seal.py FILE`."""
    path = Path(str(resources.files("holmdel") / "weights" / f"{name}.safetensors"))
    assert len(header_of(path)["checksum"]) == 64


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, number):
    network, line = library.build("lenet"), LineNetwork(TINY)
    with torch.no_grad():
        network.c1.weight[0, 0, 0, 0] = number
        line[0][0].weight[0, 0, 0, 0] = number
    save_model(tmp_path / "m.safetensors", network, HEADER)
    save_line_model(tmp_path / "line.safetensors", line, None)
    for load, name in ((load_model, "m"), (load_line_model, "line")):
        with pytest.raises(UserError, match=r"has numbers in '.*weight' that are not finite"):
            load(tmp_path / f"{name}.safetensors")


@KINDS
def test_a_header_with_any_mistake_gets_a_sentence_that_names_the_file(tmp_path, make, load):
    """Or, where the value is one that could have been written, it is loaded."""
    path = make(tmp_path)
    header = {k: v for k, v in header_of(path).items() if k not in ("checksum", "trust")}
    header = header if "classes" not in header else header | {"options": {"activation": "relu"}}
    sentences = []
    for changed in some(with_mistakes(header), 60):
        rewrite(path, changed)
        sentences += filter(None, [refusal(load, path)])
    assert len(sentences) > 40
    assert all(str(path) in sentence for sentence in sentences)


def test_a_header_that_names_a_giant_costs_nothing(tmp_path):
    """Its layers would fill some terabytes."""
    path = classifier(tmp_path)
    options = {"size": [4000, 4000], "classes": 10**9, "channels": 4000}
    rewrite(path, header_of(path) | {"options": options, "checksum": None})
    with pytest.raises(UserError):
        load_model(path)


TRUST = {"slope": 2.0, "offset": -1.0, "curve": [[0.9, 0.01], [0.5, 0.1]]}


def test_a_trust_with_any_mistake_gets_a_sentence():
    """A confidence is a probability, or the trust is refused."""
    for changed in [*WRONG, *with_mistakes(TRUST)]:
        if refusal(Trust.from_json, changed):
            continue
        trust = Trust.from_json(changed)
        for score in (0.0, 1e-9, 0.3, 1.0):
            assert 0 <= trust.confidence(score) <= 1
        assert 0 <= trust.threshold(0.05) <= 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"slope": -1.0}, r"the trust: slope was given as -1.0; expected a number from 0"),
        ({"curve": [[2.0, 0.1]]}, "a point of the curve was given as 2.0; expected a number from"),
        ({"curve": [[0.1, 0.1], [0.9, 0.1]]}, "the thresholds of the curve do not fall"),
    ],
)
def test_a_trust_that_is_no_probability_is_told(change, sentence):
    with pytest.raises(UserError, match=sentence):
        Trust.from_json(TRUST | change)


def test_a_sentence_is_short_whatever_the_file_gave():
    with pytest.raises(UserError) as refused:
        Trust.from_json(TRUST | {"curve": ["x" * 9999]})
    assert str(refused.value).startswith("the trust: a point of the curve is 'xxx")
    assert str(refused.value).endswith("xxx'; expected a threshold and error")
    assert len(str(refused.value)) < 1300


def test_a_calibration_with_any_mistake_gets_a_sentence(tmp_path):
    path = classifier(tmp_path)
    save_calibration(path, Trust.from_json(TRUST))
    kept = json.loads(calibration_path().read_text())
    sentences = []
    for changed in [*WRONG, *with_mistakes(kept)]:
        calibration_path().write_text(json.dumps(changed))
        sentences += filter(None, [refusal(load_calibration, path)])
    assert len(sentences) > 40
    assert all(str(calibration_path()) in sentence for sentence in sentences)


SMALL = {"recipe": "modern", "epochs": 2, "batch_size": 32, "limit": 64, "calibrate": False}


class Stop(Callback):
    """Stops a training in its second epoch."""

    asked = 0

    def between_batches(self, snapshot) -> None:
        self.asked += 1
        if self.asked == 3:
            raise Stopped


class Look(Callback):
    """Stops a training before its first batch, when all has been read."""

    def start(self, title, epochs) -> None:
        raise Stopped


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of a run that was stopped."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.raises(Stopped):
        library.train("lenet", "digits", out=folder, callbacks=Stop(), **SMALL)
    return folder


def go_on(folder: Path) -> None:
    library.train("lenet", "digits", out=folder, resume=True)


def test_a_state_in_which_one_bit_differs_is_refused(stopped):
    path = stopped / "resume.safetensors"
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UserError, match=r"resume.safetensors is not as it was written"):
        go_on(stopped)
    path.write_bytes(content)


def test_a_state_with_any_mistake_gets_a_sentence(stopped):
    path = stopped / "resume.safetensors"
    content = path.read_bytes()
    tensors, metadata = load_tensors(path)
    counters = json.loads(metadata["state"])
    del counters["checksum"]
    sentences = []
    for changed in some(with_mistakes(counters), 9)[-12:]:
        save_file(tensors, path, {"state": json.dumps(changed)})
        sentences += filter(None, [refusal(read_state, stopped)])
    path.write_bytes(content)
    assert len(sentences) > 4
    assert all("resume.safetensors" in sentence for sentence in sentences)


def read_state(folder: Path) -> None:
    """Goes on with a training until its first batch."""
    with pytest.raises(Stopped):
        library.train("lenet", "digits", out=folder, resume=True, callbacks=Look())


def test_a_configuration_with_any_mistake_gets_a_sentence(stopped):
    path = stopped / "config.json"
    text = path.read_text()
    sentences = []
    for changed in some(with_mistakes(json.loads(text)), 20)[-25:]:
        path.write_text(json.dumps(changed))
        sentences += filter(None, [refusal(read_state, stopped)])
    path.write_text(text)
    assert len(sentences) > 15
    assert all(str(stopped) in sentence for sentence in sentences)


@pytest.mark.parametrize("text", ["{", "[]", "[" * 9999, '{"a": ' + "9" * 9999 + "}", "\xff"])
@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl"])
def test_files_of_a_run_that_are_something_else_are_named(name, text):
    library.train("lenet", "digits", out="run", epochs=1, limit=64)
    Path("run", name).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="run"):
        go_on(Path("run"))
