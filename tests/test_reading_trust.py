"""Confidence from scores, thresholds from error rates, and the file that keeps them."""

import json
import random

import pytest

from holmdel.errors import UserError
from holmdel.reading.trust import (
    Trust,
    calibration_path,
    contradicted,
    fit_trust,
    load_calibration,
    save_calibration,
)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"some weights")
    return path


def test_a_fitted_confidence_is_the_part_that_is_right():
    """Strings whose scores are far too sure: of those given 0.9, some 90 % are right."""
    draw = random.Random(0)
    scores = [draw.random() for _ in range(8_000)]
    right = [draw.random() < 0.5 + score / 4 for score in scores]
    trust = fit_trust(scores, right)
    for low in (0.55, 0.6, 0.65):
        near = [
            good
            for score, good in zip(scores, right, strict=True)
            if low < trust.confidence(score) <= low + 0.05
        ]
        assert sum(near) / len(near) == pytest.approx(low + 0.025, abs=0.05)


def test_a_higher_score_is_never_trusted_less():
    """Even where the strings given say otherwise."""
    trust = fit_trust([i / 40 for i in range(40)], [i < 20 for i in range(40)])
    assert trust.confidence(0.1) <= trust.confidence(0.9)
    assert trust.confidence(0.0) == 0  # nothing speaks for it
    assert 0 < trust.confidence(1e-9) <= trust.confidence(1.0) < 1


def test_the_threshold_is_where_so_many_mistakes_are_left():
    """99 strings, wrong at the scores 0.9, 0.8 and 0.7: k mistakes count as (k + 1) / 100."""
    wrong = (0.9, 0.8, 0.7)
    scores = [*wrong, *(0.95 for _ in range(96))]
    trust = fit_trust(scores, [score not in wrong for score in scores])
    sure, second, third = (trust.confidence(score) for score in wrong)
    assert trust.threshold(0.009) == 1.0  # 1 % cannot be promised by fewer than 99 strings
    assert trust.threshold(0.01) == sure
    assert trust.threshold(0.02) == second
    assert trust.threshold(0.039) == third
    assert trust.threshold(0.04) == 0.0


def test_the_promise_holds_on_strings_that_were_not_seen():
    """Over many draws the mean error is at most what was asked for, and not much below it."""
    draw = random.Random(1)

    def strings(count):
        scores = [draw.random() for _ in range(count)]
        return scores, [draw.random() < score for score in scores]

    errors = []
    for _ in range(100):
        trust = fit_trust(*strings(200))
        scores, right = strings(200)
        threshold = trust.threshold(0.05)
        read = [
            good
            for score, good in zip(scores, right, strict=True)
            if trust.confidence(score) > threshold
        ]
        errors.append((len(read) - sum(read)) / 200)
    assert 0.04 < sum(errors) / len(errors) < 0.053


def drawn(draw, count, mistakes):
    """Returns scores, and whether each string is right: mistakes are rarer at high scores."""
    scores = [draw.random() for _ in range(count)]
    return scores, [draw.random() > 2 * mistakes * (1 - score) for score in scores]


def test_what_a_model_knows_counts_beside_a_few_strings():
    """40 strings alone promise no error below 1 / 41; the mean error stays what was asked for."""
    draw = random.Random(2)
    known = fit_trust(*drawn(draw, 5_000, 0.1))
    found = {0.02: [], 0.05: []}
    for _ in range(120):
        few = drawn(draw, 40, 0.1)
        assert fit_trust(*few).threshold(0.02) == 1.0
        trust = fit_trust(*few, known)
        scores, right = drawn(draw, 200, 0.1)
        for error, parts in found.items():
            sure = [trust.confidence(score) > trust.threshold(error) for score in scores]
            wrong = sum(good < read for good, read in zip(right, sure, strict=True))
            parts.append((sum(sure) / 200, wrong / 200))
    for error, parts in found.items():
        assert 0.5 * error < sum(wrong for _, wrong in parts) / 120 < 1.15 * error
        assert sum(read for read, _ in parts) / 120 > 0.3


def test_confidences_stay_near_a_model_s_own_where_strings_are_few():
    known = Trust(1.0, 0.5, ((0.5, 0.1), (0.0, 0.2)))
    scores = [0.5 + i / 100 for i in range(40)]
    right = [i % 7 > 0 for i in range(40)]
    alone, beside = fit_trust(scores, right), fit_trust(scores, right, known)
    for score in (0.6, 0.9):
        apart = [
            abs(trust.confidence(score) - known.confidence(score)) for trust in (alone, beside)
        ]
        assert apart[1] < 0.5 * apart[0]


def test_strings_with_more_mistakes_than_promised_contradict():
    draw = random.Random(3)
    trust = fit_trust(*drawn(draw, 5_000, 0.05))
    doubts = {
        mistakes: sum(contradicted(trust, *drawn(draw, 100, mistakes)) for _ in range(40))
        for mistakes in (0.02, 0.05, 0.3)
    }
    assert doubts[0.02] == 0
    assert doubts[0.05] < 10
    assert doubts[0.3] == 40


def test_a_curve_of_many_mistakes_stays_small():
    trust = fit_trust([i / 10_000 for i in range(10_000)], [i % 2 == 0 for i in range(10_000)])
    assert len(trust.curve) < 150
    thresholds = [at for at, _ in trust.curve]
    assert thresholds == sorted(thresholds, reverse=True)


def test_without_a_curve_the_confidence_itself_is_taken():
    assert Trust().threshold(0.05) == 0.95


@pytest.mark.parametrize("asked", [-0.1, 1.5])
def test_an_error_rate_is_a_part(asked):
    with pytest.raises(UserError, match=f"max_error was given as {asked}; expected a number"):
        Trust().threshold(asked)


def test_json_gives_the_same_trust_back():
    trust = fit_trust([i / 40 for i in range(40)], [i > 15 for i in range(40)])
    assert Trust.from_json(json.loads(json.dumps(trust.to_json()))) == trust


def test_a_few_strings_are_not_enough():
    with pytest.raises(UserError, match="3 labelled strings were given; expected 20 or more"):
        fit_trust([0.1, 0.2, 0.3], [True, False, True])


def test_a_calibration_is_kept_for_its_model_alone(model, tmp_path):
    assert load_calibration(model) is None
    path = save_calibration(model, Trust(2.0, 0.5, ((0.0, 0.1),)))
    assert path == calibration_path()
    assert load_calibration(model) == Trust(2.0, 0.5, ((0.0, 0.1),))
    (tmp_path / "other.safetensors").write_bytes(b"other weights")
    assert load_calibration(tmp_path / "other.safetensors") is None


@pytest.mark.parametrize("content", ["half a calib", "[]", '{"model": "a"}', '{"trust": {}}'])
def test_a_damaged_calibration_is_named(model, content):
    calibration_path().parent.mkdir(parents=True)
    calibration_path().write_text(content)
    with pytest.raises(UserError, match=r"is no calibration .* remove it or give --calib"):
        load_calibration(model)
