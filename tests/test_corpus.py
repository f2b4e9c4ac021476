"""Files of the kinds that were once met with a traceback, a wrong answer or seconds of work.

`make campaign` makes damaged files by the thousand; a small one that finds a fault is put into the
folder of its door under tests/corpus, and opened here for ever.
"""

import time
from pathlib import Path

import pytest

from campaign.doors import DOORS, opened
from holmdel.errors import UserError

CORPUS = Path(__file__).parent / "corpus"
CASES = sorted(path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("*/*"))
SECONDS = 1.0  # of the processor


@pytest.mark.parametrize("case", CASES)
def test_a_case_that_was_found_gets_an_answer_or_a_sentence(case):
    kind = Path(case).parent.name
    path = Path.cwd() / DOORS[kind].name
    path.write_bytes((CORPUS / case).read_bytes())
    began = time.process_time()
    answer = opened(kind, path)
    assert time.process_time() - began < SECONDS
    if isinstance(answer, UserError):
        assert str(answer).strip()
        assert len(str(answer).splitlines()) == 1
