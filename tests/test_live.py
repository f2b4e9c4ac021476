"""Progress while a training runs: on a terminal, in a notebook, in TensorBoard."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import holmdel as library
from holmdel.cli.live import curve_lines, duration
from holmdel.training.callbacks import Animator
from holmdel.training.history import Epoch, draw_curves, text_curve


def epochs(*losses: float) -> list[Epoch]:
    return [
        Epoch(i, loss, 0.5, 0.6, 0.9, None, 0.1, 1000.0, 900.0, 1.0)
        for i, loss in enumerate(losses, start=1)
    ]


def test_on_a_terminal_a_bar_and_the_curves_are_live():
    """A pseudo-terminal stands for the user's: the program finds one and draws on it."""
    ours, theirs = pty.openpty()
    words = ("train", "lenet", "--data", "digits", "--epochs", "3", "--out", "run")
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(
        [sys.executable, "-m", "holmdel", *words],
        stdout=theirs,
        stderr=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        seen = read_all(ours)
    assert process.returncode == 0, seen
    assert "epoch 3/3" in seen
    assert "examples/sec" in seen
    assert " left" in seen
    assert "train loss" in seen
    assert any(0x2801 <= ord(character) <= 0x28FF for character in seen)  # braille dots
    assert seen.rstrip().endswith("on cpu")


def read_all(terminal: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux tells the end of a pseudo-terminal so
            break
        if not part:
            break
        parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode(errors="replace")


def test_text_curves_are_high_where_the_value_is():
    falling = text_curve([4.0, 3.0, 2.0, 1.0], width=4, height=4)
    assert [len(line) for line in falling] == [4] * 4
    assert falling[0][0] != "⠀" != falling[3][3]
    assert falling[3][0] == falling[0][3] == "⠀"


def test_two_curves_stand_side_by_side():
    lines = curve_lines(epochs(2.0, 1.0))
    assert lines[0].split("  ")[0] == "train loss 1.000 (1.000 to 2.000)"
    assert lines[0].endswith("test acc 0.600 (0.600 to 0.600)")
    assert curve_lines([]) == []


def test_durations_read_like_a_clock():
    assert [duration(s) for s in (0, 59.6, 3600 + 61)] == ["0:00", "1:00", "1:01:01"]


def test_curves_are_png_and_svg():
    files = draw_curves(epochs(2.0, 1.0, 0.5))
    assert files["png"].startswith(b"\x89PNG")
    assert b"<svg" in files["svg"]


BESIDE = """
import sys
from holmdel.training.beside import drawing_beside, draw_curves
with drawing_beside() as process:
    from holmdel.training.history import Epoch
    epochs = [Epoch(n, 1 / n, 0.5, 0.6, 1.0, None, 0.1, 1.0, 1.0, 1.0) for n in (1, 2, 3)]
    asked = draw_curves(epochs)
    assert "matplotlib" not in sys.modules
    process.kill()
    process.wait()
    own = draw_curves(epochs)
assert asked.keys() == own.keys() == {"png", "svg"}
assert asked["png"] == own["png"]
"""
TRAINED = """
import sys
from holmdel.cli.app import run
try:
    run(["train", "lenet", "--data", "digits", "--epochs", "1", "--limit", "64", "--out", "run"])
except SystemExit as end:
    print(end.code, "matplotlib" in sys.modules)
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="nothing is gained on one processor")
def test_curves_are_drawn_by_another_process_or_by_this_one_if_that_dies():
    subprocess.run([sys.executable, "-c", BESIDE], check=True)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="nothing is gained on one processor")
def test_a_training_from_the_command_line_does_not_load_what_draws():
    words = [sys.executable, "-c", TRAINED]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
    assert Path("run/curves.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in Path("run/curves.svg").read_bytes()


def test_in_a_notebook_the_curves_are_redrawn_in_place():
    pytest.importorskip("IPython", reason="needs IPython, which a notebook brings")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    InteractiveShell.instance()
    with capture_output() as captured:
        run = library.train("lenet", "digits", out="run", epochs=2, limit=64, callbacks=Animator())
    assert len(run.history) == 2
    data, engine, first, second, ended = captured.outputs
    assert data.data["text/plain"].startswith("digits: ")
    assert engine.data["text/plain"].startswith(("native engine", "PyTorch"))
    assert ended.data["text/plain"].startswith("the training ended at chance: ")
    assert first.data["image/png"] != second.data["image/png"]
    InteractiveShell.clear_instance()


def test_tensorboard_events_are_an_extra():
    pytest.importorskip("tensorboard", reason="needs the extra holmdel[tensorboard]")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = library.train("lenet", "digits", out="run", epochs=2, limit=64, tensorboard=True)
    events = EventAccumulator(str(Path("run")))
    events.Reload()
    losses = [event.value for event in events.Scalars("loss")]
    assert losses == pytest.approx([epoch.loss for epoch in run.history])
