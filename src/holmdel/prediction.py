"""What is said of one image: a prediction, or why there is none."""

from dataclasses import dataclass, field
from typing import Any

from holmdel.images.tensors import Tensor
from holmdel.notebook import html_table

UNKNOWN = "unknown"  # the label of an image of no known class


@dataclass(frozen=True, repr=False)
class Prediction:
    """A network's prediction for one image.

    Attributes:
        path: the image's path, or None if it was not given as one.
        label: the text of the most probable class.
        index: the index of that class.
        probability: its probability, 0..1.
        top: (label, probability) of the most probable classes, most probable first.
        seen: the image in the stored form, uint8 (C, H, W): what the network saw.
        page: the number of the page from 1, where the file has several; else None.
        found: what is on the image: `one` digit or object; `several` digits, of which the largest
            is named; or `nothing`, and then `label` is empty, `index` -1, `probability` 0 and `top`
            empty.
    """

    path: str | None
    label: str
    index: int
    probability: float
    top: tuple[tuple[str, float], ...]
    seen: Tensor = field(repr=False, compare=False)
    page: int | None = None
    found: str = "one"

    def __repr__(self) -> str:
        where = "" if self.path is None else f"{self.path}: "
        if self.found == "nothing":
            return f"Prediction({where}nothing found)"
        return f"Prediction({where}{', '.join(f'{name} {part:.1%}' for name, part in self.top)})"

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: a row per class of `top`."""
        rows = [(name, f"{part:.1%}") for name, part in self.top]
        return html_table(("class", "probability"), rows, self.path or "")


@dataclass(frozen=True)
class Failure:
    """An image that could not be used, and the sentence that says why.

    Attributes:
        path: the image's path, or None if it was not given as one.
        error: what was given, what was expected.
    """

    path: str | None
    error: str


def nothing_on(name: str) -> str:
    """Returns the sentence that says that nothing was found on an image."""
    return f"nothing was found on {name}; expected a digit or an object on a plain ground"


def or_failure(result: Prediction | Failure) -> Prediction | Failure:
    """Returns what is said of an image; of one on which nothing was found, that it failed."""
    if isinstance(result, Failure) or result.found != "nothing":
        return result
    return Failure(result.path, nothing_on(result.path or "the image"))


def to_json(result: Prediction | Failure) -> dict[str, Any]:
    """Returns what is said of an image as JSON-ready values."""
    path = result.path or "-"
    if isinstance(result, Failure):
        return {"path": path, "error": result.error}
    return {
        "path": path,
        **({} if result.page is None else {"page": result.page}),
        "label": result.label,
        "index": result.index,
        "probability": result.probability,
        "top": [{"label": label, "probability": p} for label, p in result.top],
        "found": result.found,
    }
