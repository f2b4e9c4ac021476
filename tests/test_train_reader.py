"""`holmdel train reader`: the loss falls, training resumes, a user's lines are learned."""

import csv
import json
import math
import multiprocessing
import random
import re
import signal
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from holmdel.alphabet import ALPHABET, BLANK, DIGITS, STRIDE
from holmdel.checkpoint import load_line_model, save_line_model
from holmdel.data import idx
from holmdel.errors import UserError
from holmdel.images.contract import MARGIN
from holmdel.networks.line import LineNetwork
from holmdel.reader_training import ReaderPlan, make_plan, train_reader
from holmdel.reader_training.batches import (
    POOL,
    WIDEST,
    LabelledLine,
    LineBatch,
    in_batches,
    learnable,
)
from holmdel.reader_training.ctc import fit_lines, line_loss
from holmdel.reader_training.own_lines import hold_out, vary
from holmdel.reader_training.synthesis.source import StringSource, find_digits
from holmdel.reader_training.synthesis.writers import Specimens, draw_writer, write
from holmdel.reading.labelled import LabelledString
from holmdel.reading.line import LineAnswer

EACH = 6  # drawn digits of each kind
TINY = (4, 4, 8, 8, 8, 8, 8)  # channels
SMALL = {"lines": 16, "batch_size": 8, "processes": 1, "held_out": 24}
WORDS = [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", value)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a data root with MNIST's files, of drawn digits."""
    root = tmp_path_factory.mktemp("data")
    rng, r = np.random.default_rng(0), random.Random(0)
    nothing = Specimens(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
    pictures = np.zeros((10 * EACH, 28, 28), np.uint8)
    labels = np.tile(np.arange(10, dtype=np.uint8), EACH)
    for picture, label in zip(pictures, labels, strict=True):
        writer = draw_writer(nothing, str(label), rng, r, 1.0)
        ink = write(writer, str(label), 18, nothing, rng, r).ink[:26, :26]
        picture[1 : 1 + ink.shape[0], 1 : 1 + ink.shape[1]] = ink
    for split in ("train", "t10k"):
        idx.write(root / "MNIST" / "raw" / f"{split}-images-idx3-ubyte", pictures)
        idx.write(root / "MNIST" / "raw" / f"{split}-labels-idx1-ubyte", labels)
    return root


@pytest.fixture
def source(root) -> StringSource:
    return StringSource(find_digits(root)[0], seed=1)


@pytest.fixture(scope="module")
def labelled(root, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of 44 labelled lines, their marks not among the labels."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "images").mkdir()
    made = (s for s in StringSource(find_digits(root)[0], seed=9)(0) if set(s.text) & set(DIGITS))
    rows = []
    for number, sample in enumerate(islice(made, 44)):
        Image.fromarray(sample.image).save(folder / "images" / f"{number}.png")
        rows.append((f"{number}.png", "".join(c for c in sample.text if c in DIGITS)))
    write_truth(folder, rows)
    return folder


def write_truth(folder: Path, rows: list[tuple[str, str]]) -> None:
    with (folder / "truth.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("file", "digits"), *rows])


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the file of a reader that has learned nothing."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "reader.safetensors"
    save_line_model(path, LineNetwork(TINY), None)
    return path


def tiny() -> LineNetwork:
    torch.manual_seed(0)
    return LineNetwork(TINY)


def weights(network: nn.Module) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in network.state_dict().values())


def test_the_loss_falls_on_a_few_lines():
    """A one is a bar in the middle, a zero two bars at the sides."""
    one, zero = np.full((2, 32, 24), 255, np.uint8)
    one[4:28, 11:13] = 0
    zero[4:28, 6:9] = zero[4:28, 15:18] = 0
    lines = [(one, "1"), (zero, "0"), (np.hstack([one, zero]), "10")]

    def some(stream: int):
        r = random.Random(stream)
        while True:
            yield r.choice(lines)

    losses: list[float] = []
    plan = ReaderPlan(lines=8 * 150, batch_size=8, lr=0.02, average=0.998)
    torch.manual_seed(0)
    network = LineNetwork(TINY, dropout=0.0)
    fit_lines(network, some, plan, lambda at: losses.append(at.loss), every=15)
    assert len(losses) == 10
    assert losses[0] > 2
    assert losses[-1] < 0.3


def test_batches_hold_lines_of_like_width(source):
    batch = next(in_batches(source(0), 4, seed=0))
    count, channels, height, width = batch.images.shape
    assert (count, channels, height, width % 8) == (4, 1, 32, 0)
    assert len(batch.targets) == batch.lengths.sum()
    assert batch.marked is None


def test_lines_too_narrow_for_their_digits_are_left_out():
    picture = np.full((32, 16), 200, np.uint8)
    steps = (16 + 2 * MARGIN) // STRIDE
    assert learnable(picture, "12" * (steps // 2 - 1))
    assert not learnable(picture, "1" * (steps // 2 + 1))  # needs a blank between any two
    assert not learnable(np.full((32, WIDEST), 200, np.uint8), "1")


class Says(nn.Module):
    """Gives the same logits (1, K, T) for every picture."""

    def __init__(self, probabilities: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(probabilities.log().T[None])

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.logits


def loss_of(steps: list[dict[str, float]], text: str, marked: bool) -> tuple[float, torch.Tensor]:
    """Returns the loss of a text where step t has the probability of each character, and slopes."""
    table = torch.full((len(steps), BLANK + 1), 1e-9)
    for row, step in zip(table, steps, strict=True):
        for character, probability in step.items():
            row[BLANK if character == " " else ALPHABET.index(character)] = probability
    network = Says(table)
    batch = LineBatch(
        torch.zeros(1, 1, 32, 8),
        torch.tensor([ALPHABET.index(c) for c in text]),
        torch.tensor([len(text)]),
        torch.tensor([marked]),
    )
    loss = line_loss(network, batch)
    loss.backward()
    return loss.item(), network.logits.grad


def test_where_marks_are_not_known_they_are_as_good_as_blank_by_hand():
    """`1` as 1-, 1 and blank, blank and 1, - and 1, 11; with the marks known only three of them."""
    steps = [{"1": 0.6, "-": 0.3, " ": 0.1}, {"1": 0.5, "-": 0.4, " ": 0.1}]
    known, _ = loss_of(steps, "1", marked=True)
    unknown, slopes = loss_of(steps, "1", marked=False)
    assert known == pytest.approx(-math.log(0.6 * 0.1 + 0.1 * 0.5 + 0.6 * 0.5), abs=1e-4)
    anything = 0.6 * 0.5 + 0.4 * 0.5 + 0.6 * 0.5
    assert unknown == pytest.approx(-math.log(anything), abs=1e-4)
    one = (0.6 * 0.5 + 0.6 * 0.5) / anything  # how probable 1 is at the first step, given the text
    assert slopes[0, 1, 0].item() == pytest.approx(0.6 - one, abs=1e-4)
    assert slopes.isfinite().all()


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_a_training_that_is_stopped_goes_on_to_the_same_weights(source, tmp_path, processes):
    plan = ReaderPlan(lines=80, batch_size=10, processes=processes)
    seen: list[int] = []
    unbroken = fit_lines(tiny(), source, plan, lambda at: seen.append(at.step), every=2)
    keep = tmp_path / "resume.safetensors"
    again: list[int] = []

    def stop_at_four(at) -> None:
        again.append(at.step)
        if at.step == 4:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit_lines(tiny(), source, plan, stop_at_four, keep, every=2)
    resumed = fit_lines(tiny(), source, plan, stop_at_four, keep, every=2)
    assert seen == again == [2, 4, 6, 8]
    assert weights(resumed) == weights(unbroken)


def test_the_state_of_another_network_is_refused(source, tmp_path):
    keep = tmp_path / "resume.safetensors"
    plan = ReaderPlan(lines=2, batch_size=2)

    def stop(at) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit_lines(tiny(), source, plan, stop, keep)
    with pytest.raises(UserError, match="is not the state of this training"):
        fit_lines(LineNetwork(), source, plan, None, keep)


def test_a_process_that_is_killed_ends_the_training(source):
    def kill(at) -> None:
        [helper] = multiprocessing.active_children()
        helper.kill()

    plan = ReaderPlan(lines=400, batch_size=10, processes=2)
    with pytest.raises(UserError, match="process 1 of the training ended from outside"):
        fit_lines(tiny(), source, plan, kill, every=2)
    assert not multiprocessing.active_children()


def test_a_mistake_in_another_process_ends_the_training_with_its_sentence(root, tmp_path):
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        path = tmp_path / "MNIST" / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((root / "MNIST" / "raw" / name).read_bytes())
        test = name.replace("train", "t10k")
        path.with_name(test).write_bytes((root / "MNIST" / "raw" / test).read_bytes())
    source = StringSource(find_digits(tmp_path)[0])
    next(source(0))  # this process has read the files; the other one finds none
    source.digits.labels.unlink()
    plan = ReaderPlan(lines=400, batch_size=10, processes=2)
    with pytest.raises(UserError, match="train-labels-idx1-ubyte cannot be read"):
        fit_lines(tiny(), source, plan)


def named(*texts: str) -> list[LabelledString]:
    return [LabelledString(Path(f"{number}.png"), text) for number, text in enumerate(texts)]


def test_a_tenth_is_held_out_by_name_at_least_20():
    strings = named(*(str(number) for number in range(400)))
    taken, held = hold_out(strings)
    assert len(held) == 40
    assert sorted(taken + held, key=strings.index) == strings
    assert hold_out(strings[::-1])[1] == held
    assert len(hold_out(strings[:50])[1]) == 20


def test_equal_digits_of_neighbouring_names_stay_together():
    strings = named(*(str(number // 5) for number in range(200)))
    _, held = hold_out(strings)
    assert len(held) == 20
    assert all(strings[5 * int(h.text) : 5 * int(h.text) + 5] for h in held)
    assert {len([h for h in held if h.text == text]) for text in {h.text for h in held}} == {5}


def test_too_few_lines_are_refused():
    with pytest.raises(UserError, match="39 labelled lines were given; expected 40 or more"):
        hold_out(named(*map(str, range(39))))
    with pytest.raises(UserError, match="all but 0 of the 60 labelled lines say the same"):
        hold_out(named(*["7"] * 60))


def test_a_varied_line_is_still_that_line():
    picture = np.full((50, 120), 180, np.uint8)
    picture[10:40, 50:60] = 20
    varied = [vary(picture, random.Random(seed)) for seed in range(20)]
    assert len({v.tobytes() for v in varied}) == 20
    for one in varied:
        dark = one < (int(one.max()) + int(one.min())) / 2
        assert 0.03 < dark.mean() < 0.1  # 0.05 as it is


def test_the_command_trains_and_leaves_a_run_folder(holmdel, root):
    done = holmdel("train", "reader", *WORDS, "--data-root", root, "--out", "run", "--lr", 0.001)
    assert done.status == 0, done.err
    assert "writers not known (no QMNIST)" in done.out
    assert "16 of 16 lines: loss " in done.out
    assert done.out.splitlines()[-1].startswith("wrote run; use it with: holmdel read IMAGE")
    assert sorted(path.name for path in Path("run").iterdir()) == [
        "README.md",
        "config.json",
        "curves.png",
        "curves.svg",
        "metrics.jsonl",
        "model.safetensors",
    ]
    config = json.loads(Path("run/config.json").read_text())
    assert (config["network"], config["settings"]["lr"]) == ("reader", 0.001)
    reports = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert [report["lines"] for report in reports] == [8, 16]
    assert set(reports[0]) == {"lines", "loss", "right", "own", "seconds"}
    card = Path("run/README.md").read_text()
    assert "strokes drawn for shapes" in card
    assert "--lines 16" in card
    _, trust = load_line_model(Path("run/model.safetensors"))
    assert set(trust) == {"slope", "offset", "curve", "evidence", "growth"}
    again = holmdel("train", "reader", "--out", "run", "--resume", "--data-root", root)
    assert (again.status, again.out) == (0, done.out.splitlines()[-1] + "\n")


def test_a_users_lines_are_learned(labelled, begun, root):
    said: list[str] = []
    where = {"strings": [labelled], "model": begun, "data_root": root}
    run = train_reader(**where, out="run", told=said.append, **SMALL)
    assert "24 lines to learn and 20 held out" in said[1]
    assert said[2].startswith("before: ")
    assert run.own.count == 20
    assert run.own.before is not None
    assert run.reports[-1].own is not None
    network, trust = load_line_model(Path("run/model.safetensors"))
    assert weights(network) != weights(load_line_model(begun)[0])
    assert trust["curve"] == []  # 20 strings do not tell an error of 1 %
    assert f"--strings {labelled}" in Path("run/README.md").read_text()
    with pytest.raises(UserError, match=r"was started with lr 0\.001 and cannot go on with 0\.5"):
        train_reader(out="run", resume=True, data_root=root, lr=0.5)


def test_a_reader_that_got_worse_is_not_left(holmdel, labelled, root):
    words = ("--strings", labelled, "--out", "run", "--data-root", root, "--lr", 0.3, *WORDS)
    done = holmdel("train", "reader", *words)
    assert done.status == 2
    assert re.search(
        r"worse: 0\.0 % of your 20 held-out lines are right, \d+\.0 % were before; no reader was "
        "left in run; give more lines, or a smaller --lr or --mix", done.err
    )  # fmt: skip
    assert not Path("run/model.safetensors").exists()


def test_a_sheet_of_samples(holmdel, labelled, root):
    words = ("--show", "sheet.png", "--strings", labelled, "--strings", labelled)
    done = holmdel("train", "reader", *words, "--data-root", root)
    assert (done.status, done.out) == (0, "wrote sheet.png\n")
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (7 * 230, 10 * 84)


def test_pictures_that_are_no_lines_are_told(root, begun, tmp_path):
    for number in range(40):
        Image.fromarray(np.full((40, 10), 200, np.uint8)).save(tmp_path / f"{number}.png")
    write_truth(tmp_path, [(f"{number}.png", f"{10**20 + number}") for number in range(40)])
    with pytest.raises(UserError, match=r"20 of 20 images, such as .* are too wide to be one"):
        train_reader(strings=[tmp_path], model=begun, out="run", data_root=root)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--epochs", "3"), "epochs was given to train reader, which does not take it; choose"),
        (("--momentum", "1"), "momentum was given to train reader, which does not take it; choose"),
        (("--lines", "many"), "lines was given as 'many'; expected a whole number"),
        (("--lines", "0"), "lines was given as 0; expected a whole number from 1"),
        (("--mix", "2"), "mix was given as 2.0; expected a number from 0 to 1"),
        (("--processes", "4", "--batch-size", "2"), "batch_size was given as 2 for 4 processes"),
        (("--strings",), "Option '--strings' requires an argument."),
        (("--strings", "nowhere"), "there is no file"),
        (("--resume",), "--resume was given without --out"),
        (("--model", "nothing.safetensors"), "there is no reader nothing.safetensors"),
    ],
)
def test_mistakes_get_a_sentence(holmdel, root, begun, words, sentence):
    model = () if "--model" in words else ("--model", begun)
    done = holmdel("train", "reader", "--data-root", root, *model, *words)
    assert done.status == 2
    assert sentence in done.err


def test_a_folder_of_another_training_is_not_gone_on_with(holmdel, root):
    Path("run").mkdir()
    Path("run/config.json").write_text("{}")
    done = holmdel("train", "reader", "--out", "run", "--data-root", root)
    assert "run exists already; choose another --out, or go on with --resume" in done.err
    done = holmdel("train", "reader", "--out", "run", "--resume", "--data-root", root)
    assert "run is not of a reader's training (" in done.err


def test_one_process_a_core_and_fewer_lines_to_fine_tune():
    assert 1 <= make_plan({}).processes <= 8
    assert make_plan({}, tuned=True).lines < make_plan({}).lines
    assert make_plan({"lines": "2000"}).steps >= 15


def test_a_line_of_a_source_may_be_without_marks():
    picture = np.full((32, 60), 200, np.uint8)
    lines = iter([LabelledLine(picture, "12", marked=False), (picture, "1-2")] * POOL)
    batch = next(in_batches(lines, 2, seed=0))
    assert batch.marked.tolist() == [False, True]


def test_the_answers_tell_how_far_to_trust():
    from holmdel.reader_training.train import trust_of

    r = random.Random(0)
    scores = [r.random() for _ in range(300)]
    right = [r.random() < score for score in scores]
    answers = [LineAnswer("1", "1", score, ()) for score in scores]
    trust = trust_of(answers, right)
    assert trust.confidence(0.9) > 0.75
    assert trust.confidence(0.2) < 0.4
    assert trust.curve
    assert trust_of(answers[:50], right[:50]).threshold(0.01) == pytest.approx(0.99)
