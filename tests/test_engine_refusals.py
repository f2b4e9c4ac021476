"""Bad inputs to the native engine: the error, and that nothing has changed after it."""

import copy
import re

import pytest
import torch
from torch import Tensor, nn

from holmdel import engine
from holmdel.errors import UserError

needs_engine = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)
SIZE = (1, 6, 6)
COUNT = 40


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 3))


def pictures(**places: float) -> Tensor:
    """Returns COUNT pictures, some of which hold one other value: `p17=inf`."""
    given = torch.rand(COUNT, *SIZE, generator=torch.Generator().manual_seed(0))
    for place, value in places.items():
        given[int(place[1:]), 0, 3, 2] = value
    return given


def labels(**places: int) -> Tensor:
    given = torch.arange(COUNT) % 3
    for place, value in places.items():
        given[int(place[1:])] = value
    return given


FLOATS = "torch.uint8 or torch.float32 on the CPU"
LABELS = "torch.int64 (40,) on the CPU, one per image"
ROWS = "expected torch.int64 (B,) on the CPU"
NOT_FINITE = "of the batch holds NaN or infinity; expected finite numbers, such as 0..1"
BAD = {
    "nan": ((pictures(p0=torch.nan), labels()), f"image 0 {NOT_FINITE}"),
    "infinity": ((pictures(p17=torch.inf), labels()), f"image 17 {NOT_FINITE}"),
    "minus infinity": ((pictures(p39=-torch.inf), labels()), f"image 39 {NOT_FINITE}"),
    "label above": ((pictures(), labels(p33=3)), "label 33 of the batch is 3; expected 0..2"),
    "label below": ((pictures(), labels(p0=-1)), "label 0 of the batch is -1; expected 0..2"),
    "label far above": (
        (pictures(), labels(p5=2**33 + 1)),
        "label 5 of the batch is 8589934593; expected 0..2",
    ),
    "no picture": (
        (pictures()[:0], labels()[:0]),
        "an empty batch was given; expected at least one image",
    ),
    "float64": (
        (pictures().double(), labels()),
        f"images were given as torch.float64 on cpu; expected {FLOATS}",
    ),
    "integers": (
        (pictures().int(), labels()),
        f"images were given as torch.int32 on cpu; expected {FLOATS}",
    ),
    "another device": (
        (pictures().to("meta"), labels()),
        f"images were given as torch.float32 on meta; expected {FLOATS}",
    ),
    "one picture's shape": (
        (pictures()[0], labels()),
        "images were given as (1, 6, 6); expected (N, 1, 6, 6)",
    ),
    "another size": (
        (pictures()[:, :, 1:], labels()),
        "images were given as (40, 1, 5, 6); expected (N, 1, 6, 6)",
    ),
    "a number": ((torch.tensor(1.0), labels()), "images were given as (); expected (N, 1, 6, 6)"),
    "int32 labels": (
        (pictures(), labels().int()),
        f"labels were given as torch.int32 (40,) on cpu; expected {LABELS}",
    ),
    "labels on another device": (
        (pictures(), labels().to("meta")),
        f"labels were given as torch.int64 (40,) on meta; expected {LABELS}",
    ),
    "too few labels": (
        (pictures(), labels()[1:]),
        f"labels were given as torch.int64 (39,) on cpu; expected {LABELS}",
    ),
    "one-hot labels": (
        (pictures(), nn.functional.one_hot(labels())),
        f"labels were given as torch.int64 (40, 3) on cpu; expected {LABELS}",
    ),
}
BAD_ROWS = {
    "row above": (torch.tensor([0, 40]), "from 0 to 40; expected numbers in 0..39"),
    "row below": (torch.tensor([3, -1]), "from -1 to 3; expected numbers in 0..39"),
    "int32 rows": (torch.tensor([1, 2], dtype=torch.int32), f"as torch.int32 (2,) on cpu; {ROWS}"),
    "float rows": (torch.tensor([1.0, 2.0]), f"as torch.float32 (2,) on cpu; {ROWS}"),
    "a table of rows": (torch.tensor([[1, 2]]), f"as torch.int64 (1, 2) on cpu; {ROWS}"),
    "one number": (torch.tensor(1), f"as torch.int64 () on cpu; {ROWS}"),
    "rows elsewhere": (torch.arange(2, device="meta"), f"as torch.int64 (2,) on meta; {ROWS}"),
}


