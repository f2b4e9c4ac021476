"""Inputs in parts: into folders and stores, each exactly once, whoever ends in the middle."""

import builtins
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image, ImageDraw

import holmdel as holmdel_library
from holmdel.scale.run import Job, run
from holmdel.scale.work import ReadWork

Words = tuple[object, ...]


def write_line(path: Path, text: str) -> None:
    page = Image.new("L", (120, 40), 230)
    ImageDraw.Draw(page).text((10, 4), text, fill=20, font_size=26)
    page.save(path)


@pytest.fixture
def scans(tmp_path):
    """A folder of 70 lines, one of which is no image."""
    (tmp_path / "scans").mkdir()
    for number in range(70):
        write_line(tmp_path / "scans" / f"{number:02}.png", str(number))
    (tmp_path / "scans" / "17.png").write_text("no picture")
    return tmp_path / "scans"


@pytest.fixture
def words(scans, model) -> Words:
    return "read", scans, "--lines", "--model", model, "--jobs", 1


@pytest.fixture
def one_file(holmdel, words) -> list[str]:
    """The lines that a run into one file gives."""
    assert holmdel(*words, "--out", "one.jsonl").status == 1
    return Path("one.jsonl").read_text().splitlines()


def lines_of(folder: str | Path) -> list[str]:
    parts = sorted(Path(folder).glob("part-*.jsonl"))
    return [line for part in parts for line in part.read_text().splitlines()]


def test_parts_have_the_lines_of_one_file(holmdel, words, one_file):
    done = holmdel(*words, "--out", "parts/")
    assert done.status == 1
    assert "wrote parts/: 70 answers of 70 files in 3 parts" in done.err
    assert "1 failed: parts/_failed.jsonl" in done.err
    assert lines_of("parts") == one_file
    failed = Path("parts/_failed.jsonl").read_text()
    assert json.loads(failed)["error"].endswith("expected a PNG, JPEG, TIFF, ... file")
    manifest = json.loads(Path("parts/_manifest.json").read_text())
    assert manifest == {"parts": 3, "inputs": 70, "lines": 70, "failed": 1}


def test_a_job_is_gone_on_with_and_takes_what_has_come_since(holmdel, words, scans, one_file):
    holmdel(*words, "--out", "parts/")
    assert "exists already; give --resume" in holmdel(*words, "--out", "parts/").err
    Path("parts/_job/done/00001.json").unlink()  # as if the job had been killed
    Path("parts/part-00001.jsonl").write_text('{"path": "half')
    write_line(scans / "70.png", "70")
    done = holmdel(*words, "--out", "parts/", "--resume")
    assert "39 of 71 files" not in done.err
    assert "38 of 71 files are done already" in done.err
    assert lines_of("parts")[:70] == one_file
    assert [json.loads(line)["path"] for line in lines_of("parts")[70:]] == [str(scans / "70.png")]


def test_another_job_is_not_gone_on_with(holmdel, words):
    holmdel(*words, "--out", "parts/")
    done = holmdel(*words, "--pattern", "us-zip", "--out", "parts/", "--resume")
    assert done.status == 2
    assert "was begun with pattern 'digits' and cannot go on with 'us-zip'" in done.err
    Path("notes").mkdir()
    Path("notes/mine.txt").write_text("my notes")
    assert "notes holds other files" in holmdel(*words, "--out", "notes/").err


def test_stores_in_and_out(holmdel, scans, model, one_file):
    files = fsspec.filesystem("memory")
    files.put(str(scans), "/scans", recursive=True)
    words = ("--lines", "--model", model, "--jobs", 1)
    try:
        done = holmdel("read", "memory://scans", *words, "--out", "memory://answers")
        assert done.status == 1
        names = sorted(files.glob("/answers/part-*"))
        lines = b"".join(files.cat_file(name) for name in names).decode().splitlines()
        assert [json.loads(line)["path"] for line in lines[:1]] == ["memory:///scans/00.png"]
        renamed = [line.replace("memory:///scans", str(scans)) for line in lines]
        good = [line for line in renamed if "error" not in line]
        assert good == [line for line in one_file if "error" not in line]
    finally:
        files.rm("/", recursive=True)
    done = holmdel("read", "memory://nothing", *words, "--out", "parts/")
    assert "there is nothing to read at memory://nothing" in done.err
    done = holmdel("read", "gs9://bucket", *words, "--out", "parts2/")
    assert done.status == 2
    assert "gs9://bucket cannot be opened" in done.err


def test_pages_of_a_store_have_names_of_their_own(holmdel, tmp_path, model):
    pages = [Image.new("L", (120, 40), 230) for _ in range(3)]
    pages[0].save(tmp_path / "three.tif", save_all=True, append_images=pages[1:])
    url = f"file://{tmp_path}/three.tif"
    holmdel("read", url, "--model", model, "--jobs", 1, "--out", "parts/")
    found = [json.loads(line) for line in lines_of("parts")]
    assert [(one["path"], one["page"]) for one in found] == [
        (url, 1),
        (f"{url}#2", 2),
        (f"{url}#3", 3),
    ]


