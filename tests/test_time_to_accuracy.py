"""Time to accuracy: the process that trains without PyTorch, on a small set in MNIST's place."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from holmdel import engine
from holmdel.benchmark.time_to_accuracy import main, read
from holmdel.data import SOURCES, idx, load
from holmdel.engine.numpy_lenet import RECIPES, NumpyLenet, Rates, train
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.images.contract import to_input
from holmdel.networks import build

pytestmark = pytest.mark.skipif(
    engine.status().name != "native", reason=f"needs the native engine: {engine.status()}"
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a data root where the digits that ship lie as MNIST and as Fashion-MNIST."""
    digits = load("digits")
    pairs = [(part.images[:, 0], part.labels) for part in (digits.train, digits.test)]
    values = [array.numpy().astype(np.uint8) for pair in pairs for array in pair]
    for name in RECIPES:
        source = SOURCES[name]
        source.raw(tmp_path).mkdir(parents=True)
        for file, array in zip(source.files, values, strict=True):
            idx.write(source.raw(tmp_path) / f"{file.name}.gz", array)
    monkeypatch.setenv("HOLMDEL_DATA", str(tmp_path))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    """Returns what the training says, its times left out."""
    main([str(word) for word in words])
    line = json.loads(capsys.readouterr().out)
    assert {"reading", "training"} == line.pop("seconds").keys()
    return line


@pytest.mark.parametrize("name", RECIPES)
def test_it_prints_one_line_with_the_accuracy_on_all_test_pictures(name, root, capsys):
    line = said(capsys, name)
    assert line["accuracy"] > 0.7
    assert line["accuracy"] * 360 == pytest.approx(round(line["accuracy"] * 360))
    assert line["network"] == RECIPES[name].network


def test_a_seed_gives_the_same_network_and_another_one_another(root):
    images, labels, _, _ = read(SOURCES["mnist"])
    some = images[:320], labels[:320]
    first, again, other = (train(RECIPES["mnist"], *some, seed, 1).weights for seed in (0, 0, 1))
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


def test_the_process_loads_no_torch(root):
    program = (
        "import sys; from holmdel.benchmark.time_to_accuracy import main; main(['mnist']);"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


@pytest.mark.parametrize("name", RECIPES)
def test_its_steps_and_logits_are_pytorchs(name):
    recipe = RECIPES[name]
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (100, 28, 28), np.uint8)
    labels = random.integers(0, 10, 100)
    rates = Rates(momentum=0.9, weight_decay=0.1, label_smoothing=0.1)
    bare = NumpyLenet(recipe.side, recipe.mean, recipe.std, rates, threads=2)
    bare.draw(random)
    pooling = {"pooling": "max"} if recipe.network == "lenet5" else {}
    module = build(recipe.network, activation="relu", **pooling)
    module.load_state_dict({k: torch.from_numpy(w.copy()) for k, w in bare.weights.items()})
    enlarge = "pad" if recipe.side > 28 else "none"
    size = (1, recipe.side, recipe.side)
    image = ImageContract(input=size, enlarge=enlarge, mean=recipe.mean, std=recipe.std)
    inputs = to_input(torch.from_numpy(pictures).unsqueeze(1), image)
    decays = [
        {"params": [p for p in module.parameters() if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in module.parameters() if p.ndim == 1]},
    ]
    optimizer = torch.optim.SGD(decays, lr=0.05, momentum=0.9, nesterov=True)
    for _ in range(3):
        rows = random.permutation(100)[:48]
        logits = module(inputs[rows])
        loss = F.cross_entropy(logits, torch.from_numpy(labels[rows]), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert bare.learn(pictures.ctypes.data, labels, rows, 0.05) == pytest.approx(
            loss.item(), rel=1e-5
        )
    expected = module(inputs).detach().numpy()
    np.testing.assert_allclose(bare.logits(pictures), expected, rtol=1e-4, atol=1e-6)


def test_without_the_data_set_it_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLMDEL_DATA", str(tmp_path / "empty"))
    words = [sys.executable, "-m", "holmdel.benchmark.time_to_accuracy", "mnist"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("MNIST was not found in ")


def test_without_an_engine_it_says_what_it_needs(root, monkeypatch):
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", "none")
    with pytest.raises(UserError, match="needs the native engine; this machine has PyTorch"):
        main(["mnist"])
