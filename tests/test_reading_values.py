"""What a line is worth: amounts, dates, checked numbers, codes of a list."""

import numpy as np
import pytest

import holmdel
from holmdel.errors import UserError
from holmdel.reader_training.synthesis.maker import StringMaker
from holmdel.reading.patterns import parse_pattern


def worth(pattern, said):
    """Returns what may be written where a network says `said`: texts and values."""
    return dict(parse_pattern(pattern).meanings(said))


@pytest.mark.parametrize(
    ("raw", "cents", "decimal"),
    [
        ("25574", 2557400, False),
        ("60", 6000, False),
        ("12.50", 1250, True),
        ("1.234,50", 123450, True),
        ("1,234.50", 123450, True),
        ("$1,499.00", 149900, True),
        ("=35.35=", 3535, True),
        (".75", 75, True),
        ("2,375", 237500, False),
        ("1.899", 189900, False),
        ("25.574.-", 2557400, True),
        ("25.574,00", 2557400, True),
        ("5.000-", 500000, False),
        ("15000=", 1500000, False),
        ("15-000", 1500000, False),
        ("15000-00", 1500000, True),
        ("1,00,000", 10000000, False),
        ("12,34,567.00", 123456700, True),
        ("10000/100", 10000, True),
        ("1,250.00/100", 125000, True),
        ("110,000/-", 11000000, True),
    ],
)
def test_amounts_of_many_countries(raw, cents, decimal):
    assert worth("amount", raw) == {raw: {"cents": cents, "decimal": decimal}}


NO_AMOUNTS = ["0.6215", "611.0320", "12.3456", "3,14159", "0.621", "1.2345.6", "1,2,3", "1.20.-"]


@pytest.mark.parametrize("raw", [*NO_AMOUNTS, "1.5", "12..50", "00/100"])
def test_what_is_no_amount_is_told_as_it_stands(raw):
    assert worth("amount", raw) == {raw: None}


def test_an_amount_whose_slash_was_read_as_a_one():
    assert worth("amount", "110,0001-") == {"110,000/-": {"cents": 11000000, "decimal": True}}
    assert worth("amount", "125.001100")["125.00/100"] == {"cents": 12500, "decimal": True}
    assert set(worth("amount", "25001-")) == {"25001-", "2500/-"}  # nobody can tell
    assert set(worth("amount", "25001100")) == {"25001100", "2500/100"}


def test_an_amount_of_hundred_millions_without_a_mark_is_one_in_hundredths():
    """As `100 00/100`, whose gap has no sign: nobody writes 100,001,100 without a comma."""
    assert worth("amount", "100001100") == {"10000/100": {"cents": 10000, "decimal": True}}
    assert worth("amount", "100,001,100")["100,001,100"] == {"cents": 10000110000, "decimal": False}


@pytest.mark.parametrize(
    ("pattern", "said", "raw", "day"),
    [
        ("date:dmy", "2410812008", "24/08/2008", "2008-08-24"),
        ("date:dmy", "0910912011", "09/09/2011", "2011-09-09"),
        ("date:mdy", "0912412011", "09/24/2011", "2011-09-24"),
        ("date:ymd", "2011109124", "2011/09/24", "2011-09-24"),
        ("date:dmy", "3.9.2026", "3.9.2026", "2026-09-03"),
        ("date:dmy", "03-09-26", "03-09-26", "2026-09-03"),
        ("date:dmy", "03092026", "03092026", "2026-09-03"),
        ("date:dmy", "310368", "310368", "2068-03-31"),
        ("date:dmy", "310369", "310369", "1969-03-31"),
        ("date:dmy", "29.02.2024", "29.02.2024", "2024-02-29"),
        ("date:dmy", "16.06.20.12", "16.06.20.12", "2012-06-16"),  # a point too many
        ("date:dmy", "2412.1986", "2412.1986", "1986-12-24"),  # and one missing
        ("date", "2410812008", "24/08/2008", "2008-08-24"),
        ("date", "20080824", "20080824", "2008-08-24"),
    ],
)
def test_dates(pattern, said, raw, day):
    assert worth(pattern, said) == {raw: {"date": day}}


