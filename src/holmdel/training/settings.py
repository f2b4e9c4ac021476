"""Every setting of a training, and the recipes that choose them."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holmdel.engine import ENGINES
from holmdel.errors import UserError
from holmdel.networks import network_options
from holmdel.texts import coerce


def _setting(
    default: Any,
    says: str,
    *,
    choices: tuple[str, ...] = (),
    least: float = -math.inf,
    most: float = math.inf,
) -> Any:
    """Returns a field that documents itself and knows its range."""
    return field(
        default=default, metadata={"help": says, "choices": choices, "least": least, "most": most}
    )


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """Every setting of a training; frozen, and saved with the run.

    The defaults are the `book` recipe for LeNet.
    """

    recipe: str = _setting("book", "book or modern: where the other defaults come from")
    epochs: int = _setting(10, "passes over the training examples", least=1)
    batch_size: int = _setting(256, "examples a step", least=1)
    lr: float = _setting(0.9, "learning rate; its peak where a schedule is used", least=1e-9)
    seed: int = _setting(0, "of the weights, the shuffling and the augmentation", least=0)
    device: str = _setting("cpu", "cpu, cuda, cuda:N or mps")
    engine: str = _setting(
        "auto",
        "native, torch, or auto: native for float32 chains of the layers it knows, on the CPU",
        choices=ENGINES,
    )
    input: str | None = _setting(None, "CxHxW that the network sees; its own size if not given")
    limit: int | None = _setting(None, "train and test on the first N examples only", least=1)
    restarts: int = _setting(0, "after a dead start, try so many further seeds", least=0)
    optimizer: str = _setting("sgd", "sgd or adamw", choices=("sgd", "adamw"))
    momentum: float = _setting(0.0, "of sgd; Nesterov's where above 0", least=0, most=0.999)
    weight_decay: float = _setting(0.0, "on weights, not on biases or batch norms", least=0)
    clip: float = _setting(0.0, "largest norm of the whole gradient; 0 is off", least=0)
    schedule: str = _setting("constant", "constant or onecycle", choices=("constant", "onecycle"))
    warmup: float = _setting(
        0.1, "onecycle: part of the steps in which lr rises", least=0, most=0.9
    )
    init: str = _setting(
        "xavier",
        "xavier (uniform, as the book's), centred (for deep ReLU networks), lecun or torch",
        choices=("xavier", "centred", "lecun", "torch"),
    )
    label_smoothing: float = _setting(
        0.0, "probability spread over the other classes", least=0, most=0.9
    )
    augment: str = _setting("none", "none, or flip, shift, affine, elastic joined by +")
    normalise: bool = _setting(False, "subtract the training mean, divide by its deviation")
    batch_norm: bool = _setting(False, "train with batch norms, folded into the weights saved")
    calibrate: bool = _setting(False, "scale the logits at the end so that probabilities fit")
    average: float = _setting(
        0.0, "decay of a running average of the weights; 0 is off", least=0, most=0.99999
    )
    validation: float = _setting(
        0.0, "part of the training examples held out, 0 to 0.5", least=0, most=0.5
    )
    precision: str = _setting(
        "auto",
        "of forward and backward: float32, bfloat16, or auto: bfloat16 where the device computes "
        "in it, on a processor for pictures above 64x64 alone; evaluate is in float32",
        choices=("auto", "float32", "bfloat16"),
    )
    dead_after: int = _setting(
        1000, "batches after which a run at chance is called dead; 0 never", least=0
    )
    tensorboard: bool = _setting(False, "also write TensorBoard events (extra: tensorboard)")

    def __post_init__(self) -> None:
        """Raises a UserError for a value outside its range."""
        for name, setting in SETTINGS.items():
            value, about = getattr(self, name), setting.metadata
            if about["choices"] and value not in about["choices"]:
                _reject(name, value, f"one of {', '.join(about['choices'])}")
            if isinstance(value, int | float) and not about["least"] <= value <= about["most"]:
                _reject(name, value, _range(about["least"], about["most"]))


SETTINGS = {field.name: field for field in dataclasses.fields(TrainSettings)}

# What `book` changes for other networks than LeNet: the rates and batches of the book's sections.
# With the book's Xavier weights the deep ones sit at chance for over a hundred batches:
# docs/recipes.md. A start that is dead all the same is started over.
_DEEP = {"batch_size": 128, "init": "centred", "restarts": 4}
_PAPER = {"batch_size": 16, "init": "lecun", "normalise": True}
_BOOK: dict[str, dict[str, Any]] = {
    "alexnet": {"lr": 0.01, **_DEEP},
    "vgg11": {"lr": 0.05, **_DEEP},
    "vgg16": {"lr": 0.05, **_DEEP},
    "nin": {"lr": 0.1, "clip": 1.0, **_DEEP},
    "googlenet": {"lr": 0.1, "clip": 1.0, **_DEEP},
    "lenet5-1998": {"lr": 0.01, **_PAPER},
    "lenet-1989": {"lr": 0.1, **_PAPER},
}

# What `modern` changes, whatever the network. How each was chosen: docs/recipes.md.
_MODERN = {
    "epochs": 60,
    "batch_size": 128,
    "lr": 5e-3,
    "optimizer": "adamw",
    "weight_decay": 0.05,
    "schedule": "onecycle",
    "init": "torch",
    "normalise": True,
    "batch_norm": True,
    "label_smoothing": 0.1,
    "calibrate": True,
    "augment": "shift",
}
# Which distortions leave the class as it is, is a question of the data.
_MODERN_AUGMENT = {
    "fashion-mnist": "flip+shift",
    "mnist": "affine",
    "kmnist": "affine",
    "digits": "affine",
}
_MODERN_OPTIONS = {"activation": "relu", "pooling": "max"}
RECIPES = ("book", "modern")
# Kept as their papers have them: their last layers take no batch norm and no factor.
_PAPERS = ("lenet5-1998", "lenet-1989")


@dataclass(frozen=True)
class Plan:
    """A network's name and options, and the settings it is trained by."""

    network: str
    options: dict[str, Any]
    settings: TrainSettings


