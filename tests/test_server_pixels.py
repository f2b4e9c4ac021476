"""Pixels that cannot be misread: the inputs of the inference protocol, and KServe's first one."""

import base64
import io
import json

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from holmdel.server import ServerSettings, create_app

MEAN, STD = 0.1307, 0.3081
MODEL = "lenet-mnist"


def digit() -> np.ndarray:
    """Returns a seven in the stored form, uint8 (28, 28)."""
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).line([(8, 6), (19, 6), (12, 22)], fill=255, width=3)
    return np.asarray(image)


@pytest.fixture(scope="module")
def client():
    app = create_app(ServerSettings(models=(MODEL,)), log=None)
    with TestClient(app, base_url="http://localhost") as found:
        yield found


def infer(client, *inputs):
    """Returns the answer to pixels, given as (name, datatype, array)."""
    tensors = [
        {
            "name": name,
            "datatype": datatype,
            "shape": [1, 1, 28, 28],
            "data": pixels.ravel().tolist(),
        }
        for name, datatype, pixels in inputs
    ]
    outputs = [{"name": "probabilities"}, {"name": "label"}]
    return client.post(f"/v2/models/{MODEL}/infer", json={"inputs": tensors, "outputs": outputs})


def test_pixels_of_0_to_1_bytes_and_normalised_ones_say_the_same(client):
    pixels = digit()
    said = [
        infer(client, given).json()
        for given in (
            ("image", "UINT8", pixels),
            ("image", "FP32", pixels / 255),
            ("input", "FP32", (pixels / 255 - MEAN) / STD),
            ("input", "UINT8", pixels),
        )
    ]
    assert not any("parameters" in one for one in said)
    expected = said[0]["outputs"][0]["data"]
    assert max(expected) > 0.9
    for one in said:
        assert one["outputs"][0]["data"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (digit() / 255, "1 of 1 images lie in 0..1, as no normalised image does; 'input' takes "
         "(pixel / 255 - 0.1307) / 0.3081, and 'image' takes pixels / 255"),
        (digit() * 1.0, "1 of 1 images have values that are not in -0.4242..2.821, where"),
    ],
    ids=["0 to 1", "0 to 255"],
)  # fmt: skip
def test_pixels_where_normalised_ones_belong_are_answered_with_a_warning(client, pixels, sentence):
    answer = infer(client, ("input", "FP32", pixels))
    assert answer.status_code == 200
    assert answer.json()["parameters"]["warning"].startswith(sentence)


def test_a_strict_server_refuses_them_and_logs_warn():
    log = io.StringIO()
    app = create_app(ServerSettings(models=(MODEL,), strict=True), log=None)
    with TestClient(app, base_url="http://localhost") as strict:
        answer = infer(strict, ("input", "FP32", digit() / 255))
        assert answer.status_code == 400
        assert "'image' takes pixels / 255" in answer.json()["error"]
        assert infer(strict, ("input", "FP32", (digit() / 255 - MEAN) / STD)).status_code == 200
    app = create_app(ServerSettings(models=(MODEL,)), log=log)
    with TestClient(app, base_url="http://localhost") as lenient:
        infer(lenient, ("input", "FP32", digit() / 255))
    [said] = map(json.loads, log.getvalue().splitlines())
    assert said["warning"].startswith("1 of 1 images lie in 0..1")


def test_who_gives_both_inputs_is_told_which_was_used(client):
    answer = infer(client, ("input", "UINT8", 0 * digit()), ("image", "UINT8", digit())).json()
    assert answer["parameters"] == {
        "warning": "both inputs were given; 'image' was used, and 'input' was not"
    }
    assert answer["outputs"] == infer(client, ("image", "UINT8", digit())).json()["outputs"]


def predict(client, *instances):
    return client.post(f"/v1/models/{MODEL}:predict", json={"instances": instances})


def test_arrays_of_any_usual_form_get_the_same_predictions(client):
    pixels = digit()
    forms = [pixels, pixels[None], pixels[..., None], pixels.ravel()]
    for scaled in ([form.tolist() for form in forms], [(form / 255).tolist() for form in forms]):
        answer = predict(client, *scaled).json()
        assert answer["labels"] == [answer["labels"][0]] * 4
        expected = infer(client, ("image", "UINT8", pixels)).json()["outputs"][0]["data"]
        for row in answer["predictions"]:
            assert row == pytest.approx(expected, abs=1e-4)


def test_images_in_base64_are_framed(client):
    file = io.BytesIO()
    Image.fromarray(255 - digit()).resize((90, 90)).save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode()
    found = client.post("/v1/classify", content=file.getvalue()).json()
    answer = predict(client, {"b64": text}, {"image": {"b64": text}}, text).json()
    assert answer["labels"] == [found["label"]] * 3
    assert max(answer["predictions"][0]) == pytest.approx(found["probability"], abs=1e-5)


@pytest.mark.parametrize(
    ("instances", "status", "sentence"),
    [
        (None, 400, "no 'instances' that are an array; expected 1 to 1024 images"),
        ([], 400, "no 'instances' that are an array"),
        ([[[1, 2], [3]]], 400, "has the shape [0]"),
        ([[[1, 2], [3, 4]]], 400, "has the shape [2, 2]; expected [1, 28, 28]"),
        ([["a"] * 784], 400, "something else than numbers"),
        ([[-0.42] * 784], 400, "lie in -0.42..-0.42; expected 0..1 or 0..255, not normalised"),
        ([[0] * 784, "AAAA"], 400, "neither an array of pixels nor base64"),
        ([7], 400, "neither an array of pixels nor base64"),
        (["?"], 400, "is not base64"),
        (["AAAA"], 415, "image 0 is not an image"),
    ],
)
def test_instances_that_are_none_are_told(client, instances, status, sentence):
    answer = client.post(f"/v1/models/{MODEL}:predict", json={"instances": instances})
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


def test_models_of_the_first_protocol_are_ready_by_name(client):
    assert client.get(f"/v1/models/{MODEL}").json() == {"name": MODEL, "ready": True}
    assert client.get("/v1/models/none").status_code == 404
    assert client.post("/v1/models/none:predict", json={"instances": []}).status_code == 404
