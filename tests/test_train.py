"""`holmdel train` as a script sees it: the run folder, the last two lines, the errors."""

import json
import re
import shutil

import pytest
import torch
from safetensors import safe_open

import holmdel as library
from holmdel import data as data_sets
from holmdel.data.dataset import balanced
from holmdel.errors import UserError
from holmdel.training.folds import cross_validate, fold_of
from holmdel.training.settings import plan, sized

QUICK = ("--data", "digits", "--limit", "512", "--epochs", "2")


def test_the_last_two_lines_are_the_books(holmdel):
    done = holmdel("train", "lenet", *QUICK, "--out", "run")
    assert done.status == 0
    figures, speed = done.out.splitlines()[-2:]
    assert re.fullmatch(r"loss \d\.\d{3}, train acc \d\.\d{3}, test acc \d\.\d{3}", figures)
    assert re.fullmatch(r"\d+\.\d examples/sec on cpu", speed)


def test_where_there_is_no_terminal_an_epoch_is_a_plain_line(holmdel):
    done = holmdel("train", "lenet", *QUICK, "--out", "run")
    lines = [line for line in done.out.splitlines() if line.startswith("epoch ")]
    assert len(lines) == 2
    assert re.fullmatch(
        r"epoch 1: loss \d\.\d+, train acc 0\.\d+, test acc 0\.\d+, [\d.]+ examples/sec, [\d.]+ s",
        lines[0],
    )
    assert "\x1b" not in done.out + done.err


