"""Trainings over HTTP: started, watched, paused, stopped, kept and forgotten."""

import contextlib
import itertools
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient

import holmdel as library
from holmdel.data.augment import augmentation
from holmdel.files.tensors import load_tensors
from holmdel.server import ServerSettings, create_app
from holmdel.server.training_form import checked, setting_fields
from holmdel.server.training_state import MOST_POINTS, Curve, figures
from holmdel.training.callbacks import Progress
from holmdel.training.history import Epoch

QUICK = {"activation": "relu", "pooling": "max", "lr": 0.1, "batch_size": 64, "epochs": 3}
LONG = QUICK | {"epochs": 1000}


@pytest.fixture
def client(monkeypatch, tmp_path):
    """Returns a client of a server; temporary files go into `temporary`, kept runs into `kept`."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    app = create_app(ServerSettings(runs=tmp_path / "kept"), log=None)
    with TestClient(app, base_url="http://localhost") as found:
        yield found


def begin(client, settings=QUICK, network="lenet", data="digits"):
    wanted = {"network": network, "data": data, "settings": settings}
    answer = client.post("/v1/trainings", json=wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def wait_for(client, condition, id="1"):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        state = client.get(f"/v1/trainings/{id}").json()
        if condition(state):
            return state
        time.sleep(0.02)
    raise AssertionError(f"waited in vain: {state}")


def has_weights(state):
    return state["weights"] > 0


def ended(state):
    return state["status"] in ("stopped", "finished", "failed")


def told(client, verb, id="1"):
    answer = client.post(f"/v1/trainings/{id}/{verb}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def weights_of(client, name="training-1"):
    """Returns the first layer's weights of a model as it is now."""
    return client.app.state.services.models.get(name).network[0].weight.clone()


def events_of(client, id="1"):
    lines = client.get(f"/v1/trainings/{id}/events").text.splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def names(client):
    return [model.name for model in client.app.state.services.models]


def test_a_training_is_watched_to_its_end(client):
    state = begin(client, QUICK | {"epochs": 8})
    assert (state["id"], state["model"], state["kept"]) == ("1", "training-1", None)
    assert state["settings"] == QUICK | {"epochs": 8}
    seen = events_of(client)
    assert seen[-1]["status"] == "finished"
    assert [epoch["epoch"] for epoch in seen[-1]["history"]] == [*range(1, 9)]
    assert seen[-1]["history"][-1]["loss"] < seen[-1]["history"][0]["loss"] / 2
    assert seen[-1]["points"][-1]["step"] == 8.0
    assert seen[-1]["progress"]["epochs"] == 8
    data, engine = seen[-1]["notes"][:2]
    assert data == "digits: 1,437 + 360 images from holmdel itself"
    assert engine.startswith(("native engine", "PyTorch"))
    assert client.get("/v1/trainings").json() == {"trainings": [seen[-1]]}
    assert events_of(client) == [seen[-1]]  # who comes late gets the end


def test_the_network_answers_while_it_trains(client):
    begin(client, LONG)
    early = wait_for(client, has_weights)
    before = weights_of(client)
    wait_for(client, lambda state: state["weights"] > early["weights"])
    assert not torch.equal(weights_of(client), before)
    model = client.app.state.services.models.get("training-1")
    assert model.logits(torch.zeros(1, 1, 28, 28, dtype=torch.uint8)).shape == (1, 10)
    assert (model.source, model.data) == ("training", "digits")
    assert told(client, "stop")["status"] == "stopped"


def test_a_pause_holds_and_is_no_time_of_the_training(client):
    begun = time.perf_counter()
    begin(client, LONG | {"limit": 256})
    wait_for(client, has_weights)
    held = told(client, "pause")
    assert held["status"] == "paused"
    before = weights_of(client)
    time.sleep(1)
    assert client.get("/v1/trainings/1").json() == held
    assert torch.equal(weights_of(client), before)
    assert told(client, "resume")["status"] == "running"
    state = wait_for(client, lambda state: len(state["history"]) > len(held["history"]) + 1)
    passed = time.perf_counter() - begun
    assert sum(epoch["seconds"] for epoch in state["history"]) < passed - 1
    told(client, "pause")
    assert told(client, "stop")["status"] == "stopped"  # a held one too


