"""`holmdel evaluate` and the figures behind it, some of them computed by hand."""

import io
import json
import os

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from torch import nn

import holmdel as library
from holmdel.evaluation import assess, calibration_error, chance, evaluate
from holmdel.figures import draw_mistakes


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Returns the folder of a trained LeNet."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    library.train("lenet", "digits", recipe="modern", epochs=4, out=folder)
    return folder


def test_json_has_the_contracts_fields(holmdel, run):
    done = holmdel("evaluate", run, "--data", "digits", "--json")
    assert done.status == 0
    found = json.loads(done.out)
    assert set(found) == {"accuracy", "loss", "count", "confusion", "ece"}
    assert found["count"] == sum(map(sum, found["confusion"]))
    right = sum(found["confusion"][i][i] for i in range(10))
    assert found["accuracy"] == pytest.approx(right / found["count"])


def test_the_accuracy_is_the_one_the_training_printed(holmdel):
    trained = holmdel("train", "lenet", "--data", "digits", "--epochs", 1, "--out", "run")
    found = json.loads(holmdel("evaluate", "run", "--data", "digits", "--json").out)
    assert f"test acc {found['accuracy']:.3f}" in trained.out.splitlines()[-2]


def test_without_data_it_is_what_the_run_was_trained_on(holmdel, run):
    named = holmdel("evaluate", run, "--data", "digits", "--json").out
    assert holmdel("evaluate", run, "--json").out == named
    assert library.evaluate(run).count == json.loads(named)["count"]


def test_a_folder_is_seen_as_predict_sees_it(holmdel, run, tmp_path):
    """Photographs of digits, dark on light and off centre, for a model that wants them centred."""
    digits = library.data.load("digits").test
    for split in ("train", "test"):
        for digit in range(10):
            folder = tmp_path / "photos" / split / str(digit)
            folder.mkdir(parents=True)
            for number, at in enumerate((digits.labels == digit).nonzero()[:3, 0].tolist()):
                ink = Image.fromarray(digits.images[at, 0].numpy()).resize((84, 84))
                page = Image.new("L", (200, 150), 230)
                page.paste(40, (20 + 30 * number, 50), ink)
                page.save(folder / f"{number}.png")
    files = sorted((tmp_path / "photos" / "test").glob("*/*.png"))
    said = [found.label for found in library.load(run).predict(files)]
    right = sum(label == file.parent.name for label, file in zip(said, files, strict=True))
    found = json.loads(holmdel("evaluate", run, "--data", tmp_path / "photos", "--json").out)
    assert found["accuracy"] == pytest.approx(right / 30)
    assert right > 20


