"""Training a network: settings and recipes, the loop, the run folder, the curves."""

from holmdel.training.job import prepare
from holmdel.training.loop import fit
from holmdel.training.rangetest import RangeTest, range_test
from holmdel.training.report import Epoch, Progress, Reporter, Silent
from holmdel.training.run import Run, RunFolder
from holmdel.training.settings import RECIPES, SETTINGS, Plan, TrainSettings, plan, read_config

__all__ = [
    "RECIPES",
    "SETTINGS",
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
    "read_config",
]
