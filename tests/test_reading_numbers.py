"""Pages of numbers: short ones, wide gaps, columns, rings; combs of which cells are missing."""

import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest

from holmdel.reading.colour import Inks
from holmdel.reading.page import find_fields

PAGES = runpy.run_path(str(Path(__file__).with_name("test_reading_page.py")))
Paper, letter, score, texts = (PAGES[name] for name in ("Paper", "letter", "score", "texts"))


def test_a_gap_wider_than_a_digit_is_high_parts_no_number():
    paper = Paper()
    for row, parts in enumerate((("473", "5209", "24"), ("74", "307", "352"))):
        x = 120 + 60 * row
        for part in parts:
            paper.write(part, x, 150 + 260 * row)
            x += 46 * len(part) + 62
    assert texts(paper.photograph(shade=0)) == ["473520924", "74307352"]


@pytest.mark.parametrize("far", [0, 20, 40])
def test_a_number_beside_a_printed_label_is_read_whole(far):
    """Its first part is one digit, a mark as a capital letter is; it may touch the label's word."""
    paper = Paper()
    for row, (first, rest) in enumerate((("4", "730"), ("35", "209"), ("74", "352"))):
        x, y = 500 + far, 100 + 200 * row
        paper.type("Total amount to be paid", 80, y, 36).write(first, x, y - 12, 60)
        paper.write(rest, x + 52 * len(first) + 30, y - 12, 60)
    assert texts(paper.photograph(shade=0)) == ["4730", "35209", "74352"]


def test_a_capital_letter_in_a_printed_line_is_no_number():
    paper = Paper()
    for row, words in enumerate(("otal of all payments", "hank you for the order", "his side up")):
        paper.type("T", 80, 88 + 120 * row, 56).type(words, 130, 100 + 120 * row, 36)
    assert texts(paper.photograph(shade=0)) == []


def test_digits_of_broken_strokes_are_one_line():
    """Where the ink is faint a stroke has a gap; the lower half is no short number."""
    paper = Paper()
    for row, number in enumerate(("4730", "2094", "35207")):
        paper.write(number, 200, 100 + 200 * row, 80)
    paper.light[335:338, 400:700] = 1  # through the last two digits of the second
    grey = paper.photograph(shade=0)
    assert len(find_fields(Inks(grey), score).fields) == 3


def test_columns_that_stand_as_close_are_numbers_of_their_own():
    paper = Paper()
    for row, text in enumerate(("4735", "2094", "7423", "3075")):
        paper.write(text, 150, 100 + 190 * row, pitch=44).write(text[::-1], 400, 100 + 190 * row)
    assert len(texts(paper.photograph(shade=0))) == 8


def test_cells_of_a_table_are_numbers_of_their_own():
    paper = Paper()
    for x in (100, 376, 660):
        paper.rule((x, 80), (x, 800))
    for y in range(80, 801, 180):
        paper.rule((100, y), (660, y))
    paper.write("4735", 150, 145, pitch=46).write("2094", 410, 145)
    assert texts(paper.photograph(shade=0)) == ["4735", "2094"]


