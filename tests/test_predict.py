"""`holmdel predict`: images in, a table, CSV or JSON out."""

import csv
import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import holmdel as package

CLASSES = tuple("abcdefghij")


@pytest.fixture
def scans(tmp_path):
    """A folder with a folder in it: four pictures, a hidden one, and a text."""
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    for name in ["b.png", "a.PNG", "c.jpg", "more/a.png", ".hidden.png"]:
        page = np.full((40, 40), 230, np.uint8)
        page[8:30, 10 : 14 + len(name)] = 20
        Image.fromarray(page).save(folder / name)
    (folder / "notes.txt").write_text("seven")
    return folder


@pytest.fixture
def stdin(monkeypatch):
    """Returns a function that sets what stands on standard input."""

    def give(content: bytes):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    return give


def jsonl(result):
    return [json.loads(line) for line in result.out.splitlines()]


def test_a_json_line_has_exactly_the_contracts_fields(holmdel, run_folder, scans):
    result = holmdel("predict", run_folder, scans / "b.png", "--format", "jsonl", "--top", 2)
    [line] = jsonl(result)
    assert list(line) == ["path", "label", "index", "probability", "top", "found"]
    assert line["found"] == "one"
    assert line["path"] == str(scans / "b.png")
    assert line["label"] == CLASSES[line["index"]]
    assert line["top"][0] == {"label": line["label"], "probability": line["probability"]}
    assert len(line["top"]) == 2
    assert (result.status, result.err) == (0, "")


def test_a_folder_is_searched_through_by_name(holmdel, run_folder, scans):
    (scans / "less").mkdir()
    (scans / "less" / "a.png").write_bytes((scans / "b.png").read_bytes())
    lines = jsonl(holmdel("predict", run_folder, scans, "--format", "jsonl"))
    names = ["a.PNG", "b.png", "c.jpg", "less/a.png", "more/a.png"]
    assert [line["path"] for line in lines] == [str(scans / name) for name in names]


def test_a_quoted_pattern_is_expanded(holmdel, run_folder, scans):
    lines = jsonl(holmdel("predict", run_folder, f"{scans}/**/*.png", "--format", "jsonl"))
    assert [line["path"] for line in lines] == [str(scans / "b.png"), str(scans / "more/a.png")]


def test_a_bad_picture_has_its_own_line_and_the_rest_goes_on(holmdel, run_folder, scans):
    words = [scans / "notes.txt", scans / "none.png", scans / "b.png"]
    result = holmdel("predict", run_folder, *words, "--format", "jsonl")
    notes, none, good = jsonl(result)
    assert list(notes) == ["path", "error"]
    assert "notes.txt is not an image" in notes["error"]
    assert "there is no file" in none["error"]
    assert good["path"] == str(scans / "b.png")
    assert result.status == 1


def test_a_blank_picture_has_a_line_that_says_so(holmdel, run_folder, scans, tmp_path):
    Image.new("L", (90, 60), 250).save(tmp_path / "blank.png")
    for form in ("jsonl", "csv", "table"):
        words = ["--format", form, "--show", "seen"]
        result = holmdel("predict", run_folder, tmp_path / "blank.png", scans / "b.png", *words)
        assert "nothing was found on" in " ".join(result.out.split())
        assert result.status == 1
    [blank, good] = jsonl(
        holmdel("predict", run_folder, tmp_path / "blank.png", scans / "b.png", "--format", "jsonl")
    )
    assert blank == {
        "path": str(tmp_path / "blank.png"),
        "error": f"nothing was found on {tmp_path / 'blank.png'}; expected a digit or an object on "
        "a plain ground",
    }
    assert good["path"] == str(scans / "b.png")


