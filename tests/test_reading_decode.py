"""Beam search against the sum over all alignments, and the positions of the characters."""

import itertools
from collections import defaultdict
from math import exp, log

import numpy as np
import pytest

from holmdel.alphabet import STRIDE
from holmdel.reading.codes import Codes
from holmdel.reading.decode import Candidate, align, texts, with_marks
from holmdel.reading.expressions import BLANK, CHARACTERS, DIGITS
from holmdel.reading.patterns import parse_pattern


def steps(*rows: dict[str, float], blank: float = 0.0) -> np.ndarray:
    """Returns float32 (T, K), ln of the probabilities of each row; the rest is the blank's."""
    table = np.full((len(rows), len(CHARACTERS) + 1), 1e-30)
    for row, probabilities in zip(table, rows, strict=True):
        for character, probability in probabilities.items():
            row[CHARACTERS.index(character)] = probability
        row[BLANK] = max(1 - sum(probabilities.values()), 1e-30)
    return np.log(table).astype(np.float32)


def random_steps(count: int, characters: str, seed: int, peak: float = 1.5) -> np.ndarray:
    """Returns steps (T, K) at which only `characters` and the blank are likely."""
    generator = np.random.default_rng(seed)
    logits = np.full((count, len(CHARACTERS) + 1), -60.0)
    classes = [*map(CHARACTERS.index, characters), BLANK]
    logits[:, classes] = generator.normal(0, peak, (count, len(classes)))
    logits -= np.log(np.exp(logits).sum(1, keepdims=True))
    return logits.astype(np.float32)


def all_alignments(log_probabilities: np.ndarray, characters: str) -> dict[str, float]:
    """Returns the probability of every raw text: the sum over all paths that collapse to it."""
    classes = [*map(CHARACTERS.index, characters), BLANK]
    probabilities = np.exp(log_probabilities.astype(np.float64))
    found: defaultdict[str, float] = defaultdict(float)
    for path in itertools.product(classes, repeat=len(probabilities)):
        collapsed = [c for c, _ in itertools.groupby(path) if c != BLANK]
        text = "".join(CHARACTERS[c] for c in collapsed)
        found[text] += float(np.prod(probabilities[range(len(path)), path]))
    return found


def fitting(found: dict[str, float], pattern: str) -> dict[str, float]:
    """Returns the probabilities of the texts that fit, by their digits."""
    by_digits: defaultdict[str, float] = defaultdict(float)
    for raw, probability in found.items():
        if parse_pattern(pattern).fits(raw):
            by_digits["".join(c for c in raw if c in DIGITS)] += probability
    return by_digits


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("pattern", "characters"),
    [
        ("digits", "123"),
        ("digits:3", "123"),
        ("digits:2-4", "12"),
        (r"(12|21)+", "12"),
        (r"1?2[13]*", "123"),
        (r"\d+\.\d", "12."),
        (r"-?1-?2-?", "12-"),
    ],
)
def test_probabilities_are_sums_over_all_alignments(pattern, characters, seed):
    log_probabilities = random_steps(6, characters, seed)
    expected = fitting(all_alignments(log_probabilities, characters), pattern)
    found = texts(log_probabilities, parse_pattern(pattern), beam=10_000)
    ranked = sorted(expected, key=expected.__getitem__, reverse=True)
    assert [c.text for c in found[:5]] == ranked[:5]
    likely = {text for text, probability in expected.items() if probability > 1e-3}
    assert likely <= {c.text for c in found}
    for candidate in found:
        if candidate.text in likely:
            assert exp(candidate.log_probability) == pytest.approx(
                expected[candidate.text], rel=1e-3
            )


@pytest.mark.parametrize("pattern", ["digits", "digits:3", "digits:5", "(12|21)+", "1?2[13]*"])
def test_eight_prefixes_find_the_best_that_fits(pattern):
    for seed in range(10):
        log_probabilities = random_steps(6, "123", seed, peak=4)
        found = all_alignments(log_probabilities, "123")
        expected = fitting(found, pattern)
        best = max(expected, key=expected.__getitem__)
        if expected[best] > found[""]:
            assert texts(log_probabilities, parse_pattern(pattern))[0].text == best


