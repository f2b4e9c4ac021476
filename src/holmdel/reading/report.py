"""A report of readings: one HTML file with every page, its boxes and what was read there."""

import html
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from holmdel.errors import UserError
from holmdel.files import refuse_folder, replacing
from holmdel.prediction import Failure
from holmdel.reading.answers import READ, Box, Line, Reading, Skipped
from holmdel.reading.crops import Sight, open_page, to_data_uri
from holmdel.reading.record import Read
from holmdel.reading.tables import Add, beside

WIDEST = 1200  # pixels of a page as it is shown
_WIDEST_CROP = 900
_MARGIN = 0.5  # around the crop of a line, as a part of its height
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Readings</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
body { font: 16px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #111; background: #fff }
.lines { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0; border: 1px solid #bbb; padding: .5rem; max-width: 100% }
figure img { display: block; max-width: 100%; height: 8rem; object-fit: contain }
.page { margin: 2rem 0; break-inside: avoid }
.both { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start }
.both svg { flex: 3 1 30rem; border: 1px solid #bbb }
.both div { flex: 1 1 16rem }
table { border-collapse: collapse } td, th { padding: .1rem .6rem .1rem 0; text-align: left }
td { font-variant-numeric: tabular-nums } b { font-size: 1.2em }
rect { fill: none; stroke-width: 2px; vector-effect: non-scaling-stroke }
.read { stroke: #070 } .reject { stroke: #c00; stroke-dasharray: 8 3 }
.skipped { stroke: #777; stroke-dasharray: 2 3 }
text { stroke: #fff; stroke-width: .2em; paint-order: stroke }
text.read { fill: #070; stroke: #fff; stroke-dasharray: none }
text.reject { fill: #c00; stroke: #fff; stroke-dasharray: none }
td.reject { color: #c00 } td.read { color: #070 }
@media print { body { margin: 0 } a { color: inherit } }
</style></head><body>
<h1>Readings</h1>
"""


@contextmanager
def report_file(path: Path) -> Iterator[Add]:
    """Gives what takes answers; at the end the report is written whole, or nothing of it.

    What is not sure comes first. A page is opened again to be shown; one at a time is held.

    Args:
        path: of the HTML file, which needs no other and no network.

    Raises:
        UserError: if it cannot be written, before anything is read where that is seen by then.
    """
    refuse_folder(path)
    with beside(path) as rejected, beside(path) as pages:
        report = _Report(rejected, pages)
        yield report.add
        with replacing(path) as part, part.open("w", encoding="utf-8", errors="replace") as out:
            report.write(out)


class _Report:
    """The parts of a report, each in a file of its own until all is known."""

    def __init__(self, rejected: TextIO, pages: TextIO) -> None:
        self._rejected = rejected
        self._pages = pages
        self._failures: list[Failure] = []
        self._count = self._read = self._reject = 0

    def add(self, found: Read) -> None:
        """Adds a page, or the sentence of a failure."""
        if isinstance(found, Failure):
            self._failures.append(found)
            return
        self._count += 1
        image = _image(found)
        here = f"p{self._count}"
        for number, line in enumerate(found.lines, 1):
            if line.status == READ:
                self._read += 1
                continue
            self._reject += 1
            self._rejected.write(_rejected(found, line, number, image, here))
        self._pages.write(_page(found, image, here))

    def write(self, out: TextIO) -> None:
        """Writes the whole report."""
        out.write(_HEAD)
        out.write(
            f"<p>{_many(self._count, 'page')}: {_many(self._read, 'line')} read, "
            f"{self._reject:,} rejected; {_many(len(self._failures), 'image')} could not be used."
            "</p>\n"
        )
        if self._failures:
            items = "".join(f"<li>{_text(failure.error)}</li>\n" for failure in self._failures)
            out.write(f"<h2>Not used</h2><ul>\n{items}</ul>\n")
        if self._reject:
            out.write('<h2>Rejected</h2><div class="lines">\n')
            _copy(self._rejected, out)
            out.write("</div>\n")
        out.write("<h2>Pages</h2>\n")
        _copy(self._pages, out)
        out.write("</body></html>\n")


def _copy(part: TextIO, out: TextIO) -> None:
    part.seek(0)
    shutil.copyfileobj(part, out)


def _image(found: Reading) -> Sight | None:
    """Returns a page to look at; None if it came by standard input or is gone."""
    if found.path is None:
        return None
    try:
        return open_page(found.path)
    except UserError:
        return None


def _rejected(found: Reading, line: Line, number: int, image: Sight | None, page: str) -> str:
    """Returns a line that was rejected, in large."""
    name = _text(line.field or f"line {number}")
    shown = "" if image is None else _crop(image, line.box, f"{name} of {_path(found)}")
    return (
        f"<figure>{shown}<figcaption><b>{_text(line.raw or line.text)}</b> {line.confidence:.2f}, "
        f'{name} of <a href="#{page}">{_path(found)}</a></figcaption></figure>\n'
    )


def _crop(image: Sight, box: Box, about: str) -> str:
    uri = to_data_uri(image.cut(box, _MARGIN), _WIDEST_CROP)
    return f'<img src="{uri}" alt="{about}">'


def _page(found: Reading, image: Sight | None, page: str) -> str:
    """Returns a page: its image with boxes, and its lines beside it."""
    shown = "<p>The image is not at hand.</p>" if image is None else _drawn(found, image)
    worth = any(line.value for line in found.lines)
    rows = "".join(
        f"<tr><td>{_text(line.field or str(number))}<td><b>{_text(line.raw or line.text)}</b>"
        f"{f'<td>{_value(line)}' if worth else ''}<td>{line.confidence:.2f}"
        f'<td class="{line.status}">{line.status}\n'
        for number, line in enumerate(found.lines, 1)
    )
    heads = ("line", "text", *(["value"] if worth else []), "sure", "status")
    table = f"<table><tr>{''.join(f'<th>{head}' for head in heads)}\n{rows}</table>"
    reasons = ", ".join(dict.fromkeys(map(_why, found.skipped)))
    skipped = f"<p>Seen and not read: {_text(reasons)}.</p>" if reasons else ""
    return (
        f'<section class="page" id="{page}"><h3>{_path(found)}</h3><div class="both">\n{shown}\n'
        f"<div>{table if rows else '<p>No digits.</p>'}{skipped}</div></div></section>\n"
    )


def _drawn(found: Reading, image: Sight) -> str:
    """Returns a page's image with its boxes over it, as SVG."""
    height, width = image.pixels.shape[:2]
    size = max(width // 60, 8)
    boxes = [_box(image.place(item.box), "skipped", _why(item)) for item in found.skipped]
    for number, line in enumerate(found.lines, 1):
        name = line.field or str(number)
        said = f"{name}: {line.raw or line.text}, {line.status}, {line.confidence:.2f}"
        box = image.place(line.box)
        x, y = box[0], max(box[1] - size // 4, size)
        boxes.append(_box(box, line.status, said))
        boxes.append(
            f'<text class="{line.status}" x="{x}" y="{y}" font-size="{size}">{_text(name)}</text>'
        )
    return (
        f'<svg viewBox="0 0 {width} {height}" style="max-width: {min(2 * width, WIDEST)}px" '
        f'role="img" aria-label="{_path(found)}">'
        f'<image width="{width}" height="{height}" href="{to_data_uri(image.pixels, WIDEST)}"/>'
        f"{''.join(boxes)}</svg>"
    )


def _box(box: Box, kind: str, title: str) -> str:
    x, y, w, h = box
    place = f'x="{x}" y="{y}" width="{w}" height="{h}"'
    return f'<rect class="{kind}" {place} pointer-events="all"><title>{_text(title)}</title></rect>'


def _why(item: Skipped) -> str:
    return f"{item.field}: {item.reason}" if item.field else item.reason


def _value(line: Line) -> str:
    """Returns a line's value as people write it."""
    value = line.value or {}
    if "cents" in value:
        units, cents = divmod(value["cents"], 100)
        unsaid = "" if value.get("decimal", True) else " (no decimal mark was seen)"
        return f"{units}.{cents:02}{unsaid}"
    parts = (part if isinstance(part, list) else [part] for part in value.values())
    return _text(", ".join(" or ".join(map(str, part)) for part in parts))


def _path(found: Reading) -> str:
    return _text(found.path or "standard input")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _text(text: str) -> str:
    return html.escape(text)
