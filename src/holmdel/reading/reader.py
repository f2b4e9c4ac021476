"""Pictures of paper in, strings of digits out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holmdel.deprecation import renamed_parameters
from holmdel.errors import UserError
from holmdel.images.decoding import ImageLike
from holmdel.prediction import Failure
from holmdel.reading.answers import (
    DIGITS,
    MAX_ERROR,
    REJECT,
    UNCLEAR,
    Box,
    Line,
    Reading,
    Skipped,
    on_page,
)
from holmdel.reading.cells import read_cells
from holmdel.reading.colour import Inks
from holmdel.reading.field_answers import (
    FieldAnswer,
    alignments,
    around,
    line_of,
    longest,
    rejected,
)
from holmdel.reading.fields import Affine
from holmdel.reading.filled import Form
from holmdel.reading.form_reader import FormReader
from holmdel.reading.line import LineAnswer, LineReader
from holmdel.reading.model_file import model_file
from holmdel.reading.page import Page, find_fields
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.polarity import dark_ink
from holmdel.reading.regions import joined, parse_regions, parts_of
from holmdel.reading.sheets import Sheet, batches, is_cheque, open_sheet
from holmdel.reading.strip import Strip, strips_of
from holmdel.reading.template import Template
from holmdel.reading.thresholds import READING
from holmdel.reading.trust import Trust, load_calibration

if TYPE_CHECKING:
    from torch import nn

EXPORTED = ".onnx"
_VIEWS = 4  # of a field on a page; in letters they see different digits


class Reader:
    """Reads digit strings on pictures.

    Attributes:
        model: the file of the line network.
        trust: what makes confidences of scores: the user's calibration for this model, or its own.

    Args:
        model: a `.safetensors` file, a folder with `model.safetensors`, or None for the reader that
            ships with holmdel.
        pattern: what may be written: `digits`, `digits:5`, `us-zip`, `cn-postcode`, `amount`,
            `date:dmy`, `luhn:16`, `isbn`, `iban:DE`, `list:FILE`, or a
            small regular expression.
        lines: every picture is one line.
        max_error: the part of all strings that may be read wrongly; what is less sure is rejected.
        template: of a form, or its TOML file; every image is a page of it, whose fields are read.
        regions: parts of every image that are one line each, and all that is read of it: x, y,
            width and height, in pixels or as shares of the image; numbers or texts `x,y,w,h`.

    Raises:
        UserError: for an unknown model or pattern, an error outside 0..1, a template or a region
            with a mistake, or both of these.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        pattern: str = DIGITS,
        lines: bool = False,
        max_error: float = MAX_ERROR,
        template: str | Path | Template | None = None,
        regions: Sequence[str | Sequence[float]] = (),
    ) -> None:
        self.model = model_file(model)
        self._network, own = _loaded(self.model, self.model.stat().st_mtime_ns)
        self.trust = load_calibration(self.model) or own
        self._given = pattern, lines, max_error
        self._pattern = parse_pattern(pattern)
        self._lines = lines
        self._threshold = self.trust.threshold(max_error)
        self._regions = parse_regions(regions)
        self._form = None if template is None else self._form_reader(template)

    def _form_reader(self, template: str | Path | Template) -> FormReader:
        if self._regions:
            raise UserError("regions were given with a template, which has fields; leave them out")
        known = template if isinstance(template, Template) else Template.load(template)
        return FormReader(Form(known), self._network, self.trust, self._threshold)

    @renamed_parameters(picture="image")
    def read(self, image: ImageLike, *, steps: bool = False) -> Reading:
        """Returns what stands on one image.

        Args:
            image: a path, the bytes of a file, a PIL image, or an array or tensor.
            steps: keep pictures of what was done, and how each line was read, `Line.look`.

        Raises:
            UserError: if the image cannot be used.
        """
        [found] = self.read_each([image], steps=steps)
        if isinstance(found, Failure):
            raise UserError(found.error)
        return found

    @renamed_parameters(pictures="images")
    def read_each(
        self, images: Iterable[ImageLike], *, steps: bool = False
    ) -> Iterator[Reading | Failure]:
        """Gives a reading or a failure an image, in order, however many there are.

        Arguments as `read`; at most `sheets.BATCH` images are held, fewer where they are large.
        """
        for batch in batches(map(open_sheet, images)):
            reader = self._for_cheques if is_cheque(batch[0]) else self
            yield from reader._read_batch(batch, steps)

    @cached_property
    def _for_cheques(self) -> "Reader":
        """What reads cheques: this reader, or one of amounts where no pattern was given."""
        if self._given[0] != DIGITS or self._form or self._regions:
            return self
        _, lines, max_error = self._given
        return Reader(self.model, pattern="amount", lines=lines, max_error=max_error)

    def _read_batch(self, found: list[Sheet | Failure], steps: bool) -> list[Reading | Failure]:
        """Returns what a batch says; single lines go through the network together."""
        if self._form or self._regions:
            return [f if isinstance(f, Failure) else self._fields(f, steps) for f in found]
        whole = self._whole([f for f in found if isinstance(f, Sheet)], steps)
        return [f if isinstance(f, Failure) else f.finished(next(whole)) for f in found]

    def _fields(self, sheet: Sheet, steps: bool) -> Reading | Failure:
        """Returns what stands in the fields of a form, or in the regions of an image."""
        try:
            if self._form:
                return sheet.finished(self._form.read(sheet.grey, sheet.path, steps=steps))
            boxes, parts = parts_of(sheet, self._regions)
        except UserError as error:
            return Failure(sheet.path, str(error))
        readings = list(self._whole(parts, steps))
        return sheet.finished(joined(sheet.path, self._regions, boxes, readings))

    def _whole(self, sheets: list[Sheet], steps: bool) -> Iterator[Reading]:
        """Gives what stands on sheets; those of one line go through the network together."""
        single = bool(self._lines or self._regions)
        pages = [Inks(dark_ink(sheet.image)) for sheet in sheets]
        strips = [strips_of(page, certain=single) for page in pages]
        pictures = [strip.picture for few in strips for strip in few]
        answers = iter(self._network.answers(pictures, self._pattern, looks=steps))
        for sheet, page, few in zip(sheets, pages, strips, strict=True):
            said = [(strip, next(answers)) for strip in few]
            comb = not said or any(strip.comb for strip in few)
            fields = find_fields(page, self._network, steps=steps) if comb else None
            if fields and (not said or fields.is_comb):
                found = self._page(sheet, fields, steps)
                if any(strip.beyond for strip in few):
                    found = rejected(found)
                yield longest(found) if single else found
            else:
                yield self._one_line(sheet, said)

    def _one_line(self, sheet: Sheet, said: list[tuple[Strip, LineAnswer]]) -> Reading:
        """Returns what stands on a line, in that of its inks in which it is read best."""
        strip, answer = max(said, key=lambda pair: pair[1].score)
        shown = alignments(strip.picture, answer, 1)
        parts = [*(digit.box for digit in answer.digits), *answer.marks]
        box = around([on_page(part, strip.to_page) for part in parts])
        lines = self._kept(answer, box, strip.to_page)
        unread = () if lines else (Skipped(strip.box, UNCLEAR),)
        return Reading(sheet.path, lines, unread, steps=shown)

    def _page(self, sheet: Sheet, page: Page, steps: bool) -> Reading:
        """Returns what stands in the fields of a page, read under the pattern."""
        pictures = [field.picture for field in page.fields]
        answers = self._network.answers(pictures, self._pattern, _VIEWS, looks=steps)
        fields = [*map(FieldAnswer.of, page.fields, answers)]
        combs = [said for said in fields if said.field.comb]
        in_cells = read_cells(
            [s.field.comb for s in combs if s.field.comb], self._network, self._pattern
        )
        for said, comb in zip(combs, in_cells, strict=True):
            said.take(comb)
        lines: list[Line] = []
        unread: list[Skipped] = []
        shown = page.steps
        for number, said in enumerate(fields, 1):
            kept = self._kept(said.answer, said.box, said.to_page)
            if not kept or said.answer.score < READING.least_score:
                unread.append(Skipped(said.field.box, UNCLEAR))
                continue
            unsure = said.weak or said.field.beyond
            lines += [replace(line, status=REJECT) for line in kept] if unsure else kept
            shown += alignments(said.picture, said.answer, number)
        return Reading(sheet.path, tuple(lines), (*page.skipped, *unread), steps=shown)

    def _kept(self, answer: LineAnswer, box: Box, to_page: Affine) -> tuple[Line, ...]:
        """Returns the line of an answer; none without digits."""
        if not answer.text:
            return ()
        return (line_of(answer, self._pattern, self.trust, self._threshold, box, to_page),)