def plan(network: str, data: str, given: Mapping[str, Any]) -> Plan:
    """Returns what a recipe makes of the settings and network options that were given.

    Args:
        network: a name in `networks.NETWORKS`.
        data: the data set's name; recipes choose the augmentation by it.
        given: settings and options of the network by name; texts are read as the setting's type.

    Raises:
        UserError: for an unknown network, recipe, setting or option, or a value outside its range.
    """
    known = network_options(network)
    recipe = given.get("recipe", "book")
    if recipe not in RECIPES:
        raise UserError(f"there is no recipe {recipe!r}; choose from {', '.join(RECIPES)}")
    settings: dict[str, Any] = {}
    options: dict[str, Any] = {}
    if recipe == "book":
        settings |= _BOOK.get(network, {})
    else:
        settings |= _MODERN | {"augment": _MODERN_AUGMENT.get(data, _MODERN["augment"])}
        options |= {name: value for name, value in _MODERN_OPTIONS.items() if name in known}
    for name, value in given.items():
        if name in SETTINGS:
            settings[name] = coerce(name, value, kind_of(SETTINGS[name].type))
        elif name in known:
            options[name] = coerce(name, value, type(known[name]).__name__)
        else:
            raise UserError(
                f"there is no setting {name!r}; choose from {', '.join([*SETTINGS, *known])}"
            )
    work = Plan(network, options, TrainSettings(**settings))
    if network in _PAPERS and (work.settings.batch_norm or work.settings.calibrate):
        raise UserError(
            f"{network} is kept as its paper has it and takes neither batch_norm nor calibrate, "
            "which recipe modern sets; use --recipe book"
        )
    return work


def kind_of(annotation: Any) -> str:
    """Returns a type as `coerce` names it.

    >>> kind_of(int), kind_of(int | None)
    ('int', 'int | None')
    """
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def read_config(path: Path) -> dict[str, Any]:
    """Returns the settings of a TOML file, by name.

    Raises:
        UserError: if the file is missing or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the settings file {path} cannot be read ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is no TOML ({error}); expected lines such as lr = 0.9") from None


def _range(least: float, most: float) -> str:
    """Returns a range in words."""
    return f"a number from {least:g}" + (f" to {most:g}" if most < math.inf else "")


def _reject(name: str, value: object, expected: str) -> None:
    raise UserError(f"{name} was given as {value!r}; expected {expected}")
