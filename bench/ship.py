"""Trains the weights that ship with the package, and puts them and their cards in their place.

    python bench/ship.py [--jobs 2]

Runs stand under bench/runs/ and are gone on with when the command is given again.
"""

import argparse
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from accuracy import RUNS, train

WEIGHTS = Path(__file__).parents[1] / "src" / "holmdel" / "weights"
SHIPPED = {"lenet-mnist": "mnist", "lenet-fashion-mnist": "fashion-mnist"}
RECIPE, SEED = "modern", 0


def ship(name: str, data: str, jobs: int) -> None:
    """Trains one model and copies what ships of it."""
    train("lenet", data, RECIPE, SEED, jobs)
    run = RUNS / f"lenet-{data}-{RECIPE}-{SEED}"
    WEIGHTS.mkdir(exist_ok=True)
    shutil.copyfile(run / "model.safetensors", WEIGHTS / f"{name}.safetensors")
    card = (run / "README.md").read_text(encoding="utf-8")
    card = card.replace("THIS_FOLDER", name).partition("![curves]")[0].rstrip() + "\n"
    (WEIGHTS / f"{name}.md").write_text(card, encoding="utf-8")


def main() -> None:
    """Ships every model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    jobs = parser.parse_args().jobs
    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(ship, name, data, jobs) for name, data in SHIPPED.items()]:
            done.result()


if __name__ == "__main__":
    main()
