"""How fast the reader learns and reads, beside another version of Holmdel, in turns.

    git worktree add ../before v0.2.0
    python bench/reader_speed.py --other ../before [--rounds 5] [--model FILE] [--record]

Each version runs in processes of its own, one after the other, so that what else the machine does
meets both. Training is with two processes on lines that each version makes itself: their mean
columns are told too, for lines of more columns take longer. Reading is of the cheques in
$HOLMDEL_DATA on one core, each version with its own reader, by processor time. A ratio is the
median over the rounds, with the smallest and the largest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
WARM = 0.25  # part of the training's steps before the clock is read
Figures = dict[str, float]


def train(lines: int, processes: int) -> Figures:
    """Returns lines a second of a training from nothing, and how wide they are."""
    import torch

    from holmdel.images.contract import to_line
    from holmdel.networks.line import LineNetwork
    from holmdel.reader_training.ctc import fit_lines
    from holmdel.reader_training.settings import make_plan
    from holmdel.reader_training.synthesis.source import StringSource, find_digits

    torch.set_num_threads(processes)
    source = StringSource(find_digits()[0], 0)
    plan = make_plan({"lines": lines, "processes": processes})
    marks: list[tuple[int, float, float]] = []

    def report(at: Any) -> None:
        marks.append((at.step * plan.lines_per_step, at.seconds, time.process_time()))

    fit_lines(LineNetwork(), source, plan, report, every=max(1, int(plan.steps * WARM)))
    (first, began, cpu), (last, ended, cpu_at_end) = marks[0], marks[-1]
    widths = [to_line(sample.image).shape[1] for sample in islice(source(0), 200)]
    rate = (last - first) / (ended - began)
    return {
        "training, lines a second": rate,
        "training, columns a second": rate * statistics.mean(widths),
        "training, lines a second of processor time": (last - first) / (cpu_at_end - cpu),
    }


def read(model: str) -> Figures:
    """Returns lines a second on one core and how many are right, by pattern and views."""
    import cv2
    import torch

    from holmdel.checkpoint import load_line_model
    from holmdel.images import decode
    from holmdel.reading import read_labelled
    from holmdel.reading.line import LineReader
    from holmdel.reading.model_file import model_file
    from holmdel.reading.patterns import parse_pattern

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    strings = read_labelled(Path(os.environ["HOLMDEL_DATA"]) / "strings" / "cheques")
    pictures = [decode(string.path, 1)[:, :, 0] for string in strings]
    reader = LineReader(load_line_model(Path(model) if model else model_file(None))[0])
    figures = {}
    for name in ("digits", "amount"):
        pattern = parse_pattern(name)
        reader.answers(pictures[:64], pattern)
        for said, views in (("views", None), ("one view", 1)):
            began = time.process_time()
            answers = reader.answers(pictures, pattern, views=views)
            seconds = time.process_time() - began
            pairs = zip(answers, strings, strict=True)
            right = sum(answer.text == string.text for answer, string in pairs)
            figures[f"{name}, {said}, lines a second"] = len(pictures) / seconds
            figures[f"{name}, {said}, % right"] = 100 * right / len(pictures)
    return figures


def once(tree: Path, words: list[str]) -> Figures:
    """Returns what a version measures, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    command = [sys.executable, __file__, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{tree}: {done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def compared(here: list[Figures], there: list[Figures]) -> dict[str, list[float]]:
    """Returns for each figure the medians here and there, then the ratio's median and extremes."""
    rows = {}
    for name in here[0]:
        mine, theirs = [run[name] for run in here], [run[name] for run in there]
        ratios = [a / b for a, b in zip(mine, theirs, strict=True)]
        row = [statistics.median(values) for values in (mine, theirs, ratios)]
        rows[name] = [round(value, 3) for value in (*row, min(ratios), max(ratios))]
    return rows


def main() -> None:
    """Prints the figures of both versions and their ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--other", type=Path, help="the top folder of the other version")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=12_000, help="of each training")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=("train", "read"))
    parser.add_argument("--model", default="", help="the reader of this version, if another")
    parser.add_argument("--record", action="store_true", help="append to bench/results.jsonl")
    parser.add_argument("--once", choices=("train", "read"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        train_words = (asked.lines, asked.processes)
        print(json.dumps(train(*train_words) if asked.once == "train" else read(asked.model)))
        return
    figures: dict[str, list[float]] = {}
    for kind in [asked.only] if asked.only else ["read", "train"]:
        words = ["--once", kind, "--lines", str(asked.lines), "--processes", str(asked.processes)]
        here, there = [], []
        for _ in range(asked.rounds):
            here.append(once(HERE, [*words, "--model", asked.model]))
            there.append(once(asked.other.resolve(), words))
        figures |= compared(here, there)
    print(f"{'':48}{'here':>9}{'other':>9}{'ratio':>8}  from    to")
    for name, (mine, theirs, ratio, least, most) in figures.items():
        print(f"{name:48}{mine:9.1f}{theirs:9.1f}{ratio:8.2f}{least:7.2f}{most:6.2f}")
    if asked.record:
        from record import record

        record("reader speed", figures)


if __name__ == "__main__":
    main()
