"""Training the reader of lines: on strings made on the fly, and on a user's labelled lines.

- `train`: `holmdel train reader`, from digits to the run folder of a reader
- `ctc`: the training loop; `processes` share its gradients, `batches` holds lines of like width
- `synthesis`: lines of handwriting, made on the fly
- `own_lines`: a user's lines: which are held out, how the others are varied
- `settings`, `run`: every setting; the result, its model card
"""

from holmdel.reader_training.run import LineReport, ReaderRun
from holmdel.reader_training.settings import ReaderPlan, make_plan
from holmdel.reader_training.train import show_samples, train_reader

__all__ = [
    "LineReport",
    "ReaderPlan",
    "ReaderRun",
    "make_plan",
    "show_samples",
    "train_reader",
]
