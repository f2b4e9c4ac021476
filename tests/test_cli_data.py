"""`holmdel data`: output and exit status."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from holmdel.data import SOURCES, idx


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Without a data set, and with a mirror at which nobody listens."""
    monkeypatch.delenv("HOLMDEL_DATA", raising=False)
    monkeypatch.setenv("HOLMDEL_MIRROR", "http://127.0.0.1:9/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def data(holmdel):
    """Runs `holmdel data` and returns its status, its lines and what it complained of."""

    def call(*words):
        status, out, err = holmdel("data", *words)
        return status, out.splitlines(), err

    return call


@pytest.fixture
def kmnist(tmp_path):
    """A data root with Kuzushiji-MNIST, as far as its form goes: every picture is black."""
    raw = tmp_path / "root" / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for file, count in zip(SOURCES["kmnist"].files, (60_000, 60_000, 10_000, 10_000), strict=True):
        shape = (count, 28, 28) if "images" in file.name else (count,)
        idx.write(raw / file.name, np.zeros(shape, np.uint8))
    return tmp_path / "root"


def test_list_tells_names_and_where_they_are(data, kmnist):
    status, lines, err = data("list", "--data-root", kmnist)
    assert (status, err) == (0, "")
    assert lines[0].split() == ["name", "train", "test", "size", "classes", "where"]
    assert lines[1].split() == [
        "fashion-mnist",
        "60,000",
        "10,000",
        "1x28x28",
        "10",
        "not",
        "found",
    ]
    assert lines[3].split() == [
        "kmnist",
        "60,000",
        "10,000",
        "1x28x28",
        "10",
        f"{kmnist}/KMNIST/raw",
    ]
    assert lines[-1].split()[:3] == ["digits", "1,437", "360"]


def test_list_as_json(data):
    _, lines, _ = data("list", "--json")
    rows = json.loads("".join(lines))
    assert [row["name"] for row in rows][:3] == ["fashion-mnist", "mnist", "kmnist"]
    assert rows[0]["classes"][-1] == "ankle boot"
    assert rows[1] == {
        "name": "mnist",
        "train": 60_000,
        "test": 10_000,
        "size": "1x28x28",
        "classes": list("0123456789"),
        "where": None,
    }


def test_where_prints_the_folder(data, kmnist):
    status, lines, _ = data("where", "kmnist", "--data-root", kmnist)
    assert (status, lines) == (0, [f"{kmnist}/KMNIST/raw"])


def test_where_is_a_mistake_if_it_is_nowhere(data):
    status, lines, err = data("where", "mnist")
    assert (status, lines) == (2, [])
    assert err.startswith("holmdel: MNIST was not found in ")
    assert "`holmdel data fetch mnist` tries to" in err
    assert err.count("\n") == 1


def test_fetch_does_nothing_if_the_set_is_there(data, kmnist):
    status, lines, _ = data("fetch", "kmnist", "--data-root", kmnist)
    assert (status, lines) == (0, [f"{kmnist}/KMNIST/raw"])


def test_fetch_tells_what_to_do_where_no_mirror_answers(data, tmp_path):
    status, lines, err = data("fetch", "mnist", "--data-root", tmp_path / "new")
    assert (status, lines) == (2, [])
    assert "could not be downloaded (http://127.0.0.1:9/MNIST/raw/train-images" in err
    assert f"put them into {tmp_path}/new/MNIST/raw" in err


def test_verify_says_how_far_it_could_look(data, kmnist):
    status, lines, _ = data("verify", "kmnist", "--data-root", kmnist)
    assert status == 0
    assert len(lines) == 4
    assert lines[0].startswith(f"right  {kmnist}/KMNIST/raw/train-images-idx3-ubyte: 60000 images")
    assert lines[0].endswith("no checksum of the plain file is published")


def test_verify_ends_with_1_if_a_file_is_wrong(data, kmnist):
    idx.write(kmnist / "KMNIST/raw/t10k-labels-idx1-ubyte", np.full(10_000, 10, np.uint8))
    status, lines, _ = data("verify", "kmnist", "--data-root", kmnist, "--json")
    assert status == 1
    verdicts = [json.loads(line) for line in lines]
    assert [verdict["right"] for verdict in verdicts] == [True, True, True, False]
    assert set(verdicts[3]) == {"path", "right", "text"}
    assert "label 10 at position 0" in verdicts[3]["text"]


def test_verify_needs_something_to_verify(data):
    status, _, err = data("verify", "mnist")
    assert status == 2
    assert "MNIST was not found in" in err


def test_verify_looks_at_every_picture_of_a_folder(data, tmp_path):
    for split in ("train", "test"):
        for name in ("bolt", "nut"):
            (tmp_path / split / name).mkdir(parents=True)
            Image.new("L", (20, 10)).save(tmp_path / split / name / "0.png")
    assert data("verify", tmp_path)[:2] == (
        0,
        [
            f"right  {tmp_path}/{split}/{name}/0.png: an image of 10x20"
            for split in ("train", "test")
            for name in ("bolt", "nut")
        ],
    )
    Image.new("L", (40, 10)).save(tmp_path / "train/bolt/0.png", dpi=(200, 100))  # as a fax
    assert data("verify", tmp_path)[1][0].endswith("0.png: an image of 20x40")
    (tmp_path / "test/nut/0.png").write_bytes(b"no picture")
    status, lines, _ = data("verify", tmp_path)
    assert status == 1
    assert lines[3].startswith(f"WRONG  {tmp_path}/test/nut/0.png: is not an image")
    assert lines[3].count("0.png") == 1


@pytest.mark.parametrize("verb", ["fetch", "where", "verify"])
def test_digits_have_no_files(data, verb):
    status, lines, _ = data(verb, "digits")
    assert status == 0
    assert lines[0].startswith("digits ship with holmdel")


@pytest.mark.parametrize("verb", ["fetch", "where", "verify"])
def test_an_unknown_name_is_a_mistake(data, verb):
    status, _, err = data(verb, "minst")
    assert status == 2
    assert "given as 'minst'; expected one of fashion-mnist, mnist, kmnist, qmnist" in err
    assert err.endswith("did you mean mnist?\n")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_verify_knows_the_official_files(data, data_root, name):
    status, lines, _ = data("verify", name, "--data-root", data_root)
    assert status == 0
    assert all(line.endswith("the official file, by its SHA-256") for line in lines)


def test_the_documentation_lists_the_same_sets(data):
    _, lines, _ = data("list", "--json")
    text = (Path(__file__).parent.parent / "docs" / "data.md").read_text()
    rows = [row.split(" | ")[:4] for row in text.splitlines() if row.startswith("| `")]
    assert rows == [
        [
            f"| `{row['name']}`",
            f"{row['train']:,} + {row['test']:,}",
            row["size"],
            str(len(row["classes"])),
        ]
        for row in json.loads(lines[0])
    ]
