"""`holmdel predict`: which class each image is of."""

from pathlib import Path
from typing import Annotated

import typer

from holmdel.cli import scaling
from holmdel.cli.scaling import RayFlag
from holmdel.errors import UserError


def predict(
    model: Annotated[
        str, typer.Argument(help="A run folder, a .safetensors or .onnx file, or a name.")
    ],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Images, PDF files, pages of them (a.pdf#2), folders, quoted patterns "
            "('scans/*.png'), or - for standard input: a file's bytes, or a path a line.",
        ),
    ],
    top: Annotated[int, typer.Option(help="How many classes to name.", min=1)] = 3,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="table|jsonl|csv|parquet",
            help="How to print, table if not given; parquet is for --out.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Folder or s3:// address for the answers, in parts, instead."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the parts of --out.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --out: processes, or Ray workers.")
    ] = None,
    ray: RayFlag = None,
    show: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for PNG images of what the network saw."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1.")] = "cpu",
    engine: Annotated[str, typer.Option(help="What computes: auto, native or torch.")] = "auto",
) -> int:
    """Classify images.

    An image that cannot be used, or on which nothing is found, gets a line that says why; the rest
    goes on, and the exit status is 1. Of several digits the largest is named.
    """
    if scaling.is_job(out, ray) or out is not None:
        scaling.refuse_together(out, ray, {"--show": show})
        from holmdel.scale.work import PredictWork

        work = PredictWork.of(model, top=top, device=device, engine=engine)
        return scaling.do(work, paths, str(out), form, resume=resume, jobs=jobs, ray=ray)
    if resume or jobs:
        raise UserError("--resume and --jobs are for --out DIR; give it too")
    from holmdel.cli.predicting import print_answers

    return print_answers(model, paths, form or "table", top, show, device, engine)
