"""The tables of what stands around the digits, made from bench/results.jsonl."""

from collections.abc import Iterator
from typing import Any

from measured import Row, records

Groups = dict[str, dict[str, float]]  # a row of the benchmark: its counts by name

_CHEQUES = ("framed", "rule", "margins", "inverted", "dpi", "colour")
_CUTS = ("with the frame", "at the frame", "inside the frame")
_WAYS = (", page", ", crop", ", at the frame", ", inside the frame")
_WHOLE = {  # sections of which one row is enough
    "sheets": "scanned sheets, combs of 8 and 5 boxes beside print",
    "forms": "the NIST form given here",
    "photos": "photographs of notes",
    "crops": "crops of one digit and of two",
    "strips": "small digits in strips of 50 to 200 pixels, long strips",
    "light": "light ink on dark pages, dark boxes",
    "dates": "dates and amounts, with their marks",
    "empty": "empty combs",
    "blank": "blank paper, grey, noise, grain",
    "print": "print alone",
    "letters": "words in handwriting fonts",
    "mixed": "a full, an empty and a partly filled comb on a page",
    "ink": "ink of cheques on made pages with boxes, labels, cells",
}
_EACH = ("lines", "documents", "odd", "predict")  # sections of which every row is told
_HEAD = ["| what | of | right | of these accepted | accepted wrong | accepted, no field |",
         "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip


def paper() -> str:
    """Returns the newest figures of every section of bench/paper.py."""
    runs: dict[str, Row] = {}
    for row in records():
        if row["name"] == "paper":
            runs |= dict.fromkeys(row["figures"], row)
    if not runs:
        return "Not measured yet."
    figures = {section: row["figures"][section] for section, row in runs.items()}
    return "\n".join([*_told(figures), *_changed(figures), *_times(figures), "", _where(runs)])


def _told(figures: dict[str, Groups]) -> Iterator[str]:
    """Gives the table of strings."""
    yield from _HEAD
    for section, words in _WHOLE.items():
        if section in figures:
            yield _row(words, list(figures[section].values()))
    for cut in _CUTS:
        cuts = [g for name, g in figures.get("fields", {}).items() if name.startswith(cut)]
        if cuts:
            yield _row(f"fields of the form cut out {cut}, 76 and 228 dpi", cuts)
    for way, groups in _by_way(figures.get("combs", {})).items():
        if groups:
            yield _row(f"combs of {len(groups)} kinds{way}", groups)
    for section in _EACH:
        for name, group in figures.get(section, {}).items():
            yield _row(name, [group])


def _changed(figures: dict[str, Groups]) -> Iterator[str]:
    """Gives the table of cheques with other things around the same ink."""
    yield from ("", "| cheques | of | `--lines` | page | accepted wrong |")
    yield "| --- | --- | --- | --- | --- |"
    for section in _CHEQUES:
        yield from _compared(figures.get(section, {}))


def _times(figures: dict[str, Any]) -> Iterator[str]:
    """Gives the table of seconds and memory."""
    yield from ("", "| what | figure |", "| --- | --- |")
    for what, value in {**figures.get("page", {}), **figures.get("pdf", {})}.items():
        yield f"| {what} | {value:,} |"


def _where(runs: dict[str, Row]) -> str:
    """Returns the commands, the days and the commits."""
    by_run: dict[tuple[str, str, int | None], list[str]] = {}
    for section, row in runs.items():
        by_run.setdefault((row["date"], row["commit"], row.get("limit")), []).append(section)
    machines = sorted({row["machine"] for row in runs.values()})
    said = []
    for (date, commit, limit), sections in by_run.items():
        words = " ".join([*sections, *([] if limit is None else [f"--limit {limit}"])])
        said.append(f"`python bench/paper.py {words} --record`, {date}, commit {commit}")
    return f"{'; '.join(said)}. {'; '.join(machines)}."


def _row(words: str, groups: list[dict[str, float]]) -> str:
    names = ("total", "right", "sure", "wrong", "extra")
    counts = (f"{sum(group[name] for group in groups):,}" for name in names)
    return f"| {words} | {' | '.join(counts)} |"


def _by_way(groups: Groups) -> dict[str, list[dict[str, float]]]:
    """Returns the rows of combs, by where the comb stands."""
    return {way: [g for name, g in groups.items() if name.endswith(way)] for way in _WAYS}


def _compared(groups: Groups) -> Iterator[str]:
    """Gives a row a change of the cheques: its right ones as a share of the plain crop's."""
    for name, lines in groups.items():
        change, _, mode = name.rpartition(", ")
        if change != "plain" and mode == "--lines":
            page = groups[f"{change}, default"]
            shares = (_of(lines, groups["plain, --lines"]), _of(page, groups["plain, default"]))
            wrong = (lines["wrong"] + page["wrong"]) / (lines["total"] + page["total"])
            count = f"{lines['total']:,}"
            yield f"| {change} | {count} | {shares[0]} | {shares[1]} | {100 * wrong:.1f} % |"


def _of(group: dict[str, Any], plain: dict[str, Any]) -> str:
    return f"{100 * group['right'] / max(plain['right'], 1):.0f} %"
