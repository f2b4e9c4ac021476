"""`holmdel import`: the run folder that it writes, and an error for each mistake."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

import holmdel as library
from holmdel.checkpoint import Header, save_model
from holmdel.errors import UserError
from holmdel.exchange import Weights, convert, read_weights
from holmdel.images import ImageContract
from holmdel.networks import build
from holmdel.verbs import import_weights

LENET_MAX = Path(__file__).parent / "files" / "lenet.params"


def saved(path: Path, network: str = "lenet", **options: object) -> Path:
    """Returns a file with the state dict of one of our networks."""
    torch.save(build(network, **options).state_dict(), path)
    return path


def test_a_run_folder_that_the_other_verbs_take(holmdel, tmp_path):
    run = tmp_path / "run"
    done = holmdel("import", LENET_MAX, "--as", "lenet-max", "--out", run, "--classes", "digits")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "lenet-max: 44,426 parameters, input 1x28x28",
        "classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "the file does not say activation (sigmoid, tanh, relu) nor pooling (avg, max): taken as "
        "sigmoid and max; give --activation relu --pooling max, or --data, on which all are tried",
        f"wrote {run}",
    ]
    assert sorted(p.name for p in run.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    bar = Image.new("L", (28, 28), 0)
    bar.paste(255, (13, 4, 16, 24))
    bar.save(tmp_path / "bar.png")
    assert holmdel("predict", run, tmp_path / "bar.png").status == 0
    measured = json.loads(holmdel("evaluate", run, "--data", "digits", "--json").out)
    assert measured["count"] == 360


def test_the_classifier_has_the_weights_of_the_file(tmp_path):
    found = import_weights(LENET_MAX, "lenet-max", tmp_path / "run", classes="mnist")
    again = library.load(tmp_path / "run")
    expected = convert(read_weights(LENET_MAX), "lenet-max").network.state_dict()
    for classifier in (found, again):
        for name, tensor in classifier.network.state_dict().items():
            assert torch.equal(tensor, expected[name])
    assert again.header == found.header
    assert again.contract == ImageContract(framing="digit")


def test_the_card_says_where_the_weights_came_from(holmdel, tmp_path):
    holmdel("import", LENET_MAX, "--as", "lenet-max", "--out", tmp_path / "run")
    card = (tmp_path / "run" / "README.md").read_text()
    assert "| weights | lenet.params, MXNet parameters, 178,278 bytes |" in card
    assert "| 4 | f5 | 120x256 |" in card
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["source"]["sha256"] in card
    assert config["network"] == "lenet-max"


def test_labels_and_sizes(tmp_path):
    cases = {
        None: (tuple("0123456789"), (1, 28, 28), "fit"),
        "fashion-mnist": (("t-shirt", "trouser"), (1, 28, 28), "object"),
        "a,b,c, d,e,f,g,h,i,j": (tuple("abcdefghij"), (1, 32, 32), "fit"),
        tuple("qwertzuiop"): (tuple("qwertzuiop"), (1, 32, 32), "fit"),
    }
    path = saved(tmp_path / "lenet5.pt", "lenet5")
    for number, (given, (classes, stored, framing)) in enumerate(cases.items()):
        found = import_weights(path, "lenet5", tmp_path / f"run{number}", classes=given)
        assert found.classes[: len(classes)] == classes
        assert found.contract.stored == stored
        assert found.contract.input == (1, 32, 32)
        assert found.contract.enlarge == ("none" if stored[1] == 32 else "pad")
        assert found.contract.framing == framing


def test_labels_of_a_folder(tmp_path):
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            (tmp_path / "pets" / split / label).mkdir(parents=True)
            Image.new("L", (9, 9)).save(tmp_path / "pets" / split / label / "1.png")
    path = saved(tmp_path / "pets.pt", classes=2)
    found = import_weights(path, "lenet", tmp_path / "run", classes=str(tmp_path / "pets"))
    assert found.classes == ("cat", "dog")


def test_what_a_training_subtracted_and_divided_by(holmdel, tmp_path):
    words = ("--mean", "0.1307", "--std", "0.3081", "--activation", "relu", "--input", "1x28x28")
    holmdel("import", LENET_MAX, "--as", "lenet-max", "--out", tmp_path / "run", *words)
    found = library.load(tmp_path / "run")
    assert (found.contract.mean, found.contract.std) == (0.1307, 0.3081)
    assert found.header.options == {"activation": "relu"}


def test_pictures_of_a_data_set_are_resized(tmp_path):
    path = saved(tmp_path / "google.pt", "googlenet", width=0.05)
    found = import_weights(path, "googlenet", tmp_path / "run", classes="mnist", width="0.05")
    assert found.contract.stored == (1, 28, 28)
    assert (found.contract.input, found.contract.enlarge) == ((1, 96, 96), "resize")


def test_alexnet_of_mxnet_has_no_padding_and_of_pytorch_one():
    tensors = build("alexnet", width=0.02).state_dict()
    for told, padding in (({"padding": 0}, 0), ({}, 1)):
        weights = Weights("alexnet.params", "made here", tensors, options=told)
        found = convert(weights, "alexnet", width=0.02)
        assert found.network.conv1.padding == (padding, padding)
    given = convert(weights, "alexnet", width=0.02, padding=1)
    assert given.network.conv1.padding == (1, 1)


def test_one_of_several_state_dicts_is_named(holmdel, tmp_path):
    average = {name: tensor + 1 for name, tensor in STATE.items()}
    torch.save({"model": STATE, "model_ema": average, "epoch": 3}, tmp_path / "both.pt")
    words = ("import", tmp_path / "both.pt", "--as", "lenet", "--out", tmp_path / "run")
    assert "(model, model_ema); say which is meant: --key model" in holmdel(*words).err
    assert "has no state dict 'epoch'" in holmdel(*words, "--key", "epoch").err
    assert holmdel(*words, "--key", "model_ema").status == 0
    state = library.load(tmp_path / "run").network.state_dict()
    assert all(torch.equal(state[name], average[name]) for name in STATE)


def test_a_convolution_over_all_maps_is_the_dense_layer_it_is(tmp_path):
    """The paper calls C5 a convolution, and so do many who follow it."""
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 120, 5), nn.Sigmoid(), nn.Flatten()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    torch.save(net.state_dict(), tmp_path / "lenet5.pt")
    found = convert(read_weights(tmp_path / "lenet5.pt"), "lenet5")
    image = torch.rand(1, 1, 32, 32)
    assert torch.allclose(found.network(image), net(image), atol=1e-6)


def test_list_says_what_is_in_a_file_and_what_it_fits(holmdel):
    done = holmdel("import", LENET_MAX, "--list")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[1:] == [
        "  '0' (weight 6x1x5x5, bias 6)",
        "  '2' (weight 16x6x5x5, bias 16)",
        "  '4' (weight 120x256, bias 120)",
        "  '5' (weight 84x120, bias 84)",
        "  '6' (weight 10x84, bias 10)",
        "it says: padding 0",
        "it fits --as lenet-max",
    ]


def test_the_only_network_that_fits_need_not_be_named(holmdel, tmp_path):
    done = holmdel("import", LENET_MAX, "--out", tmp_path / "run")
    assert done.out.startswith("lenet-max: 44,426 parameters")


@pytest.mark.parametrize(
    ("made", "words", "sentence"),
    [
        (
            "lenet",
            ("--as", "lenet-max"),
            "does not fit lenet-max: its layer 'f5' (weight 120x400, bias 120) stands where "
            "lenet-max has 'f5' (weight 120x256, bias 120); it fits with --as lenet or --as lenet5",
        ),
        (
            "lenet",
            ("--as", "alexnet"),
            "its layer 'c1' (weight 6x1x5x5, bias 6) stands where alexnet has 'conv1' "
            "(weight 96x1x11x11, bias 96); it fits with --as lenet",
        ),
        ("lenet", ("--as", "lenet", "--input", "1x64x64"), "it fits without the options that"),
        ("lenet", ("--as", "lenet", "--classes", "a,b"), "'a,b', 2 labels; the network has 10"),
        ("lenet", ("--as", "lenet", "--classes", "a,b,c,d,e,f,g,h,i,i"), "with a label twice"),
        ("lenet", ("--as", "lenet", "--classes", "mnits"), "classes was given as 'mnits'; expecte"),
        ("lenet", ("--as", "lenet", "--colour", "1"), "No such option: --colour"),
        ("lenet", ("--as", "lenet", "--size", "28"), "size was given as '28'; expected height"),
        ("lenet", ("--as", "lenet", "--std", "0"), "std was given as 0.0; expected a number above"),
        ("lenet", ("--as", "lanet"), "there is no network 'lanet'; choose from lenet"),
        ("lenet", ("--as", "lenet", "--out", "."), ". exists already; choose another --out"),
        ("lenet", (), "made.pt fits lenet, lenet5; name what it was trained as: --as lenet"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(holmdel, tmp_path, made, words, sentence):
    path = saved(Path("made.pt"), made)
    out = () if "--out" in words else ("--out", tmp_path / "run")
    done = holmdel("import", path, *words, *out)
    assert done.status == 2
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


STATE = {name: tensor.clone() for name, tensor in build("lenet").state_dict().items()}
LESS = dict(list(STATE.items())[:-2])
MORE = STATE | {"extra.weight": torch.zeros(3, 10)}
NORMED = nn.Sequential(nn.Conv2d(1, 6, 5), nn.BatchNorm2d(6)).state_dict()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (LESS, r"it ends where lenet goes on with 'output' \(weight 10x84"),
        (MORE, r"its layer 'extra' \(weight 3x10\) is one too many; nor does it fit another"),
        (NORMED, r"layer '1' \(weight 6, bias 6, running_mean 6"),
        ({k: v for k, v in STATE.items() if k != "c3.bias"}, r"'c3' \(weight 16x6x5x5\) stands"),
        (STATE | {"f6.bias": torch.full((84,), torch.nan)}, "no finite numbers in what would be"),
        (STATE | {"f6.bias": torch.full((84,), 1e300, dtype=torch.float64)}, "no finite numbers"),
        (STATE | {"f6.bias": torch.ones(84).int()}, "has 'f6.bias' of int32; expected floating"),
        (STATE | {"f6.bias": torch.ones(84).to_sparse()}, "has 'f6.bias' sparse or quantised"),
        ({"a": 1, "b": [2]}, r"a dictionary with no state dicts in it \(a, b\); save the state"),
        ({"a": STATE, "b": STATE}, r"holds 2 state dicts \(a, b\); say which is meant: --key a"),
        ([1, 2], "holds a list; expected a state dict"),
        (nn.Linear(2, 2), r"could run any code, .*; where it was made, run: net = torch\.load\('"),
    ],
)
def test_a_file_that_is_not_taken(tmp_path, content, sentence):
    torch.save(content, tmp_path / "file.pt")
    with pytest.raises(UserError, match=sentence):
        convert(read_weights(tmp_path / "file.pt"), "lenet")


class Bomb:
    """What a pickle could do when it is opened."""

    def __reduce__(self):
        return (Path.touch, (Path("exploded"),))


def test_a_pickle_is_never_run(tmp_path):
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb(), protocol=2))
    with pytest.raises(
        UserError, match=r"could run any code, .*\.state_dict\(\), 'bomb-state\.pt'"
    ):
        read_weights(tmp_path / "bomb.pt")
    assert not Path("exploded").exists()


def test_files_cut_short_and_of_another_format(tmp_path):
    whole = saved(tmp_path / "whole.pt").read_bytes()
    path = tmp_path / "file.pt"
    for content in (whole[:-100], whole[:1000], whole[:80] + b"?" + whole[81:90]):
        path.write_bytes(content)
        with pytest.raises(UserError, match="is cut short or damaged"):
            read_weights(path)
    path.write_bytes(b"\x08\0\0\0\0\0\0\0{broken}")
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        read_weights(path)
    for content in (b"GIF89a", b"root:x:0:0:root"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"another format; expected weights of PyTorch"):
            read_weights(path)
    with pytest.raises(UserError, match="is a folder, and none of TensorFlow or Orbax; expected"):
        read_weights(tmp_path)


def test_a_holmdel_model_needs_no_import(tmp_path):
    header = Header(network="lenet", options={}, classes=tuple("0123456789"), image=ImageContract())
    save_model(tmp_path / "model.safetensors", build("lenet"), header)
    with pytest.raises(UserError, match="is a holmdel model already; use it: holmdel predict"):
        read_weights(tmp_path / "model.safetensors")


def test_a_full_disk_leaves_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    (tmp_path / "here").mkdir()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, usual[1]))  # bytes a file, of 178,792
    try:
        with pytest.raises(UserError, match=r"model\.safetensors cannot be written \(File too lar"):
            import_weights(LENET_MAX, "lenet-max", tmp_path / "here" / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert list((tmp_path / "here").iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="file is a file; expected a folder to write model"):
        import_weights(LENET_MAX, "lenet-max", tmp_path / "file" / "run")


def test_there_is_no_training_to_resume(holmdel, tmp_path):
    import_weights(LENET_MAX, "lenet-max", tmp_path / "run")
    words = ("train", "lenet-max", "--data", "digits", "--out", tmp_path / "run", "--resume")
    done = holmdel(*words)
    assert done.status == 2
    assert "config.json is not of a training that can be gone on with" in done.err


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "run").mkdir()
    import_weights(LENET_MAX, "lenet-max", tmp_path / "run")
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_what_the_file_leaves_open_is_tried_on_data(holmdel, tmp_path):
    """The wrong activation is no error, but a network that guesses."""
    run = library.train("lenet", "digits", recipe="modern", epochs=4, out="run")
    torch.save(run.network.state_dict(), tmp_path / "own.pt")
    words = ("import", tmp_path / "own.pt", "--as", "lenet")
    plain = holmdel(*words)
    assert (
        "the file does not say activation (sigmoid, tanh, relu) nor pooling (avg, max)" in plain.out
    )
    tried = holmdel(*words, "--data", "digits", "--out", "taken")
    assert len([line for line in tried.out.splitlines() if " right of digits with " in line]) == 12
    taken = library.load("taken")
    assert taken.header.options["activation"] == "relu"
    assert taken.header.image.mean == pytest.approx(run.header.image.mean, abs=0.01)
    assert library.evaluate("taken", "digits").accuracy > 0.8
    assert "guessing" not in tried.out
    said = holmdel(*words, "--activation", "relu", "--pooling", "max", "--out", "said")
    assert "does not say" not in said.out


def test_where_nothing_fits_the_data_that_is_said(holmdel, tmp_path):
    torch.manual_seed(3)
    torch.save(build("lenet", activation="relu").state_dict(), tmp_path / "untrained.pt")
    words = ("import", tmp_path / "untrained.pt", "--as", "lenet", "--data", "digits")
    assert "none of these is better than guessing (0.1" in holmdel(*words, "--out", "taken").out
