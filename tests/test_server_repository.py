"""Versions of a model, and models that requests load and unload by their names."""

import pytest
import torch
from fastapi.testclient import TestClient

from holmdel.checkpoint import Header, save_model
from holmdel.images import ImageContract
from holmdel.networks import build
from holmdel.server import ServerSettings, create_app

IMAGE = {"name": "image", "datatype": "UINT8", "shape": [1, 1, 28, 28], "data": [9] * 784}


def put(folder, seed):
    """Writes a LeNet whose weights nobody trained into a run folder."""
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    header = Header(network="lenet", options={}, classes=tuple("0123456789"), image=ImageContract())
    save_model(folder / "model.safetensors", build("lenet"), header)


def served(*models, **settings):
    app = create_app(ServerSettings(models=(*map(str, models),), **settings), log=None)
    return TestClient(app, base_url="http://127.0.0.1")


def answered(client, path):
    answer = client.post(f"/v2/models/{path}/infer", json={"inputs": [IMAGE]})
    assert answer.status_code == 200, answer.text
    logits = {one["name"]: one["data"] for one in answer.json()["outputs"]}["logits"]
    return answer.json()["model_version"], logits


def index(client, **asked):
    return [
        (one["name"], one["version"], one["state"])
        for one in client.post("/v2/repository/index", json=asked).json()
    ]


@pytest.fixture
def root(tmp_path):
    """Returns a folder of two models, one of which has versions, and of a folder without any."""
    for version in (1, 2, 10):
        put(tmp_path / "root" / "digits" / str(version), version)
    put(tmp_path / "root" / "plain", 3)
    (tmp_path / "root" / "empty").mkdir()
    return tmp_path / "root"


def test_the_newest_version_answers_where_none_is_named(root):
    client = served(root / "digits")
    newest, logits = answered(client, "digits")
    assert newest == "10"
    assert answered(client, "digits/versions/10") == (newest, logits)
    version, other = answered(client, "digits/versions/2")
    assert version == "2"
    assert other != logits
    assert client.get("/v2/models/digits").json()["versions"] == ["1", "2", "10"]
    refused = client.get("/v2/models/digits/versions/3")
    assert refused.status_code == 404
    assert refused.json()["error"] == "the model 'digits' has no version '3'; it has 1, 2, 10"


def test_models_are_loaded_and_unloaded_by_their_names(root):
    client = served("lenet-mnist", model_control=root)
    assert "model_repository" in client.get("/v2").json()["extensions"]
    assert index(client)[1:] == [("digits", "", "UNAVAILABLE"), ("plain", "", "UNAVAILABLE")]
    # As tritonclient has it: a body, and no word on its kind.
    loaded = client.post("/v2/repository/models/digits/load", content=b"{}")
    assert loaded.status_code == 200, loaded.text
    assert [one[1] for one in index(client, ready=True)] == ["1", "1", "2", "10"]
    assert answered(client, "digits")[0] == "10"
    put(root / "digits" / "11", 11)
    client.post("/v2/repository/models/digits/load")
    assert answered(client, "digits")[0] == "11"
    assert client.post("/v2/repository/models/digits/unload").status_code == 200
    assert client.get("/v2/models/digits").status_code == 404


@pytest.mark.parametrize("name", ["empty", "nothing", "..", "%2e%2e%2froot%2fplain", "plain%2f."])
def test_a_name_that_is_no_run_folder_of_the_root_loads_nothing(root, name):
    client = served("lenet-mnist", model_control=root)
    before = index(client)
    assert client.post(f"/v2/repository/models/{name}/load").status_code == 404
    assert index(client) == before


def test_a_model_that_cannot_be_loaded_leaves_the_one_that_there_is(root):
    client = served("lenet-mnist", model_control=root)
    client.post("/v2/repository/models/plain/load")
    before = answered(client, "plain")
    (root / "plain" / "model.safetensors").write_bytes(b"nothing")
    refused = client.post("/v2/repository/models/plain/load")
    assert refused.status_code == 400
    assert "model.safetensors" in refused.json()["error"]
    assert answered(client, "plain") == before


@pytest.mark.parametrize("what", ["load", "unload"])
def test_without_model_control_no_request_changes_a_model(what):
    client = served("lenet-mnist")
    refused = client.post(f"/v2/repository/models/lenet-mnist/{what}")
    assert refused.status_code == 403
    assert refused.json()["error"].endswith("start the server with --model-control DIR")
    assert index(client) == [("lenet-mnist", "1", "READY")]
    assert "model_repository" not in client.get("/v2").json()["extensions"]


def test_a_network_of_ones_own_is_called_what_it_is_called_in_its_file(tmp_path):
    file = tmp_path / "wide.py"
    file.write_text(
        "from torch import nn\n"
        "class Wide(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.last = nn.Linear(784, 10)\n"
        "    def forward(self, images):\n"
        "        return self.last(images.flatten(1))\n"
    )
    client = served(file, f"{file}:Wide")
    assert [model["name"] for model in client.get("/v1/models").json()["models"]] == [
        "wide", "Wide",
    ]  # fmt: skip
