"""`holmdel import`: from a file of weights of another framework to a run folder."""

from pathlib import Path
from typing import Annotated, Any

import typer

from holmdel.cli.flags import settings_among, takes
from holmdel.settings import OPTIONS

NOTE = "Options of the network that are not given follow from the shapes where they can."


@takes({"Options of the network": OPTIONS.values()})
def import_(
    file: Annotated[
        Path,
        typer.Argument(help="Weights of PyTorch, Keras, Flax, PaddlePaddle, MXNet, Caffe or ONNX."),
    ],
    network: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="NETWORK", help="The network of the weights, such as lenet-max."
        ),
    ] = None,
    list_: Annotated[
        bool,
        typer.Option("--list", help="Say what is in the file and what it fits; write nothing."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; runs/NETWORK-FILE if not given.")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(help="Labels a,b,c, or a data set whose labels to take; else 0, 1, ..."),
    ] = None,
    input: Annotated[
        str | None, typer.Option(metavar="CxHxW", help="What the network sees, such as 1x28x28.")
    ] = None,
    mean: Annotated[
        float, typer.Option(help="Mean subtracted from pixels / 255 in training.")
    ] = 0.0,
    std: Annotated[float, typer.Option(help="Deviation that they were then divided by.")] = 1.0,
    flatten: Annotated[
        str | None,
        typer.Option(
            metavar="chw|hwc",
            help="Order in which maps come to the first dense layer, if the file does not say.",
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Which state dict of a checkpoint, such as model_ema.")
    ] = None,
    **given: Any,
) -> int:
    """Take over weights from elsewhere: the folder works with predict, evaluate and inspect."""
    from holmdel.exchange import listing, read_weights, the_only_fit  # loads torch
    from holmdel.training.train import new_folder
    from holmdel.verbs import import_weights

    if list_:
        typer.echo(listing(read_weights(file, key)))
        return 0
    if network is None:
        network = the_only_fit(read_weights(file, key))
    folder = out or new_folder(network, file.stem)
    options = settings_among(given)
    found = import_weights(
        file,
        network,
        folder,
        classes=classes,
        input=input,
        mean=mean,
        std=std,
        flatten=flatten,
        key=key,
        **options,
    )
    count = sum(parameter.numel() for parameter in found.network.parameters())
    chosen = {**found.header.options}
    for shown in ("classes", "channels", "size"):
        chosen.pop(shown, None)
    named = "".join(f", {name} {value}" for name, value in chosen.items())
    seen = "x".join(map(str, found.contract.input))
    typer.echo(f"{network}{named}: {count:,} parameters, input {seen}")
    typer.echo(f"classes {', '.join(found.classes)}")
    if classes is None:
        typer.echo("the labels are not in the file: --classes a,b,c or a data set's name sets them")
    typer.echo(f"wrote {folder}")
    return 0
