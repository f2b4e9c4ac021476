"""Pickles whose few bytes would be much: none of their commands may cost more than they are."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch

from holmdel.errors import UserError
from holmdel.exchange import read_weights

START, MEMO, FETCH, KEPT = b"\x80\x02", b"q\x09", b"h\x09", b"K\x01q\x09"
TUPLES = KEPT + 3 * (b"0" + 2 * FETCH + b"\x86" + MEMO)  # ((1, 1), (1, 1)), and so on
NUMBER = b"\x8b" + (2000).to_bytes(4, "little") + 2000 * b"\x7f"  # of 4,816 digits
ARRAY = pickle.dumps({"a.weight": np.zeros((2, 3), np.float32)}, protocol=2)
SHAPE = b"K\x02K\x03\x86"
COPIED = (
    b"ccollections\nOrderedDict\nq\x01}q\x02(" + b"".join(b"K%cN" % n for n in range(99)) + b"u"
)
CASES = {
    "a key of tuples": (b"}" + TUPLES + b"Ns.", "a name that is none"),
    "a name that is a tuple": (TUPLES + b"X\1\0\0\0a\x93.", "a name that is none"),
    "a large number": (b"}" + NUMBER + b"Ns.", "a number of 15999 bits"),
    "room": (b"c__builtin__\nbytearray\nM\xe8\x03\x85R.", "numbers that are not in the file"),
    "room of torch": (b"ctorch\nFloatTensor\nM\xe8\x03\x85R.", "numbers that are not in the"),
    "copies": (COPIED + 20 * b"h\1h\2\x85R" + b".", "copied again and again"),
    "a mark too few": (b"K\1t.", "as a pickle"),
    "values before the mark": (b"K\1K\1(\x86.", "takes what is not there"),
}


def zipped(content: bytes) -> bytes:
    """Returns what `torch.save` would have written, with this pickle."""
    whole, made = io.BytesIO(), io.BytesIO()
    torch.save({}, whole)
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(made, "w") as again:
        for name in archive.namelist():
            part = content if name.endswith("data.pkl") else archive.read(name)
            again.writestr(name, part)
    return made.getvalue()


@pytest.mark.parametrize("name", CASES)
def test_what_would_cost_more_than_it_is_gets_a_sentence(tmp_path, name):
    content, sentence = CASES[name]
    for file, made in (("a.pkl", START + content), ("a.pt", zipped(START + content))):
        (tmp_path / file).write_bytes(made)
        with pytest.raises(UserError, match=sentence):
            read_weights(tmp_path / file)


def test_the_shape_of_an_array_is_numbers(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(ARRAY)
    assert read_weights(path).tensors["a.weight"].numel() == 6
    path.write_bytes(ARRAY.replace(SHAPE, TUPLES.replace(MEMO, b"q\xf0").replace(FETCH, b"h\xf0")))
    with pytest.raises(UserError, match="an array whose shape is none"):
        read_weights(path)


def test_marks_cost_what_they_are(tmp_path):
    """Some 200,000 marks behind as many values; looked for from the first on, it takes an hour."""
    path = tmp_path / "a.pkl"
    path.write_bytes(START + 200_000 * b"N" + 200_000 * b"(1" + b".")
    with pytest.raises(UserError, match="written by pickle"):
        read_weights(path)


def test_an_archive_that_unpacks_to_much_more_is_not_unpacked(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"a.weight": torch.zeros(100, 100, 1000)}, path)
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "b.pt", "w") as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name), zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="more than 32 times its size"):
        read_weights(tmp_path / "b.pt")


def test_a_program_whose_modules_hold_one_another_many_times_ends(tmp_path):
    made, held = b"c__torch__\nM\n)\x81", b"}(X\1\0\0\0a" + FETCH + b"X\1\0\0\0b" + FETCH + b"ub"
    content = START + made + b"}b" + MEMO + 16 * (made + held + MEMO) + b"."
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", content)
        archive.writestr("a/code/a.py", "")
    with pytest.raises(UserError, match="more than 20000 modules"):
        read_weights(tmp_path / "a.pt")
