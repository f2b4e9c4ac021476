"""One schema of settings and options: every place that takes or shows them has all of them."""

import dataclasses
import inspect
import tomllib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from holmdel.errors import UserError
from holmdel.networks import NETWORKS, build, network_options
from holmdel.networks.lenet import ACTIVATIONS, POOLINGS
from holmdel.schema import read_config
from holmdel.server import ServerSettings, create_app
from holmdel.settings import OPTIONS, TRAINING, TrainSettings
from holmdel.training.settings import plan

DOCUMENT = Path(__file__).parents[1] / "docs" / "settings.md"
DOORS = ("command line", "python", "toml", "http")


def test_the_fields_of_train_settings_are_the_schema():
    assert [field.name for field in dataclasses.fields(TrainSettings)] == list(TRAINING)
    assert all(about.help for about in [*TRAINING.values(), *OPTIONS.values()])


def test_the_parameters_of_networks_are_the_options():
    taken = {option for name in NETWORKS for option in network_options(name)}
    assert taken == OPTIONS.keys()


@pytest.mark.parametrize("name", NETWORKS)
def test_defaults_of_networks_lie_in_their_ranges(name):
    for option, default in network_options(name).items():
        OPTIONS[option].check(default)


def test_choices_of_options_are_those_that_networks_know():
    assert OPTIONS["activation"].choices == tuple(ACTIVATIONS)
    assert OPTIONS["pooling"].choices == tuple(POOLINGS)


@pytest.mark.parametrize("about", [*TRAINING.values(), *OPTIONS.values()], ids=lambda x: x.name)
def test_every_setting_and_option_is_in_the_document(about):
    assert f"| `{about.name}` | {about.type}" in DOCUMENT.read_text(encoding="utf-8")
    assert about.help in DOCUMENT.read_text(encoding="utf-8")


def test_the_servers_form_has_what_requests_may_set():
    with TestClient(create_app(ServerSettings(), log=None), base_url="http://localhost") as client:
        form = client.get("/v1/networks").json()
    asked = [about for about in TRAINING.values() if about.request is not None]
    assert [field["name"] for field in form["settings"]] == [about.name for about in asked]
    assert [field["help"] for field in form["settings"]] == [about.help for about in asked]
    for network in form["networks"]:
        for option in network["options"]:
            about = OPTIONS[option["name"]]
            assert option["training"] is not about.from_data
            assert tuple(option["choices"] or ()) == about.choices


def test_a_file_may_hold_every_setting(tmp_path):
    lines = [f"{n} = {_toml(s.default)}" for n, s in TRAINING.items() if s.default is not None]
    (tmp_path / "all.toml").write_text("\n".join(lines))
    assert (
        plan("lenet", "mnist", read_config(tmp_path / "all.toml", TRAINING)).settings
        == TrainSettings()
    )


def _toml(value):
    text = str(value).lower() if isinstance(value, bool | int | float) else f'"{value}"'
    assert tomllib.loads(f"x = {text}") == {"x": value}
    return text


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("epochs", 0, "epochs was given as 0; expected a whole number from 1"),
        ("batch_size", "many", "batch_size was given as 'many'; expected a whole number from 1"),
        ("momentum", 2.5, "momentum was given as 2.5; expected a number from 0 to 0.999"),
        ("optimizer", "lion", "optimizer was given as 'lion'; choose from sgd, adamw"),
        ("recipe", "old", "recipe was given as 'old'; choose from book, modern"),
        ("activation", "gelu", "activation was given as 'gelu'; choose from sigmoid, tanh, relu"),
    ],
)
def test_a_value_out_of_range_is_refused_by_the_same_sentence_at_every_door(
    holmdel, tmp_path, name, value, sentence
):
    said = {}
    flag = f"--{name.replace('_', '-')}"
    said["command line"] = holmdel("train", "lenet", flag, value).err
    with pytest.raises(UserError) as refusal:
        plan("lenet", "mnist", {name: value})
    said["python"] = str(refusal.value)
    text = f'"{value}"' if isinstance(value, str) else value
    (tmp_path / "one.toml").write_text(f"{name} = {text}")
    said["toml"] = holmdel("train", "lenet", "--config", tmp_path / "one.toml").err
    with TestClient(create_app(ServerSettings(), log=None), base_url="http://localhost") as client:
        wanted = {"network": "lenet", "data": "mnist", "settings": {name: value}}
        said["http"] = client.post("/v1/trainings", json=wanted).json()["error"]
    assert {door: sentence in words for door, words in said.items()} == dict.fromkeys(DOORS, True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('data = "mnist"', "one.toml has the key 'data', which is no setting; choose from recipe"),
        ('out = "run"', "has the key 'out', which is no setting"),
        ("reporter = 1", "has the key 'reporter', which is no setting"),
        ("callbacks = []", "has the key 'callbacks', which is no setting"),
        ('"" = 1', "has the key '', which is no setting"),
        ("device = ['cpu']", "device was given as ['cpu']; expected a text"),
        ("epochs = [1]", "epochs was given as [1]; expected a whole number from 1"),
        ("recipe = ['book']", "recipe was given as ['book']; choose from book, modern"),
        ("data_root = 5.5\nlr = [0.1]", "lr was given as [0.1]; expected a number"),
        ("data_root = {a = 1}", "data_root was given as {'a': 1}; expected a text"),
        ("lr = 1e400", "lr was given as inf; expected a number above 0"),
        ("[lr]\nvalue = 1", "lr was given as {'value': 1}; expected a number above 0"),
        ("seed = " + "9" * 5_000, "one.toml is not TOML (Exceeds the limit"),
        ("seed = " + "[" * 5_000, "one.toml is not TOML ("),
        ("seed = \n", "one.toml is not TOML (Invalid value (at line 1, column 8))"),
    ],
)
def test_a_file_with_what_is_no_setting_gets_a_sentence(holmdel, tmp_path, text, sentence):
    (tmp_path / "one.toml").write_text(text)
    done = holmdel("train", "lenet", "--config", tmp_path / "one.toml")
    assert done.status == 2
    assert sentence in done.err


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("lenet", {"classes": 1}, "classes was given as 1; expected a whole number from 2"),
        ("alexnet", {"width": 0}, "width was given as 0; expected a number above 0 to 16"),
        ("nin", {"size": (64,)}, r"size was given as \(64,\); expected height and width"),
        ("lenet", {"channels": True}, "channels was given as True; expected a whole number"),
    ],
)
def test_an_option_out_of_range_is_refused_by_networks_themselves(name, options, sentence):
    for make in (NETWORKS[name], lambda **given: build(name, **given)):
        with pytest.raises(UserError, match=sentence):
            make(**options)


def test_networks_hand_every_option_to_the_check():
    for name, make in NETWORKS.items():
        wrong = {option: object() for option in inspect.signature(make).parameters}
        for option in wrong:
            with pytest.raises(UserError, match=f"{option} was given as"):
                build(name, **{option: wrong[option]})
