"""The table of how the server answers, made from bench/results.jsonl."""

from typing import Any

from measured import Row, newest


def serving() -> str:
    """Returns the newest figures of the server and the page beside what is asked for."""
    served, drawn = newest("serve"), newest("page")
    lines = ["| what | bar | measured |", "| --- | --- | --- |"]
    if served:
        lines += _lines(served)
    if drawn:
        words = "drawing: pointer event to new maps on the screen, LeNet, 95th percentile"
        lines.append(f"| {words} | 50 ms | {drawn['p95']} ms (median {drawn['p50']}) |")
    if not served:
        return "Not measured yet."
    where = [f"`python bench/serve.py --record`, {served['date']}, commit {served['commit']}"]
    if drawn:
        where.append(f"`python bench/page.py --record`, {drawn['date']}, commit {drawn['commit']}")
    lines += ["", f"{'; '.join(where)}; {served['machine']}."]
    return "\n".join([*lines, *_beside(newest("servers"))])


def _beside(row: Row | None) -> list[str]:
    """Returns the table of this server beside others, and what was measured there."""
    if row is None:
        return []
    lines = [
        "",
        "| one digit, its probabilities back | 1 client | 64 clients |",
        "| --- | --- | --- |",
    ]
    for name, found in row["servers"].items():
        version = row["versions"].get(name, "")
        lines.append(
            f"| {f'{name} {version}'.strip()} | {_load(found['1'])} | {_load(found['64'])} |"
        )
    how = (
        "Requests a second; p50 / p99; the server's processor time a request. All but the binary "
        "one as JSON; the same weights for all, the others on ONNX Runtime; wrk on the same cores, "
        f"medians of {row['rounds']} rounds in turns of {row['seconds']:g} s. "
        f"`python bench/servers.py VENVS --record`, {row['date']}, commit {row['commit']}; "
        f"{row['machine']}."
    )
    return [*lines, "", how]


def _load(found: dict[str, Any]) -> str:
    errors = f", {found['bad']} errors" if found["bad"] else ""
    took = found["ms"]
    used = f"; {found['cpu_ms']} ms" if found["cpu_ms"] else ""
    return f"{found['per_sec']:,}; {took['p50']} / {took['p99']} ms{used}{errors}"


def _lines(served: Row) -> list[str]:
    """Returns the rows of one run of bench/serve.py."""
    alone, sustained, much = served["alone"], served["sustained"], served["overload"]
    memory = much["mb"]
    bad = {status: count for status, count in _statuses(sustained).items() if status != "200"}
    others = f", {sum(bad.values())} errors" if bad else ", no error"
    told = ", ".join(f"{count:,} of {status}" for status, count in _statuses(much).items())
    rows = [
        ("one digit PNG, classify, one client, p50 / p99", "3 / 10 ms", _times(alone, 50, 99)),
        (
            f"sustained on two cores, {sustained['clients']} clients",
            "1,500 requests/s, no error, p99 100 ms",
            f"{sustained['accepted_per_sec']:,} requests/s{others}, p99 {_times(sustained, 99)}",
        ),
        (
            f"ten times as many clients for {much['seconds']:.0f} s",
            "only 200 and 503, memory flat, healthy again within 1 s",
            f"{told}; accepted p99 {_times(much, 99)}; {memory['before']} MB before, "
            f"{memory['most']} at most; healthy after {much['healthy_after_seconds']} s",
        ),
        ("start of `holmdel serve` until it answers", "3 s", f"{served['start_seconds']} s"),
    ]
    return [f"| {' | '.join(row)} |" for row in rows]


def _statuses(found: dict[str, Any]) -> dict[str, int]:
    return dict(sorted(found["statuses"].items()))


def _times(found: dict[str, Any], *percentiles: int) -> str:
    """Returns the milliseconds that accepted requests took."""
    took = found["ms"]["200"]
    return " / ".join(str(took[f"p{percentile}"]) for percentile in percentiles) + " ms"
