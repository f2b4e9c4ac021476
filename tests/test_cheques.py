"""Files of cheques, X9.37 and X9.100-187: every form of them, and cut anywhere."""

import io
import json

import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from holmdel.checkpoint import save_line_model
from holmdel.data import load
from holmdel.errors import UserError
from holmdel.networks.line import LineNetwork
from holmdel.reading import Reader, items
from holmdel.reading.cheques import open_cheque
from holmdel.server import ServerSettings, create_app

AMOUNTS = (123450, 67200, 990)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """An untrained reader: it sees a digit in any picture."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "line.safetensors"
    save_line_model(path, LineNetwork(), None)
    return Reader(path, lines=True)


def front(text="1234.50", kind="tiff"):
    """The front of a cheque with an amount where it belongs, as a file."""
    cheque = Image.new("L", (360, 160), 255)
    ImageDraw.Draw(cheque).text((260, 60), text, fill=0, font_size=20)
    file = io.BytesIO()
    options = {"compression": "group4"} if kind == "tiff" else {}
    (cheque.convert("1") if kind == "tiff" else cheque).save(file, kind, **options)
    return file.getvalue()


def view(image, side=0, form=0, part=0, present=1):
    """Records 50 and 52: an image's view, and the image; the fields of text as text."""
    detail = f"50{present}12200066120260102{form:02}{0:02}{len(image):07}{side}{part:02}0"
    data = f"52{122000661:09}20260102{1:02}{7:>15}{'':48}0{'':16}{4:04}key-{0:05}{len(image):07}"
    return [(detail.ljust(80), b""), (data, image)]


def cheque(amount, *views, sequence=29001104):
    detail = f"25{'':15} 122000661{'1211-1234-56789/':>20}{amount:010}{sequence:015}".ljust(80)
    return [(detail, b""), ("26".ljust(80), b""), *(record for v in views for record in v)]


def returned(amount, *views):
    detail = f"31122000661{'1211-1234-56789/':>20}{amount:010}".ljust(53) + f"{5:015}"
    return [(detail.ljust(80), b""), *(record for v in views for record in v)]


def letter(*groups, codec="latin-1", end=None, whole=True):
    """The bytes of a file: records with lengths before them, or line ends after them."""
    head = [(f"{kind}03T".ljust(80), b"") for kind in ("01", "10", "20")]
    tail = [(f"{kind}".ljust(80), b"") for kind in ("70", "90", "99")] if whole else []
    file = b""
    for text, image in [*head, *(record for group in groups for record in group), *tail]:
        record = text.encode(codec) + image
        file += record + end if end else len(record).to_bytes(4) + record
    return file


def three(**form):
    views = view(front("1234.50")), view(front("back"), side=1)
    return letter(*(cheque(amount, *views) for amount in AMOUNTS), **form)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"codec": "cp037"},
        {"end": b"\r\n"},
        {"end": b"\n"},
        {"codec": "cp037", "end": b"\x25"},
    ],
)
def test_every_cheque_of_a_file_is_an_answer_with_its_record(reader, tmp_path, form):
    path = tmp_path / "batch.x937"
    path.write_bytes(three(**form))
    found = list(reader.read_each(items(path)))
    assert [answer.path for answer in found] == [str(path), f"{path}#2", f"{path}#3"]
    assert [answer.cheque.amount for answer in found] == list(AMOUNTS)
    assert [answer.page for answer in found] == [1, 2, 3]
    assert found[0].to_json()["record"] == {
        "amount": 123450,
        "sequence": "000000029001104",
        "routing": "122000661",
    }
    assert "agrees" in found[0].to_json()


def test_the_front_is_read_in_grey_where_it_is_there(reader, tmp_path):
    path = tmp_path / "batch.dat"  # any name will do
    black, grey, part = front(), front(kind="jpeg"), front("part")
    path.write_bytes(
        letter(
            returned(100, view(front("back"), side=1), view(part, part=8), view(black)),
            cheque(200, view(black), view(grey, form=21)),
            [("61".ljust(80), b""), *view(front("credit"))],
        )
    )
    first, second = items(path)
    from_files = [reader.read(first), reader.read(second)]
    assert [answer.cheque.amount for answer in from_files] == [100, 200]
    for_amounts = Reader(reader.model, lines=True, pattern="amount")
    for answer, image in zip(from_files, (black, grey), strict=True):
        assert answer.lines[0].box == for_amounts.read(image).lines[0].box


