"""Damage: bytes, texts and JSON values, changed at random by a seeded generator."""

import copy
import io
import json
import pickletools
import random
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

SIZES = (0, 1, 127, 128, 255, 256, 32767, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
NUMBERS = (
    *("0", "-1", "1e309", "-0", "nan", "inf", "1e-400", "9" * 30, "9" * 5000, "0x10", "1_0"),
    *("٣", "½", "", "true", "null", "2147483648", "-9223372036854775809", "0.1.2"),
)
WORDS = (
    *("", " ", "\0", "\t", "\n", '"', "'", "\\", "/", "..", "../" * 9, "x" * 5000, "é", "\ufeff"),
    *("\ud800", "%s", "{}", "[[", "]]", "=", "#", "null", "None", "NaN", "\u202e", "🙂", ",", "-"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 7, 0.5, -0.5, 2**31, 10**30, 10**400, float("nan")),
    *(float("inf"), "", "x", "x" * 5000, "1", [], [[]], [None], {}, {"a": 1}, [1, 2, 3], [0] * 99),
    *("\ud800", "lenet", [["a"]], {"": {}}, -(2**63)),
)


def damage(content: bytes, dice: random.Random, others: tuple[bytes, ...] = ()) -> bytes:
    """Returns bytes with one to four changes."""
    found = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4))):
        change = dice.choice(CHANGES)
        found = bytearray(change(found, dice, others))
    return bytes(found)


def _place(found: bytearray, dice: random.Random) -> int:
    """Returns a place, more often one near the beginning, where heads are."""
    most = max(len(found), 1)
    return dice.randrange(min(most, dice.choice((16, 64, 512, most, most))))


def _flip(found: bytearray, dice: random.Random, _: object) -> bytearray:
    if found:
        found[_place(found, dice)] ^= 1 << dice.randrange(8)
    return found


def _byte(found: bytearray, dice: random.Random, _: object) -> bytearray:
    if found:
        found[_place(found, dice)] = dice.choice((0, 1, 127, 128, 255, dice.randrange(256)))
    return found


def _size(found: bytearray, dice: random.Random, _: object) -> bytearray:
    width = dice.choice((2, 4, 8))
    number = dice.choice(SIZES) % 256**width
    place = _place(found, dice)
    found[place : place + width] = number.to_bytes(width, dice.choice(("little", "big")))
    return found


def _cut(found: bytearray, dice: random.Random, _: object) -> bytearray:
    return found[: _place(found, dice)]


def _drop(found: bytearray, dice: random.Random, _: object) -> bytearray:
    place = _place(found, dice)
    del found[place : place + dice.choice((1, 2, 4, 16, 100))]
    return found


def _again(found: bytearray, dice: random.Random, _: object) -> bytearray:
    place, other = _place(found, dice), _place(found, dice)
    found[other:other] = found[place : place + dice.choice((1, 4, 16, 200))]
    return found


def _noise(found: bytearray, dice: random.Random, _: object) -> bytearray:
    place = _place(found, dice)
    found[place:place] = dice.randbytes(dice.choice((1, 3, 8, 40)))
    return found


def _splice(found: bytearray, dice: random.Random, others: tuple[bytes, ...]) -> bytearray:
    if others:
        other = dice.choice(others)
        found[_place(found, dice) :] = other[_place(bytearray(other), dice) :]
    return found


def _number(found: bytearray, dice: random.Random, _: object) -> bytearray:
    """Puts another number for one that is written in digits."""
    written = list(re.finditer(rb"\d+", found))
    if written:
        span = dice.choice(written).span()
        found[span[0] : span[1]] = dice.choice(NUMBERS).encode()
    return found


CHANGES = (_flip, _flip, _byte, _size, _size, _cut, _drop, _again, _noise, _splice, _number)


def damage_text(text: str, dice: random.Random) -> str:
    """Returns a text with some of its words, numbers and lines others."""
    for _ in range(dice.choice((1, 1, 2, 4))):
        parts = re.findall(r"\w+|\s|.", text, re.DOTALL) or [""]
        at = dice.randrange(len(parts))
        kind = dice.randrange(5)
        if kind == 0:
            parts[at] = dice.choice(NUMBERS if parts[at].isdigit() else WORDS)
        elif kind == 1:
            del parts[at : at + dice.choice((1, 1, 3, 20))]
        elif kind == 2:
            parts.insert(at, dice.choice(WORDS))
        elif kind == 3:
            parts[at:at] = parts[at : at + dice.choice((1, 5, 30))] * dice.choice((1, 2, 40))
        else:
            other = dice.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        text = "".join(parts)
    return text


def encoded(text: str) -> bytes:
    """Returns a text as bytes, whatever is in it."""
    return text.encode("utf-8", "surrogatepass")


def damage_json(value: Any, dice: random.Random) -> Any:
    """Returns a JSON value of which some parts are others, missing, or of another name."""
    value = copy.deepcopy(value)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        ways = list(_ways(value))
        if not ways:
            return dice.choice(VALUES)
        *outer, last = dice.choice(ways)
        inner = value
        for key in outer:
            inner = inner[key]
        kind = dice.randrange(6)
        if kind == 0:
            del inner[last]
        elif kind == 1 and isinstance(inner, dict):
            inner[dice.choice(WORDS)] = inner.pop(last)
        elif kind == 2:
            inner[last] = copy.deepcopy(value if dice.random() < 0.2 else inner[last])
            if isinstance(inner, list):
                inner.extend(inner[: dice.choice((1, 3))])
        elif kind == 3 and isinstance(inner[last], str):
            inner[last] = damage_text(inner[last], dice)
        elif kind == 4 and isinstance(inner[last], int | float):
            inner[last] = dice.choice((-1, 0, 1, 2, 2.5)) * inner[last] + dice.choice((-1, 0, 1))
        else:
            inner[last] = copy.deepcopy(dice.choice(VALUES))
    return value if dice.random() < 0.98 else dice.choice(VALUES)


