"""A folder, here or in a store such as `s3://`, whose files appear whole or not at all."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec

from holmdel.errors import UserError
from holmdel.files import write_bytes

_HERE = ("file", "local")
# Stores in which a file that is written appears at its end, whole.
_AT_ONCE = {"s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "oss", "memory"}
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs"}


def is_url(name: str) -> bool:
    """Tells whether a name is of a store: `s3://bucket/scans`, `memory://scans`, `file:///scans`."""
    return "://" in name


class Store:
    """Files by their names below one address.

    Args:
        url: a folder's path, or an address that fsspec knows.

    Raises:
        UserError: for a store that is not known, or whose package is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._files, root = open_url(url)
        self._root = root.rstrip("/")
        protocol = self._files.protocol
        self._protocols = {protocol} if isinstance(protocol, str) else set(protocol)

    def read(self, name: str) -> bytes | None:
        """Returns a file's bytes; None where there is no such file.

        Raises:
            UserError: if the store cannot be read.
        """
        try:
            content: bytes = self._files.cat_file(self._path(name))
            return content
        except FileNotFoundError:
            return None
        except Exception as error:  # each store has errors of its own
            raise UserError(
                f"{self.url}/{name} cannot be read ({_reason(error)}); check the address and the "
                "permissions"
            ) from None

    def write(self, name: str, content: bytes) -> None:
        """Writes a file: whoever reads it sees what was there before, or all of the new one.

        Raises:
            UserError: if the store cannot be written.
        """
        path = self._path(name)
        if self._protocols & set(_HERE):
            write_bytes(Path(path), content)
            return
        try:
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            if self._protocols & _AT_ONCE:
                self._files.pipe_file(path, content)
                return
            half = f"{path}.{uuid.uuid4().hex}.part"
            self._files.pipe_file(half, content)
            self._files.mv(half, path)
        except Exception as error:  # each store has errors of its own
            raise UserError(
                f"{self.url}/{name} cannot be written ({_reason(error)}); check the permissions, "
                "or choose another --out"
            ) from None

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def names(self, folder: str) -> list[str]:
        """Returns the names of the files of a folder, sorted; none where it is not there.

        Raises:
            UserError: if the store cannot be read.
        """
        try:
            found = self._files.ls(self._path(folder), detail=False, refresh=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except Exception as error:  # each store has errors of its own
            raise UserError(
                f"{self.url} cannot be read ({_reason(error)}); check the address"
            ) from None
        names = (str(path).rstrip("/").rpartition("/")[2] for path in found)
        return sorted(name for name in names if name and not name.startswith("."))

    def read_json(self, name: str) -> Any:
        """Returns what a JSON file holds; None where there is no such file.

        Raises:
            UserError: if it cannot be read.
        """
        content = self.read(name)
        try:
            return None if content is None else json.loads(content)
        except (ValueError, RecursionError):
            raise UserError(f"{self.url}/{name} is not of a job; choose another --out") from None

    def write_json(self, name: str, value: object) -> None:
        """Writes a JSON file."""
        self.write(name, json.dumps(value).encode() + b"\n")

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


def open_url(url: str) -> tuple[Any, str]:
    """Returns the file system of an address, and the path in it.

    Raises:
        UserError: for a store that is not known, or whose package is not installed.
    """
    protocol = url.partition("://")[0]
    try:
        files, path = fsspec.core.url_to_fs(url)
    except ImportError:
        package = _PACKAGES.get(protocol, f"fsspec's package for {protocol}")
        raise UserError(
            f"{url} needs {package}, which is not installed; install it with: pip install "
            f"{package}, on every node"
        ) from None
    except Exception as error:  # each store has errors of its own
        raise UserError(
            f"{url} cannot be opened ({_reason(error)}); expected a folder, or an address such as "
            "s3://bucket/folder"
        ) from None
    return files, str(path)


def find_files(url: str, endings: tuple[str, ...]) -> Iterator[str]:
    """Gives the addresses that one address means: a file, a folder's files, or a pattern's.

    Args:
        url: such as `s3://bucket/scans`, `s3://bucket/scans/*.png` or `s3://bucket/one.pdf`.
        endings: what a folder is searched for.

    Raises:
        UserError: if nothing is there, or the store cannot be read.
    """
    files, path = open_url(url)
    try:
        if any(sign in path for sign in "*?["):
            found = sorted(files.glob(path))
        elif files.isdir(path):
            found = sorted(p for p in files.find(path) if p.lower().endswith(endings))
        else:
            found = [path] if files.exists(path) else []
    except Exception as error:  # each store has errors of its own
        raise UserError(f"{url} cannot be read ({_reason(error)}); check the address") from None
    if not found:
        raise UserError(
            f"there is nothing to read at {url}; expected a file, a folder or a pattern"
        )
    yield from (str(files.unstrip_protocol(name)) for name in found)


def fetch(url: str) -> bytes:
    """Returns the bytes of a file in a store.

    Raises:
        UserError: if it cannot be read.
    """
    files, path = open_url(url)
    try:
        content: bytes = files.cat_file(path)
        return content
    except FileNotFoundError:
        raise UserError(f"there is no file {url}; check the name") from None
    except Exception as error:  # each store has errors of its own
        raise UserError(f"{url} cannot be read ({_reason(error)}); check its permissions") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
