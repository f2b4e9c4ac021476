"""`holmdel inspect`: a network layer by layer."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from holmdel.cli.flags import settings_among, takes
from holmdel.cli.loading import loading
from holmdel.errors import UserError
from holmdel.settings import OPTIONS

if TYPE_CHECKING:
    from rich.table import Table

    from holmdel.anatomy import Anatomy

NOTE = (
    "Receptive fields are size/stride/offset in pixels: 14/2/-2 is a window of 14x14 pixels that "
    "moves by 2 and begins 2 pixels before the image."
)


@takes({"Options of the network": OPTIONS.values()})
def inspect(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK|MODEL",
            help="A network's name, your FILE.py:NAME, a run folder, a .safetensors file or a "
            "shipped name.",
        ),
    ],
    input: Annotated[
        str | None, typer.Option(metavar="CxHxW", help="What it sees, such as 3x224x224.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table in Markdown.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a drawing, as papers draw LeNet.")
    ] = None,
    **given: Any,
) -> int:
    """Show every layer: output, parameters, connections, MACs, receptive field, memory."""
    if as_json and as_markdown:
        raise UserError("--json and --markdown were given together; choose one of them")
    with loading():
        from holmdel.drawing import draw
        from holmdel.inspection import inspect as look
    from holmdel.files import write_bytes

    anatomy = look(what, input, **settings_among(given))
    if svg is not None:
        write_bytes(svg, draw(anatomy).encode())
        typer.echo(f"wrote {svg}", err=as_json or as_markdown)
    if as_json:
        typer.echo(json.dumps(anatomy.to_json()))
    elif as_markdown:
        typer.echo(anatomy.to_markdown(), nl=False)
    elif svg is None:
        _print_table(anatomy)
    return 0


def _print_table(anatomy: "Anatomy") -> None:
    """Prints the layers as a tree with columns, as narrow as it must be, never folded."""
    from holmdel.anatomy.table import LOWER_BOUNDS, times
    from holmdel.cli.terminal import Terminal

    console = Terminal(highlight=False)
    typer.echo(f"{anatomy.network}, input {times(anatomy.input)}")
    unlimited = console.options.update(width=10_000)
    table = _table(anatomy, gap=2)
    if console.measure(table, options=unlimited).maximum > console.width:
        table = _table(anatomy, gap=1)
    console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    console.print(table)
    if not anatomy.totals.complete:
        typer.echo(LOWER_BOUNDS)


def _table(anatomy: "Anatomy", gap: int) -> "Table":
    """Returns the table with `gap` spaces between columns."""
    from rich.table import Table
    from rich.text import Text

    from holmdel.anatomy.table import HEADS, totals, tree

    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, show_footer=True)
    for head, total in zip(HEADS, totals(anatomy), strict=True):
        side: Literal["left", "right"] = "left" if head in HEADS[:3] else "right"
        table.add_column(head.replace(" ", "\n"), total, justify=side, no_wrap=True)
    for row in tree(anatomy):
        table.add_row(*(Text(cell) for cell in row))
    return table
