"""The benchmark: what it prints and writes, how turns are ordered, who is named as missing."""

import json
import runpy
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from holmdel.benchmark.contenders import (
    CHANNELS_LAST,
    COMPILED,
    CONTIGUOUS,
    FUSED,
)
from holmdel.benchmark.runtimes import RUNTIMES
from holmdel.benchmark.time_to_accuracy import GOALS
from holmdel.benchmark.workload import lenet, lenet_max, multiply_adds
from holmdel.data import Split
from holmdel.engine import status
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from mirrored import mirrored_accuracy

ROOT = Path(__file__).parents[1]
QUICK = ("--seconds", "0.001", "--threads", "1", "--without", "torch.compile")
needs_engine = pytest.mark.skipif(status().name != "native", reason="needs the compiled engine")


@pytest.fixture
def measured(holmdel):
    """Returns a function that runs one case quickly, and gives what stands around and inside."""

    def run(case, *words):
        done = holmdel("bench", "--only", case, *QUICK, *words, "--json")
        assert done.status == 0, done.err
        around = json.loads(done.out)
        return around, around["cases"][case]

    return run


def test_json_has_the_engine_the_machine_and_the_figures(measured):
    around, case = measured("train-lenet", "--rounds", 1)
    told = {"engine", "peak_gflops", "machine", "load", "threads", "versions", "commit", "date"}
    assert told < set(around)
    assert around["versions"]["torch"] == torch.__version__
    assert around["threads"] == 1
    assert {"ratio", "ratios", "examples_per_sec", "skipped", "turns"} < set(case)


def test_contenders_run_once_a_round_in_turn(measured):
    _, case = measured("train-lenet", "--rounds", 2)
    first, second = (
        [turn["contender"] for turn in case["turns"] if turn["round"] == number]
        for number in (1, 2)
    )
    assert first == second
    assert len(set(first)) == len(first) >= 2
    assert [turn["round"] for turn in case["turns"]] == [1] * len(first) + [2] * len(first)


def test_every_trainer_runs_or_is_named_with_the_reason(measured):
    _, case = measured("train-lenet", "--rounds", 1)
    assert set(case["examples_per_sec"]) | set(case["skipped"]) == {
        FUSED,
        CHANNELS_LAST,
        CONTIGUOUS,
        COMPILED,
    }
    assert case["skipped"][COMPILED] == "left out by --without"
    assert all(case["skipped"].values())


def test_ratios_are_taken_inside_rounds(measured):
    _, case = measured("infer-1", "--rounds", 3)
    rates = {name: [] for name in case["examples_per_sec"]}
    for turn in case["turns"]:
        rates[turn["contender"]].append(turn["rate"])
        assert turn["rate"] == pytest.approx(turn["calls"] / turn["seconds"])
    one, *others = rates
    assert case["mine"] == one == "engine" or "engine" in case["skipped"]
    for name, ratio in case["ratios"].items():
        if ratio is not None:
            each = [a / b for a, b in zip(rates[one], rates[name], strict=True)]
            assert ratio["median"] == pytest.approx(statistics.median(each))
            assert ratio["lowest"] == pytest.approx(min(each))
            assert ratio["highest"] == pytest.approx(max(each))
    assert others


def test_without_an_engine_the_engine_is_named_and_the_rest_is_measured(holmdel, monkeypatch):
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", "none")
    done = holmdel("bench", "--only", "train-lenet", "--rounds", 1, *QUICK)
    assert done.status == 0
    assert done.out.startswith("PyTorch (HOLMDEL_INSTRUCTIONS=none); FMA peak not measured")
    assert "lenet, training, batch 256: no ratio\n" in done.out
    assert "skipped: engine, SGD fused (HOLMDEL_INSTRUCTIONS=none)" in done.out
    assert "examples/sec  PyTorch, channels-last" in done.out


@needs_engine
def test_the_ratio_stands_first(holmdel):
    done = holmdel("bench", "--only", "train-lenet-max", "--rounds", 1, *QUICK)
    line = next(ln for ln in done.out.splitlines() if ln.startswith("lenet-max with ReLU"))
    assert "x (" in line
    assert line.endswith("over PyTorch, channels-last")
    assert "% of the FMA peak" in done.out


def test_the_fastest_runtime_on_one_thread_or_on_all_is_the_opponent(measured):
    _, case = measured("infer-1", "--rounds", 1, "--threads", 2)
    names = [f"{name}, threads {count}" for name in RUNTIMES for count in (1, 2)]
    ran = case["examples_per_sec"]
    assert set(names) <= set(ran) | set(case["skipped"])
    rates = {name: ran[name]["median"] for name in names if name in ran}
    assert case["opponent"] == max(rates, key=rates.get, default=None)
    for name in set(names) - set(ran):
        assert "is not installed" in case["skipped"][name]


