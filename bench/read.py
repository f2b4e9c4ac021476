"""What the reader reads of real paper: cheques, photographs, a form, digits; and how fast.

    python bench/read.py [--model FILE] [--pattern amount] [--record] [--record-speed]

The data lie in $HOLMDEL_DATA. Tesseract is measured beside it where its command is installed.
Shares have a 95 % interval. What the audit corrects is in bench/audit-cheques.tsv.
"""

import argparse
import csv
import gzip
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

import holmdel
from holmdel.checkpoint import load_line_model
from holmdel.images import decode
from holmdel.reading import Assessment, Reader, Said, Trust, fit_trust, read_labelled
from holmdel.reading.line import LineReader
from holmdel.reading.model_file import model_file
from holmdel.reading.patterns import parse_pattern
from other_readers import tesseract
from record import record
from scores import Share, bootstrap, match_lines, wilson

AUDIT = Path(__file__).with_name("audit-cheques.tsv")
TWELVE = 12_000_000  # pixels
ROUNDS = 3


def audited(files: Sequence[str], truth: Sequence[str]) -> list[str]:
    """Returns the truth with the corrections of the audit."""
    with AUDIT.open(encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    texts = []
    for name, text in zip(files, truth, strict=True):
        row = rows.pop(name, None)
        assert row is None or row["from"] == text, f"{name}: the audit corrects another truth"
        texts.append(row["to"] if row else text)
    return texts


def assessed(truth: Sequence[str], texts: Sequence[str], sure: Sequence[float]) -> Assessment:
    """Returns the assessment of texts of some confidence."""
    rows = zip(truth, texts, sure, strict=True)
    return Assessment(tuple(Said(t, text, c, "read", c) for t, text, c in rows))


def crossed(found: Assessment) -> Assessment:
    """Returns the assessment where each half's confidence was fitted to the other half."""
    strings = list(found.strings)
    halves = [range(0, len(strings) // 2), range(len(strings) // 2, len(strings))]
    for own, other in (halves, halves[::-1]):
        learnt = [found.strings[n] for n in other]
        trust = fit_trust([s.score for s in learnt], [s.right for s in learnt])
        for n in own:
            s = found.strings[n]
            strings[n] = Said(s.truth, s.text, trust.confidence(s.score), s.status, s.score)
    return Assessment(tuple(strings))


def cheques(root: Path, model: Path, pattern: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Prints and returns what is read of the cheques with and without views, and lines a second."""
    strings = read_labelled(root / "strings" / "cheques")
    truth = [string.text for string in strings]
    corrected = audited([string.path.name for string in strings], truth)
    pictures = [decode(string.path, 1)[:, :, 0] for string in strings]
    network, kept = load_line_model(model)
    trust = Trust.from_json(kept) if kept else Trust()
    reader, allowed = LineReader(network), parse_pattern(pattern)
    reader.answers(pictures[:64], allowed)
    figures: dict[str, Any] = {}
    speeds: dict[str, int] = {}
    for name, views in (("one view", 1), ("views", None)):
        began = time.process_time()
        answers = reader.answers(pictures, allowed, views=views)
        speed = len(pictures) / (time.process_time() - began)
        texts = [answer.text for answer in answers]
        scores = [replace(answer, fit=1).claim(trust.growth) for answer in answers]
        raw, audit = assessed(truth, texts, scores), assessed(corrected, texts, scores)
        own = assessed(corrected, texts, [trust.confidence(score) for score in scores])
        figures[name] = {
            "right": wilson(raw.right, raw.count),
            "right, audited": wilson(audit.right, audit.count),
            "correct at 1 % error": wilson(raw.correct_at(0.01), raw.count),
            "correct at 1 % error, audited": wilson(audit.correct_at(0.01), audit.count),
            "calibration error": bootstrap(own),
            "calibration error, fitted to the other half": bootstrap(crossed(audit)),
        }
        speeds[name] = round(speed)
        _show(f"cheques, {name}", figures[name] | {"lines a second": speeds[name]})
    if (theirs := tesseract(pictures, "7")) is None:
        print("cheques, Tesseract: skipped, the command `tesseract` is not installed")
    else:
        right = sum(a == b for a, b in zip(theirs, truth, strict=True)) / len(truth)
        figures["Tesseract"] = {"right": wilson(right, len(truth))}
        _show("cheques, Tesseract", figures["Tesseract"])
    return figures, speeds


def photographs(root: Path, model: Path) -> dict[str, Any]:
    """Prints and returns which lines are found and right on the photographs and the form."""
    folder = root / "strings" / "photos"
    known = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    form = known.pop("nist_form.jpg")
    fields = [text for row in form["rows"] for text in row] + [form["zip_field_by_eye"]]
    pages = {name: row["lines"] for name, row in known.items()} | {"nist_form.jpg": fields}
    reader = Reader(model)
    said = {n: [line.text for line in reader.read(folder / n).lines] for n in pages}
    figures = {"holmdel": _pages(pages, said)}
    greys = {name: decode(folder / name, 1)[:, :, 0] for name in pages}
    texts = tesseract(list(greys.values()), "6")
    if texts is not None:
        split = {name: text.split() for name, text in zip(greys, texts, strict=True)}
        figures["Tesseract"] = _pages(pages, split)
    for name, row in figures.items():
        _show(f"photographs and form, {name}", row)
    return figures


def _pages(pages: dict[str, list[str]], said: dict[str, list[str]]) -> dict[str, Share]:
    form = match_lines(pages["nist_form.jpg"], said["nist_form.jpg"])
    rest = [match_lines(pages[n], said[n]) for n in pages if n != "nist_form.jpg"]
    lines = sum(len(pages[n]) for n in pages if n != "nist_form.jpg")
    told = sum(len(said[n]) for n in pages if n != "nist_form.jpg")
    return {
        "lines of photographs right": wilson(sum(m.right for m in rest) / lines, lines),
        "other marks among those told": wilson(
            sum(m.other for m in rest) / max(told, 1), max(told, 1)
        ),
        "fields of the form right": wilson(
            form.right / len(pages["nist_form.jpg"]), len(pages["nist_form.jpg"])
        ),
        "other marks of the form": wilson(
            form.other / max(len(said["nist_form.jpg"]), 1), max(len(said["nist_form.jpg"]), 1)
        ),
    }


def usps(root: Path) -> dict[str, Any]:
    """Prints and returns the error of `lenet-mnist` on the USPS training digits."""
    with gzip.open(root / "usps" / "zip.train.gz", "rt") as file:
        rows = np.loadtxt(file, dtype=np.float32)
    pictures = ((1 - rows[:, 1:].reshape(-1, 16, 16)) / 2).clip(0, 1)  # ink black on white paper
    told = [int(row.label or -1) for row in holmdel.load("lenet-mnist").predict(list(pictures))]
    wrong = float(np.mean(np.array(told) != rows[:, 0].astype(int)))
    figures = {"error": wilson(wrong, len(rows))}
    _show("USPS digits, lenet-mnist", figures)
    return figures


def large_page(root: Path, model: Path) -> dict[str, Any]:
    """Prints and returns the seconds for photographs enlarged to 12 megapixels, all threads."""
    reader, figures = Reader(model), {}
    for name in ("karthick_pincode_card1.jpg", "hypjudy_5_A4.png", "nist_form.jpg"):
        grey = decode(root / "strings" / "photos" / name, 1)[:, :, 0]
        scale = (TWELVE / grey.size) ** 0.5
        page = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        reader.read(page)
        wall, work = [], []
        for _ in range(ROUNDS):
            began = time.perf_counter(), time.process_time()
            reader.read(page)
            wall.append(time.perf_counter() - began[0])
            work.append(time.process_time() - began[1])
        figures[name] = round(statistics.median(wall), 3)
        figures[f"{name}, of the processor"] = round(statistics.median(work), 3)
    _show("12 megapixels, seconds", figures)
    return figures


def _show(what: str, figures: dict[str, Any]) -> None:
    print(what)
    for name, value in figures.items():
        print(f"    {name:<44}{_text(value)}", flush=True)


def _text(value: Share | float) -> str:
    if isinstance(value, int | float):
        return f"{value:,}"
    return f"{value[0]:6.2%}  ({value[1]:.2%} to {value[2]:.2%})"


def main() -> None:
    """Prints and, if asked, records the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pattern", default="digits")
    parser.add_argument("--record", action="store_true", help="what is read")
    parser.add_argument("--record-speed", action="store_true", help="how fast")
    words = parser.parse_args()
    root = Path(os.environ["HOLMDEL_DATA"])
    model = model_file(words.model)
    large = large_page(root, model)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    strings, speeds = cheques(root, model, words.pattern)
    figures = {"cheques": strings, "pages": photographs(root, model), "usps": usps(root)}
    of = {"model": model.name, "pattern": words.pattern}
    if words.record:
        record("read", of | {"figures": figures})
    if words.record_speed:
        record("read-speed", of | {"12 megapixels": large, "lines a second": speeds})


if __name__ == "__main__":
    main()
