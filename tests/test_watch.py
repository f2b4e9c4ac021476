"""A training that cannot succeed says why, and what to try."""

import json
import re

import pytest

import holmdel as library
from holmdel.training.callbacks import Callback
from holmdel.training.settings import plan

DEAD = {"batch_size": 10, "lr": 0.02, "dead_after": 100}  # sigmoids sit at chance with it


def test_a_dead_run_is_found_and_explained(holmdel):
    words = [w for k, v in DEAD.items() for w in (f"--{k.replace('_', '-')}", v)]
    done = holmdel("train", "lenet", "--data", "digits", "--epochs", 2, "--out", "run", *words)
    assert done.status == 2
    assert re.search(r"the run is dead: after \d+ batches the loss is 2\.3", done.err)
    assert "ln(10) = 2.3026" in done.err
    assert "--restarts 3" in done.err


class Notes(Callback):
    """Keeps the notes and the titles."""

    def __init__(self):
        self.notes = []
        self.titles = []

    def start(self, title, epochs):
        self.titles.append(title)

    def note(self, sentence):
        self.notes.append(sentence)


def test_restarts_take_the_next_seeds():
    told = Notes()
    with pytest.raises(library.UserError, match="the run is dead"):
        library.train("lenet", "digits", out="run", epochs=2, restarts=2, callbacks=told, **DEAD)
    assert told.titles == ["seed 0", "seed 1", "seed 2"]
    assert told.notes[0].startswith("digits: ")  # once, not for every start, as the next
    assert told.notes[1].startswith(("native engine", "PyTorch"))
    assert [note.rpartition(". ")[2] for note in told.notes[2:]] == [
        "Starting over with seed 1",
        "Starting over with seed 2",
    ]


def test_a_start_without_any_gradient_is_found_at_once():
    """With so high a rate the ReLUs of NiN's last block are soon off for every picture."""
    told = Notes()
    small = {"input": "1x67x67", "width": 0.05, "batch_size": 16, "limit": 320}
    small |= {"init": "xavier", "precision": "float32"}
    with pytest.raises(library.UserError, match="the start is dead: after") as death:
        library.train(
            "nin", "digits", out="run", epochs=1, lr=3, restarts=1, callbacks=told, **small
        )
    assert "the gradient of the first layer is exactly 0" in str(death.value)
    assert told.titles == ["seed 0", "seed 1"]
    batches = [int(n) for n in re.findall(r"after (\d+) batches", f"{told.notes} {death.value}")]
    assert len(batches) == 2
    assert max(batches) <= 20


def test_the_book_recipe_starts_deep_networks_over():
    assert plan("nin", "digits", {}).settings.restarts == 4
    assert plan("lenet", "digits", {}).settings.restarts == 0


def test_a_live_run_is_not_called_dead():
    settings = {"activation": "relu", "pooling": "max", "lr": 0.03, "batch_size": 10}
    run = library.train("lenet", "digits", out="run", epochs=3, dead_after=100, **settings)
    assert run.test_acc > 0.5


def test_dead_after_0_never_looks():
    library.train("lenet", "digits", out="run", epochs=1, **(DEAD | {"dead_after": 0}))


def test_a_loss_that_is_no_number_names_the_batch(holmdel):
    done = holmdel(
        *("train", "lenet", "--data", "digits", "--activation", "relu", "--lr", 1e9),
        *("--batch-size", 32, "--out", "run"),
    )
    assert done.status == 2
    assert "the loss became nan in epoch 1, batch" in done.err
    assert "try a learning rate a tenth of that, or --find-lr" in done.err


def test_a_training_leaves_the_callers_random_numbers_alone():
    import torch

    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    library.train("lenet", "digits", out="run", epochs=1, limit=64)
    assert torch.equal(torch.rand(3), expected)


def test_the_figures_of_an_epoch_are_those_of_its_examples(tmp_path):
    """300 examples in batches of 256: the small batch must not weigh as much as the large one."""
    library.train("lenet", "digits", out="run", epochs=1, limit=300, lr=1e-9)
    history = json.loads((tmp_path / "work" / "run" / "metrics.jsonl").read_text())
    classifier = library.load("run")
    from holmdel import verbs

    train = verbs.data_sets.load("digits").train.take(300)
    assert history["loss"] == pytest.approx(verbs.assess(classifier, train).loss, abs=1e-5)
