"""Data roots: where the files of a named data set are looked for, fetched to and verified."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from holmdel.data import idx
from holmdel.data.sources import Source, SourceFile
from holmdel.errors import UserError

if TYPE_CHECKING:
    from holmdel.data.download import Progress


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


def user_cache() -> Path:
    """Returns the folder of this package in the user's cache; it need not exist."""
    return Path(platformdirs.user_cache_dir("holmdel"))


def roots(root: str | Path | None = None) -> list[Path]:
    """Returns the data roots that are searched: the one given alone, where one is.

    Else `$HOLMDEL_DATA`, then the user's cache.
    """
    if root:
        return [Path(root).expanduser()]
    named = os.environ.get("HOLMDEL_DATA")
    return [*([Path(named).expanduser()] if named else []), user_cache()]


def find(source: Source, root: str | Path | None = None) -> Path | None:
    """Returns the first folder that holds all four files of a set, or None.

    Args:
        source: the set.
        root: a data root, or the folder of the files itself; None for the usual roots.
    """
    places = _folders(source, root)
    return next((place for place in places if all(source.paths(place))), None)


def obtain(
    source: Source, root: str | Path | None = None, progress: "Progress | None" = None
) -> list[Path]:
    """Returns the four files of a set: images and labels for training, and for testing.

    What no usual data root has is downloaded; into one that was given nothing is.

    Raises:
        UserError: if they cannot be had.
    """
    folder = find(source, root)
    if folder is None and root:
        raise UserError(f"{missing(source, root)}; {_fetching(source, root)}")
    folder = folder or source.raw(fetch(source, progress=progress))
    return [path for path in source.paths(folder) if path]


def _fetching(source: Source, root: str | Path) -> str:
    return f"`holmdel data fetch {source.name} --data-root {root}` tries to"


def _folders(source: Source, root: str | Path | None) -> Iterator[Path]:
    for place in roots(root):
        yield from source.folders(place, named=root is not None)


def missing(source: Source, root: str | Path | None = None, why: str = "") -> str:
    """Returns the sentence on a set that was not found: where it was looked for, what to do.

    Args:
        source: the set.
        root: the data root that was given, if any.
        why: why it could not be downloaded, where that was tried.
    """
    places = ", ".join(str(source.raw(place)) for place in roots(root))
    itself = f", nor in {root} itself" if root else ""
    files = ", ".join(f"{file.name}.gz" for file in source.files)
    reason = f"; {why}" if why else ""
    origin = " or ".join(mirrors_of(source))
    how = f"download {files} from {origin}" if origin else f"unpack {files} from {source.archive}"
    return (
        f"{source.title} was not found in {places}{itself}{reason}; {how} and put them into "
        f"{source.raw(target(root))}, or set HOLMDEL_DATA to a data root that has them"
    )


def target(root: str | Path | None = None) -> Path:
    """Returns the data root that is downloaded to: the one given, else the user's cache."""
    return Path(root).expanduser() if root else user_cache()


def mirrors_of(source: Source) -> list[str]:
    """Returns the base URLs of a set, each ending in `/`.

    Those of the set itself, or, where `$HOLMDEL_MIRROR` is set, the data roots it names, as a web
    server shows them: URLs with a space between.

    Raises:
        UserError: if `$HOLMDEL_MIRROR` names anything but http and https URLs.
    """
    given = os.environ.get("HOLMDEL_MIRROR", "").split()
    for url in given:
        if not url.startswith(("http://", "https://")):
            raise UserError(
                f"$HOLMDEL_MIRROR names {url!r}; expected the http:// or https:// URL of a data "
                f"root, under which {source.folder}/raw lies"
            )
    return [f"{url.rstrip('/')}/{source.folder}/raw/" for url in given] or list(source.mirrors)


def fetch(
    source: Source,
    root: str | Path | None = None,
    mirrors: Sequence[str] | None = None,
    progress: "Progress | None" = None,
) -> Path:
    """Downloads the files of a set that a data root lacks, and returns that data root.

    Each file is kept once its uncompressed bytes have the right checksum (for Kuzushiji-MNIST, of
    which none is published, the archive has).

    Args:
        source: the set.
        root: the data root; None for the user's cache.
        mirrors: base URLs that end in `/`; None for `mirrors_of(source)`.
        progress: called with a file's name, the bytes there are, and the bytes in all.

    Raises:
        UserError: if a file cannot be downloaded from any mirror, or not be written.
    """
    from holmdel.data.download import download, locked, make_folder  # loads HTTP and TLS

    place = target(root)
    bases = mirrors_of(source) if mirrors is None else mirrors
    if not bases:
        raise UserError(missing(source, root))
    make_folder(source.raw(place))
    with locked(source.raw(place)):
        for file, path in zip(source.files, source.paths(source.raw(place)), strict=True):
            if path is None:
                archive = f"{file.name}.gz"
                urls = [base + archive for base in bases]
                check = partial(_check_download, file)
                try:
                    download(urls, source.raw(place) / archive, check, progress)
                except UserError as error:
                    raise UserError(missing(source, root, str(error))) from None
    return place


def verify(source: Source, root: str | Path | None = None) -> list[Verdict]:
    """Returns a verdict on each of the four files, in the first folder that has any of them.

    Raises:
        UserError: if no data root has any.
    """
    place = next((place for place in _folders(source, root) if any(source.paths(place))), None)
    if place is None:
        raise UserError(missing(source, root))
    pairs = zip(source.files, source.paths(place), strict=True)
    return [
        _of_file(file, path, source) if path else Verdict(place / file.name, False, "missing")
        for file, path in pairs
    ]


def check_official(file: SourceFile, path: Path) -> bool:
    """Returns whether a file has the checksum of the official one; False where none is known.

    Raises:
        UserError: if the file cannot be read, or its checksum is another.
    """
    data = idx.content(path)
    if not file.sha256 and not file.archive_sha256:
        return False
    if not file.sha256:
        return hashlib.sha256(path.read_bytes()).hexdigest() == file.archive_sha256
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise UserError(
            f"{path} is not the official {file.name}: {len(data)} bytes uncompressed, with SHA-256 "
            f"{found}; expected {file.size} bytes with {file.sha256}"
        )
    return True


def _check_download(file: SourceFile, path: Path) -> None:
    if check_official(file, path):
        return
    if file.archive_sha256:
        raise UserError(
            f"{path} is not the official {file.name}.gz; expected the archive with SHA-256 "
            f"{file.archive_sha256}"
        )
    if (size := len(idx.content(path))) != file.size:
        raise UserError(f"{path} has {size} bytes uncompressed; expected {file.size}")


def _of_file(file: SourceFile, path: Path, source: Source) -> Verdict:
    try:
        if check_official(file, path):
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
        labels = idx.read_labels(path, len(source.classes), source.first_label)
        return f"{len(labels)} labels"
    count, height, width = idx.read_images(path).shape
    if (height, width) != (28, 28):
        raise UserError(f"{path} holds images of {height}x{width}; expected 28x28")
    return f"{count} images of {height}x{width}"
