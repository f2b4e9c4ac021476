"""The parts of a job: which inputs are in which, and which are done. All of it is in the store.

part-00000.jsonl         the answers of a part, a line an image, in the order of its inputs
_failed.jsonl            at the end: the answers that are errors, once more
_manifest.json           at the end: how many inputs, lines and failures
_job/job.json            what is done
_job/inputs/00000.json   the inputs of a part, written once
_job/tries/00000.json    how often its inputs have ended a worker
_job/done/00000.json     the part is done: its counts
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from holmdel.errors import UserError
from holmdel.reading.chunks import CHUNK
from holmdel.scale.formats import FORMATS
from holmdel.scale.store import Store

LARGEST = 16 * CHUNK  # inputs of a part
MANY = 64 * LARGEST  # inputs from which on parts are as large as that
FEW = 64  # parts, at most, of fewer inputs


@dataclass(frozen=True)
class Done:
    """What became of a part, or of a whole job.

    Attributes:
        number: of the part.
        inputs: files.
        lines: answers, several for a file of pages.
        failed: answers that are errors.
        seconds: from the part's begin to its end.
        worker: the process that did it.
        memory: the most that this process has held, in MB.
    """

    number: int
    inputs: int
    lines: int
    failed: int
    seconds: float = 0.0
    worker: str = ""
    memory: float = 0.0


class Parts:
    """The parts of a job in a store.

    Args:
        store: where the answers go.
        form: of the answers' files, one of `FORMATS`.
    """

    def __init__(self, store: Store, form: str) -> None:
        self.store = store
        self._form = form

    def begin(self, about: dict[str, Any], *, resume: bool) -> None:
        """Begins a job in an empty place, or takes the one up that is there.

        Raises:
            UserError: if something is there and not to be gone on with, or it is another job.
        """
        about = {**about, "format": self._form}
        was = self.store.read_json("_job/job.json")
        if was is None:
            if self.store.names(""):
                raise UserError(f"{self.store.url} holds other files; choose another --out")
            self.store.write_json("_job/job.json", about)
            return
        if not resume:
            raise UserError(
                f"{self.store.url} exists already; give --resume to go on, or another --out"
            )
        for name in sorted({*was, *about}):
            if was.get(name) != about.get(name):
                raise UserError(
                    f"{self.store.url} was begun with {name} {was.get(name)!r} and cannot go on "
                    f"with {about.get(name)!r}; leave {name} as it was, or choose another --out"
                )

    def add(self, inputs: Iterable[str]) -> int:
        """Lays down the inputs that are in no part yet, in new parts; returns how many there are.

        Raises:
            UserError: if the store cannot be written.
        """
        numbers = self._numbers("inputs")
        known = Counter(one for number in numbers for one in self.inputs(number))
        count = known.total()
        new = _missing(inputs, known)
        ahead = list(islice(new, MANY))
        size = LARGEST if len(ahead) == MANY else _size(len(ahead))
        number = numbers[-1] + 1 if numbers else 0
        while ahead:
            self.store.write_json(f"_job/inputs/{number:05}.json", ahead[:size])
            count += len(ahead[:size])
            ahead = ahead[size:] + list(islice(new, size))
            number += 1
        return count

    def inputs(self, number: int) -> list[str]:
        """Returns the inputs of a part."""
        found = self.store.read_json(f"_job/inputs/{number:05}.json")
        if not isinstance(found, list):
            raise UserError(
                f"{self.store.url} has lost _job/inputs/{number:05}.json, or this node does not "
                "reach it; every node must see --out under the same address"
            )
        return found

    def missing(self) -> list[int]:
        """Returns the numbers of the parts that are to be done."""
        return sorted({*self._numbers("inputs")} - {*self._numbers("done")})

    def done(self) -> Iterator[Done]:
        """Gives what became of each part that is done."""
        for number in self._numbers("done"):
            found = self.store.read_json(f"_job/done/{number:05}.json")
            yield Done(**found)

    def tries(self, number: int) -> dict[int, int] | None:
        """Returns how often inputs of a part, by their places, ended a worker; None if new."""
        found = self.store.read_json(f"_job/tries/{number:05}.json")
        return None if found is None else {int(place): count for place, count in found.items()}

    def keep_tries(self, number: int, tries: dict[int, int]) -> None:
        """Keeps how often inputs of a part are tried, before that is done once more."""
        self.store.write_json(f"_job/tries/{number:05}.json", tries)

    def commit(self, done: Done, answers: list[dict[str, Any]], verb: str) -> None:
        """Writes the answers of a part, and then that it is done."""
        content = FORMATS[self._form](answers, verb)
        self.store.write(f"part-{done.number:05}.{self._form}", content)
        failed = [answer for answer in answers if "error" in answer]
        if failed:
            self.store.write(f"_job/failed/{done.number:05}.jsonl", FORMATS["jsonl"](failed, verb))
        self.store.write_json(f"_job/done/{done.number:05}.json", asdict(done))
        self.store.remove(f"_job/tries/{done.number:05}.json")

    def finish(self) -> Done:
        """Writes the failed answers into one file, and the manifest; returns the counts."""
        every = list(self.done())
        failed = b"".join(
            self.store.read(f"_job/failed/{one.number:05}.jsonl") or b""
            for one in every
            if one.failed
        )
        if failed:
            self.store.write("_failed.jsonl", failed)
        inputs, lines, wrong = (
            sum(getattr(one, name) for one in every) for name in ("inputs", "lines", "failed")
        )
        counts = {"parts": len(every), "inputs": inputs, "lines": lines, "failed": wrong}
        self.store.write_json("_manifest.json", counts)
        return Done(len(every), inputs, lines, wrong)

    def _numbers(self, kind: str) -> list[int]:
        names = self.store.names(f"_job/{kind}")
        return [int(name.removesuffix(".json")) for name in names if name.endswith(".json")]


def _missing(inputs: Iterable[str], known: Counter[str]) -> Iterator[str]:
    """Gives the inputs that are not known; one that is given twice is there twice."""
    left = known.copy()
    for one in inputs:
        if left[one]:
            left[one] -= 1
        else:
            yield one


def _size(count: int) -> int:
    """Returns how many inputs a part has: whole chunks, for `FEW` parts where there are enough."""
    chunks = max(1, -(-count // (FEW * CHUNK)))
    return min(chunks * CHUNK, LARGEST)
