"""The images that the arguments of a verb mean."""

import glob
import os
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from holmdel.errors import UserError
from holmdel.images.formats import CHEQUES, ENDINGS, OF_PAGES, is_cheques, passed_over
from holmdel.images.opening import missing
from holmdel.images.pages import FileLike, locate, pages


def find_images(
    arguments: list[str],
    endings: tuple[str, ...] = ENDINGS,
    expand: Callable[[FileLike], Iterator[FileLike]] = pages,
) -> tuple[Iterator[FileLike], int | None]:
    """Returns images and pages of files, and how many; None for not known yet.

    Each page after a file's first is given as `path#2`. Files of a folder that have other endings
    are counted, by a line on standard error.

    Args:
        arguments: files, pages of them, folders (searched through, by name), patterns, and `-`.
        endings: what a folder is searched for.
        expand: gives the pages of a file.

    Raises:
        UserError: for a folder or a pattern without images, or if nothing given exists.
    """
    found = [_expanded(argument, endings) for argument in arguments]
    if "-" not in arguments and not any(_exists(path) for paths in found for path in paths):
        if len(arguments) == 1:
            raise UserError(f"{missing(arguments[0])}; expected images, folders or patterns")
        raise UserError(
            f"there is no file {' nor '.join(arguments)}; expected images, folders or patterns"
        )
    files = chain.from_iterable(
        _standard_input() if argument == "-" else paths
        for argument, paths in zip(arguments, found, strict=True)
    )
    several = any(path.lower().endswith((*OF_PAGES, *CHEQUES)) for paths in found for path in paths)
    known = None if "-" in arguments or several else sum(map(len, found))
    return chain.from_iterable(map(expand, files)), known


def _exists(path: str) -> bool:
    file = locate(path).file
    return isinstance(file, Path) and file.exists()


def _expanded(argument: str, endings: tuple[str, ...]) -> list[str]:
    """Returns the paths of one argument, sorted; a file that is missing stays, to be reported."""
    if argument == "-":
        return []
    if Path(argument).is_dir():
        return _in_folder(argument, endings)
    if glob.has_magic(argument) and not _exists(argument):
        matches = glob.glob(argument, recursive=True)  # noqa: PTH207 (Path.glob takes no /*)
        paths = sorted(path for path in matches if not Path(path).is_dir())
        if not paths:
            raise UserError(f"no file matches the pattern {argument}; check it, and quote it")
        return paths
    return [argument]


def _in_folder(folder: str, endings: tuple[str, ...]) -> list[str]:
    """Returns the images below a folder, folder by folder, sorted; hidden files are left out."""
    paths: list[str] = []
    others: list[str] = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if not name.startswith("."):
                named = paths if name.lower().endswith(endings) else others
                named.append(str(Path(parent) / name))
    if not paths:
        raise UserError(
            f"the folder {folder} holds no images; expected files ending in {' '.join(endings)}"
        )
    if line := passed_over(others):
        print(f"{folder}: {line}", file=sys.stderr)  # noqa: T201
    return paths


def _standard_input() -> Iterator[str | bytes]:
    """Gives the image on standard input or, if it begins as text does, a path a line."""
    stream = sys.stdin.buffer
    head = stream.read(64)
    told = head.startswith(b"%PDF-") or is_cheques(head)  # which begin as text does
    if not head or told or any(_is_binary(byte) for byte in head):
        yield head + stream.read()
        return
    named = False
    for line in chain((head + stream.readline()).splitlines(), stream):
        if path := os.fsdecode(line.rstrip(b"\r\n")):
            named = True
            yield path
    if not named:
        yield b""  # empty lines alone are as little as nothing


def _is_binary(byte: int) -> bool:
    return byte < 32 and byte not in b"\r\n\t"
