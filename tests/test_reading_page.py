"""Fields of handwritten digits on composed pages."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_sample_images

import holmdel
from holmdel.checkpoint import load_line_model
from holmdel.reading.colour import Inks
from holmdel.reading.line import DigitAnswer, LineAnswer, LineReader
from holmdel.reading.page import find_fields
from holmdel.reading.strip import strips_of

READER = Path(holmdel.__file__).parent / "weights" / "reader.safetensors"
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"

STROKES = {  # corners of a pen's way, in hundredths of the digit's box
    "0": [(50, 0), (12, 18), (0, 55), (20, 95), (55, 100), (90, 75), (95, 30), (50, 0)],
    "1": [(62, 0), (38, 100)],
    "2": [(5, 22), (40, 0), (85, 12), (80, 40), (0, 100), (100, 95)],
    "3": [(5, 8), (60, 0), (85, 20), (38, 45), (95, 65), (70, 98), (0, 92)],
    "4": [(45, 0), (0, 62), (100, 58), (72, 20), (62, 100)],
    "5": [(95, 0), (22, 4), (12, 42), (75, 42), (95, 72), (55, 100), (0, 92)],
    "6": [(78, 0), (20, 35), (0, 80), (50, 100), (90, 80), (60, 55), (8, 72)],
    "7": [(0, 6), (100, 0), (45, 100)],
    "8": [(90, 12), (45, 0), (8, 22), (90, 75), (50, 100), (5, 78), (88, 25), (90, 12)],
    "9": [(92, 18), (45, 0), (5, 28), (40, 50), (90, 22), (62, 100)],
}


def drawn(char, height, rng, shake=6.0):
    """Returns a digit as uint8 (height, width), ink 255, its corners shaken, a bit slanted."""
    size = np.array([height * (0.35 if char == "1" else 0.62), height])
    corners = np.array(STROKES[char], float) + rng.uniform(-shake, shake, (len(STROKES[char]), 2))
    corners[:, 0] += rng.uniform(-0.2, 0.2) * (50 - corners[:, 1])
    pen = max(2, height // 11)
    canvas = np.zeros((height + 2 * pen, int(size[0]) + 2 * pen), np.uint8)
    corners[:, 0] = np.clip(corners[:, 0], -5, 105)
    points = (corners / 100 * size + pen).round().astype(np.int32)
    cv2.polylines(canvas, [points], False, (255,), pen, cv2.LINE_AA)
    return canvas


def small(blob):
    picture = cv2.resize(blob, (14, 20), interpolation=cv2.INTER_AREA).astype(float)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0).ravel()
    slim = 60 * np.clip(blob.shape[1] / blob.shape[0], 0.2, 0.8)
    picture = np.append(picture - picture.mean(), 20 * slim)
    return picture / np.linalg.norm(picture)


def cropped(canvas):
    rows, columns = np.nonzero(canvas > 100)
    return canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


CHARS = [char for char in STROKES for _ in range(30)]
SHAPES = np.array(
    [
        small(cropped(drawn(char, 60, np.random.default_rng(seed % 30))))
        for seed, char in enumerate(CHARS)
    ]
)


def compared(picture):
    """Returns what a picture says: each mark is the digit whose strokes are most like it."""
    ink = (255 - picture).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 90).astype(np.uint8))
    tallest = max((h for _, _, _, h, _ in stats[1:]), default=0)
    digits = []
    for number, (x, y, w, h, _) in sorted(enumerate(stats.tolist()), key=lambda s: s[1][0]):
        if number and h >= max(8, 0.35 * tallest):
            own = np.where(labels == number, 255, 0).astype(np.uint8)[y : y + h, x : x + w]
            like = SHAPES @ small(own)
            confidence = float(np.clip(like.max() * 2 - 0.75, 0, 1))
            digits.append(DigitAnswer(CHARS[int(like.argmax())], confidence, (x, y, w, h)))
    text = "".join(digit.char for digit in digits)
    score = float(np.prod([digit.confidence for digit in digits])) if digits else 0.0
    return LineAnswer(text, text, score, tuple(digits))


class Comparing:
    """Reads lines by comparing their marks with strokes."""

    def answers(self, pictures, pattern, views=None):
        return [compared(picture) for picture in pictures]


class UnsureOfSmall:
    """Reads lines as a reader does that knows only digits nearly as high as the line."""

    def answers(self, pictures, pattern, views=None):
        return unsure_of_small(pictures)


score = Comparing()


def unsure_of_small(pictures):
    answers = []
    for picture, answer in zip(pictures, score.answers(pictures, None), strict=True):
        low = sum(digit.box[3] < 0.6 * picture.shape[0] for digit in answer.digits)
        answers.append(replace(answer, score=answer.score * 0.3**low))
    return answers


class Paper:
    """A page to write on: 1 is paper, 0 ink."""

    def __init__(self, width=1200, height=900):
        self.light = np.ones((height, width), np.float32)
        self.rng = np.random.default_rng(5)

    def put(self, ink, x, y, dark):
        part = self.light[y : y + ink.shape[0], x : x + ink.shape[1]]
        np.minimum(part, 1 - ink[: part.shape[0], : part.shape[1]] / 255 * dark, out=part)

    def write(self, text, x, y, height=50, pitch=None, heights=None):
        for place, char in enumerate(text):
            high = round(
                (heights or [1.0] * len(text))[place] * height * self.rng.uniform(0.9, 1.1)
            )
            ink = drawn(char, high, self.rng)
            middle = y + (height - high) // 2 + int(self.rng.integers(-2, 3))
            if pitch:
                self.put(ink, x + place * pitch + (pitch - ink.shape[1]) // 2, middle, 0.75)
            else:
                self.put(ink, x, middle, 0.75)
                x += ink.shape[1] + height // 4
        return self

    def type(self, text, x, y, size=28):
        font = ImageFont.truetype(str(FONT), size)
        picture = Image.new("L", (int(font.getlength(text)) + 4, round(size * 1.4)), 0)
        ImageDraw.Draw(picture).text((1, 0), text, fill=255, font=font)
        self.put(np.asarray(picture), x, y, 0.9)
        return self

    def rule(self, *corners, dark=0.6):
        for start, end in pairwise(corners):
            canvas = np.zeros(self.light.shape, np.uint8)
            cv2.line(canvas, start, end, (255,), 2, cv2.LINE_AA)
            self.put(canvas, 0, 0, dark)
        return self

    def box(self, x, y, width, height):
        right, bottom = x + width, y + height
        return self.rule((x, y), (right, y), (right, bottom), (x, bottom), (x, y))

    def photograph(self, shade=0.35, skew=0.0, turn=0):
        """Returns the page in falling light, on grainy paper, askew, a quarter turned."""
        light = self.light
        height, width = light.shape
        if skew:
            turned = cv2.getRotationMatrix2D((width / 2, height / 2), skew, 0.8)
            light = cv2.warpAffine(light, turned, (width, height), borderValue=(1,))
        across = np.linspace(1, 1 - shade, width, dtype=np.float32)
        grain = self.rng.normal(0, 0.012, light.shape)
        grey = np.clip((light * across * 0.9 + grain) * 255, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.rot90(grey, -turn // 90))


def texts(grey):
    return [compared(field.picture).text for field in find_fields(Inks(grey), score).fields]


def ruled():
    paper = Paper()
    for y in range(110, 900, 110):
        paper.rule((0, y), (1199, y), dark=0.35)
    return paper.write("47352", 200, 162).write("3074947", 260, 380).write("24734", 240, 602)


def letter():
    paper = Paper(1400, 900)
    for number, line in enumerate(
        ["Harbour Insurance Company", "P.O. Box 1842, Springfield", "Telephone 0171 555 2380"]
    ):
        paper.type(line, 80, 60 + 44 * number)
    for number, line in enumerate(["Mr. Thomas Miller", "1275 Orchard Street", "Holmdel, NJ"]):
        paper.type(line, 600, 420 + 60 * number, 42)
    return paper


def test_lines_on_ruled_paper_in_falling_light():
    assert texts(ruled().photograph()) == ["47352", "3074947", "24734"]


@pytest.mark.parametrize("skew", [-13.0, -4.0, 8.0, 14.0])
def test_a_page_askew(skew):
    assert texts(ruled().photograph(skew=skew)) == ["47352", "3074947", "24734"]


def test_the_edge_of_a_table_in_a_photograph_does_not_turn_the_page():
    paper = Paper().write("4735", 300, 200, 30).write("2094", 320, 420, 30)
    straight = find_fields(Inks(paper.photograph(shade=0)), score).fields
    edge = np.array([(0, 0), (30, 0), (230, 899), (200, 899)], np.int32)
    cv2.fillPoly(paper.light, [edge], (0.1,))
    fields = find_fields(Inks(paper.photograph(shade=0)), score).fields
    assert [compared(field.picture).text for field in fields] == ["4735", "2094"]
    for field, before in zip(fields, straight, strict=True):
        assert np.abs(np.subtract(field.box, before.box)).max() <= 6


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_turned_is_turned_back(turn):
    page = find_fields(Inks(ruled().photograph(turn=turn)), score)
    assert [compared(field.picture).text for field in page.fields] == ["47352", "3074947", "24734"]
    assert {field.turned for field in page.fields} == {turn}


def test_boxes_of_a_form_are_fields_in_reading_order_and_labels_are_none():
    paper = Paper().type("Account 12", 100, 80).type("Policy number 4711", 600, 80)
    paper.box(100, 120, 300, 76).box(600, 120, 380, 76).box(100, 300, 300, 76)
    paper.write("4735", 130, 136).write("307", 640, 138).write("2947", 150, 312)
    assert texts(paper.photograph()) == ["4735", "307", "2947"]


def test_a_comb_is_one_field():
    paper = Paper().box(100, 100, 480, 90)
    for x in range(180, 580, 80):
        paper.rule((x, 100), (x, 190))
    assert texts(paper.write("473520", 100, 120, pitch=80).photograph()) == ["473520"]


def test_a_comb_stays_whole_where_a_digit_crosses_its_wall():
    paper = Paper().box(100, 100, 480, 90)
    for x in range(180, 580, 80):
        paper.rule((x, 100), (x, 190))
    paper.write("47", 100, 120, pitch=80).write("0520", 340, 120, pitch=80)
    paper.put(cv2.resize(drawn("2", 60, paper.rng), (96, 50)), 250, 99, 0.75)
    (field,) = find_fields(Inks(paper.photograph()), score).fields
    assert field.box[0] < 130
    assert field.box[0] + field.box[2] > 540


def test_separate_squares_for_one_digit_each_are_one_field():
    paper = Paper()
    for x in range(100, 700, 100):
        paper.box(x, 100, 80, 90)
    assert texts(paper.write("473520", 90, 120, pitch=100).photograph()) == ["473520"]


def test_the_ticks_of_an_open_comb_are_no_ones():
    paper = Paper().rule((100, 190), (580, 190))
    for x in range(100, 581, 80):
        paper.rule((x, 165), (x, 190))
    assert texts(paper.write("473520", 100, 125, pitch=80).photograph()) == ["473520"]


def test_small_zeros_beside_long_sevens_are_one_line():
    paper = Paper().write("700470", 200, 300, 120, heights=[1, 0.45, 0.45, 1, 1, 0.45])
    (field,) = find_fields(Inks(paper.photograph()), UnsureOfSmall()).fields
    assert unsure_of_small([field.picture])[0].text == "700470"
    assert 180 < field.box[0] < 210


def test_a_printed_letter_has_no_fields():
    assert texts(letter().photograph()) == []
    assert texts(letter().photograph(turn=180)) == []


def test_an_envelope_gives_the_written_code_alone():
    code = letter().write("47352", 920, 528, 62)
    assert texts(code.photograph()) == ["47352"]
    assert texts(code.photograph(turn=90)) == ["47352"]


def test_blank_paper_and_next_to_nothing_have_no_fields():
    assert find_fields(Inks(Paper().photograph()), score).fields == ()
    assert find_fields(Inks(np.zeros((1, 1), np.uint8)), score).fields == ()
    assert find_fields(Inks(np.full((40, 3000), 255, np.uint8)), score).fields == ()


def test_a_field_knows_where_it_stands_on_the_page():
    (field,) = find_fields(Inks(Paper().write("47352", 600, 400).photograph(turn=90)), score).fields
    x, y, w, h = field.box  # turned clockwise: what was at (600, 400) is at (900 - 450, 600)
    assert 430 < x < 460
    assert 590 < y < 612
    assert h > 2 * w
    height, width = field.picture.shape
    middle = field.to_page @ np.array([width / 2, height / 2, 1])
    assert np.allclose(middle, (x + w / 2, y + h / 2), atol=3)
    right = field.to_page @ np.array([width, height / 2, 1])
    assert right[1] > middle[1] + h / 3  # reading on means going down


def test_a_large_photograph_is_cut_from_the_full_picture():
    grey = cv2.resize(ruled().photograph(), (3600, 2700), interpolation=cv2.INTER_CUBIC)
    page = find_fields(Inks(grey), score)
    assert [compared(field.picture).text for field in page.fields] == ["47352", "3074947", "24734"]
    assert 580 < page.fields[0].box[0] < 620


def test_the_steps_can_be_looked_at():
    page = find_fields(Inks(ruled().photograph()), score, steps=True)
    names = [name for name, _ in page.steps]
    assert names == ["light", "clean", "lines", "fields", "field-01", "field-02", "field-03"]
    assert all(picture.dtype == np.uint8 for _, picture in page.steps)
    assert find_fields(Inks(ruled().photograph()), score).steps == ()


def test_a_strip_is_one_line_and_a_page_is_not():
    assert strips_of(Inks(Paper(300, 80).write("47352", 20, 15).photograph()), certain=False)
    assert strips_of(Inks(Paper(900, 200).write("47352", 60, 40, 110).photograph()), certain=False)
    assert strips_of(Inks(ruled().photograph()), certain=False) == ()
    two = Paper(300, 100).write("47352", 20, 6, 32).write("30749", 20, 58, 32)
    assert strips_of(Inks(two.photograph()), certain=False) == ()


def test_a_frame_of_seven_pixels_is_not_cut_out_with_the_line():
    grey = Paper(330, 130).write("47352", 60, 38, 60).photograph()
    cv2.putText(grey, "47352", (120, 6), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (40,), 2)  # print above
    cv2.rectangle(grey, (20, 14), (310, 116), (30,), 7)
    [strip] = strips_of(Inks(grey), certain=True)
    x, y, w, h = strip.box
    assert 24 < x < 66
    assert 18 < y < 44
    assert x + w < 306
    assert y + h < 117


@pytest.mark.skipif(not READER.exists(), reason="weights/reader.safetensors is not there yet")
@pytest.mark.parametrize("number", [0, 1])
def test_a_landscape_has_no_fields(number):
    reader = LineReader(load_line_model(READER)[0])
    grey = cv2.cvtColor(load_sample_images().images[number], cv2.COLOR_RGB2GRAY)
    assert find_fields(Inks(grey), reader).fields == ()