def _ways(value: Any) -> Iterator[tuple[Any, ...]]:
    """Gives the way to each part of a JSON value."""
    if not isinstance(value, dict | list):
        return
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield (key,)
        yield from ((key, *rest) for rest in _ways(part))


def damage_zip(content: bytes, dice: random.Random) -> bytes:
    """Returns a zip archive of which a member is damaged, its checksum made anew."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return damage(content, dice)
    at = dice.randrange(len(members))
    pickles = [n for n, (_, inner) in enumerate(members) if inner.startswith(b"\x80")]
    if pickles and dice.random() < 0.7:
        at = dice.choice(pickles)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, (info, inner) in enumerate(members):
            archive.writestr(info, _damaged(inner, dice) if number == at else inner)
    return file.getvalue()


def _damaged(content: bytes, dice: random.Random) -> bytes:
    """Returns a member of an archive, damaged; of a pickle more often its commands."""
    if content.startswith(b"\x80") and dice.random() < 0.8:
        return damage_pickle(content, dice)
    return damage(content, dice)


def _text(text: str) -> bytes:
    return b"X" + len(text.encode()).to_bytes(4, "little") + text.encode()


# Commands of pickles: values, marks, what takes from the stack, and names of what would be called.
COMMANDS = (
    *(b"0", b"1", b"2", b"(", b"t", b"l", b"d", b"R", b"b", b"}", b"]", b")", b"s", b"u", b"a"),
    *(b"N", b"e", b"Q", b"h\0", b"h\1", b"q\0", b"K\0", b"K\x07", b"J\xff\xff\xff\xff", b"\x85"),
    *(b"\x86", b"\x87", b"\x81", b"\x93", b"\x94", b"\x8f", b"\x90", b"G\x7f\xf0\0\0\0\0\0\0"),
    *(b"I999999999999\n", b"L" + b"9" * 5000 + b"L\n", b"\x8b\xd0\x07\0\0" + b"\x7f" * 2000),
    *(_text(""), _text("conv1.weight"), _text("x" * 5000), _text("a\n\0b"), b"C\x04abcd"),
    *(b"K\1q\x09h\x09\x86q\x09h\x09h\x09\x86q\x09h\x09h\x09\x86", b"cos\nmkdir\n"),
    *(b"cbuiltins\nset\n", b"ccollections\nOrderedDict\n", b"ctorch\nFloatStorage\n"),
    *(b"ctorch._utils\n_rebuild_tensor_v2\n", b"cnumpy.core.multiarray\n_reconstruct\n"),
    *(b"cos\nmkdir\n" + _text("executed") + b"\x85R", b"ctorch\nSize\n", b"cnumpy\ndtype\n"),
)  # fmt: skip


def damage_pickle(content: bytes, dice: random.Random) -> bytes:
    """Returns pickles with one to four of their commands others, missing, more or in other order.

    What stands behind a pickle is another, or stays as it is.
    """
    parts: list[bytes] = []
    file = io.BytesIO(content)
    try:
        for _ in range(dice.choice((1, 1, 2, 5))):
            places = [place for _, _, place in pickletools.genops(file) if place is not None]
            ends = [*places[1:], file.tell()]
            parts += [content[a:b] for a, b in zip(places, ends, strict=True)]
    except Exception:  # no further pickle
        file.seek(len(b"".join(parts)))
    if not parts:
        return damage(content, dice)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at, kind = dice.randrange(len(parts) or 1), dice.randrange(5)
        if kind == 0:
            del parts[at : at + dice.choice((1, 1, 3, 20))]
        elif kind == 1:
            parts.insert(at, dice.choice(COMMANDS))
        elif kind == 2:
            parts[at : at + 1] = [dice.choice(COMMANDS)]
        elif kind == 3:
            parts[at:at] = parts[at : at + dice.choice((1, 5, 30))] * dice.choice((1, 2, 40))
        elif parts:
            other = dice.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
    return b"".join(parts) + content[file.tell() :]


def damage_png(content: bytes, dice: random.Random) -> bytes:
    """Returns a PNG file of which a chunk is damaged, its checksum made anew."""
    chunks, at = [], 8
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += size + 12
    number = dice.randrange(len(chunks))
    kind, inner = chunks[number]
    if kind == b"IDAT" and dice.random() < 0.5:
        changed = zlib.compress(damage(zlib.decompress(inner), dice))
    else:
        changed = damage(inner, dice)
    chunks[number] = kind, changed
    parts = [
        len(inner).to_bytes(4) + kind + inner + zlib.crc32(kind + inner).to_bytes(4)
        for kind, inner in chunks
    ]
    return content[:8] + b"".join(parts)


def as_json(value: Any) -> bytes:
    """Returns a JSON value as bytes."""
    return json.dumps(value).encode()
