"""The tables of measured figures, made from bench/results.jsonl and bench/results/."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parents[1] / "bench" / "results.jsonl"
RESULTS = FIGURES.with_suffix("")  # the folder that `make bench` fills
Row = dict[str, Any]

# loss, train acc, test acc, examples/sec as printed in Dive into Deep Learning, 10 epochs each on a
# GPU; by the cases of bench/reproduce.py.
PUBLISHED: dict[str, tuple[str, list[tuple[str, str, str, str, str]]]] = {
    "lenet": ("LeNet", [("PyTorch", ".469", ".823", ".779", "55,297")]),
    "lenet-max": ("LeNet, max pooling", [("MXNet", ".479", ".820", ".825", "52,695")]),
    "alexnet": ("AlexNet", [("PyTorch", ".331", ".878", ".883", "3,942")]),
    "alexnet-mxnet": ("AlexNet, no padding", [("MXNet", ".329", ".880", ".891", "")]),
    "vgg11": (
        "VGG-11 / 4",
        [("PyTorch", ".178", ".935", ".920", "2,464"), ("MXNet", ".177", ".935", ".925", "")],
    ),
    "nin": ("NiN", [("PyTorch", ".563", ".786", ".790", "3,088")]),
    "googlenet": ("GoogLeNet", [("PyTorch", ".262", ".900", ".886", "3,266")]),
}
FULL_EPOCHS, FULL_TRAIN = 10, 60_000

# What `make bench` measures for the README's table, by the files that it writes.
BENCHMARK = {
    "train-lenet": "LeNet training (`lenet`, batch 256, float32); the aim is 85 % of FMA peak",
    "epoch-lenet": "whole epochs of `holmdel train lenet`",
    "train-lenet-max": "`lenet-max` with ReLU, training",
    "train-chain": "a chain of three convolutions that nothing was tuned for, training",
    "train-lenet-avx2": "LeNet training with AVX2 only",
    "infer-256": "LeNet inference at batch 256",
    "infer-1": "LeNet inference, one image",
    "epoch-alexnet": "AlexNet training at 224 on the CPU",
}
GOALS = {
    "fashion-mnist-0.90": "Fashion-MNIST 0.90 from process start, the NumPy LeNet",
    "mnist-0.99": "MNIST 0.99 from process start, the NumPy LeNet",
}
GRADIENTS = "gradients against float64 PyTorch, every tensor of random chains, relative"


def figures() -> str:
    """Returns the newest record of every benchmark as a table."""
    newest: dict[tuple[str, ...], Row] = {}
    for row in records():
        if row["name"] in SENTENCES:
            key = (row["name"], *(str(row.get(k, "")) for k in ("network", "data", "recipe")))
            newest[key] = row
    lines = ["| what | figure | command | date | commit |", "| --- | --- | --- | --- | --- |"]
    for row in newest.values():
        what, figure, command = SENTENCES[row["name"]](row)
        lines.append(f"| {what} | {figure} | `{command}` | {row['date']} | {row['commit']} |")
    machines = sorted({row["machine"] for row in newest.values()})
    return "\n".join([*lines, "", f"Machine: {'; '.join(machines)}."])


def benchmark() -> str:
    """Returns what `make bench` measured, beside what is asked for."""
    lines = [_line(["what", "bar", "aim", "measured"]), _line(["---"] * 4)]
    lines += [_asked(words, result(name), "x", _compared) for name, words in BENCHMARK.items()]
    goals = (result("time-to-accuracy") or {}).get("goals", {})
    lines += [_asked(words, goals.get(name), " s", _reached) for name, words in GOALS.items()]
    lines.append(_asked(GRADIENTS, result("gradients"), "", _erred))
    told = {
        _surroundings(row)
        for name in (*BENCHMARK, "time-to-accuracy", "gradients")
        if (row := result(name))
    }
    return "\n".join([*lines, "", *sorted(told)]).rstrip()


def curves() -> str:
    """Returns the curves that `make bench` drew."""
    found = sorted(path.stem for path in RESULTS.glob("curve-*.svg"))
    parts = [f"![{(result(name) or {})['title']}](../bench/results/{name}.svg)" for name in found]
    return "\n\n".join(parts) or "Not measured yet."


def _asked(words: str, row: Row | None, unit: str, measured: Callable[[Row], str]) -> str:
    """Returns a line: what, bar, aim, what was measured."""
    if row is None:
        return _line([words, "", "", "not measured"])
    bar, aim = (f"{row[key]:g}{unit}" if key in row else "" for key in ("bar", "aim"))
    return _line([words, bar, aim, measured(row)])


def _surroundings(row: Row) -> str:
    return (
        f"Measured on {row['machine']}: {row['threads']} threads, {row['engine']}, torch "
        f"{row['versions']['torch']}, commit {row['commit']}, {row['date']}{_busy(row['load'])}."
    )


def result(name: str) -> Row | None:
    """Returns what `make bench` measured of a case; None if it has not."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _busy(load: float | None) -> str:
    """Returns a remark where others kept more than half a core busy."""
    return f", others kept {load:g} cores busy" if load and load > 0.5 else ""


