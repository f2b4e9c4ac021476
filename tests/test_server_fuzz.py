"""Whatever bytes come as a tensor, the answer is a result or a sentence."""

import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from holmdel.server import ServerSettings, create_app

INFER = "/v2/models/lenet-mnist/infer"
LENGTH = "Inference-Header-Content-Length"

sizes = st.one_of(st.integers(-2, 4), st.integers(), st.sampled_from([28, 784, 3136, 2**31, 2**63]))
shapes = st.one_of(
    st.just([1, 1, 28, 28]), st.tuples(sizes, st.just(1), st.just(28), st.just(28)), st.lists(sizes)
)
parameters = st.dictionaries(
    st.sampled_from(["binary_data_size", "binary_data", "classification", "timeout", "priority"]),
    st.one_of(sizes, st.booleans(), st.none(), st.text(max_size=3)),
)
tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["image", "input", ""]),
        "datatype": st.sampled_from(["UINT8", "FP32", "BYTES", "FP16", "", 3]),
        "shape": shapes,
        "parameters": parameters,
    }
)
outputs = st.fixed_dictionaries(
    {"name": st.sampled_from(["index", "label", "logits", "x"]), "parameters": parameters}
)
headers = st.fixed_dictionaries(
    {"inputs": st.lists(tensors, max_size=2), "outputs": st.lists(outputs, max_size=2)},
    optional={"parameters": parameters, "id": st.one_of(st.text(max_size=3), st.integers())},
)
data = st.one_of(
    st.binary(max_size=40),
    st.just(bytes(784)),
    st.binary(min_size=784, max_size=784),
    st.binary(min_size=3136, max_size=3136),
)


@pytest.mark.parametrize("examples", [300, pytest.param(50_000, marks=pytest.mark.exhaustive)])
def test_no_binary_tensor_makes_the_server_fail(examples):
    app = create_app(ServerSettings(models=("lenet-mnist",)), log=None)
    client = TestClient(app, base_url="http://127.0.0.1")
    seen = set()

    @settings(derandomize=True, database=None, deadline=None, max_examples=examples)
    @given(headers, data, st.sampled_from([0, 0, 0, 0, -1, 1, 99999]), st.integers(0, 3))
    def check(header, binary, off, cut):
        if cut == 0:  # most sizes that were thought out are wrong, which would be all that is said
            for one in header["inputs"]:
                one["parameters"]["binary_data_size"] = len(binary)
        written = json.dumps(header).encode()
        length = str(max(0, len(written) + off))
        answer = client.post(INFER, content=written + binary, headers={LENGTH: length})
        seen.add(answer.status_code)
        assert answer.status_code in (200, 400, 408, 413, 415, 422), answer.text
        if answer.status_code != 200:
            assert answer.json().keys() == {"error"}

    with client:
        check()
    assert {200, 400} <= seen
