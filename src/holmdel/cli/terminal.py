"""The console that tables are printed on."""

from rich.console import Console


class Terminal(Console):
    """A console that leaves it to the command what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        """Raises the error again, where rich would exit with 1."""
        raise BrokenPipeError
