"""Broken images sent to every route that takes one: a client error, never a server error."""

import io
import json
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from holmdel.server import ServerSettings, create_app

ALLOWED = {200, 400, 413, 415, 422}
OCTETS = "application/octet-stream"
FORM = "multipart/form-data; boundary=line"


def gently(examples: int) -> settings:
    """Returns Hypothesis' settings: the same examples each time, and none kept."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,  # the server's own limit of seconds answers 408, which is not allowed
        suppress_health_check=[HealthCheck.too_slow],
    )


class Sent(NamedTuple):
    """A request that carries a picture."""

    path: str
    body: bytes
    headers: dict[str, str]


def raw(path: str):
    return lambda content: Sent(path, content, {"Content-Type": OCTETS})


def in_form(content: bytes) -> Sent:
    return Sent("/v1/classify", form(part(content)), {"Content-Type": FORM})


def as_tensor(content: bytes) -> Sent:
    """Returns a request of the Open Inference Protocol with one picture in a BYTES tensor."""
    size = {"binary_data_size": len(content) + 4}
    tensor = {"name": "input", "datatype": "BYTES", "shape": [1], "parameters": size}
    header = json.dumps({"inputs": [tensor]}).encode()
    body = header + struct.pack("<I", len(content)) + content
    headers = {"Content-Type": OCTETS, "Inference-Header-Content-Length": str(len(header))}
    return Sent("/v2/models/lenet-mnist/infer", body, headers)


DOORS = {
    "classify": raw("/v1/classify"),
    "form": in_form,
    "activations": raw("/v1/activations"),
    "tensor": as_tensor,
    "read": raw("/v1/read"),
    "inside": raw("/v1/read/inside"),
}
SLOW = ("read", "inside")


def part(content: bytes, head: str = 'name="file"; filename="7.png"') -> bytes:
    return f"--line\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--line--\r\n"


@pytest.fixture(scope="module")
def send():
    """Returns a function that sends a request and gives back its status, and its JSON."""
    app = create_app(ServerSettings(pixels=9_000_000), log=None)
    with TestClient(app, base_url="http://localhost") as client:

        def call(sent: Sent) -> tuple[int, object]:
            answer = client.post(sent.path, content=sent.body, headers=sent.headers)
            content = answer.content
            if length := answer.headers.get("Inference-Header-Content-Length"):
                content = content[: int(length)]
            said = json.loads(content)
            assert answer.status_code in ALLOWED, said
            if answer.status_code != 200:
                assert said.keys() == {"error"}
                assert said["error"].strip()
            return answer.status_code, said

        yield call


def stroke(height: int = 40, width: int = 36) -> np.ndarray:
    """Returns a dark bar on white, uint8 (H, W)."""
    pixels = np.full((height, width), 230, np.uint8)
    pixels[height // 5 : -(height // 5), width // 2 - 2 : width // 2 + 3] = 20
    return pixels


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def grey() -> Image.Image:
    return Image.fromarray(stroke())


def colour() -> Image.Image:
    return grey().convert("RGB")


def clear() -> Image.Image:
    found = grey().convert("LA")
    found.putalpha(Image.fromarray(255 - stroke()))
    return found


def deep() -> Image.Image:
    return Image.fromarray(stroke().astype(np.uint16) * 257)


def floating() -> Image.Image:
    return Image.fromarray(stroke() / np.float32(255))


def turned() -> Image.Exif:
    """Returns EXIF data that ask for a quarter turn."""
    found = Image.Exif()
    found[0x0112] = 6
    found[0x010E] = "a bar"
    return found


# What makes a file of each kind that a foreign picture may be.
PICTURES = {
    "png": lambda: encoded(grey(), "PNG"),
    "png-colour": lambda: encoded(colour(), "PNG", exif=turned()),
    "png-palette": lambda: encoded(colour().quantize(4), "PNG", transparency=0),
    "png-clear": lambda: encoded(clear(), "PNG"),
    "png-deep": lambda: encoded(deep(), "PNG"),
    "png-bits": lambda: encoded(grey().convert("1"), "PNG"),
    "jpeg": lambda: encoded(grey(), "JPEG", exif=turned()),
    "jpeg-progressive": lambda: encoded(colour(), "JPEG", progressive=True),
    "jpeg-inks": lambda: encoded(colour().convert("CMYK"), "JPEG"),
    "gif": lambda: encoded(grey(), "GIF", save_all=True, append_images=[grey().rotate(90)]),
    "tiff": lambda: encoded(colour(), "TIFF", compression="tiff_lzw", exif=turned()),
    "tiff-float": lambda: encoded(floating(), "TIFF"),
    "tiff-pages": lambda: encoded(grey(), "TIFF", save_all=True, append_images=[colour()]),
    "webp": lambda: encoded(colour(), "WEBP", quality=80),
    "webp-exact": lambda: encoded(clear().convert("RGBA"), "WEBP", lossless=True),
    "bmp": lambda: encoded(grey(), "BMP"),
    "ppm": lambda: encoded(colour(), "PPM"),
    "ico": lambda: encoded(colour(), "ICO", sizes=[(32, 32)]),
    "large": lambda: encoded(grey().resize((300, 200)), "PNG"),
}


@cache
def picture(name: str) -> bytes:
    return PICTURES[name]()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", PICTURES)
def test_every_kind_of_picture_is_taken_at_every_door(send, name, door):
    status, said = send(DOORS[door](picture(name)))
    assert status == 200, said


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0) -> bytes:
    """Returns a PNG file made by hand, so that it can be wrong."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), *chunks, chunk(b"IEND", b"")])


