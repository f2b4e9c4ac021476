"""Evaluation of a reader on labelled strings, some figures computed by hand."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from holmdel.checkpoint import save_line_model
from holmdel.errors import UserError
from holmdel.networks.line import LineNetwork
from holmdel.reading import Assessment, Said, read_labelled
from holmdel.reading.assessment import NONE, align_texts


@pytest.fixture
def strings():
    """Ten strings: seven right, three wrong, of which the surest is surer than five right ones."""
    right = [Said("12", "12", c, "read" if c > 0.8 else "reject") for c in (0.99, 0.95, 0.9, 0.85)]
    right += [Said("7", "7", c, "reject") for c in (0.6, 0.5, 0.4)]
    wrong = [Said("407", "47", 0.93, "read"), Said("9", "4", 0.3, "reject")]
    return Assessment((*right, *wrong, Said("55", "", 0.0, "reject")))


def test_read_right_read_wrongly_and_rejected_are_all_strings(strings):
    assert strings.count == 10
    assert strings.correct == pytest.approx(0.4)
    assert strings.error == pytest.approx(0.1)
    assert strings.reject == pytest.approx(0.5)
    assert strings.right == pytest.approx(0.7)


def test_what_can_be_read_at_an_error_rate(strings):
    assert strings.correct_at(0.0) == pytest.approx(0.2)  # the two above the first mistake
    assert strings.correct_at(0.01) == pytest.approx(0.2)
    assert strings.correct_at(0.1) == pytest.approx(0.7)
    assert Assessment((Said("1", "2", 0.9, "read"),)).correct_at(0.01) == 0.0


def test_strings_of_one_confidence_are_read_or_rejected_together():
    same = Assessment((Said("1", "1", 0.9, "read"), Said("1", "2", 0.9, "read")))
    assert same.curve == [(0.9, 0.5, 0.5)]
    assert same.correct_at(0.01) == 0.0


def test_the_calibration_error_by_hand():
    """0.95 three times, two right: a gap of 0.283 for three; 0.2, wrong: 0.2 for one of four."""
    said = [Said("1", text, 0.95, "read") for text in "112"] + [Said("1", "2", 0.2, "read")]
    gaps = 3 * abs(0.95 - 2 / 3) + abs(0.2 - 0)
    assert Assessment(tuple(said)).ece == pytest.approx(gaps / 4)


@pytest.mark.parametrize(
    ("truth", "read", "pairs"),
    [
        ("12", "12", [(1, 1), (2, 2)]),
        ("407", "47", [(4, 4), (0, NONE), (7, 7)]),
        ("47", "417", [(4, 4), (NONE, 1), (7, 7)]),
        ("9", "4", [(9, 4)]),
        ("5", "", [(5, NONE)]),
        ("", "5", [(NONE, 5)]),
    ],
)
def test_digits_are_aligned_by_the_fewest_edits(truth, read, pairs):
    assert align_texts(truth, read) == pairs


def test_the_confusion_counts_what_was_left_out(strings):
    table = strings.confusion
    assert table[4, 4] == 1
    assert table[0, NONE] == 1
    assert table[9, 4] == 1
    assert table[5, NONE] == 2
    assert strings.most_confused(2) == [("5", "none", 2), ("0", "none", 1)]


def test_the_worst_mistakes_are_the_surest(strings):
    assert [strings.strings[number].confidence for number in strings.worst(2)] == [0.93, 0.3]


@pytest.fixture
def reader(tmp_path):
    """The file of an untrained reader."""
    torch.manual_seed(0)
    path = tmp_path / "line.safetensors"
    save_line_model(path, LineNetwork(), None)
    return path


@pytest.fixture
def labelled(tmp_path):
    """Three labelled pictures, in the folder's `images`."""
    folder = tmp_path / "labelled"
    (folder / "images").mkdir(parents=True)
    for number in range(3):
        page = Image.new("L", (90, 40), 230)
        ImageDraw.Draw(page).text((10, 5), f"{number}47", fill=20, font_size=24)
        page.save(folder / "images" / f"{number}.png")
    rows = ["file\tdigits\tby", *(f"{n}.png\t{n}47\tme" for n in range(3))]
    (folder / "truth.tsv").write_text("\n".join(rows) + "\n")
    return folder


