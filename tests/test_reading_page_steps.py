"""Steps of reading a page: telling print from handwriting, gaps inside a field."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from holmdel.reading.colour import Inks
from holmdel.reading.page import find_fields
from holmdel.reading.strip import strips_of

PAGES = runpy.run_path(str(Path(__file__).with_name("test_reading_page.py")))
Paper, letter, ruled, score, texts = (
    PAGES[name] for name in ("Paper", "letter", "ruled", "score", "texts")
)
BLUE, GREY, RED = (220, 120, 30), (170, 170, 170), (40, 40, 220)


def steps(paper):
    return dict(find_fields(Inks(paper.photograph()), score, steps=True).steps)


def reach(picture, colour):
    """Returns left, top, right and bottom of what is drawn in a colour."""
    rows, columns = np.nonzero((picture == colour).all(2))
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_steps_frame_writing_blue_print_grey_and_fields_red():
    page = find_fields(Inks(letter().write("47352", 920, 720, 62).photograph()), score, steps=True)
    shown = dict(page.steps)
    x, y, w, h = page.fields[0].box
    assert np.allclose(reach(shown["fields"], RED), (x, y, x + w, y + h), atol=8)
    assert np.allclose(reach(shown["lines"], BLUE), (x, y, x + w, y + h), atol=8)
    left, top, right, _ = reach(shown["lines"], GREY)
    assert (70 < left < 85, 55 < top < 70, right > 850) == (True, True, True)
    assert np.array_equal(shown["field-01"], page.fields[0].picture)


def test_the_cleaned_step_has_the_writing_and_no_rules():
    clean = steps(ruled())["clean"]
    assert (clean[162:212, 200:400] == 0).mean() > 0.05
    assert (clean[:, 900:] == 255).all()


def test_a_long_line_whose_letters_hardly_come_back_is_print_beside_print():
    paper = letter().type("Quick, by fog: whelks dumpj", 80, 700, 34)
    assert not (steps(paper)["lines"] == BLUE).all(2).any()


def test_a_long_line_in_a_larger_type_is_print_by_its_base_line():
    paper = letter().type("Quick brazen whelks dump", 80, 720, 60)
    assert not (steps(paper)["lines"] == BLUE).all(2).any()


@pytest.mark.parametrize(("pitch", "fields"), [(99, ["4735"]), (190, [])])
def test_digits_a_little_more_than_their_height_apart_are_one_field(pitch, fields):
    assert texts(Paper().write("4735", 100, 200, pitch=pitch).photograph()) == fields


def test_numbers_twice_the_height_apart_are_two_fields():
    paper = Paper().write("473", 100, 200).write("520", 345, 200)
    assert texts(paper.photograph()) == ["473", "520"]


def test_a_low_picture_with_rules_and_a_strip_are_one_line_and_two_lines_are_none():
    between = Paper(280, 70).rule((0, 4), (279, 4), dark=0.9).rule((0, 66), (279, 66), dark=0.9)
    assert strips_of(Inks(between.write("71", 30, 20, 30).photograph()), certain=False)
    assert strips_of(Inks(Paper(900, 170).write("47352", 60, 60, 40).photograph()), certain=False)
    two = Paper(900, 170).write("47352", 60, 6, 45).write("30749", 60, 105, 45)
    assert strips_of(Inks(two.photograph()), certain=False) == ()