def test_marks_are_as_good_as_blank_where_they_do_not_count():
    log_probabilities = random_steps(5, "12.-", seed=1)
    found = texts(log_probabilities, parse_pattern("digits"), beam=10_000)
    as_blank: defaultdict[str, float] = defaultdict(float)
    for path in itertools.product("12.-_", repeat=5):
        collapsed = [c for c, _ in itertools.groupby("".join(path).translate(_TO_BLANK))]
        classes = [BLANK if c == "_" else CHARACTERS.index(c) for c in path]
        chance = exp(float(log_probabilities[range(5), classes].sum()))
        as_blank["".join(collapsed).replace("_", "")] += chance
    for candidate in found[:5]:
        assert exp(candidate.log_probability) == pytest.approx(as_blank[candidate.text], rel=1e-3)


_TO_BLANK = str.maketrans(".-", "__")


def test_the_best_that_fits_is_not_among_the_best():
    """Four digits are sure; five are wanted, and the faint one between them is the only way."""
    sure = [{"1": 0.999}, {}, {"2": 0.999}, {}, {"3": 0.999}, {"7": 1e-6}, {"4": 0.999}]
    assert texts(steps(*sure), parse_pattern("digits"))[0].text == "1234"
    five = texts(steps(*sure), parse_pattern("digits:5"))
    assert five[0].text == "12374"
    assert five[0].log_probability == pytest.approx(log(1e-6), abs=0.1)


def test_too_many_digits_lose_the_weakest():
    six = [{d: p} for d, p in zip("123456", (0.99, 0.99, 0.7, 0.99, 0.99, 0.99), strict=True)]
    spaced = [row for pair in six for row in (pair, {})]
    assert texts(steps(*spaced), parse_pattern("digits:5"))[0].text == "12456"


def test_long_lines_do_not_run_out_of_floats():
    log_probabilities = random_steps(2_000, "0123456789", seed=0, peak=0.1)
    found = texts(log_probabilities, parse_pattern("digits"))
    assert found[0].log_probability < -1_000


@pytest.mark.parametrize("pattern", ["digits", "digits:2", "amount"])
def test_nothing_is_read_where_nothing_is_written(pattern):
    assert texts(steps({"1": 0.01}, {}, {"-": 0.3}, {}), parse_pattern(pattern)) == []
    assert texts(np.zeros((0, BLANK + 1), np.float32), parse_pattern(pattern)) == []


def test_nothing_fits_in_too_few_steps():
    assert texts(steps({"1": 0.9}, {"2": 0.9}), parse_pattern("digits:3")) == []


def written(text):
    """Returns steps that say a text, each character 95 % sure, with a blank after it."""
    return steps(*(row for character in text for row in ({character: 0.95}, {})))


def marked(log_probabilities, pattern, slash=False):
    """Returns the best text with its marks, and the probability of its value."""
    automaton = parse_pattern(pattern)
    best = texts(log_probabilities, automaton, slash=slash)[0]
    views = [(log_probabilities, best.log_probability)]
    return with_marks(views, best.text, automaton, slash=slash)


def test_an_amount_keeps_its_marks():
    line = [{"2": 0.9}, {".": 0.8, "1": 0.1}, {"5": 0.9}, {}, {"0": 0.9}, {"1": 0.9}, {"-": 0.9}]
    best, fit = marked(steps(*line), "amount")
    assert (best.text, best.raw) == ("2501", "2.501-")
    assert best.value == {"cents": 250100, "decimal": False}
    assert fit > 0.9


def test_a_wrong_mark_forbids_no_digits():
    """No amount has its dots so: they are told, the digits are as sure, and it has no value."""
    line = [{"2": 0.9}, {".": 0.9}, {"5": 0.9}, {"7": 0.9}, {".": 0.9}, {"0": 0.9}]
    amount = texts(steps(*line), parse_pattern("amount"))[0]
    digits = texts(steps(*line), parse_pattern("digits"))[0]
    assert amount.text == digits.text == "2570"
    assert amount.log_probability == pytest.approx(digits.log_probability)
    best, fit = marked(steps(*line), "amount")
    assert (best.raw, best.value, fit) == ("2.57.0", None, 0)


