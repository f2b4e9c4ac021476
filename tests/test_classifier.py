"""The classifier from Python: images of many forms in, predictions and failures out."""

import pickle
import threading
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import holmdel
from holmdel import data
from holmdel.classifier import Failure, Prediction, shipped
from holmdel.images import ImageContract

CLASSES = tuple("abcdefghij")


def pixels_of(path):
    """uint8 (1, 28, 28) of a PNG file."""
    with Image.open(path) as picture:
        return torch.tensor(np.asarray(picture))[None]


@pytest.fixture
def pictures(tmp_path):
    """Ten PNG files in the form of the data set, each another."""
    draw = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(10)]
    for path in paths:
        pixels = np.zeros((28, 28), np.uint8)
        pixels[4:24, 4:24] = draw.integers(0, 255, (20, 20))
        Image.fromarray(pixels).save(path)
    return paths


def test_a_classifier_shows_its_network_classes_and_contract(run_folder):
    classifier = holmdel.load(run_folder)
    assert isinstance(classifier, holmdel.Classifier)
    assert not classifier.network.training
    assert classifier.classes == CLASSES
    assert classifier.contract == ImageContract()
    assert classifier.header.network == "lenet"


def test_a_run_folder_and_its_file_are_the_same_model(run_folder, pictures):
    folder, file = holmdel.load(run_folder), holmdel.load(run_folder / "model.safetensors")
    assert folder.predict(pictures) == file.predict(pictures)


def test_a_prediction_is_the_softmax_of_the_network(run_folder, pictures):
    classifier = holmdel.load(str(run_folder))
    [prediction] = classifier.predict(pictures[0], top=10)
    pixels = pixels_of(pictures[0])
    logits = classifier.network(pixels[None] / 255)
    expected = logits.detach().softmax(dim=1)[0]
    assert prediction.path == str(pictures[0])
    assert prediction.index == int(expected.argmax())
    assert prediction.label == CLASSES[prediction.index]
    assert prediction.probability == pytest.approx(float(expected.max()), abs=1e-6)
    assert dict(prediction.top) == pytest.approx(
        dict(zip(CLASSES, expected.tolist(), strict=True)), abs=1e-6
    )
    assert [p for _, p in prediction.top] == sorted((p for _, p in prediction.top), reverse=True)
    assert torch.equal(prediction.seen, pixels)


@pytest.mark.parametrize("name", ["lenet-mnist", "lenet-fashion-mnist"])
def test_on_a_blank_image_nothing_is_found_and_nothing_is_named(name):
    classifier = holmdel.load(name)
    blanks = [np.full((50, 40), grey, np.uint8) for grey in (0, 90, 255)]
    stored = torch.zeros(1, 28, 28, dtype=torch.uint8)
    for found in classifier.predict([*blanks, stored]):
        assert (found.found, found.label, found.index) == ("nothing", "", -1)
        assert (found.probability, found.top) == (0.0, ())
        assert "nothing found" in repr(found)


def test_a_batch_and_a_list_of_any_kind_give_the_same(run_folder, pictures):
    classifier = holmdel.load(run_folder)
    batch = torch.stack([pixels_of(path) for path in pictures])
    kinds = [
        list(batch),
        [p.read_bytes() for p in pictures],
        [Image.fromarray(b[0].numpy()) for b in batch],
    ]
    expected = [p.probability for p in classifier.predict(pictures)]
    for pictures_ in [batch, batch.numpy(), *kinds]:
        assert [p.probability for p in classifier.predict(pictures_)] == expected
    assert classifier.predict(batch)[0].path is None
    assert classifier.predict([]) == []


def test_top_names_at_most_the_classes_there_are(run_folder, pictures):
    classifier = holmdel.load(run_folder)
    assert len(classifier.predict(pictures, top=2)[0].top) == 2
    assert len(classifier.predict(pictures, top=99)[0].top) == 10
    with pytest.raises(holmdel.UserError, match="top was given as 0; expected a whole number"):
        classifier.predict(pictures, top=0)
    with pytest.raises(holmdel.UserError, match="batch_size was given as 0"):
        classifier.predict_each(pictures, batch_size=0)


def test_predict_refuses_a_bad_picture(run_folder, pictures):
    with pytest.raises(holmdel.UserError, match=r"there is no file none\.png"):
        holmdel.load(run_folder).predict([*pictures, "none.png"])


@pytest.mark.parametrize("batch_size", [1, 3, 256])
def test_a_stream_keeps_the_order_and_goes_on_after_a_bad_picture(run_folder, pictures, batch_size):
    mixed = [pictures[0], b"seven", *pictures[1:4], "none.png", *pictures[4:]]
    results = list(holmdel.load(run_folder).predict_each(mixed, batch_size=batch_size))
    assert [type(r) for r in results] == [
        Failure if m in (b"seven", "none.png") else Prediction for m in mixed
    ]
    assert [r.path for r in results] == [None if m == b"seven" else str(m) for m in mixed]
    assert results[1] == Failure(
        None, "the image of 5 bytes is not an image; expected a PNG, JPEG, TIFF, ... file"
    )


