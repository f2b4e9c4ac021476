"""The labels of a data set, and the form of its pictures, without loading it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from holmdel.data.digits import CLASSES
from holmdel.data.folder import listing
from holmdel.data.loading import names
from holmdel.data.sources import SOURCES
from holmdel.errors import UserError


class Labels(NamedTuple):
    """What a data set calls its classes, and how it keeps pictures.

    Attributes:
        classes: the label texts, in the order of the labels.
        side: height and width of its pictures in pixels; None where they come in any size.
        framing: how a foreign picture is brought into its form; one of `images.FRAMINGS`.
    """

    classes: tuple[str, ...]
    side: int | None
    framing: str


def labels_of(given: str | Sequence[str] | None, count: int) -> Labels:
    """Returns the labels that are meant, `count` of them.

    Args:
        given: a data set's name, a folder `root/{train,test}/<class>/*`, label texts, as one text
            with commas or several; None for `0`, `1`, ... on pictures of 28x28.
        count: how many classes the network has.

    Raises:
        UserError: for a text that is none of these, another number of labels, or one twice.

    >>> labels_of("cat,dog", 2).classes
    ('cat', 'dog')
    """
    found = _named(given, count)
    if len(found.classes) != count:
        raise UserError(
            f"classes was given as {given!r}, {len(found.classes)} labels; the network has {count}"
        )
    if len(set(found.classes)) != count:
        raise UserError(f"classes was given as {given!r}, with a label twice; each needs its own")
    return found


def _named(given: str | Sequence[str] | None, count: int) -> Labels:
    if given is None:
        return Labels(tuple(map(str, range(count))), 28, "fit")
    if not isinstance(given, str):
        return Labels(tuple(given), None, "fit")
    if given in SOURCES:
        return Labels(SOURCES[given].classes, 28, SOURCES[given].framing)
    if given == "digits":
        return Labels(CLASSES, 28, "digit")
    if Path(given).expanduser().is_dir():
        return Labels(listing(Path(given).expanduser()).classes, None, "fit")
    if "," in given:
        return Labels(tuple(text.strip() for text in given.split(",")), None, "fit")
    raise UserError(
        f"classes was given as {given!r}; expected labels such as a,b,c, a folder of pictures, or "
        f"one of {', '.join(names())}"
    )
