"""What takes files and texts from people: each door opens one, and gives back what it made of it.

Only what a user calls is called. A door answers, or raises a UserError; anything else is a fault.
"""

import contextlib
import io
import itertools
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

import holmdel
from holmdel import data
from holmdel.checkpoint import load_line_model
from holmdel.errors import UserError
from holmdel.exchange import convert, read_weights
from holmdel.exchange.fitting import fits
from holmdel.exchange.listing import listing
from holmdel.files.tensors import load_tensors
from holmdel.images import decode_page, pages
from holmdel.reading import items, read_labelled
from holmdel.reading.cheques import open_cheque
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.review import Review
from holmdel.reading.trust import calibration_path, load_calibration
from holmdel.schema import read_config
from holmdel.settings import OPTIONS, TRAINING
from holmdel.training.callbacks import Callback, Stopped
from holmdel.training.settings import plan

INDEX, PART = "model.safetensors.index.json", "model-00001-of-00002.safetensors"
CHECKPOINT = "keras-checkpoint.index"
PAGES = 3  # of a file that are decoded


class Look(Callback):
    """Stops a training before its first batch, when all has been read."""

    def start(self, title: str, epochs: int) -> None:
        """Stops it."""
        raise Stopped


def classifier(path: Path) -> object:
    """Returns the weights and the header of a classifier's file."""
    found = holmdel.load(path)
    return _plain(found.network.state_dict()), found.classes, found.contract


def line_reader(path: Path) -> object:
    """Returns the weights and the trust of a reader's file."""
    network, trust = load_line_model(path)
    return _plain(network.state_dict()), json.dumps(trust)


def _plain(state: dict[str, torch.Tensor]) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in state.items()}


def in_run(name: str, run: str = "run") -> Callable[[Path], object]:
    """Returns the door of a file in a run folder that is gone on with; it lies beside the file."""

    def go_on(path: Path) -> None:
        folder = path.parent / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(path.parent / run, folder)
        shutil.copyfile(path, folder / name)
        with contextlib.suppress(Stopped):
            holmdel.train("lenet", "digits", out=folder, resume=True, callbacks=Look())

    return go_on


def calibration(path: Path) -> object:
    """Returns the confidences fitted for a reader, kept in a file of the home folder."""
    kept = calibration_path()
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, kept)
    return load_calibration(path.parent / "reader.safetensors")


def state(path: Path) -> object:
    """Returns what a state has that a training goes on from."""
    in_run(path.name)(path)
    texts = load_tensors(path)[1]
    return _plain(load_tensors(path)[0]), {name: json.loads(text) for name, text in texts.items()}


def weights(path: Path) -> object:
    """Returns what is in a file of another framework, and a network that it fits with them."""
    found = read_weights(path)
    return listing(found), convert(found, next(iter(fits(found)), "lenet-max")).options


def beside(folder: str, name: str, given: str) -> Callable[[Path], object]:
    """Returns the door of weights in several files, of which one is this; another is given."""

    def together(path: Path) -> object:
        copy = path.parent / f"copy-{folder}"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(path.parent / folder, copy)
        shutil.copyfile(path, copy / name)
        return weights(copy / given)

    return together


def image(path: Path) -> object:
    """Returns the pixels of a file's first pages."""
    found = itertools.islice(pages(str(path)), PAGES)
    return [decode_page(page, channels=1).pixels.shape for page in found]


def cheques(path: Path) -> object:
    """Returns the records and images of a file of cheques."""
    found = itertools.islice(items(str(path)), PAGES)
    return [open_cheque(item)[0] for item in found]


def template(path: Path) -> object:
    """Returns the form that a TOML file describes; its reference lies beside it."""
    return holmdel.Template.load(path)


def truth(path: Path) -> object:
    """Returns the labelled strings of a folder that has this table."""
    shutil.copyfile(path, path.parent / "truth.tsv")
    return read_labelled(path.parent)


def settings(path: Path) -> object:
    """Returns what a file of settings makes of a training."""
    return plan("lenet", "digits", read_config(path, [*TRAINING, *OPTIONS]))


