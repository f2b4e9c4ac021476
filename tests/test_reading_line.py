"""Images of lines through a network: batches, views, marks and boxes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from holmdel.alphabet import ALPHABET, ALPHABETS, STRIDE
from holmdel.errors import UserError
from holmdel.images.contract import to_line
from holmdel.networks.line import LineNetwork, widened
from holmdel.reading.decode import texts
from holmdel.reading.expressions import BLANK as READ_BLANK
from holmdel.reading.line import LineAnswer, LineReader
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.views import VIEWS, View, look

DIGITS = parse_pattern("digits")


class Bars(nn.Module):
    """A network that reads a tall bar as a 1 and a short one as a dash, as sure as it is told."""

    def __init__(self, sure: float = 0.999, alphabet: str = ALPHABETS[0]) -> None:
        super().__init__()
        self.sure = sure
        self.alphabet = alphabet
        self.seen = torch.zeros((), dtype=torch.int64)  # pictures; a copy of the network shares it

    def __deepcopy__(self, memo: object) -> "Bars":
        copy = Bars(self.sure, self.alphabet)
        copy.seen = self.seen
        return copy

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        self.seen += len(pictures)
        ink = (pictures[:, 0].float() > 0.5).float().mean(1)  # (N, W)
        steps = F.max_pool1d(ink, STRIDE)  # (N, T)
        logits = torch.full((len(pictures), len(self.alphabet) + 1, steps.shape[1]), -20.0)
        logits[:, -1] = torch.where(steps < 0.1, 0, np.log(1 - self.sure))
        logits[:, self.alphabet.index("1")] = torch.where(steps > 0.45, np.log(self.sure), -20)
        short = (steps >= 0.1) & (steps <= 0.45)
        logits[:, self.alphabet.index("-")] = torch.where(short, np.log(self.sure), -20)
        return logits


class Torn(Bars):
    """The same, torn between digits at the first bar."""

    def __init__(self, first: dict[str, float]) -> None:
        super().__init__()
        self.first = first

    def __deepcopy__(self, memo: object) -> "Torn":
        return Torn(self.first)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits = super().forward(pictures)
        one = logits[:, self.alphabet.index("1")]
        for line, ones in zip(logits, one > -1, strict=True):
            step = int(ones.int().argmax())
            end = step + int((~ones[step:]).int().argmax())
            line[:, step:end] = -20
            line[-1, step:end] = 0  # blank but for the first step of the bar
            line[-1, step] = -20
            for digit, chance in self.first.items():
                line[self.alphabet.index(digit), step] = np.log(chance)
        return logits


def bars(*lefts: int, width: int = 300, dash: int | None = None) -> np.ndarray:
    """Returns a picture (64, width) with tall bars of ten columns, and a short one at `dash`."""
    picture = np.full((64, width), 230, np.uint8)
    for left in lefts:
        picture[8:56, left : left + 10] = 20
    if dash is not None:
        picture[24:40, dash : dash + 10] = 20
    return picture


def test_digits_come_with_the_boxes_of_their_ink():
    (answer,) = LineReader(Bars()).answers([bars(40, 100, 220)], DIGITS)
    assert answer.text == answer.raw == "111"
    assert answer.score == pytest.approx(0.999**3, abs=0.01)
    assert [d.char for d in answer.digits] == ["1", "1", "1"]
    for digit, left in zip(answer.digits, (40, 100, 220), strict=True):
        assert digit.confidence == pytest.approx(0.999, abs=0.001)
        assert digit.box == pytest.approx((left, 8, 10, 48), abs=3)


def test_of_two_scores_alike_the_one_of_more_digits_claims_more():
    """What a score lacks to 1 is its digits' together: so much for each speaks for many."""
    few, many = (LineAnswer("1" * count, "1" * count, 0.8, ()) for count in (1, 8))
    assert few.claim(0.3) == few.claim(0) == many.claim(0) == pytest.approx(0.8)
    assert 0.8 < many.claim(0.3) < many.claim(0.6) < 1
    assert replace(many, fit=0.5).claim(0.3) < 0.6  # half of it may mean another value
    assert replace(many, fit=0).claim(0.3) == 0


def test_answers_come_in_the_order_of_the_pictures():
    pictures = [bars(*range(30, 30 + 60 * count, 60), width=60 * count + 40) for count in range(6)]
    answers = LineReader(Bars()).answers([*pictures, pictures[1]], DIGITS)
    assert [a.text for a in answers] == ["", "1", "11", "111", "1111", "11111", "1"]


def test_blank_paper_says_nothing():
    (answer,) = LineReader(Bars()).answers([bars()], DIGITS)
    assert (answer.text, answer.raw, answer.score, answer.digits) == ("", "", 0, ())
    assert LineReader(Bars()).answers([], DIGITS) == []


