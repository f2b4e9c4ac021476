"""The playground's answers about a model and an image, against the library."""

import base64
import io
import math

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image

import holmdel as library
from holmdel import samples
from holmdel.checkpoint import Header, save_model
from holmdel.classifier import Classifier
from holmdel.images import ImageContract, to_input
from holmdel.insight import activations, explain, kernels, occlusion, saliency
from holmdel.networks import build
from holmdel.server import ServerSettings, create_app
from holmdel.server.activation_cache import IMAGES, ActivationCache
from holmdel.server.metrics import Metrics
from holmdel.server.models import Models

PNG = {"Content-Type": "image/png"}
DIGITS = tuple("0123456789")


def stroke(angle: float = 0.3) -> torch.Tensor:
    """Returns a bar at an angle in the stored form: uint8 (1, 28, 28)."""
    rows, columns = np.mgrid[-14:14, -14:14]
    distance = np.abs(rows * np.cos(angle) + columns * np.sin(angle))
    inside = (rows**2 + columns**2 < 100) & (distance < 2)
    return torch.from_numpy((255 * inside).astype(np.uint8))[None]


def png(picture: torch.Tensor) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture[0].numpy()).save(file, "PNG")
    return file.getvalue()


def decoded(layer: dict, shape: list[int]) -> torch.Tensor:
    """Returns the values of low, high and data."""
    steps = torch.tensor(list(base64.b64decode(layer["data"])), dtype=torch.float64)
    return (layer["low"] + steps / 255 * (layer["high"] - layer["low"])).reshape(shape)


