"""Beam search against the sum over all alignments, and the positions of the characters."""

import itertools
from collections import defaultdict
from math import exp, log

import numpy as np
import pytest

from holmdel.networks.line import ALPHABET, BLANK, DIGITS, STRIDE
from holmdel.reading.decode import Candidate, align, texts, with_marks
from holmdel.reading.patterns import parse_pattern


def steps(*rows: dict[str, float], blank: float = 0.0) -> np.ndarray:
    """Returns float32 (T, K), ln of the probabilities of each row; the rest is the blank's."""
    table = np.full((len(rows), len(ALPHABET) + 1), 1e-30)
    for row, probabilities in zip(table, rows, strict=True):
        for character, probability in probabilities.items():
            row[ALPHABET.index(character)] = probability
        row[BLANK] = max(1 - sum(probabilities.values()), 1e-30)
    return np.log(table).astype(np.float32)


def random_steps(count: int, characters: str, seed: int, peak: float = 1.5) -> np.ndarray:
    """Returns steps (T, K) at which only `characters` and the blank are likely."""
    generator = np.random.default_rng(seed)
    logits = np.full((count, len(ALPHABET) + 1), -60.0)
    classes = [*map(ALPHABET.index, characters), BLANK]
    logits[:, classes] = generator.normal(0, peak, (count, len(classes)))
    logits -= np.log(np.exp(logits).sum(1, keepdims=True))
    return logits.astype(np.float32)


def all_alignments(log_probabilities: np.ndarray, characters: str) -> dict[str, float]:
    """Returns the probability of every raw text: the sum over all paths that collapse to it."""
    classes = [*map(ALPHABET.index, characters), BLANK]
    probabilities = np.exp(log_probabilities.astype(np.float64))
    found: defaultdict[str, float] = defaultdict(float)
    for path in itertools.product(classes, repeat=len(probabilities)):
        collapsed = [c for c, _ in itertools.groupby(path) if c != BLANK]
        text = "".join(ALPHABET[c] for c in collapsed)
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
        classes = [BLANK if c == "_" else ALPHABET.index(c) for c in path]
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


def raw_text(log_probabilities, pattern):
    """Returns the best text with its marks."""
    automaton = parse_pattern(pattern)
    return with_marks(log_probabilities, texts(log_probabilities, automaton)[0].text, automaton)


def test_an_amount_keeps_its_marks():
    line = [{"2": 0.9}, {".": 0.8, "1": 0.1}, {"5": 0.9}, {}, {"0": 0.9}, {"1": 0.9}, {"-": 0.9}]
    best = texts(steps(*line), parse_pattern("amount"))[0]
    assert (best.text, raw_text(steps(*line), "amount")) == ("2501", "2.501-")


def test_a_wrong_mark_forbids_no_digits():
    """No amount has its dots so, but the digits are as sure as without them."""
    line = [{"2": 0.9}, {".": 0.9}, {"5": 0.9}, {"7": 0.9}, {".": 0.9}, {"0": 0.9}]
    amount = texts(steps(*line), parse_pattern("amount"))[0]
    digits = texts(steps(*line), parse_pattern("digits"))[0]
    assert amount.text == digits.text == "2570"
    assert amount.log_probability == pytest.approx(digits.log_probability)
    assert parse_pattern("amount").fits(raw_text(steps(*line), "amount"))


@pytest.mark.parametrize(("dash", "raw"), [(0.9, "02139-4307"), (0.01, "021394307")])
def test_the_dash_of_a_zip_is_read_if_it_is_there(dash, raw):
    line = [{d: 0.9} for d in "02139"] + [{"-": dash}] + [{d: 0.9} for d in "4307"]
    assert raw_text(steps(*line), "us-zip") == raw


def test_marks_of_an_expression_count():
    line = steps({"1": 0.9}, {".": 0.6, "7": 0.3}, {"2": 0.9})
    found = texts(line, parse_pattern(r"\d\.\d"))
    assert [(c.text, c.raw) for c in found] == [("12", "1.2")]
    assert isinstance(found[0], Candidate)
    assert texts(line, parse_pattern(r"\d-\d")) == []  # rather nothing than that


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
                log_probabilities[t, BLANK if c == "_" else ALPHABET.index(c)]
                for t, c in enumerate(path)
            ),
        )
        for character, _, first, last in spans:
            places = [t for t, c in enumerate(best) if c == character]
            assert first <= places[0] <= places[-1] <= last


def collapses(path: tuple[str, ...], text: str) -> bool:
    return "".join(c for c, _ in itertools.groupby(path) if c != "_") == text
