"""Time to accuracy: from the start of a process to the end of the training that reaches it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from holmdel.benchmark.rounds import Conditions, spread
from holmdel.errors import UserError


class Goal(NamedTuple):
    """An accuracy on a data set's test pictures, in so many seconds at most."""

    data: str
    accuracy: float
    bar: float
    aim: float


GOALS = {
    "fashion-mnist-0.90": Goal("fashion-mnist", 0.90, bar=10, aim=5),
    "mnist-0.99": Goal("mnist", 0.99, bar=5, aim=3),
}


@dataclass(frozen=True)
class Reached:
    """What the processes of one goal did, one by seed.

    Attributes:
        goal: what was to be reached.
        seconds: from before a process was started to after it had ended.
        accuracy: on the test pictures, 0..1, as each process says.
    """

    goal: Goal
    seconds: list[float]
    accuracy: list[float]

    def to_json(self) -> dict[str, Any]:
        """Returns the figures, JSON-ready."""
        median = spread(self.seconds).median
        return {"median": median, "seconds": self.seconds, "accuracy": self.accuracy}

    def asked(self) -> dict[str, float]:
        """Returns the seconds that will do and those hoped for, JSON-ready."""
        return {"bar": self.goal.bar, "aim": self.goal.aim}

    def line(self, name: str) -> str:
        """Returns the figures for people."""
        found = spread(self.seconds)
        there = sum(accuracy >= self.goal.accuracy for accuracy in self.accuracy)
        return (
            f"{name}: {found.median:.2f} s ({found.lowest:.2f}-{found.highest:.2f}), "
            f"{there} of {len(self.seconds)} seeds reached it, lowest {min(self.accuracy):.4f}; "
            f"bar {self.goal.bar:g} s, aim {self.goal.aim:g} s"
        )


def time_to_accuracy(conditions: Conditions) -> dict[str, Reached]:
    """Returns how long each goal took: a fresh process a seed, the goals in turns.

    Args:
        conditions: as many seeds as rounds, from 0 on.

    Raises:
        UserError: if a process fails, such as without the data set.
    """
    reached = {name: Reached(goal, [], []) for name, goal in GOALS.items()}
    for seed in range(conditions.rounds):
        for found in reached.values():
            seconds, accuracy = _once(found.goal.data, seed, conditions)
            found.seconds.append(seconds)
            found.accuracy.append(accuracy)
    return reached


def _once(data: str, seed: int, conditions: Conditions) -> tuple[float, float]:
    """Returns the seconds of one process from start to end, and the accuracy that it says."""
    command = [sys.executable, "-m", "holmdel.benchmark.reach", data, "--seed", str(seed)]
    around = os.environ | {"OMP_NUM_THREADS": str(conditions.threads)}
    if conditions.data_root:
        around["HOLMDEL_DATA"] = str(conditions.data_root)
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=around)
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"the training on {data} with seed {seed} failed: {last}")
    return seconds, float(json.loads(done.stdout.splitlines()[-1])["accuracy"])