def bent_table(rows, columns, write):
    """Returns a ruled table on paper that is not flat: all lines across sag in the middle."""
    paper, (high, wide) = Paper(), (60, 110)
    right, bottom = 200 + wide * columns, 20 + high * rows
    for row in range(rows + 1):
        y = 20 + high * row
        paper.rule((20, y), (right // 2, y + 7), (right, y))
    for x in (20, *range(200, right + 1, wide)):
        paper.rule((x, 20), (x, bottom + 5))
    for row in range(rows):
        paper.type("Ada Byron", 34, 34 + high * row, 26)
        for column in range(columns):
            write(paper, row, column, 225 + wide * column, 36 + high * row)
    return paper


@pytest.mark.parametrize("turn", [0, 90])
def test_each_cell_of_a_table_is_a_number_however_many_there_are(turn):
    rows, columns = 14, 8
    numbers = [f"{23 + (7 * n) % 74}" for n in range(rows * columns)]

    def write(paper, row, column, x, y):
        paper.write(numbers[columns * row + column], x, y, 30)

    found = texts(bent_table(rows, columns, write).photograph(shade=0.1, turn=turn))
    assert len(found) > 0.8 * len(numbers)
    assert {*found} <= {*numbers}


def test_squares_of_paper_are_no_table():
    paper = Paper()
    for at in range(30, 1200, 60):
        paper.rule((at, 0), (at, 899), dark=0.5)
        if at < 900:
            paper.rule((0, at), (1199, at), dark=0.5)
    paper.write("4730952", 212, 160, 34, pitch=60)
    assert texts(paper.photograph(shade=0)) == ["4730952"]


def test_a_broken_digit_between_two_parts_is_a_part_of_the_number():
    """Each half of it is too low for a digit, and without it the gap is too wide for a number."""
    paper = Paper()
    for row, (first, second, rest) in enumerate((("473", "0", "952"), ("209", "5", "735"))):
        y = 100 + 260 * row
        paper.write(first, 200, y, 24, pitch=34).write(second, 314, y, 24)
        paper.write(rest, 352, y, 24, pitch=34)
    paper.light[366:382, 308:340] = 1
    assert len(find_fields(Inks(paper.photograph(shade=0)), score).fields) == 2


def test_short_numbers_count_on_a_page_of_numbers():
    paper, numbers = Paper(), ["24", "7", "35", "90", "6", "81"]
    for place, number in enumerate(numbers):
        paper.write(number, 120 + 420 * (place % 2), 90 + 240 * (place // 2))
    assert texts(paper.photograph(shade=0)) == numbers


def test_single_digits_in_a_letter_are_none():
    paper = letter().write("4", 920, 700, 60).write("7", 300, 760, 60)
    assert texts(paper.photograph(shade=0)) == []


def test_a_ring_around_a_number_is_no_zero():
    paper = Paper().write("473", 500, 400)
    ring = np.zeros(paper.light.shape, np.uint8)
    cv2.ellipse(ring, (575, 425), (140, 80), 0, 0, 360, (255,), 5, cv2.LINE_AA)
    paper.put(ring, 0, 0, 0.8)
    assert texts(paper.photograph(shade=0)) == ["473"]


def comb(cells, x=100, y=100, side=80):
    paper = Paper().box(x, y, cells * side, 90)
    for wall in range(x + side, x + cells * side, side):
        paper.rule((wall, y), (wall, y + 90))
    return paper


def test_digits_that_fill_a_crop_of_their_comb_are_all_seen():
    grey = comb(6).write("473520", 100, 107, 76, pitch=80).photograph(shade=0)[98:192, 98:582]
    [field] = find_fields(Inks(grey), score).fields
    assert field.box[0] < 20
    assert field.box[0] + field.box[2] > 460
    assert not field.beyond


def test_ticks_whose_rule_a_crop_has_cut_away_part_no_number():
    paper = Paper().write("473520", 100, 110, 60, pitch=80)
    for x in range(100, 581, 80):
        paper.rule((x, 160), (x, 189))
    grey = paper.photograph(shade=0)
    for edges in (np.s_[98:186, 96:586], np.s_[98:186, 104:576]):
        [field] = find_fields(Inks(grey[edges]), score).fields
        assert field.comb
        assert len(field.comb.cells) == 6


def test_digits_beside_a_comb_say_that_cells_are_missing():
    paper = comb(4, x=260).write("735204", 180, 120, pitch=80)
    fields = find_fields(Inks(paper.photograph(shade=0)), score).fields
    assert [field.beyond for field in fields if field.comb] == [True]
    loose = comb(4, x=420).write("473", 180, 120, pitch=80).write("5204", 420, 120, pitch=80)
    fields = find_fields(Inks(loose.photograph(shade=0)), score).fields
    assert [field.beyond for field in fields] == [True, True]
    assert (
        not find_fields(Inks(comb(4).write("7352", 100, 120, pitch=80).photograph()), score)
        .fields[0]
        .beyond
    )


def test_pieces_of_a_margin_are_no_ones():
    paper = Paper()
    for row, number in enumerate(("473", "209", "352", "94")):
        paper.write(number, 300, 90 + 200 * row)
        paper.rule((1100, 70 + 200 * row), (1101, 118 + 200 * row), dark=0.8)
    assert texts(paper.photograph(shade=0)) == ["473", "209", "352", "94"]


def test_the_grid_of_squared_paper_goes_where_it_was_photographed_at_an_angle():
    paper, steps = Paper(), range(22, 1200, 44)
    for at in steps:
        paper.rule((at, 0), (at, 899), dark=0.3)
        if at < 900:
            paper.rule((0, at), (1199, at), dark=0.3)
    for row, number in enumerate(("473", "2094", "35207")):
        paper.write(number, 198, 160 + 220 * row, 34, pitch=44)
    corners = np.float32([(0, 0), (1200, 0), (1200, 900), (0, 900)])
    moved = np.float32([(-40, -40), (1250, 10), (1190, 890), (-10, 960)])
    turn = cv2.getPerspectiveTransform(corners, moved)
    paper.light = cv2.warpPerspective(paper.light, turn, (1200, 900), borderValue=(1,))
    assert texts(paper.photograph(shade=0.2)) == ["473", "2094", "35207"]
