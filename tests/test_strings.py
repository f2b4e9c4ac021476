"""Synthetic strings: the same for the same seed, of every kind, dark ink on lighter paper."""

import hashlib
import os
import random
import re
import subprocess
import sys
from importlib import resources
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from holmdel.alphabet import ALPHABET, DIGITS
from holmdel.data import idx
from holmdel.errors import UserError
from holmdel.reader_training.batches import learnable
from holmdel.reader_training.synthesis.hands import hands, some_hands
from holmdel.reader_training.synthesis.lines import TALL, Placed
from holmdel.reader_training.synthesis.source import DigitFiles, StringSource, find_digits
from holmdel.reader_training.synthesis.surroundings import (
    AROUND,
    CELLS,
    Cells,
    surround,
    with_walls,
)
from holmdel.reader_training.synthesis.writers import Specimens, draw_writer, write

EACH = 12  # drawn digits of each kind
SHA = "import sys, hashlib; from itertools import islice; from pathlib import Path\n"
SHA += "from holmdel.reader_training.synthesis.source import *\n"
SHA += "s = StringSource(find_digits(sys.argv[1])[0], 5)\n"
SHA += "print(hashlib.sha256(b''.join(p.tobytes() + t.encode() for p, t in islice(s(2), 20)))"
SHA += ".hexdigest())"


