"""The Open Inference Protocol, spoken by a foreign client: tritonclient."""

import base64
import io
import socket
import threading
import time

import numpy as np
import pytest
import torch
import tritonclient.http as triton
import uvicorn
from PIL import Image
from tritonclient.utils import InferenceServerException

import holmdel as library
from holmdel.server import ServerSettings, create_app

MODEL = "lenet-mnist"


@pytest.fixture(scope="module")
def server():
    """Runs a server of the models that ship; returns its address."""
    app = create_app(ServerSettings(), log=None)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
    running = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        until = time.monotonic() + 20
        while not running.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        running.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def client(server):
    with triton.InferenceServerClient(server) as found:
        yield found


@pytest.fixture(scope="module")
def classifier():
    return library.load(MODEL)


def strokes(count: int) -> np.ndarray:
    """Returns pictures in the stored form, each a bar at another angle: uint8 (N, 1, 28, 28)."""
    rows, columns = np.mgrid[-14:14, -14:14]
    angles = np.linspace(0, np.pi, count, endpoint=False)[:, None, None]
    distance = np.abs(rows * np.cos(angles) + columns * np.sin(angles))
    inside = (rows**2 + columns**2 < 100) & (distance < 2)
    return (255 * inside)[:, None].astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def tensor(values: np.ndarray, datatype: str, *, binary: bool = True) -> triton.InferInput:
    given = triton.InferInput("input", list(values.shape), datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def files(*contents: bytes) -> np.ndarray:
    return np.array(contents, dtype=np.object_)


def asked(*names: str, binary: bool = True) -> list[triton.InferRequestedOutput]:
    return [triton.InferRequestedOutput(name, binary_data=binary) for name in names]


def test_the_server_is_live_and_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()


def test_models_are_ready_by_name_and_version(client):
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready(MODEL, "2")
    assert not client.is_model_ready("lenet-5000")


def test_the_server_names_itself_and_its_extensions(client):
    assert client.get_server_metadata() == {
        "name": "holmdel",
        "version": library.__version__,
        "extensions": [
            "binary_tensor_data",
            "classification",
            "model_configuration",
            "schedule_policy",
            "statistics",
        ],
    }


@pytest.mark.parametrize("version", ["", "1"])
def test_the_metadata_of_a_model(client, version):
    pixels = {"layout": "NCHW", "range": "0..255", "range_fp32": "0..1"}
    seen = {"layout": "NCHW", "mean": 0.1307, "std": 0.3081, "range": "-0.4242..2.8215"}
    shape = [-1, 1, 28, 28]
    assert client.get_model_metadata(MODEL, version) == {
        "name": "lenet-mnist",
        "versions": ["1"],
        "platform": "holmdel",
        "inputs": [
            {"name": "image", "datatype": "UINT8", "shape": shape, "parameters": pixels},
            {"name": "input", "datatype": "FP32", "shape": shape, "parameters": seen},
        ],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
            {"name": "logits", "datatype": "FP32", "shape": [-1, 10]},
            {"name": "index", "datatype": "INT64", "shape": [-1]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
        ],
    }


@pytest.mark.parametrize("version", ["", "1"])
def test_the_configuration_of_a_model(client, version):
    found = client.get_model_config(MODEL, version)
    assert (found["name"], found["max_batch_size"]) == (MODEL, 1024)
    assert [(one["name"], one["data_type"], one["dims"]) for one in found["input"]] == [
        ("image", "TYPE_UINT8", [1, 28, 28]),
        ("input", "TYPE_FP32", [1, 28, 28]),
    ]
    assert found["output"][3]["data_type"] == "TYPE_STRING"
    assert found["parameters"]["input.mean"] == {"string_value": "0.1307"}


def test_the_models_of_the_repository(client):
    listed = client.get_model_repository_index()
    assert {"name": MODEL, "version": "1", "state": "READY", "reason": ""} in listed


def test_statistics_count_requests_images_and_time(client):
    [before] = client.get_inference_statistics(MODEL)["model_stats"]
    client.infer(MODEL, [tensor(strokes(3), "UINT8")])
    with pytest.raises(InferenceServerException):
        client.infer(MODEL, [tensor(strokes(3)[0], "UINT8")])
    [after] = client.get_inference_statistics(MODEL, "1")["model_stats"]

    def more(kind: str) -> tuple[int, int]:
        first, last = before["inference_stats"][kind], after["inference_stats"][kind]
        return last["count"] - first["count"], last["ns"] - first["ns"]

    assert after["inference_count"] - before["inference_count"] == 3
    assert after["execution_count"] - before["execution_count"] == 1
    assert abs(after["last_inference"] / 1000 - time.time()) < 60
    counts = {kind: more(kind)[0] for kind in after["inference_stats"]}
    steps = ("queue", "compute_input", "compute_infer", "compute_output")
    assert counts == {"success": 1, "fail": 1, "cache_hit": 0} | dict.fromkeys(steps, 1)
    assert more("success")[1] >= sum(more(step)[1] for step in steps) > 0
    assert 3 in [batch["batch_size"] for batch in after["batch_stats"]]


def test_statistics_of_all_models(client):
    found = client.get_inference_statistics()["model_stats"]
    assert [one["name"] for one in found] == ["lenet-mnist", "lenet-fashion-mnist"]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("count", [1, 7])
def test_the_stored_form_gives_the_classifier_s_logits(client, classifier, count, binary):
    pictures = strokes(count)
    result = client.infer(
        MODEL,
        [tensor(pictures, "UINT8", binary=binary)],
        outputs=asked("logits", "probabilities", "index", "label", binary=binary),
    )
    expected = classifier.logits(torch.tensor(pictures))
    np.testing.assert_allclose(result.as_numpy("logits"), expected.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        result.as_numpy("probabilities"), expected.softmax(1).numpy(), rtol=1e-5, atol=1e-6
    )
    assert result.as_numpy("index").tolist() == expected.argmax(1).tolist()
    said = [str(label, "utf-8") if binary else label for label in result.as_numpy("label")]
    assert said == [classifier.classes[i] for i in expected.argmax(1)]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_what_the_network_sees_gives_the_same_logits(client, classifier, binary):
    pictures = torch.tensor(strokes(3))
    seen = library.images.to_input(pictures, classifier.contract).numpy()
    result = client.infer(MODEL, [tensor(seen, "FP32", binary=binary)], outputs=asked("logits"))
    expected = classifier.logits(pictures)
    np.testing.assert_allclose(result.as_numpy("logits"), expected.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3])
