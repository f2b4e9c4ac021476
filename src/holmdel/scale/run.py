"""A job from its inputs to its answers: the same on this machine and on a cluster."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from holmdel.errors import UserError
from holmdel.reading.chunks import cores
from holmdel.scale.cluster import connected
from holmdel.scale.formats import FORMATS
from holmdel.scale.local import over_processes
from holmdel.scale.over_ray import over_ray
from holmdel.scale.parts import Done, Parts
from holmdel.scale.store import Store, is_url

if TYPE_CHECKING:
    from holmdel.scale.work import Work


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be done.

    Attributes:
        work: with an input.
        out: the folder or the store of the answers.
        form: of their files, one of `FORMATS`.
        resume: go on with what is there.
        jobs: how many workers; one a core, or a CPU of the cluster, if None.
        ray: the address of a cluster; None for this machine's processes.
    """

    work: "Work"
    out: str
    form: str = "jsonl"
    resume: bool = False
    jobs: int | None = None
    ray: str | None = None


class Progress(NamedTuple):
    """How a job stands, in inputs.

    Attributes:
        total: of all.
        done: of them, those of earlier starts included.
        failed: answers of this start that are errors.
        part: the part that was done last; None at the start.
    """

    total: int
    done: int
    failed: int
    part: Done | None = None


def run(
    job: Job, inputs: Iterable[str], told: Callable[[Progress], object] = lambda at: None
) -> Done:
    """Does a job; returns its counts, those of earlier starts included.

    Args:
        job: what is to be done.
        inputs: paths and addresses; each is drawn once.
        told: how it goes, once at the start and after each part.

    Raises:
        UserError: for a store that cannot be used, another job there, a cluster that cannot.
    """
    if job.form not in FORMATS:
        raise UserError(f"--format was given as {job.form!r}; choose from {', '.join(FORMATS)}")
    FORMATS[job.form]([], "read")  # its package is missed before anything is read
    if job.ray is None:
        return _run(job, inputs, told)
    with connected(job.ray) as ray:  # before anything is written
        return _run(job, inputs, told, ray)


def _run(
    job: Job, inputs: Iterable[str], told: Callable[[Progress], object], ray: Any = None
) -> Done:
    """Does what `run` says, over this machine's processes or a cluster that is connected."""
    out = job.out if is_url(job.out) else str(Path(job.out).resolve())
    parts = Parts(Store(out), job.form)
    parts.begin(job.work.describe(), resume=job.resume)
    count = parts.add(inputs)
    missing = parts.missing()
    done = sum(one.inputs for one in parts.done())
    given = (job.work, out, job.form, str(Path.cwd()))
    told(Progress(count, done, 0))
    failed = 0
    if ray is None:
        found = over_processes(missing, given, min(job.jobs or cores(), max(1, len(missing))))
    else:
        found = over_ray(missing, given, ray, job.jobs)
    for one in found:
        done, failed = done + one.inputs, failed + one.failed
        told(Progress(count, done, failed, one))
    return parts.finish()