def test_a_point_that_may_be_there_makes_an_amount_less_sure():
    line = steps({"2": 0.9}, {"5": 0.9}, {".": 0.4}, {"7": 0.9}, {"1": 0.9})
    best, fit = marked(line, "amount")
    assert (best.raw, best.value["cents"]) == ("2571", 257100)
    assert fit == pytest.approx(0.6, abs=0.01)


def test_a_slash_is_read_as_a_one_by_a_network_that_knows_none():
    said = written("2410812008")
    best, fit = marked(said, "date:dmy")
    assert (best.raw, best.text, best.said) == ("24/08/2008", "24082008", "2410812008")
    assert best.value == {"date": "2008-08-24"}
    assert fit > 0.99


def slashes(*, sure):
    """Returns steps that say 24/08/2008, the slashes so sure, a one almost all the rest."""
    heard = [{c: 0.95} if c != "/" else {"/": sure, "1": 0.95 - sure} for c in "24/08/2008"]
    return steps(*(row for each in heard for row in (each, {})))


@pytest.mark.parametrize("sure", [0.94, 0.5, 0.1])
def test_a_slash_that_may_be_a_one_is_a_slash_where_a_date_has_one(sure):
    best, fit = marked(slashes(sure=sure), "date:dmy", slash=True)
    assert (best.raw, best.value) == ("24/08/2008", {"date": "2008-08-24"})
    assert fit > 0.9


@pytest.mark.parametrize(
    ("sure", "raw", "odds"),
    [(0.8, "2500/-", 0.8 / 0.03), (0.3, "2500/-", 0.3 / 0.13), (0.05, "25001-", 0.18 / 0.05)],
)
def test_an_amount_ends_in_a_dash_alone_more_seldom_than_in_a_slash_and_a_dash(sure, raw, odds):
    line = [{d: 0.95} for d in "2500"] + [{"/": sure, "1": 0.95 - sure}, {"-": 0.95}]
    best, fit = marked(steps(*(row for each in line for row in (each, {}))), "amount", slash=True)
    assert best.raw == raw
    assert fit == pytest.approx(odds / (1 + odds), abs=0.05)  # one in 20 dashes is none


def test_a_slash_right_before_a_one_is_not_taken_for_part_of_it():
    line = [row for character in "250" for row in ({character: 0.95}, {})]
    line += [{"/": 0.95}, {"1": 0.95}, {"0": 0.95}, {}, {"0": 0.95}]
    best, fit = marked(steps(*line), "amount", slash=True)
    assert (best.raw, best.value["cents"]) == ("250/100", 250)
    assert fit > 0.9


def test_a_network_that_knows_the_slash_and_says_a_one_is_believed():
    """2410812008 is a number, not a date: one in a thousand looks so."""
    assert marked(written("2410812008"), "date:dmy", slash=True)[1] < 0.01
    best, fit = marked(written("11112011"), "date:dmy", slash=True)
    assert (best.raw, best.value) == ("11112011", {"date": "2011-11-11"})
    assert fit > 0.99
    assert marked(written("11112011"), "date:dmy")[1] == pytest.approx(0.5)  # or 1/1/2011
    best, fit = marked(written("2500/-"), "amount", slash=True)
    assert (best.raw, best.value["cents"]) == ("2500/-", 250000)
    assert fit == pytest.approx(0.95, abs=0.01)  # as sure as its last mark


def test_a_slash_in_an_expression():
    [best, *_] = texts(written("2410812008"), parse_pattern(r"\d\d/\d\d/\d{4}"))
    assert (best.raw, best.text) == ("24/08/2008", "24082008")
    assert exp(best.log_probability) == pytest.approx(0.95**10, abs=0.01)


def test_what_can_be_split_in_two_ways_is_half_as_sure():
    found = texts(written("24112"), parse_pattern(r"\d+/\d+"))[:2]
    assert {c.raw for c in found} == {"24/12", "241/2"}
    assert [exp(c.log_probability) for c in found] == pytest.approx([0.95**5 / 2] * 2, rel=0.01)


@pytest.mark.parametrize(("dash", "raw"), [(0.9, "02139-4307"), (0.01, "021394307")])
def test_the_dash_of_a_zip_is_read_if_it_is_there(dash, raw):
    line = [{d: 0.9} for d in "02139"] + [{"-": dash}] + [{d: 0.9} for d in "4307"]
    best, fit = marked(steps(*line), "us-zip")
    assert (best.raw, best.value, fit) == (raw, {"zip": "02139-4307"}, pytest.approx(1))


