"""A run: a training of a classifier that is done, and what its folder holds."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from holmdel.checkpoint import Header, load_model
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.networks import network_options
from holmdel.programs.own import Own
from holmdel.schema import Setting, read_record
from holmdel.settings import OPTIONS, TRAINING, TrainSettings
from holmdel.training.folder import RunFolder, command_line, model_card
from holmdel.training.history import Epoch, draw_curves, read_epoch
from holmdel.training.settings import Plan, plan, sized

if TYPE_CHECKING:
    from holmdel.classifier import Classifier


@dataclass(frozen=True, repr=False)
class Run:
    """A training that is done.

    Attributes:
        folder: where it is.
        data: the name of the data set, or its folder.
        settings: what it was trained by.
        history: the epochs done.
        network: the trained network, in eval mode, on the CPU, as `model.safetensors` holds it.
        header: what must be known to use it.
        device: where it was trained, such as `cpu`.
        test_acc: accuracy on the test split after the last epoch, 0..1; on the validation split
            where no test split was used.
    """

    folder: Path
    data: str
    settings: TrainSettings
    history: list[Epoch]
    network: nn.Module
    header: Header
    device: str
    test_acc: float

    @classmethod
    def load(cls, folder: RunFolder, settings: TrainSettings) -> "Run":
        """Returns the finished run of a folder."""
        network, header = load_model(folder.model)
        history = folder.metrics(read_epoch)
        if not history or history[-1].test_acc is history[-1].val_acc is None:
            raise UserError(
                f"{folder.path} has no metrics.jsonl of a finished training; copy or train it again"
            )
        data = began_as(folder)["data"]["name"]
        device = settings.device
        return cls(
            folder.path, data, settings, history, network, header, device, history[-1].final_acc
        )

    @property
    def classifier(self) -> "Classifier":
        """Images in, probabilities out, by the trained network on the CPU."""
        from holmdel.classifier import Classifier  # a training has no need of it

        return Classifier(self.network, self.header)

    @property
    def loss(self) -> float:
        """The mean training loss of the last epoch."""
        return self.history[-1].loss

    @property
    def train_acc(self) -> float:
        """The training accuracy of the last epoch, 0..1."""
        return self.history[-1].train_acc

    @property
    def examples_per_sec(self) -> float:
        """Examples trained on over the time in forward, backward and step: the book's figure."""
        return _rate([epoch.examples_per_sec for epoch in self.history])

    @property
    def wall_examples_per_sec(self) -> float:
        """Examples trained on over the whole time of the epochs."""
        return _rate([epoch.wall_examples_per_sec for epoch in self.history])

    def summary(self) -> str:
        """Returns the book's two lines."""
        speed = self.examples_per_sec
        return two_lines(self.loss, self.train_acc, self.test_acc, speed, self.device)

    def __repr__(self) -> str:
        return f"Run({', '.join(f'{name} {value}' for name, value in self._rows())})"

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: a table of the main figures, and the curves."""
        rows = "".join(
            f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in self._rows()
        )
        svg = draw_curves(self.history)["svg"].decode()
        return f"<table>{rows}</table>{svg[svg.index('<svg') :]}"

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("network", self.header.network),
            ("data", self.data),
            ("epochs", str(len(self.history))),
            ("loss", f"{self.loss:.3f}"),
            ("train acc", f"{self.train_acc:.3f}"),
            ("test acc", f"{self.test_acc:.3f}"),
            ("folder", str(self.folder)),
        ]


def two_lines(loss: float, train_acc: float, test_acc: float, speed: float, device: str) -> str:
    """Returns the book's two lines on figures; speed in examples a second."""
    return (
        f"loss {loss:.3f}, train acc {train_acc:.3f}, test acc {test_acc:.3f}\n"
        f"{speed:.1f} examples/sec on {device}"
    )


def _rate(rates: list[float]) -> float:
    """Returns the rate over all epochs: each has as many examples, so their harmonic mean."""
    return len(rates) / sum(1 / rate for rate in rates)


def config_of(work: Plan, data: dict[str, Any], header: Header, engine: str) -> dict[str, Any]:
    """Returns the `config.json` of a training that begins.

    Args:
        work: what is to be done.
        data: name and sizes of the data set.
        header: goes into the model file.
        engine: the line that says what computes.
    """
    return {
        "network": work.network,
        **({"own": _origin(work.own)} if work.own else {}),
        "options": header.options,
        "settings": asdict(work.settings),
        "data": data,
        "classes": header.classes,
        "image": header.image.to_json(),
        "seed": work.settings.seed,
        "engine": engine,
    }


def _origin(own: Own) -> str:
    """Returns `FILE.py:NAME` of a network of one's own, or its name alone."""
    if own.target or not own.file:
        return own.target or own.name
    return f"{own.file[0]}:{own.name}"


