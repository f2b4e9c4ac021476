"""The table of what the reader reads, made from bench/results.jsonl."""

from typing import Any

from measured import newest

Share = list[float]  # the share and its 95 % interval, each 0..1


def reading() -> str:
    """Returns the newest figures of the reader beside what is asked for, and Tesseract's."""
    read, speed, tuned, taught = map(newest, ("read", "read-speed", "finetune", "train-reader"))
    lines = [
        "| what | bar | aim | measured (95 % interval) | Tesseract |",
        "| --- | --- | --- | --- | --- |",
    ]
    if read:
        lines += _lines(read["figures"])
    if speed:
        lines += _speeds(speed)
    if tuned:
        words = "fine-tuned on real cheques, 5-fold"
        lines.append(_row(words, "91 %", "95 %", _share(tuned["right"])))
    if taught:
        minutes = f"{taught['seconds'] / 60:.0f} min"
        lines.append(_row("training it from nothing, two cores", "60 min", "20 min", minutes))
    if not read:
        return "Not measured yet."
    command = f"`python bench/read.py --pattern {read['pattern']} --record`"
    where = [f"{command}, {read['date']}, commit {read['commit']}, {read['machine']}."]
    if speed:
        said = f"{speed['date']}, commit {speed['commit']}, {speed['machine']}"
        where.append(f"Lines a second and pages of 12 megapixels: `--record-speed`, {said}.")
    return "\n".join([*lines, "", *where])


def _lines(figures: dict[str, Any]) -> list[str]:
    """Returns the rows of one run of bench/read.py."""
    cheques, pages = figures["cheques"], figures["pages"]
    own, one, other = cheques["views"], cheques["one view"], cheques.get("Tesseract")
    found, theirs = pages["holmdel"], pages.get("Tesseract", {})
    marks = "other marks among those told"
    right, audited = "right", "right, audited"
    sure = "correct at 1 % error, audited"
    photographs, fields = "lines of photographs right", "fields of the form right"
    return [
        _row(
            "cheque amounts, none trained on, strings right",
            "85 %", "91 %", _share(own[right]), _share(other[right]) if other else "",
        ),
        _row("the same, audited truth", "", "", _share(own[audited])),
        _row("the same, one view", "", "", _share(one[right])),
        _row("correct at 1 % error, audited truth", "55 %", "70 %", _share(own[sure])),
        _row("calibration error on cheques", "5 %", "3 %", _share(own["calibration error"])),
        _row(
            "lines of photographs read exactly",
            "75 %", "90 %", _share(found[photographs]), _of(theirs, photographs),
        ),
        _row(
            "other marks among those read there",
            "20 %", "5 %", _share(found[marks]), _of(theirs, marks),
        ),
        _row(
            "fields of the NIST form read exactly",
            "85 %", "95 %", _share(found[fields]), _of(theirs, fields),
        ),
        _row("USPS digits by `lenet-mnist`, error", "6 %", "4 %", _share(figures["usps"]["error"])),
    ]  # fmt: skip


def _speeds(speed: dict[str, Any]) -> list[str]:
    """Returns the rows of how fast it reads."""
    seconds = [v for k, v in speed["12 megapixels"].items() if "processor" not in k]
    lines = speed["lines a second"]
    said = f"{lines['views']:,} ({lines['one view']:,} with one view)"
    between = f"{min(seconds):.2f} to {max(seconds):.2f} s"
    return [
        _row("lines a second, the network and the search alone, one core", "300", "1,000", said),
        _row("a 12-megapixel page", "1.5 s", "0.5 s", between),
    ]


def _row(what: str, bar: str, aim: str, measured: str, other: str = "") -> str:
    return f"| {what} | {bar} | {aim} | {measured} | {other} |"


def _of(figures: dict[str, Share], name: str) -> str:
    return _share(figures[name]) if name in figures else ""


def _share(share: Share) -> str:
    value, low, high = (100 * part for part in share)
    return f"{value:.1f} % ({low:.1f}-{high:.1f})"
