"""The Open Inference Protocol over gRPC, spoken by a foreign client: tritonclient."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import holmdel as library

grpc = pytest.importorskip("grpc")
triton = pytest.importorskip("tritonclient.grpc")

MODEL = "lenet-mnist"
TOKEN = {"authorization": "Bearer secret"}
BARS = np.zeros((2, 1, 28, 28), np.uint8)
BARS[0, :, 4:24, 12:15] = BARS[1, :, 12:15, 4:24] = 255


@pytest.fixture(scope="module")
def client():
    """Runs `holmdel serve` with gRPC and a token."""
    words = ["--port", "0", "--token", "secret", "--max-body", "1000000"]
    command = [sys.executable, "-m", "holmdel", "serve", MODEL, *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    ready = json.loads(process.stderr.readline())
    with triton.InferenceServerClient(f"127.0.0.1:{ready['grpc_port']}") as found:
        yield found
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0


def tensor(values, datatype, name="image"):
    given = triton.InferInput(name, list(values.shape), datatype)
    given.set_data_from_numpy(values)
    return given


def test_the_server_and_its_models_are_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL, "1", headers=TOKEN)
    said = client.get_server_metadata(headers=TOKEN, as_json=True)
    assert (said["name"], said["version"]) == ("holmdel", library.__version__)
    assert "classification" in said["extensions"]
    model = client.get_model_metadata(MODEL, headers=TOKEN, as_json=True)
    assert [(one["name"], one["datatype"]) for one in model["inputs"]] == [
        ("image", "UINT8"),
        ("input", "FP32"),
    ]


def test_an_image_gives_the_classifier_s_outputs(client):
    expected = library.load(MODEL).logits(torch.tensor(BARS))
    result = client.infer(MODEL, [tensor(BARS, "UINT8")], request_id="7", headers=TOKEN)
    np.testing.assert_allclose(result.as_numpy("logits"), expected, rtol=1e-4, atol=1e-4)
    assert result.as_numpy("index").tolist() == expected.argmax(1).tolist()
    assert result.as_numpy("label")[0] == str(int(expected[0].argmax())).encode()
    assert result.get_response().id == "7"


def test_classes_and_warnings_come_over_grpc_too(client):
    wanted = [triton.InferRequestedOutput("logits", class_count=2)]
    seen = tensor((BARS / 255).astype(np.float32), "FP32", "input")
    result = client.infer(MODEL, [seen], outputs=wanted, headers=TOKEN)
    assert result.as_numpy("logits").shape == (2, 2)
    assert "2 of 2 images lie in 0..1" in result.get_response().parameters["warning"].string_param


def test_contents_may_be_typed(client):
    from tritonclient.grpc import service_pb2, service_pb2_grpc

    request = service_pb2.ModelInferRequest(model_name=MODEL)
    one = request.inputs.add(name="image", datatype="UINT8", shape=BARS.shape)
    one.contents.uint_contents.extend(BARS.ravel().tolist())
    stub = service_pb2_grpc.GRPCInferenceServiceStub(client._channel)
    answer = stub.ModelInfer(request, metadata=tuple(TOKEN.items()))
    expected = client.infer(MODEL, [tensor(BARS, "UINT8")], headers=TOKEN).as_numpy("logits")
    raw = np.frombuffer(answer.raw_output_contents[1], "<f4").reshape(2, 10)
    np.testing.assert_array_equal(raw, expected)


@pytest.mark.parametrize(
    ("model", "given", "code", "sentence"),
    [
        ("none", tensor(BARS, "UINT8"), "NOT_FOUND", "there is no model 'none'"),
        (MODEL, tensor(BARS[0], "UINT8"), "INVALID_ARGUMENT", "shape is [1, 28, 28]; expected"),
        (MODEL, tensor(BARS, "UINT8", "x"), "INVALID_ARGUMENT", "the model has no input 'x'"),
        (MODEL, tensor(BARS * 1.0, "FP64"), "INVALID_ARGUMENT", "datatype is 'FP64'"),
        (MODEL, tensor(np.zeros((2000, 1, 28, 28), np.uint8), "UINT8"), "RESOURCE_EXHAUSTED", ""),
        (MODEL, tensor(np.array([b"no"], object), "BYTES"), "INVALID_ARGUMENT", "not an image"),
    ],
)
def test_a_mistake_gets_a_code_and_a_sentence(client, model, given, code, sentence):
    with pytest.raises(triton.InferenceServerException) as refused:
        client.infer(model, [given], headers=TOKEN)
    assert refused.value.status() == f"StatusCode.{code}"
    assert sentence in refused.value.message()


def test_who_has_no_token_is_refused(client):
    with pytest.raises(triton.InferenceServerException, match="no token or a wrong one"):
        client.infer(MODEL, [tensor(BARS, "UINT8")])