def test_what_ended_is_kept_once_and_becomes_a_model(client, tmp_path):
    begin(client)
    assert client.post("/v1/trainings/1/keep").status_code == 409
    events_of(client)
    first, second = told(client, "keep"), told(client, "keep")
    assert first == second
    assert first["kept"] == "lenet-digits"
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["lenet-digits"]
    kept = library.load(tmp_path / "kept" / "lenet-digits")
    assert torch.equal(kept.network[0].weight, weights_of(client, "lenet-digits"))
    assert client.app.state.services.models.get("lenet-digits").source == "training"
    begin(client)
    events_of(client, "2")
    assert told(client, "keep", "2")["kept"] == "lenet-digits-2"
    assert client.delete("/v1/trainings/1").status_code == 204
    assert names(client)[-3:] == ["lenet-digits", "training-2", "lenet-digits-2"]


def test_a_name_of_another_model_is_not_taken(client):
    models = client.app.state.services.models
    begin(client)
    events_of(client)
    other = models.get("training-1")
    models.put("lenet-digits", other.classifier, "folder")
    assert told(client, "keep")["kept"] == "lenet-digits-2"
    assert models.get("lenet-digits").source == "folder"


def test_a_kept_run_that_was_stopped_can_go_on(client, tmp_path):
    settings = QUICK | {"epochs": 20}
    begin(client, settings)
    wait_for(client, has_weights)
    told(client, "stop")
    run = tmp_path / "kept" / told(client, "keep")["kept"]
    state, _ = load_tensors(run / "resume.safetensors")
    assert torch.equal(library.load(run).network[0].weight, state["network/c1.weight"])
    assert torch.equal(weights_of(client), state["network/c1.weight"])
    library.train("lenet", "digits", out=run, resume=True)
    library.train("lenet", "digits", out="unbroken", **settings)
    model = "model.safetensors"
    assert (run / model).read_bytes() == Path("unbroken", model).read_bytes()


def test_one_trains_at_a_time(client):
    begin(client, LONG)
    wanted = {"network": "lenet", "data": "digits", "settings": QUICK}
    answer = client.post("/v1/trainings", json=wanted)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["error"].startswith(
        "1 trainings may run at once, and as many do; stop one"
    )
    told(client, "stop")
    begin(client)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"network": "lenet6"}, "there is no network 'lenet6'; choose from lenet,"),
        ({"data": "/etc"}, "the data set was given as '/etc'; choose from fashion-mnist,"),
        ({"settings": {"device": "cuda"}}, "there is no setting 'device' here; choose from"),
        ({"settings": {"size": "9x9"}}, "there is no setting 'size' here; choose from activation"),
        ({"settings": {"epochs": 1001}}, "epochs was given as 1001; expected a whole number from"),
        ({"settings": {"lr": 1e300}}, "lr was given as 1e+300; expected a number above 0 to 1,"),
        ({"settings": {"batch_size": "many"}}, "batch_size was given as 'many'; expected a whole"),
        ({"settings": {"recipe": "best"}}, "recipe was given as 'best'; choose from book, modern"),
        ({"settings": {"activation": "gelu"}}, "activation was given as 'gelu'; choose from"),
        (
            {"settings": {"augment": "mirror"}},
            "augment was given as 'mirror'; choose from none, flip",
        ),
        ({"network": "nin", "settings": {"width": 9}}, "width was given as 9.0; expected a number"),
        ({"network": "vgg16"}, "batch_size is 128, with which a step of vgg16 takes 13.7 GiB for"),
        ({"settings": {"lr": [1]}}, "settings.lr"),
        ({"out": "/tmp"}, "out"),
        ({"settings": {"augment": "flip" * 50}}, "settings.augment"),
    ],
)
def test_mistakes_are_told(client, wanted, sentence):
    answer = client.post("/v1/trainings", json={"network": "lenet", "data": "digits"} | wanted)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)
    assert client.get("/v1/trainings").json() == {"trainings": []}


