"""Requests that the Open Inference Protocol does not allow, and the errors they get."""

import gzip
import json
import re
import zlib

import numpy as np
import pytest
from fastapi.testclient import TestClient

from holmdel.checkpoint import Header, save_model
from holmdel.images import ImageContract
from holmdel.networks import build
from holmdel.server import ServerSettings, create_app

INFER = "/v2/models/lenet-mnist/infer"
LENGTH = "Inference-Header-Content-Length"
MOST = 5_000_000
STEEP = {"activation": "relu"}
SEEN = ImageContract()


@pytest.fixture(scope="module")
def post(tmp_path_factory):
    """Returns a function that posts a body to a server of two models that takes small ones."""
    folder = tmp_path_factory.mktemp("runs") / "steep"
    header = Header(network="lenet", options=STEEP, classes=tuple("abcdefghij"), image=SEEN)
    save_model(folder / "model.safetensors", build("lenet", **STEEP), header)
    models = ("lenet-mnist", str(folder))
    app = create_app(ServerSettings(models=models, body_bytes=MOST), log=None)
    with TestClient(app, base_url="http://localhost") as client:

        def call(body: bytes | str, path: str = INFER, **headers: str):
            named = {k.replace("_", "-"): v.encode("latin-1") for k, v in headers.items()}
            return client.post(path, content=body, headers=named)

        yield call


@pytest.fixture
def refused(post):
    """Returns a function that posts a body and gives back the status and the sentence."""

    def call(body: bytes | str, **headers: str) -> tuple[int, str]:
        answer = post(body, **headers)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json().keys() == {"error"}
        return answer.status_code, answer.json()["error"]

    return call


def request(**changes: object) -> dict[str, object]:
    """Returns a request of one black picture, with other fields in its input."""
    one = {"name": "input", "datatype": "UINT8", "shape": [1, 1, 28, 28], "data": [0] * 784}
    return {"inputs": [one | changes]}


def binary(size: int, data: bytes, **changes: object) -> tuple[bytes, str]:
    """Returns the body of a request with binary data, and the length of its JSON."""
    asked = request(parameters={"binary_data_size": size}, **changes)
    del asked["inputs"][0]["data"]
    header = json.dumps(asked).encode()
    return header + data, str(len(header))


def test_flat_and_nested_data_say_the_same(post):
    picture = np.arange(784) % 256
    flat = post(json.dumps(request(data=picture.tolist())))
    nested = post(json.dumps(request(data=picture.reshape(1, 1, 28, 28).tolist())))
    assert flat.status_code == nested.status_code == 200
    assert flat.json() == nested.json()


def test_a_binary_answer_says_how_long_its_json_is(post):
    asked = request() | {"parameters": {"binary_data_output": True}, "outputs": [{"name": "index"}]}
    answer = post(json.dumps(asked))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    assert json.loads(answer.content[:length])["outputs"] == [
        {"name": "index", "datatype": "INT64", "shape": [1], "parameters": {"binary_data_size": 8}}
    ]
    assert len(answer.content) == length + 8


def test_an_output_may_be_json_among_binary_ones(post):
    outputs = [{"name": "label", "parameters": {"binary_data": False}}, {"name": "logits"}]
    asked = request() | {"parameters": {"binary_data_output": True}, "outputs": outputs}
    answer = post(json.dumps(asked))
    label, logits = json.loads(answer.content[: int(answer.headers[LENGTH])])["outputs"]
    assert label["data"]
    assert logits["parameters"] == {"binary_data_size": 40}


def test_null_stands_for_what_is_not_given(post):
    asked = request() | {"id": None, "parameters": None, "outputs": None}
    answer = post(json.dumps(asked))
    assert answer.status_code == 200
    assert "id" not in answer.json()


