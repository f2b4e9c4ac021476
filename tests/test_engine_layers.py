"""Which layers the native engine supports, and how it chooses its instruction set."""

import re

import pytest
import torch
from torch import nn

from holmdel import engine
from holmdel.errors import UserError
from holmdel.images import ImageContract

needs_engine = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)
SIZE = (1, 6, 6)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 3))


LINEAR = nn.Linear(36, 3)
UNKNOWN = {
    "group normalisation": (nn.GroupNorm(1, 1), "0: GroupNorm(1"),
    "dropout of maps": (nn.Dropout2d(), "0: Dropout2d(p=0.5"),
    "a border that mirrors": (nn.Conv2d(1, 2, 3, padding_mode="reflect"), "0: Conv2d(1, 2"),
    "an even kernel with equal size": (nn.Conv2d(1, 2, 2, padding="same"), "0: Conv2d(1, 2"),
    "indices": (nn.MaxPool2d(2, return_indices=True), "0: MaxPool2d(kernel_size=2"),
    "apart": (nn.MaxPool2d(2, dilation=2), "0: MaxPool2d(kernel_size=2"),
    "a divisor": (nn.AvgPool2d(2, divisor_override=3), "0: AvgPool2d(kernel_size=2"),
    "a class of one's own": (type("Mine", (nn.ReLU,), {})(), "0: Mine()"),
    "two channels": (nn.Conv2d(2, 2, 3), "0: Conv2d(2, 2, kernel_size=(3, 3), stride=(1, 1))"),
}


@needs_engine
@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_layer_is_named(name):
    layer, said = UNKNOWN[name]
    sentence = f"the engine does not know the layer {said}"
    with pytest.raises(engine.Unsupported, match=f"^{re.escape(sentence)}") as raised:
        engine.compile(nn.Sequential(layer, nn.Flatten(), LINEAR), SIZE)
    assert "\n" not in str(raised.value)


CHAINS = {
    "softmax at the end": (
        nn.Sequential(nn.Flatten(), LINEAR, nn.Softmax(1)), SIZE, r"layer 2: Softmax\(dim=1\)",
    ),
    "no flatten": (
        nn.Sequential(nn.Conv2d(1, 1, 1), nn.Linear(6, 3)), SIZE, r"layer 1: Linear\(.* Flatten",
    ),
    "another length": (
        nn.Sequential(nn.Flatten(), nn.Linear(35, 3)), SIZE, r"layer 1: Linear\(.* after 36 values",
    ),
    "nested": (
        nn.Sequential(nn.Sequential(nn.ReLU(), nn.Softplus()), nn.Flatten(), LINEAR),
        SIZE, r"layer 0\.1: Softplus",
    ),
    "a convolution behind": (
        nn.Sequential(nn.Flatten(), LINEAR, nn.Conv2d(3, 3, 1)), SIZE, "2: Conv2d.* after a Fl",
    ),
    "flattening in part": (
        nn.Sequential(nn.Flatten(2), LINEAR), SIZE, r"layer 0: Flatten\(start_dim=2",
    ),
    "no logits": (nn.Sequential(nn.Conv2d(1, 3, 6)), SIZE, "does not give a row of logits"),
    "no weights": (nn.Sequential(nn.ReLU(), nn.Flatten()), SIZE, "it has no weights"),
    "97 pixels": (
        nn.Sequential(nn.Flatten(), nn.Linear(97, 3)), (1, 1, 97), "1x97 are above 96x96",
    ),
    "float64": (nn.Sequential(nn.Flatten(), nn.Linear(36, 3).double()), SIZE, "^1.weight is torch"),
}  # fmt: skip


@needs_engine
@pytest.mark.parametrize("name", CHAINS)
def test_an_unknown_chain_is_explained(name):
    chain, size, said = CHAINS[name]
    with pytest.raises(engine.Unsupported, match=said):
        engine.compile(chain, size)


@needs_engine
def test_an_activation_that_is_used_twice_counts_twice():
    act = nn.Tanh()
    twice = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), act, nn.Linear(5, 3), act)
    pictures = torch.rand(5, *SIZE)
    found = engine.compile(twice, SIZE).logits(pictures)
    torch.testing.assert_close(found, twice(pictures).detach(), rtol=1e-5, atol=1e-5)


@needs_engine
def test_a_kernel_that_does_not_fit_is_explained():
    with pytest.raises(UserError, match="a window of 7 does not fit into 6 pixels"):
        engine.compile(nn.Sequential(nn.Conv2d(1, 1, 7), nn.Flatten(), LINEAR), SIZE)


@needs_engine
def test_bytes_to_be_resized_are_refused():
    image = ImageContract(stored=(1, 3, 3), input=SIZE, enlarge="resize")
    chain = engine.compile(network(), image)
    with pytest.raises(UserError, match=r"given as torch.uint8 on cpu; expected torch.float32 on"):
        chain.logits(torch.zeros(2, 1, 3, 3, dtype=torch.uint8))


def test_instructions_are_chosen_by_the_environment(monkeypatch):
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", "sse9")
    with pytest.raises(UserError, match=r"^HOLMDEL_INSTRUCTIONS was set to 'sse9'; expected"):
        engine.status()


def test_without_instructions_pytorch_does_the_work(monkeypatch):
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", "none")
    assert str(engine.status()) == "PyTorch (HOLMDEL_INSTRUCTIONS=none)"
    assert engine.select(network(), SIZE).chain is None
    with pytest.raises(engine.Unsupported, match="HOLMDEL_INSTRUCTIONS=none"):
        engine.select(network(), SIZE, "native")
    with pytest.raises(UserError, match=r"^the peak is measured by the native engine"):
        engine.peak(1)


def test_without_libraries_pytorch_does_the_work(monkeypatch, tmp_path):
    monkeypatch.delenv("HOLMDEL_INSTRUCTIONS", raising=False)
    monkeypatch.setenv("HOLMDEL_LIBRARY_FOLDER", str(tmp_path))
    assert engine.status().name == "torch"
    assert "it is built where a C++ compiler is at hand" in engine.select(network(), SIZE).line
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", "portable")
    with pytest.raises(UserError, match=r"^HOLMDEL_INSTRUCTIONS was set to 'portable', but the"):
        engine.status()