def test_multiply_adds_of_a_step_by_hand():
    c1, c3 = 6 * 25 * 28 * 28, 16 * 6 * 25 * 10 * 10
    dense = 400 * 120 + 120 * 84 + 84 * 10
    work = lenet(1)
    assert multiply_adds(work.build(), work.input) == 3 * (c1 + c3 + dense) - c1


def test_threads_are_put_back(holmdel):
    before = torch.get_num_threads()
    holmdel("bench", "--only", "infer-1", "--rounds", 1, *QUICK, "--threads", before + 1)
    assert torch.get_num_threads() == before


def test_unknown_names_are_refused(holmdel):
    done = holmdel("bench", "--only", "lenet")
    assert done.status == 2
    assert done.err.startswith("holmdel: there is no case 'lenet'; choose from train-lenet, ")
    done = holmdel("bench", "--without", "tensorflow")
    assert done.status == 2
    assert "there is no contender 'tensorflow'; they are: engine, SGD fused; " in done.err


@pytest.mark.slow
def test_time_to_accuracy_keeps_its_contract(holmdel, data_root):
    done = holmdel("bench", "--time-to-accuracy", "--rounds", 1, "--data-root", data_root, "--json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert list(found) == ["fashion-mnist-0.90", "mnist-0.99"]
    for name, goal in found.items():
        assert set(goal) == {"median", "seconds", "accuracy"}
        assert [goal["median"]] == goal["seconds"]
        assert goal["accuracy"][0] >= GOALS[name][1]


def test_a_failing_child_is_told_in_its_own_words(holmdel, tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"no pictures")
    done = holmdel("bench", "--time-to-accuracy", "--rounds", 1, "--data-root", tmp_path)
    assert done.status == 2
    assert "the training on fashion-mnist with seed 0 failed: " in done.err


@pytest.mark.parametrize("make", [lenet, lenet_max])
@pytest.mark.parametrize("name", RUNTIMES)
def test_runtimes_give_pytorchs_logits(name, make):
    work = make(3)
    expected = work.build()(work.batches(torch.contiguous_format)[0][0])
    try:
        logits = torch.as_tensor(RUNTIMES[name](work, 1)())
    except (ImportError, UserError) as error:
        if "is not installed" not in str(error) and isinstance(error, UserError):
            raise
        pytest.skip(f"{name} is not installed")
    torch.testing.assert_close(logits, expected.detach(), rtol=1e-4, atol=1e-5)


def test_weights_are_the_same_for_every_contender():
    work, networks = lenet_max(2), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        networks.append(work.build())
        assert torch.equal(torch.get_rng_state(), state)
    one, two = networks
    for mine, theirs in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_the_scripts_measure_what_the_documents_show(tmp_path):
    """`bench/compare.py` writes a file a case, with bars, and the curves as images."""
    words = ["gradients", "curve-threads", "train-lenet-avx2", "--rounds", "1"]
    words += ["--seconds", "0.001", "--threads", "1", "--out", str(tmp_path)]
    script = ROOT / "bench" / "compare.py"
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert set(found) == {"gradients", "curve-threads", "train-lenet-avx2"}
    assert found["train-lenet-avx2"]["bar"] == 2.5
    if status().name == "native":
        assert 0 < found["gradients"]["worst"] <= found["gradients"]["bar"]
    counts = [point["x"] for point in found["curve-threads"]["series"]["PyTorch, contiguous"]]
    assert counts[0] == 1
    with Image.open(tmp_path / "curve-threads.png") as image:
        assert image.width > image.height > 300


def test_every_line_of_the_documents_table_is_a_case(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "bench")
    compare = runpy.run_path(str(ROOT / "bench" / "compare.py"))
    table = runpy.run_path(str(ROOT / "docs" / "measured.py"))
    assert set(table["BENCHMARK"]) < set(compare["CASES"])
    assert set(table["GOALS"]) == set(GOALS)


def test_jax_trains_the_same_network(monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.syspath_prepend(ROOT / "bench")
    jax_step = runpy.run_path(str(ROOT / "bench" / "frameworks.py"))["jax_step"]
    work = lenet(16)
    module = work.build()
    optimizer = torch.optim.SGD(module.parameters(), lr=work.lr)
    step = jax_step(work)
    for images, labels in work.batches(torch.contiguous_format)[:3]:
        loss = F.cross_entropy(module(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert step() == pytest.approx(loss.item(), rel=1e-3)


def test_mirror_images_are_asked_with_the_images():
    images = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    images[0, 0, :, 0] = 200  # bright on the left
    images[1, 0, :, 1:3] = 200  # bright in the middle
    split = Split(images, torch.tensor([0, 1]))
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    with torch.no_grad():
        network[1].bias.copy_(torch.tensor([0.0, 3.0]))
        network[1].weight.zero_()
        network[1].weight[0, 3::4] = 2.0  # class 0 is seen where the right is bright
    contract = ImageContract(stored=(1, 4, 4), input=(1, 4, 4))
    assert float((network(images / 255).argmax(1) == split.labels).float().mean()) == 0.5
    assert mirrored_accuracy(network, contract, split) == 1.0