@pytest.mark.parametrize("said", ["29.02.2023", "31-04-2020", "1234", "24.08.1899", "2.4.0.8.2008"])
def test_days_that_are_none(said):
    assert worth("date:dmy", said) == {said: None}


def test_a_day_that_is_none_may_have_slashes_too():
    assert worth("date:dmy", "3110212026") == {"3110212026": None, "31/02/2026": None}
    assert worth("date:dmy", "3110212026999") == {"3110212026999": None}


def test_dates_that_can_be_read_in_two_ways():
    assert worth("date:dmy", "11112011") == {
        "11112011": {"date": "2011-11-11"},
        "1/1/2011": {"date": "2011-01-01"},
    }
    assert worth("date:dmy", "203.1987") == {"203.1987": None}  # 2.03. or 20.3.
    assert worth("date", "03.09.2026") == {"03.09.2026": {"dates": ["2026-03-09", "2026-09-03"]}}


def test_a_slash_that_was_seen_is_one():
    assert worth("date:dmy", "24/08/2008") == {"24/08/2008": {"date": "2008-08-24"}}


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        ("luhn", ["79927398713", "4539578763621486", "18"], ["79927398710", "12", "0"]),
        ("luhn:16", ["4539578763621486"], ["79927398713", "4539578763621487"]),
        (r"luhn:4\d{15}", ["4539578763621486"], ["5425233430109903"]),
        ("isbn", ["9780306406157", "0306406152"], ["9780306406158", "0306406153", "9770306406158"]),
        ("isbn:13", ["9780306406157"], ["0306406152"]),
        ("iban:DE", ["89370400440532013000"], ["98370400440532013000", "89370400440532013001"]),
        ("iban:DE", ["02553382507302293239"], ["99553382507302293239"]),
        ("iban:DE", ["97811605956066533900"], ["00811605956066533900"]),
        ("iban:DE", ["98911289041226315019"], ["01911289041226315019"]),
        ("iban:BE", ["68539007547034"], ["68539007547035"]),
    ],
)
def test_checks(pattern, right, wrong):
    allowed = parse_pattern(pattern)
    assert [allowed.fits(text) for text in right] == [True] * len(right)
    assert [allowed.fits(text) for text in wrong] == [False] * len(wrong)


def test_an_account_has_its_country():
    value = worth("iban:DE", "89370400440532013000")["89370400440532013000"]
    assert value == {"iban": "DE89370400440532013000"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has 0 lines; expected a string of digits a line, 1 to 100,000"),
        ("12\nA7\n", "line 2 of .*codes.txt is 'A7'; expected 1 to 100 digits"),
        ("12\n\n34\n", "line 2 of .*codes.txt is blank"),
        ("12\n34\n1-2\n", "line 3 of .*codes.txt has the digits 12 of line 1 once more"),
        ("12\n" + "1" * 101, "line 2 of .*codes.txt is '1{40}'; expected 1 to 100 digits"),
        (None, "pattern 'list:.*codes.txt' names a list that cannot be read: No such file"),
        (b"\xff\xfe12", "cannot be read: it is no text in UTF-8"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path, text, sentence):
    path = tmp_path / "codes.txt"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=sentence):
        parse_pattern(f"list:{path}")


def test_the_reader_that_ships_tells_amounts_from_what_is_none():
    amount, none = (StringMaker(None, seed=15).sample(text) for text in ("1.234,50", "12.3456"))
    [line] = holmdel.read(amount.image, "amount", lines=True).lines
    assert (line.text, line.status) == ("123450", "read")
    assert line.to_json()["value"] == {"cents": 123450, "decimal": True}
    [line] = holmdel.read(none.image, "amount", lines=True).lines
    assert (line.raw, line.value, line.status) == ("12.3456", None, "reject")
    assert "value" not in line.to_json()
    assert line.confidence < 0.01


@pytest.mark.parametrize("margin", [0, 40])
def test_a_point_in_front_is_not_cut_off(margin):
    image = np.pad(StringMaker(None, seed=2).sample(".75").image, margin, mode="edge")
    [line] = holmdel.read(image, "amount", lines=True).lines
    assert (line.raw, line.value) == (".75", {"cents": 75, "decimal": True})
