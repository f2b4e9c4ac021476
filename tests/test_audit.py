"""`make audit`: a known fault fails it, an index that knows nothing does not."""

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "bench" / "audit.py"


@pytest.fixture
def audit():
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


GOOD = {"name": "click", "version": "8.1", "vulns": []}
BAD = {"name": "pillow", "version": "9.0", "vulns": [{"id": "CVE-1", "fix_versions": ["9.1"]}]}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


def report(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("given", "status", "text"),
    [
        ("", 0, "skipped: audit of the packages (no index at hand knows their faults)"),
        (report(UNKNOWN), 0, "skipped: audit of the packages"),
        (report(GOOD, UNKNOWN), 0, "not judged by the index at hand: ours\n1 packages judged"),
        (report(GOOD, BAD, UNKNOWN), 1, "pillow 9.0: CVE-1, mended in 9.1\n"),
    ],
)
def test_a_known_fault_alone_fails(audit, given, status, text):
    found, said = audit.said(given)
    assert found == status
    assert said.startswith(text)
