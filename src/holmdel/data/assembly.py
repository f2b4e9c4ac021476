"""Makes a data set of examples: decodes them, leaves out broken ones, puts a test part aside."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from holmdel.data.dataset import Dataset, Split, rows_of_each
from holmdel.data.decoded import decode_all
from holmdel.data.examples import TEST, Examples, Size, Wanted
from holmdel.data.sources import DIGITS
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.images.decoding import ImageLike, decode_page
from holmdel.images.framing import framed

NAMED_FAULTS = 5  # broken images that a sentence names
LOOKED_AT = 40  # images that say how all are framed
DIGITS_SHARE = 0.8  # of them must show one digit each


def assemble(name: str, examples: Examples, wanted: Wanted) -> Dataset:
    """Returns a data set of examples, whole in memory.

    Args:
        name: what it is called.
        examples: images and labels.
        wanted: size, framing, the test part, and what becomes of broken images.

    Raises:
        UserError: for images that cannot be decoded, unless they are left out; or if fewer than
            two classes have images.
    """
    framing = framing_of(examples, wanted.size) if wanted.framing == "auto" else wanted.framing
    contract = ImageContract(stored=wanted.size, input=wanted.size, framing=framing)
    decoded = decode_all(examples, contract, wanted.progress)
    notes = [*examples.notes]
    if decoded.faults:
        sentence = _on_broken(decoded.faults, len(examples.labels))
        if not wanted.skip_broken:
            raise UserError(f"{sentence}; remove them, or leave them out with --skip-broken")
        notes.append(f"left out: {sentence}")
    labels = torch.tensor(examples.labels, dtype=torch.int64)
    good = torch.ones(len(labels), dtype=torch.bool)
    good[[*decoded.faults]] = False
    if examples.first_test is None:
        testing = _put_aside(labels, good, wanted.test)
    else:
        testing = torch.arange(len(labels)) >= examples.first_test
    everything = Split(decoded.images, labels)
    train, test = (everything.rows(good & part) for part in (~testing, testing))
    if examples.first_test is None and wanted.test < 1:
        notes.append(f"there is no test part, so {len(test):,} images are put aside as one")
    if examples.first_test is not None and wanted.test not in (TEST, 1):
        notes.append(f"test {wanted.test:g} is passed over, as the data have a test part")
    data = Dataset(name, examples.classes, train, test, framing, examples.origin, tuple(notes))
    return data if wanted.test == 1 else _learnable(data)


def _on_broken(faults: dict[int, str], count: int) -> str:
    """Returns the words on images that cannot be decoded, the first of them by name."""
    named = "; ".join([*faults.values()][:NAMED_FAULTS])
    more = "; ..." if len(faults) > NAMED_FAULTS else ""
    return f"{len(faults):,} of {count:,} images cannot be used ({named}{more})"


def _put_aside(labels: Tensor, good: Tensor, fraction: float) -> Tensor:
    """Returns which examples are for testing, bool (N,): of each class a fraction, one at least.

    Of a class of one none is.
    """
    rows = good.nonzero()[:, 0]
    sizes = labels[rows].bincount()
    wanted = (sizes * fraction).round().long()
    if fraction < 1:
        wanted = wanted.clamp_min(1).minimum((sizes - 1).clamp_min(0))
    testing = torch.zeros(len(labels), dtype=torch.bool)
    testing[rows[rows_of_each(labels[rows], wanted)]] = True
    return testing


def _learnable(data: Dataset) -> Dataset:
    """Returns a data set without the classes of which no training image is left.

    Raises:
        UserError: if fewer than two are left.
    """
    sizes = data.train.labels.bincount(minlength=len(data.classes))
    kept = sizes > 0
    names = [name for name, is_kept in zip(data.classes, kept.tolist(), strict=True) if is_kept]
    if len(names) < 2:
        raise UserError(
            f"{data.origin} has training images of {len(names)} class"
            f"{'' if len(names) == 1 else 'es'}; expected two or more"
        )
    tested = {*data.test.labels.tolist()}
    untested = [name for label, name in enumerate(data.classes) if label not in tested]
    untested = [name for name in untested if name in names]
    if not tested:
        raise UserError(f"{data.origin} has one image a class; expected two or more of some")
    notes = data.notes
    if untested and not any("has no images of" in note for note in notes):
        notes += (f"too few images to test on of {', '.join(untested)}: all are trained on",)
    if len(names) == len(data.classes):
        return replace(data, notes=notes)
    gone = [name for name in data.classes if name not in names]
    notes += (f"left out: the classes {', '.join(gone)}, of which no training image is left",)
    renumbered = kept.cumsum(0) - 1
    parts = (part.rows(kept[part.labels]) for part in (data.train, data.test))
    train, test = (Split(part.images, renumbered[part.labels]) for part in parts)
    return replace(data, classes=tuple(names), train=train, test=test, notes=notes)


def framing_of(examples: Examples, size: Size) -> str:
    """Returns how images are to be framed: `digit` where they are photographs of digits, or `fit`.

    That is so where the classes are digits and nearly all of some images show just one. The
    numbers of arrays and tables may stand for anything (Fashion-MNIST's are 0 to 9): of those that
    have the wanted size already, only digits that are scaled and centred as MNIST's count.

    Args:
        examples: images and labels.
        size: (C, H, W) that is wanted.
    """
    if not {*examples.classes} <= {*DIGITS}:
        return "fit"
    step = max(1, len(examples.images) // LOOKED_AT)
    looked = examples.images[::step]
    contract = ImageContract(stored=(1, *size[1:]), framing="digit")
    found = sum(_shows_a_digit(image, contract, bool(examples.paths)) for image in looked)
    return "digit" if found >= DIGITS_SHARE * len(looked) else "fit"


def _shows_a_digit(image: ImageLike, contract: ImageContract, named: bool) -> bool:
    """Returns whether an image shows one digit; `named`: the folder it lies in says so too."""
    try:
        pixels = decode_page(image, 1).squared()
        seen = framed(pixels, contract)
    except UserError:
        return False
    if seen.found != "one" or named or pixels.shape[:2] != contract.stored[1:]:
        return seen.found == "one"
    ink = seen.image[0].numpy()
    return any(np.array_equal(ink, plain) for plain in (pixels[:, :, 0], 255 - pixels[:, :, 0]))
