"""The Open Inference Protocol over gRPC, spoken by a foreign client: tritonclient."""

import json
import queue
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import holmdel as library
from holmdel.checkpoint import Header, save_model
from holmdel.images import ImageContract
from holmdel.networks import build

grpc = pytest.importorskip("grpc")
triton = pytest.importorskip("tritonclient.grpc")
json_format = pytest.importorskip("google.protobuf.json_format")
service_pb2 = pytest.importorskip("tritonclient.grpc.service_pb2")

MODEL = "lenet-mnist"
TOKEN = {"authorization": "Bearer secret"}
BARS = np.zeros((2, 1, 28, 28), np.uint8)
BARS[0, :, 4:24, 12:15] = BARS[1, :, 12:15, 4:24] = 255


class Server(NamedTuple):
    """`holmdel serve` with gRPC, a token, and a folder of models that may be loaded."""

    process: subprocess.Popen
    address: str
    root: Path

    def said(self, event):
        """Waits for a line of the log, and returns it."""
        for line in self.process.stderr:
            if line.startswith("{") and json.loads(line).get("event") == event:
                return json.loads(line)
        raise AssertionError(f"the server ended before {event}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    words = ["--port", "0", "--token", "secret", "--max-body", "1000000"]
    words += ["--model-control", str(root)]
    command = [sys.executable, "-m", "holmdel", "serve", MODEL, *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    ready = json.loads(process.stderr.readline())
    yield Server(process, f"127.0.0.1:{ready['grpc_port']}", root)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def client(server):
    """Gives a client of the server."""
    with triton.InferenceServerClient(server.address) as found:
        yield found


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
    from tritonclient.grpc import service_pb2_grpc

    request = service_pb2.ModelInferRequest(model_name=MODEL)
    one = request.inputs.add(name="image", datatype="UINT8", shape=BARS.shape)
    one.contents.uint_contents.extend(BARS.ravel().tolist())
    stub = service_pb2_grpc.GRPCInferenceServiceStub(client._channel)
    answer = stub.ModelInfer(request, metadata=tuple(TOKEN.items()))
    expected = client.infer(MODEL, [tensor(BARS, "UINT8")], headers=TOKEN).as_numpy("logits")
    raw = np.frombuffer(answer.raw_output_contents[1], "<f4").reshape(2, 10)
    np.testing.assert_array_equal(raw, expected)


def test_a_stream_goes_on_after_a_mistake(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put(error or result), headers=TOKEN)
    for model in (MODEL, "none", MODEL):
        client.async_stream_infer(model, [tensor(BARS, "UINT8")])
    client.stop_stream()
    first, mistake, last = [answers.get(timeout=60) for _ in range(3)]
    assert "there is no model 'none'" in mistake.message()
    assert first.as_numpy("index").tolist() == last.as_numpy("index").tolist()


def test_configuration_and_statistics_are_those_of_http(client):
    found = client.get_model_config(MODEL, headers=TOKEN, as_json=True)["config"]
    assert [one["name"] for one in found["input"]] == ["image", "input"]
    before = counted(client)
    client.infer(MODEL, [tensor(BARS, "UINT8")], headers=TOKEN)
    assert counted(client) == before + 2


def counted(client):
    """Returns how many images went through the model."""
    [found] = client.get_inference_statistics(MODEL, headers=TOKEN, as_json=True)["model_stats"]
    return int(found["inference_count"])


def test_models_are_loaded_by_name_and_anew_by_a_signal(server, client):
    write(server.root / "mine", 1)
    listed = client.get_model_repository_index(headers=TOKEN, as_json=True)["models"]
    assert [(one["name"], one["state"]) for one in listed] == [
        (MODEL, "READY"),
        ("mine", "UNAVAILABLE"),
    ]
    client.load_model("mine", headers=TOKEN)
    first = client.infer("mine", [tensor(BARS, "UINT8")], headers=TOKEN).as_numpy("logits")
    write(server.root / "mine", 2)
    server.process.send_signal(signal.SIGHUP)
    assert server.said("reloaded")["models"] == [f"{MODEL}/1", "mine/1"]
    second = client.infer("mine", [tensor(BARS, "UINT8")], headers=TOKEN).as_numpy("logits")
    assert (first != second).any()
    client.unload_model("mine", headers=TOKEN)
    assert not client.is_model_ready("mine", headers=TOKEN)
    with pytest.raises(triton.InferenceServerException, match="there is no model 'mine'"):
        client.get_model_config("mine", headers=TOKEN)
    with pytest.raises(triton.InferenceServerException, match="--model-control; it has mine"):
        client.load_model("../mine", headers=TOKEN)


def write(folder, seed):
    """Writes a LeNet whose weights nobody trained into a run folder."""
    torch.manual_seed(seed)
    folder.mkdir(exist_ok=True)
    header = Header(network="lenet", options={}, classes=tuple("0123456789"), image=ImageContract())
    save_model(folder / "model.safetensors", build("lenet"), header)


def test_health_needs_no_token_and_reflection_names_every_service(server):
    health = pytest.importorskip("grpc_health.v1.health_pb2")
    stubs = pytest.importorskip("grpc_health.v1.health_pb2_grpc")
    reflection = pytest.importorskip("grpc_reflection.v1alpha.reflection_pb2")
    reflected = pytest.importorskip("grpc_reflection.v1alpha.reflection_pb2_grpc")
    with grpc.insecure_channel(server.address) as channel:
        for service in ("", "inference.GRPCInferenceService"):
            asked = health.HealthCheckRequest(service=service)
            assert stubs.HealthStub(channel).Check(asked).status == 1
        requests = [reflection.ServerReflectionRequest(list_services="")]
        call = reflected.ServerReflectionStub(channel).ServerReflectionInfo
        [answer] = call(iter(requests), metadata=tuple(TOKEN.items()))
        assert [one.name for one in answer.list_services_response.service] == [
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
            "inference.GRPCInferenceService",
        ]
        with pytest.raises(grpc.RpcError, match="no token or a wrong one"):
            list(call(iter(requests)))


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


def inference(raw=(bytes(784),), tensor=None, **changes):
    """Returns a request of one black image, with other fields in it and in its tensor."""
    one = {"name": "image", "datatype": "UINT8", "shape": [1, 1, 28, 28]} | (tensor or {})
    request = service_pb2.ModelInferRequest(raw_input_contents=raw)
    return json_format.ParseDict({"model_name": MODEL, "inputs": [one]} | changes, request)


def asked(server, data, method="ModelInfer"):
    """Returns the status that bytes as a request get, and the sentence."""
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_unary(f"/inference.GRPCInferenceService/{method}")
        try:
            call(data, metadata=tuple(TOKEN.items()), timeout=60)
        except grpc.RpcError as error:
            return error.code().name, error.details()
    return "OK", ""


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (inference([bytes(784)] * 2), "2 raw_input_contents were given for 1 inputs"),
        (inference([bytes(10)]), "10 bytes of binary data were given for UINT8 of shape [1, 1, 28"),
        (inference([]), "0 bytes of binary data were given"),
        (inference([], {"shape": [2**40, 1, 28, 28]}), "the input has 1099511627776 rows"),
        (inference(tensor={"shape": [2**62, 2**62, 28, 28]}), "expected [N, 1, 28, 28] for UINT8"),
        (inference(tensor={"shape": [-1, 1, 28, 28]}), "the input has -1 rows"),
        (inference([], inputs=[]), "the request has no 'inputs'"),
        (inference([], {"contents": {"uint_contents": [256] * 784}}), "expected 0..255"),
        (inference([], {"contents": {"fp32_contents": [0] * 784}}), "0 bytes of binary data"),
        (inference([b"\xff" * 4], {"datatype": "BYTES", "shape": [1]}), "do not make 1 BYTES"),
        (inference(outputs=[{"name": "x"}]), "the model has no output 'x'"),
        (inference(parameters={"timeout": {"string_param": "soon"}}), "'timeout' is 'soon'"),
        (inference(model_name=""), "the request names no model"),
    ],
)
def test_what_the_protocol_does_not_allow_gets_a_sentence(server, request_, sentence):
    status, said = asked(server, request_.SerializeToString())
    assert status == "INVALID_ARGUMENT"
    assert sentence in said


def test_bytes_that_are_no_message_and_methods_that_are_not_there(server):
    said = "the message is not a ModelInferRequest; expected one"
    assert asked(server, b"\xff\xff\xff") == ("INVALID_ARGUMENT", said)
    assert asked(server, b"", "Nothing")[0] == "UNIMPLEMENTED"


@pytest.mark.parametrize("examples", [60, pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_no_bytes_make_the_server_fail(server, client, examples):
    good = inference().SerializeToString()
    damaged = st.tuples(st.integers(0, len(good)), st.binary(max_size=8), st.integers(0, 800)).map(
        lambda cut: good[: cut[0]] + cut[1] + good[cut[0] + cut[2] :]
    )

    @settings(derandomize=True, database=None, deadline=None, max_examples=examples)
    @given(st.one_of(st.binary(max_size=300), damaged))
    def check(data):
        assert asked(server, data)[0] in ("OK", "INVALID_ARGUMENT", "NOT_FOUND")

    check()
    assert client.is_server_ready()


def test_who_has_no_token_is_refused(client):
    with pytest.raises(triton.InferenceServerException, match="no token or a wrong one"):
        client.infer(MODEL, [tensor(BARS, "UINT8")])