def test_the_run_folder_holds_what_it_should(holmdel, tmp_path):
    holmdel("train", "lenet-max", *QUICK, "--seed", 3, "--out", "run", "--validation", "0.25")
    folder = tmp_path / "work" / "run"
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "best.safetensors",
        "config.json",
        "curves.png",
        "curves.svg",
        "metrics.jsonl",
        "model.safetensors",
    ]
    config = json.loads((folder / "config.json").read_text())
    assert config["network"] == "lenet-max"
    assert config["seed"] == config["settings"]["seed"] == 3
    assert config["classes"] == list("0123456789")
    assert config["image"]["stored"] == [1, 28, 28]
    assert set(config["versions"]) == {"holmdel", "torch", "python"}
    assert "holmdel train lenet-max --data digits" in (folder / "README.md").read_text()
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_metrics_have_a_line_an_epoch(holmdel, tmp_path):
    holmdel("train", "lenet", *QUICK, "--out", "run")
    lines = (tmp_path / "work" / "run" / "metrics.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert (first["epoch"], second["epoch"]) == (1, 2)
    assert 0 <= first["test_acc"] <= 1
    assert first["examples_per_sec"] > first["wall_examples_per_sec"] > 0


def test_with_a_validation_split_the_test_set_is_looked_at_once(holmdel, tmp_path):
    holmdel("train", "lenet", *QUICK, "--out", "run", "--validation", "0.25")
    lines = (tmp_path / "work" / "run" / "metrics.jsonl").read_text().splitlines()
    first, last = map(json.loads, lines)
    assert "test_acc" not in first
    assert "test_acc" in last
    assert "val_acc" in first


def test_the_modern_recipe_learns_and_ships_the_plain_network(holmdel, tmp_path):
    done = holmdel(
        *("train", "lenet5", "--data", "digits", "--recipe", "modern", "--epochs", 6),
        *("--batch-size", 64, "--out", "run"),
    )
    accuracy = float(done.out.splitlines()[-2].rpartition(" ")[2])
    assert accuracy > 0.9
    with safe_open(tmp_path / "work" / "run" / "model.safetensors", framework="pt") as file:
        count = sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118
    assert count == 61_706  # the batch norms are folded away


def test_settings_come_from_a_file_and_the_command_line_wins(holmdel, tmp_path):
    (tmp_path / "s.toml").write_text('lr = 0.5\nmomentum = 0.9\nactivation = "tanh"\n')
    holmdel("train", "lenet", *QUICK, "--config", tmp_path / "s.toml", "--lr", 0.1, "--out", "run")
    config = json.loads((tmp_path / "work" / "run" / "config.json").read_text())
    assert config["settings"]["lr"] == 0.1
    assert config["settings"]["momentum"] == 0.9
    assert config["options"]["activation"] == "tanh"


def test_without_out_runs_are_numbered(holmdel, tmp_path):
    for _ in range(2):
        assert holmdel("train", "lenet", *QUICK).status == 0
    assert sorted(p.name for p in (tmp_path / "work" / "runs").iterdir()) == [
        "lenet-digits",
        "lenet-digits-2",
    ]


def test_the_range_test_draws_and_suggests(holmdel, tmp_path):
    done = holmdel("train", "lenet", *QUICK, "--activation", "relu", "--find-lr", "--out", "lr")
    assert done.status == 0
    suggested = float(re.search(r"suggested --lr (\S+);", done.out).group(1))
    assert 1e-5 < suggested < 10
    assert (tmp_path / "work" / "lr.png").read_bytes().startswith(b"\x89PNG")


def test_a_training_at_chance_says_so_at_its_end(holmdel):
    done = holmdel("train", "lenet", *QUICK, "--out", "run")
    assert done.status == 0
    said = done.err.splitlines()[-1]
    assert "the training ended at chance: 0." in said
    assert "it took 4 steps; give it more (more epochs, smaller batches), or take" in said


def test_from_python_a_training_at_chance_says_so_too(capsys):
    library.train("lenet", "digits", limit=64, epochs=1, out="run")
    assert "holmdel: the training ended at chance: 0." in capsys.readouterr().err


def test_a_training_says_where_its_data_came_from(holmdel):
    done = holmdel("train", "lenet", *QUICK, "--out", "run")
    assert "holmdel: digits: 1,437 + 360 images from holmdel itself\n" in done.err


@pytest.mark.parametrize(
    ("given", "what"),
    [({"limit": 1}, "1 training image"), ({"batch_size": 1, "limit": 9}, "batch_size 1")],
)
def test_batch_norms_need_two_images(given, what):
    with pytest.raises(UserError, match=f"batch norms need two images .* there is {what}"):
        library.train("lenet", "digits", recipe="modern", out="run", **given)


def rare(counts):
    """Returns arrays of digits, as many of each class as asked."""
    digits = data_sets.load("digits").train
    rows = [(digits.labels == label).nonzero()[:n, 0] for label, n in enumerate(counts)]
    rows = torch.cat(rows)
    return digits.images[rows, 0].numpy(), digits.labels[rows].numpy()


@pytest.mark.parametrize(
    ("count", "given", "norms", "rate"),
    [
        (199, {}, False, 2e-3),
        (200, {}, True, 5e-3),
        (5000, {"lr": 1e-3}, False, 1e-3),
        (5000, {"batch_norm": False}, False, 2e-3),
    ],
)
def test_a_folder_of_two_hundred_images_has_batch_norms(count, given, norms, rate):
    taken = sized(plan("lenet", "pictures", given), "pictures", given, count).settings
    assert (taken.batch_norm, taken.lr) == (norms, rate)


def test_few_images_are_learnt_by_the_recipe_that_is_taken():
    """Sixty images: a hundred epochs in batches of 8; book's ten steps would end at chance."""
    run = library.train("lenet", rare([15] * 4), out="run")
    assert (run.settings.recipe, run.settings.batch_size, run.settings.epochs) == ("modern", 8, 100)
    assert run.test_acc > 0.9
    assert "--epochs" not in (run.folder / "README.md").read_text()


def test_early_stopping(holmdel, tmp_path):
    words = ("--data", "digits", "--limit", 200, "--lr", 1e-6, "--epochs", 30, "--patience", 2)
    done = holmdel("train", "lenet", *words, "--out", "run")
    assert "stopped early: val acc has not risen for 2 epochs; best.safetensors" in done.err
    lines = (tmp_path / "work" / "run" / "metrics.jsonl").read_text().splitlines()
    assert 2 < len(lines) < 30
    assert "test_acc" in json.loads(lines[-1])
    assert "test_acc" not in json.loads(lines[-2])
    again = holmdel("train", "lenet", *words, "--out", "run", "--resume")
    assert again.out.splitlines()[-2] == done.out.splitlines()[-2]


def test_folds_test_every_training_image_once(holmdel, tmp_path):
    words = ("--data", "digits", "--limit", 400, "--epochs", 1, "--folds", 3)
    done = holmdel("train", "lenet", *words, "--out", "three")
    assert done.status == 0
    line, figures, speed = done.out.splitlines()[-3:]
    found = re.fullmatch(
        r"test acc (\S+), standard deviation \S+, of 3 folds: (\S+), (\S+), (\S+)", line
    )
    mean, *each = map(float, found.groups())
    assert mean == pytest.approx(sum(each) / 3, abs=0.001)
    assert re.fullmatch(r"loss \d\.\d{3}, train acc \d\.\d{3}, test acc \d\.\d{3}", figures)
    assert speed.endswith("examples/sec on cpu")
    configs = [json.loads(p.read_text()) for p in (tmp_path / "work").glob("three/*/config.json")]
    assert len(configs) == 3
    labels = torch.tensor([0] * 7 + [1] * 5)
    parts = fold_of(labels, 3)
    assert parts.bincount().tolist() == [4, 4, 4]
    assert parts[:7].bincount().sort().values.tolist() == [2, 2, 3]


def test_folds_that_cannot_be_are_sentences(holmdel):
    with pytest.raises(UserError, match="folds was given as 9; the largest class has 8 training"):
        cross_validate("lenet", rare([10, 10]), folds=9, out="run")
    done = holmdel("train", "lenet", "--data", "digits", "--folds", 2, "--serve", 0)
    assert "--folds was given with --serve, --workers or --ray" in done.err


def test_folds_go_on_where_they_were_stopped(holmdel, tmp_path):
    words = ("train", "lenet", "--data", "digits", "--limit", 400, "--epochs", 1, "--folds", 3)
    whole = holmdel(*words, "--out", tmp_path / "whole")
    holmdel(*words, "--out", tmp_path / "part")
    shutil.rmtree(tmp_path / "part" / "fold-3")
    kept = (tmp_path / "part" / "fold-1" / "model.safetensors").stat().st_mtime_ns
    again = holmdel(*words, "--out", tmp_path / "part", "--resume")
    assert again.status == 0
    accuracies = [line for line in again.out.splitlines() if "3 folds" in line]
    assert accuracies == [line for line in whole.out.splitlines() if "3 folds" in line]
    assert (tmp_path / "part" / "fold-1" / "model.safetensors").stat().st_mtime_ns == kept


def test_balanced_epochs_show_each_class_as_often():
    labels = torch.tensor([0] * 90 + [1] * 9 + [2])
    first, second = (balanced(labels, 0, epoch) for epoch in (0, 1))
    assert labels[first].bincount().tolist() == [34, 33, 33]
    assert torch.equal(balanced(labels, 0, 0), first)
    assert {*first[labels[first] == 0].tolist()} != {*second[labels[second] == 0].tolist()}
    assert not torch.equal(labels[first], labels[second])


def test_from_python_a_run_has_history_and_network():
    run = library.train("lenet", "digits", out="run", limit=256, epochs=1)
    assert len(run.history) == 1
    assert run.test_acc == run.history[0].test_acc
    assert not run.network.training
    assert run.examples_per_sec > 0
    picture = data_sets.load("digits").test.images[0]
    assert run.classifier.predict(picture) == library.load("run").predict(picture)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lenet9",), "there is no network 'lenet9'; choose from lenet, lenet-max, lenet5"),
        (("lenet", "--data", "emnist"), "'emnist'"),
        (("lenet", "--recipe", "old"), "recipe was given as 'old'; choose from book, modern"),
        (("lenet", "--device", "tpu"), "there is no device 'tpu'; choose cpu, cuda, cuda:N or mps"),
        (("lenet", "--device", "cuda:99"), "the device 'cuda:99' is not on this machine"),
        (("lenet", "--epochs", "0"), "epochs was given as 0; expected a whole number from 1"),
        (("lenet", "--lr", "-1"), "lr was given as -1.0; expected a number above 0"),
        (("lenet", "--validation", "0.9"), "expected a number from 0 to 0.5"),
        (("lenet", "--momentum", "much"), "momentum was given as 'much'; expected a number"),
        (("lenet", "--batch-norm", "maybe"), "unexpected extra argument(s) (maybe)"),
        (("lenet", "--optimizer", "lion"), "choose from sgd, adamw"),
        (("lenet", "--augment", "blur"), "augment was given as 'blur'; expected none, or names"),
        (("lenet", "--colour", "red"), "No such option: --colour"),
        (("lenet", "stray"), "unexpected extra argument(s) (stray)"),
        (("lenet", "--input", "28x28"), "an input size was given as '28x28'; expected CxHxW"),
        (("lenet", "--input", "3x28x28"), "with 3 channels; the images of digits have 1"),
        (("lenet5-1998", "--recipe", "modern"), "lenet5-1998 is kept as its paper has it"),
        (("lenet-1989", "--calibrate"), "takes neither batch_norm nor calibrate"),
        (
            ("lenet", "--size", "28"),
            "size was given as '28'; expected height and width, such as 28x28",
        ),
        (("lenet", "--resume"), "--resume was given without --out"),
        (("lenet", "--config", "none.toml"), "the settings file none.toml cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(holmdel, tmp_path, words, sentence):
    data = () if "--data" in words else ("--data", "digits")
    out = () if "--resume" in words else ("--out", "run")
    done = holmdel("train", *words, *data, *out)
    assert done.status == 2
    assert sentence in done.err
    assert done.err.startswith("holmdel: ")
    assert len(done.err.splitlines()) == 1
    assert done.out == ""
    assert not (tmp_path / "work" / "run").exists()


def test_a_settings_file_that_is_no_toml_is_told(holmdel, tmp_path):
    (tmp_path / "s.toml").write_text("lr: 0.5\n")
    done = holmdel("train", "lenet", "--config", tmp_path / "s.toml")
    assert done.status == 2
    assert "is not TOML" in done.err


def test_an_existing_folder_is_left_alone(holmdel, tmp_path):
    (tmp_path / "work" / "run").mkdir()
    (tmp_path / "work" / "run" / "thesis.txt").write_text("all of it")
    done = holmdel("train", "lenet", *QUICK, "--out", "run")
    assert done.status == 2
    assert "run exists already; it holds no training to go on with; choose another" in done.err
    assert [p.name for p in (tmp_path / "work" / "run").iterdir()] == ["thesis.txt"]


def test_an_unwritable_out_is_told(holmdel, tmp_path):
    (tmp_path / "work" / "file").write_text("in the way")
    done = holmdel("train", "lenet", *QUICK, "--out", "file/run")
    assert done.status == 2
    assert "file/run cannot be made (Not a directory); choose another folder" in done.err
