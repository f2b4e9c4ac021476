"""Whether the files of a data set are what they should be: a verdict a file."""

from dataclasses import dataclass
from pathlib import Path

from holmdel import images
from holmdel.data import idx, roots
from holmdel.data.folder import listing
from holmdel.data.sources import Source, SourceFile
from holmdel.errors import UserError


@dataclass(frozen=True)
class Verdict:
    """What was found out about one file.

    Attributes:
        path: the file, or where it should be.
        right: whether nothing is wrong with it.
        text: what was checked and found, for people.
    """

    path: Path
    right: bool
    text: str


def verify(source: Source, root: str | Path | None = None) -> list[Verdict]:
    """Returns a verdict on each of the four files, in the first data root that has any of them.

    Raises:
        UserError: if no data root has any.
    """
    place = next((place for place in roots.roots(root) if any(source.paths(place))), None)
    if place is None:
        raise UserError(roots.missing(source, root))
    pairs = zip(source.files, source.paths(place), strict=True)
    return [
        _of_file(file, path, source)
        if path
        else Verdict(source.raw(place) / file.name, False, "missing")
        for file, path in pairs
    ]


def verify_folder(folder: Path) -> list[Verdict]:
    """Returns a verdict on each picture of a folder `folder/{train,test}/<class>/*.png`.

    Raises:
        UserError: if the folder's layout is at fault, as `load_folder`.
    """
    return [_of_picture(path) for split in listing(folder).splits for path, _ in split]


def _of_picture(path: Path) -> Verdict:
    try:
        height, width, _ = images.decode(path, 1).shape
    except UserError as error:
        return Verdict(path, False, str(error))
    return Verdict(path, True, f"a picture of {height}x{width}")


def _of_file(file: SourceFile, path: Path, source: Source) -> Verdict:
    try:
        if roots.check_official(file, path):
            what = "file" if file.sha256 else "archive"
            return Verdict(path, True, f"the official {what}, by its SHA-256")
        form = _form(file, path, source)
    except UserError as error:
        return Verdict(path, False, str(error).removeprefix(f"{path} "))
    return Verdict(path, True, f"{form}, as expected; no checksum of the plain file is published")


def _form(file: SourceFile, path: Path, source: Source) -> str:
    """Returns what a file holds, if its form is that of the official one.

    Raises:
        UserError: if it is not.
    """
    size = len(idx.content(path))
    if size != file.size:
        raise UserError(f"{path} has {size} bytes uncompressed; expected {file.size}")
    if "labels" in file.name:
        return f"{len(idx.read_labels(path, len(source.classes)))} labels"
    count, height, width = idx.read_images(path).shape
    if (height, width) != (28, 28):
        raise UserError(f"{path} holds pictures of {height}x{width}; expected 28x28")
    return f"{count} pictures of {height}x{width}"