def data_set(path: Path) -> object:
    """Returns the size of a data set of one file."""
    return len(data.load(path).train)


def idx_folder(path: Path) -> object:
    """Returns the size of a data set of IDX files, of which this is one."""
    shutil.copyfile(path, path.parent / "idx" / "train-images-idx3-ubyte")
    return len(data.load(path.parent / "idx").train)


def pattern(path: Path) -> object:
    """Returns the automaton of a pattern, the text of a file."""
    return parse_pattern(path.read_text(encoding="utf-8", errors="surrogatepass"))


def codes(path: Path) -> object:
    """Returns the pattern of a list of codes."""
    return parse_pattern(f"list:{path}")


def answers(path: Path) -> object:
    """Returns how many lines of a file of answers are to be reviewed."""
    return len(Review(path, path.parent / "reviewed", everything=True).items)


def command_line(path: Path) -> object:
    """Runs the command line with the words of a file: a JSON list, or the file is one word."""
    from holmdel.cli.app import run

    text = path.read_text(encoding="utf-8", errors="surrogatepass")
    try:
        words = [str(word) for word in json.loads(text)]
    except (ValueError, TypeError, RecursionError):
        words = [text]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            run(words)
        except SystemExit as end:
            if end.code not in (0, 1, 2, None) or "Traceback" in said.getvalue():
                raise RuntimeError(f"{end.code}: {said.getvalue()[-500:]}") from None
    return None


def exported(path: Path) -> object:
    """Returns the classes of an exported ONNX file."""
    from holmdel import runtime

    return runtime.load(path).classes


@dataclass(frozen=True)
class Door:
    """What opens files of a kind.

    Attributes:
        open: does so.
        name: of the file that it is given.
        same: whether what is accepted must be what the undamaged file gives.
    """

    open: Callable[[Path], object]
    name: str
    same: bool = False


DOORS = {
    "classifier": Door(classifier, "model.safetensors", same=True),
    "classifier-header": Door(classifier, "model.safetensors"),
    "reader": Door(line_reader, "line.safetensors", same=True),
    "reader-header": Door(line_reader, "line.safetensors"),
    "state": Door(state, "resume.safetensors", same=True),
    "state-header": Door(in_run("resume.safetensors"), "resume.safetensors"),
    "config": Door(in_run("config.json"), "config.json"),
    "metrics": Door(in_run("metrics.jsonl", "done"), "metrics.jsonl"),
    "calibration": Door(calibration, "calibration.json"),
    "weights": Door(weights, "weights.bin"),
    "weights-torch": Door(weights, "weights.pt"),
    "weights-pickled": Door(weights, "weights.pkl"),
    "weights-index": Door(beside("sharded", INDEX, INDEX), "index.json"),
    "weights-part": Door(beside("sharded", PART, INDEX), "part.safetensors"),
    "weights-tensorflow": Door(beside("tensorflow", CHECKPOINT, CHECKPOINT), "variables"),
    "weights-hdf5": Door(weights, "weights.bin"),
    "exported": Door(exported, "model.onnx"),
    "image": Door(image, "image.png"),
    "pdf": Door(image, "scan.pdf"),
    "cheques": Door(cheques, "batch.x937"),
    "template": Door(template, "template.toml"),
    "truth": Door(truth, "given.tsv"),
    "settings": Door(settings, "settings.toml"),
    "csv": Door(data_set, "data.csv"),
    "npz": Door(data_set, "data.npz"),
    "parquet": Door(data_set, "data.parquet"),
    "idx": Door(idx_folder, "images"),
    "pattern": Door(pattern, "pattern.txt"),
    "codes": Door(codes, "codes.txt"),
    "answers": Door(answers, "answers.jsonl"),
    "command-line": Door(command_line, "words.json"),
}


def opened(kind: str, path: Path) -> object:
    """Returns what a door makes of a file, or the UserError that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return DOORS[kind].open(path)
        except UserError as error:
            return error
