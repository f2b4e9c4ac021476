"""The primer's examples print what it shows, and its images are up to date."""

import doctest
import importlib
import re
from pathlib import Path

PRIMER = Path(__file__).parents[1] / "docs" / "primer.md"
TEXT = PRIMER.read_text(encoding="utf-8")


def examples() -> str:
    """Returns the primer with everything but its examples blanked, so that line numbers hold."""
    shown, inside = [], False
    for line in TEXT.splitlines():
        if line.startswith("```"):
            inside = line == "```pycon"
            shown.append("")
        else:
            shown.append(line if inside else "")
    return "\n".join(shown) + "\n"


def test_the_examples_print_what_is_shown():
    """In order and in one namespace, the import lines too."""
    parsed = doctest.DocTestParser().get_doctest(examples(), {}, "primer", str(PRIMER), 0)
    assert len(parsed.examples) > 90
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(parsed, out=said.append)
    assert outcome.failed == 0, "".join(said)


def test_every_block_is_run():
    assert set(re.findall(r"^```(\w+)", TEXT, flags=re.MULTILINE)) == {"pycon"}


def test_the_pictures_are_those_the_build_draws(monkeypatch):
    monkeypatch.syspath_prepend(PRIMER.parent)
    drawn = importlib.import_module("primer_pictures").drawn()
    assert list(drawn) == re.findall(r"\]\(img/([^)]+)\)", TEXT)
    for name, text in drawn.items():
        assert (PRIMER.parent / "img" / name).read_text(encoding="utf-8") == text, "run make docs"
