"""Any folder of images as a data set: `folder/CLASS/*`, or `folder/{train,test}/CLASS/*`."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holmdel.data.examples import Examples
from holmdel.data.roots import Verdict
from holmdel.errors import UserError
from holmdel.images.decoding import grey_page
from holmdel.images.formats import ENDINGS, OF_PAGES, passed_over
from holmdel.images.pages import pages

TRAIN = ("train", "training")
TEST = ("test", "testing", "val", "valid", "validation")


@dataclass(frozen=True)
class _Part:
    """The class folders of a part: images by class, other files, and folders without images."""

    folder: Path
    classes: dict[str, list[Path]]
    others: list[Path]
    empty: list[str]


def list_folder(folder: Path) -> Examples:
    """Returns the classes and images of a folder.

    The classes are the folders in `train`, or those in the folder itself where it has no `train`;
    an image's class is the first of them on its way, however deep it lies. `test`, `val` and the
    like are the test part. Hidden files and other endings are passed over; links are followed.

    Raises:
        UserError: if there are no two classes with images, or if the test part has others.
    """
    root = _unwrapped(folder)
    named = {entry.name.lower(): entry for entry in _folders(root)}
    train, test = (
        next((named[name] for name in names if name in named), None) for names in (TRAIN, TEST)
    )
    if train is None and test is not None:
        raise UserError(
            f"{root} has no folder 'train'; expected train/CLASS/*.png in it; put about a fifth of "
            "each class's images into test and the rest into train, or give the class folders alone"
        )
    learnt = _part(train or root)
    seen = _part(test) if test else None
    _check(learnt, seen)
    used = (train, test) if train else tuple(named.values())
    passed = [name for name, entry in sorted(named.items()) if entry not in used]
    return _examples(folder, learnt, seen, [*_notes(learnt, seen, root, passed)])


def _examples(folder: Path, learnt: _Part, seen: _Part | None, notes: list[str]) -> Examples:
    classes = sorted(learnt.classes)
    images: list[Path] = []
    labels: list[int] = []
    first_test = None
    for part in (learnt, *([seen] if seen else [])):
        if part is seen:
            first_test = len(images)
        for label, name in enumerate(classes):
            found = [page for path in part.classes.get(name, []) for page in _pages(path)]
            images += found
            labels += [label] * len(found)
    return Examples(tuple(classes), images, labels, first_test, str(folder), tuple(notes))


def _notes(learnt: _Part, seen: _Part | None, root: Path, passed: list[str]) -> Iterator[str]:
    """Gives a sentence on everything in a folder that is not used."""
    parts = [learnt, *([seen] if seen else [])]
    if line := passed_over([path for part in parts for path in part.others]):
        yield line
    for part in parts:
        loose = [entry for entry in _visible(part.folder) if _is_image(entry)]
        if loose:
            yield f"passed over: {_counted(len(loose))} of {part.folder} beside the class folders"
        for name in part.empty:
            yield f"passed over: the folder {part.folder / name}, which holds no images"
    for name in passed:
        yield f"passed over: the folder {root / name}, as there is one of training images beside it"
    if seen and (lacking := sorted(learnt.classes.keys() - seen.classes.keys())):
        yield f"{seen.folder} has no images of {', '.join(lacking)}"


def verify_folder(folder: Path) -> list[Verdict]:
    """Returns a verdict on each image of a folder.

    Raises:
        UserError: if the folder's layout is at fault, as `list_folder`.
    """
    return [_verdict(path) for path in list_folder(folder).paths]


def _verdict(path: Path) -> Verdict:
    try:
        height, width = grey_page(path).shape
    except UserError as error:
        return Verdict(path, False, str(error).removeprefix(f"{path} "))
    return Verdict(path, True, f"an image of {height}x{width}")


def _unwrapped(folder: Path) -> Path:
    """Returns the folder that has the classes: what was unpacked often lies in one more folder."""
    inner = _folders(folder)
    if (
        len(inner) == 1
        and len(_folders(inner[0])) > 1
        and inner[0].name.lower() not in TRAIN + TEST
    ):
        return _unwrapped(inner[0])
    return folder


def _part(place: Path) -> _Part:
    classes: dict[str, list[Path]] = {}
    others: list[Path] = []
    empty: list[str] = []
    for entry in _folders(place):
        images: list[Path] = []
        for file in _files(entry):
            (images if _is_image(file) else others).append(file)
        if images:
            classes[entry.name] = images
        else:
            empty.append(entry.name)
    return _Part(place, classes, others, empty)


def _check(train: _Part, test: _Part | None) -> None:
    if not train.classes:
        raise UserError(
            f"{train.folder} has no class folders with images in it; expected a folder for each "
            f"class, such as CLASS/*.png, with files ending in {', '.join(ENDINGS)}"
        )
    if len(train.classes) < 2:
        raise UserError(
            f"{train.folder} has one class with images, {next(iter(train.classes))!r}; expected "
            "two or more; make a folder for each class"
        )
    if test is not None and not test.classes:
        raise UserError(
            f"{test.folder} has no class folders with images in it; expected those of "
            f"{train.folder}; remove it, and a part of those is put aside for testing"
        )
    if test and (lacking := sorted(test.classes.keys() - train.classes.keys())):
        raise UserError(
            f"{train.folder} lacks images of the classes {', '.join(lacking)}, which "
            f"{test.folder} has; expected the same classes in both"
        )


def _files(place: Path) -> Iterator[Path]:
    """Gives the visible files in a folder and below, sorted; a folder that links lead back to once.

    Hidden folders are passed over.
    """
    known: set[str] = set()
    for parent, folders, files in os.walk(place, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        real = os.path.realpath(parent)
        if real in known:
            folders.clear()
            continue
        known.add(real)
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent) / name


def _folders(place: Path) -> list[Path]:
    """Returns the visible folders in a folder, sorted; `__MACOSX` of an archive is none."""
    entries = (entry for entry in _visible(place) if not entry.name.startswith("__"))
    return sorted(entry for entry in entries if entry.is_dir())


def _visible(place: Path) -> Iterator[Path]:
    try:
        entries = list(place.iterdir())
    except OSError as error:
        raise UserError(f"{place} cannot be read ({error.strerror}); expected a folder") from None
    return (entry for entry in entries if not entry.name.startswith("."))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS and not path.is_dir()


def _pages(path: Path) -> list[Path]:
    """Returns the pages of an image file, most of which have one."""
    if path.suffix.lower() not in OF_PAGES:
        return [path]
    return [Path(str(page)) for page in pages(path)]


def _counted(number: int) -> str:
    return "1 image" if number == 1 else f"{number:,} images"
