"""The OpenAPI document is true: whatever request it allows, the answer is as it says."""

import io

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from holmdel.server import ServerSettings, create_app

# Starlette leaves the file of a part without an end to the collector of rubbish.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file <tempfile:ResourceWarning")

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
gently = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

# Names that are there, for those that were thought out are not.
KNOWN = {
    "name": "lenet-mnist",
    "model": "lenet-mnist",
    "network": "lenet",
    "layer": "c1",
    "unit": "0,3,4",
    "version": "1",
    "id": "1",
    "data": "digits",
}
TRAINING = {"network": "lenet", "data": "digits", "settings": {"epochs": 1}}
TENSOR = {"name": "input", "datatype": "UINT8", "shape": [1, 1, 28, 28], "data": [7] * 784}


def png() -> bytes:
    file = io.BytesIO()
    Image.new("L", (20, 30), 90).save(file, "PNG")
    return file.getvalue()


def named(case: schemathesis.Case, *places: str) -> schemathesis.Case:
    """Returns the request with names that are known in its path or its query."""
    for place in places:
        parameters = getattr(case, place)
        parameters.update({name: KNOWN[name] for name in parameters.keys() & KNOWN.keys()})
    return case


def sensible(case: schemathesis.Case) -> schemathesis.Case:
    """Returns the request with known names and a body that makes sense."""
    if case.path.endswith("/infer"):
        case.headers.clear()
        case.media_type, case.body = "application/json", {"inputs": [TENSOR]}
    elif case.path == "/v1/trainings" and case.method == "POST":
        case.body = TRAINING
    elif case.media_type == "multipart/form-data":
        case.body = {"file": png()}
    elif case.media_type == "application/octet-stream":
        case.body = png()
    return named(case, "path_parameters", "query")


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """Returns the document of a server of the models that ship."""
    runs = tmp_path_factory.mktemp("runs")
    app = create_app(ServerSettings(host="testserver", runs=runs), log=None)
    return schemathesis.openapi.from_asgi("/openapi.json", app)


def test_generated_clients_find_short_names_and_forms_of_several_files():
    described = create_app(ServerSettings(models=("lenet-mnist",)), log=None).openapi()
    operations = [one for path in described["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 42
    assert {"get_v1_models", "post_v1_classify", "post_v2_models_name_infer"} <= set(names)
    classify = described["paths"]["/v1/classify"]["post"]["requestBody"]["content"]
    assert classify["multipart/form-data"]["schema"]["properties"]["file"]["type"] == "array"


def requests(operation):
    """Returns a strategy of requests: as documented, sensible ones, and not as documented."""
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.one_of(good, good.map(sensible), bad.map(lambda case: named(case, "path_parameters")))


@pytest.mark.parametrize("examples", [2, pytest.param(20, marks=pytest.mark.exhaustive)])
def test_answers_are_as_documented(document, subtests, examples):
    operations = [found.ok() for found in document.get_all_operations()]
    # What takes a thing away comes last, so that the others find it.
    for operation in sorted(operations, key=lambda found: found.method == "delete"):
        with subtests.test(operation.label):

            @settings(gently, max_examples=examples)
            @given(requests(operation))
            def check(case):
                case.call_and_validate(checks=CHECKS)

            check()