def data(rows: bytes) -> bytes:
    return chunk(b"IDAT", zlib.compress(rows, 9))


def zeros(size: int) -> bytes:
    return data(bytes(size))


def noted(value: bytes) -> bytes:
    """Returns a JPEG with EXIF data, little-endian, that begins with these entries."""
    value = b"II*\0\x08\0\0\0" + value
    exif = b"\xff\xe1" + struct.pack(">H", 8 + len(value)) + b"Exif\0\0" + value
    return picture("jpeg")[:2] + exif + picture("jpeg")[2:]


def bomb(kind: bytes, start: bytes) -> bytes:
    """Returns a chunk of a PNG that unpacks to fifty megabytes."""
    return chunk(kind, start + zlib.compress(bytes(50_000_000), 9))


# What makes each broken file, and the statuses that may answer it.
BROKEN = {
    "nothing": (lambda: b"", {400, 422}),
    "a text": (lambda: b"seven", {415}),
    "the head of a PNG": (lambda: b"\x89PNG\r\n\x1a\n", {415, 422}),
    "no pixels": (lambda: png(0, 0, zeros(10)), {413, 415, 422}),
    "fewer pixels than it says": (lambda: png(2000, 2000, zeros(10)), {422}),
    "a picture of nine hundred million pixels": (
        lambda: png(30_000, 30_000, zeros(1000)), {413}
    ),
    "a picture of 2^62 pixels": (lambda: png(2**31 - 1, 2**31 - 1, zeros(10)), {413}),
    "a picture a little too large": (lambda: png(3001, 3000, zeros(3001 * 3001)), {413}),
    "one pixel": (lambda: png(1, 1, zeros(2)), {200, 422}),
    "one row": (lambda: png(3000, 1, zeros(3001)), {200, 422}),
    "one column": (lambda: png(1, 3000, zeros(6000)), {200, 422}),
    "a palette that is not there": (lambda: png(9, 9, zeros(90), colour=3), ALLOWED - {400}),
    "a palette that is too short": (
        lambda: png(9, 9, chunk(b"PLTE", b"abc"), data((b"\0" + b"\7" * 9) * 9), colour=3),
        ALLOWED - {400},
    ),
    "a colour type that is none": (lambda: png(9, 9, zeros(90), colour=5), {415, 422}),
    "a depth that is none": (lambda: png(9, 9, zeros(90), depth=7), {415, 422}),
    "a text of fifty megabytes": (
        lambda: png(9, 9, bomb(b"zTXt", b"note\0\0"), zeros(90)), {200, 422}
    ),
    "a colour profile of fifty megabytes": (
        lambda: png(9, 9, bomb(b"iCCP", b"icc\0\0"), zeros(90)), {200, 415, 422}
    ),
    "data of a hundred megabytes": (lambda: png(9, 9, zeros(100_000_000)), {200, 422}),
    "EXIF of nonsense": (lambda: noted(b"\xff\xff" + b"\xaa" * 99), {200, 422}),
    "EXIF that points to itself": (
        lambda: noted(b"\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0"), {200, 422}
    ),
    "an orientation of 65535": (
        lambda: noted(b"\1\0\x12\1\3\0\1\0\0\0\xff\xff\0\0" + bytes(4)), {200, 422}
    ),
    "a GIF of four thousand million pixels": (
        lambda: b"GIF89a" + b"\xff" * 4 + b"\0\0\0,\0\0\0\0" + b"\xff" * 4 + b"\0\2\2D\1\0;",
        {413},
    ),
    "a program that draws": (
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n\n", {415}
    ),
    "a link to a file": (lambda: b'<svg><image href="/etc/passwd"/></svg>', {415}),
}  # fmt: skip


