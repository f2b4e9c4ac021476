"""What is done with inputs: reading, or classifying. It is made here and goes to every worker."""

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from holmdel.errors import UserError
from holmdel.images.formats import CHEQUES, ENDINGS
from holmdel.images.pages import FileLike, pages
from holmdel.prediction import or_failure, to_json
from holmdel.reading.cheques import items
from holmdel.reading.model_file import model_file
from holmdel.reading.record import Read, to_values
from holmdel.reading.stream import ReaderSettings
from holmdel.reading.template_fields import parse_toml
from holmdel.runtime import classifier_of, file_of, one_thread

Answer = dict[str, Any]  # a line of JSON
Answers = Callable[[list[FileLike]], list[Answer]]


class Work(Protocol):
    """What every worker does.

    Attributes:
        verb: of the command line that does it.
        endings: of the files that a folder is searched for.
    """

    verb: ClassVar[str]
    endings: ClassVar[tuple[str, ...]]

    def describe(self) -> dict[str, Any]:
        """Returns what a job must be gone on with: JSON-ready, and equal for equal answers."""

    def start(self) -> Answers:
        """Returns, in a worker, what gives an answer an image."""

    def pages(self, image: FileLike) -> Iterator[FileLike]:
        """Gives the pages of a file."""


@dataclass(frozen=True)
class File:
    """A file that goes with the work, because other machines do not have it.

    Attributes:
        name: without its folder.
        content: its bytes.
    """

    name: str
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, path: Path) -> "File":
        """Returns a file of this machine.

        Raises:
            UserError: if it cannot be read.
        """
        try:
            return cls(path.name, path.read_bytes())
        except OSError as error:
            raise UserError(f"{path} cannot be read ({error.strerror or error})") from None

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


class _Unpacked:
    """Files in a folder that is there as long as this object."""

    def __init__(self, *files: File | None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="holmdel-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        for one in files:
            if one:
                self.path(one).write_bytes(one.content)

    def path(self, one: File) -> Path:
        """Returns where a file is."""
        return self._folder / one.name


@dataclass(frozen=True)
class ReadWork:
    """Reading strings of digits.

    Attributes:
        settings: of the reader; their files go with the work.
        model: the reader's weights.
        template: the form and the image of it, if the images are pages of one.
        codes: the file of a pattern `list:FILE`.
    """

    settings: ReaderSettings
    model: File
    template: tuple[File, File] | None = None
    codes: File | None = None

    verb: ClassVar[str] = "read"
    endings: ClassVar[tuple[str, ...]] = (*ENDINGS, *CHEQUES)

    @classmethod
    def of(cls, settings: ReaderSettings) -> "ReadWork":
        """Returns the work of a reader.

        Raises:
            UserError: as `Reader`.
        """
        settings.reader()
        form = None
        if settings.template is not None:
            beside = parse_toml(settings.template)["reference"]
            form = File.of(settings.template), File.of(settings.template.with_name(beside))
        kind, _, listed = settings.pattern.partition(":")
        codes = File.of(Path(listed)) if kind == "list" else None
        return cls(settings, File.of(model_file(settings.model)), form, codes)

    def describe(self) -> dict[str, Any]:
        """Returns the settings, and checksums in place of files."""
        values: dict[str, Any] = {**vars(self.settings), "regions": list(self.settings.regions)}
        values |= {"verb": self.verb, "model": self.model.digest}
        values["template"] = [file.digest for file in self.template] if self.template else None
        return values | ({"pattern": f"list:{self.codes.digest}"} if self.codes else {})

    def start(self) -> Answers:
        """Returns what reads a chunk of images."""
        read = self.reading()
        return lambda chunk: [to_values(found) for found in read(chunk)]

    def reading(self) -> Callable[[list[FileLike]], list[Read]]:
        """Returns what reads a chunk of images."""
        files = _Unpacked(self.model, self.codes, *(self.template or ()))
        settings = replace(self.settings, model=files.path(self.model))
        if self.template:
            settings = replace(settings, template=files.path(self.template[0]))
        if self.codes:
            settings = replace(settings, pattern=f"list:{files.path(self.codes)}")
        reader = settings.worker()

        def read(chunk: list[FileLike]) -> list[Read]:
            assert files  # the reader may open its model again
            return list(reader.read_each(chunk))

        return read

    def pages(self, image: FileLike) -> Iterator[FileLike]:
        """Gives the pages of a file, and the items of one of cheques."""
        return items(image)


@dataclass(frozen=True)
class PredictWork:
    """Classifying.

    Attributes:
        model: the classifier's file.
        top: how many classes are named.
        device: where a worker computes.
        engine: what computes.
    """

    model: File
    top: int = 3
    device: str = "cpu"
    engine: str = "auto"

    verb: ClassVar[str] = "predict"
    endings: ClassVar[tuple[str, ...]] = ENDINGS

    @classmethod
    def of(cls, model: str, **settings: Any) -> "PredictWork":
        """Returns the work of a classifier.

        Raises:
            UserError: as `runtime.classifier_of`.
        """
        work = cls(File.of(file_of(model)), **settings)
        classifier_of(model, work.device, work.engine)
        return work

    def describe(self) -> dict[str, Any]:
        """Returns the settings, and a checksum of the model."""
        return {**vars(self), "verb": self.verb, "model": self.model.digest}

    def start(self) -> Answers:
        """Returns what classifies a chunk of images."""
        classifier = self.classifier()

        def answers(chunk: list[FileLike]) -> list[Answer]:
            found = classifier.predict_each(chunk, top=self.top)
            return [to_json(or_failure(one)) for one in found]

        return answers

    def classifier(self) -> Any:
        """Returns, in a worker, the classifier, which computes on one thread."""
        one_thread()
        files = _Unpacked(self.model)
        return classifier_of(files.path(self.model), self.device, self.engine)

    def pages(self, image: FileLike) -> Iterator[FileLike]:
        """Gives the pages of a file."""
        return pages(image)
