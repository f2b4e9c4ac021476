"""Data as people have them: CSV files, `.npz`, arrays, Parquet, folders of IDX files."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import holmdel as library
from holmdel.data import idx, load
from holmdel.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
LABELS = np.arange(20) % 2 + 3  # two classes: 3 and 4


def kaggle(path, images=IMAGES, labels=LABELS, header=True, label_last=False):
    """Writes a CSV file as Kaggle's digit recogniser has it."""
    names = ["label", *(f"pixel{number}" for number in range(784))]
    rows = [[label, *image.ravel()] for label, image in zip(labels, images, strict=True)]
    if label_last:
        names, rows = names[1:] + names[:1], [row[1:] + row[:1] for row in rows]
    lines = [",".join(map(str, row)) for row in ([names] if header else []) + rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def same(data):
    """Tells whether a data set holds all of IMAGES, with their labels."""
    found = np.concatenate([data.train.images[:, 0].numpy(), data.test.images[:, 0].numpy()])
    labels = [*data.train.labels.tolist(), *data.test.labels.tolist()]
    wanted = {(image.tobytes(), str(label)) for image, label in zip(IMAGES, LABELS, strict=True)}
    pairs = zip(found, labels, strict=True)
    return wanted == {(image.tobytes(), data.classes[label]) for image, label in pairs}


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("label_last", [True, False])
def test_a_table_of_pixels(tmp_path, header, label_last):
    if label_last and not header:
        pytest.skip("without a header the label comes first")
    data = load(kaggle(tmp_path / "digits.csv", header=header, label_last=label_last))
    assert data.classes == ("3", "4")
    assert same(data)
    assert (len(data.train), len(data.test)) == (16, 4)


@pytest.mark.parametrize("number", ["", "id", "Unnamed: 0"])
def test_a_column_that_numbers_the_rows_is_no_pixel(tmp_path, number):
    lines = kaggle(tmp_path / "plain.csv").read_text().splitlines()
    numbered = [f"{row - 1 if row else number},{line}" for row, line in enumerate(lines)]
    (tmp_path / "numbered.csv").write_text("\n".join(numbered))
    assert same(load(tmp_path / "numbered.csv"))


@pytest.mark.parametrize("form", ["%.18e", "%.1f"])
@pytest.mark.parametrize("header", ["digit,1x1,1x2", ""])
def test_whole_numbers_in_any_form_are_the_same_labels(tmp_path, form, header):
    values = np.c_[LABELS, IMAGES.reshape(20, -1)]
    names = header and header + ",more" * 782
    np.savetxt(tmp_path / "a.csv", values, form, ",", header=names, comments="")
    data = load(tmp_path / "a.csv")
    assert data.classes == ("3", "4")
    assert same(data)


def test_a_table_of_colours(tmp_path):
    colours = np.random.default_rng(1).integers(0, 256, (20, 8, 8, 3), np.uint8)
    np.savetxt(
        tmp_path / "rgb.csv",
        np.c_[colours.reshape(20, -1), LABELS],
        "%d",
        ",",
        header=",".join([*(f"pixel{n:04}" for n in range(192)), "label"]),
        comments="",
    )
    images = load(tmp_path / "rgb.csv", input=(3, 8, 8), test=0.1).train.images
    assert any(np.array_equal(images[0].permute(1, 2, 0), image) for image in colours)


def test_a_row_without_a_label_is_named(tmp_path):
    rows = kaggle(tmp_path / "plain.csv").read_text().splitlines()
    rows[7] = rows[7].removeprefix(str(LABELS[6]))
    (tmp_path / "plain.csv").write_text("\n".join(rows))
    with pytest.raises(UserError, match=r"plain\.csv has no label in row 7"):
        load(tmp_path / "plain.csv")


def test_the_test_file_beside_it_is_the_test_part_if_it_has_labels(tmp_path):
    path = kaggle(tmp_path / "mnist_train.csv", IMAGES[:14], LABELS[:14])
    other = kaggle(tmp_path / "mnist_test.csv", IMAGES[14:], LABELS[14:])
    data = load(path)
    assert same(data)
    assert (len(data.test), data.origin) == (6, f"{path} and mnist_test.csv")
    assert same(load(tmp_path))
    other.write_text("\n".join(line.partition(",")[2] for line in other.read_text().splitlines()))
    assert len(load(path).train) == 12
    assert f"passed over: {other}, which has no labels" in load(path).notes


@pytest.mark.parametrize("names", ["path,label", "label,file_name", None])
def test_a_table_of_paths(tmp_path, names):
    (tmp_path / "my images").mkdir()
    lines = [names] if names else []
    for number, label in enumerate(LABELS):
        file = f"my images/{number}.png"
        Image.fromarray(IMAGES[number]).save(tmp_path / file)
        lines.append(f"{label},{file}" if names == "label,file_name" else f"{file},{label}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    assert same(load(tmp_path / "labels.csv"))
    assert same(load(tmp_path))  # the folder, which has no class folders


def test_a_column_says_which_are_for_testing(tmp_path):
    lines = ["path,label,split"]
    for number, label in enumerate(LABELS):
        Image.fromarray(IMAGES[number]).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{label},{'test' if number < 5 else 'train'}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    data = load(tmp_path / "labels.csv")
    assert same(data)
    assert np.array_equal(data.test.images[:, 0].numpy(), IMAGES[:5])


def test_kerass_npz(tmp_path):
    path = tmp_path / "mnist.npz"
    parts = {"x_train": IMAGES[:15], "y_train": LABELS[:15]}
    np.savez(path, **parts, x_test=IMAGES[15:], y_test=LABELS[15:])
    data = load(path)
    assert same(data)
    assert len(data.test) == 5


def test_arrays_of_any_common_form():
    scaled = IMAGES.astype(np.float32) / 255
    hot = np.eye(5)[LABELS]
    for images in (IMAGES, IMAGES[:, None], IMAGES[..., None], scaled, IMAGES.astype(np.int64)):
        for labels in (LABELS, LABELS.astype(float), LABELS.tolist(), LABELS[:, None], hot):
            assert same(load((images, labels)))
    data = load(((IMAGES[:15], LABELS[:15]), (IMAGES[15:], LABELS[15:])))
    assert same(data)
    assert len(data.test) == 5


def test_numbered_arrays_of_the_size_wanted_stay_as_they_are():
    clothes = np.zeros((40, 28, 28), np.uint8)  # as Fashion-MNIST has trousers, of classes 0 to 9
    clothes[:, 1:27, 8:20] = np.arange(120, 160, dtype=np.uint8)[:, None, None]
    clothes[:, 12:27, 13:15] = 0
    data = load((clothes, np.arange(40) % 10), framing="auto")
    assert data.framing == "fit"
    kept = {image.tobytes() for image in torch.cat([data.train.images, data.test.images]).numpy()}
    assert kept == {image.tobytes() for image in clothes}
    digits = load("digits").test
    given = digits.images[:40, 0].numpy(), digits.labels[:40].numpy()
    assert load(given, framing="auto").framing == "digit"
    small = given[0][:, ::2, ::2]  # no longer of that size
    assert load((small, given[1]), framing="auto").framing == "digit"


def test_arrays_are_trained_on_and_evaluated_on():
    run = library.train("lenet", data=(IMAGES, LABELS), epochs=1, out="run")
    assert run.header.classes == ("3", "4")
    assert library.evaluate("run", data=(IMAGES, LABELS)).count == 20
    with pytest.raises(UserError, match="run was trained on arrays, which it does not keep; give"):
        library.evaluate("run")


def test_parquet_with_encoded_images(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for part, rows in (("train", slice(15)), ("test", slice(15, None))):
        encoded = []
        for number, image in enumerate(IMAGES[rows]):
            Image.fromarray(image).save(tmp_path / "one.png")
            encoded.append({"bytes": (tmp_path / "one.png").read_bytes(), "path": f"{number}.png"})
        about = {"info": {"features": {"label": {"names": [*"01234"], "_type": "ClassLabel"}}}}
        table = pa.table({"image": encoded, "label": LABELS[rows]})
        table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
        (tmp_path / "hub" / "data").mkdir(parents=True, exist_ok=True)
        parquet.write_table(table, tmp_path / "hub" / "data" / f"{part}-00000-of-00001.parquet")
    data = load(tmp_path / "hub")
    assert same(data)
    assert len(data.test) == 5
    assert len(load(tmp_path / "hub" / "data" / "test-00000-of-00001.parquet").train) == 3


def test_a_folder_of_idx_files_is_its_set_or_has_numbers_for_classes(tmp_path):
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    values = (IMAGES[:15], LABELS[:15], IMAGES[15:], LABELS[15:])
    (tmp_path / "mine").mkdir()
    for name, content in zip(names, values, strict=True):
        idx.write(tmp_path / "mine" / f"{name}-ubyte", content.astype(np.uint8))
    assert load(tmp_path / "mine").classes == ("0", "1", "2", "3", "4")
    (tmp_path / "mine").rename(tmp_path / "MNIST")
    data = load(tmp_path / "MNIST")
    assert (data.name, len(data.classes)) == ("mnist", 10)


FAULTS = {
    "": "t.csv is empty; expected label,pixel0",
    "label,pixel0\n": "has a header and no rows",
    "a,b\nc,d\n": "has the columns a, b; expected label,pixel0",
    "label," + ",".join(f"pixel{i}" for i in range(20)) + "\n" + "0" + ",1" * 20: "has 20 columns",
    "0" + ",1" * 25 + "\n0,1\n": r"t.csv is at fault \(",
    "0" + ",1" * 24 + ",x\n0" + ",1" * 25: r"t.csv is at fault \(",
    "0" + ",1" * 24 + ",300\n0" + ",1" * 25: "has pixels outside 0 to 255",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_table_at_fault_is_a_sentence(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=FAULTS[text]):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (IMAGES, r"data was given as ndarray; expected \(images, labels\)"),
        ((IMAGES, LABELS[:5]), "20 images and 5 labels"),
        ((IMAGES[:, 0], LABELS), "images of shape 20x28; expected"),
        ((IMAGES, LABELS + 0.5), "labels of shape 20 and type float64"),
        ((IMAGES.astype(float) * 2, LABELS), "pixels outside 0 to 255"),
        ((IMAGES, LABELS * 0), "training images of 1 class; expected two or more"),
    ],
)
def test_arrays_at_fault_are_a_sentence(data, sentence):
    with pytest.raises(UserError, match=sentence):
        load(data)


def test_other_files_are_a_sentence(tmp_path):
    (tmp_path / "data.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"expected a folder of images, or a .csv, .npz or .parqu"):
        load(tmp_path / "data.zip")
    np.savez(tmp_path / "a.npz", weights=IMAGES)
    with pytest.raises(UserError, match=r"has the arrays weights; expected x_train, y_train"):
        load(tmp_path / "a.npz")


def test_rows_of_square_images_are_images():
    images = np.arange(40 * 784, dtype=np.uint32).astype(np.uint8).reshape(40, 784)
    colour = images[:, :192].copy()
    labels = np.arange(40) % 2
    grey = load((images, labels), input=(1, 28, 28)).train.images
    assert torch.equal(grey, load((images.reshape(-1, 28, 28), labels)).train.images)
    planes = load((colour, labels), input=(3, 8, 8)).train.images
    whole = load((colour.reshape(-1, 3, 8, 8), labels), input=(3, 8, 8)).train.images
    assert torch.equal(planes, whole)
    parts = load(((images, labels), (images[:6], labels[:6])))
    assert (len(parts.train), len(parts.test)) == (40, 6)
    with pytest.raises(UserError, match="hold images of shape 40x700"):
        load((images[:, :700], labels))


def test_a_test_fraction_that_is_passed_over_is_said():
    images, labels = np.zeros((20, 9, 9), np.uint8), np.arange(20) % 2
    both = ((images, labels), (images, labels))
    assert "test 0.5 is passed over" in load(both, test=0.5).notes[-1]
    assert not load(both).notes
