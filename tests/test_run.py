"""What a training gives back, what is told of it, and the old names of both."""

import pytest

import holmdel as library
from holmdel.training.callbacks import Callback, Stopped

SMALL = {"epochs": 1, "limit": 64}


def test_a_run_shows_its_main_figures():
    run = library.train("lenet", "digits", out="run", **SMALL)
    figures = f"loss {run.loss:.3f}, train acc {run.train_acc:.3f}, test acc {run.test_acc:.3f}"
    assert repr(run) == f"Run(network lenet, data digits, epochs 1, {figures}, folder run)"
    page = run._repr_html_()
    assert page.startswith("<table><tr><th>network</th><td>lenet</td></tr>")
    assert page.rstrip().endswith("</svg>")
    assert repr(library.train("lenet", "digits", out="run", resume=True)) == repr(run)


def test_a_run_has_its_classifier():
    run = library.train("lenet", "digits", out="run", **SMALL)
    assert run.classifier.classes == tuple("0123456789")


class Counter(Callback):
    def __init__(self) -> None:
        self.batches = self.epochs = 0

    def between_batches(self, snapshot) -> None:
        self.batches += 1

    def epoch(self, history) -> None:
        self.epochs = len(history)


def test_several_callbacks_are_told():
    counters = [Counter(), Counter()]
    library.train("lenet", "digits", out="run", callbacks=counters, batch_size=16, **SMALL)
    assert [(c.batches, c.epochs) for c in counters] == [(4, 1), (4, 1)]


def test_the_old_name_of_the_parameter_works_and_warns():
    counter = Counter()
    with pytest.warns(DeprecationWarning, match="'reporter' of train is now 'callbacks'"):
        library.train("lenet", "digits", out="run", reporter=counter, **SMALL)
    assert counter.epochs == 1


class Reporter:
    """A reporter as it was before there were callbacks: it stops a training by saying no."""

    def __init__(self) -> None:
        self.notes = []

    def start(self, title, epochs) -> None: ...

    def batch(self, progress) -> None: ...

    def epoch(self, history) -> None: ...

    def note(self, sentence) -> None:
        self.notes.append(sentence)

    def go_on(self, look) -> bool:
        return False


def test_an_old_reporter_stops_a_training_and_warns():
    old = Reporter()
    with (
        pytest.warns(DeprecationWarning, match="go_on .* is now Callback.between_batches"),
        pytest.raises(Stopped),
    ):
        library.train("lenet", "digits", out="run", callbacks=old, **SMALL)
    assert old.notes


@pytest.mark.parametrize(("old", "new"), [("Silent", "Callback"), ("Reporter", "Callback")])
def test_old_names_of_the_room_work_and_warn(old, new):
    from holmdel import training

    with pytest.warns(DeprecationWarning, match=f"training.{old} is now .*{new}"):
        assert getattr(training, old) is Callback
