"""`holmdel evaluate reader`: how good a reader is on labelled strings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from holmdel.cli.terminal import DONE

if TYPE_CHECKING:
    from holmdel.reading import Assessment, LabelledString

WORST = 24
MOST_CONFUSED = 8


def evaluate_reader(
    model: str, folder: Path, pattern: str, max_error: float, out: Path | None, as_json: bool
) -> int:
    """Prints what a reader makes of a labelled folder, and writes pictures of it if asked."""
    from holmdel.reading import ReaderSettings, assess_folder  # loads torch

    settings = ReaderSettings(model=Path(model), pattern=pattern, max_error=max_error)
    found, strings = assess_folder(folder, settings)
    if out is not None:
        _write_pictures(out, found, strings)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        _print(found, max_error)
        if out is not None:
            typer.echo(f"wrote {out}/curve.png, {out}/confusion.png and {out}/mistakes.png")
    return DONE


def _print(found: "Assessment", max_error: float) -> None:
    for truth, said, count in found.most_confused(MOST_CONFUSED):
        what = f"{truth} left out" if said == "none" else f"{truth} taken for {said}"
        typer.echo(f"{count:>6,} x {f'{said} put in' if truth == 'none' else what}")
    typer.echo(
        f"correct {found.correct:.1%}, error {found.error:.1%}, reject {found.reject:.1%} "
        f"of {found.count:,} strings under --max-error {max_error:g}"
    )
    typer.echo(
        f"right without reject {found.right:.1%}, "
        f"correct at 1 % error {found.correct_at(0.01):.1%}, calibration error {found.ece:.4f}"
    )


def _write_pictures(out: Path, found: "Assessment", strings: "list[LabelledString]") -> None:
    import torch

    from holmdel.checkpoint import write_files
    from holmdel.figures import draw_confusion, draw_risk, draw_strings
    from holmdel.images import decode
    from holmdel.reading.assessment import NAMES

    write_files(out / "curve", draw_risk(found.curve))
    write_files(out / "confusion", draw_confusion(torch.from_numpy(found.confusion), NAMES))
    worst = found.worst(WORST)
    pictures = [decode(strings[number].path, 1)[:, :, 0] for number in worst]
    captions = [
        f"{strings[number].path.name}\n{said.truth}, said {said.text or 'nothing'} "
        f"{said.confidence:.2f}"
        for number, said in ((number, found.strings[number]) for number in worst)
    ]
    write_files(out / "mistakes", draw_strings(pictures, captions))