def test_encoded_pictures_are_framed_as_predict_does(client, classifier, count):
    contents = [png(np.kron(255 - p[0], np.ones((3, 3), np.uint8))) for p in strokes(count)]
    result = client.infer(MODEL, [tensor(files(*contents), "BYTES")])
    expected = classifier.predict(contents)
    assert result.as_numpy("label").tolist() == [p.label.encode() for p in expected]
    np.testing.assert_allclose(
        result.as_numpy("probabilities").max(1), [p.probability for p in expected], rtol=1e-5
    )


def test_encoded_pictures_in_json_are_base64(client, classifier):
    content = png(strokes(1)[0, 0])
    given = tensor(files(base64.b64encode(content)), "BYTES", binary=False)
    result = client.infer(MODEL, [given], outputs=asked("index", binary=False))
    assert result.as_numpy("index").tolist() == [classifier.predict([content])[0].index]


def test_outputs_come_as_they_are_asked_for(client):
    wanted = [*asked("index", binary=False), *asked("logits")]
    response = client.infer(MODEL, [tensor(strokes(2), "UINT8")], outputs=wanted).get_response()
    assert [output["name"] for output in response["outputs"]] == ["index", "logits"]
    assert "data" in response["outputs"][0]
    assert response["outputs"][1]["parameters"] == {"binary_data_size": 2 * 10 * 4}


def test_all_outputs_come_where_none_is_asked_for(client):
    response = client.infer(MODEL, [tensor(strokes(1), "UINT8")]).get_response()
    names = [output["name"] for output in response["outputs"]]
    assert names == ["probabilities", "logits", "index", "label"]


def test_the_id_comes_back(client):
    response = client.infer(MODEL, [tensor(strokes(1), "UINT8")], request_id="日 42").get_response()
    assert (response["id"], response["model_name"]) == ("日 42", MODEL)
    assert response["model_version"] == "1"


def test_without_an_id_none_comes_back(client):
    assert "id" not in client.infer(MODEL, [tensor(strokes(1), "UINT8")]).get_response()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_a_request_may_be_compressed(client, algorithm):
    given = [tensor(strokes(5), "UINT8")]
    plain = client.infer(MODEL, given)
    packed = client.infer(
        MODEL,
        given,
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    assert packed.as_numpy("logits").tolist() == plain.as_numpy("logits").tolist()


def test_requests_at_the_same_time_get_their_own_answers(server, classifier):
    pictures = strokes(24)
    with triton.InferenceServerClient(server, concurrency=8) as client:
        waiting = [client.async_infer(MODEL, [tensor(p[None], "UINT8")]) for p in pictures]
        logits = np.concatenate([one.get_result().as_numpy("logits") for one in waiting])
    expected = classifier.logits(torch.tensor(pictures)).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)


def test_a_thousand_rows_go_in_one_request(client, classifier):
    pictures = strokes(1024)
    index = client.infer(MODEL, [tensor(pictures, "UINT8")]).as_numpy("index")
    assert index.tolist() == classifier.logits(torch.tensor(pictures)).argmax(1).tolist()


