"""The images that the arguments of a verb mean."""

import glob
import os
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from holmdel.errors import UserError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif")


def find_images(arguments: list[str]) -> tuple[Iterator[str | bytes], int | None]:
    """Returns paths, or the bytes of standard input, and how many; None for not known yet.

    Args:
        arguments: files, folders (searched through, by name), patterns, and `-`.

    Raises:
        UserError: for a folder or a pattern without images, or if nothing given exists.
    """
    found = [_expanded(argument) for argument in arguments]
    if "-" not in arguments and not any(Path(path).exists() for paths in found for path in paths):
        raise UserError(
            f"there is no file {' nor '.join(arguments)}; expected images, folders or patterns"
        )
    images = chain.from_iterable(
        _standard_input() if argument == "-" else paths
        for argument, paths in zip(arguments, found, strict=True)
    )
    return images, None if "-" in arguments else sum(map(len, found))


def _expanded(argument: str) -> list[str]:
    """Returns the paths of one argument, sorted; a file that is missing stays, to be reported."""
    if argument == "-":
        return []
    if Path(argument).is_dir():
        paths = _in_folder(argument)
        if not paths:
            raise UserError(
                f"the folder {argument} holds no images; expected files ending in "
                + " ".join(ENDINGS)
            )
        return paths
    if glob.has_magic(argument) and not Path(argument).exists():
        matches = glob.glob(argument, recursive=True)  # noqa: PTH207 (Path.glob takes no /*)
        paths = sorted(path for path in matches if not Path(path).is_dir())
        if not paths:
            raise UserError(f"no file matches the pattern {argument}; check it, and quote it")
        return paths
    return [argument]


def _in_folder(folder: str) -> list[str]:
    """Returns the images below a folder, folder by folder, sorted; hidden files are left out."""
    paths = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        paths += [
            str(Path(parent) / name)
            for name in sorted(files)
            if name.lower().endswith(ENDINGS) and not name.startswith(".")
        ]
    return paths


def _standard_input() -> Iterator[str | bytes]:
    """Gives the image on standard input or, if it begins as text does, a path a line."""
    stream = sys.stdin.buffer
    head = stream.read(64)
    if not head or any(byte < 32 and byte not in b"\r\n\t" for byte in head):
        yield head + stream.read()
        return
    for line in chain((head + stream.readline()).splitlines(), stream):
        if path := os.fsdecode(line.rstrip(b"\r\n")):
            yield path
