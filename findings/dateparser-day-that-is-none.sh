#!/usr/bin/env bash
# dateparser makes a date of one that there is not: the 32nd of January 2024 is in 2032, the 00th of December is the 12th of this month, strictly and with the order of day, month and year given.
#
# Versions: dateparser 1.5.0.
#
# Behaviour: where the parts of a date do not fit in the order that was asked for, they are tried in others, of which there are six: 32.01.24 is 24 January 2032, 24.13.01 is 24 January 2013. STRICT_PARSING and REQUIRE_PARTS see to it that there are three parts, and there are. A part that is 00 counts as one that is missing: without these two settings it is filled from today, and the other two are moved up
# (12/00/2024 is the 12th day of the present month). A day beyond the end of its month (31.04.2024) is refused, as is 32.01.2024.
#
# Why a good guess is wrong: DATE_ORDER reads as a statement, and is a preference; with four digits for the year an impossible date is refused, which is how one tests. Beside the language, which has an order of its own (PREFER_LOCALE_DATE_ORDER), it is the one setting against guesses. Digits read from a form are wrong in single places:
# an impossible day is the sign of a wrong reading, which here is lost, and with it the year. A date of 2032 is not today's, but for an expiry date it is a good one.
#
# What a program like ours must do: split the digits where the form does, and build datetime.date(year, month, day) of them, which refuses; give a parser made for free text no numbers.
#
# Seen (today is 17 May 2020; by default, with DATE_ORDER "DMY", and with that, STRICT_PARSING and all parts required; datetime.strptime by %d.%m.%y or %d.%m.%Y):
#   date        default     DMY         strictly    strptime
#   03.04.24    2024-03-04  2024-04-03  2024-04-03  2024-04-03
#   31.04.2024  refused     refused     refused     refused
#   32.01.2024  refused     refused     refused     refused
#   32.01.24    2032-01-24  2032-01-24  2032-01-24  refused
#   24.13.01    2013-01-24  2013-01-24  2013-01-24  refused
#   00.01.2024  2024-01-17  2024-05-01  refused     refused
#   12.00.2024  2024-12-17  2024-05-12  refused     refused
#   00.00.2024  refused     refused     refused     refused
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq dateparser==1.5.0

"$dir/env/bin/python" -W ignore - <<'PY'
import sys
from datetime import datetime

import dateparser

TODAY = {"RELATIVE_BASE": datetime(2020, 5, 17)}
ORDER = {**TODAY, "DATE_ORDER": "DMY"}
STRICT = {**ORDER, "STRICT_PARSING": True, "REQUIRE_PARTS": ["day", "month", "year"]}


def by_dateparser(text, settings):
    found = dateparser.parse(text, languages=["en"], settings=settings)
    return str(found.date()) if found else "refused"


def by_strptime(text):
    try:
        return str(datetime.strptime(text, "%d.%m.%Y" if len(text) == 10 else "%d.%m.%y").date())
    except ValueError:
        return "refused"


CASES = {
    "03.04.24": "2024-03-04 2024-04-03 2024-04-03 2024-04-03",
    "31.04.2024": "refused refused refused refused",
    "32.01.2024": "refused refused refused refused",
    "32.01.24": "2032-01-24 2032-01-24 2032-01-24 refused",
    "24.13.01": "2013-01-24 2013-01-24 2013-01-24 refused",
    "00.01.2024": "2024-01-17 2024-05-01 refused refused",
    "12.00.2024": "2024-12-17 2024-05-12 refused refused",
    "00.00.2024": "refused refused refused refused",
}
FORM = "{:12}{:12}{:12}{:12}{}"
same = True
print(FORM.format("date", "default", "DMY", "strictly", "strptime"))
for text, described in CASES.items():
    seen = [by_dateparser(text, settings) for settings in (TODAY, ORDER, STRICT)] + [by_strptime(text)]
    print(FORM.format(text, *seen))
    same &= " ".join(seen) == described
sys.exit(not same)
PY