def test_a_stream_may_be_endless_and_is_drawn_as_needed(run_folder, pictures):
    drawn = 0
    before = set(threading.enumerate())

    def endless():
        nonlocal drawn
        while True:
            drawn += 1
            yield pictures[drawn % 10]

    stream = holmdel.load(run_folder).predict_each(endless(), batch_size=5)
    for _ in range(20):
        next(stream)
    assert drawn <= 20 + 2 * 5
    stream.close()
    assert set(threading.enumerate()) <= before


def test_an_unknown_model_names_those_that_ship():
    known = ", ".join(shipped()) or "none does in this version"
    with pytest.raises(holmdel.UserError, match=rf"no model lenet-7; expected .*: {known}"):
        holmdel.load("lenet-7")


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
def test_a_pytorch_checkpoint_is_called_one(holmdel, tmp_path, options):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "net.bin", **options)
    for verb in ("inspect", "evaluate"):
        said = " ".join(holmdel(verb, tmp_path / "net.bin").err.split())
        assert "net.bin is a PyTorch checkpoint; `holmdel import" in said


@pytest.mark.parametrize(
    ("name", "written", "what"),
    [
        ("a.npz", lambda path: np.savez(path, weight=np.zeros(2)), "an archive of NumPy arrays"),
        ("a.keras", lambda path: zipped(path, "model.weights.h5"), "a Keras model"),
        ("a.h5", lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "a file of another program"),
        ("a.pkl", lambda path: path.write_bytes(pickle.dumps({})), "a PyTorch checkpoint"),
        ("cut.pt", lambda path: path.write_bytes(b"PK\x03\x04"), "a PyTorch checkpoint"),
        ("a.safetensors", lambda path: save_file({"w": torch.zeros(2)}, path), "no holmdel header"),
    ],
)
def test_weights_of_other_programs_are_named_and_where_they_go(tmp_path, name, written, what):
    path = tmp_path / name
    written(path)
    for door in (holmdel.load, holmdel.inspect):
        with pytest.raises(holmdel.UserError, match=rf"{what}.*`holmdel import \S+ --as NETWORK"):
            door(path)


def zipped(path, name):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "")


def test_a_header_of_any_length_is_no_pickle(tmp_path):
    save_file({"w": torch.zeros(2)}, tmp_path / "a.safetensors", {"x": "y" * 562})
    assert (tmp_path / "a.safetensors").read_bytes()[0] == 0x80, "the length of the header: 640"
    with pytest.raises(holmdel.UserError, match="no holmdel header"):
        holmdel.load(tmp_path / "a.safetensors")


def test_every_shipped_model_loads():
    for name in shipped():
        assert len(holmdel.load(name).classes) >= 2


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(holmdel.UserError, match=r"holds no model\.safetensors"):
        holmdel.load(tmp_path)


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_says_so(run_folder, device):
    with pytest.raises(holmdel.UserError, match=f"device '{device}'"):
        holmdel.load(run_folder, device=device)


def test_a_classifier_shows_its_network_and_classes():
    classifier = holmdel.load("lenet-mnist")
    assert repr(classifier).startswith("Classifier(network lenet, parameters 61,706")
    assert "<td>0, 1, 2, 3, 4, 5, 6, 7, 8, 9</td>" in classifier._repr_html_()


def test_a_prediction_shows_its_classes():
    seen = torch.zeros(1, 28, 28, dtype=torch.uint8)
    found = Prediction("a<b.png", "7", 7, 0.9, (("7", 0.9), ("1", 0.1)), seen)
    assert repr(found) == "Prediction(a<b.png: 7 90.0%, 1 10.0%)"
    assert "<caption>a&lt;b.png</caption>" in found._repr_html_()
    assert "<tr><td>7</td><td>90.0%</td></tr>" in found._repr_html_()


def test_digits_that_fill_sixteen_pixels_are_found_and_read():
    held = data.load("digits").train
    images, labels = [], held.labels.numpy()[:200]
    for image in held.images[:200, 0].numpy():
        rows, columns = np.nonzero(image)
        cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        small = Image.fromarray(cut).resize((14, 14), Image.Resampling.BILINEAR)
        images.append(np.pad(np.asarray(small), 1))
    found = holmdel.load("lenet-mnist").predict(images)
    assert sum(one.found == "one" for one in found) >= 195
    assert (
        np.mean([one.label == str(label) for one, label in zip(found, labels, strict=True)]) > 0.8
    )