def run_of(tmp_path, name, network, options, classes, image) -> str:
    """Writes a run folder of an untrained network; returns its path."""
    torch.manual_seed(0)
    header = Header(network=network, options=options, classes=classes, image=image)
    save_model(tmp_path / name / "model.safetensors", build(network, **options), header)
    return str(tmp_path / name)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Returns a client of a server of four networks."""
    place = tmp_path_factory.mktemp("runs")
    small = ImageContract(stored=(1, 28, 28), input=(1, 32, 32), enlarge="pad", mean=0.5, std=0.5)
    large = ImageContract(stored=(1, 28, 28), input=(1, 224, 224), enlarge="resize")
    runs = (
        run_of(place, "papers", "lenet5-1998", {}, DIGITS, small),
        run_of(place, "letters", "lenet", {}, tuple("abcdefghij"), ImageContract()),
        run_of(place, "large", "nin", {"width": 0.25}, DIGITS, large),
    )
    app = create_app(ServerSettings(models=("lenet-mnist", *runs)), log=None)
    with TestClient(app, base_url="http://localhost") as found:
        yield found


@pytest.fixture
def model() -> Classifier:
    return library.load("lenet-mnist")


@pytest.fixture
def double(model):
    """Returns the network in float64 and the bar as it sees it."""
    return model.network.double(), to_input(stroke()[None], model.contract)[0].double()


def post(client, path, content=None, status=200, **params):
    body = png(stroke()) if content is None else content
    answer = client.post(path, params=params, content=body, headers=PNG)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_models_say_what_they_are(client):
    found = client.get("/v1/models").json()
    first = found["models"][0]
    assert first.pop("engine")
    assert first == {
        "name": "lenet-mnist",
        "network": "lenet",
        "classes": list(DIGITS),
        "input": [1, 28, 28],
        "stored": [1, 28, 28],
        "framing": "digit",
        "parameters": 61706,
        "source": "shipped",
        "data": None,
    }
    assert [each["name"] for each in found["models"]] == [
        "lenet-mnist",
        "papers",
        "letters",
        "large",
    ]
    assert found["default"] == "lenet-mnist"
    assert found["reader"] == {"available": True, "why": None}
    assert found["version"] == library.__version__


def test_activations_are_every_layers_values(client, model, double):
    found = post(client, "/v1/activations")
    seen = activations(*double)
    assert (found["model"], found["network"]) == ("lenet-mnist", "lenet")
    assert found["probabilities"] == seen.probabilities.tolist()
    assert found["classes"] == list(model.classes)
    best = seen.probabilities.argmax()
    assert found["top"][0] == {
        "label": str(int(best)),
        "probability": float(seen.probabilities[best]),
    }
    assert len(found["top"]) == 3
    assert found["seen"]["shape"] == [1, 28, 28]
    assert base64.b64decode(found["seen"]["data"]) == stroke().numpy().tobytes()
    assert [layer["name"] for layer in found["layers"]] == [layer.name for layer in seen.layers]
    for layer in found["layers"]:
        value = seen[layer["name"]].value
        assert layer["shape"] == list(value.shape)
        assert layer["shown"] == len(value)
        assert layer["inputs"] == list(seen[layer["name"]].layer.inputs)
        assert (layer["low"], layer["high"]) == (value.min(), value.max())
        step = (layer["high"] - layer["low"]) / 255
        assert (decoded(layer, layer["shape"]) - value).abs().max() <= step * 0.5000001
    c1 = found["layers"][1]
    assert (c1["kind"], c1["detail"]) == ("Conv2d", "5x5, padding 2")
    assert c1["receptive_field"] == {"size": [5, 5], "stride": [1, 1], "offset": [-2, -2]}
    flags = {each["name"]: (each["explained"], each["kernels"]) for each in found["layers"]}
    assert flags["c1"] == (True, True)
    assert flags["act1"] == (True, False)
    assert flags["input"] == flags["flatten"] == (False, False)


def test_a_picture_is_framed_before_it_is_looked_at(client, model):
    file = io.BytesIO()
    large = Image.fromarray(stroke()[0].numpy()).resize((90, 120))
    large.save(file, "PNG")
    answer = client.post("/v1/activations", files={"file": ("7.png", file.getvalue())})
    found = answer.json()
    expected = model.predict(file.getvalue())[0]
    assert base64.b64decode(found["seen"]["data"]) == expected.seen.numpy().tobytes()
    assert found["top"][0]["label"] == expected.label
    assert found["top"][0]["probability"] == pytest.approx(expected.probability, abs=1e-5)


def test_few_maps_are_shown_where_few_are_asked_for(client):
    found = post(client, "/v1/activations", maps=2)
    c3 = next(layer for layer in found["layers"] if layer["name"] == "c3")
    assert (c3["shape"], c3["shown"]) == ([16, 10, 10], 2)
    assert len(base64.b64decode(c3["data"])) == 2 * 10 * 10
    f5 = next(layer for layer in found["layers"] if layer["name"] == "f5")
    assert f5["shown"] == 120


def test_a_unit_is_what_the_library_says(client, double):
    seen = activations(*double)
    for layer, unit in [("c1", (2, 3, 4)), ("c3", (5, 9, 0)), ("f5", (7,)), ("output", (9,))]:
        found = post(client, "/v1/unit", layer=layer, unit=",".join(map(str, unit)))
        assert found == explain(seen, layer, unit).to_json()
        products = torch.tensor(found["products"], dtype=torch.float64)
        total = float(products.sum()) + (found["bias"] or 0)
        magnitudes = float(products.abs().sum()) + abs(found["bias"] or 0)
        assert abs(total - found["value"]) <= 1e-12 * magnitudes
        assert abs(found["sum"] - found["value"]) <= 1e-12 * magnitudes
    largest = post(client, "/v1/unit", layer="s2", unit="5,6,7")
    channel, row, column = largest["argmax"]
    assert largest["patch"][channel][row][column] == largest["value"]
    flat = post(client, "/v1/unit", layer="f5", unit="0")
    assert flat["before"]["layer"] == "s4"
    assert np.shape(flat["patch"]) == (16, 5, 5)


def test_units_of_the_papers_layers(client):
    found = post(client, "/v1/unit", model="papers", layer="c3", unit="0,1,1")
    assert found["before"]["channels"] == [0, 1, 2]
    assert post(client, "/v1/unit", model="papers", layer="act1", unit="0,1,1")["function"] == (
        "scaled_tanh"
    )
    radial = post(client, "/v1/unit", model="papers", layer="output", unit="3")
    assert (radial["operation"], radial["patch"], radial["kernel"]) == ("other", None, None)


def test_kernels_are_those_of_the_layer(client, model):
    found = client.get("/v1/kernels", params={"layer": "c3", "maps": 4}).json()
    weight = kernels(model.network, "c3")[:4, :4]
    assert (found["layer"], found["shape"], found["shown"]) == ("c3", [16, 6, 5, 5], [4, 4])
    assert (found["low"], found["high"]) == (weight.min(), weight.max())
    step = (found["high"] - found["low"]) / 255
    assert (decoded(found, [4, 4, 5, 5]) - weight).abs().max() <= step * 0.51


def test_saliency_is_the_librarys(client, double):
    found = post(client, "/v1/saliency", **{"class": 4})
    expected = saliency(*double, 4)
    assert (found["class"], found["label"], found["method"]) == (4, "4", "gradient")
    assert found["shape"] == [28, 28]
    assert (found["low"], found["high"]) == (expected.min(), expected.max())
    said = int(activations(*double).logits.argmax())
    assert post(client, "/v1/saliency")["class"] == said


def test_occlusion_is_the_librarys(client, double):
    network, picture = double
    background = float(picture.min())
    expected = occlusion(network, picture, background=background)
    found = post(client, "/v1/occlusion")
    assert (found["window"], found["stride"], found["method"]) == (5, 2, "occlusion")
    assert found["class"] == expected.target
    assert found["probability"] == pytest.approx(expected.probability, abs=1e-5)
    assert (decoded(found, [28, 28]) - expected.drop).abs().max() < 1e-2
    other = post(client, "/v1/occlusion", window=8, stride=8, **{"class": 1})
    assert (other["label"], other["window"], other["stride"]) == ("1", 8, 8)


def test_maps_have_the_size_of_the_networks_input(client):
    assert post(client, "/v1/saliency", model="papers")["shape"] == [32, 32]
    found = post(client, "/v1/occlusion", model="papers")
    assert (found["shape"], found["window"]) == ([32, 32], 6)
    assert (decoded(found, [32, 32])[:, :2].abs() < 1e-3).all()  # zeros around: covered by zeros


def test_what_takes_too_long_is_refused(client):
    answer = post(client, "/v1/occlusion", status=400, model="large", window=1, stride=1)
    assert "50176 looks of this network" in answer["error"]


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/v1/activations?model=none", 404, "there is no model 'none'"),
        ("/v1/activations?maps=0", 400, "maps was given as '0'"),
        ("/v1/unit?layer=c9&unit=0,0,0", 400, "there is no layer 'c9'"),
        ("/v1/unit?layer=c1&unit=0,28,0", 400, "unit was given as 0,28,0; c1 has 6x28x28"),
        ("/v1/unit?layer=c1&unit=a", 400, "unit was given as 'a'"),
        ("/v1/unit?layer=input&unit=0,0,0", 400, "layer was given as 'input'"),
        ("/v1/unit?layer=c1", 400, "unit: field required"),
        ("/v1/saliency?class=10", 400, "the class was given as 10; the network has 10"),
        ("/v1/saliency?class=-1", 400, "class was given as '-1'"),
        ("/v1/occlusion?class=10", 400, "the class was given as 10; the network has 10"),
        ("/v1/occlusion?window=29", 400, "window was given as 29; expected 1 to 28"),
        ("/v1/occlusion?window=3&stride=4", 400, "stride was given as 4; expected 1 to 3"),
    ],
)
def test_refusals_of_posts_say_what_was_given(client, path, status, sentence):
    answer = client.post(path, content=png(stroke()), headers=PNG)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/v1/activations", "/v1/unit?layer=c1&unit=0,0,0", "/v1/saliency", "/v1/occlusion"]
)
def test_what_is_no_picture_is_refused(client, path):
    answer = client.post(path, content=b"{}", headers={"Content-Type": "application/json"})
    assert answer.status_code == 415
    assert client.post(path, content=b"no picture", headers=PNG).status_code == 415
    assert client.post(path, content=png(stroke())[:90], headers=PNG).status_code == 422
    assert client.post(path, content=b"", headers=PNG).status_code == 400
    files = [("file", ("a.png", png(stroke()))), ("file", ("b.png", png(stroke())))]
    answer = client.post(path, files=files)
    assert answer.json() == {"error": "2 images were given; expected one"}


def test_refusals_of_gets_say_what_was_given(client):
    answer = client.get("/v1/kernels", params={"layer": "act1"})
    assert answer.status_code == 400
    assert "those of this network are c1, c3" in answer.json()["error"]
    assert client.get("/v1/kernels", params={"layer": "c1", "model": "x"}).status_code == 404


def test_a_network_that_ran_away_has_nulls(client):
    network = build("lenet")
    with torch.no_grad():
        network.c1.bias.fill_(math.nan)
    models: Models = client.app.state.services.models
    header = Header(network="lenet", options={}, classes=DIGITS, image=ImageContract())
    models.put("training-7", Classifier(network, header), "training")
    try:
        found = post(client, "/v1/activations", model="training-7")
        assert found["probabilities"] == [None] * 10
        assert (found["layers"][1]["low"], found["layers"][1]["high"]) == (0, 0)
        unit = post(client, "/v1/unit", model="training-7", layer="c1", unit="0,3,3")
        assert (unit["value"], unit["sum"], unit["bias"]) == (None, None, None)
        post(client, "/v1/saliency", model="training-7")
        assert post(client, "/v1/occlusion", model="training-7")["probability"] is None
        logit = post(
            client, "/v1/backward", model="training-7", layer="output", unit="3", **{"class": 3}
        )
        assert logit["terms"] == [{"layer": "output", "unit": [3], "gradient": None, "weight": 1.0}]
    finally:
        models.remove("training-7")


def test_a_picture_is_looked_at_once(model):
    models = Models(Metrics())
    one = models.put("one", model, "shipped")
    looks = ActivationCache(models)
    first = looks.get(one, png(stroke()))
    assert looks.get(one, png(stroke())) is first
    assert looks.get(one, png(stroke(1.0))) is not first
    for turn in range(IMAGES - 1):
        looks.get(one, png(stroke(2 + turn / 10)))
    assert looks.get(one, png(stroke())) is not first  # which was the oldest


def test_a_model_that_is_replaced_looks_anew(model):
    models = Models(Metrics())
    one = models.put("live", model, "training")
    looks = ActivationCache(models)
    first = looks.get(one, png(stroke()))
    two = models.put("live", model, "training")
    second = looks.get(two, png(stroke()))
    assert second is not first
    assert looks.get(one, png(stroke())) is not first  # it is no longer among the models
    assert looks.get(two, png(stroke())) is second


def test_samples_come_without_a_download(client, monkeypatch):
    monkeypatch.delenv("HOLMDEL_DATA", raising=False)
    found = client.get("/v1/samples", params={"count": 12}).json()
    assert found["data"] == "digits"
    assert [each["label"] for each in found["samples"]] == [*DIGITS, "0", "1"]
    again = client.get("/v1/samples", params={"count": 12, "data": "digits"}).json()
    assert again == found
    other = client.get("/v1/samples", params={"count": 12, "seed": 1}).json()
    assert other["samples"] != found["samples"]
    first = found["samples"][0]
    picture = base64.b64decode(first["picture"].removeprefix("data:image/png;base64,"))
    one = client.get("/v1/sample", params={"data": "digits", "index": first["index"]})
    assert one.headers["content-type"] == "image/png"
    assert one.content == picture
    with Image.open(io.BytesIO(picture)) as image:
        assert (image.size, image.mode) == ((28, 28), "L")
    seen = post(client, "/v1/activations", picture)["seen"]["data"]
    with Image.open(io.BytesIO(picture)) as image:
        assert base64.b64decode(seen) == np.asarray(image).tobytes()


def test_samples_of_data_that_is_not_here(client, monkeypatch):
    monkeypatch.delenv("HOLMDEL_DATA", raising=False)
    none = client.get("/v1/samples", params={"model": "letters"})
    assert none.json() == {"data": None, "samples": []}
    for params, sentence in [
        ({"data": "mnist"}, "there is no data set 'mnist' on this machine; choose from digits"),
        ({"data": "../secret"}, "there is no data set '../secret' on this machine"),
        ({"data": "/etc"}, "there is no data set '/etc' on this machine"),
        ({"model": "none"}, "there is no model 'none'"),
    ]:
        answer = client.get("/v1/samples", params=params)
        assert answer.status_code == 404
        assert sentence in answer.json()["error"]
        assert client.get("/v1/sample", params=params | {"index": 0}).status_code == 404
    answer = client.get("/v1/sample", params={"model": "letters", "index": 0})
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("no data set of the classes a, b, c")
    answer = client.get("/v1/sample", params={"data": "digits", "index": 360})
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("image 360 of digits was asked for")
    assert client.get("/v1/samples", params={"count": 0}).status_code == 400


def test_samples_of_real_data(client, monkeypatch, data_root):
    monkeypatch.setenv("HOLMDEL_DATA", str(data_root))
    found = client.get("/v1/samples", params={"model": "papers", "count": 10}).json()
    assert found["data"] == "mnist"
    assert [each["label"] for each in found["samples"]] == list(DIGITS)


def test_the_document_knows_the_routes(client):
    document = client.get("/openapi.json").json()
    for path in ("activations", "unit", "saliency", "occlusion"):
        operation = document["paths"][f"/v1/{path}"]["post"]
        assert {"200", "400", "404", "413", "415", "422"} <= operation["responses"].keys()
        assert "image/*" in operation["requestBody"]["content"]
    for path in ("models", "kernels", "samples", "sample"):
        assert "400" in document["paths"][f"/v1/{path}"]["get"]["responses"]


def test_picture_is_the_old_name_of_a_samples_image():
    [sample] = samples.draw("digits", 1)
    with pytest.warns(DeprecationWarning, match=r"Sample\.image"):
        assert sample.picture is sample.image
