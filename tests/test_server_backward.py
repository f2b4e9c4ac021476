"""The routes of the way back, of pages and of one's own networks, as a client sees them."""

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from holmdel.server import ServerSettings, create_app

PNG = {"Content-Type": "image/png"}
NET = "conv 4 5; relu; maxpool 2; flatten; linear 10"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "mynet.py").write_text(
        "from torch import nn\n"
        "net = nn.Sequential(nn.Conv2d(1, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 576, 4))\n"
    )
    own = f"{folder / 'mynet.py'}:net"
    app = create_app(
        ServerSettings(models=("lenet-mnist", own), runs=folder / "runs", framed=True), log=None
    )
    with TestClient(app, base_url="http://localhost") as found:
        yield found


def digit() -> bytes:
    image = Image.new("L", (28, 28), 0)
    image.paste(255, (12, 4, 16, 24))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def post(client, path, status=200, **params):
    answer = client.post(path, params=params, content=digit(), headers=PNG)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_gradients_stand_where_the_maps_stand(client):
    maps = post(client, "/v1/activations")
    found = post(client, "/v1/gradients", **{"class": 3})
    assert [layer["name"] for layer in found["layers"]] == [x["name"] for x in maps["layers"]]
    assert [layer["shape"] for layer in found["layers"]] == [x["shape"] for x in maps["layers"]]
    assert found["loss"] > 0
    assert maps["logits"][1] == max(maps["logits"])


def test_a_units_gradient_and_a_step_add_up(client):
    found = post(client, "/v1/backward", layer="s2", unit="3,4,6", **{"class": 3})
    total = sum(term["gradient"] * term["weight"] for term in found["terms"])
    assert total == pytest.approx(found["gradient"], rel=1e-9, abs=1e-15)
    assert not found["weights"]
    step = post(client, "/v1/step", layer="c3", unit="7,4,6", rate=0.5, **{"class": 3})
    weight = step["weight"]
    plane, (row, column) = weight["plane"], weight["at"]
    before, slope, after = (
        step[name][plane][row][column] for name in ("before", "gradient", "after")
    )
    assert before - 0.5 * slope == after
    assert slope == weight["gradient"]
    logit = post(client, "/v1/backward", layer="output", unit="3", **{"class": 3})
    assert logit["output"]
    assert logit["gradient"] == pytest.approx(logit["terms"][0]["gradient"], rel=1e-12)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/gradients?class=10", "the class was given as 10; expected 0 to 9"),
        ("/v1/gradients", "class: field required"),
        ("/v1/backward?layer=c1&unit=0,28,0&class=1", "unit was given as 0,28,0; c1 has 6x28x28"),
        ("/v1/step?layer=s2&unit=0,0,0&class=1", "expected a convolution or a dense layer"),
        ("/v1/step?layer=c1&unit=0,0,0&class=1&rate=-1", "rate was given as '-1'"),
    ],
)
def test_refusals(client, path, sentence):
    answer = client.post(path, content=digit(), headers=PNG)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


def test_a_page_of_a_tiff_is_a_png(client):
    pages = [Image.new("L", (40 + n, 30), 255) for n in range(2)]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    answer = client.post("/v1/page", params={"page": 2}, content=file.getvalue())
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-pages"] == "2"
    assert Image.open(io.BytesIO(answer.content)).size == (41, 30)
    none = client.post("/v1/page", params={"page": 3}, content=file.getvalue())
    assert none.status_code == 404
    assert none.json()["error"] == "page 3 was asked for; the file has 2"
    assert client.post("/v1/page", content=b"nothing").status_code == 415


def test_layers_put_together_are_a_network(client):
    found = client.get("/v1/anatomy", params={"layers": NET}).json()
    assert [layer["name"] for layer in found["layers"]] == [
        "conv1", "relu1", "maxpool1", "flatten1", "linear1",
    ]  # fmt: skip
    assert found["totals"]["parameters"] == 4 * 26 + 10 * (4 * 144 + 1)
    for layers, sentence in [
        ("conv 4", "'conv 4' was given as a layer; expected its kernel too"),
        ("conv 4 5 q2", "'q2' means nothing there"),
        ("conv 4 99", "expected a kernel of 1 to 15"),
        ("swim 3", "there is no layer 'swim'"),
        ("linear 10", "layer 1, linear, takes a vector; put flatten before it"),
        ("flatten; conv 4 5", "layer 2, conv, takes maps; put it before flatten"),
        ("maxpool 15; maxpool 15", "layer 2, maxpool, does not take what comes to it: 1x1x1"),
        (";", "0 layers were given"),
        ("conv 1024 15 p7; conv 1024 15", "have 236,162,048 weights; expected up to 100,000,000"),
        ("conv 1024 1; flatten; linear 8192; relu", "layers up to 3, linear, have 6,576,678,912"),
    ]:
        answer = client.get("/v1/anatomy", params={"layers": layers})
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]


def test_ones_own_network_is_looked_into_and_trained(client):
    model = client.get("/v1/models").json()["models"][1]
    assert (model["name"], model["input"], len(model["classes"])) == ("net", [1, 28, 28], 4)
    assert post(client, "/v1/activations", model="net")["layers"][1]["shape"] == [3, 24, 24]
    wanted = {"network": "own", "layers": NET, "data": "digits", "settings": {"epochs": 1}}
    state = client.post("/v1/trainings", json=wanted).json()
    assert (state["network"], state["status"]) == ("own", "preparing")
    events = client.get("/v1/trainings/1/events").text
    assert '"status":"finished"' in events
    assert post(client, "/v1/activations", model="training-1")["layers"][1]["name"] == "conv1"
    kept = client.post("/v1/trainings/1/keep").json()["kept"]
    assert kept == "own-digits"
    wrong = client.post("/v1/trainings", json=wanted | {"layers": "linear 3"})
    assert wrong.status_code == 400


def test_a_notebook_may_show_the_page_in_a_frame(client):
    headers = client.get("/").headers
    assert "x-frame-options" not in headers
    assert "frame-ancestors http://localhost:*" in headers["content-security-policy"]


def test_the_first_sight_travels_light(client):
    head = {"Accept-Encoding": "gzip", "Accept": "text/html, */*"}
    sizes = [
        int(client.get(path, headers=head).headers["content-length"])
        for path in ("/", "/page/main.js", "/page/main.css", "/page/en.json", "/page/icon.svg")
    ]
    assert sum(sizes) <= 90_000  # 110 with what the server computes
