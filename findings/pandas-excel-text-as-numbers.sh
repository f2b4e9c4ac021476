#!/usr/bin/env bash
# pandas.read_excel makes numbers of cells that an Excel file says are text: the postal code 01234 is 1234, and the name NA is missing.
#
# Versions: pandas 3.1.1, openpyxl 3.1.5, python-calamine 0.9.1, polars 2.1.0, fastexcel 0.21.0, numpy 2.4.6.
#
# Behaviour: each cell of an XLSX file has a type, and a code that was entered as text is text. read_excel takes the cells from openpyxl or calamine, which keep the type, and then hands all of them to the parser of
# CSV files, in which there are no types. A column that looks like numbers throughout becomes one; "NA", "None", "null" and the empty text become NaN, and with one of these the others are floats. One cell that
# is no number keeps the whole column as text, zeros and all. polars, which reads the same files by calamine, gives text.
#
# Why a good guess is wrong: for CSV files this is known, and Excel is what one turns to for that reason: the zeros are seen when the file is opened there, and each reader beneath pandas gives them. A test whose
# column has one odd cell (a dash for "unreadable", a code with a letter) passes, and the next file, without it, has other labels. A reference of 1e5 is 100000, and 1.50 is 1.5: as text, one character less.
#
# What a program like ours must do: read labels with dtype=str and keep_default_na=False, or with openpyxl; compare the number of characters, not the number.
#
# Seen (a column of two text cells, as read):
#   cells          pandas         dtype=str      dtype=str, no NA  openpyxl       polars
#   01234 00501    1234 501       01234 00501    01234 00501       01234 00501    01234 00501
#   01234 A0501    01234 A0501    01234 A0501    01234 A0501       01234 A0501    01234 A0501
#   01234 NA       1234.0 nan     01234 nan      01234 NA          01234 NA       01234 NA
#   1.50 2.00      1.5 2.0        1.50 2.00      1.50 2.00         1.50 2.00      1.50 2.00
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pandas==3.1.1 openpyxl==3.1.5 python-calamine==0.9.1 polars==2.1.0 fastexcel==0.21.0

cd "$dir"
env/bin/python - <<'PY'
import sys

import openpyxl
import pandas
import polars


def write(cells):
    book = openpyxl.Workbook()
    for cell in ("label", *cells):
        book.active.append([cell])
    assert {row[0].data_type for row in book.active.rows} == {"s"}, "all are text"
    book.save("labels.xlsx")


def by_pandas(**options):
    tables = [
        pandas.read_excel("labels.xlsx", engine=engine, **options) for engine in ("openpyxl", "calamine")
    ]
    assert tables[0].equals(tables[1]), "both engines give the same"
    return tables[0]["label"].tolist()


def by_openpyxl():
    rows = openpyxl.load_workbook("labels.xlsx").active.iter_rows(min_row=2, values_only=True)
    return [row[0] for row in rows]


READERS = {
    "pandas": by_pandas,
    "dtype=str": lambda: by_pandas(dtype=str),
    "dtype=str, no NA": lambda: by_pandas(dtype=str, keep_default_na=False),
    "openpyxl": by_openpyxl,
    "polars": lambda: polars.read_excel("labels.xlsx")["label"].to_list(),
}
CASES = {
    "01234 00501": "1234 501",
    "01234 A0501": "01234 A0501",
    "01234 NA": "1234.0 nan",
    "1.50 2.00": "1.5 2.0",
}
FORM = "{:15}{:15}{:15}{:18}{:15}{}"
same = True
print(FORM.format("cells", *READERS))
for cells, described in CASES.items():
    write(cells.split())
    seen = [" ".join(map(str, read())) for read in READERS.values()]
    print(FORM.format(cells, *seen))
    same &= seen == [described, cells.replace("NA", "nan"), cells, cells, cells]
sys.exit(not same)
PY