def test_parameters_that_are_not_known_are_no_mistake(client):
    given = [tensor(strokes(1), "UINT8")]
    client.infer(MODEL, given, priority=1, sequence_id=7, parameters={"lamp": "on"})


@pytest.mark.parametrize(
    ("model", "version", "given", "status", "sentence"),
    [
        ("lenet-5000", "", tensor(strokes(1), "UINT8"), "404", "there is no model 'lenet-5000'"),
        (MODEL, "3", tensor(strokes(1), "UINT8"), "404", "has no version '3'"),
        (MODEL, "", tensor(strokes(1)[0], "UINT8"), "400", r"shape is \[1, 28, 28\]; expected \[N"),
        (MODEL, "", tensor(strokes(1025), "UINT8"), "400", "1025 rows; expected 1 to 1024"),
        (MODEL, "", tensor(np.zeros((1, 1, 28, 28)), "FP64"), "400", "datatype is 'FP64'"),
        (MODEL, "", tensor(files(b"no picture"), "BYTES"), "415", "image 0 is not an image"),
        (MODEL, "", tensor(files(b""), "BYTES"), "422", "image 0 is empty"),
        (
            MODEL,
            "",
            tensor(files(*[b"x"] * 65), "BYTES"),
            "413",
            "65 images, and at most 64 are allowed",
        ),
    ],
)
def test_a_mistake_gets_a_status_and_a_sentence(client, model, version, given, status, sentence):
    with pytest.raises(InferenceServerException, match=sentence) as refused:
        client.infer(model, [given], version)
    assert refused.value.status() == status


def test_a_picture_that_is_cut_short_is_refused(client):
    whole = png(np.random.default_rng(0).integers(0, 255, (200, 200)).astype(np.uint8))
    with pytest.raises(InferenceServerException, match="damaged") as refused:
        client.infer(MODEL, [tensor(files(whole[:300]), "BYTES")])
    assert refused.value.status() == "422"


def test_an_unknown_output_is_refused(client):
    with pytest.raises(InferenceServerException, match="no output 'pixels'; it has 'probab"):
        client.infer(MODEL, [tensor(strokes(1), "UINT8")], outputs=asked("pixels"))


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_the_largest_classes_come_with_their_labels(client, classifier, binary):
    wanted = triton.InferRequestedOutput("logits", binary_data=binary, class_count=3)
    result = client.infer(MODEL, [tensor(strokes(2), "UINT8")], outputs=[wanted])
    texts = result.as_numpy("logits")
    assert texts.shape == (2, 3)
    first = [str(text, "utf-8") if binary else text for text in texts[0]]
    logits = classifier.logits(torch.tensor(strokes(2)))[0]
    for text, place in zip(first, logits.argsort(descending=True), strict=False):
        value, index, label = text.split(":")
        assert (int(index), label) == (place, classifier.classes[place])
        assert float(value) == pytest.approx(logits[place].item(), rel=1e-4)


def test_an_output_of_one_value_has_no_largest_classes(client):
    wanted = [triton.InferRequestedOutput("label", class_count=3)]
    with pytest.raises(InferenceServerException, match="ask for those of 'probabilities' or"):
        client.infer(MODEL, [tensor(strokes(1), "UINT8")], outputs=wanted)


@pytest.mark.parametrize("pack", [bytes, base64.b64encode], ids=["file", "base64"])
def test_encoded_pictures_may_be_a_column_and_base64(client, classifier, pack):
    """As MLServer's tools send them."""
    contents = [png(np.kron(255 - p[0], np.ones((3, 3), np.uint8))) for p in strokes(2)]
    given = tensor(files(*map(pack, contents)).reshape(2, 1), "BYTES")
    said = client.infer(MODEL, [given]).as_numpy("label").tolist()
    assert said == [p.label.encode() for p in classifier.predict(contents)]


def test_random_bytes_get_an_answer_that_names_no_class(client):
    """Load generators send them as FP32, and among them are NaN and infinity."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 1, 28, 28, 4)).astype(np.uint8)
    values = noise.view("<f4")[..., 0]
    values[1] = -0.4242
    result = client.infer(MODEL, [tensor(values, "FP32")])
    assert np.isnan(result.as_numpy("probabilities")).all(1).tolist() == [True, False]
    assert result.as_numpy("index")[0] == -1
    assert result.as_numpy("label")[0] == b""
    assert result.as_numpy("label")[1] != b""
    with pytest.raises(InferenceServerException, match="not finite, which JSON cannot say"):
        client.infer(MODEL, [tensor(values, "FP32")], outputs=asked("logits", binary=False))


def test_a_timeout_of_the_client_is_kept(client):
    given = [tensor(strokes(1024), "UINT8")]
    with pytest.raises(InferenceServerException, match="timeout of 1 microseconds is over"):
        client.infer(MODEL, given, timeout=1)
    client.infer(MODEL, given, timeout=60_000_000, priority=3)