def test_marks_are_in_raw_where_the_pattern_has_them():
    reader = LineReader(Bars())
    picture = bars(40, 100, dash=180)
    (amount,) = reader.answers([picture], parse_pattern("amount"))
    assert (amount.text, amount.raw) == ("11", "11-")
    assert amount.value == {"cents": 1100, "decimal": False}
    assert amount.fit == pytest.approx(0.5)  # or 1/-, a slash in the place of the second bar
    (digits,) = reader.answers([picture], DIGITS)
    assert (digits.text, digits.raw) == ("11", "11")
    assert len(amount.digits) == len(digits.digits) == 2


@pytest.mark.parametrize(
    ("first", "digits", "amount"),
    [
        ({"4": 0.6, "1": 0.4}, "411", "111"),  # 30 % of amounts begin with 1, 10 % with 4
        ({"4": 0.8, "1": 0.2}, "411", "411"),
        ({"0": 0.6, "9": 0.4}, "011", "911"),
    ],
)
def test_of_two_amounts_the_usual_one_is_read_and_is_no_surer_for_that(first, digits, amount):
    picture = bars(40, 100, 160)
    (as_digits,) = LineReader(Torn(first)).answers([picture], DIGITS, views=1)
    assert as_digits.text == digits
    (answer,) = LineReader(Torn(first)).answers([picture], parse_pattern("amount"), views=1)
    assert answer.text == amount
    assert answer.score <= first[amount[0]] + 0.01


def test_an_amount_may_begin_with_a_zero_before_its_decimal_mark():
    (answer,) = LineReader(Torn({"0": 0.6, "9": 0.4})).answers(
        [bars(40, 160, 220, dash=100)], parse_pattern("amount"), views=1
    )
    assert (answer.raw, answer.value) == ("0-11", {"cents": 11, "decimal": True})


def test_a_slash_has_no_digit_and_no_box():
    """Three bars may be 1/1; what stands for the slash is no digit."""
    (answer,) = LineReader(Bars()).answers([bars(40, 100, 220)], parse_pattern(r"\d/\d"))
    assert (answer.text, answer.raw) == ("11", "1/1")
    assert [digit.box[0] for digit in answer.digits] == pytest.approx([40, 220], abs=3)
    with_slash = LineReader(Bars(alphabet=ALPHABETS[1]))
    (answer,) = with_slash.answers([bars(40, 100, 220)], parse_pattern(r"\d/\d"))
    assert answer.score < 0.01  # it would have said so
    (answer,) = with_slash.answers([bars(40, 100, 220)], DIGITS)
    assert answer.text == "111"


