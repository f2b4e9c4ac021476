"""`holmdel export` in further forms: 8 bits, lines, OpenVINO, PyTorch's own files."""

import json
import warnings
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from holmdel.alphabet import STRIDE
from holmdel.checkpoint import Header, load_line_model
from holmdel.classifier import Classifier, load
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.training.train import train

onnxruntime = pytest.importorskip("onnxruntime")


def test_eight_bits_are_smaller_and_as_right(holmdel, tmp_path):
    out = tmp_path / "q.onnx"
    command = ["export", "lenet-mnist", "--to", "onnx", "--out", out, "--data", "digits"]
    done = holmdel(*command, "--quantize", "--tolerance", "1")
    assert (done.status, done.err) == (0, "")
    assert "accuracy " in done.out
    facts = json.loads((tmp_path / "export.json").read_text())["q.onnx"]["facts"]
    large, small = facts["size"]
    assert small == out.stat().st_size <= 0.35 * large
    before, after = facts["accuracy"]
    assert after >= before - 0.01
    refused = holmdel(*command, "--quantize", "--tolerance", "-100", "--force")
    assert refused.status == 2
    assert "--tolerance is -100 points; nothing was written" in refused.err
    assert out.stat().st_size == small


@pytest.fixture(scope="module")
def own_images(tmp_path_factory):
    """A folder of two classes, one file of which is broken, and a run that was trained on it."""
    folder = tmp_path_factory.mktemp("own images")
    for shade, name in enumerate(("dark ones", "light")):
        (folder / name).mkdir()
        for number in range(6):
            pixels = np.full((28, 28), 40 + 150 * shade + number, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    (folder / "light" / "broken one.png").write_bytes(b"no image")
    run = tmp_path_factory.mktemp("run") / "run"
    train("lenet", str(folder), out=run, epochs=1, skip_broken=True)
    return run


def test_a_run_is_compared_on_its_own_images_where_some_are_broken(holmdel, own_images, tmp_path):
    out = tmp_path / "a.onnx"
    words = ("export", own_images, "--to", "onnx", "--quantize", "--tolerance", "99")
    done = holmdel(*words, "--out", out)
    assert done.status == 0, done.err
    assert done.out.startswith("12 images of own images")
    assert "accuracy " in done.out


def test_eight_bits_without_labels_are_no_accuracy(holmdel, run_folder, tmp_path):
    words = ("export", run_folder, "--to", "onnx", "--quantize", "--tolerance", "99")
    said = holmdel(*words, "--out", tmp_path / "a.onnx").out
    assert "no labelled images are here: " in said
    assert "are named as before, " in said
    assert "accuracy" not in said
    refused = holmdel(*words[:-1], "-1", "--out", tmp_path / "b.onnx").err
    assert "are named as before, " in refused
    assert "right" not in refused


def test_a_file_where_the_folder_should_be(holmdel, run_folder, tmp_path):
    (tmp_path / "taken").write_text("")
    for to, out in (("c", "taken"), ("onnx", "taken/deep/a.onnx")):
        done = holmdel("export", run_folder, "--to", to, "--out", tmp_path / out)
        assert done.status == 2
        assert "taken is a file; expected a folder to write " in done.err
    assert (tmp_path / "taken").read_text() == ""


def test_options_of_another_format(holmdel, run_folder):
    done = holmdel("export", run_folder, "--to", "pt2", "--out", "m.pt2", "--quantize")
    assert done.status == 2
    assert "--quantize is no option of pt2" in done.err


def test_a_line_reader_of_any_width(holmdel, model, tmp_path):
    out = tmp_path / "lines.onnx"
    done = holmdel("export", model, "--to", "onnx", "--out", out)
    assert (done.status, done.err) == (0, "")
    network, _ = load_line_model(model)
    session = onnxruntime.InferenceSession(out)
    assert session.get_inputs()[0].shape == ["N", 1, 32, "W"]
    lines = torch.rand(2, 1, 32, 91)
    with torch.no_grad():
        expected = network(lines).numpy()
    logits, probabilities = session.run(None, {"images": lines.numpy()})
    assert logits.shape == (2, len(network.alphabet) + 1, 91 // 4 * 4 // STRIDE)
    assert np.abs(logits - expected).max() < 1e-4
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    refused = holmdel("export", model, "--to", "c", "--out", tmp_path / "c")
    assert "reads lines; such a model goes out as --to onnx" in refused.err


def test_weights_by_name(holmdel, run_folder, tmp_path):
    out = tmp_path / "m.safetensors"
    assert holmdel("export", run_folder, "--to", "safetensors", "--out", out).status == 0
    state = load(run_folder).network.state_dict()
    found = load_file(out)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    assert json.loads((tmp_path / "m.json").read_text())["classes"] == list("abcdefghij")
    report = json.loads((tmp_path / "export.json").read_text())["m.safetensors"]
    assert report["files"] == ["m.safetensors", "m.json"]


def test_weights_whose_answers_are_no_numbers_leave_no_file(tmp_path):
    classifier = of_a_learner()
    with torch.no_grad():
        next(classifier.network.parameters()).fill_(3e38)  # sums of which are no numbers
    with pytest.raises(UserError, match="nothing was written"):
        classifier.export(tmp_path / "m.safetensors", to="safetensors")
    assert not list(tmp_path.glob("*.*"))


@pytest.mark.exhaustive
def test_an_archive_of_torch_export_holds_no_image(run_folder, tmp_path):
    classifier = load(run_folder)
    images = torch.full((3, 1, 28, 28), 77, dtype=torch.uint8)
    classifier.export(tmp_path / "m.pt2", to="pt2", images=images)
    program = torch.export.load(tmp_path / "m.pt2")
    logits, _ = program.module()(images)
    assert torch.allclose(logits, classifier.logits(images), atol=1e-5)
    with zipfile.ZipFile(tmp_path / "m.pt2") as archive:
        assert not any(bytes([77] * 50) in archive.read(name) for name in archive.namelist())
    assert program.example_inputs is None or not program.example_inputs[0][0].any()


def pooled(pool):
    """Returns a classifier of one pooling, whose last window hangs over the edge."""
    after = pool(torch.zeros(1, 1, 12, 15))[0].numel()
    network = nn.Sequential(pool, nn.Flatten(), nn.Linear(after, 3))
    contract = ImageContract(stored=(1, 12, 15), input=(1, 12, 15), framing="fit", mean=0.3)
    header = Header(network="own", options={}, classes=("a", "b", "c"), image=contract)
    return Classifier(network, header)


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("ceil", [True, False])
@pytest.mark.parametrize("kind", ["largest", "average"])
def test_openvino_pools_as_pytorch_does(kind, ceil, counted, tmp_path):
    pytest.importorskip("openvino")
    if kind == "largest":
        pool = nn.MaxPool2d(3, 2, 1, ceil_mode=ceil)
    else:
        pool = nn.AvgPool2d(3, 2, 1, ceil, counted)
    report = pooled(pool).export(tmp_path / "m.xml", to="openvino")
    assert report.difference <= 1e-5


def test_openvino_writes_two_files(holmdel, run_folder, tmp_path):
    openvino = pytest.importorskip("openvino")
    out = tmp_path / "m.xml"
    done = holmdel("export", run_folder, "--to", "openvino", "--out", out)
    assert (done.status, done.err) == (0, "")
    model = openvino.Core().read_model(out)
    images = np.zeros((2, 1, 28, 28), np.uint8)
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    found = openvino.compile_model(model, "CPU", hint)(images)
    expected = load(run_folder).logits(torch.from_numpy(images)).numpy()
    assert np.abs(found["logits"] - expected).max() < 1e-5
    with pytest.raises(UserError, match=r"whose files end in \.xml and \.bin"):
        load(run_folder).export(tmp_path / "m.onnx", to="openvino")


def of_a_learner(size=(18, 21), ceil=False) -> Classifier:
    """Returns a network in training mode: batch norm, dropout, adaptive pooling."""
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1),
        nn.BatchNorm2d(5),
        nn.ReLU(),
        nn.AvgPool2d(3, 2, ceil_mode=ceil),
        nn.Dropout(0.5),
        nn.Conv2d(5, 4, 3),
        nn.AdaptiveAvgPool2d((2, 3)),
        nn.Flatten(),
        nn.Linear(24, 3),
    )
    network(torch.rand(4, 3, *size))
    contract = ImageContract(stored=(3, *size), input=(3, *size), framing="fit", mean=0.4, std=0.2)
    return Classifier(
        network, Header(network="own", options={}, classes=("a", "b", "c"), image=contract)
    )


