"""Data sets: where they come from, how they are kept in memory, how batches are drawn."""

from holmdel.data.dataset import Dataset, Split

__all__ = ["Dataset", "Split"]
