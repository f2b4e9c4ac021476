"""Jobs of `read` and `predict` whose answers go into a folder or a store, here or over Ray."""

import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holmdel.cli.ending import DONE, SOME_FAILED
from holmdel.errors import UserError

if TYPE_CHECKING:
    from holmdel.scale.run import Progress
    from holmdel.scale.work import Work

RAY = "--ray"
AUTO = "auto"
PAUSE = 5.0  # seconds from one line on how it goes to the next
_ADDRESS = re.compile(r"auto|ray://.*|[^/\\\s]+:\d+")  # what may follow --ray; a path does not

RayFlag = Annotated[
    str | None,
    typer.Option(
        RAY,
        metavar="[HOST:PORT]",
        help="Over the Ray cluster there, or the one that runs here, or this machine "
        "(docs/scale.md).",
        rich_help_panel="On a cluster",
    ),
]


def with_address(arguments: list[str]) -> list[str]:
    """Returns arguments in which `--ray` has a value: `auto` where no address follows.

    >>> with_address(["read", "--ray", "scans", "--out", "answers"])
    ['read', '--ray=auto', 'scans', '--out', 'answers']
    >>> with_address(["read", "scans", "--ray", "10.0.0.1:6379"])
    ['read', 'scans', '--ray', '10.0.0.1:6379']
    """
    told = []
    for number, word in enumerate(arguments, 1):
        after = arguments[number : number + 1]
        bare = word == RAY and not (after and _ADDRESS.fullmatch(after[0]))
        told.append(f"{RAY}={AUTO}" if bare else word)
    return told


def is_job(out: str | None, ray: str | None) -> bool:
    """Tells whether answers go into a folder or a store, in parts, and not into one file."""
    if ray is not None and out is None:
        raise UserError("--ray was given without --out; say which folder or store to write to")
    folder = out is not None and ("://" in out or out.endswith("/") or Path(out).is_dir())
    return ray is not None or folder


def refuse_together(out: str | None, ray: str | None, flags: Mapping[str, object]) -> None:
    """Raises a UserError for a flag whose file only this process could write."""
    job = RAY if ray is not None else f"--out {out}"
    for flag, value in flags.items():
        if value:
            raise UserError(f"{flag} was given with {job}, which writes parts; leave one out")


def do(
    work: "Work",
    paths: list[str],
    out: str,
    form: str | None,
    *,
    resume: bool,
    jobs: int | None,
    ray: str | None,
) -> int:
    """Does a job and says how it goes; returns the exit status.

    Args:
        work: what is done with an image.
        paths: arguments of the verb.
        out: a folder or an address.
        form: `jsonl` or `parquet`; jsonl if None.
        resume: go on with what is there.
        jobs: how many workers.
        ray: the address of a cluster; None for processes of this machine.
    """
    from holmdel.scale.run import Job, run

    job = Job(work=work, out=out, form=form or "jsonl", resume=resume, jobs=jobs, ray=ray)
    began = time.monotonic()
    done = run(job, _inputs(paths, work.endings), Reporter())
    seconds = time.monotonic() - began
    failed = f"; {done.failed:,} failed: {out.rstrip('/')}/_failed.jsonl" if done.failed else ""
    typer.echo(
        f"wrote {out}: {done.lines:,} answers of {done.inputs:,} files in {done.number:,} parts, "
        f"{seconds:.1f} s{failed}",
        err=True,
    )
    return SOME_FAILED if done.failed else DONE


class Reporter:
    """Says how a job goes: at most a line each `PAUSE` seconds, on standard error."""

    def __init__(self) -> None:
        self._began = self._said = time.monotonic()
        self._first: int | None = None

    def __call__(self, at: "Progress") -> None:
        """Prints a line, if one is due."""
        now = time.monotonic()
        if self._first is None:
            self._began, self._first = now, at.done
            if at.done:
                typer.echo(f"{at.done:,} of {at.total:,} files are done already", err=True)
            return
        if now - self._said < PAUSE and at.done < at.total:
            return
        self._said = now
        rate = (at.done - self._first) / max(now - self._began, 1e-9)
        left = (at.total - at.done) / max(rate, 1e-9)
        failed = f", {at.failed:,} failed" if at.failed else ""
        line = (
            f"{at.done:,} of {at.total:,} files, {rate:,.1f} a second{failed}, {left:,.0f} s left"
        )
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def _inputs(paths: list[str], endings: tuple[str, ...]) -> Iterator[str]:
    """Gives the files that arguments mean, paths first; their pages are found where they are read.

    Raises:
        UserError: as `find_images`; for an image on standard input.
    """
    from holmdel.cli.inputs import find_images
    from holmdel.scale.store import find_files, is_url

    local = [path for path in paths if not is_url(path)]
    if local:
        for found in find_images(local, endings, lambda file: iter([file]))[0]:
            if isinstance(found, str):
                yield found
            else:
                raise UserError("an image was given on standard input; expected a path a line")
    for url in paths:
        if is_url(url):
            yield from find_files(url, endings)