def test_parquet_has_the_same_answers(holmdel, words, one_file):
    datasets = pytest.importorskip("pyarrow.dataset")
    holmdel(*words, "--format", "parquet", "--out", "parts/")
    rows = datasets.dataset("parts").to_table().to_pylist()
    assert len(rows) == 70
    for row, line in zip(rows, map(json.loads, one_file), strict=True):
        assert row["path"] == line["path"]
        assert row["error"] == line.get("error")
        assert [one["text"] for one in row["lines"]] == [o["text"] for o in line.get("lines", ())]


def test_predictions_in_parts(holmdel, scans, run_folder):
    words = ("predict", run_folder, scans)
    done = holmdel(*words, "--out", "parts/", "--jobs", 1)
    assert done.status == 1
    assert lines_of("parts") == holmdel(*words, "--format", "jsonl").out.splitlines()


@dataclass(frozen=True)
class Fatal(ReadWork):
    """Reading in which an image named `deadly` ends the process, as one too large would."""

    def start(self) -> Callable[[list[object]], list[dict[str, object]]]:
        read = super().start()

        def answers(chunk: list[object]) -> list[dict[str, object]]:
            if any("deadly" in str(image) for image in chunk):
                os._exit(1)
            return read(chunk)

        return answers


def test_an_image_that_ends_its_worker_three_times_is_an_error(scans, model, tmp_path):
    from holmdel.reading import ReaderSettings

    shutil.copy(scans / "03.png", scans / "deadly.png")
    whole = ReadWork.of(ReaderSettings(model=model, lines=True))
    inputs = [str(path) for path in sorted(scans.iterdir())]
    done = run(Job(work=Fatal(**vars(whole)), out="parts", jobs=2), inputs)
    assert (done.lines, done.failed) == (71, 2)
    found = [json.loads(line) for line in lines_of("parts")]
    assert [one["path"] for one in found] == inputs
    [deadly] = [one for one in found if "deadly" in one["path"]]
    assert "ended the process that read it" in deadly["error"]


def test_a_job_that_is_killed_loses_nothing_and_says_nothing_twice(holmdel, words, one_file):
    process = subprocess.Popen(
        [sys.executable, "-m", "holmdel", *map(str, words), "--out", "parts/"],
        stderr=subprocess.DEVNULL,
    )
    while not list(Path("parts/_job").glob("done/*.json")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    holmdel(*words, "--out", "parts/", "--resume")
    assert lines_of("parts") == one_file


def test_the_workers_of_a_job_that_is_killed_end_with_it(words):
    process = subprocess.Popen(
        [sys.executable, "-m", "holmdel", *map(str, words), "--jobs", "2", "--out", "parts/"],
        stderr=subprocess.PIPE,
    )
    while not list(Path("parts/_job").glob("done/*.json")) and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)  # which waits for all that may still write to the pipe


def test_without_ray_the_flag_says_what_to_install(holmdel, words, monkeypatch):
    real = builtins.__import__

    def none_there(name: str, *rest: object) -> object:
        if name.partition(".")[0] == "ray":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", none_there)
    done = holmdel(*words, "--out", "parts/", "--ray")
    assert done.status == 2
    assert "pip install 'holmdel[ray]'" in done.err
    assert "--ray was given without --out" in holmdel(*words, "--ray").err


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("127.0.0.1:1", "there is no Ray cluster at 127.0.0.1:1 (Connection refused)"),
        ("nowhere.invalid:6379", "there is no Ray cluster at nowhere.invalid:6379"),
    ],
)
def test_an_address_where_no_cluster_is(holmdel, words, address, sentence):
    pytest.importorskip("ray")
    done = holmdel(*words, "--out", "parts/", "--ray", address)
    assert done.status == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not Path("parts").exists()


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\0\0"])
def test_an_address_where_something_else_listens(holmdel, words, said):
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_once, args=(server, said)).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        done = holmdel(*words, "--out", "parts/", "--ray", address)
    assert done.status == 2
    sentence = f"there is no Ray cluster at {address} (something else listens there); start one"
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not Path("parts").exists()


def answer_once(server: socket.socket, said: bytes) -> None:
    """Answers the first that connects, as no Ray cluster does."""
    connection, _ = server.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(said)


@pytest.fixture
def cluster() -> Iterator[object]:
    """A Ray cluster of a head and two nodes of one worker each."""
    utils = pytest.importorskip("ray.cluster_utils")
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (Ray's own spelling)
    store = {"object_store_memory": 100 * 2**20, "include_dashboard": False}
    found = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **store})
    for _ in range(2):
        found.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    yield found
    found.shutdown()


