"""`POST /v1/classify` and `/v1/read` answer as the command line does, or with an error."""

import io
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from holmdel.server import ServerSettings, create_app


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def bar(side: int = 28, ink: int = 255) -> np.ndarray:
    """Returns an upright bar, uint8 (side, side), light on black or dark on white."""
    pixels = np.full((side, side), 255 - ink, np.uint8)
    pixels[side // 6 : -side // 6, side // 2 - side // 14 : side // 2 + side // 14] = ink
    return pixels


@pytest.fixture(scope="module")
def client():
    app = create_app(ServerSettings(pixels=1_000_000, images=3), log=None)
    with TestClient(app, base_url="http://127.0.0.1") as found:
        yield found


def told(answer, status: int) -> str:
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}
    return answer.json()["error"]


@pytest.mark.parametrize("side", [28, 200])
def test_a_picture_is_named_as_on_the_command_line(client, holmdel, tmp_path, side):
    content = png(bar(side, ink=255 if side == 28 else 0))
    (tmp_path / "bar.png").write_bytes(content)
    line = holmdel("predict", "lenet-mnist", tmp_path / "bar.png", "--format", "jsonl").out
    expected = json.loads(line) | {"path": "-"}
    answer = client.post("/v1/classify", content=content)
    assert answer.status_code == 200
    found = answer.json()
    assert list(found) == list(expected)
    assert found["label"] == expected["label"] == "1"
    assert found["probability"] == pytest.approx(expected["probability"], abs=1e-5)
    assert [best["label"] for best in found["top"]] == [b["label"] for b in expected["top"]]


def test_model_and_top_are_chosen(client):
    words = {"model": "lenet-fashion-mnist", "top": 10}
    found = client.post("/v1/classify", content=png(bar()), params=words).json()
    assert len(found["top"]) == 10
    assert sum(best["probability"] for best in found["top"]) == pytest.approx(1, abs=1e-5)
    assert {"trouser", "bag"} <= {best["label"] for best in found["top"]}


def test_several_files_are_several_answers_and_one_that_is_broken_spoils_no_other(client):
    files = [
        ("file", ("one.png", png(bar()))),
        ("file", ("two.png", png(bar())[:60])),
        ("file", ("large.png", png(np.zeros((1001, 1001), np.uint8)))),
    ]
    one, two, large = client.post("/v1/classify", files=files).json()
    assert (one["path"], one["label"]) == ("one.png", "1")
    assert two.keys() == {"path", "error"}
    assert two["path"] == "two.png"
    assert "cut short or damaged" in two["error"]
    assert large["error"] == (
        "large.png has 1001 x 1001 pixels, and at most 1,000,000 are allowed; make it smaller"
    )


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"", 400, "the body is empty; expected the bytes of an image file"),
        (b"no picture", 415, "the file is not an image; expected a PNG, JPEG, TIFF, ... file"),
        (png(bar())[:60], 422, "is cut short or damaged"),
        (
            png(np.zeros((1001, 1001), np.uint8)),
            413,
            "the file has 1001 x 1001 pixels, and at most 1,000,000 are allowed; make it smaller",
        ),
    ],
)
def test_what_cannot_be_used_is_told(client, content, status, sentence):
    assert sentence in told(client.post("/v1/classify", content=content), status)


@pytest.mark.parametrize("model", ["lenet-mnist", "lenet-fashion-mnist"])
@pytest.mark.parametrize("grey", [0, 130, 255])
def test_a_blank_picture_is_told(client, model, grey):
    blank = png(np.full((40, 30), grey, np.uint8))
    sentence = "nothing was found on the image; expected a digit or an object on a plain ground"
    answer = client.post("/v1/classify", content=blank, params={"model": model})
    assert told(answer, 422) == sentence
    files = [("file", ("blank.png", blank)), ("file", ("one.png", png(bar())))]
    empty, one = client.post("/v1/classify", files=files, params={"model": model}).json()
    assert empty == {"path": "blank.png", "error": sentence.replace("the image", "blank.png")}
    assert one["found"] == "one"


def test_two_digits_are_told(client):
    both = np.hstack([bar(60, 0), bar(60, 0)])
    assert client.post("/v1/classify", content=png(both)).json()["found"] == "several"
    assert client.post("/v1/activations", content=png(both)).json()["found"] == "several"
    blank = png(np.full((40, 30), 255, np.uint8))
    assert client.post("/v1/activations", content=blank).json()["found"] == "nothing"


def test_a_body_of_another_kind_is_refused(client):
    answer = client.post("/v1/classify", json={"picture": "?"})
    assert told(answer, 415).startswith(
        "the Content-Type of the body is application/json; expected an image"
    )


