"""`holmdel read`: output, exit status, resuming, and calibration."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from holmdel.checkpoint import save_line_model
from holmdel.classifier import Failure
from holmdel.networks.line import LineNetwork
from holmdel.reading import ReaderSettings, Reading, read_stream


def write_line(path, text="407"):
    page = Image.new("L", (120, 40), 230)
    ImageDraw.Draw(page).text((10, 4), text, fill=20, font_size=26)
    page.save(path)
    return path


@pytest.fixture
def scans(tmp_path):
    """A folder of 40 lines, one of which is no picture."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(40):
        write_line(folder / f"{number:02}.png", str(number))
    (folder / "17.png").write_text("no picture")
    return folder


def jsonl(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_json_line_has_exactly_the_contracts_fields(holmdel, model, scans):
    words = [scans / "03.png", "--lines", "--model", model, "--format", "jsonl"]
    result = holmdel("read", *words)
    [found] = jsonl(result.out)
    assert list(found) == ["path", "lines"]
    assert found["path"] == str(scans / "03.png")
    [line] = found["lines"]
    assert list(line) == ["text", "confidence", "status", "box", "digits"]
    assert line["status"] in ("read", "reject")
    assert list(line["digits"][0]) == ["char", "confidence", "box"]
    assert (result.status, result.err) == (0, "")


def test_a_table_is_what_people_get(holmdel, model, scans, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    result = holmdel("read", scans / "03.png", scans / "17.png", "--lines", "--model", model)
    assert "confidence" in result.out
    assert str(scans / "03.png") in result.out
    assert "reject" in result.out
    assert "17.png is not an image" in result.out
    assert result.status == 1


def test_a_folder_over_several_processes_says_the_same_in_the_same_order(holmdel, model, scans):
    words = ["read", scans, "--lines", "--model", model, "--format", "jsonl"]
    alone = holmdel(*words, "--jobs", 1)
    shared = holmdel(*words, "--jobs", 2)
    assert jsonl(shared.out) == jsonl(alone.out)
    names = [found["path"].rsplit("/", 1)[1] for found in jsonl(shared.out)]
    assert names == [f"{number:02}.png" for number in range(40)]
    assert list(jsonl(shared.out)[17]) == ["path", "error"]
    assert alone.status == shared.status == 1


def test_a_file_of_answers_is_gone_on_with(holmdel, model, scans, tmp_path):
    words = ["read", scans, "--lines", "--model", model, "--jobs", 1]
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    assert holmdel(*words, "--out", whole).status == 1
    assert len(jsonl(whole.read_text())) == 40
    content = whole.read_bytes()
    part.write_bytes(content[: len(content) * 2 // 3])  # a kill leaves a line half written
    result = holmdel(*words, "--out", part, "--resume")
    assert part.read_bytes() == content
    assert (result.status, result.out) == (1, "")


def test_what_is_done_is_not_read_again(holmdel, model, scans, tmp_path):
    words = ["read", scans, "--lines", "--model", model, "--jobs", 1, "--out", tmp_path / "a.jsonl"]
    holmdel(*words)
    before = (tmp_path / "a.jsonl").read_bytes()
    write_line(scans / "03.png", "999")
    write_line(scans / "99.png", "12")
    holmdel(*words, "--resume")
    after = (tmp_path / "a.jsonl").read_bytes()
    assert after.startswith(before)
    [added] = jsonl(after[len(before) :].decode())
    assert added["path"] == str(scans / "99.png")


def test_a_picture_that_is_given_twice_has_two_answers(holmdel, model, scans, tmp_path):
    out = tmp_path / "a.jsonl"
    words = ["read", scans / "03.png", scans / "03.png", "--lines", "--model", model, "--out", out]
    holmdel(*words)
    lines = out.read_text().splitlines(keepends=True)
    assert len(lines) == 2
    out.write_text(lines[0])
    holmdel(*words, "--resume")
    assert out.read_text() == "".join(lines)


def test_a_file_that_is_there_is_not_written_over(holmdel, model, scans, tmp_path):
    (tmp_path / "a.jsonl").write_text("my notes\n")
    words = ["read", scans, "--model", model, "--out", tmp_path / "a.jsonl"]
    result = holmdel(*words)
    assert "exists already; give --resume to go on, or another --out" in result.err
    assert result.status == 2
    result = holmdel(*words, "--resume")
    assert "line 1 is no answer of `holmdel read`; give another --out" in result.err
    assert (tmp_path / "a.jsonl").read_text() == "my notes\n"


def test_where_others_read_the_command_itself_loads_no_torch(model, scans, tmp_path):
    """Which takes more memory than the pages that it waits for."""
    words = [str(word) for word in ("read", scans, "--model", model, "--jobs", 2)]
    program = (
        "import sys\nfrom holmdel.cli.app import run\n"
        f"try:\n    run({[*words, '--out', str(tmp_path / 'a.jsonl')]})\n"
        "finally:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (1, ["False"]), done.stderr
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 40


def test_a_model_that_is_none_is_said_before_answers_are_begun(holmdel, scans, tmp_path):
    """By the processes that read, too."""
    (tmp_path / "mine.safetensors").write_bytes(b"no model")
    words = ["--model", tmp_path / "mine.safetensors", "--jobs", "2"]
    result = holmdel("read", scans, *words, "--out", tmp_path / "a.jsonl")
    assert "mine.safetensors cannot be read as safetensors" in result.err
    assert result.status == 2
    assert not (tmp_path / "a.jsonl").exists()


class Deadly(str):
    """A path that ends the process it is sent to."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_picture_that_ends_its_process_costs_no_other(model, scans):
    paths = [str(scans / f"{number:02}.png") for number in range(17)]
    paths.insert(9, Deadly("deadly.png"))
    found = list(read_stream(paths, ReaderSettings(model=model, lines=True), jobs=2))
    assert [item.path for item in found] == paths
    assert found[9] == Failure(
        "deadly.png",
        "deadly.png ended the process that read it; its memory did not suffice",
    )
    assert all(isinstance(item, Reading) for number, item in enumerate(found) if number != 9)


def test_pictures_are_drawn_as_they_are_needed(model, scans):
    """Memory stays flat: of ten thousand pictures a few hundred are asked for at a time."""
    drawn = []

    def pictures():
        for number in range(10_000):
            drawn.append(number)
            yield str(scans / "03.png")

    results = read_stream(pictures(), ReaderSettings(model=model, lines=True), jobs=2)
    next(results)
    results.close()
    assert len(drawn) < 500


def test_standard_input_may_be_a_picture(holmdel, model, scans, monkeypatch):
    content = (scans / "03.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    words = ["--lines", "--model", model, "--format", "jsonl"]
    [found] = jsonl(holmdel("read", "-", *words).out)
    [same] = jsonl(holmdel("read", scans / "03.png", *words).out)
    assert found == same | {"path": "-"}


def test_the_steps_can_be_looked_at(holmdel, model, scans, tmp_path):
    (scans / "more").mkdir()
    write_line(scans / "more" / "03.png")
    words = [scans / "03.png", scans / "more" / "03.png", "--lines", "--model", model]
    assert holmdel("read", *words, "--show", tmp_path / "seen").status == 0
    names = sorted(path.name for path in (tmp_path / "seen").iterdir())
    drawn = ["01-alignment-1.png", "02-network-1.png"]
    assert names == [*(f"03-{name}" for name in drawn), *(f"03-2-{name}" for name in drawn)]
    with Image.open(tmp_path / "seen" / names[0]) as picture:
        assert np.asarray(picture).min() < 100


@pytest.fixture
def labelled(tmp_path, scans):
    """The folder of scans with a truth: 40 strings without the one that is no picture."""
    (scans / "17.png").unlink()
    rows = [f"{number:02}.png\t{number}" for number in range(40) if number != 17]
    (scans / "truth.tsv").write_text("\n".join(["file\tdigits", *rows]) + "\n")
    return scans


def test_a_calibration_is_taken_by_later_readings(holmdel, model, labelled):
    words = [labelled / "03.png", "--lines", "--model", model, "--format", "jsonl"]
    [before] = jsonl(holmdel("read", *words).out)
    result = holmdel(
        "read", "--calibrate", labelled, "--jobs", 1, "--model", model, "--max-error", 0.5
    )
    assert "39 strings, " in result.err
    assert "\nunder --max-error 0.5 what is surer than" in result.err
    assert result.err.splitlines()[-5].startswith("--max-error   surer than   right")
    assert "reader-trust.json" in result.err
    assert (result.status, result.out) == (0, "")
    [after] = jsonl(holmdel("read", *words).out)
    assert after["lines"][0]["text"] == before["lines"][0]["text"]
    assert after["lines"][0]["confidence"] != before["lines"][0]["confidence"]


@pytest.mark.parametrize(
    ("curve", "sentence"),
    [
        (
            [[0.9, 0.005], [0.0, 0.01]],
            "read worse than the reader promises by itself, so they alone",
        ),
        ([[0.0, 1.0]], "as well as the reader promises by itself, so that counts as 100 strings"),
    ],
)
def test_a_calibration_says_whether_the_model_s_own_promise_holds(
    holmdel, labelled, tmp_path, curve, sentence
):
    path = tmp_path / "own.safetensors"
    save_line_model(path, LineNetwork(), {"slope": 0.1, "offset": 9.0, "curve": curve})
    result = holmdel("read", "--calibrate", labelled, "--jobs", 1, "--model", path)
    assert sentence in result.err
    assert "under --max-error 0.01 all is rejected (the reader by itself: " in result.err
    assert "for so few errors there are too few strings" in result.err
    assert result.status == 0


def test_rejected_lines_alone_are_no_fair_sample(holmdel, model, labelled):
    rows = (labelled / "truth.tsv").read_text().splitlines()
    said = ["status", *("reject" for _ in rows[1:])]
    marked = "".join(f"{row}\t{word}\n" for row, word in zip(rows, said, strict=True))
    (labelled / "truth.tsv").write_text(marked)
    result = holmdel("read", "--calibrate", labelled, "--jobs", 1, "--model", model)
    assert "all of them were rejected when they were read" in result.err
    assert "review with --all to calibrate" in result.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no image was given; expected PATH..., or --calibrate DIR"),
        (["nil.png"], "there is no file nil.png; expected images"),
        (
            ["a.png", "--format", "xml"],
            "--format was given as 'xml'; choose from table, jsonl, csv",
        ),
        (
            ["a.png", "--format", "jsonl", "--out", "a.csv"],
            "--format jsonl was given with --out a.csv; leave one of them out",
        ),
        (
            ["a.png", "--resume", "--out", "a.csv"],
            "--resume was given with --out a.csv; a table is written whole at the end",
        ),
        (
            ["a.png", "--resume", "--out", "a.jsonl", "--report", "a.html"],
            "--report was given with --resume, which reads what is left; give one",
        ),
        (["a.png", "--resume"], "--resume was given without --out; say which file to go on with"),
        (
            ["a.png", "--format", "table", "--out", "a.jsonl"],
            "--format table was given with --out, which writes JSON lines",
        ),
        (["a.png", "--pattern", "words"], "pattern"),
        (["a.png", "--pattern", "date:dym"], "has no order of day, month and year"),
        (["a.png", "--pattern", "luhn:[1-9]"], "fits no string"),
        (["a.png", "--pattern", "list:codes.txt"], "names a list that cannot be read"),
        (["a.png", "--pattern", "list:"], "pattern 'list:' names no file; expected list:FILE"),
        (["a.png", "--out", ""], "--out was given an empty value; say one, or leave it out"),
        (["a.png", "--report="], "--report was given an empty value; say one, or leave it out"),
        (["a.png", "--report= "], "--report was given an empty value; say one, or leave it out"),
        (["a.png", "--ray", ""], "--ray was given an empty value; say one, or leave it out"),
        ([""], "an empty argument was given to read; say one, or leave it out"),
        (["a.png", "--", " "], "an empty argument was given to read; say one, or leave it out"),
        (["a.png", "--pattern=list:codes="], "names a list that cannot be read"),
        (["a.png", "--max-error", "2"], "max_error was given as 2.0; expected a number"),
        (["--calibrate", "nil"], "there is no file nil/truth.tsv"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(holmdel, model, words, sentence):
    result = holmdel("read", *words, "--model", model)
    assert sentence in result.err
    assert result.err.count("\n") == 1
    assert (result.status, result.out) == (2, "")


def test_what_follows_two_dashes_is_a_file(holmdel, model):
    assert "there is no file --nil=;" in holmdel("read", "--model", model, "--", "--nil=").err
