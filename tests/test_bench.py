"""The benchmark: what it prints and writes, how turns are ordered, who is named as missing."""

import json
import runpy
import statistics
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from holmdel.benchmark.cases import CASES
from holmdel.benchmark.chains import NETWORKS_MEASURED, multiply_adds, workload
from holmdel.benchmark.goals import GOALS
from holmdel.benchmark.gradients import BAR
from holmdel.benchmark.inference import onnx_logits
from holmdel.benchmark.others import jax_step
from holmdel.benchmark.training import COMPILED, TRAINERS
from holmdel.engine import status

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
    assert {"ratio", "ratios", "examples_per_sec", "skipped", "turns", "bar", "aim"} < set(case)


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
    assert set(case["examples_per_sec"]) | set(case["skipped"]) == set(TRAINERS)
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
    done = holmdel("bench", "--only", "train-chain", "--only", "gradients", "--rounds", 1, *QUICK)
    assert done.status == 0
    assert done.out.startswith("PyTorch (HOLMDEL_INSTRUCTIONS=none); FMA peak not measured")
    assert "training, batch 256: no ratio; bar 3.5x" in done.out
    assert "skipped: engine, SGD fused (HOLMDEL_INSTRUCTIONS=none)" in done.out
    assert "examples/sec  PyTorch, channels-last" in done.out
    assert "gradients of 0 random chains against float64: not measured" in done.out


@needs_engine
def test_the_ratio_stands_first(holmdel):
    done = holmdel("bench", "--only", "train-lenet-max", "--rounds", 1, *QUICK)
    line = next(ln for ln in done.out.splitlines() if ln.startswith("lenet-max with ReLU"))
    assert "x (" in line
    assert line.endswith("over PyTorch, channels-last; bar 3.5x, aim 5x")
    assert "% of the FMA peak" in done.out


@needs_engine
def test_avx2_runs_in_a_process_of_its_own(measured):
    _, case = measured("train-lenet-avx2", "--rounds", 1)
    name = "engine, SGD fused, AVX2"
    if name in case["skipped"]:  # a processor of another kind
        assert "HOLMDEL_INSTRUCTIONS was set to 'avx2'" in case["skipped"][name]
    else:
        assert case["turns"][0]["contender"] == name


@needs_engine
def test_gradients_are_those_of_float64(measured):
    _, case = measured("gradients", "--rounds", 1)
    assert 0 < case["worst"] <= BAR
    assert case["worst"] == max(case["errors"].values())


def test_onnx_runtime_counts_with_its_better_setting(measured):
    pytest.importorskip("onnxruntime")
    _, case = measured("infer-256", "--rounds", 1, "--threads", 2)
    names = ("ONNX Runtime, threads 1", "ONNX Runtime, threads 2")
    best = max(names, key=lambda name: case["examples_per_sec"][name]["median"])
    assert case["opponent"] == best


@pytest.mark.parametrize("network", NETWORKS_MEASURED)
def test_onnx_graphs_give_pytorchs_logits(network):
    pytest.importorskip("onnxruntime")
    work = workload(network, 7)
    expected = work.build()(work.batches(torch.contiguous_format)[0][0])
    logits = torch.from_numpy(onnx_logits(work, 1)())
    torch.testing.assert_close(logits, expected.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS_MEASURED)
def test_jax_trains_the_same_network(network):
    pytest.importorskip("jax")
    work = workload(network, 16)
    module = work.build()
    optimizer = torch.optim.SGD(module.parameters(), lr=work.lr)
    step = jax_step(work)
    for pictures, labels in work.batches(torch.contiguous_format)[:3]:
        loss = F.cross_entropy(module(pictures), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert step() == pytest.approx(loss.item(), rel=1e-3)


def test_multiply_adds_of_a_step_by_hand():
    c1, c3 = 6 * 25 * 28 * 28, 16 * 6 * 25 * 10 * 10
    dense = 400 * 120 + 120 * 84 + 84 * 10
    work = workload("lenet", 1)
    assert multiply_adds(work.build(), work.input) == 3 * (c1 + c3 + dense) - c1


def test_weights_are_the_same_for_every_contender():
    work = workload("chain", 2)
    networks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        networks.append(work.build())
        assert torch.equal(torch.get_rng_state(), state)
    one, two = networks
    for mine, theirs in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_an_epoch_beside_the_books_loop(measured, data_root):
    _, case = measured("epoch-lenet", "--rounds", 1, "--limit", 64, "--data-root", data_root)
    assert list(case["examples_per_sec"]) == ["holmdel train", "the book's loop"]
    assert case["part"] == "a part: 64 pictures"
    assert case["opponent"] == "the book's loop"


def test_out_writes_a_file_a_case_and_the_curves(holmdel, tmp_path):
    words = ("--only", "curve-threads", "--only", "infer-1", "--rounds", 1)
    done = holmdel("bench", *words, *QUICK, "--out", tmp_path / "results")
    assert done.status == 0
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "curve-threads.json",
        "curve-threads.png",
        "curve-threads.svg",
        "infer-1.json",
    ]
    curve = json.loads((tmp_path / "results" / "curve-threads.json").read_text())
    assert curve["name"] == "curve-threads"
    assert curve["x"] == "threads"
    assert curve["y"] == "examples/sec"
    counts = [point["x"] for point in curve["series"]["PyTorch, contiguous"]]
    assert counts[0] == 1
    assert all(a < b for a, b in pairwise(counts))
    with Image.open(tmp_path / "results" / "curve-threads.png") as picture:
        assert picture.width > picture.height > 300


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
        assert goal["accuracy"][0] >= GOALS[name].accuracy


def test_a_failing_child_is_told_in_its_own_words(holmdel, tmp_path):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"no pictures")
    done = holmdel("bench", "--time-to-accuracy", "--rounds", 1, "--data-root", tmp_path)
    assert done.status == 2
    assert "the training on fashion-mnist with seed 0 failed: " in done.err


def test_every_line_of_the_readmes_table_is_a_case():
    table = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "measured.py"))
    assert set(table["BENCHMARK"]) < set(CASES)
    assert set(table["GOALS"]) == set(GOALS)
