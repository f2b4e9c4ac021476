"""`holmdel template`: the fields of a form, found on a sheet of it, and checked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holmdel.cli.ending import DONE, SOME_FAILED

if TYPE_CHECKING:
    from holmdel.reading import Template

template = typer.Typer(
    no_args_is_help=True, help="Describe a form once, and read its pages by field."
)
Show = Annotated[
    Path | None, typer.Option(metavar="FILE", help="PNG file to draw the fields into.")
]


@template.command()
def new(
    form: Annotated[str, typer.Argument(metavar="IMAGE", help="A sheet of the form, upright.")],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The template; an image of the form beside it.")
    ] = Path("template.toml"),
    empty: Annotated[
        bool,
        typer.Option(
            "--empty", help="Nothing is written on the sheet: all in its boxes is printed there."
        ),
    ] = False,
    show: Show = None,
) -> int:
    """Find the boxes and combs of a form and write them as a template, to be edited by hand.

    Fields are named after the label beside or above them where the command tesseract is installed,
    else field-1, field-2, ... in the order in which a person reads.
    """
    from holmdel.reading import Template  # loads torch

    found = Template.of(form, empty=empty)
    found.save(out)
    _report(found, show)
    return DONE


@template.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="TEMPLATE", help="The TOML file.")],
    image: Annotated[
        str | None, typer.Argument(metavar="[IMAGE]", help="A page: how well does it match?")
    ] = None,
    show: Show = None,
) -> int:
    """Check a template for mistakes, and how well a page matches its form.

    The exit status is 1 where the page is not one of this form.
    """
    from holmdel.images.decoding import grey_page
    from holmdel.reading import Form, Template  # loads torch
    from holmdel.reading.registration import LEAST_MATCH

    found = Template.load(path)
    _report(found, show)
    if image is None:
        return DONE
    registration = Form(found).register(grey_page(image))
    matches = f"{image} matches {100 * registration.matched:.0f} % of the form"
    if registration.is_enough:
        typer.echo(matches)
        return DONE
    needed = f"{100 * LEAST_MATCH:.0f} % or more makes it a page of it"
    typer.echo(f"{matches}; {needed}")
    return SOME_FAILED


def _report(found: "Template", show: Path | None) -> None:
    """Prints the fields, a line each, and draws them if asked."""
    from holmdel.files import write_bytes
    from holmdel.reading import to_png

    if show is not None:
        write_bytes(show, to_png(found.draw()))
    for field in found.fields:
        x, y, w, h = field.box
        place = f"{x:.3f} {y:.3f} {w:.3f} {h:.3f}"
        cells = f"{field.cells} cells" if field.cells > 1 else ""
        required = "required" if field.required else ""
        row = f"{field.name:<24} {place}  {field.pattern:<12} {cells:<9} {required}"
        typer.echo(row.rstrip())