def _compared(row: Row) -> str:
    """Returns a comparison's ratio and its range."""
    if row["ratio"] is None:
        skipped = "; ".join(f"{name}: {why}" for name, why in row["skipped"].items())
        return f"not measured ({skipped})"
    ratio, rate = row["ratio"], row["examples_per_sec"][row["mine"]]["median"]
    text = f"{ratio['median']:.2f}x ({ratio['lowest']:.2f}-{ratio['highest']:.2f}) over "
    text += f"{row['opponent']}; {rate:,.0f} examples/sec"
    if row["share_of_peak"]:
        text += f", {100 * row['share_of_peak']['median']:.0f} % of FMA peak"
    return text + (f"; {row['part']}" if row["part"] else "")


def _erred(row: Row) -> str:
    worst = row["worst"]
    return "not measured" if worst is None else f"{worst:.1e}, {len(row['errors'])} chains"


def _reached(goal: Row) -> str:
    seconds, accuracy = goal["seconds"], goal["accuracy"]
    return (
        f"{goal['median']:.1f} s ({min(seconds):.1f}-{max(seconds):.1f}), {len(seconds)} seeds; "
        f"accuracy {min(accuracy):.4f}-{max(accuracy):.4f}"
    )


def reproduction() -> str:
    """Returns the runs of bench/reproduce.py beside the figures that the book prints."""
    head = [
        "network",
        "input",
        "run",
        "seed",
        "loss",
        "train acc",
        "test acc",
        "examples/sec",
        "device",
        "log",
    ]
    lines = [_line(head), _line(["---"] * len(head))]
    runs = [row for row in records() if row["name"] == "reproduce"]
    for case, (title, printed) in PUBLISHED.items():
        for edition, *values in printed:
            lines.append(_line([title, "", f"printed, {edition}", "", *values, "GPU", ""]))
        own = _newest([row for row in runs if row["network"] == case])
        whole = [row for row in own if _is_whole(row)]
        lines += [_run_line(title, row) for row in whole]
        if not whole:
            lines.append(_line([title, "", "10 epochs of 60,000: not run", *[""] * 7]))
        lines += [_run_line(title, row) for row in own if not _is_whole(row)]
    machines = sorted({row["machine"] for row in runs})
    return "\n".join([*lines, "", f"Machine: {'; '.join(machines)}."])


def starts() -> str:
    """Returns after how many batches a loss had left chance, by network, weights and seed."""
    rows = {
        (row["network"], row["input"], row["init"], row["clip"]): row
        for row in records()
        if row["name"] == "starts"
    }
    lines = ["| network | input | weights | gradient | seeds from 0 |", _line(["---"] * 5)]
    for _, row in sorted(rows.items()):
        gradient = f"clipped to {row['clip']:g}" if row["clip"] else "as it is"
        cells = [row["network"], row["input"], row["init"], gradient]
        lines.append(_line([*cells, ", ".join(map(str, row["batches"]))]))
    return "\n".join(lines)


