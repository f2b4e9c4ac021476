"""HDF5 files, of which weights and texts alone are read: no links out of the file, no fillings."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.exchange.archive import damaged

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_SECONDS, MOST_WAIT = 20, 300  # of computing, and by the clock, to get through a file
MOST_UNPACKED = 32  # times its size in the file that a packed array may have
DEEPEST = 32  # groups within groups


def opened(path: str | Path, place: Path) -> Any:
    """Returns an HDF5 file, open.

    Args:
        path: what sentences call it.
        place: where it lies.

    Raises:
        UserError: if it is damaged, or h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise UserError(
            f"{path} is an HDF5 file, which needs h5py: pip install 'holmdel[weights]'"
        ) from None
    _try_apart(path, place)
    try:
        return h5py.File(place, "r")
    except Exception as error:  # whatever HDF5's library makes of damage
        raise damaged(path, str(error)) from None


def _try_apart(path: str | Path, place: Path) -> None:
    """Raises a UserError if another process does not get through the file.

    HDF5's library goes in circles over some damaged files, and is no longer itself after others.
    """
    words = [sys.executable, "-c", _LOOK, str(MOST_UNPACKED), str(MOST_SECONDS), str(place)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=MOST_WAIT, check=False)
    except subprocess.TimeoutExpired:
        raise damaged(path, "HDF5's library does not get through it") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise damaged(path, said[-1] if said else "HDF5's library does not get through it")


_LOOK = """
import sys, h5py
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]) + 1,) * 2)
except ImportError:
    pass
def look(group, depth=0):
    for name in group.attrs:
        group.attrs.get(name)
    for name in group if depth < 40 else ():
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            visit(group[name], depth)
def visit(found, depth):
    if isinstance(found, h5py.Group):
        look(found, depth + 1)
    elif not found.external and not found.is_virtual:
        plain = found.chunks is None and found.dtype.kind in "fiub"  # read as they lie there
        if not plain and found.nbytes <= found.id.get_storage_size() * int(sys.argv[1]):
            found[()]
look(h5py.File(sys.argv[3], "r"))
"""


class Group:
    """A group of an HDF5 file, whatever is damaged in it a sentence.

    Args:
        path: what sentences call the file.
        group: h5py's.
        name: of the group.
        depth: how many groups it lies in.
    """

    def __init__(self, path: str | Path, group: Any, name: str = "", depth: int = 0) -> None:
        self.path = path
        self.name = name
        self._group = group
        self._depth = depth

    def text(self, name: str) -> str | None:
        """Returns an attribute that is a text, None if there is none."""
        found = self._guarded(lambda: self._group.attrs.get(name))
        if isinstance(found, bytes | np.bytes_):
            return found.decode(errors="replace")
        return found if isinstance(found, str) else None

    def texts(self, name: str) -> list[str] | None:
        """Returns an attribute that is a list of texts, None if there is none.

        Keras writes a list that is too long for one attribute as `name0`, `name1`, ...
        """
        whole = self._guarded(lambda: self._group.attrs.get(name))
        if whole is not None:
            return [_decoded(text) for text in np.ravel(whole)]
        parts: list[str] = []
        for number in count():
            part = self._guarded(lambda number=number: self._group.attrs.get(f"{name}{number}"))
            if part is None:
                return parts or None
            parts += [_decoded(text) for text in np.ravel(part)]
        return None

    def groups(self) -> Iterator["Group"]:
        """Yields the groups in it, sorted by name."""
        for name in self._names():
            if self._kind(name) == "Group":
                yield self.group(name)

    def arrays(self) -> list[str]:
        """Returns the names of the arrays in it, sorted."""
        return [name for name in self._names() if self._kind(name) == "Dataset"]

    def group(self, name: str) -> "Group":
        """Returns a group in it."""
        if self._depth >= DEEPEST:
            raise damaged(self.path, f"more than {DEEPEST} groups within one another")
        inner = self._guarded(lambda: self._group[name])
        return Group(self.path, inner, f"{self.name}/{name}".lstrip("/"), self._depth + 1)

    def __contains__(self, name: str) -> bool:
        """Tells whether there is a group or an array of that name in it."""
        return self._kind(name) is not None

    def array(self, name: str) -> NDArray[Any]:
        """Returns the numbers of an array.

        Raises:
            UserError: if it is damaged, lies in another file, or would be filled with numbers
                that are not in the file.
        """
        found = self._guarded(lambda: self._dataset(name))
        return np.asarray(self._guarded(lambda: found[()]))

    def _dataset(self, name: str) -> Any:
        dataset = self._group[name]
        if dataset.external or dataset.is_virtual:
            raise UserError(f"{self.path} keeps {name!r} in another file; save it whole")
        stored = dataset.id.get_storage_size()
        packed = MOST_UNPACKED if dataset.compression or dataset.chunks else 1
        if dataset.dtype.kind not in "fiub" or dataset.nbytes > stored * packed:
            raise damaged(self.path, f"{name!r} is of {dataset.nbytes} bytes, {stored} are there")
        return dataset

    def _names(self) -> list[str]:
        names: list[str] = self._guarded(lambda: sorted(self._group.keys()))
        return names

    def _kind(self, name: str) -> str | None:
        """Returns `Group` or `Dataset`; None for what is not in this file."""
        import h5py

        def look() -> str | None:
            link = self._group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                return None
            found = self._group.get(name, getclass=True)
            return None if found is None else str(found.__name__)

        kind: str | None = self._guarded(look)
        return kind

    def _guarded(self, look: Any) -> Any:
        """Returns what a look into the file gives; whatever HDF5 makes of damage is a sentence."""
        try:
            return look()
        except UserError:
            raise
        except Exception as error:
            raise damaged(self.path, str(error)) from None


def _decoded(text: Any) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
