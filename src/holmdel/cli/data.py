"""`holmdel data`: what data sets there are, where they lie, fetching them, verifying them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from holmdel.cli.ending import DONE, SOME_FAILED
from holmdel.errors import UserError

data = typer.Typer(no_args_is_help=True, help="List, fetch, find and verify data sets.")
Root = Annotated[
    Path | None,
    typer.Option("--data-root", help="Looked at in place of $HOLMDEL_DATA and the user's cache."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@data.command("list")
def list_(data_root: Root = None, as_json: Json = False) -> int:
    """List the data sets that have a name, and where they were found."""
    rows = _rows(data_root)
    if as_json:
        typer.echo(json.dumps(rows))
        return DONE
    typer.echo(f"{'name':<16}{'train':>8}{'test':>9}  {'size':<9}{'classes':>8}  where")
    for row in rows:
        typer.echo(
            f"{row['name']:<16}{row['train']:>8,}{row['test']:>9,}  {row['size']:<9}"
            f"{len(row['classes']):>8}  {row['where'] or 'not found'}"
        )
    return DONE


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A data set's name.")],
    data_root: Annotated[
        Path | None, typer.Option(help="Where to put it; the user's cache if not given.")
    ] = None,
) -> int:
    """Download a data set, unless it is there, and print where it lies."""
    from holmdel.cli.live import data_progress
    from holmdel.data import roots

    source = _source(name)
    if source is None:
        typer.echo("digits ship with holmdel: nothing to fetch")
        return DONE
    folder = roots.find(source, data_root)
    if folder is None:
        with data_progress() as progress:
            folder = source.raw(roots.fetch(source, data_root, progress=progress))
    typer.echo(folder)
    return DONE


@data.command()
def where(
    name: Annotated[str, typer.Argument(help="A data set's name.")], data_root: Root = None
) -> int:
    """Print the folder a data set was found in."""
    from holmdel.data import roots

    source = _source(name)
    if source is None:
        typer.echo("digits ship with holmdel: no files to keep")
        return DONE
    folder = roots.find(source, data_root)
    if folder is None:
        raise UserError(f"{roots.missing(source, data_root)}; `holmdel data fetch {name}` tries to")
    typer.echo(folder)
    return DONE


@data.command()
def verify(
    name: Annotated[str, typer.Argument(help="A data set's name, or a folder of images.")],
    data_root: Root = None,
    as_json: Json = False,
) -> int:
    """Check every file of a data set, a line a file; exit with 1 if one is wrong."""
    from holmdel.data import SOURCES, roots

    folder = Path(name).expanduser()
    if name not in SOURCES and name != "digits" and folder.is_dir():
        from holmdel.data.folder import list_folder, verify_folder  # loads PyTorch

        for note in list_folder(folder).notes:
            typer.echo(f"{name}: {note}", err=True)
        found = verify_folder(folder)
    elif source := _source(name):
        found = roots.verify(source, data_root)
    else:
        typer.echo("digits ship with holmdel: nothing to verify")
        return DONE
    for verdict in found:
        values = {"path": str(verdict.path), "right": verdict.right, "text": verdict.text}
        word = "right" if verdict.right else "WRONG"
        typer.echo(json.dumps(values) if as_json else f"{word}  {verdict.path}: {verdict.text}")
    return DONE if all(verdict.right for verdict in found) else SOME_FAILED


def _rows(data_root: Path | None) -> list[dict[str, Any]]:
    from holmdel.data import SOURCES, digits, roots

    rows = []
    for source in SOURCES.values():
        folder = roots.find(source, data_root)
        rows.append(
            _row(source.name, source.counts, source.classes, str(folder) if folder else None)
        )
    rows.append(_row("digits", digits.COUNTS, digits.CLASSES, "ships with holmdel"))
    return rows


def _row(
    name: str, counts: tuple[int, int], classes: tuple[str, ...], found: str | None
) -> dict[str, Any]:
    train, test = counts
    return {
        "name": name,
        "train": train,
        "test": test,
        "size": "1x28x28",
        "classes": list(classes),
        "where": found,
    }


def _source(name: str) -> Any:
    """Returns the source of that name, None for `digits`.

    Raises:
        UserError: for any other name.
    """
    from holmdel.data import SOURCES, unknown

    if name not in SOURCES and name != "digits":
        raise UserError(unknown(name))
    return SOURCES.get(name)