class Says(nn.Module):
    """A network that says a text, a character every second step, whatever the picture."""

    alphabet = ALPHABET

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits = torch.full((len(pictures), len(ALPHABET) + 1, pictures.shape[3] // STRIDE), -20.0)
        for step in range(logits.shape[2]):
            character = self.text[step // 2 : step // 2 + 1] if step % 2 else ""
            logits[:, ALPHABET.index(character) if character else -1, step] = 0
        return logits


@pytest.mark.parametrize(
    ("said", "pattern", "raw"),
    [
        ("|1|2||3|", "digits", "123"),
        ("?35.35?", r"\d+\.\d\d", "35.35"),
        ("3,4", "digits", "34"),
        ("3/4:", "digits", "34"),
        ("|12:30|", r"\d\d:\d\d", "12:30"),
        ("12.:30", r"\d\d:\d\d", "12:30"),
        ("|24/08/2008", "date:dmy", "24/08/2008"),
        ("$2500/-", "amount", "$2500/-"),
        ("??||", "digits", ""),
    ],
)
def test_what_the_pattern_does_not_hold_is_skipped(said, pattern, raw):
    (answer,) = LineReader(Says(said)).answers([bars()], parse_pattern(pattern))
    assert (answer.raw, answer.text) == (raw, "".join(c for c in raw if c.isdigit()))
    assert (answer.score > 0.99) is bool(raw)


@pytest.mark.parametrize("written", ["31/02/2026", "30-02-1999", "31.11.08"])
def test_a_day_that_is_none_is_shown_with_the_marks_that_were_seen(written):
    (answer,) = LineReader(Says(written)).answers([bars()], parse_pattern("date:dmy"))
    assert (answer.raw, answer.value, answer.claim(0)) == (written, None, 0)
    assert len(answer.digits) == sum(c.isdigit() for c in written)


@pytest.mark.parametrize("said", ["1?2", "|1?|2|", "12?345", "1.?2"])
def test_other_ink_amid_the_digits_may_be_one_that_was_not_read(said):
    (answer,) = LineReader(Says(said)).answers([bars()], DIGITS)
    assert answer.score < 0.01


def test_the_pattern_decides():
    (answer,) = LineReader(Bars(sure=0.9)).answers([bars(40, 100, 220)], parse_pattern("digits:2"))
    assert answer.text == "11"
    assert answer.score < 0.3


def test_what_is_sure_is_looked_at_once():
    sure, doubtful = Bars(sure=0.999), Bars(sure=0.5)
    LineReader(sure).answers([bars(40, 100)] * 3, DIGITS)
    LineReader(doubtful).answers([bars(40, 100)] * 3, DIGITS)
    assert sure.seen == 3
    assert doubtful.seen == 3 * 4  # hopeless


def test_what_more_views_may_make_sure_is_looked_at_six_times():
    nearly = Bars(sure=0.93)
    LineReader(nearly).answers([bars(40, 100)] * 3, DIGITS)
    assert nearly.seen == 3 * 6


def test_as_many_views_as_asked_for():
    network = Bars()
    (answer,) = LineReader(network).answers([bars(40, 100)], DIGITS, views=8)
    assert network.seen == 8
    assert answer.text == "11"
    with pytest.raises(UserError, match="9 views of a line were asked for; expected 1 to 8"):
        LineReader(network).answers([], DIGITS, views=9)


def noise(seed: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (40, width), dtype=np.uint8)


def network(seed: int = 0, alphabet: str = ALPHABET) -> LineNetwork:
    """Returns a network of random weights whose normalisations all do something."""
    torch.manual_seed(seed)
    network = LineNetwork(alphabet=alphabet)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 1, 2)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
            nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            nn.init.uniform_(layer.running_var, 0.2, 0.5)
    return network.eval()


def test_a_picture_alone_is_read_as_among_others():
    pictures = [noise(seed, width) for seed, width in enumerate((90, 93, 200, 131, 40, 95))]
    reader = LineReader(network())
    together = reader.answers(pictures, DIGITS)
    for picture, answer in zip(pictures, together, strict=True):
        (alone,) = reader.answers([picture], DIGITS)
        assert alone.text == answer.text
        assert alone.score == pytest.approx(answer.score, rel=0.05)


def test_the_reader_computes_what_the_network_does():
    plain = network(1, ALPHABETS[0])
    picture = noise(7, 92)
    line = to_line(look(picture, VIEWS[0]))
    width = -(-line.shape[1] // 16) * 16  # the width at which it is read
    padded = torch.from_numpy(np.pad(line, ((0, 0), (0, width - line.shape[1]))))
    with torch.inference_mode():
        steps = F.log_softmax(plain(padded[None, None]), 1)[0].T[: line.shape[1] // STRIDE]
    known = np.full((len(steps), READ_BLANK + 1), -np.inf, np.float32)
    known[:, [*range(len(ALPHABETS[0])), READ_BLANK]] = steps.numpy()
    expected = texts(known, DIGITS)[0]
    (answer,) = LineReader(plain).answers([picture], DIGITS, views=1)
    assert answer.text == expected.text
    assert np.log(answer.score) == pytest.approx(expected.log_probability, abs=0.3)  # bfloat16
    assert isinstance(plain[0][1], nn.BatchNorm2d)  # the network given is left alone


def test_views():
    picture = bars(100)
    assert np.array_equal(look(picture, View()), picture)
    assert look(picture, View(width=0.5)).shape == (64, 150)
    assert look(picture, View(above=0.25, below=0.5)).shape == (112, 300)
    assert np.array_equal(look(picture, View(above=-0.25)), picture[16:])
    assert np.array_equal(look(picture, View(below=-0.25)), picture[:48])
    slanted = look(picture, View(slant=0.5))
    assert slanted[10].argmin() < picture[10].argmin()
    assert slanted[50].argmin() > picture[50].argmin()
    assert look(picture, View(blur=0.1))[32].min() > 20


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 4)])
def test_the_smallest_pictures_can_be_looked_at(size):
    pictures = [np.full(size, 200, np.uint8)]
    (answer,) = LineReader(Bars()).answers(pictures, DIGITS, views=8)
    assert answer.text == ""


def test_a_network_of_fewer_characters_reads_the_same_when_widened():
    old = LineNetwork(channels=(2, 3, 4, 5, 5, 6), alphabet=ALPHABETS[0]).eval()
    wide = widened(old)
    pictures = [bars(40, 100, 220), bars(30)]
    before, after = (LineReader(net).chances(pictures, DIGITS, 1) for net in (old, wide))
    for one, other in zip(before, after, strict=True):
        assert other == pytest.approx(one, rel=0.05)
    assert widened(wide) is wide
