"""`holmdel read`: which strings of digits are written on these images?"""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holmdel.cli import scaling
from holmdel.cli.ending import DONE, SOME_FAILED
from holmdel.cli.readings import JSONL, choose_form, filing, printing, showing
from holmdel.cli.scaling import RayFlag
from holmdel.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holmdel.cli.readings import Output
    from holmdel.images.pages import FileLike
    from holmdel.reading import Read, ReaderSettings


def read(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Images, PDF files, pages of them (a.pdf#2), folders, quoted patterns "
            "('scans/*.png'), or - for standard input: a file's bytes, or a path a line.",
        ),
    ] = None,
    pattern: Annotated[
        str,
        typer.Option(
            help="What may be written: digits, digits:5, digits:3-6, us-zip, cn-postcode, amount, "
            "date:dmy (mdy, ymd), luhn:16, isbn, iban:DE, list:FILE, or a small regular expression."
        ),
    ] = "digits",
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="table|jsonl|csv|parquet",
            help="How to print, table if not given; parquet is for a folder of --out.",
        ),
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Every image is one line.")] = False,
    template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The images are pages of this form; its fields are read "
            "(see holmdel template --help).",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="Read this part of each image, as one line: in pixels, or as shares of the image "
            "(0.1,0.2,0.5,0.1); may be repeated.",
        ),
    ] = None,
    max_error: Annotated[
        float,
        typer.Option(metavar="X", help="Fraction of wrong strings to allow; the rest is rejected."),
    ] = 0.01,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A reader that you trained.")
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with truth.tsv to fit confidences and thresholds to, for later readings.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the JSON lines of --out.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write there instead: a table if it ends in .csv or .xlsx, else JSON lines; "
            "into a folder/ or an s3:// address in parts.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An HTML file of every page with its boxes, rejected lines first."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes; one per core if not given.")
    ] = None,
    ray: RayFlag = None,
    show: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for PNG images of the steps to each line."),
    ] = None,
) -> int:
    """Read the strings of digits on images: postal codes, amounts, numbers on forms.

    An image that cannot be used gets a line that says why; the rest goes on, and the exit status
    is 1.
    """
    job = scaling.is_job(out, ray)
    if job:
        scaling.refuse_together(out, ray, {"--report": report, "--show": show})
    file = None if job or out is None else Path(out)
    chosen = JSONL if job else choose_form(form, file, resume)
    if resume and report:
        raise UserError("--report was given with --resume, which reads what is left; give one")
    if not paths and calibrate is None:
        raise UserError("no image was given; expected PATH..., or --calibrate DIR")
    from holmdel.cli.answers import with_progress
    from holmdel.cli.inputs import find_images
    from holmdel.images.formats import CHEQUES, ENDINGS
    from holmdel.reading import ReaderSettings, Record, items
    from holmdel.reading.report import report_file

    if template is not None:
        _refuse_with_template(pattern, lines, region)
    settings = ReaderSettings(
        model=model,
        pattern=pattern,
        lines=lines,
        max_error=max_error,
        template=template,
        regions=tuple(region or ()),
    )
    settings.check()
    if calibrate is not None:
        _calibrate(calibrate, settings, jobs)
    if not paths:
        return DONE
    if job:
        from holmdel.scale.work import ReadWork

        work = ReadWork.of(settings)
        return scaling.do(work, paths, str(out), form, resume=resume, jobs=jobs, ray=ray)
    images, count = find_images(paths, (*ENDINGS, *CHEQUES), items)
    record: Record | None = None
    outputs: list[Output] = [report_file(report)] if report else []
    if file is not None and chosen == JSONL:
        record = Record(file, resume=resume)
        images, count = record.missing(images), count and max(count - record.count, 0)
        outputs = [record.open(), *outputs]
    else:
        names = _fields(template)
        outputs = [filing(file, names) if file else printing(chosen, names), *outputs]
    results = _results(images, settings, jobs, show)  # or mistakes, before anything is written
    failed = _pass_on(with_progress(results, count), outputs + ([showing(show)] if show else []))
    return SOME_FAILED if failed or (record is not None and record.failed) else DONE


def _refuse_with_template(pattern: str, lines: bool, regions: list[str] | None) -> None:
    """Refuses what a template says itself."""
    given = {f"--pattern {pattern}": pattern != "digits", "--lines": lines, "--region": regions}
    for flag, is_given in given.items():
        if is_given:
            raise UserError(
                f"{flag} was given with --template, whose fields have boxes and patterns of their "
                "own; leave it out, or edit the template"
            )


def _fields(template: Path | None) -> tuple[str, ...]:
    """Returns the names of a template's fields."""
    from holmdel.reading import Template

    return () if template is None else tuple(field.name for field in Template.load(template).fields)


def _calibrate(folder: Path, settings: "ReaderSettings", jobs: int | None) -> None:
    from holmdel.cli import calibration
    from holmdel.reading import calibrate

    for line in calibration.report(calibrate(folder, settings, jobs)):
        typer.echo(line, err=True)


def _results(
    images: "Iterable[FileLike]", settings: "ReaderSettings", jobs: int | None, show: Path | None
) -> "Iterator[Read]":
    from holmdel.reading import read_stream

    if show is None:
        return read_stream(images, settings, jobs)
    return settings.reader().read_each(images, steps=True)


def _pass_on(results: "Iterable[Read]", outputs: "list[Output]") -> bool:
    """Passes each reading to all outputs; returns whether an image could not be used."""
    from holmdel.prediction import Failure

    failed = False
    with ExitStack() as stack:
        adds = [stack.enter_context(output) for output in outputs]
        for found in results:
            failed |= isinstance(found, Failure)
            for add in adds:
                add(found)
    return failed