def test_numbers_that_json_has_no_words_for_are_refused(client):
    body = '{"network": "lenet", "data": "digits", "settings": {"weight_decay": 1e999}}'
    json_ = {"Content-Type": "application/json"}
    answer = client.post("/v1/trainings", content=body, headers=json_)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("weight_decay was given as inf; expected a number")


def test_every_setting_that_is_offered_can_be_given(client):
    settings = {field.name: field.default for field in setting_fields()}
    begin(client, settings | {"epochs": 1, "limit": 64})
    assert events_of(client)[-1]["status"] == "finished"


def test_every_choice_that_is_offered_is_one():
    for field in setting_fields():
        for choice in field.choices or ():
            assert checked("lenet", "digits", {field.name: choice}) == {field.name: choice}
            if field.name == "augment":
                augmentation(choice)


def test_a_training_that_cannot_succeed_says_why(client):
    begin(client, QUICK | {"lr": 1000})
    last = events_of(client)[-1]
    assert last["status"] == "failed"
    assert "the loss became" in last["error"]
    answer = client.post("/v1/trainings/1/keep")
    assert answer.status_code == 409
    assert answer.json()["error"] == "training 1 cannot be kept: it failed"


@pytest.fixture
def slow_mirror(monkeypatch):
    """Runs a mirror of data sets whose files do not end."""

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(10**9))
            self.end_headers()
            with contextlib.suppress(OSError):  # the other side goes away
                while True:
                    self.wfile.write(bytes(2**18))
                    time.sleep(0.01)

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("HOLMDEL_MIRROR", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.delenv("HOLMDEL_DATA", raising=False)
        yield
        server.shutdown()
        thread.join()


def test_a_download_is_told_and_can_be_stopped(client, slow_mirror):
    begin(client, data="mnist")
    begun = re.compile(r"downloading train-images-idx3-ubyte.gz: [1-9]\d* of 1000 MB")
    wait_for(client, lambda state: any(map(begun.fullmatch, state["notes"])))
    assert told(client, "stop")["status"] == "stopped"
    answer = client.post("/v1/trainings/1/keep")
    assert answer.status_code == 409
    assert (
        answer.json()["error"] == "training 1 cannot be kept: it was stopped before its first batch"
    )


def test_what_is_forgotten_leaves_nothing(client, tmp_path):
    begin(client, LONG)
    wait_for(client, has_weights)
    assert list((tmp_path / "temporary").iterdir())
    assert client.delete("/v1/trainings/1").status_code == 204
    assert not list((tmp_path / "temporary").iterdir())
    assert "training-1" not in names(client)
    for path in ("/v1/trainings/1", "/v1/trainings/1/events"):
        assert client.get(path).status_code == 404
    for verb in ("pause", "resume", "stop", "keep"):
        assert client.post(f"/v1/trainings/1/{verb}").status_code == 404
    answer = client.delete("/v1/trainings/1")
    assert answer.json()["error"] == "there is no training '1'; it may have been deleted"


def test_the_oldest_that_ended_is_forgotten(client, tmp_path):
    for id in range(1, 11):
        begin(client, QUICK | {"epochs": 1, "limit": 64})
        wait_for(client, ended, str(id))
        told(client, "stop", str(id))  # returns when the thread is gone
    known = [state["id"] for state in client.get("/v1/trainings").json()["trainings"]]
    assert known == [str(id) for id in range(3, 11)]
    assert len(list((tmp_path / "temporary").iterdir())) == 8
    assert names(client)[-8:] == [f"training-{id}" for id in range(3, 11)]


def test_a_server_that_stops_ends_streams_and_trainings(client, tmp_path):
    begin(client, LONG)
    wait_for(client, has_weights)
    draining = client.app.state.services.draining
    threading.Timer(0.5, draining.set).start()
    assert events_of(client)[-1]["status"] == "running"
    client.app.state.services.trainings.close()
    assert not list((tmp_path / "temporary").iterdir())


def test_a_curve_of_any_length_has_few_points_evenly_spread():
    curve = Curve()
    for batch in range(20_000):
        epoch, done = divmod(batch, 100)
        curve.add(Progress(epoch + 1, 200, done + 1, 100, 1.0, 0.5, 1.0, 1.0))
    steps = [point.step for point in curve.points]
    gaps = [after - before for before, after in itertools.pairwise(steps)]
    assert MOST_POINTS / 2 <= len(steps) <= MOST_POINTS
    assert max(gaps) < 3 * min(gaps)


def test_figures_that_are_no_numbers_are_left_out():
    epoch = Epoch(1, 2.0, 0.5, 0.1, float("nan"), None, 0.1, 1000.0, 900.0, 1.0)
    assert "test_loss" not in figures([epoch])[0]
    assert figures([epoch])[0]["test_acc"] == 0.1


def test_the_document_describes_a_training(client):
    document = client.get("/openapi.json").json()
    state = document["components"]["schemas"]["State"]["properties"]
    assert state["status"]["enum"] == [
        "preparing", "running", "paused", "stopped", "finished", "failed",
    ]  # fmt: skip
    stream = document["paths"]["/v1/trainings/{id}/events"]["get"]["responses"]["200"]
    assert list(stream["content"]) == ["text/event-stream"]
    assert {"201", "400", "429"} <= document["paths"]["/v1/trainings"]["post"]["responses"].keys()


def paused(state):
    return state["status"] == "paused"


def stepped(client, stride):
    before = client.get("/v1/trainings/1").json()["weights"]
    answer = client.post("/v1/trainings/1/step", params={"stride": stride})
    assert answer.status_code == 200, answer.text
    return wait_for(client, lambda state: paused(state) and state["weights"] > before)


def test_a_training_goes_by_steps_and_back(client):
    begin(client, QUICK | {"epochs": 4})
    told(client, "pause")
    first = wait_for(client, paused)
    assert not first["back"]
    one = stepped(client, "batch")
    begun = weights_of(client)
    two = stepped(client, "batch")
    assert two["progress"]["batch"] == one["progress"]["batch"] + 1
    assert not torch.equal(weights_of(client), begun)
    back = told(client, "back")
    assert paused(wait_for(client, paused))
    assert torch.equal(weights_of(client), begun)
    assert back["progress"]["batch"] == one["progress"]["batch"]
    again = stepped(client, "epoch")
    assert len(again["history"]) == len(one["history"]) + 1
    told(client, "back")
    assert torch.equal(weights_of(client), begun)
    told(client, "resume")
    done = wait_for(client, ended)
    assert done["status"] == "finished"
    assert [epoch["epoch"] for epoch in done["history"]] == [1, 2, 3, 4]
    assert client.post("/v1/trainings/1/step").status_code == 409
    kept = client.app.state.services.settings.runs
    whole = library.train("lenet", "digits", out=kept / "w", callbacks=[], **QUICK | {"epochs": 4})
    assert torch.equal(weights_of(client), whole.network[0].weight)


def test_no_step_no_way_back(client):
    begin(client, LONG)
    told(client, "pause")
    answer = client.post("/v1/trainings/1/back")
    assert answer.status_code == 409
    assert answer.json()["error"] == "training 1 cannot go back: it has made no step"
    assert client.post("/v1/trainings/1/step", params={"stride": "year"}).status_code == 400
