"""TensorBoard events beside the run's own files (extra: tensorboard)."""

from pathlib import Path

from holmdel.errors import UserError
from holmdel.training.report import Epoch, Look, Progress, Reporter


class WithEvents:
    """A reporter that writes each epoch's figures as TensorBoard scalars, and tells another.

    Args:
        reporter: is told everything.
        folder: the run folder; the events go into it.

    Raises:
        UserError: if TensorBoard is not installed.
    """

    def __init__(self, reporter: Reporter, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError(
                "tensorboard was asked for and is not installed; "
                "install it with: pip install 'holmdel[tensorboard]'"
            ) from None
        self._reporter = reporter
        self._writer = SummaryWriter(str(folder))

    def start(self, title: str, epochs: int) -> None:
        """Passes it on."""
        self._reporter.start(title, epochs)

    def batch(self, progress: Progress) -> None:
        """Passes it on."""
        self._reporter.batch(progress)

    def epoch(self, history: list[Epoch]) -> None:
        """Writes the epoch's figures and passes it on."""
        figures = history[-1].to_json()
        number = figures.pop("epoch")
        for name, value in figures.items():
            self._writer.add_scalar(name, value, number)
        self._writer.flush()
        self._reporter.epoch(history)

    def note(self, sentence: str) -> None:
        """Passes it on."""
        self._reporter.note(sentence)

    def go_on(self, look: Look) -> bool:
        """Tells what the other tells."""
        return self._reporter.go_on(look)
