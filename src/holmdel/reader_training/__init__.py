"""Training the reader of lines: on strings made on the fly, and on a user's labelled lines."""

from holmdel.reader_training.folder import LineReport
from holmdel.reader_training.plan import ReaderPlan, make_plan
from holmdel.reader_training.run import ReaderRun, show_samples, train_reader

__all__ = [
    "LineReport",
    "ReaderPlan",
    "ReaderRun",
    "make_plan",
    "show_samples",
    "train_reader",
]