@renamed_parameters(picture="image")
def read(
    image: ImageLike,
    pattern: str = DIGITS,
    *,
    lines: bool = False,
    max_error: float = MAX_ERROR,
    model: str | Path | None = None,
    template: str | Path | Template | None = None,
    region: str | Sequence[float] | None = None,
) -> Reading:
    """Returns the strings of digits on an image.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array or tensor.
        pattern: what may be written; see `Reader`.
        lines: the image is one line; if not said, that is found out.
        max_error: the part of strings that may be read wrongly; what is less sure is rejected.
        model: a reader of your own.
        template: of a form that the image is a page of; see `Reader`.
        region: the part of the image that is read, as one line; see `Reader`.

    Raises:
        UserError: if the image cannot be used, or for a mistake in the others.
    """
    reader = Reader(
        model,
        pattern=pattern,
        lines=lines,
        max_error=max_error,
        template=template,
        regions=() if region is None else (region,),
    )
    return reader.read(image)


@lru_cache(maxsize=4)
def _loaded(path: Path, _changed: int) -> tuple[LineReader, Trust]:
    if path.suffix == EXPORTED:
        from holmdel.reading.on_runtime import OnRuntime

        model = OnRuntime(path)
        reader, trust = LineReader(model), model.trust
    else:
        network, trust = _from_checkpoint(path)
        reader = LineReader(network)
    return reader, Trust.of_model(trust, path)


def _from_checkpoint(path: Path) -> "tuple[nn.Module, dict[str, Any] | None]":
    """Returns the network of a checkpoint, and its trust.

    Raises:
        UserError: where PyTorch is not installed.
    """
    try:
        from holmdel.checkpoint import load_line_model
    except ImportError as error:
        raise UserError(
            f"{error.name} is not installed, and {path.name} needs it; give a reader that holmdel "
            "export --to onnx wrote, --model reader.onnx"
        ) from None
    return load_line_model(path)
