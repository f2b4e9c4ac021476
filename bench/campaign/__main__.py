"""The campaign, or parts of it; found files and figures are kept in build/campaign.

    make campaign
    PYTHONPATH=bench python -m campaign [kills fuzz routes chains overload] [--seed 0] [--record]
    PYTHONPATH=bench python -m campaign mixed --hours 24

Each part says what it found in a line of JSON; the exit status is 1 where there were faults.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from campaign import chains, fuzz, kills, overload, routes
from record import record

BUILD = Path(__file__).parents[2] / "build" / "campaign"
HOUR = 3600


def tell(line: str) -> None:
    """Prints a line at once."""
    print(line, flush=True)


def killed(words: argparse.Namespace) -> Any:
    """Returns what kills left."""
    with tempfile.TemporaryDirectory() as work:
        return kills.kills(Path(work), words.seed, words.kills, tell, words.only, words.every)


def fuzzed(words: argparse.Namespace) -> Any:
    """Returns what damaged files did."""
    with tempfile.TemporaryDirectory() as work:
        found = BUILD / "found"
        return fuzz.campaign(words.seed, words.cases, Path(work), found, tell, words.only)


def routed(words: argparse.Namespace) -> Any:
    """Returns what damaged requests were answered with."""
    return routes.campaign(words.seed, words.requests, BUILD / "found", tell)


def chained(words: argparse.Namespace) -> Any:
    """Returns how chains ran under sanitizers."""
    return chains.campaign(words.seed, words.chains, tell)


def overloaded(words: argparse.Namespace) -> Any:
    """Returns what too much did to a server."""
    return overload.campaign(words.seed, words.seconds, words.times, tell)


PARTS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "kills": killed,
    "fuzz": fuzzed,
    "routes": routed,
    "chains": chained,
    "overload": overloaded,
}


def mixed(words: argparse.Namespace) -> Any:
    """Repeats damaged files, damaged requests and overload with new seeds for so many hours."""
    end, rounds, bad = time.time() + words.hours * HOUR, 0, 0
    words.cases, words.requests, words.seconds = 5_000, 2_000, 60.0
    while time.time() < end:
        rounds, words.seed = rounds + 1, words.seed + 1
        bad += sum(faults(PARTS[part](words)) for part in ("fuzz", "routes", "overload"))
    return {"rounds": rounds, "faults": ["see above"] * bad}


def faults(found: Any) -> int:
    """Returns how many faults a result tells of, wherever in it."""
    if not isinstance(found, dict):
        return 0
    told = ("faults", "failures", "unexpected", "errors_logged", "said")
    own = sum(len(found[name]) for name in told if name in found)
    return own + sum(faults(part) for part in found.values())


def arguments() -> argparse.Namespace:
    """Returns what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "mixed", []], default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=100, help="at random moments")
    parser.add_argument("--every", type=int, default=1, help="kill at every so many points")
    parser.add_argument("--cases", type=int, default=100_000, help="damaged files")
    parser.add_argument("--requests", type=int, default=20_000, help="damaged requests")
    parser.add_argument("--chains", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=300.0, help="of each overload")
    parser.add_argument("--times", type=float, default=5.0, help="what a server bears, open loop")
    parser.add_argument("--hours", type=float, default=24.0, help="of mixed load")
    parser.add_argument("--only", default="", help="part of the names of trainings or files")
    parser.add_argument("--record", action="store_true", help="in bench/results.jsonl")
    return parser.parse_args()


def main() -> None:
    """Runs the parts that were asked for; all but `mixed` if none was."""
    words = arguments()
    BUILD.mkdir(parents=True, exist_ok=True)
    bad = 0
    for name in words.parts or PARTS:
        began = time.perf_counter()
        found = mixed(words) if name == "mixed" else PARTS[name](words)
        seconds = round(time.perf_counter() - began)
        bad += faults(found)
        (BUILD / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
        if words.record:
            record(f"campaign-{name}", {"seed": words.seed, "took": seconds, "figures": found})
        tell(f"{name}: {faults(found)} faults in {seconds} s")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