def test_a_run_is_evaluated_on_what_was_put_aside_and_others_on_all(holmdel, run, tmp_path):
    """Whatever folder the command is given in, and whatever fraction it was."""
    digits = library.data.load("digits").test
    for number, label in enumerate(digits.labels[:100].tolist()):
        path = tmp_path / "work" / "own digits" / str(label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(digits.images[number, 0].numpy()).save(path)
    trained = library.train("lenet", "own digits", epochs=1, test=0.3, out="own")
    assert trained.header.image.framing == "digit"
    count = library.evaluate("own").count
    assert 25 < count < 35
    assert library.evaluate("own", "own digits").count == count
    assert library.evaluate(run, "own digits").count == 100
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    assert library.evaluate(tmp_path / "work" / "own").count == count


def test_a_part_of_the_classes_is_enough(holmdel, run, tmp_path):
    digits = library.data.load("digits").test
    for number, label in enumerate(digits.labels.tolist()):
        if label in (7, 3):
            path = tmp_path / "two" / str(label) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(digits.images[number, 0].numpy()).save(path)
    found = library.evaluate(run, str(tmp_path / "two"))
    assert {*found.labels.tolist()} == {3, 7}
    assert found.accuracy > 0.8
    assert "<td>-</td>" in found._repr_html_()
    rows = [
        line.split()
        for line in holmdel("evaluate", run, "--data", tmp_path / "two").out.splitlines()
    ]
    assert ["4", "-", "-", "-", "0"] in rows
    assert any(row[:1] == ["3"] and "-" not in row for row in rows)


def test_the_table_has_a_row_a_class_and_the_confusions(holmdel, run):
    said = holmdel("evaluate", run, "--data", "digits").out
    for digit in range(10):
        assert any(line.split()[:1] == [str(digit)] for line in said.splitlines())
    assert " taken for " in said
    assert "calibration error" in said


def test_pictures_are_written(holmdel, run, tmp_path):
    holmdel("evaluate", run, "--data", "digits", "--out", "seen")
    names = sorted(p.name for p in (tmp_path / "work" / "seen").iterdir())
    assert names == ["confusion.png", "confusion.svg", "mistakes.png", "mistakes.svg"]


def test_the_sheet_shows_the_pictures():
    """Ten grey pictures out of twelve places: the sheet's dark part is theirs."""
    pictures = torch.full((10, 1, 28, 28), 90, dtype=torch.uint8)
    sheet = np.asarray(Image.open(io.BytesIO(draw_mistakes(pictures, ["?"] * 10)["png"])))
    grey = (abs(sheet[..., 0].astype(int) - 90) < 3).mean()
    assert 0.4 < grey < 1.0


def test_data_of_other_classes_is_told(holmdel, run, data_root):
    done = holmdel("evaluate", run, "--data", "fashion-mnist", "--data-root", data_root)
    assert done.status == 2
    assert "fashion-mnist has the classes t-shirt, trouser" in done.err
    assert "evaluate it on data of the same classes" in done.err


def test_an_unknown_model_is_told(holmdel):
    done = holmdel("evaluate", "no-such-model", "--data", "digits")
    assert done.status == 2
    assert "no-such-model" in done.err


# Four examples, three classes; the truth is 0, 0, 1, 2 and the network says 0, 1, 1, 1.
LOGITS = torch.tensor([[2.0, 0, 0], [0, 2.0, 0], [0, 2.0, 0], [0, 4.0, 0]])
LABELS = torch.tensor([0, 0, 1, 2])


def test_figures_by_hand():
    found = assess(LOGITS, LABELS)
    assert found.accuracy == 0.5
    assert found.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    first, second, third = found.per_class()
    assert (first.precision, first.recall, first.count) == (1.0, 0.5, 2)
    assert second.precision == pytest.approx(1 / 3)
    assert (third.precision, third.recall, third.f1) == (0.0, 0.0, 0.0)
    assert found.most_confused() == [(0, 1, 1), (2, 1, 1)]
    assert found.worst().tolist() == [3, 1]  # the surest mistake first


def test_figures_are_scikit_learns():
    logits = torch.randn(500, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(500) % 7
    found = assess(logits, labels)
    said = logits.argmax(1).numpy()
    assert found.confusion.tolist() == confusion_matrix(labels.numpy(), said).tolist()
    expected = precision_recall_fscore_support(labels.numpy(), said)
    for mine, *theirs in zip(found.per_class(), *expected, strict=True):
        assert [mine.precision, mine.recall, mine.f1, mine.count] == pytest.approx(theirs)


def test_calibration_error_by_hand():
    """Two bins: three said with 0.9 and two right, one said with 0.5 and wrong."""
    confidence = torch.tensor([0.9, 0.9, 0.9, 0.5])
    correct = torch.tensor([True, True, False, False])
    expected = 3 / 4 * abs(0.9 - 2 / 3) + 1 / 4 * abs(0.5 - 0)
    assert calibration_error(confidence, correct) == pytest.approx(expected)


def test_evaluate_gives_the_mode_back():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 3))
    for training in (True, False):
        network.train(training)
        evaluate(network, [(torch.rand(2, 1, 2, 2), torch.tensor([0, 1]))])
        assert network.training is training


def test_from_python(run):
    found = library.evaluate(run, "digits")
    assert found.accuracy > 0.5
    assert found.loss < chance(10)[0]


def test_an_evaluation_shows_its_figures_and_a_row_per_class():
    found = library.evaluate("lenet-mnist", data="digits", limit=50)
    assert repr(found).startswith(f"Evaluation(accuracy {found.accuracy:.4f}, loss ")
    assert repr(found).endswith(", 50 images)")
    assert found.classes == tuple("0123456789")
    assert found._repr_html_().count("<tr>") == 11