@pytest.mark.exhaustive
def test_over_ray_a_node_is_killed_and_nothing_is_lost(words, one_file, cluster):
    command = [sys.executable, "-m", "holmdel", *map(str, words[:-2])]
    job = subprocess.Popen([*command, "--out", "parts", "--ray", cluster.address])
    while not list(Path("parts/_job").glob("done/*.json")) and job.poll() is None:
        time.sleep(0.05)
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
    assert job.wait(timeout=300) == 1
    assert lines_of("parts") == one_file


@pytest.mark.exhaustive
def test_over_ray_an_evaluation_has_the_same_figures(holmdel, tmp_path, model, cluster):
    (tmp_path / "strings").mkdir()
    for number in range(70):
        write_line(tmp_path / "strings" / f"{number}.png", str(number))
    truth = "file\tdigits\n" + "".join(f"{n}.png\t{n}\n" for n in range(70))
    (tmp_path / "strings" / "truth.tsv").write_text(truth)
    digits = "lenet-mnist", "--data", "digits", "--limit", 300
    for words in ((model, "--strings", tmp_path / "strings"), digits):
        here = holmdel("evaluate", *words, "--json")
        there = holmdel("evaluate", *words, "--json", "--ray", cluster.address)
        assert (here.status, there.status) == (0, 0), there.err
        one, other = json.loads(here.out), json.loads(there.out)
        assert other.pop("confusion") == one.pop("confusion")
        assert other.pop("curve", 0) == one.pop("curve", 0)
        assert other == pytest.approx(one)


def test_an_evaluation_of_a_classifier_takes_jobs_with_ray_alone(holmdel):
    done = holmdel("evaluate", "lenet-mnist", "--jobs", 2)
    assert done.status == 2
    assert done.err == "holmdel: --jobs is for --strings, or for --ray; give one of them too\n"


SPACE = "lr = {low = 0.01, high = 1.0, log = true}\nbatch_size = [16, 64]\nlimit = 200\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has nothing to try"),
        ("lr = {low = 1.0, high = 0.1}", "lr goes from 1.0 to 0.1"),
        ("lr = {low = 0.1, most = 1.0}", "expected a list, or for a number"),
        ("lr = []", "lr is an empty list"),
        ("batch_size = [0, 16]", "batch_size was given as 0"),
        ("epochs = [1, 2]", "give --epochs instead"),
        ("learning_rate = [1]", "which is no setting"),
    ],
)
def test_a_mistake_in_a_space_is_one_sentence(holmdel, text, sentence):
    pytest.importorskip("ray.tune")
    Path("space.toml").write_text(text)
    done = holmdel("tune", "lenet", "--space", "space.toml", "--data", "digits", "--out", "search")
    assert done.status == 2
    assert sentence in done.err
    assert not Path("search").exists()


def test_a_training_without_the_test_split_is_judged_by_validation():
    given = {"epochs": 2, "limit": 200, "validation": 0.2, "use_test": False}
    run = holmdel_library.train("lenet", "digits", out="run", **given)
    assert run.history[-1].test_acc is None
    assert run.test_acc == run.history[-1].val_acc
    assert json.loads(Path("run/config.json").read_text())["data"]["test"] == 0
    assert "| validation accuracy |" in Path("run/README.md").read_text()
    again = holmdel_library.train("lenet", "digits", out="run", resume=True, **given)
    assert again.test_acc == run.test_acc


@pytest.fixture
def data_here() -> str:
    """The name of a data set's file in the working folder."""
    pixels = np.random.default_rng(0).integers(0, 255, (200, 28, 28), np.uint8)
    labels = np.arange(200) % 2
    np.savez("mine.npz", x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    return "mine.npz"


@pytest.mark.exhaustive
def test_a_training_over_ray_finds_data_by_the_path_that_is_given(data_here):
    pytest.importorskip("ray.train")
    words = ("train", "lenet", "--data", data_here, "--epochs", "1", "--out", "run", "--ray")
    command = [sys.executable, "-m", "holmdel", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("run/config.json").read_text())["data"]["name"] == data_here


@pytest.mark.exhaustive
def test_a_search_leaves_a_table_and_the_best_run(holmdel, data_here):
    pytest.importorskip("ray.tune")
    Path("space.toml").write_text(SPACE)
    words = ("tune", "lenet", "--space", "space.toml", "--data", data_here, "--out", "search")
    done = holmdel(*words, "--trials", 3, "--epochs", 3)
    assert done.status == 0, done.err
    rows = Path("search/trials.csv").read_text().splitlines()
    assert rows[0] == "val_acc,epochs,batch_size,lr,folder"
    assert len(rows) == 4
    assert not Path("search/best/resume.safetensors").exists()
    assert '"test_acc"' not in Path("search/best/metrics.jsonl").read_text()
    assert "exists already; give --resume" in holmdel(*words).err
