"""IDX files, plain and gzipped, and an error for each fault."""

import gzip
import struct

import numpy as np
import pytest

from holmdel.data import idx
from holmdel.errors import UserError

PICTURES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([7, 0, 9], np.uint8)


@pytest.fixture
def pair(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    images, labels = folder / "images.gz", folder / "labels"
    idx.write(images, PICTURES)
    idx.write(labels, LABELS)
    return images, labels


def test_a_pair_of_files_comes_back_as_it_was_written(pair):
    pictures, labels = idx.read_pair(*pair, classes=10)
    assert np.array_equal(pictures, PICTURES)
    assert np.array_equal(labels, LABELS)


def test_the_bytes_are_those_of_the_format(tmp_path):
    idx.write(tmp_path / "labels", LABELS)
    by_hand = b"\0\0\x08\x01" + b"\0\0\0\x03" + b"\x07\x00\x09"
    assert (tmp_path / "labels").read_bytes() == by_hand


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("name", ["plain", "zipped.gz"])
def test_every_type_comes_back_in_the_machines_byte_order(tmp_path, dtype, name):
    values = np.array([[1, 2, 3], [100, 5, 6]], dtype)
    idx.write(tmp_path / name, values)
    read = idx.read(tmp_path / name)
    assert read.dtype == np.dtype(dtype)
    assert np.array_equal(read, values)
    read[0, 0] = 0  # a copy of its own


def test_gzip_is_told_by_the_bytes_not_by_the_name(tmp_path):
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x01\x05"))
    assert idx.read_labels(path, classes=10).tolist() == [5]


def test_nothing_is_left_beside_a_written_file(pair):
    assert sorted(path.name for path in pair[0].parent.iterdir()) == ["images.gz", "labels"]


HEADER = b"\0\0\x08\x03" + struct.pack(">3I", 3, 4, 5)
FAULTS = {
    "truncated": (HEADER + bytes(59), r"truncated: 75 bytes, and its header \(3x4x5\) says 76"),
    "trailing bytes": (HEADER + bytes(61), r"too long: 77 bytes, .* says 76; delete it and fetch"),
    "no header": (b"\0\0", "has 2 bytes, too few for an IDX header"),
    "half a header": (HEADER[:9], "has 9 bytes, too few for an IDX header"),
    "another type": (b"\0\0\x0a\x03" + bytes(72), "starts with 0x00000a03; expected 0x00000803"),
    "not IDX": (b"<!DOCTYPE html>", "starts with 0x3c21444f; expected 0x00000803, images in IDX"),
    "labels": (b"\0\0\x08\x01\0\0\0\x01\x05", "holds labels; expected images; .* mislabelled"),
    "gzip cut off": (gzip.compress(HEADER + bytes(60))[:-9], "cut off in the middle of its gzip"),
    "gzip damaged": (gzip.compress(HEADER)[:10] + b"\xff" * 30, "is a damaged gzip file"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_image_file_is_told_in_one_sentence(tmp_path, fault):
    data, sentence = FAULTS[fault]
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(UserError, match=sentence) as error:
        idx.read_images(path)
    assert str(path) in str(error.value)


def test_any_file_that_is_not_idx_is_told_so(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(UserError, match=r"starts with 0x504b0304, which is not the start of IDX"):
        idx.read(path)


def test_pictures_where_labels_are_expected(pair):
    images, _ = pair
    with pytest.raises(UserError, match="holds images; expected labels; the file is mislabelled"):
        idx.read_labels(images, classes=10)


def test_a_label_out_of_range(pair):
    _, labels = pair
    with pytest.raises(UserError, match=r"label 9 at position 2 of .* expected 0 to 8"):
        idx.read_labels(labels, classes=9)


def test_pictures_and_labels_of_different_counts(pair, tmp_path):
    images, _ = pair
    idx.write(tmp_path / "two", LABELS[:2])
    with pytest.raises(UserError, match=r"holds 3 images and .*two 2 labels; .* the same set"):
        idx.read_pair(images, tmp_path / "two", classes=10)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match=r"absent cannot be read \(No such file"):
        idx.read(tmp_path / "absent")


def test_a_type_that_the_format_does_not_have(tmp_path):
    with pytest.raises(UserError, match=r"an array of int64 was given .* convert it first"):
        idx.write(tmp_path / "labels", np.array([1, 2]))
