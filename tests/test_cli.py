"""The command itself: its help, its version, its exit statuses."""

import re
import subprocess
import sys

import pytest

import holmdel as library
from holmdel.settings import OPTIONS, READER, TRAINING

VERBS = ("train", "evaluate", "predict", "inspect", "import", "data", "demo")


def test_help_names_every_verb_and_does_not_load_torch():
    program = (
        "import sys\nfrom holmdel.cli.app import run\n"
        "try:\n    run(['--help'])\nfinally:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert all(f" {verb} " in done.stdout for verb in VERBS)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("words", [("inspect", "googlenet"), ("inspect", "googlenet", "--json")])
def test_a_reader_that_has_seen_enough_is_no_mistake(words):
    """As `holmdel inspect googlenet | head -1`."""
    command = [sys.executable, "-m", "holmdel", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_importing_the_package_does_not_load_torch():
    program = "import sys, holmdel; print('torch' in sys.modules, hasattr(holmdel, 'nonsense'))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_without_a_verb_the_verbs_in_groups_and_how_to_begin(holmdel):
    done = holmdel()
    assert done.status == 0
    assert all(f" {verb} " in done.out for verb in VERBS)
    for group in ("Train and measure", "See inside", "Put to work", "Data and weights"):
        assert f" {group} " in done.out
    for command in ("holmdel demo", "holmdel inspect lenet", "holmdel serve", "--help"):
        assert command in done.out


def test_train_has_a_flag_for_every_setting_and_option(holmdel):
    text = holmdel("train", "--help").out
    for about in [*TRAINING.values(), *OPTIONS.values(), *READER.values()]:
        assert f" {about.flag} " in text


def test_version(holmdel):
    assert holmdel("--version").out.strip() == library.__version__


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_at_most_thirteen_flags_in_its_first_group(holmdel, verb):
    text = holmdel(verb, "--help").out
    first = text.partition("─ Options ─")[2].partition("╰")[0]
    flags = [line for line in first.splitlines() if re.match(r"│[ *]+--", line.strip())]
    assert len(flags) <= 13 + 1  # and --help


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("trian",), "No such command 'trian'. Did you mean 'train'?"),
        (("train",), "Missing argument 'network'"),
        (("evaluate", "m", "--json", "yes"), "unexpected extra argument"),
        (("train", "lenet", "--epochs", "many"), "epochs was given as 'many'; expected a whole"),
    ],
)
def test_a_slip_of_the_hand_is_one_sentence(holmdel, words, sentence):
    done = holmdel(*words)
    assert done.status == 2
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1
