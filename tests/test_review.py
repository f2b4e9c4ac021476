"""`holmdel review`: rejected lines, a person's corrections, and what is kept of them."""

import csv
import json
import re
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from holmdel.errors import UserError
from holmdel.reading import read_labelled
from holmdel.reading.corrections import corrected
from holmdel.reading.review import Review, digits_of
from holmdel.reading.tables import table_file
from holmdel.server.review import create_review_app

TOKEN = {"Authorization": "Bearer secret"}


def answered(path, *lines):
    """Returns an answer with lines (text, status, left edge), each 90 x 30 at 20 from the top."""
    about = [
        {"text": text, "confidence": 0.4, "status": status, "box": [left, 20, 90, 30], "digits": []}
        for text, status, left in lines
    ]
    return {"path": str(path), "lines": about}


@pytest.fixture
def answers(tmp_path):
    """Answers on one page: a line that was read, and two that were rejected."""
    page = Image.new("RGB", (400, 80), "white")
    ImageDraw.Draw(page).text((150, 20), "0412", fill="black", font_size=30)
    page.save(tmp_path / "page.png")
    lines = (("0007", "read", 20), ("0472", "reject", 150), ("11", "reject", 270))
    rows = [
        answered(tmp_path / "page.png", *lines),
        {"path": "a.txt", "error": "a.txt is no image"},
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def truth(tmp_path):
    return tmp_path / "truth"


def test_the_rejected_lines_are_asked_for(answers, truth):
    review = Review(answers, truth)
    assert [(item.text, item.number) for item in review.items] == [("0472", 2), ("11", 3)]
    everything = Review(answers, truth, everything=True)
    assert [item.text for item in everything.items] == ["0007", "0472", "11"]
    assert not truth.exists()


def test_corrections_are_a_labelled_folder(answers, truth):
    review = Review(answers, truth, everything=True)
    for number, text in enumerate(["0007", "04-12", "11"]):
        review.say(number, text)
    strings = read_labelled(truth)
    assert [string.text for string in strings] == ["0007", "0412", "11"]
    crop = np.asarray(Image.open(strings[1].path))
    assert crop.shape == (30 + 6, 90 + 6)  # a tenth of the line's height around it
    assert crop.min() < 60


def test_every_correction_is_kept_at_once_and_a_later_one_takes_its_place(answers, truth):
    review = Review(answers, truth)
    review.say(0, "0412")
    assert [string.text for string in read_labelled(truth)] == ["0412"]
    review.say(0, "0413")
    assert [string.text for string in read_labelled(truth)] == ["0413"]
    review.say(0, "")
    assert (truth / "truth.tsv").read_text().count("\n") == 1
    assert "0472\treject" in (truth / "nothing.tsv").read_text()
    review.say(0, "0412")
    assert (review.said(0), (truth / "nothing.tsv").read_text().count("\n")) == ("0412", 1)


def test_a_later_review_goes_on(answers, truth):
    before = Review(answers, truth)
    before.say(0, "")
    later = Review(answers, truth)
    assert (later.done, later.first, later.said(0), later.said(1)) == (1, 1, "", None)
    later.say(1, "11")
    assert (later.done, later.first) == (2, 2)


def test_answers_may_name_images_from_their_own_folder(answers, truth):
    answers.write_text(json.dumps(answered("page.png", ("12", "reject", 20))) + "\n")
    review = Review(answers, truth)
    assert review.complaints == []
    assert review.show(0)["image"].startswith("data:image/jpeg;base64,")


def test_a_page_of_a_document_is_shown(answers, truth, tmp_path):
    pages = [Image.new("RGB", (400, 80), colour) for colour in ("white", "black")]
    pages[0].save(tmp_path / "two.pdf", save_all=True, append_images=pages[1:])
    row = answered(tmp_path / "two.pdf#2", ("12", "reject", 20))
    answers.write_text(json.dumps(row | {"page": 2}) + "\n")
    review = Review(answers, truth)
    assert review.complaints == []
    review.say(0, "12")
    [string] = read_labelled(truth)
    assert string.path.name.startswith("two.pdf-2-")
    assert np.asarray(Image.open(string.path)).max() < 60


def test_an_image_that_is_missing_is_one_sentence(answers, truth):
    row = answered("gone.png", ("1", "reject", 0), ("2", "reject", 0))
    with answers.open("a") as file:
        file.write(json.dumps(row) + "\n")
    review = Review(answers, truth)
    assert len(review.items) == 2
    [sentence] = review.complaints
    assert sentence.startswith("there is no image gone.png, so 2 of its lines are left out")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[1]\n", "line 1 is no answer of `holmdel read`"),
        ('{"path": "a.png", "lines": [{}]}\n', "line 1 is no answer"),
        ("path,page\n", "line 1 is no answer"),
    ],
)
def test_other_files_are_refused(answers, truth, content, sentence):
    answers.write_text(content)
    with pytest.raises(UserError, match=sentence):
        Review(answers, truth)


def test_the_truth_of_others_is_left_alone(answers, truth):
    truth.mkdir()
    (truth / "truth.tsv").write_text("file\tdigits\nmine.png\t12\n")
    with pytest.raises(UserError, match=r"truth.tsv was not written by `holmdel review`"):
        Review(answers, truth)


def test_what_is_typed_may_have_marks():
    assert digits_of(" 1.250,00 ") == "125000"
    with pytest.raises(UserError, match="'12a' was given; expected 0 to 9"):
        digits_of("12a")


