"""The reader fine-tuned on real strings: five folds over labelled lines, each read by a stranger.

    python bench/finetune.py $HOLMDEL_DATA/strings/cheques                    # the shipped reader
    python bench/finetune.py FOLDER --model runs/reader-mnist --lines 60000   # another one

Every fold is held out once, and read by the reader that learned the other four. Lines of equal
digits within `--reach` file numbers, and lines of neighbouring file numbers, stay in one fold: the
same hand may have written them. What comes out is for the figure alone, and never ships.
"""

import argparse
import csv
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from holmdel.benchmark.machine import machine
from holmdel.reader_training import train_reader
from holmdel.reading import Assessment, LabelledString, ReaderSettings, read_labelled
from holmdel.reading.assessment import Said, assess_folder
from holmdel.reading.model_file import model_file
from record import record
from scores import wilson

FOLDS = 5


def folds(strings: list[LabelledString], reach: int) -> list[list[LabelledString]]:
    """Returns the strings in five parts of about one size; what may be of one hand stays together.

    Args:
        strings: files with a number in their names.
        reach: file numbers up to which equal digits count as one hand's.
    """
    order = sorted(strings, key=number)
    leader = list(range(len(order)))

    def first(place: int) -> int:
        while leader[place] != place:
            place = leader[place]
        return place

    last: dict[str, int] = {}
    for place, string in enumerate(order):
        if place and number(string) - number(order[place - 1]) <= 1:
            leader[first(place)] = first(place - 1)
        before = last.get(string.text)
        if before is not None and number(string) - number(order[before]) <= reach:
            leader[first(place)] = first(before)
        last[string.text] = place
    groups: dict[int, list[LabelledString]] = {}
    for place, string in enumerate(order):
        groups.setdefault(first(place), []).append(string)
    parts: list[list[LabelledString]] = [[] for _ in range(FOLDS)]
    for group in sorted(groups.values(), key=len, reverse=True):
        min(parts, key=len).extend(group)
    return parts


def number(string: LabelledString) -> int:
    """Returns the last number in a file's name."""
    return int(re.findall(r"\d+", string.path.stem)[-1])


def write_folder(folder: Path, strings: list[LabelledString]) -> Path:
    """Makes a labelled folder of some strings; returns it."""
    (folder / "images").mkdir(parents=True)
    with (folder / "truth.tsv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(("file", "digits"))
        for string in strings:
            shutil.copy(string.path, folder / "images" / string.path.name)
            writer.writerow((string.path.name, string.text))
    return folder


def assess(folder: Path, model: Path) -> Assessment:
    """Returns what a reader says of a labelled folder."""
    return assess_folder(folder, ReaderSettings(model=model))[0]


def main() -> None:
    """Trains and reads every fold, prints the figures and records them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("strings", type=Path, help="a labelled folder")
    parser.add_argument("--model", type=Path, default=None, help="the reader to begin with")
    parser.add_argument("--reach", type=int, default=100)
    parser.add_argument("--only", type=int, default=FOLDS, help="so many of the folds")
    for name in ("lines", "lr", "average", "mix", "processes", "held-out"):
        parser.add_argument(f"--{name}", default=None)
    words = vars(parser.parse_args())
    source, model, reach, only = (words.pop(n) for n in ("strings", "model", "reach", "only"))
    settings = {name: value for name, value in words.items() if value is not None}
    parts = folds(read_labelled(source), reach)
    print(f"folds of {', '.join(str(len(part)) for part in parts)} lines")
    before: list[Said] = []
    after: list[Said] = []
    seconds = []
    with tempfile.TemporaryDirectory() as place:
        for fold, held in enumerate(parts[:only]):
            here = Path(place) / str(fold)
            others = [s for part in parts for s in part if part is not held]
            taught, asked = write_folder(here / "in", others), write_folder(here / "out", held)
            run = train_reader(strings=[taught], model=model, out=here / "run", **settings)
            before += assess(asked, model_file(model)).strings
            after += assess(asked, run.folder / "model.safetensors").strings
            seconds.append(run.reports[-1].seconds)
            print(f"fold {fold + 1}: {_line(before)} before, {_line(after)} so far", flush=True)
    was, now = Assessment(tuple(before)), Assessment(tuple(after))
    figures = {
        "strings": now.count,
        "folds": only,
        "before": round(was.right, 4),
        "right": wilson(now.right, now.count),
        "correct_at_1": round(now.correct_at(0.01), 4),
        "ece": round(now.ece, 4),
        "seconds_a_fold": round(sum(seconds) / len(seconds)),
        "reach": reach,
        "settings": settings,
    }
    if only == FOLDS:  # fewer are a trial
        record("finetune", figures)
    print(f"{_line(after)} right after fine-tuning, {machine()}")


def _line(said: Sequence[Said]) -> str:
    whole = Assessment(tuple(said))
    right, low, high = wilson(whole.right, whole.count)
    return f"{100 * right:.1f} % ({100 * low:.1f} to {100 * high:.1f}) of {whole.count}"


if __name__ == "__main__":
    main()
