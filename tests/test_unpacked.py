"""What is kept of the named data sets: the uncompressed files, as long as they are right."""

import gzip
import os

import numpy as np
import pytest
from safetensors import SafetensorError

from holmdel.data import idx, load, unpacked
from holmdel.data.roots import user_cache

COUNT = 1500  # images of noise, which gzip makes no smaller: more than `unpacked.LEAST`


def write_set(folder, seed):
    """Writes a set of IDX files; returns its training images."""
    noise = np.random.default_rng(seed).integers(0, 256, (COUNT, 28, 28), np.uint8)
    labels = np.arange(COUNT, dtype=np.uint8) % 10
    for part, count in (("train", COUNT), ("t10k", 20)):
        idx.write(folder / f"{part}-images-idx3-ubyte.gz", noise[:count])
        idx.write(folder / f"{part}-labels-idx1-ubyte.gz", labels[:count])
    return noise


def images_of(folder):
    return load("fashion-mnist", root=folder).train.images[:, 0].numpy()


def kept():
    return [path for path in user_cache().rglob("*") if path.is_file()]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "FashionMNIST"
    place.mkdir()
    return place


def test_what_is_kept_is_read_in_place_of_the_gzipped_file(folder):
    noise = write_set(folder, 0)
    assert np.array_equal(images_of(folder), noise)
    (file,) = kept()
    assert file.stat().st_size > COUNT * 28 * 28
    path = folder / "train-images-idx3-ubyte.gz"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    before = path.stat()
    path.write_bytes(damaged)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    images = images_of(folder)
    assert np.array_equal(images, noise)
    images[0] = 0  # they are the caller's
    assert np.array_equal(images_of(folder), noise)


@pytest.mark.parametrize("change", ["content", "content and not the time", "time"])
def test_a_changed_file_is_read_itself_and_takes_the_old_place(folder, change):
    write_set(folder, 0)
    images_of(folder)
    path = folder / "train-images-idx3-ubyte.gz"
    before = path.stat()
    noise = write_set(folder, 0 if change == "time" else 1)
    after = before.st_mtime_ns + (10**9 if change == "time" else 0)
    if change != "content":
        os.utime(path, ns=(before.st_atime_ns, after))
    assert np.array_equal(images_of(folder), noise)
    assert len(kept()) == 1
    assert np.array_equal(images_of(folder), noise)


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "foreign"])
def test_a_damaged_one_is_made_again(folder, damage):
    noise = write_set(folder, 0)
    images_of(folder)
    (file,) = kept()
    data = file.read_bytes()
    flipped = data[:-400] + bytes([data[-400] ^ 1]) + data[-399:]
    file.write_bytes(
        {"cut": data[:-9], "flipped": flipped, "emptied": b"", "foreign": b"PK"}[damage]
    )
    assert np.array_equal(images_of(folder), noise)
    assert file.read_bytes() == data


def test_a_cache_that_cannot_be_written_is_no_error(folder):
    noise = write_set(folder, 0)
    user_cache().parent.mkdir(parents=True)
    user_cache().write_text("a file where a folder should be")
    assert np.array_equal(images_of(folder), noise)


def test_small_plain_and_many_streamed_files_are_not_kept(folder):
    noise = write_set(folder, 0)
    path = folder / "train-images-idx3-ubyte.gz"
    data = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(data[:9999]) + gzip.compress(data[9999:]))
    assert np.array_equal(images_of(folder), noise)
    path.unlink()
    path.with_suffix("").write_bytes(data)
    assert np.array_equal(images_of(folder), noise)
    assert kept() == []


def test_large_enough_for_this_test(folder):
    write_set(folder, 0)
    assert (folder / "train-images-idx3-ubyte.gz").stat().st_size > unpacked.LEAST


def test_a_file_that_was_not_written_whole_leaves_nothing(tmp_path):
    def half(part):
        part.write_bytes(b"half")
        raise SafetensorError("no space left on device")

    with pytest.raises(SafetensorError, match="no space"):
        unpacked.keep(tmp_path / "cache" / "kept.idx", half)
    assert not [*(tmp_path / "cache").iterdir()]