def test_a_table_has_the_corrections(answers, truth, tmp_path):
    review = Review(answers, truth)
    review.say(0, "0412")
    review.say(1, "")
    with table_file(tmp_path / "a.csv") as add:
        for answer in review.corrected():
            add(answer)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [(row["text"], row["status"]) for row in rows] == [
        ("0007", "read"), ("0412", "checked"), ("", "error"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said", "raw", "value"),
    [
        (
            {"text": "1250", "raw": "12.50", "value": {"cents": 1250}},
            "1260",
            "12.60",
            {"cents": 1260},
        ),
        ({"text": "12", "raw": "12", "value": {"cents": 1200}}, "13", "13", {"cents": 1300}),
        ({"text": "1250", "raw": "12.50", "value": {"cents": 1250}}, "126", None, None),
        ({"text": "0903", "raw": "09/03", "value": {"date": "2026-03-09"}}, "0803", "08/03", None),
        (
            {"text": "0903", "raw": "09/03", "value": {"date": "2026-03-09"}},
            "0903",
            "09/03",
            {"date": "2026-03-09"},
        ),
    ],
)
def test_marks_and_cents_follow_the_digits_where_that_is_sure(line, said, raw, value):
    before = line | {"confidence": 0.4, "status": "reject", "box": [0, 0, 9, 9], "digits": []}
    [now] = corrected({"path": "a.png", "lines": [before]}, [said])["lines"]
    assert (now["text"], now["status"], now.get("raw"), now.get("value")) == (
        said, "checked", raw, value,
    )  # fmt: skip
    assert ("unknown" in now) == (value is None)


def test_a_value_that_is_no_longer_known_stands_apart_from_those_that_are(tmp_path):
    def page(text, **more):
        line = {"field": "paid", "text": text, "confidence": 0.4, "status": "reject"}
        return {"path": "a.png", "lines": [line | {"box": [0, 0, 9, 9], "digits": []} | more]}

    amount = {"raw": "12.50", "value": {"cents": 1250, "decimal": True}}
    with table_file(tmp_path / "a.csv") as add:
        add(corrected(page("1250", **amount), ["1251"]))
        add(corrected(page("1250", **amount), ["99"]))
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [(row["paid"], row["rejected"]) for row in rows] == [("1251", ""), ("", "paid=99")]


@pytest.fixture
def client(answers, truth):
    app = create_review_app(Review(answers, truth), "secret", lambda: None)
    return TestClient(app, base_url="http://127.0.0.1", headers=TOKEN)


def test_the_page_and_its_files_need_no_token(client):
    for path in ("/", "/review.js", "/review.css"):
        answer = client.get(path, headers={"Authorization": ""})
        assert answer.status_code == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert len(answer.content) < 20_000


def test_only_who_has_the_token_sees_the_lines(client):
    assert client.get("/v1/lines", headers={"Authorization": ""}).status_code == 401
    assert client.get("/v1/lines", headers={"Host": "elsewhere.org"}).status_code == 403


def test_a_line_is_corrected_over_http(client, truth):
    first = client.get("/v1/lines").json()
    assert first == {"count": 2, "done": 0, "first": 0, "folder": str(truth)}
    line = client.get("/v1/lines/0").json()
    assert (line["text"], line["line"], line["said"]) == ("0472", 2, None)
    assert client.post("/v1/lines/0", json={"digits": "0412"}).json() == {
        "digits": "0412", "done": 1,
    }  # fmt: skip
    assert client.get("/v1/lines/0").json()["said"] == "0412"
    assert [string.text for string in read_labelled(truth)] == ["0412"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("0", {"digits": "x"}, 400),
        ("0", {"text": "1"}, 400),
        ("0", [], 400),
        ("2", {"digits": "1"}, 404),
    ],
)
def test_a_mistake_over_http_is_a_sentence(client, truth, path, body, status):
    answer = client.post(f"/v1/lines/{path}", json=body)
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}
    assert not truth.exists()


def test_the_command_serves_until_the_person_has_done(answers, tmp_path):
    words = ["review", str(answers), "--no-browser", "--table", "corrected.csv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "holmdel", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    try:
        said = process.stderr.readline()
        url, token = re.search(r"(http://127\.0\.0\.1:\d+)/#(\S+)$", said).groups()
        for path, body in (("/v1/lines/0", b'{"digits": "0412"}'), ("/v1/done", b"{}")):
            request = urllib.request.Request(url + path, body)
            request.add_header("Authorization", f"Bearer {token}")
            urllib.request.urlopen(request, timeout=20).close()
        out, _ = process.communicate(timeout=20)
    finally:
        process.send_signal(signal.SIGKILL)
    assert process.returncode == 0
    assert out == f"1 of 2 lines were looked at; see {tmp_path / 'answers-truth'}\n"
    assert [string.text for string in read_labelled(tmp_path / "answers-truth")] == ["0412"]
    rows = csv.DictReader((tmp_path / "corrected.csv").read_text().splitlines())
    assert [row["status"] for row in rows] == ["read", "checked", "reject", "error"]


def test_where_nothing_was_rejected_there_is_nothing_to_do(holmdel, answers):
    answers.write_text(json.dumps({"path": "a.png", "lines": []}) + "\n")
    result = holmdel("review", answers)
    assert "has no lines to look at; give --all" in result.out
    assert result.status == 0
    assert "there is no file nil.jsonl" in holmdel("review", "nil.jsonl").err


def test_a_table_that_is_there_is_left_alone(holmdel, answers, tmp_path):
    table = tmp_path / "kept.csv"
    table.write_text("mine")
    result = holmdel("review", answers, "--no-browser", "--table", table)
    assert "kept.csv exists already; give another --table" in result.err
    assert (result.status, table.read_text()) == (2, "mine")