def test_the_command_prints_json(holmdel, reader, labelled):
    words = ["--strings", labelled, "--pattern", "digits", "--json"]
    found = json.loads(holmdel("evaluate", reader, *words).out)
    assert found["count"] == 3
    assert found["correct"] + found["error"] + found["reject"] == pytest.approx(1)
    assert np.array(found["confusion"]).shape == (11, 11)
    assert np.array(found["confusion"])[:10].sum() == 9  # every true digit
    assert {"right", "correct_at_1", "ece", "curve"} <= found.keys()


def test_the_command_prints_lines_and_draws_pictures(holmdel, reader, labelled, tmp_path):
    words = ["--strings", labelled, "--pattern", "digits", "--out", tmp_path / "out"]
    result = holmdel("evaluate", reader, *words)
    assert result.status == 0
    assert "of 3 strings under --max-error 0.01" in result.out
    assert "correct at 1 % error" in result.out
    for name in ("curve", "confusion", "mistakes"):
        with Image.open(tmp_path / "out" / f"{name}.png") as picture:
            assert picture.width > 300
        assert (tmp_path / "out" / f"{name}.svg").is_file()


def test_the_worst_mistakes_of_faxes_are_drawn_with_square_pixels(
    holmdel, reader, labelled, tmp_path
):
    sheets = []
    for name, stretch in (("plain", 1), ("fax", 2)):
        for path in (labelled / "images").glob("*.png"):
            with Image.open(path) as line:
                wide = line.resize((line.width * stretch, line.height), Image.Resampling.NEAREST)
            wide.save(path, dpi=(100 * stretch, 100))
        words = ["--strings", labelled, "--pattern", "digits", "--out", tmp_path / name]
        assert holmdel("evaluate", reader, *words).status == 0
        with Image.open(tmp_path / name / "mistakes.png") as sheet:
            inks = np.asarray(sheet.convert("L"))[80:] < 100  # without the captions
            sheets.append(np.flatnonzero(inks.any(axis=0)))
    plain, fax = sheets
    assert abs(plain[0] - fax[0]) <= 2
    assert abs(plain[-1] - fax[-1]) <= 2


def test_a_reader_needs_strings(holmdel):
    result = holmdel("evaluate", "reader")
    assert "a reader is measured on labelled strings; give --strings DIR" in result.err
    assert result.status == 2


def test_a_picture_that_cannot_be_used_is_named(holmdel, reader, labelled):
    (labelled / "images" / "1.png").write_text("no picture")
    result = holmdel("evaluate", reader, "--strings", labelled)
    assert "1.png is not an image" in result.err
    assert result.status == 2


def test_a_labelled_folder_is_read_in_order(labelled):
    strings = read_labelled(labelled)
    assert [(string.path.name, string.text) for string in strings] == [
        ("0.png", "047"),
        ("1.png", "147"),
        ("2.png", "247"),
    ]


def test_a_table_of_files_and_digits_needs_no_head(labelled):
    (labelled / "truth.tsv").write_text("0.png\t047\n2.png\t247\n", encoding="utf-8-sig")
    strings = read_labelled(labelled)
    assert [(string.path.name, string.text) for string in strings] == [
        ("0.png", "047"),
        ("2.png", "247"),
    ]


def test_pictures_may_lie_beside_the_truth(labelled):
    (labelled / "images" / "0.png").rename(labelled / "0.png")
    assert read_labelled(labelled)[0].path == labelled / "0.png"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no file .*truth.tsv; expected one with a line a picture"),
        ("name\ttext\n", "has no column file and no column digits; expected a first line"),
        ("file\ttext\n", "has no column digits; expected a first line"),
        ("0.png\t047\n9.png\t147\n", "line 2, column 1: there is no picture '9.png' in"),
        ("file\tdigits\n", "has no line below its head"),
        ("file\tdigits\n9.png\t1\n", "line 2, column 1: there is no picture '9.png' in"),
        (
            "file\tdigits\n0.png\t1,50\n",
            "line 2, column 7: the digits are given as '1,50'",
        ),
        ("file\tdigits\n0.png\n", "line 2, column 7: the digits are given as ''; expected 0 to 9"),
        ("file\tdigits\n0.png\t" + "1" * 200_000, "line 2, column 7: 200,000 digits are given"),
        ("file\tdigits\n" + "n" * 5_000, "line 2, column 1: the file's name of 5,000 characters"),
        (b"file\tdigits\n0.png\t\xff\n", "cannot be read .* expected tabs and UTF-8"),
    ],
)
def test_a_mistake_in_the_truth_is_a_sentence(labelled, content, sentence):
    path = labelled / "truth.tsv"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=sentence):
        read_labelled(labelled)
