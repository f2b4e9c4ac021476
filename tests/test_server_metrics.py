"""The metrics for Prometheus."""

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from holmdel.server import ServerSettings, create_app


def black() -> bytes:
    file = io.BytesIO()
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).ellipse((8, 4, 19, 23), outline=255, width=3)
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def client():
    app = create_app(ServerSettings(models=("lenet-mnist",)), log=None)
    with TestClient(app, base_url="http://127.0.0.1") as found:
        yield found


def counters(client) -> dict[tuple[str, ...], float]:
    """Returns each figure by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_errors_latency_batches_and_classes_are_counted(client):
    named = [client.post("/v1/classify", content=black()).json()["label"] for _ in range(3)]
    assert client.post("/v1/classify", content=b"no picture").status_code == 415
    found = counters(client)
    assert found["holmdel_requests_total", "/v1/classify", "200"] == 3
    assert found["holmdel_requests_total", "/v1/classify", "415"] == 1
    assert found["holmdel_refusals_total", "415"] == 1
    assert found["holmdel_request_seconds_count", "/v1/classify"] == 4
    assert found["holmdel_request_seconds_bucket", "+Inf", "/v1/classify"] == 4
    assert found["holmdel_batch_pictures_sum",] == 3
    assert found["holmdel_queue_pictures",] == 0
    assert found["holmdel_predictions_total", named[0], "lenet-mnist"] == 3


def test_histograms_reach_from_a_fifth_of_a_millisecond_to_a_second(client):
    client.get("/v1/models")
    found = counters(client)
    bounds = [key[1] for key in found if key[0] == "holmdel_request_seconds_bucket"]
    assert (bounds[0], bounds[-2:]) == ("0.0002", ["1.0", "+Inf"])


def test_triton_s_dashboards_find_their_names(client):
    for _ in range(3):
        client.post("/v1/classify", content=black())
    found = counters(client)
    model = ("lenet-mnist", "1")
    assert found["nv_inference_request_success", *model] == 3
    assert found["nv_inference_count", *model] == 3
    assert 1 <= found["nv_inference_exec_count", *model] <= 3
    assert found["nv_inference_request_duration_us", *model] > 0
    assert found["nv_inference_request_failure", *model] == 0


def test_openmetrics_is_spoken_where_it_is_asked_for(client):
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    names = [family.name for family in openmetrics.text_string_to_metric_families(answer.text)]
    assert "holmdel_request_seconds" in names
    assert "nv_inference_count" in names


def test_no_request_makes_a_label(client):
    for number in range(5):
        client.get(f"/nowhere/{number}")
        client.get(f"/v2/models/none-{number}")
        client.get(f"/page/none-{number}.js")
        client.post(f"/v1/classify?model=none-{number}", content=black())
        client.request(f"VERB{number}", "/v1/classify")
    found = counters(client)
    assert found["holmdel_requests_total", "other", "404"] == 5
    assert found["holmdel_requests_total", "/v2/models/{name}", "404"] == 5
    assert found["holmdel_requests_total", "/page/{name}", "404"] == 5
    assert found["holmdel_requests_total", "/v1/classify", "404"] == 5
    assert found["holmdel_requests_total", "/v1/classify", "405"] == 5
    assert not [key for key in found if any("none" in word for word in key)]
