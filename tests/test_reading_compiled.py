"""The compiled search and alignment say what those in Python say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from holmdel.engine.library import VARIABLE
from holmdel.reading import compiled
from holmdel.reading.decode import align, texts
from holmdel.reading.expressions import CHARACTERS
from holmdel.reading.patterns import parse_pattern

pytestmark = pytest.mark.skipif(
    compiled.search(np.ones((1, 1)), np.zeros((1, 1), np.intp), np.ones(1, np.uint8), 1,
                    look_ahead=False) is None,
    reason="the search in C++ is not built",
)  # fmt: skip


def steps(seed: int, sharpness: float) -> NDArray[np.float32]:
    """Returns ln of random probabilities (40, K), the blank as probable as all else together."""
    rng = np.random.default_rng(seed)
    chances = np.exp(rng.normal(size=(40, len(CHARACTERS) + 1)) * sharpness)
    chances[:, -1] = chances[:, :-1].sum(1) * rng.uniform(0, 2, 40)
    logs: NDArray[np.float32] = np.log(chances / chances.sum(1, keepdims=True)).astype(np.float32)
    return logs


@pytest.mark.parametrize("sharpness", [0.5, 3, 10])
@pytest.mark.parametrize(
    "name",
    ["digits", "digits:3-6", "us-zip", "luhn:8", "date:dmy", r"\d+/\d+", r"\d{1,3}(,\d{3})+"],
)
def test_compiled_and_python_find_the_same(name, sharpness, monkeypatch):
    pattern = parse_pattern(name)
    for seed in range(3):
        line = steps(seed, sharpness)
        monkeypatch.setenv(VARIABLE, "none")
        in_python = texts(line, pattern, slash=True)
        spans = align(line, in_python[0].raw) if in_python else []
        monkeypatch.delenv(VARIABLE)
        found = texts(line, pattern, slash=True)
        assert [c.raw for c in found] == [c.raw for c in in_python]
        for one, other in zip(found, in_python, strict=True):
            assert one.log_probability == pytest.approx(other.log_probability, rel=1e-9)
        assert (align(line, found[0].raw) if found else []) == spans
