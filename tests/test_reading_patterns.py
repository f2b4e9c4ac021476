"""Patterns of lines: which strings match, and which patterns are refused."""

import itertools
import re
import subprocess
import sys

import pytest

from holmdel.alphabet import ALPHABETS, UNSAID
from holmdel.alphabet import DIGITS as NETWORK_DIGITS
from holmdel.errors import UserError
from holmdel.reading.expressions import CHARACTERS, DIGITS, MARKS
from holmdel.reading.patterns import parse_pattern


def test_the_characters_are_those_of_the_networks():
    known = {character for alphabet in ALPHABETS for character in alphabet}
    assert set(CHARACTERS) == known - set(UNSAID)
    assert DIGITS == NETWORK_DIGITS


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("digits", "7", True),
        ("digits", "", False),
        ("digits", "25.574.-", True),  # its marks are as good as blank
        ("digits:5", "02139", True),
        ("digits:5", "021394", False),
        ("digits:3-6", "12", False),
        ("digits:3-6", "123456", True),
        ("us-zip", "02139", True),
        ("us-zip", "021394307", True),
        ("us-zip", "02139-4307", True),
        ("us-zip", "0213-", False),
        ("cn-postcode", "100871", True),
        ("cn-postcode", "10087", False),
    ],
)
def test_named_patterns(pattern, text, fits):
    assert parse_pattern(pattern).fits(text) is fits


def test_the_digits_of_an_amount_are_free():
    pattern = parse_pattern("amount")
    assert pattern.has_raw
    assert pattern.fits("1.2345.6")  # which is worth nothing, see test_reading_values


EXPRESSIONS = [
    r"\d{2}",
    r"4\d?",
    r"(12|13|2)+",
    r"[1-3]{1,2}",
    r"1*2",
    r"((1?)*2?)*",
    r"(1|12)(21|1)?3{0,2}",
    r"\d\.\d",
    r"[.,-]?1[=3-]",
    r"(?:1-|2){2,}",
    r"\$1|£2",
    r"1/[12/]?",
    r"(1?2?)*3",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_fit_what_python_fits(expression):
    pattern = parse_pattern(expression)
    assert pattern.marks is any(mark in moves for moves in pattern.next for mark in MARKS)
    alphabet = "1234.-=$£/" if pattern.marks else "1234"
    texts = itertools.chain(
        *(map("".join, itertools.product(alphabet, repeat=n)) for n in range(5))
    )
    assert all(pattern.fits(text) is bool(re.fullmatch(expression, text)) for text in texts)


def test_every_state_leads_to_an_end():
    for name in ("digits", "digits:3-6", "us-zip", "amount", r"(1|22){3}-?"):
        pattern = parse_pattern(name)
        good = set(pattern.final)
        for _ in pattern.next:
            good |= {n for n, moves in enumerate(pattern.next) if good & set(moves.values())}
        assert good == set(range(len(pattern.next)))


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\d?){100}{100}",
        "((0?1?2?3?4?5?6?7?8?9?){10}){90}",
        "(0-1=2,3.4/5:6$7€8£9){40}".replace(".", r"\."),
        r"(\d*-?){100}{90}",
        r"luhn:\d{2,90}",
    ],
)
def test_no_pattern_costs_a_second(pattern):
    """It is made, or it is refused; asked in a process of its own, which has nothing to tidy up."""
    program = (
        "import sys, time\n"
        "from holmdel.errors import UserError\n"
        "from holmdel.reading.patterns import parse_pattern\n"
        "began = time.process_time()\n"
        "try:\n    parse_pattern(sys.argv[1])\nexcept UserError:\n    pass\n"
        "print(time.process_time() - began)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, pattern], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 1


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("number", "pattern 'number' cannot be read: 'n' is neither a digit nor a mark"),
        (r"\d{400}", r"pattern '\d{400}' cannot be read: {400} is not from 0 to 100 in order"),
        ("", "pattern '' allows no digits"),
        ("-=", "pattern '-=' allows no digits"),
        ("(12", "pattern '(12' cannot be read: a ( is not closed; expected digits, digits:5"),
        ("12)", "pattern '12)' cannot be read: ')' without its opening"),
        ("[12", "a [ is not closed"),
        ("[]", "[] holds no character"),
        ("[3-1]", "a range goes from a digit up to a digit"),
        ("1.2", r"a dot is written \."),
        ("*1", "'*' is neither a digit nor a mark"),
        ("1{a}", "{a} counts nothing"),
        ("1{2", "{2} counts nothing"),
        ("1{}", "{} counts nothing"),
        ("1{5,2}", "{5,2} is not from 0 to 100 in order"),
        ("1{101}", "{101} is not from 0 to 100 in order"),
        ("1\\", "it ends"),
        (r"(1{50}2){50}", "is too large; expected fewer and smaller repetitions"),
        (r"1{100}{100}{100}{100}", "is too large"),
        (r"(){100}{100}{100}{100}", "is too large"),
        ("(" * 500, "pattern '((((((((((((((((((((…' is too large"),
        ("digits:0", "pattern 'digits:0' has no such number of digits"),
        ("digits:6-3", "expected one like digits:5 or digits:3-6"),
        ("digits:x", "has no such number"),
        ("digits:²", "has no such number"),
        (
            "date:dym",
            "pattern 'date:dym' has no order of day, month and year; expected",
        ),
        ("date:", "has no order of day, month and year"),
        ("luhn:0", "expected one like luhn:5 or luhn:3-6"),
        ("luhn:[1-9]", "pattern 'luhn:[1-9]' fits no string"),
        (r"luhn:\d\.\d", "has marks, which no check counts"),
        ("luhn:1-40", "pattern 'luhn:1-40' is too large"),
        ("isbn:12", "pattern 'isbn:12' is no ISBN; expected isbn, isbn:10 or isbn:13"),
        ("iban:FR", "'iban:FR' names no country whose account numbers have digits alone; expected"),
    ],
)
def test_what_cannot_be_a_pattern(pattern, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        parse_pattern(pattern)
