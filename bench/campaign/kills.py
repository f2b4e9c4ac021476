"""Trainings killed at every change of a file, and at random; each must end as an unbroken one."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

from campaign.trainings import FULL, KILL, TRAININGS

SOURCE = Path(__file__).with_name("points.c")
CLOCK = re.compile(r"[\d.,]+ (?:examples|lines)/sec|[\d.]+ (?:s|minutes)\b")
FIGURES = ("epoch", "loss", "train_acc", "val_acc", "test_acc", "test_loss", "lr", "lines", "right")
MOST = 1_000  # points of a training
KILLED = -9


class Trainer:
    """Trainings in processes that are killed.

    Args:
        work: a folder for what they leave.
    """

    def __init__(self, work: Path) -> None:
        library = work / "points.so"
        words = ["cc", "-shared", "-fPIC", "-O1", str(SOURCE), "-o", str(library), "-ldl"]
        subprocess.run(words, check=True)
        material = work / "material"
        material.mkdir()
        self.work = work
        self.process = subprocess.Popen(
            [sys.executable, "-m", "campaign.trainings", str(material)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"},
        )

    def ask(self, training: str, folder: Path, at: int = 0, **more: Any) -> dict[str, Any]:
        """Returns how a training ended that was killed at a point; 0 for none."""
        asked = {"training": training, "folder": str(folder), "at": at, "mode": KILL, **more}
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


def ended(folder: Path) -> dict[str, Any]:
    """Returns what a run left, without what its clock says."""
    left: dict[str, Any] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".jsonl":
            rows = [json.loads(row) for row in path.read_text().splitlines()]
            left[path.name] = [{name: row.get(name) for name in FIGURES} for row in rows]
        elif path.suffix in (".json", ".safetensors", ".py"):
            left[path.name] = path.read_bytes()
        elif path.suffix == ".md":
            left[path.name] = CLOCK.sub("", path.read_text())
        else:
            left[path.name] = None
    return left


def differences(folder: Path, truth: dict[str, Any]) -> list[str]:
    """Returns the names of files that are not as an unbroken run left them; of texts, how."""
    found = ended(folder)
    names = sorted(name for name in found | truth if found.get(name, 0) != truth.get(name, 0))
    return [f"{name}{_how(found.get(name), truth.get(name))}" for name in names]


def _how(found: Any, truth: Any) -> str:
    """Returns the first line of a text that another lacks, and what that has there."""
    if not (isinstance(found, str) and isinstance(truth, str)):
        return ""
    pairs = zip_longest(found.splitlines(), truth.splitlines())
    return next(f" ({one!r} for {other!r})" for one, other in pairs if one != other)


def last_said(folder: Path) -> str:
    """Returns the last line that a training printed."""
    log = Path(f"{folder}.log")
    return log.read_text().strip().rpartition("\n")[2] if log.exists() else ""


class Campaign:
    """The kills of one training, at every point or at every so many."""

    def __init__(self, trainer: Trainer, training: str, dice: random.Random, every: int) -> None:
        self.trainer, self.training, self.dice, self.every = trainer, training, dice, every
        self.number = 0
        self.failures: list[str] = []
        self.counts: Counter[str] = Counter()
        folder = self.fresh()
        answer = trainer.ask(training, folder)
        if answer["status"]:
            sys.exit(f"{training}: {Path(f'{folder}.log').read_text()}")
        self.seconds = float(answer["took"])
        self.points = int(Path(f"{folder}.count").read_text())
        self.truth = ended(folder)

    def fresh(self) -> Path:
        """Returns a run folder that is not there yet."""
        self.number += 1
        return self.trainer.work / f"run-{TRAININGS_NUMBER[self.training]}-{self.number}"

    def goes_on(self, folder: Path, what: str) -> None:
        """Lets a training end, and compares what it left."""
        answer = self.trainer.ask(self.training, folder)
        wrong = differences(folder, self.truth) if answer["status"] == 0 else ["does not go on"]
        if wrong:
            self.failures.append(f"{self.training}, {what}: {', '.join(wrong)} {last_said(folder)}")
        shutil.rmtree(folder, ignore_errors=True)

    def chosen(self) -> range:
        """Returns the points at which is killed."""
        return range(self.dice.randint(1, self.every), self.points + 1, self.every)

    def at_each_point(self) -> None:
        """Kills at each change of a file; every other time once more after going on."""
        for turn, at in enumerate(self.chosen()):
            folder = self.fresh()
            status = self.trainer.ask(self.training, folder, at)["status"]
            what = f"killed at {at}"
            self.counts["killed at a point"] += status == KILLED
            if turn % 2:
                again = self.dice.randint(1, self.points)
                status = self.trainer.ask(self.training, folder, again)["status"]
                self.counts["killed again after going on"] += status == KILLED
                what += f", then at {again}"
            self.goes_on(folder, what)

    def at_random(self, times: int) -> None:
        """Kills at random moments."""
        for _ in range(times):
            folder, seconds = self.fresh(), self.dice.uniform(0, self.seconds)
            status = self.trainer.ask(self.training, folder, seconds=seconds)["status"]
            self.counts["killed at random"] += status == KILLED
            self.goes_on(folder, f"killed after {seconds:.3f} s")

    def on_a_full_disk(self) -> None:
        """Lets the disk be full from each point on: a sentence, and then as if it had not been."""
        for at in self.chosen():
            folder = self.fresh()
            status = self.trainer.ask(self.training, folder, at, mode=FULL)["status"]
            self.counts["full disk"] += status == 2
            if status not in (0, 2):
                said = last_said(folder)
                self.failures.append(f"{self.training}, full at {at}: {status} {said}")
            self.goes_on(folder, f"disk full from {at}")


TRAININGS_NUMBER = {name: number for number, name in enumerate(TRAININGS)}


def kills(
    work: Path,
    seed: int,
    times: int,
    tell: Callable[[str], None],
    only: str = "",
    every: int = 1,
) -> dict[str, Any]:
    """Returns what survived.

    Args:
        work: an empty folder.
        seed: of what is random.
        times: how many kills at random moments, over all trainings.
        tell: is told how it goes.
        only: a part of the names of the trainings that are meant.
        every: kill at every so many of the points.
    """
    trainer = Trainer(work)
    chosen = [name for name in TRAININGS if only in name]
    found: dict[str, Any] = {}
    for name in chosen:
        campaign = Campaign(trainer, name, random.Random(seed), every)
        campaign.at_each_point()
        campaign.at_random(-(-times // len(chosen)))
        if name == chosen[0]:
            campaign.on_a_full_disk()
        about: dict[str, Any] = {
            "points": campaign.points,
            **campaign.counts,
            "failures": campaign.failures,
        }
        found[name] = about
        tell(f"{name}: {json.dumps(about)}")
    trainer.process.communicate()
    return found
