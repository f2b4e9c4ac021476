"""The README's one table of results, made from what bench/ has measured."""

from collections.abc import Iterator

from measured import GOALS, Row, accuracy_command, newest, records, result


def results() -> str:
    """Returns the main figures: what, measured, beside what, by which command."""
    head = ["| what | measured | beside | command |", "| --- | --- | --- | --- |"]
    rows = [*_training(), *_accuracies(), *_reading(), *_serving()]
    machines = sorted({row["machine"] for name in ("read", "serve") if (row := newest(name))})
    where = ["", f"Machine: {'; '.join(machines)}."]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows), *where])


def _training() -> Iterator[tuple[str, str, str, str]]:
    for name, what in (
        ("train-lenet", "training LeNet, batch 256"),
        ("epoch-lenet", "an epoch of `holmdel train lenet`, with its test"),
        ("infer-1", "LeNet, one image"),
    ):
        if (row := result(name)) and row["ratio"]:
            ratio, rate = row["ratio"]["median"], row["examples_per_sec"][row["mine"]]["median"]
            beside = f"{row['opponent']}: {rate / ratio:,.0f}"
            command = f"`python bench/compare.py {name}`"
            yield what, f"{rate:,.0f} images/s, {ratio:.1f} times", beside, command
    goals = (result("time-to-accuracy") or {}).get("goals", {})
    for name, what in GOALS.items():
        if name in goals:
            took = f"{goals[name]['median']:.1f} s"
            yield what, took, "", "`holmdel bench --time-to-accuracy`"


_NUMBERS = {3: "three", 5: "five"}


def _accuracies() -> Iterator[tuple[str, str, str, str]]:
    published = {
        ("lenet", "fashion-mnist", "book"): "the book: 0.779 to 0.825",
        ("lenet", "fashion-mnist", "modern"): "",
        ("lenet5", "mnist", "modern"): "LeNet-5, 1998, with distortions: 0.992",
    }
    found = {
        (row["network"], row["data"], row["recipe"]): row
        for row in records()
        if row["name"] == "accuracy"
    }
    for case, beside in published.items():
        if row := found.get(case):
            network, data, recipe = case
            seeds = _NUMBERS.get(len(row["seeds"]), str(len(row["seeds"])))
            what = f"`train {network} --recipe {recipe}`, {data}, test accuracy, {seeds} seeds"
            command = f"`{accuracy_command(row)}`"
            yield what, f"{row['mean']:.4f}", beside, command
            if both := row.get("mirrored"):
                yield "the same, mirror images asked too", f"{both['mean']:.4f}", "", command


def _reading() -> Iterator[tuple[str, str, str, str]]:
    if row := newest("read"):
        cheques = row["figures"]["cheques"]
        own, other = cheques["views"], cheques.get("Tesseract")
        beside = f"Tesseract: {_percent(other['right'])}" if other else ""
        command = f"`python bench/read.py --pattern {row['pattern']}`"
        yield "amounts on real cheques, read exactly", _percent(own["right"]), beside, command
        sure = _percent(own["correct at 1 % error, audited"])
        yield "read right where 1 % of all are read wrong, the rest rejected", sure, "", command
    if row := newest("read-speed"):
        speed = f"{row['lines a second']['views']:,}"
        what = "lines a second, the network and the search alone, one core"
        yield what, speed, "", "`python bench/read.py --record-speed`"


def _serving() -> Iterator[tuple[str, str, str, str]]:
    if row := newest("serve"):
        command = "`python bench/serve.py`"
        alone = row["alone"]["ms"]["200"]
        yield "a digit over HTTP, median and 99th percentile", _ms(alone), "", command
        yield (
            f"the same from {row['sustained']['clients']} clients",
            f"{row['sustained']['accepted_per_sec']:,} requests/s",
            "",
            command,
        )


def _percent(share: list[float]) -> str:
    value, low, high = share
    return f"{100 * value:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def _ms(took: Row) -> str:
    return f"{took['p50']} ms, {took['p99']} ms"