def test_two_digits_are_told_and_the_larger_one_named(holmdel, run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    page = np.full((60, 90), 240, np.uint8)
    page[10:50, 20:26] = page[14:50, 60:68] = 20
    Image.fromarray(page).save(tmp_path / "11.png")
    words = ["predict", run_folder, tmp_path / "11.png"]
    [both] = jsonl(holmdel(*words, "--format", "jsonl"))
    assert both["found"] == "several"
    Image.fromarray(page[:, 40:]).save(tmp_path / "11.png")
    [alone] = jsonl(holmdel(*words, "--format", "jsonl"))
    assert alone == both | {"found": "one"}
    Image.fromarray(page).save(tmp_path / "11.png")
    assert "the largest of several" in holmdel(*words).out


def test_csv_has_a_head_and_a_column_for_errors(holmdel, run_folder, scans):
    result = holmdel("predict", run_folder, scans / "b.png", scans / "notes.txt", "--format", "csv")
    good, bad = csv.DictReader(io.StringIO(result.out))
    assert list(good) == ["path", "label", "index", "probability", "top", "error", "found"]
    assert (good["found"], bad["found"]) == ("one", "")
    assert good["label"] == CLASSES[int(good["index"])]
    assert good["error"] == ""
    assert "is not an image" in bad["error"]
    assert bad["label"] == ""
    assert result.status == 1


def test_a_table_is_what_people_get(holmdel, run_folder, scans, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    result = holmdel("predict", run_folder, scans, scans / "notes.txt")
    assert "probability" in result.out
    assert str(scans / "more" / "a.png") in result.out
    assert "is not an image" in result.out
    assert result.status == 1


def test_standard_input_may_be_a_picture(holmdel, run_folder, scans, stdin):
    stdin((scans / "b.png").read_bytes())
    [line] = jsonl(holmdel("predict", run_folder, "-", "--format", "jsonl"))
    [same] = jsonl(holmdel("predict", run_folder, scans / "b.png", "--format", "jsonl"))
    assert line == same | {"path": "-"}


def test_standard_input_may_be_a_list_of_paths(holmdel, run_folder, scans, stdin):
    paths = [str(scans / name) for name in ("c.jpg", "b.png", "none.png")]
    stdin("\r\n".join(paths).encode())
    result = holmdel("predict", run_folder, "-", "--format", "jsonl")
    assert [line["path"] for line in jsonl(result)] == paths
    assert result.status == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\n"])
def test_empty_standard_input_is_an_unusable_picture(holmdel, run_folder, stdin, content):
    stdin(content)
    result = holmdel("predict", run_folder, "-", "--format", "jsonl")
    [line] = jsonl(result)
    assert line["path"] == "-"
    assert "is empty" in line["error"]
    assert result.status == 1


def test_what_the_network_saw_can_be_saved_and_fed_back(holmdel, run_folder, scans, tmp_path):
    seen = tmp_path / "seen"
    first = jsonl(holmdel("predict", run_folder, scans, "--format", "jsonl", "--show", seen))
    assert sorted(p.name for p in seen.iterdir()) == ["a-2.png", "a.png", "b.png", "c.png"]
    with Image.open(seen / "a.png") as picture:
        assert picture.size == (28, 28)
    again = jsonl(holmdel("predict", run_folder, seen, "--format", "jsonl"))
    order = {"a.png": 0, "b.png": 1, "c.png": 2, "a-2.png": 3}
    for line in again:
        before = first[order[line["path"].rsplit("/", 1)[1]]]
        assert line["probability"] == pytest.approx(before["probability"], abs=1e-6)


def test_more_pictures_than_a_page_and_a_batch(holmdel, run_folder, scans, stdin):
    stdin(f"{scans / 'b.png'}\n".encode() * 300)
    result = holmdel("predict", run_folder, "-", "--format", "csv")
    assert len(result.out.splitlines()) == 1 + 300
    stdin(f"{scans / 'b.png'}\n".encode() * 300)
    assert holmdel("predict", run_folder, "-").out.count("probability") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nil.pdf#3"], "there is no file nil.pdf; expected images"),
        (["none.png", "nil.png"], "there is no file none.png nor nil.png; expected images"),
        (["*.png"], "no file matches the pattern *.png; check it, and quote it"),
        (["."], "the folder . holds no images; expected files ending in .png .jpg"),
        (["--format", "xml", "."], "--format was given as 'xml'; choose from table, jsonl, csv"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(holmdel, run_folder, words, sentence):
    result = holmdel("predict", run_folder, *words)
    assert sentence in result.err
    assert result.err.count("\n") == 1
    assert (result.status, result.out) == (2, "")


def test_an_unknown_model_is_a_mistake(holmdel, scans):
    result = holmdel("predict", "lenet-7", scans)
    assert "there is no model lenet-7; expected a run folder" in result.err
    assert result.status == 2


def test_show_needs_a_folder_that_can_be_written_to(holmdel, run_folder, scans):
    result = holmdel("predict", run_folder, scans, "--show", scans / "b.png")
    assert "cannot be written" in result.err
    assert "give --show a folder" in result.err
    assert result.status == 2


def test_the_old_names_of_what_is_predicted_and_read_work_and_warn():
    image = np.zeros((28, 28), np.uint8)
    stored = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
    classifier = package.load("lenet-mnist")
    for call, old, new, value in (
        (classifier.predict, "pictures", "images", image),
        (classifier.predict_each, "pictures", "images", [image]),
        (classifier.logits, "pictures", "images", stored),
        (package.read, "picture", "image", image),
        (package.Reader().read, "picture", "image", image),
        (package.Reader().read_each, "pictures", "images", [image]),
    ):
        with pytest.warns(DeprecationWarning, match=f"'{old}' of {call.__name__} is now '{new}'"):
            call(**{old: value})
