"""What stands around the digits: the same ink framed, ruled, inverted, on forms, pads and pages.

    python bench/paper.py [SECTION ...] [--limit N] [--jobs N] [--show DIR]

The data lie in $HOLMDEL_DATA. A section is a table: a row a group of images, with the strings on
them, how many were given exactly (and of these accepted), accepted strings that are wrong, accepted
strings where none is, rejected lines, and seconds of the processor an image. Shares are of the
plain crops.
"""

import argparse
import itertools
import json
import multiprocessing
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

import holmdel
from holmdel.errors import UserError
from paper_case import PLAIN, Case, Tally, tally
from paper_cheques import CHANGES, cheques
from paper_crops import (
    blank,
    crops,
    dates,
    letters,
    light,
    predict,
    printed,
    strips,
)  # fmt: skip
from paper_forms import combs, empty, fine
from paper_odd import ODD
from paper_pages import DOCUMENTS, LINES, pages
from paper_real import fields, mixed, nist, photos, real_ink, sheets, worse
from paper_times import page, pdf
from record import record

Said = list[tuple[str, bool]]
SECTIONS: dict[str, Callable[[int | None], Iterator[Case]]] = {
    "sheets": sheets,
    **{name: partial(cheques, name) for name in CHANGES},
    "combs": combs,
    "fine": fine,
    "empty": empty,
    "forms": nist,
    "photos": photos,
    "fields": fields,
    "worse": worse,
    "ink": real_ink,
    "mixed": mixed,
    "lines": partial(pages, LINES),
    "documents": partial(pages, DOCUMENTS),
    "odd": partial(pages, ODD),
    "crops": crops,
    "strips": strips,
    "light": light,
    "dates": dates,
    "blank": blank,
    "print": printed,
    "letters": letters,
    "predict": predict,
}
TIMES: dict[str, Callable[[], dict[str, float]]] = {"page": page, "pdf": pdf}
_SURE = 0.9
_NONE = Tally(0, 0, 0, 0, 0, 0, 0, 0.0)
_HEAD = f"{'':<44}{'of':>6}{'right':>6}{'sure':>6}{'wrong':>6}{'extra':>6}{'rej':>6}{'s':>8}"


@cache
def _reader(pattern: str, lines: bool, options: str) -> holmdel.Reader:
    return holmdel.Reader(pattern=pattern, lines=lines, **json.loads(options))


def read(case: Case) -> tuple[Case, Said, float]:
    """Returns a case with what is said of it, and the seconds of the processor that it took."""
    began = time.process_time()
    try:
        said = _predicted(case) if case.digit else _lines(case)
    except UserError as error:
        print(f"{case.group}: {error}", file=sys.stderr)
        said = []
    return case, said, time.process_time() - began


def _lines(case: Case) -> Said:
    lines = _reader(case.pattern, case.lines, json.dumps(case.options)).read(case.image).lines
    texts = [(line.raw or line.text) if case.raw else line.text for line in lines]
    return [(text, line.status == "read") for text, line in zip(texts, lines, strict=True)]


def _predicted(case: Case) -> Said:
    """Returns the digit where one was found; it counts as accepted from a probability of 0.9."""
    [answer] = _classifier().predict([case.image])
    found = getattr(answer, "found", "one") == "one"
    return [(answer.label, answer.probability >= _SURE)] if found else []


@cache
def _classifier() -> holmdel.Classifier:
    return holmdel.load("lenet-mnist")


def _quiet() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def read_all(cases: Iterable[Case], jobs: int) -> Iterator[tuple[Case, Said, float]]:
    """Gives each case with what is said of it, in order."""
    if jobs == 1:
        yield from map(read, cases)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, _quiet) as pool:
        waiting = iter(cases)
        while batch := list(itertools.islice(waiting, 64)):
            yield from pool.imap(read, batch, chunksize=2)


def show(folder: Path, section: str, case: Case, said: Said) -> None:
    """Writes an image whose name says what was read; `!` is before what was accepted."""
    texts = "_".join(("!" if sure else "~") + text for text, sure in said) or "nothing"
    name = f"{case.group} {case.name} {'_'.join(case.truth)} as {texts}"
    name = re.sub(r"[^\w.,!~ -]", "-", name).replace(" ", "-")[:180]
    (folder / section).mkdir(parents=True, exist_ok=True)
    path = folder / section / f"{name}.png"
    match case.image:
        case np.ndarray():
            Image.fromarray(case.image).save(path)
        case Image.Image():
            case.image.save(path)
        case bytes():
            path.write_bytes(case.image)
        case _:
            Image.open(case.image).save(path)


def measured(name: str, words: argparse.Namespace) -> dict[str, Tally]:
    """Prints and returns the table of a section."""
    print(f"\n{name}\n{_HEAD}", flush=True)
    groups: dict[str, Tally] = {}
    for case, said, seconds in read_all(SECTIONS[name](words.limit), words.jobs):
        one = tally(case, said, seconds)
        groups[case.group] = groups.get(case.group, _NONE) + one
        if words.show and (one.right < one.total or one.wrong + one.extra):
            show(words.show, name, case, said)
    for group in groups:
        _row(groups, group)
    changed = (one for group, one in groups.items() if not group.startswith(PLAIN))
    _print("in all", sum(changed, _NONE), "")
    return groups


def _row(groups: dict[str, Tally], name: str) -> None:
    mode = name.rpartition(", ")[2]
    plain = groups.get(f"{PLAIN}, {mode}")
    ratio = f"{groups[name].right / max(plain.right, 1):8.1%} of plain" if plain else ""
    _print(name, groups[name], ratio)


def _print(name: str, t: Tally, words: str) -> None:
    counts = "".join(f"{n:>6}" for n in (t.total, t.right, t.sure, t.wrong, t.extra, t.rejected))
    print(f"{name:<44}{counts}{t.seconds / max(t.images, 1):>8.3f}{words}", flush=True)


def main() -> None:
    """Prints and, if asked, records the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="all if none is named")
    parser.add_argument("--limit", type=int, help="images of a group")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--show", type=Path, metavar="DIR", help="write the images that failed")
    parser.add_argument(
        "--record", action="store_true", help="append these sections to results.jsonl"
    )
    words = parser.parse_args()
    known = [*SECTIONS, *TIMES]
    if unknown := set(words.sections) - set(known):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    _quiet()
    figures: dict[str, Any] = {}
    for name in words.sections or known:
        if name in TIMES:
            figures[name] = TIMES[name]()
            print(
                f"\n{name}", *(f"{what:<60}{n:>10}" for what, n in figures[name].items()), sep="\n"
            )
        else:
            groups = measured(name, words)
            figures[name] = {group: one._asdict() for group, one in groups.items()}
    if words.record:
        record("paper", {"limit": words.limit, "figures": figures})


if __name__ == "__main__":
    main()
