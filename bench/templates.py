"""Forms by their template: one of each scanned sheet, with which all sheets are read.

    python bench/templates.py

Needs `$HOLMDEL_DATA/strings/forms`. Prints how many fields are right, rejected, and accepted wrong.
"""

import csv
import os
from collections import Counter
from pathlib import Path

import torch

from holmdel import Reader, Template
from holmdel.classifier import Failure


def main() -> None:
    """Prints the figures, a line a template and one of all."""
    torch.set_num_threads(1)
    folder = Path(os.environ["HOLMDEL_DATA"]) / "strings" / "forms"
    with (folder / "truth.tsv").open(encoding="utf-8") as file:
        truth = {row.pop("file"): row for row in csv.DictReader(file, delimiter="\t")}
    total: Counter[str] = Counter()
    for sheet in truth:
        found = tally(Template.of(folder / sheet), folder, truth)
        print(f"{sheet}: {dict(found)}")
        total += found
    print(f"all: {dict(total)}")


def tally(template: Template, folder: Path, truth: dict[str, dict[str, str]]) -> Counter[str]:
    """Returns how often the fields of all sheets are right, accepted and so on."""
    reader = Reader(template=template)
    names = {8: "UFID", 5: "section"}  # by their cells
    columns = {field.name: names.get(field.cells, "") for field in template.fields}
    count: Counter[str] = Counter()
    for reading in reader.read_each([folder / sheet for sheet in truth]):
        if isinstance(reading, Failure):
            count["pages refused"] += 1
            continue
        lines = {columns[line.field or ""]: line for line in reading.lines}
        for name, wanted in truth[Path(reading.path or "").name].items():
            line = lines.get(name)
            right = (line.text if line else "") == wanted
            accepted = line is not None and line.status == "read"
            count["fields"] += 1
            count["right"] += right
            count["right and accepted"] += right and (accepted or not wanted)
            count["wrong and accepted"] += accepted and not right
    return count


if __name__ == "__main__":
    main()