def drawn_digits() -> tuple[np.ndarray, np.ndarray]:
    """Returns digits of drawn shapes as MNIST holds its own: (N, 28, 28) and (N,)."""
    rng, r = np.random.default_rng(0), random.Random(0)
    nothing = Specimens(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
    pictures = np.zeros((10 * EACH, 28, 28), np.uint8)
    labels = np.tile(np.arange(10, dtype=np.uint8), EACH)
    for picture, label in zip(pictures, labels, strict=True):
        writer = draw_writer(nothing, str(label), rng, r, 1.0)
        ink = write(writer, str(label), 18, nothing, rng, r).ink[:26, :26]
        picture[1 : 1 + ink.shape[0], 1 : 1 + ink.shape[1]] = ink
    return pictures, labels


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a data root with MNIST's files, of drawn digits."""
    root = tmp_path_factory.mktemp("data")
    pictures, labels = drawn_digits()
    for split in ("train", "t10k"):
        idx.write(root / "MNIST" / "raw" / f"{split}-images-idx3-ubyte", pictures)
        idx.write(root / "MNIST" / "raw" / f"{split}-labels-idx1-ubyte", labels)
    return root


@pytest.fixture
def source(root) -> StringSource:
    return StringSource(find_digits(root)[0], seed=5)


def digest(samples) -> str:
    data = b"".join(picture.tobytes() + text.encode() for picture, text in samples)
    return hashlib.sha256(data).hexdigest()


def test_a_stream_is_the_same_every_time(source):
    first = digest(islice(source(2), 20))
    assert digest(islice(source(2), 20)) == first
    assert digest(islice(source(3), 20)) != first
    assert digest(islice(StringSource(source.digits, 6)(2), 20)) != first
    assert digest(islice(source.reseeded("held out")(2), 20)) != first


def test_a_stream_is_the_same_under_another_hash_seed(source, root):
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SHA, str(root)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == digest(islice(source(2), 20))


def test_pictures_are_dark_ink_on_lighter_paper(source):
    for picture, text in islice(source(0), 100):
        assert picture.dtype == np.uint8
        assert picture.ndim == 2
        assert min(picture.shape) >= 8
        assert set(text) <= set(ALPHABET)
        paper, ink = np.median(picture), np.percentile(picture, 2)
        assert ink < paper or not text


def test_there_are_samples_of_every_kind(source):
    texts = [text for _, text in islice(source(1), 600)]
    assert "" in texts
    assert all(any(mark in text for text in texts) for mark in ALPHABET)
    lengths = {sum(character in DIGITS for character in text) for text in texts}
    assert set(range(1, 9)) <= lengths
    assert any(text.isdigit() for text in texts)


def test_every_kind_of_text_is_written(source):
    texts = [text for _, text in islice(source(4), 1500)]
    kinds = {
        "a date": r"\d{1,2}([/.:,-])\d{1,2}\1\d{4}",
        "a time": r"\d{1,2}:\d\d",
        "no cents": r"\d+[,.]?/[-=]",
        "cents as a fraction": r"\d+[.-]?/100",
        "letters before": r"\?+[$\d][\d.,]+[.=-]*",
        "words": r"\?{3,}",
        "a frame": r"\|\d+\|",
        "a comb": r"\|(\d\|){4,}",
        "boxes": r"\|(\d\|\|){4,}\d\|",
        "an empty comb": r"\|{3,}",
        "long": r"\d{25,40}",
    }
    for kind, form in kinds.items():
        assert any(re.fullmatch(form, text) for text in texts), kind


def test_nearly_all_lines_can_be_learned(source):
    samples = list(islice(source(6), 300))
    assert sum(learnable(picture, text) for picture, text in samples) > 290
    assert max(len(text) for _, text in samples) > 20


@pytest.mark.parametrize("kind", sorted({*CELLS, *AROUND}))
def test_walls_stand_where_the_text_says(kind):
    placed = [Placed(character, 60 * n + 30, 60 * n + 60) for n, character in enumerate("407")]
    for seed in range(20):
        cells = Cells(3, 60, 15)
        printed, walls = surround(kind, placed, cells, (TALL, 300), random.Random(seed))
        text = with_walls(placed, walls)
        assert re.sub(r"\|", "", text) == "407"
        assert text.count("|") == len(walls) > 0
        for x in map(round, walls):
            assert (printed[:, max(0, x - 6) : x + 7].max(1) > 0).sum() > 8
        if kind == "frame":
            assert text == "|407|"
        if kind == "boxes":
            assert (text[:3], text[-3:]) == ("|4|", "|7|")


def test_hands_have_every_digit_and_name_their_makers():
    assert len(hands()) > 60
    assert all(set(ALPHABET[:13]) <= hand.glyphs.keys() for hand in hands())
    named = resources.files("holmdel.reader_training.synthesis") / "hands.LICENSE.md"
    licences = named.read_text("utf-8")
    assert sum(line.startswith("| ") for line in licences.splitlines()) == len(hands()) + 2
    assert "SIL OPEN FONT LICENSE Version 1.1" in licences
    assert "Apache License" in licences


def test_lines_held_out_are_written_by_other_hands():
    learned, unseen = (some_hands(unseen=held) for held in (False, True))
    assert len(unseen) == 8
    assert {id(hand) for hand in (*learned, *unseen)} == {id(hand) for hand in hands()}
    assert not {id(hand) for hand in learned} & {id(hand) for hand in unseen}


def test_a_hand_keeps_its_shape_and_width():
    hand = hands()[3]
    rng, r = np.random.default_rng(0), random.Random(0)
    writer = draw_writer(None, "08", rng, r, 0.0, hand, 1.0)
    glyphs = [write(writer, character, 44, None, rng, r) for character in "08" * 5]
    for glyph in glyphs:
        assert glyph.ink.max() == 255
        assert glyph.height == pytest.approx(44, rel=0.3)
        assert glyph.ink.shape == pytest.approx((glyph.height + 6, glyph.width + 6), abs=2)


def test_mnist_knows_its_writers_where_qmnist_is(root, tmp_path):
    assert find_digits(root)[0].writers is None
    digits = find_digits(root)[0]
    _, labels = drawn_digits()
    rows = np.zeros((len(labels), 8), np.int32)
    rows[:, 0], rows[:, 2] = labels, np.arange(len(labels)) // 60
    path = tmp_path / "qmnist-train-labels-idx2-int.gz"
    idx.write(path, rows)
    known = DigitFiles(digits.images, digits.labels, path).specimens()
    assert known.writers is not None
    assert len(known.by_writer) == 2


def test_writers_of_other_digits_are_refused(root, tmp_path):
    digits = find_digits(root)[0]
    rows = np.zeros((10 * EACH, 8), np.int32)
    path = tmp_path / "labels.gz"
    idx.write(path, rows)
    with pytest.raises(UserError, match="says that digit 1 is 0, where MNIST says 1; expected"):
        DigitFiles(digits.images, digits.labels, path).specimens()
    idx.write(path, rows[:5])
    with pytest.raises(UserError, match="holds 5x8 numbers; expected QMNIST's labels, 120 rows"):
        DigitFiles(digits.images, digits.labels, path).specimens()


def test_training_and_test_strings_are_of_other_digits(data_root):
    train, test = find_digits(data_root)
    assert (train.images.name[:5], test.images.name[:4]) == ("train", "t10k")
    assert len(train.specimens().labels) == 60_000
    assert len(test.specimens().labels) == 10_000
