"""The page of records: every run of the times to an accuracy, a row each."""

from measured import GOALS, Row, records


def times() -> str:
    """Returns the records of time to accuracy, the oldest first."""
    head = ["date", "commit", *GOALS.values(), "machine", "log"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in records():
        if row["name"] == "time-to-accuracy":
            cells = [_told(row["goals"].get(goal)) for goal in GOALS]
            where = f"{row['machine']}, {row['threads']} threads, {row['engine']}"
            log = f"[log](../bench/logs/{row['log']})"
            lines.append(_line([row["date"], row["commit"], *cells, where, log]))
    return "\n".join(lines)


def _told(found: Row | None) -> str:
    """Returns a goal's median, its range, and the lowest accuracy that was reached."""
    if found is None:
        return ""
    seconds = found["seconds"]
    spread = f"{min(seconds):.2f}-{max(seconds):.2f}"
    return f"{found['median']:.2f} s ({spread}), {len(seconds)} seeds, >= {min(found['accuracy'])}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