MISTAKES = {
    "nothing": ("", "is not JSON"),
    "a number of thousands of digits": ("1" * 5000, "is not JSON"),
    "NaN": ('{"inputs": [NaN]}', "is not JSON"),
    "no UTF-8": (b"\xff\xfe{", "is not JSON"),
    "deep": ("[" * 100_000, "nested too deep"),
    "an array": ([], "a JSON array; expected an object"),
    "no inputs": ({}, "has no 'inputs'"),
    "inputs of another kind": ({"inputs": {}}, "'inputs' is not an array of objects"),
    "input of another kind": ({"inputs": [7]}, "'inputs' is not an array of objects"),
    "outputs of another kind": (request() | {"outputs": [7]}, "'outputs' is not an array"),
    "id of another kind": (request() | {"id": 7}, "'id' is not a string"),
    "parameters of another kind": (request() | {"parameters": []}, "'parameters' of the request"),
    "two inputs": ({"inputs": request()["inputs"] * 2}, "input 'input' was given twice"),
    "another input": (request(name="picture"), "no input 'picture'; it has 'image', 'input'"),
    "no name": (request(name=None), "no input None"),
    "a half character": (request(name="\ud800"), "is not JSON"),
    "another type": (request(datatype="INT64"), "datatype is 'INT64'; expected 'FP32', 'UINT8'"),
    "no type": (request(datatype=[]), r"datatype is \[\]"),
    "another shape": (request(shape=[1, 784]), r"shape is \[1, 784\]; expected \[N, 1, 28, 28\]"),
    "no shape": (request(shape=None), "shape is None"),
    "an empty shape": (request(datatype="BYTES", shape=[]), r"expected \[N\] or \[N, 1\]"),
    "a priority that is none": (request() | {"parameters": {"priority": -1}}, "'priority' is -1"),
    "a timeout that is none": (request() | {"parameters": {"timeout": "1"}}, "'timeout' is '1'"),
    "no number of classes": (
        request() | {"outputs": [{"name": "logits", "parameters": {"classification": "3"}}]},
        "'classification' is '3'; expected how many",
    ),
    "pixels that are none": (request(name="image", datatype="FP32", data=[-0.4] * 784),
                             r"lies in -0.4..-0.4; expected pixels in 0..1, or"),
    "a broken shape": (request(shape=[1.0, 1, 28, 28]), "shape is"),
    "no rows": (request(shape=[0, 1, 28, 28], data=[]), "has 0 rows; expected 1 to 1024"),
    "rows below nothing": (request(shape=[-1, 1, 28, 28]), "has -1 rows"),
    "rows without end": (request(shape=[10**30, 1, 28, 28]), "rows; expected 1 to 1024"),
    "no data": (request(data=None), "'data' is not a JSON array"),
    "too few": (request(data=[0] * 783), "783 values were given .* expected 784"),
    "too many": (request(data=[0] * 785), "785 values were given"),
    "nested otherwise": (request(data=[[0] * 784]), "not nested as its shape"),
    "rows of another length": (request(data=[[[[0] * 784]]]), "not nested as its shape"),
    "nested in part": (request(data=[0] * 783 + [[0]]), "holds arrays"),
    "texts": (request(data=["0"] * 784), "holds strings; expected whole numbers"),
    "booleans and null": (request(data=[True, None] * 392), "holds booleans and null"),
    "fractions of bytes": (request(data=[0.5] * 784), "holds fractions"),
    "above 255": (request(data=[256] * 784), r"out of range; expected whole numbers in 0..255"),
    "below 0": (request(data=[-1] * 784), "out of range"),
    "beyond 64 bits": (request(data=[10**30] * 784), "out of range"),
    "beyond float32": (request(datatype="FP32", data=[1e39] * 784), "beyond float32"),
    "beyond float64": (request(datatype="FP32", data=[10**400] + [0] * 783), "expected finite"),
    "infinite": (json.dumps(request(datatype="FP32", data=[7] * 784)).replace("7,", "1e999,", 1),
                 "infinity or a number"),
    "not base64": (request(datatype="BYTES", shape=[1], data=["?"]), "not base64"),
    "numbers as pictures": (request(datatype="BYTES", shape=[1], data=[7]), "holds numbers"),
    "shared memory": (request(parameters={"shared_memory_region": "a"}), "shared memory"),
    "parameters of the input": (request(parameters=7), "'parameters' of the input"),
    "another output": (request() | {"outputs": [{"name": "pixels"}]}, "no output 'pixels'"),
    "an output twice": (request() | {"outputs": [{"name": "index"}] * 2}, "output 'index' was"),
    "no flag": (request() | {"parameters": {"binary_data_output": "yes"}}, "expected true or"),
    "no binary data": (request(parameters={"binary_data_size": 4}), "0 bytes follow"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(refused, name):
    body, sentence = MISTAKES[name]
    status, said = refused(body if isinstance(body, bytes | str) else json.dumps(body))
    assert (status, bool(re.search(sentence, said))) == (400, True), said


BINARY_MISTAKES = {
    "too short": (binary(783, bytes(783)), "783 bytes .* expected 784"),
    "too long": (binary(785, bytes(785)), "785 bytes"),
    "less than it says": (binary(784, bytes(783)), "is 784, and 783 bytes follow"),
    "more than it says": (binary(784, bytes(785)), "is 784, and 785 bytes follow"),
    "a size that is none": (binary("784", bytes(784)), "is '784'"),
    "NaN for JSON": (
        binary(3136, np.full(784, np.nan, "<f4").tobytes(), datatype="FP32"), "which JSON cannot"
    ),
    "NaN as pixels": (
        binary(3136, np.full(784, np.nan, "<f4").tobytes(), datatype="FP32", name="image"),
        "lies in nan..nan; expected",
    ),
    "a length beyond the data": (
        binary(8, b"\xff\xff\xff\xffabcd", datatype="BYTES", shape=[1]), "do not make 1 BYTES"
    ),
    "half a length": (binary(2, b"\1\0", datatype="BYTES", shape=[1]), "do not make 1 BYTES"),
    "fewer elements": (binary(5, b"\1\0\0\0a", datatype="BYTES", shape=[2]), "do not make 2"),
    "more elements": (binary(10, b"\1\0\0\0a" * 2, datatype="BYTES", shape=[1]), "do not make 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BINARY_MISTAKES)
def test_a_mistake_in_binary_data_is_told(refused, name):
    (body, length), sentence = BINARY_MISTAKES[name]
    status, said = refused(body, Inference_Header_Content_Length=length)
    assert (status, bool(re.search(sentence, said))) == (400, True), said


def test_an_answer_that_is_not_finite_is_none(post):
    """Numbers beyond float32 inside the network give NaN, which JSON cannot say."""
    asked = request(datatype="FP32", data=[3e38] * 784)
    answer = post(json.dumps(asked), INFER.replace("lenet-mnist", "steep"))
    assert answer.status_code == 400
    assert "outputs for this input are not finite" in answer.json()["error"]


def test_binary_data_and_json_data_exclude_each_other(refused):
    header = json.dumps(request(parameters={"binary_data_size": 784})).encode()
    status, said = refused(header + bytes(784), Inference_Header_Content_Length=str(len(header)))
    assert status == 400
    assert "both 'data' and binary data" in said


def test_bytes_after_the_json_need_a_size(refused):
    header = json.dumps(request()).encode()
    status, said = refused(header + b"more", Inference_Header_Content_Length=str(len(header)))
    assert status == 400
    assert "4 bytes follow the JSON" in said


@pytest.mark.parametrize("length", ["-1", "1e3", "999999", "\xb2", "", "9" * 5000])
def test_a_length_that_cannot_be_is_told(refused, length):
    status, said = refused(json.dumps(request()), Inference_Header_Content_Length=length)
    assert status == 400
    assert "expected a whole number of bytes" in said


def test_a_compressed_body_with_more_behind_it_is_told(refused):
    status, said = refused(gzip.compress(b"{}") + b"x", Content_Encoding="gzip")
    assert status == 400
    assert "cut short or has bytes after its end" in said


def test_another_encoding_is_told(refused):
    assert refused(b"{}", Content_Encoding="br") == (
        415,
        "the Content-Encoding is 'br'; expected gzip or deflate",
    )


@pytest.mark.parametrize("damage", [slice(9), slice(-3), slice(10, None)], ids=str)
def test_a_broken_compressed_body_is_told(refused, damage):
    status, said = refused(gzip.compress(b"{}")[damage], Content_Encoding="gzip")
    assert status == 400
    assert "gzip" in said


@pytest.mark.parametrize(
    ("pack", "encoding"), [(gzip.compress, "gzip"), (zlib.compress, "deflate")]
)
def test_a_body_that_unpacks_to_too_much_is_told(refused, pack, encoding):
    body = pack(bytes(2 * MOST))
    assert len(body) < MOST
    assert refused(body, Content_Encoding=encoding) == (
        413,
        "the body unpacks to more than 5,000,000 bytes; send less at once",
    )


def test_a_body_that_is_too_large_is_told(refused):
    status, said = refused(b" " * (MOST + 1))
    assert status == 413
    assert "5,000,000 bytes" in said


def test_more_json_than_is_read_at_once_is_told(refused):
    status, said = refused(json.dumps(request(datatype="BYTES", shape=[1], data=["A" * 4_000_000])))
    assert status == 413
    assert "where 4,000,000 are the most; send fewer rows, or tensors as binary data" in said


def test_who_finds_no_place_in_the_queue_is_asked_to_come_again():
    app = create_app(ServerSettings(models=("lenet-mnist",)), log=None)
    with TestClient(app, base_url="http://localhost") as client:
        app.state.services.batcher.close()
        answer = client.post(INFER, json=request())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_server_that_stops_is_live_and_not_ready():
    app = create_app(ServerSettings(models=("lenet-mnist",)), log=None)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
        app.state.services.draining.set()
        assert client.get("/v2/health/live").status_code == 200
        answer = client.get("/v2/health/ready")
    assert answer.status_code == 503
    assert answer.json().keys() == {"error"}
