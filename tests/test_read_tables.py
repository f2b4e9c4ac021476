"""Answers as CSV and XLSX, and the report: what a person opens after `holmdel read`."""

import csv
import html.parser
import re

import openpyxl
import pytest
from PIL import Image, ImageDraw

from holmdel.classifier import Failure
from holmdel.errors import UserError
from holmdel.reading import Line, Reading
from holmdel.reading.answers import Cheque, Skipped
from holmdel.reading.report import report_file
from holmdel.reading.tables import COLUMNS, table_file


def line(text, status="read", **more):
    about = {"raw": None, "confidence": 0.97, "box": (10, 8, 60, 30), "digits": (), "score": 0.9}
    return Line(text=text, status=status, **about | more)


def write(path, *given, answers=None):
    with (report_file if path.suffix == ".html" else table_file)(path) as add:
        for answer in given if answers is None else answers:
            add(answer)
    return path


def rows_of(path):
    if path.suffix == ".xlsx":
        rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
        return [["" if cell is None else str(cell) for cell in row] for row in rows]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


ENDINGS = pytest.mark.parametrize("ending", ["csv", "xlsx"])


@ENDINGS
def test_a_row_is_a_line_and_leading_zeros_stay(tmp_path, ending):
    page = Reading("scan.pdf#2", (line("00412"), line("7", "reject", confidence=0.4)), page=2)
    nothing, failure = Reading("blank.png", ()), Failure("a.txt", "a.txt is not an image")
    head, *rows = rows_of(write(tmp_path / f"a.{ending}", page, nothing, failure))
    assert tuple(head) == COLUMNS
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(row["text"], row["status"]) for row in found] == [
        ("00412", "read"), ("7", "reject"), ("", "no digits"), ("", "error"),
    ]  # fmt: skip
    assert [found[1][name] for name in ("path", "page", "line")] == ["scan.pdf#2", "2", "2"]
    assert [found[0][name] for name in "xywh"] == ["10", "8", "60", "30"]
    assert found[3]["error"] == "a.txt is not an image"


def test_numbers_are_texts_in_a_spreadsheet_and_texts_no_formulas(tmp_path):
    page = Reading("=1+1.png", (line("00412", raw="-004.12"),))
    sheet = openpyxl.load_workbook(write(tmp_path / "a.xlsx", page)).active
    cells = {head.value: cell for head, cell in zip(*sheet.iter_rows(), strict=True)}
    for name, text in (("path", "=1+1.png"), ("text", "00412"), ("raw", "-004.12")):
        assert (cells[name].value, cells[name].data_type) == (text, "s")
    assert cells["confidence"].data_type == "n"


@pytest.mark.parametrize("begin", "=+-@")
def test_no_text_begins_a_formula_in_csv(tmp_path, begin):
    page = Reading(f"{begin}1.png", (line("12", raw=f"{begin}12"),))
    [_, row] = rows_of(write(tmp_path / "a.csv", page))
    assert row[0] == f"'{begin}1.png"
    assert row[COLUMNS.index("raw")] == f"'{begin}12"


@ENDINGS
def test_where_fields_have_names_a_column_is_a_field(tmp_path, ending):
    first = Reading(
        "1.png",
        (line("0071", field="id"), line("250", "reject", field="amount", raw="2.50")),
    )
    empty = Skipped((0, 0, 9, 9), "empty", "date")
    worth = {"dates": ["2026-03-09", "2026-09-03"]}
    dated = line("09032026", field="date", raw="09/03/2026", value=worth)
    second = Reading("2.png", (line("0072", field="id"), dated))
    third = Reading("3.png", (line("0073", field="id"),), skipped=(empty,))
    assert rows_of(write(tmp_path / f"a.{ending}", first, second, third)) == [
        ["path", "page", "id", "amount", "date", "rejected", "error"],
        ["1.png", "", "0071", "", "", "amount=2.50", ""],
        ["2.png", "", "0072", "", "2026-03-09 or 2026-09-03", "", ""],
        ["3.png", "", "0073", "", "", "", ""],
    ]


def test_a_name_that_two_lines_of_a_page_share_is_no_column(tmp_path):
    page = Reading("1.png", (line("1", field="date"), line("2", field="date")))
    head, *rows = rows_of(write(tmp_path / "a.csv", page))
    assert tuple(head) == COLUMNS
    assert [row[COLUMNS.index("text")] for row in rows] == ["1", "2"]


def test_what_a_file_of_cheques_says_stands_behind_the_page(tmp_path):
    said = Cheque(12550, "7", "011000015")
    worth = {"cents": 12550, "decimal": True}
    cheque = Reading("a.x937#2", (line("12550", value=worth),), page=2, cheque=said, agrees=True)
    head, row = rows_of(write(tmp_path / "a.csv", cheque))
    found = dict(zip(head, row, strict=True))
    assert head[:5] == ["path", "page", "record", "agrees", "line"]
    assert [found[name] for name in ("record", "agrees", "value")] == ["12550", "yes", "12550"]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.html"])
