"""`holmdel export`: a model as a file of another program."""

from pathlib import Path
from typing import Annotated

import typer

from holmdel.cli.loading import loading

NOTE = (
    "Every file is compared with the model before it is written, on 1,000 images of its data set "
    "where that is here; export.json beside it keeps what was found. docs/export.md has more."
)


def export(
    model: Annotated[
        str, typer.Argument(help="A run folder, a .safetensors file or a shipped name.")
    ],
    to: Annotated[
        str,
        typer.Option(
            help="onnx; c, C99 for microcontrollers; html, a page; openvino, ncnn, tflite, pt2, "
            "torchscript, safetensors."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The file to write; for c, the folder.")],
    data: Annotated[
        str | None, typer.Option(help="The images to compare on; else the model's own data set.")
    ] = None,
    input: Annotated[
        str | None,
        typer.Option(help="uint8, images as stored, or float32, what the network sees (onnx)."),
    ] = None,
    quantize: Annotated[
        bool,
        typer.Option("--quantize", help="Keep weights in 8 bits, for a smaller file (onnx, c)."),
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(help="Percentage points of accuracy that 8 bits may lose (default 0.2)."),
    ] = None,
    framing: Annotated[
        bool,
        typer.Option("--framing", help="Take photographs of any size, framed in the file (onnx)."),
    ] = False,
    licence: Annotated[
        str | None, typer.Option(help="What the weights may be used under; kept in the file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> int:
    """Write a model for another program, and compare its answers there with the model's."""
    with loading():
        from holmdel.verbs import export_model

    given = {"input": input, "quantize": quantize or None, "tolerance": tolerance}
    given["framing"] = framing or None
    options = {name: value for name, value in given.items() if value is not None}
    report = export_model(model, out, to, data=data, licence=licence, force=force, **options)
    typer.echo(report.sentence())
    for name in report.files:
        folder = out if out.is_dir() else out.parent
        typer.echo(f"wrote {folder / name}")
    return 0
