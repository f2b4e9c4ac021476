"""The weights in the package: small, with a true model card, and as good as it says."""

import re
from importlib import resources

import pytest

import holmdel as library
from holmdel import data as data_sets
from holmdel import verbs
from holmdel.classifier import shipped

DATA = {"lenet-mnist": "mnist", "lenet-fashion-mnist": "fashion-mnist"}


def test_both_ship_and_are_small():
    assert set(shipped()) == set(DATA)
    for name in shipped():
        file = resources.files("holmdel") / "weights" / f"{name}.safetensors"
        assert len(file.read_bytes()) < 300_000


@pytest.mark.parametrize("name", DATA)
def test_they_are_the_plain_network(name):
    network = library.load(name).network
    assert sum(p.numel() for p in network.parameters()) == 61_706


@pytest.mark.parametrize("name", DATA)
def test_the_card_says_how_to_make_them_and_how_good_they_are(name, data_root):
    card = (resources.files("holmdel") / "weights" / f"{name}.md").read_text(encoding="utf-8")
    assert f"holmdel train lenet --data {DATA[name]} --recipe modern" in card
    said = float(re.search(r"test accuracy \| ([\d.]+)", card).group(1))
    found = library.evaluate(name, DATA[name], data_root=data_root)
    assert found.accuracy == pytest.approx(said, abs=2e-4)  # other machines round otherwise


def test_lenet_mnist_reads_digits_it_was_not_trained_on():
    """Scikit-learn's digits come from other writers and 8x8 pixels."""
    classifier = library.load("lenet-mnist")
    digits = data_sets.load("digits").test
    assert verbs.assess(classifier, digits).accuracy > 0.9


def test_from_the_command_line(holmdel, tmp_path):
    from PIL import Image

    digits = data_sets.load("digits").test
    seven = 255 - digits.images[(digits.labels == 7).nonzero()[0, 0], 0]
    page = Image.new("L", (300, 200), 255)
    page.paste(Image.fromarray(seven.numpy()).resize((84, 84)), (150, 40))
    page.save("seven.jpg")
    done = holmdel("predict", "lenet-mnist", "seven.jpg", "--format", "csv")
    assert done.status == 0
    assert done.out.splitlines()[1].startswith("seven.jpg,7,7,")
