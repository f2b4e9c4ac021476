"""Holmdel: the classic convolutional networks, made fast, transparent and useful.

The public names, loaded when first used, so that `import holmdel` does not load torch:

    build(name, **options)              a network as an nn.Module
    train(network, data, **settings)    trains it: a Run
    evaluate(model, data)               how good it is: an Evaluation
    load(model)                         a Classifier: images in, a Prediction each
    inspect(network, input)             its layers and what they count: an Anatomy
    draw(anatomy)                       a drawing of them, as the text of an SVG file
    serve(models)                       the playground in a browser, or in a notebook's cell
    read(image, pattern)                the strings of digits written on it: a Reading
    Reader(model)                       the same for many images
    Template.of(image)                  the fields of a form, to read its pages by
"""

import importlib
from typing import TYPE_CHECKING, Any

from holmdel.version import __version__

if TYPE_CHECKING:
    from holmdel.anatomy import Anatomy as Anatomy
    from holmdel.classifier import Classifier as Classifier
    from holmdel.classifier import Prediction as Prediction
    from holmdel.classifier import load as load
    from holmdel.drawing import draw as draw
    from holmdel.errors import UserError as UserError
    from holmdel.evaluation import Evaluation as Evaluation
    from holmdel.inspection import inspect as inspect
    from holmdel.networks import build as build
    from holmdel.playground import serve as serve
    from holmdel.reading import Reader as Reader
    from holmdel.reading import Reading as Reading
    from holmdel.reading import Template as Template
    from holmdel.reading import read as read
    from holmdel.training.run import Run as Run
    from holmdel.training.train import train as train
    from holmdel.verbs import evaluate as evaluate

_HOMES = {
    "Anatomy": "holmdel.anatomy",
    "Classifier": "holmdel.classifier",
    "Evaluation": "holmdel.evaluation",
    "Prediction": "holmdel.classifier",
    "Reader": "holmdel.reading",
    "Reading": "holmdel.reading",
    "Run": "holmdel.training.run",
    "Template": "holmdel.reading",
    "UserError": "holmdel.errors",
    "build": "holmdel.networks",
    "draw": "holmdel.drawing",
    "evaluate": "holmdel.verbs",
    "inspect": "holmdel.inspection",
    "load": "holmdel.classifier",
    "read": "holmdel.reading",
    "serve": "holmdel.playground",
    "train": "holmdel.training.train",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Returns a public name from its home, importing that on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'holmdel' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Returns the public names, as tab completion shows them."""
    return sorted(__all__)
