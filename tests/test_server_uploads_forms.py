"""Multipart forms, broken ones too: a client error, never a server error."""

import io

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from holmdel.server import ServerSettings, create_app

# Starlette leaves the file of a part without an end to the collector of rubbish.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning")

FORM = "multipart/form-data; boundary=line"


@pytest.fixture(scope="module")
def send():
    """Returns a function that posts a form to be classified, and gives back status and JSON."""
    app = create_app(ServerSettings(models=("lenet-mnist",)), log=None)
    with TestClient(app, base_url="http://localhost") as client:

        def call(body: bytes, kind: str = FORM) -> tuple[int, object]:
            answer = client.post("/v1/classify", content=body, headers={"Content-Type": kind})
            said = answer.json()
            assert answer.status_code in {200, 400, 413, 415, 422}, said
            return answer.status_code, said

        yield call


def png() -> bytes:
    file = io.BytesIO()
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).ellipse((8, 4, 19, 23), outline=255, width=3)
    image.save(file, "PNG")
    return file.getvalue()


PNG = png()


def part(content: bytes, head: str = 'name="file"; filename="7.png"') -> bytes:
    return f"--line\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--line--\r\n"


FORMS = {
    "no file": (form(part(b"7", 'name="note"')), FORM, 400),
    "a text for the file": (form(part(b"7", 'name="file"')), FORM, 400),
    "nothing in the file": (form(part(b"")), FORM, 422),
    "another boundary": (form(part(PNG)), FORM + "s", 400),
    "no boundary": (form(part(PNG)), "multipart/form-data", 400),
    "no end": (part(PNG), FORM, 400),
    "no form": (PNG, FORM, 400),
    "nothing": (b"", FORM, 400),
    "another kind": (b"file=7", "application/x-www-form-urlencoded", 415),
    "no disposition": (b"--line\r\n\r\n7\r\n--line--\r\n", FORM, 400),
    "too many": (form(*[part(PNG)] * 65), FORM, 413),
    "a boundary of thousands of letters": (form(part(PNG)), FORM + "s" * 5000, 400),
    "a charset that is none": (form(part(PNG, 'name="file"')), FORM + "; charset=seven", 400),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_broken_form_is_told(send, name):
    body, kind, expected = FORMS[name]
    status, said = send(body, kind)
    assert status == expected, said
    assert said.keys() == {"error"}


NAMES = ["", "../../etc/passwd", "/etc/passwd", "C:\\7.png", "七.png", "7\0.png", "x" * 5000]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_s_name_is_no_path(send, name):
    status, said = send(form(part(PNG, f'name="file"; filename="{name}"')))
    assert status in (200, 400), said
    assert status == 400 or said["label"]


def test_a_name_in_no_known_letters_is_taken(send):
    body = form(part(PNG)).replace(b"7.png", b"\xff\xfe\x80.png")
    assert send(body)[0] == 200


def test_of_two_files_each_has_its_answer(send):
    status, said = send(form(part(PNG), part(b"no picture", 'name="file"; filename="b"')))
    assert status == 200
    assert said[0]["label"]
    assert said[1].keys() == {"path", "error"}
    assert "not an image" in said[1]["error"]


def test_forms_of_any_bytes_are_told(send):
    pieces = st.sampled_from(
        [b"--line", b"--", b"\r\n", b"Content-Disposition: form-data", b'; name="file"', PNG,
         b'; filename="a"', b"Content-Type: image/png", b"Content-Transfer-Encoding: base64", b":"]
    )  # fmt: skip

    @settings(max_examples=200, derandomize=True, database=None, deadline=None)
    @given(st.lists(st.one_of(pieces, st.binary(max_size=9)), max_size=12).map(b"".join))
    def check(body):
        send(body)

    check()
