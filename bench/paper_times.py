"""Seconds and memory of the reader on large pages and on PDF files."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

import holmdel
from holmdel.images import decode
from paper_case import root_of
from paper_forms import KINDS, comb_page
from paper_hand import number

_TWELVE = 12_000_000  # pixels
_ROUNDS = 3
_PAGES = 128
_PAUSE = 0.1  # seconds between two looks at the memory


def page() -> dict[str, float]:
    """Returns the seconds of the processor that pages of 12 megapixels take on one core."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    reader, seconds = holmdel.Reader(), {}
    for file in ("photos/hypjudy_5_A4.png", "photos/nist_form.jpg", "forms/sheet-02.png"):
        grey = decode(root_of(os.environ["HOLMDEL_DATA"]) / file, 1)[:, :, 0]
        scale = (_TWELVE / grey.size) ** 0.5
        large = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        took = []
        for _ in range(_ROUNDS):
            began = time.process_time()
            reader.read(large)
            took.append(time.process_time() - began)
        seconds[f"12 megapixels, {Path(file).stem}, s"] = round(statistics.median(took), 3)
    return seconds


def pdf() -> dict[str, float]:
    """Returns what `holmdel read` takes for a PDF of many scanned pages."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pages.pdf")
        images, truth = [], []
        kinds = list(KINDS.values())
        for n in range(_PAGES):
            draw = np.random.default_rng([9, n])
            comb = kinds[n % 3]
            truth.append(number(draw, comb.cells))
            images.append(comb_page(comb, draw, truth[-1]).image.resize((1654, 973)))
        images[0].save(path, save_all=True, append_images=images[1:], resolution=200)
        answers, began, most = Path(folder, "answers.jsonl"), time.perf_counter(), 0
        command = [sys.executable, "-m", "holmdel", "read", str(path), "--out", str(answers)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                most = max(most, _memory(process.pid))
                time.sleep(_PAUSE)
        seconds = time.perf_counter() - began
        lines = answers.read_text("utf-8").splitlines() if answers.exists() else []
    rows = [json.loads(line) for line in lines]
    said = [[line["text"] for line in row.get("lines", ())] for row in rows]
    return {
        f"PDF of {_PAGES} pages, s": round(seconds, 1),
        "of them right": sum(text in texts for text, texts in zip(truth, said, strict=False)),
        "memory of all its processes, MB": round(most / 1024),
    }


def _memory(process: int) -> int:
    """Returns the kilobytes that a process and its children hold; shared ones count in parts."""
    total, folder = 0, Path("/proc", str(process))
    try:
        found = re.search(r"Pss:\s+(\d+)", (folder / "smaps_rollup").read_text("ascii"))
        total += int(found[1]) if found else 0
        for task in (folder / "task").iterdir():
            total += sum(_memory(int(n)) for n in (task / "children").read_text("ascii").split())
    except OSError:
        pass  # it has ended
    return total
