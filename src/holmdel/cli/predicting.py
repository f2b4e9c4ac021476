"""What `holmdel predict` does, once it is known what was asked; and the short way to ask it."""

from collections.abc import Iterator
from pathlib import Path

from holmdel.cli.answers import Gallery, Result, choose_printer, with_progress
from holmdel.cli.ending import DONE, SOME_FAILED
from holmdel.cli.inputs import find_images
from holmdel.cli.loading import loading
from holmdel.prediction import Failure, or_failure
from holmdel.runtime import classifier_of


def print_answers(
    model: str,
    paths: list[str],
    form: str,
    top: int,
    show: Path | None = None,
    device: str = "cpu",
    engine: str = "auto",
) -> int:
    """Prints what a model says of images; returns the exit status.

    Args:
        model: as for `classifier_of`.
        paths: as for `find_images`.
        form: `table`, `jsonl` or `csv`.
        top: how many classes to name.
        show: a folder for images of what the network saw.
        device: as for `classifier_of`.
        engine: likewise.

    Raises:
        UserError: for a model, a form or a folder that cannot be used, or no image at all.
    """
    print_results = choose_printer(form)
    images, count = find_images(paths)
    with loading():
        classifier = classifier_of(model, device, engine)
    results = classifier.predict_each(images, top=top)
    watch = _Watch(show)
    print_results(watch.over(with_progress(results, count)))
    return SOME_FAILED if watch.failed else DONE


class _Watch:
    """Passes results on; saves what was seen, and remembers whether one failed."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.failed = False

    def over(self, results: Iterator[Result]) -> Iterator[Result]:
        gallery = Gallery(self.folder) if self.folder else None
        for result in map(or_failure, results):
            if isinstance(result, Failure):
                self.failed = True
            elif gallery:
                gallery.add(result)
            yield result