@cache
def broken(name: str) -> bytes:
    return BROKEN[name][0]()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_told_at_every_door(send, name, door):
    status, said = send(DOORS[door](broken(name)))
    assert status in BROKEN[name][1], said


def peak() -> int:
    """Returns the most memory that this process has held since `forget`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def forget() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_bombs_leave_the_memory_as_it_is(send):
    send(DOORS["read"](picture("png")))
    bombs = [broken(name) for name in BROKEN if "million" in name or "megabytes" in name]
    forget()
    before = peak()
    for content in bombs:
        for door in DOORS.values():
            send(door(content))
    assert peak() - before < 150_000_000


edits = st.lists(
    st.one_of(
        st.tuples(st.just("cut"), st.integers(0, 400), st.just(0)),
        st.tuples(st.just("flip"), st.integers(0, 400), st.integers(0, 7)),
        st.tuples(st.just("large"), st.integers(0, 60), st.sampled_from([0, 1, 2**15, 2**31 - 1])),
        st.tuples(st.just("again"), st.integers(0, 400), st.integers(1, 50)),
    ),
    min_size=1,
    max_size=4,
)


def edited(content: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    """Returns a file with some bytes cut off, flipped, replaced or repeated."""
    found = bytearray(content)
    for kind, place, value in changes:
        place = min(place, len(found) - 1) if found else 0
        if kind == "cut":
            del found[place:]
        elif kind == "flip" and found:
            found[place] ^= 1 << value
        elif kind == "large":
            found[place : place + 4] = struct.pack("<I" if value % 2 else ">I", value)
        elif kind == "again":
            found[place:place] = found[place : place + value]
    return bytes(found)


@pytest.mark.parametrize(
    ("door", "count"),
    [
        *((door, 20) for door in DOORS),
        *(
            pytest.param(door, 40 if door in SLOW else 300, marks=pytest.mark.exhaustive)
            for door in DOORS
        ),
    ],
)
def test_a_picture_that_is_edited_anyhow_is_told(send, door, count):
    @gently(count)
    @given(st.sampled_from(sorted(PICTURES)), edits)
    def check(name, changes):
        send(DOORS[door](edited(picture(name), changes)))

    check()


@pytest.mark.exhaustive
@pytest.mark.parametrize("door", DOORS)
def test_bytes_of_any_kind_are_told(send, door):
    @gently(60)
    @given(st.binary(max_size=300))
    def check(content):
        send(DOORS[door](content))

    check()


def test_no_room_for_an_upload_is_told(monkeypatch, tmp_path):
    """A folder for temporary files that is not there stands for a full one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    body = form(part(bytes(2_000_000)))
    with TestClient(create_app(ServerSettings(), log=None), base_url="http://localhost") as client:
        answer = client.post("/v1/classify", content=body, headers={"Content-Type": FORM})
    assert answer.status_code == 507
    assert answer.json()["error"].startswith("the server has no room for the upload (No such file")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/classify", {"Content-Length": "9" * 5_000}),
        ("/v1/classify?top=" + "9" * 5_000, {}),
    ],
)
def test_a_number_of_thousands_of_digits_is_the_clients_mistake(path, headers):
    with TestClient(create_app(ServerSettings(), log=None), base_url="http://localhost") as client:
        answer = client.post(path, content=b"x", headers=headers)
    assert answer.status_code in (400, 413, 415)
    assert answer.json()["error"]
