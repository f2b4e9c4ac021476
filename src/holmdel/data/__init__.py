"""Data sets: where they come from, how they are kept in memory, how batches are drawn."""

from holmdel.data.dataset import Dataset, Split
from holmdel.data.download import Progress
from holmdel.data.loading import load, names, unknown
from holmdel.data.sources import SOURCES

__all__ = ["SOURCES", "Dataset", "Progress", "Split", "load", "names", "unknown"]
