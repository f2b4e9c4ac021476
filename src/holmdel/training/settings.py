"""The recipes: which settings train which network on which data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import nn

from holmdel.data.sources import SOURCES
from holmdel.errors import UserError
from holmdel.networks import WITH_NORMS, build, network_options
from holmdel.programs.own import Own
from holmdel.settings import OPTIONS, TRAINING, TrainSettings

if TYPE_CHECKING:
    from holmdel.training.own import Made

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
    "resnet8": {"lr": 0.05, "batch_norm": True},
    "resnet18": {"lr": 0.05},
    "densenet": {"lr": 0.1},
    "lenet5-1998": {"lr": 0.01, **_PAPER},
    "lenet-1989": {"lr": 0.1, **_PAPER},
}

# What `modern` changes, whatever the network. How each was chosen: docs/recipes.md.
_MODERN: dict[str, Any] = {
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
# Which distortions leave the class as it is, depends on the data.
_MODERN_AUGMENT = {
    "fashion-mnist": "flip+shift",
    "mnist": "affine",
    "kmnist": "affine",
    "digits": "affine",
}
# A network of one's own is trained as it was written; what it normalises is its own affair.
_MODERN_OWN = {"batch_norm": False}
_MODERN_OPTIONS = {"activation": "relu", "pooling": "max"}
# What modern changes for a folder, a file or arrays, which are few images of any kind; where the
# network is no deep one. By measurement: docs/recipes.md.
_SMALL: dict[str, Any] = {"batch_norm": False, "lr": 2e-3}
_NORMED = 200  # training images from which on batch norms do good after all
_STEPS, _EPOCHS = 1500, (20, 100)  # what training examples are gone through
_BATCHES = ((200, 8), (2_000, 16), (8_000, 32), (30_000, 64))  # up to so many images
# Kept as their papers have them: their last layers take no batch norm and no factor.
_PAPERS = ("lenet5-1998", "lenet-1989")


@dataclass(frozen=True)
class Plan:
    """A network's name and options, and the settings it is trained by.

    Attributes:
        network: a name in `networks.NETWORKS`, or what a network of one's own is called.
        options: of a network of ours.
        settings: of the training.
        own: a network of one's own, if it is one.
        made: that, once the data set is known.
    """

    network: str
    options: dict[str, Any]
    settings: TrainSettings
    own: Own | None = None
    made: "Made | None" = None

    def build(self) -> nn.Module:
        """Returns the network, its weights freshly drawn."""
        return self.made.build() if self.made else build(self.network, **self.options)


def plan(network: str | Own, data: str, given: Mapping[str, Any]) -> Plan:
    """Returns what a recipe makes of the settings and network options that were given.

    Args:
        network: a name in `networks.NETWORKS`, or a network of one's own, whose recipe is `modern`
            unless another is given.
        data: the data set's name; recipes choose the augmentation by it.
        given: settings and options of the network by name; texts are read as the setting's type.

    Raises:
        UserError: for an unknown network, recipe, setting or option, or a value outside its range.
    """
    own = network if isinstance(network, Own) else None
    name = own.name if own else str(network)
    known = {} if own else network_options(name)
    few = data not in (*SOURCES, "digits") and name not in _PAPERS
    recipe = TRAINING["recipe"].read(given.get("recipe", "modern" if own or few else "book"))
    settings: dict[str, Any] = {"recipe": recipe}
    options: dict[str, Any] = {}
    if recipe == "book":
        settings |= {} if own else _BOOK.get(name, {})
    else:
        settings |= _MODERN | {"augment": _MODERN_AUGMENT.get(data, _MODERN["augment"])}
        settings |= _SMALL if few and name not in _BOOK else {}
        settings |= _MODERN_OWN if own or name in WITH_NORMS else {}
        options |= {key: value for key, value in _MODERN_OPTIONS.items() if key in known}
    if given.get("patience") or given.get("unknown"):
        settings["validation"] = 0.1
    for key, value in given.items():
        if key in TRAINING:
            settings[key] = TRAINING[key].read(value)
        elif key in known:
            options[key] = OPTIONS[key].read(value)
        else:
            raise UserError(
                f"there is no setting {key!r}; choose from {', '.join([*TRAINING, *known])}"
            )
    work = Plan(name, options, TrainSettings(**settings), own)
    if network in WITH_NORMS and work.settings.batch_norm:
        raise UserError(f"{name} has batch norms of its own; leave batch_norm out")
    if network in _PAPERS and (work.settings.batch_norm or work.settings.calibrate):
        raise UserError(
            f"{name} is kept as its paper has it and takes neither batch_norm nor calibrate, "
            "which recipe modern sets; use --recipe book"
        )
    return work


def sized(work: Plan, data: str, given: Mapping[str, Any], count: int) -> Plan:
    """Returns a plan whose batch size and epochs, where not given, fit a small data set.

    Args:
        work: from `plan`.
        data: the data set's name; the named ones stay as they are.
        given: as for `plan`.
        count: training examples.
    """
    if data in (*SOURCES, "digits") or work.settings.recipe == "book":
        return work
    size = next((batch for most, batch in _BATCHES if count <= most), _MODERN["batch_size"])
    size = TRAINING["batch_size"].read(given.get("batch_size", size))
    least, most = _EPOCHS
    epochs = min(max(round(_STEPS / max(1, count // size)), least), most)
    epochs = TRAINING["epochs"].read(given.get("epochs", epochs))
    settings = replace(work.settings, batch_size=size, epochs=epochs)
    plain = not work.own and work.network not in WITH_NORMS
    if count >= _NORMED and plain and not _SMALL.keys() & given.keys():
        settings = replace(settings, **{name: _MODERN[name] for name in _SMALL})
    return replace(work, settings=settings)


def kind_of(annotation: Any) -> str:
    """Returns a type as `coerce` names it.

    >>> kind_of(int), kind_of(int | None)
    ('int', 'int | None')
    """
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
