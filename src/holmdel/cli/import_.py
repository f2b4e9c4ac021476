"""`holmdel import`: from a file of weights of another framework to a run folder."""

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holmdel.cli.flags import settings_among, takes
from holmdel.cli.loading import loading
from holmdel.settings import OPTIONS
from holmdel.shapes import parameter_count

if TYPE_CHECKING:
    from holmdel.exchange import Weights

TRIED_ON = 1000  # images
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
    data: Annotated[
        str | None,
        typer.Option(
            help="Data on whose training images activation, pooling and normalisation are tried, "
            "where the file leaves them open."
        ),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Data root, or the folder of the set's files.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Which state dict of a checkpoint, such as model_ema.")
    ] = None,
    **given: Any,
) -> int:
    """Take over weights from elsewhere: the folder works with predict, evaluate and inspect."""
    with loading():
        from holmdel.exchange import listing, open_options, read_weights, the_only_fit
        from holmdel.training.train import new_folder
        from holmdel.verbs import import_weights
    from holmdel.files import refuse_existing

    weights = read_weights(file, key)
    if list_:
        typer.echo(listing(weights))
        return 0
    network = network or the_only_fit(weights)
    folder = out or new_folder(network, file.stem)
    options = settings_among(given)
    refuse_existing(folder)
    choices = open_options(weights, network, options)
    how: dict[str, Any] = {"classes": classes or data, "input": input, "mean": mean, "std": std}
    how |= {"flatten": flatten, **options}
    if data is not None and choices:
        how |= _best(weights, network, how, choices, data, data_root)
    found = import_weights(weights, network, folder, **how)
    count = parameter_count(found.network)
    chosen = {**found.header.options}
    for shown in ("classes", "channels", "size"):
        chosen.pop(shown, None)
    named = "".join(f", {name} {value}" for name, value in chosen.items())
    seen = "x".join(map(str, found.contract.input))
    typer.echo(f"{network}{named}: {count:,} parameters, input {seen}")
    typer.echo(f"classes {', '.join(found.classes)}")
    if choices and data is None:
        typer.echo(_left_open(network, choices, weights.foreign))
    if how["classes"] is None:
        typer.echo("the labels are not in the file: --classes a,b,c or a data set's name sets them")
    typer.echo(f"wrote {folder}")
    return 0


def _left_open(network: str, choices: dict[str, tuple[str, ...]], foreign: tuple[str, ...]) -> str:
    """Returns the line on what neither file nor shapes say, and what was taken."""
    from holmdel.networks import network_options

    usual = network_options(network)
    unsaid = {name: values for name, values in choices.items() if name not in foreign}
    open_ = " nor ".join(f"{name} ({', '.join(values)})" for name, values in unsaid.items())
    said = [f"the file does not say {open_}"] if unsaid else []
    for name in choices.keys() - unsaid.keys():
        said.append(f"the file's {name} is none of {', '.join(choices[name])}")
    taken = " and ".join(str(usual[name]) for name in choices)
    flags = " ".join(f"--{name} {values[-1]}" for name, values in choices.items())
    return (
        f"{', and '.join(said)}: taken as {taken}; give {flags}, or --data, on which all are tried"
    )


def _best(
    weights: "Weights",
    network: str,
    how: dict[str, Any],
    choices: dict[str, tuple[str, ...]],
    data: str,
    data_root: Path | None,
) -> dict[str, Any]:
    """Returns the options with which the weights are right most often, and prints how often.

    They are measured on training images, so that the test images stay unseen.
    """
    import tempfile

    from holmdel.exchange import combinations
    from holmdel.training.divergence import is_guessing
    from holmdel.verbs import Asked, assess, dataset_for, import_weights

    norms = _normalisations(how, data, data_root)
    best: tuple[float, dict[str, Any]] = (-1.0, {})
    images = None  # the same for all: what is tried does not change the form of images
    with tempfile.TemporaryDirectory() as place:
        for number, (chosen, norm) in enumerate(product(combinations(choices), norms)):
            tried = chosen | norm
            classifier = import_weights(weights, network, Path(place) / f"{number}", **how | tried)
            if images is None:
                asked = Asked(data, data_root, test=0.2)
                images = dataset_for(classifier, asked).train.take(TRIED_ON)
            accuracy = assess(classifier, images).accuracy
            said = ", ".join(f"{name} {value}" for name, value in tried.items())
            typer.echo(f"{accuracy:.3f} right of {data} with {said}")
            best = max(best, (accuracy, tried), key=lambda pair: pair[0])
    assert images is not None
    share = float(images.labels.bincount().max()) / len(images)
    if is_guessing(best[0], len(images), share):
        said = " and ".join(str(best[1][name]) for name in choices)
        typer.echo(
            f"none of these is better than guessing ({share:.3f}): the weights may be untrained "
            f"or of other data or classes; {said} were taken, give what is right if you know it"
        )
    return best[1]


def _normalisations(
    how: dict[str, Any], data: str, data_root: Path | None
) -> list[dict[str, float]]:
    """Returns the normalisations to try: the one given, or none and that of the training images."""
    from holmdel import data as data_sets

    given = {"mean": how["mean"], "std": how["std"]}
    if given != {"mean": 0.0, "std": 1.0}:
        return [given]
    pixels = data_sets.load(data, root=data_root, test=0.2).train.take(TRIED_ON).images / 255
    return [given, {"mean": round(float(pixels.mean()), 4), "std": round(float(pixels.std()), 4)}]