def test_torchscript_takes_any_number_of_images(holmdel, run_folder, tmp_path):
    out = tmp_path / "m.pt"
    assert holmdel("export", run_folder, "--to", "torchscript", "--out", out).status == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated
        extra = {"holmdel.json": ""}
        program = torch.jit.load(out, _extra_files=extra)
    images = torch.randint(0, 256, (5, 1, 28, 28), dtype=torch.uint8)
    logits, probabilities = program(images)
    assert torch.allclose(logits, load(run_folder).logits(images), atol=1e-5)
    assert torch.allclose(probabilities.sum(1), torch.ones(5))
    assert json.loads(extra["holmdel.json"])["classes"] == list("abcdefghij")


def test_ncnn_takes_pixels_and_answers_as_the_network_does(tmp_path):
    ncnn = pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    classifier = of_a_learner()
    report = classifier.export(tmp_path / "m.param", to="ncnn")
    assert report.difference <= 1e-5
    assert report.files == ("m.param", "m.bin", "m.json")
    net = ncnn.Net()
    net.opt.use_fp16_storage = False
    net.load_param(str(tmp_path / "m.param"))
    net.load_model(str(tmp_path / "m.bin"))
    image = np.random.default_rng(2).integers(0, 256, (18, 21, 3), np.uint8)
    extractor = net.create_extractor()
    rows, columns = image.shape[:2]
    mat = ncnn.Mat.from_pixels(image, ncnn.Mat.PixelType.PIXEL_RGB, columns, rows)
    extractor.input("in0", mat)
    _, logits = extractor.extract("out0")
    pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())[None]
    assert np.allclose(np.array(logits), classifier.logits(pixels)[0].numpy(), atol=1e-4)
    with pytest.raises(UserError, match=r"whose files end in \.param and \.bin"):
        classifier.export(tmp_path / "m.onnx", to="ncnn")


def test_ncnn_divides_windows_over_the_edge_by_all_of_them(tmp_path):
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    with pytest.raises(UserError, match="the layer 3 averages with ceil_mode, and ncnn divides"):
        of_a_learner(ceil=True).export(tmp_path / "m.param", to="ncnn")
    assert not (tmp_path / "m.param").exists()


def test_litert_answers_as_the_network_does(tmp_path):
    pytest.importorskip("litert_torch")
    classifier = of_a_learner(ceil=True)
    report = classifier.export(tmp_path / "m.tflite", to="tflite")
    assert report.difference <= 1e-5
    assert report.files == ("m.tflite", "m.json")
    assert json.loads((tmp_path / "m.json").read_text())["classes"] == ["a", "b", "c"]


def test_a_converter_that_is_not_installed_is_named(run_folder, tmp_path):
    try:
        import litert_torch  # noqa: F401
    except ImportError:
        with pytest.raises(UserError, match="litert_torch is not installed; LiteRT's files need"):
            load(run_folder).export(tmp_path / "m.tflite", to="tflite")
