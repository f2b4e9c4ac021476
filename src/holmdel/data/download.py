"""HTTP downloads: mirrors tried in turn, resumed after a cut, checked before they are kept."""

import http.client
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from holmdel.errors import UserError

if sys.platform != "win32":
    import fcntl

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how much of it is done, and how much there is (0: not known)."""

TIMEOUT = 20.0  # seconds without a byte
CHUNK = 1 << 18  # bytes
RESUMES = 3  # times a mirror that cuts the connection is asked for the rest

Faults = (OSError, http.client.HTTPException)  # URLError and timeouts are OSErrors


def download(
    urls: Sequence[str],
    target: Path,
    check: Callable[[Path], None],
    progress: Progress | None = None,
) -> None:
    """Writes the first file out of `urls` that passes `check` to `target`, in one move.

    What has arrived is kept in `target` + `.part` until then, so that the next call goes on from
    there.

    Args:
        urls: the same file at several places, tried in turn.
        target: where it goes, in a folder that can be written to.
        check: raises a UserError for a file that is not the one wanted.
        progress: called with the file's name, the bytes there are, and the bytes in all.

    Raises:
        UserError: if no place has it, with the reason of each.
    """
    part = target.with_name(target.name + ".part")
    part.touch()
    reasons = []
    for url in urls:
        try:
            _from_one(url, part, check, progress)
        except (UserError, *Faults) as error:
            reasons.append(f"{url}: {_reason(error)}")
        else:
            part.replace(target)
            return
    if not part.stat().st_size:
        part.unlink()
    raise UserError(f"{target.name} could not be downloaded ({'; '.join(reasons)})")


def make_folder(folder: Path) -> None:
    """Makes a folder that can be written to, with those above it, unless it is there.

    Raises:
        UserError: if it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written to ({error.strerror}); give another data root"
        ) from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Locks a folder against other processes and threads that call this.

    So several that start at once download once. Where the system has no such locks (Windows, some
    network disks) it holds nothing, and the check of what was downloaded has the last word.
    """
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _from_one(
    url: str, part: Path, check: Callable[[Path], None], progress: Progress | None
) -> None:
    """Fetches one URL into `part` and checks it; a resumed part that fails is fetched anew.

    Mirrors may hold different gzip files of the same content, so halves of two need not fit.
    """
    while True:
        resumed = part.stat().st_size > 0
        _fetch(url, part, progress)
        try:
            return check(part)
        except UserError:
            part.write_bytes(b"")
            if not resumed:
                raise


def _fetch(url: str, part: Path, progress: Progress | None) -> None:
    """Appends what is missing of a URL to `part`, asking again where the connection is cut."""
    for attempt in range(1 + RESUMES):
        before = part.stat().st_size
        try:
            if _append(url, part, progress):
                return
        except urllib.error.HTTPError:
            raise
        except Faults:
            if attempt == RESUMES or part.stat().st_size == before:
                raise
    raise http.client.HTTPException("the connection was cut again and again")


def _append(url: str, part: Path, progress: Progress | None) -> bool:
    """Reads one answer into `part`; returns whether the file is complete then."""
    done = part.stat().st_size
    headers = {"User-Agent": "holmdel", **({"Range": f"bytes={done}-"} if done else {})}
    try:
        answer = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        with error:
            if done and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                return True  # nothing is missing, or the check will say
            raise
    with answer:
        if answer.status != http.client.PARTIAL_CONTENT:
            done = 0
        length = answer.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() else 0
        with part.open("ab") as file:
            file.truncate(done)
            while block := answer.read1(CHUNK):
                file.write(block)
                done += len(block)
                if progress:
                    progress(part.name.removesuffix(".part"), done, total)
    return done >= total


def _reason(error: BaseException) -> str:
    cause = getattr(error, "reason", error)  # URLError carries the OSError, HTTPError the phrase
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {error.reason}"
    if isinstance(cause, OSError):
        return cause.strerror or str(cause) or type(cause).__name__
    return str(cause) or type(cause).__name__