class Trained:
    """A chain after a step with momentum, and how its numbers stood then."""

    def __init__(self) -> None:
        self.network = network()
        self.chain = engine.compile(self.network, SIZE)
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.1, momentum=0.9)
        self.chain.train(pictures(), labels(), torch.arange(COUNT), self.optimizer)
        self.before = copy.deepcopy(self.numbers())

    def numbers(self) -> list[Tensor | None]:
        parameters = list(self.network.parameters())
        kept = [self.optimizer.state[p]["momentum_buffer"] for p in parameters]
        return [p.detach() for p in parameters] + [p.grad for p in parameters] + kept

    def refuses(self, sentence: str, call, *given) -> None:
        """Checks the sentence, that nothing changed, and that the next step is what it should."""
        with pytest.raises(UserError, match=f"^{re.escape(sentence)}$"):
            call(*given)
        for now, before in zip(self.numbers(), self.before, strict=True):
            assert torch.equal(now, before)
        other = Trained()
        good = pictures(), labels(), torch.arange(COUNT)
        assert self.chain.train(*good, self.optimizer) == other.chain.train(*good, other.optimizer)
        for now, truth in zip(self.numbers(), other.numbers(), strict=True):
            assert torch.equal(now, truth)


@needs_engine
@pytest.mark.parametrize("name", BAD)
def test_a_bad_batch_is_named_and_changes_nothing(name):
    given, sentence = BAD[name]
    trained = Trained()
    trained.refuses(sentence, trained.chain.step, *given)
    trained = Trained()
    rows = torch.arange(len(given[0]) if given[0].ndim else 1)
    trained.refuses(sentence, trained.chain.train, *given, rows, trained.optimizer)


@needs_engine
@pytest.mark.parametrize("name", [name for name in BAD if "label" not in name])
def test_logits_of_a_bad_batch_are_refused(name):
    (given, _), sentence = BAD[name]
    chain = engine.compile(network(), SIZE)
    if name == "no picture":
        assert chain.logits(given).shape == (0, 3)
    else:
        with pytest.raises(UserError, match=f"^{re.escape(sentence)}$"):
            chain.logits(given)


@needs_engine
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_logits_of_one_bad_picture_are_refused(value):
    chain = engine.compile(network(), SIZE)
    good = chain.logits(pictures()[:1])
    with pytest.raises(UserError, match=r"^image 0 of the batch holds NaN or infinity"):
        chain.logits(pictures(p0=value)[:1])
    assert torch.equal(chain.logits(pictures()[:1]), good)


@needs_engine
@pytest.mark.parametrize("name", BAD_ROWS)
def test_rows_that_are_not_there_are_refused(name):
    rows, said = BAD_ROWS[name]
    trained = Trained()
    sentence = f"rows were given {said}"
    trained.refuses(sentence, trained.chain.train, pictures(), labels(), rows, trained.optimizer)


@needs_engine
def test_no_row_is_an_empty_batch():
    trained = Trained()
    none = torch.empty(0, dtype=torch.int64)
    trained.refuses(
        BAD["no picture"][1], trained.chain.train, pictures(), labels(), none, trained.optimizer
    )


@needs_engine
def test_the_first_of_several_bad_pictures_is_named():
    chain = engine.compile(network(), SIZE)
    with pytest.raises(UserError, match=r"^image 2 "):
        chain.step(pictures(p2=torch.nan, p3=torch.inf, p35=torch.nan), labels())


@needs_engine
def test_what_is_not_in_the_batch_may_be_bad():
    trained = Trained()
    rows = torch.arange(1, COUNT)
    trained.chain.train(pictures(p0=torch.nan), labels(p0=7), rows, trained.optimizer)


@needs_engine
def test_a_bad_label_of_rows_is_counted_in_the_batch():
    trained = Trained()
    rows = torch.tensor([8, 33])
    sentence = "label 1 of the batch is 9; expected 0..2"
    trained.refuses(
        sentence, trained.chain.train, pictures(), labels(p33=9), rows, trained.optimizer
    )


@needs_engine
def test_another_optimizer_is_named():
    trained = Trained()
    adam = torch.optim.Adam(trained.network.parameters())
    trained.refuses(
        "an optimizer was given as Adam; expected torch.optim.SGD or AdamW",
        trained.chain.train, pictures(), labels(), torch.arange(COUNT), adam,
    )  # fmt: skip


@needs_engine
def test_tensors_with_gaps_and_turned_ones_are_taken():
    chain = engine.compile(network(), SIZE)
    plain = chain.step(pictures(), labels())
    wide = torch.full((2 * COUNT, 1, 6, 9), torch.nan)
    wide[::2, :, :, :6] = pictures()
    twice = torch.full((2 * COUNT,), 99)
    twice[::2] = labels()
    assert chain.step(wide[::2, :, :, :6], twice[::2]) == plain
    turned = pictures().transpose(2, 3).contiguous().transpose(2, 3)
    assert chain.step(turned, labels()) == plain
    assert torch.equal(chain.logits(wide[::2, :, :, :6]), chain.logits(pictures()))