def test_too_many_pictures_are_refused(client):
    files = [("file", ("one.png", png(bar())))] * 4
    assert told(client.post("/v1/classify", files=files), 413) == (
        "the form has more than 3 images; send them in several requests"
    )


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ({"model": "none"}, 404, "there is no model 'none'; choose from lenet-mnist, lenet-fash"),
        ({"top": "0"}, 400, "top was given as '0': input should be greater than or equal to 1"),
        ({"top": "x"}, 400, "top was given as 'x': input should be a valid integer"),
    ],
)
def test_a_mistake_in_the_query_is_told(client, words, status, sentence):
    answer = client.post("/v1/classify", content=png(bar()), params=words)
    assert told(answer, status).startswith(sentence)


def test_a_line_is_read_as_on_the_command_line(client, holmdel, tmp_path):
    content = png(np.concatenate([bar(64, 0)[:, 16:-16]] * 3, axis=1))
    (tmp_path / "line.png").write_bytes(content)
    line = holmdel("read", tmp_path / "line.png", "--lines", "--format", "jsonl").out
    answer = client.post("/v1/read?lines=true", content=content)
    assert answer.status_code == 200
    found, expected = answer.json(), json.loads(line)
    assert found["path"] == "-"
    assert list(found) == list(expected)
    [said], [wanted] = found["lines"], expected["lines"]
    assert (said["text"], said["status"]) == (wanted["text"], wanted["status"])
    assert said["text"] == "111"
    counted = client.get("/metrics").text
    assert f'holmdel_lines_total{{status="{said["status"]}"}} 1.0' in counted


def test_several_pages_are_several_readings(client):
    files = [("file", ("one.png", png(bar(64, 0)))), ("file", ("two.png", b"no picture"))]
    one, two = client.post("/v1/read", files=files).json()
    assert one.keys() - {"skipped"} == {"path", "lines"}
    assert two["path"] == "two.png"
    assert two["error"] == "two.png is not an image; expected a PNG, JPEG, TIFF, ... file"


def test_every_page_of_a_file_is_read(client, holmdel, tmp_path):
    pages = [Image.fromarray(np.asarray(Image.open(io.BytesIO(png(bar(64, 0)))))) for _ in range(2)]
    pages[0].save(tmp_path / "two.tif", save_all=True, append_images=pages[1:])
    expected = holmdel("read", tmp_path / "two.tif", "--lines", "--format", "jsonl").out
    answer = client.post("/v1/read?lines=true", content=(tmp_path / "two.tif").read_bytes())
    found = answer.json()
    assert [(one["path"], one["page"]) for one in found] == [("-", 1), ("-#2", 2)]
    for one, line in zip(found, expected.splitlines(), strict=True):
        assert one | {"path": ""} == json.loads(line) | {"path": ""}
    pages[0].save(tmp_path / "four.tif", save_all=True, append_images=[pages[1]] * 3)
    content = (tmp_path / "four.tif").read_bytes()
    assert told(client.post("/v1/read", content=content), 413) == (
        "the file has more than 3 pages; send them in several requests"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"pattern": "x"}, "pattern 'x' cannot be read"),
        ({"pattern": r"(((\d?){10}){10}){10}"}, "is too large; expected fewer"),
        ({"pattern": r"((\d?){100}){100}"}, "is too large; expected fewer"),
        ({"pattern": "list:/etc/passwd"}, "names a file of the server, which requests cannot read"),
        ({"pattern": "9" * 201}, "pattern was given as '999"),
        ({"max_error": "2"}, "max_error was given as '2'"),
    ],
)
def test_a_pattern_that_cannot_be_is_told(client, words, sentence):
    answer = client.post("/v1/read", content=png(bar(64, 0)), params=words)
    assert sentence in told(answer, 400)


def test_pages_that_wait_are_bounded_and_hold_up_no_digit():
    app = create_app(ServerSettings(models=("lenet-mnist",), pages=1), log=None)
    noise = np.random.default_rng(0).integers(0, 256, (900, 900)).astype(np.uint8)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        with ThreadPoolExecutor(5) as together:
            sent = [together.submit(client.post, "/v1/read", content=png(noise)) for _ in range(5)]
            answers = [one.result() for one in sent]
        statuses = [answer.status_code for answer in answers]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert set(statuses) == {200, 503}
        assert told(refused[0], 503) == ("the queue for pages to read is full; try again later")
        assert refused[0].headers["retry-after"] == "1"
        assert client.post("/v1/classify", content=png(bar())).status_code == 200


@pytest.mark.parametrize("route", ["/v1/classify", "/v1/read?lines=true"])
@pytest.mark.parametrize("kind", ["pdf", "tiff"])
def test_each_page_of_a_document_is_answered(client, route, kind):
    def document(count):
        file, page = io.BytesIO(), Image.fromarray(bar(64, ink=0))
        page.save(file, kind, save_all=True, append_images=[page] * (count - 1))
        return file.getvalue()

    head = {"Content-Type": "application/pdf" if kind == "pdf" else "image/tiff"}
    first, second = client.post(route, content=document(2), headers=head).json()
    assert (first["path"], first["page"]) == ("-", 1)
    assert (second["path"], second["page"]) == ("-#2", 2)
    assert "page" not in client.post(route, content=document(1), headers=head).json()
    assert "has more than 3 pages" in told(client.post(route, content=document(4)), 413)