def resumed_plan(
    folder: RunFolder, network: str | Own, data: str, given: Mapping[str, Any]
) -> Plan:
    """Returns the plan that the run of a folder was started with.

    Another engine may go on with it, and then ends with other bits.

    Raises:
        UserError: if what is given now differs from it.
    """
    config = began_as(folder)
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in config["options"].items()}
    own = network if isinstance(network, Own) else None
    began = Plan(config["network"], options, TrainSettings(**config["settings"]), own)
    was = {"network": _told(config), "data": config["data"]["name"]}
    told = f"{own.name} of your own" if own else network
    now: dict[str, Any] = {"network": told, "data": data}
    if told == _told(config):
        same = plan(network, data, {**asdict(began.settings), **options, **given})
        began = replace(began, settings=replace(began.settings, engine=same.settings.engine))
        was |= asdict(began.settings) | began.options
        now |= asdict(same.settings) | same.options
    folder.refuse_changes(was, now)
    return began


def _told(config: Mapping[str, Any]) -> str:
    """Returns what the network of a `config.json` is called, and whether it is one of ours."""
    return f"{config['network']} of your own" if config["own"] else str(config["network"])


_CONFIG = (
    Setting(name="network", type="str"),
    Setting(name="own", type="str", optional=True),
    Setting(name="options", type="object"),
    Setting(name="settings", type="object"),
    Setting(name="data", type="object"),
    Setting(name="classes", type="texts"),
    Setting(name="image", type="object"),
    Setting(name="seed", type="int", least=0),
    Setting(name="engine", type="str", default="PyTorch"),
    Setting(name="versions", type="object"),
)
_DATA = (
    Setting(name="name", type="str"),
    Setting(name="train", type="int", least=1),
    Setting(name="test", type="int", least=0),
    Setting(name="path", type="str", optional=True),
    Setting(name="root", type="str", optional=True),
)


def began_as(folder: RunFolder) -> dict[str, Any]:
    """Returns the `config.json` that `config_of` gave, each field of which has been checked.

    Raises:
        UserError: if it is none of a training of a classifier.
    """
    found = folder.config()
    try:
        config = read_record(found, _CONFIG, "config.json")
        settings = read_record(config["settings"], TRAINING.values(), "settings")
        data = read_record(config["data"], _DATA, "data")
        known = {} if config["own"] else network_options(config["network"])
        read_record(known | config["options"], [OPTIONS[name] for name in known], "options")
        ImageContract.from_json(config["image"])
    except UserError as error:
        raise UserError(
            f"{folder.path} holds no training to go on with ({error}); choose another --out"
        ) from None
    return config | {"settings": settings, "data": data}


def classifier_card(config: dict[str, Any], history: Sequence[Epoch], test_acc: float) -> str:
    """Returns the model card of a finished run as Markdown.

    Args:
        config: the run's `config.json`.
        history: its epochs.
        test_acc: accuracy on the test split, 0..1.
    """
    data, settings, image = config["data"], config["settings"], config["image"]
    last = history[-1]
    stored, seen = ("x".join(map(str, image[key])) for key in ("stored", "input"))
    options = ", ".join(f"{name} {value}" for name, value in config["options"].items())
    usual = "a network of one's own" if config.get("own") else "its defaults"
    rows = [
        ("network", f"{config['network']}, {options or usual}"),
        ("data", f"{data['name']}: {data['train']:,} training and {data['test']:,} test images"),
        ("classes", ", ".join(config["classes"])),
        ("images", f"stored as {stored} uint8, framing `{image['framing']}`; seen as {seen}"),
        ("recipe", f"{settings['recipe']}, {settings['epochs']} epochs, seed {settings['seed']}"),
        ("test accuracy" if data["test"] else "validation accuracy", f"{test_acc:.4f}"),
        ("training loss, accuracy", f"{last.loss:.4f}, {last.train_acc:.4f} (last epoch)"),
        ("engine", config.get("engine", "PyTorch")),
        ("speed", f"{last.examples_per_sec:.0f} examples/sec on {settings['device']}"),
        ("versions", ", ".join(f"{name} {value}" for name, value in config["versions"].items())),
    ]
    use = (
        "`holmdel predict THIS_FOLDER image.png`, or from Python "
        '`holmdel.load("THIS_FOLDER").predict([...])`.'
    )
    return model_card(f"{config['network']} on {data['name']}", rows, _command(config), use)


def _command(config: dict[str, Any]) -> str:
    """Returns the command line that trains this run again."""
    network, data, settings = config["network"], config["data"]["name"], config["settings"]
    origin = config.get("own")
    own = Own(network, None, None) if origin else network
    recipe = {"recipe": settings["recipe"]}
    usual = sized(plan(own, data, recipe), data, recipe, config["data"]["train"])
    known = ("recipe", "classes", "channels", "size")  # said already, or follow from the data
    given = {k: v for k, v in (settings | config["options"]).items() if k not in known}
    words = [f"holmdel train {origin or network} --data {data} --recipe {settings['recipe']}"]
    return command_line(words, given, asdict(usual.settings) | usual.options)