def test_a_mistake_under_way_leaves_no_file(tmp_path, name):
    def ends():
        yield Reading("a.png", (line("1"),))
        raise UserError("no disk")

    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="no disk"):
        write(tmp_path / "out" / name, answers=ends())
    assert list((tmp_path / "out").iterdir()) == []


class Tags(html.parser.HTMLParser):
    """The elements of a document, with their attributes and titles."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def scan(tmp_path):
    page = Image.new("L", (1600, 400), 250)
    ImageDraw.Draw(page).rectangle((100, 100, 400, 160), fill=20)
    page.save(tmp_path / "scan.png")
    return str(tmp_path / "scan.png")


def test_a_report_shows_pages_with_boxes_and_what_is_rejected_first(tmp_path, scan):
    lines = (line("0412", box=(100, 100, 300, 60)), line("77", "reject", box=(900, 90, 200, 60)))
    seen = Reading(scan, lines, skipped=(Skipped((5, 5, 40, 20), "print"),))
    text = write(tmp_path / "a.html", seen, Failure("b.png", "there is no file b.png")).read_text()
    tags = Tags()
    tags.feed(text)
    boxes = [about for tag, about in tags.found if tag == "rect"]
    assert [box["class"] for box in boxes] == ["skipped", "read", "reject"]
    assert [boxes[1][name] for name in ("x", "y", "width", "height")] == ["100", "100", "300", "60"]
    assert re.findall("<title>(.*?)</title>", text)[1:] == [
        "print",
        "1: 0412, read, 0.97",
        "2: 77, reject, 0.97",
    ]
    assert text.index("<h2>Rejected") < text.index("<b>77</b>") < text.index("<h2>Pages")
    assert "there is no file b.png" in text
    assert "1 page: 1 line read, 1 rejected; 1 image could not be used" in text


def test_a_report_says_values_as_people_write_them(tmp_path):
    values = ({"cents": 1205, "decimal": True}, {"cents": 1200, "decimal": False})
    dates = ({"date": "2026-03-09"}, {"dates": ["2026-03-09", "2026-09-03"]})
    lines = tuple(line("12", value=value) for value in (*values, *dates))
    text = write(tmp_path / "a.html", Reading("gone.png", lines)).read_text()
    assert re.findall("</b><td>(.*?)<td>", text) == [
        "12.05", "12.00 (no decimal mark was seen)", "2026-03-09", "2026-03-09 or 2026-09-03",
    ]  # fmt: skip


def test_a_report_needs_no_other_file_and_no_script(tmp_path, scan):
    path = write(tmp_path / "a.html", Reading(scan, (line("1", "reject", field="<b>"),)))
    tags = Tags()
    tags.feed(path.read_text())
    links = [about.get(name) for _, about in tags.found for name in ("src", "href")]
    assert all(link.startswith(("data:image/jpeg", "#p")) for link in links if link)
    assert not {tag for tag, _ in tags.found} & {"script", "link", "iframe"}
    assert "&lt;b&gt;" in path.read_text()


def test_boxes_of_a_fax_lie_where_its_pixels_are_shown(tmp_path):
    """A fax is finer across than down: its pixels are stretched, and so are the boxes."""
    Image.new("L", (400, 100), 250).save(tmp_path / "fax.tif", dpi=(200, 100))
    text = write(tmp_path / "a.html", Reading(str(tmp_path / "fax.tif"), (line("1"),))).read_text()
    assert 'viewBox="0 0 400 200"' in text
    assert 'x="10" y="16" width="60" height="60"' in text


def test_an_image_that_is_gone_leaves_its_texts_in_the_report(tmp_path):
    text = write(tmp_path / "a.html", Reading("gone.png", (line("0412"),))).read_text()
    assert "The image is not at hand" in text
    assert "<b>0412</b>" in text


def test_the_command_writes_a_table_and_a_report(holmdel, scan, tmp_path):
    out, report = tmp_path / "a.csv", tmp_path / "a.html"
    result = holmdel("read", scan, "--lines", "--out", out, "--report", report)
    assert (result.status, result.out) == (0, "")
    assert rows_of(out)[0] == list(COLUMNS)
    assert "<svg" in report.read_text()
    assert "a.csv exists already; give another --out" in holmdel("read", scan, "--out", out).err
    printed = holmdel("read", scan, "--lines", "--format", "csv")
    assert printed.out == out.read_text()


def test_a_report_in_a_folders_place_is_refused_before_anything_is_read(holmdel, scan, tmp_path):
    result = holmdel("read", scan, "--report", tmp_path)
    assert f"{tmp_path} is a folder; expected the name of a file to write" in result.err
    assert (result.status, result.out) == (2, "")


@pytest.mark.parametrize("name", ["a.parquet", "a.XLS", "a.html"])
def test_a_table_that_is_not_written_is_no_file_of_json_lines(holmdel, scan, tmp_path, name):
    result = holmdel("read", scan, "--out", tmp_path / name)
    assert "expected one that ends in .jsonl, .csv or .xlsx" in result.err
    assert (result.status, (tmp_path / name).exists()) == (2, False)