def _run_line(title: str, row: Row) -> str:
    what = f"{row['epochs']} epochs of {row['train']:,}"
    if not _is_whole(row):
        what += f", tested on {row['test']:,}: a part"
    if row["restarts"]:
        what += f", started over {row['restarts']} times"
    numbers = [f"{row[key]:.3f}".lstrip("0") for key in ("loss", "train_acc", "test_acc")]
    name = Path(row["log"]).name
    rest = [f"{row['examples_per_sec']:,.0f}", row["device"], f"[log](../bench/logs/{name})"]
    return _line([title, row["input"], what, row["seed"], *numbers, *rest])


def _is_whole(row: Row) -> bool:
    whole: bool = row["epochs"] == FULL_EPOCHS and row["train"] == FULL_TRAIN
    return whole


def _newest(rows: list[Row]) -> list[Row]:
    """Returns the last row of each (epochs, examples, device, seed), by these."""
    keys = ("epochs", "train", "device", "seed")
    last = {tuple(row[key] for key in keys): row for row in rows}
    return [last[key] for key in sorted(last)]


def _line(cells: list[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def records() -> list[Row]:
    """Returns the lines of bench/results.jsonl, the oldest first."""
    return [json.loads(line) for line in FIGURES.read_text(encoding="utf-8").splitlines()]


def newest(name: str) -> Row | None:
    """Returns the last record of a benchmark, or None."""
    return next((row for row in reversed(records()) if row["name"] == name), None)


def accuracy_command(row: Row) -> str:
    """Returns what measures an accuracy again."""
    case = f"python bench/accuracy.py {row['network']} {row['data']} {row['recipe']}"
    usual = row["seeds"] == [0, 1, 2, 3, 4]
    return case if usual else f"{case} --seeds {' '.join(map(str, row['seeds']))}"


def _accuracy(row: Row) -> tuple[str, str, str]:
    what = f"`train {row['network']} --recipe {row['recipe']}`, {row['data']}, test accuracy"
    each = ", ".join(f"{value:.4f}" for value in row["test_acc"])
    seeds = f"mean of seeds {', '.join(map(str, row['seeds']))}"
    figure = f"{row['mean']:.4f} ({seeds}: {each}; error {100 * (1 - row['mean']):.2f} %)"
    if both := row.get("mirrored"):
        each = ", ".join(f"{value:.4f}" for value in both["test_acc"])
        figure += f"; mirror images asked too: {both['mean']:.4f} ({each})"
    return what, figure, accuracy_command(row)


def _overhead(row: Row) -> tuple[str, str, str]:
    what = "cost of progress, metrics, states and curves over a bare PyTorch loop"
    return what, f"{100 * (row['ratio'] - 1):.1f} %", "python bench/overhead.py"


def _footprint(row: Row) -> tuple[str, str, str]:
    what = "`holmdel --help`; peak memory of `train lenet` on Fashion-MNIST"
    figure = f"{row['help_seconds']:.2f} s; {row['peak_mb']} MB"
    return what, figure, "python bench/footprint.py"


def _loaders(row: Row) -> tuple[str, str, str]:
    what = "going through Fashion-MNIST by the book's loaders, as a multiple of `holmdel.d2l`'s"
    small, large = row["ratio_28_workers_4"], row["ratio_96_workers_4"]
    return what, f"{small:.0f} at 28x28, {large:.1f} at 96x96", "python bench/loaders.py"


def _anatomy(row: Row) -> tuple[str, str, str]:
    what = "`holmdel.inspect` of VGG-16 at 3x224x224; peak memory beyond torch's"
    return what, f"{row['seconds']:.2f} s; {row['beyond_torch_mb']} MB", "python bench/anatomy.py"


SENTENCES: dict[str, Callable[[Row], tuple[str, str, str]]] = {
    "accuracy": _accuracy,
    "anatomy": _anatomy,
    "overhead": _overhead,
    "footprint": _footprint,
    "loaders": _loaders,
}
