"""`POST /v1/read` with files beside the image: a form's template, or a list of codes."""

import base64
import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

import holmdel
from holmdel.server import ServerSettings, create_app

COMB, BOX = (120, 300, 40, 6), (120, 480, 300, 46)


@pytest.fixture(scope="module")
def client():
    with TestClient(create_app(ServerSettings(), log=None), base_url="http://127.0.0.1") as found:
        yield found


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def sheet(customer: str = "") -> Image.Image:
    """Returns a form with a comb of 6 cells and a box, the comb filled in."""
    page = Image.new("L", (900, 1200), 250)
    draw = ImageDraw.Draw(page)
    for number, text in enumerate(("Claim for the return of a deposit", "One digit into each box")):
        draw.text((90, 80 + 60 * number), text, fill=60, font_size=30)
    x, y, side, count = COMB
    for cell in range(count):
        draw.rectangle((x + cell * side, y, x + (cell + 1) * side, y + 46), outline=70, width=2)
    x, y, w, h = BOX
    draw.rectangle((x, y, x + w, y + h), outline=70, width=2)
    draw.text((90, 900), "Do not write below this line. Office use only.", fill=60, font_size=26)
    for number, char in enumerate(customer):
        draw.text((COMB[0] + 10 + 40 * number, COMB[1] + 2), char, fill=40, font_size=34)
    return page


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Returns the files of the form's template, as they are sent."""
    path = tmp_path_factory.mktemp("template") / "claim.toml"
    holmdel.Template.of(sheet()).save(path)
    return {
        "template": (path.name, path.read_bytes()),
        "reference": ("sent-as.png", path.with_name("claim-reference.png").read_bytes()),
    }


def line(text: str) -> bytes:
    page = Image.new("L", (420, 140), 255)
    ImageDraw.Draw(page).text((60, 30), text, fill=20, font_size=70)
    return png(page)


def test_the_fields_of_a_template_are_read_by_name(client, template):
    answer = client.post("/v1/read", files={"file": ("a.png", png(sheet("407319"))), **template})
    assert answer.status_code == 200, answer.text
    [found] = answer.json()["lines"]
    assert (found["field"], found["text"]) == ("field-1", "407319")
    assert [part["field"] for part in answer.json()["skipped"]] == ["field-2"]


def test_a_list_that_is_sent_says_what_may_be_written(client):
    codes = ("codes.txt", b"19-98\n04-12\n77-00\n")
    answer = client.post("/v1/read", files={"file": ("a.png", line("1998")), "codes": codes})
    [found] = answer.json()["lines"]
    assert (found["text"], found["value"]) == ("1998", {"code": "19-98"})


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"reference": None}, 400, "the form has template beside the image; expected template and"),
        ({"codes": b"12\n"}, 400, "the form has codes and reference and template beside the image"),
        ({"template": b"= 1"}, 400, "template.toml is no TOML file"),
        ({"reference": b"no image"}, 400, "claim-reference.png is not the reference that"),
    ],
)
def test_files_that_do_not_go_together_are_refused(client, template, change, status, sentence):
    files = {name: file for name, file in template.items() if change.get(name, file) is not None}
    files |= {name: (name, content) for name, content in change.items() if content is not None}
    answer = client.post("/v1/read", files={"file": ("a.png", png(sheet())), **files})
    assert answer.status_code == status
    assert answer.json()["error"].startswith(sentence)
    assert "/tmp" not in answer.json()["error"]


@pytest.mark.parametrize("named", ["list:/etc/passwd", "list:../codes.txt"])
def test_a_template_names_no_file_of_the_server(client, template, named):
    name, content = template["template"]
    own = content.replace(b'pattern = "digits:6"', f'pattern = "{named}"'.encode())
    assert own != content
    files = {"file": ("a.png", png(sheet())), **template, "template": (name, own)}
    answer = client.post("/v1/read", files=files)
    assert answer.status_code == 400
    assert "names a file of the server" in answer.json()["error"]


@pytest.mark.parametrize("named", ["", "..", "a\\u0000b", "a" * 300])
def test_a_reference_that_no_file_can_be_called_is_refused(client, template, named):
    name, content = template["template"]
    own = content.replace(b"claim-reference.png", named.encode())
    assert own != content
    files = {"file": ("a.png", png(sheet())), **template, "template": (name, own)}
    answer = client.post("/v1/read", files=files)
    assert answer.status_code == 400
    assert "the name of a file" in answer.json()["error"]
    assert "/tmp" not in answer.json()["error"]


def test_how_a_line_was_read_is_shown_step_by_step(client):
    read = client.post("/v1/read", content=line("1998")).json()
    answer = client.post("/v1/read/inside", content=line("1998"))
    assert answer.status_code == 200, answer.text
    [seen] = answer.json()["lines"]
    assert (seen["text"], seen["box"]) == ("1998", read["lines"][0]["box"])
    assert seen["texts"][0]["text"] == "1998"
    assert len(base64.b64decode(seen["picture"])) == 32 * seen["width"]
    assert len(seen["steps"]) == seen["width"] // 2
    for digit in seen["digits"]:
        row = seen["characters"].index(digit["char"])
        assert max(step[row] for step in seen["steps"][digit["first"] : digit["last"] + 1]) > 0.5
    assert seen["characters"][-1] == ""
    assert all(len(step) == len(seen["characters"]) for step in seen["steps"])


def test_the_way_to_the_fields_of_a_form_is_shown_with_them(client, template):
    files = {"file": ("a.png", png(sheet("407319"))), **template}
    answer = client.post("/v1/read/inside", files=files)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [picture["name"] for picture in found["pictures"]] == ["form"]
    assert found["pictures"][0]["picture"].startswith("data:image/png;base64,")
    assert [line["text"] for line in found["lines"]] == ["407319"]
    page = client.post("/v1/read/inside", content=png(sheet("407319"))).json()
    steps = [picture["name"] for picture in page["pictures"]]
    assert steps == ["light", "clean", "lines", "fields"]


def test_a_page_that_a_file_does_not_have_has_no_inside(client):
    answer = client.post("/v1/read/inside?page=2", content=line("1998"))
    assert answer.status_code == 404
    assert answer.json() == {"error": "page 2 was asked for; the file has 1"}
