"""Training a network: settings and recipes, the loop, the run folder, the curves."""

from holmdel.settings import RECIPES, TrainSettings
from holmdel.training.job import prepare
from holmdel.training.loop import fit
from holmdel.training.rangetest import RangeTest, range_test
from holmdel.training.report import Epoch, Progress, Reporter, Silent
from holmdel.training.run import Run, RunFolder
from holmdel.training.settings import Plan, plan

__all__ = [
    "RECIPES",
    "Epoch",
    "Plan",
    "Progress",
    "RangeTest",
    "Reporter",
    "Run",
    "RunFolder",
    "Silent",
    "TrainSettings",
    "fit",
    "plan",
    "prepare",
    "range_test",
]