def written(text):
    """The front of a cheque with an amount in handwritten digits where it belongs, as a file."""
    page = Image.new("L", (1200, 550), 255)
    digits = load("digits").train
    for place, char in enumerate(text):
        digit = digits.images[digits.labels == int(char)][7 + place, 0].numpy()
        page.paste(Image.fromarray(255 - digit).resize((44, 44)), (860 + 36 * place, 200))
    file = io.BytesIO()
    page.save(file, "png")
    return file.getvalue()


def test_the_amount_on_the_picture_is_compared_with_the_record(tmp_path):
    """Cents may be written small, without a mark: 672 00. Digits are read as an amount."""
    path = tmp_path / "batch.x937"
    fronts = [(67200, "67200"), (6720000, "67200"), (543210, "67200"), (67200, "")]
    path.write_bytes(letter(*(cheque(a, view(written(t), form=20)) for a, t in fronts)))
    found = list(Reader().read_each(items(path)))
    assert [line.raw for line in found[0].lines] == ["67200"]
    assert [answer.agrees for answer in found] == [True, True, False, None]


def test_a_file_that_is_cut_anywhere_gives_the_cheques_before_and_a_sentence(reader, tmp_path):
    path = tmp_path / "batch.x937"
    for form in ({}, {"end": b"\r\n"}):
        whole = three(**form)
        image = front("1234.50")
        ends = [n + len(image) for n in range(len(whole)) if whole.startswith(image, n)]
        for length in (1, 3, 90, *range(100, len(whole) - 90, 97)):
            path.write_bytes(whole[:length])
            *before, last = items(path)
            with pytest.raises(UserError, match="is cut short or damaged"):
                open_cheque(last)
            found = [open_cheque(item)[0].amount for item in before]
            assert found == list(AMOUNTS[: sum(length >= end for end in ends)])


def test_a_cut_file_is_told_on_the_command_line_and_the_other_files_are_read(
    holmdel, reader, tmp_path
):
    (tmp_path / "a.x937").write_bytes(three()[:-1400])
    (tmp_path / "b.x9").write_bytes(letter(cheque(5, view(front()))))
    (tmp_path / "c.icl").write_bytes(letter())
    words = [tmp_path, "--lines", "--model", reader.model, "--format", "jsonl"]
    result = holmdel("read", *words)
    found = [json.loads(answer) for answer in result.out.splitlines()]
    assert ["error" in answer for answer in found] == [False, False, True, False, True]
    assert "after 2 whole cheques" in found[2]["error"]
    assert "has no cheques in it" in found[4]["error"]
    assert result.status == 1


def test_an_item_without_an_image_is_a_sentence(reader, tmp_path):
    path = tmp_path / "batch.x937"
    blank = view(b" ", present=0)
    path.write_bytes(letter(cheque(1, blank), cheque(2, view(front()))))
    first, second = reader.read_each(items(path))
    assert "has no image of the front of cheque 1" in first.error
    assert second.cheque.amount == 2
    [missing] = reader.read_each([f"{path}#3"])
    assert "batch.x937#3 was given; the file has 2 cheques" in missing.error


def test_predict_says_who_takes_cheques(holmdel, run_folder, tmp_path):
    (tmp_path / "batch.x937").write_bytes(three())
    result = holmdel("predict", run_folder, tmp_path / "batch.x937", "--format", "jsonl")
    assert "is a file of cheques (X9.37, X9.100-187); give it to `holmdel read`" in result.out
    assert result.status == 1


def test_the_server_reads_a_file_of_cheques_item_by_item():
    app = create_app(ServerSettings(), log=None)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        found = client.post("/v1/read?lines=true", content=three()[:-1400]).json()
    assert [answer["path"] for answer in found] == ["-", "-#2", "-#3"]
    assert [answer["record"]["amount"] for answer in found[:2]] == list(AMOUNTS[:2])
    assert "after 2 whole cheques" in found[2]["error"]