def test_marks_of_an_expression_count():
    line = steps({"1": 0.9}, {".": 0.6, "7": 0.3}, {"2": 0.9})
    found = texts(line, parse_pattern(r"\d\.\d"))
    assert [(c.text, c.raw) for c in found] == [("12", "1.2")]
    assert isinstance(found[0], Candidate)
    assert texts(line, parse_pattern(r"\d-\d")) == []  # rather nothing than that


def test_the_best_string_that_passes_the_check():
    """A 7 is a little likelier than the 1 there, but no card has that number."""
    line = [{c: 0.99} for c in "4539578763621486"]
    line[9:10] = [{"7": 0.5, "3": 0.4}]
    spaced = [row for step in line for row in (step, {})]
    assert texts(steps(*spaced), parse_pattern("digits"))[0].text == "4539578767621486"
    [best, *_] = texts(steps(*spaced), parse_pattern("luhn:16"))
    assert best.text == "4539578763621486"
    assert np.exp(best.log_probability) == pytest.approx(0.4 * 0.99**15, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_codes_have_the_probability_of_all_their_alignments(seed):
    codes = ["1", "12", "122", "21", "1121", "333"]
    line = random_steps(6, "123", seed)
    every = all_alignments(line, "123")
    found = dict(Codes({code: code for code in codes}).search(np.exp(line), len(codes)))
    assert found.keys() == set(codes)
    for code, value in found.items():
        assert np.exp(value) == pytest.approx(every[code], rel=1e-3)


def test_a_list_gives_the_best_code_as_the_list_has_it(tmp_path):
    path = tmp_path / "codes.txt"
    path.write_text("12-34\r\n567\n1299\n\n", encoding="utf-8")
    pattern = parse_pattern(f"list:{path}")
    line = steps({"1": 0.9}, {"2": 0.9}, {"8": 0.6, "3": 0.2}, {"-": 0.3}, {"4": 0.9})
    [best, *_] = texts(line, pattern)
    assert (best.text, best.value) == ("1234", {"code": "12-34"})
    assert np.exp(best.log_probability) < 0.2  # as sure as it is, not as sure as the others allow
    path.write_text("1284\n12-34\n", encoding="utf-8")
    assert texts(line, parse_pattern(f"list:{path}"))[0].text == "1284"


def test_codes_of_every_length_are_told_apart():
    codes = ["".join(c) for n in (1, 2, 3) for c in itertools.product("12", repeat=n)]
    tree = Codes({code: code for code in codes})
    for code in codes:
        line = np.exp(steps(*(row for c in code for row in ({c: 0.9}, {}))))
        assert tree.search(line, 1)[0][0] == code


def test_characters_stand_where_they_are_likeliest():
    line = steps({}, {"1": 0.9}, {"1": 0.6}, {}, {}, {"1": 0.8}, {"2": 0.7}, *[{}] * 8)
    assert align(line, "112") == [
        ("1", pytest.approx(0.9), 0, 3),
        ("1", pytest.approx(0.8), 4, 5),
        ("2", pytest.approx(0.7), 6, 6 + 8 // STRIDE),
    ]


def test_nothing_to_align():
    assert align(steps({}, {}), "") == []


def test_an_alignment_is_the_best_of_all():
    for seed in range(5):
        log_probabilities = random_steps(6, "12-", seed)
        spans = align(log_probabilities, "1-2")
        assert [c for c, *_ in spans] == list("1-2")
        best = max(
            (path for path in itertools.product("12-_", repeat=6) if collapses(path, "1-2")),
            key=lambda path: sum(
                log_probabilities[t, BLANK if c == "_" else CHARACTERS.index(c)]
                for t, c in enumerate(path)
            ),
        )
        for character, _, first, last in spans:
            places = [t for t, c in enumerate(best) if c == character]
            assert first <= places[0] <= places[-1] <= last


def collapses(path: tuple[str, ...], text: str) -> bool:
    return "".join(c for c, _ in itertools.groupby(path) if c != "_") == text
