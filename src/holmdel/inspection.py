"""`holmdel.inspect`: the anatomy of a network's name, of a model on disk, of any module."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from holmdel.anatomy import Anatomy, inspect_module, weightless
from holmdel.classifier import Classifier, load, shipped
from holmdel.errors import UserError
from holmdel.networks import NETWORKS, build, network_options
from holmdel.programs.own import Own, own, unwrapped
from holmdel.settings import read_options
from holmdel.shapes import parse_size

Size = tuple[int, int, int]


def inspect(
    what: str | Path | nn.Module | Classifier,
    input: str | Size | None = None,
    *,
    inputs: Sequence[str | Size] = (),
    **options: Any,
) -> Anatomy:
    """Returns a network layer by layer: outputs, parameters, connections, MACs, receptive fields.

    Nothing is computed, and for a network's name nothing is allocated either.

    Args:
        what: a name in `networks.NETWORKS`; a run folder, a `.safetensors` file or the name of a
            model that ships with holmdel; a Classifier; any `nn.Module`; `FILE.py:NAME`, a class or
            function in a file, which is run.
        input: C, H, W of the image, such as `3x224x224` or (3, 224, 224). If None, the network's
            own; a module has none.
        inputs: of each image, for a module whose forward() takes several; in place of `input`.
        options: of a network that is given by its name.

    Raises:
        UserError: for an unknown name or option, an input that the network does not take, or a
            module without an input.

    >>> inspect("lenet").totals.parameters
    61706
    """
    sizes = [_size(one) for one in ([input, *inputs] if input is not None else inputs)]
    size = sizes[0] if sizes else None
    if isinstance(what, str) and what in NETWORKS and not sizes[1:]:
        return _inspect_network(what, size, options)
    if isinstance(what, str) and (given := own(what)):
        return _inspect_own(given, sizes, options)
    if options:
        raise UserError(
            f"the options {', '.join(options)} were given with what is built already; options are "
            "for the name of a network"
        )
    if isinstance(what, nn.Module):
        if size is None:
            raise UserError(
                f"a {type(what).__name__} was given without an input; give what it sees as CxHxW, "
                "such as input=(1, 28, 28), or inputs=[...] where it sees several images"
            )
        module = unwrapped(what)
        return inspect_module(module, size, others=sizes[1:])
    if not isinstance(what, str | Path | Classifier):
        raise UserError(_no_network(what))
    if sizes[1:]:
        raise UserError("several inputs were given; only a torch.nn.Module takes several")
    model = what if isinstance(what, Classifier) else _load(what)
    return inspect_module(model.network, size or model.contract.input, model.header.network)


def _inspect_network(name: str, size: Size | None, options: dict[str, Any]) -> Anatomy:
    """Returns the anatomy of a network with options, which may be texts."""
    known = network_options(name)
    given = read_options(options)
    if size is not None:
        for option, value in (("channels", size[0]), ("size", size[1:])):
            if given.get(option, value) != value:
                raise UserError(
                    f"{option} was given as {options[option]} and input as "
                    f"{'x'.join(map(str, size))}; give one of them"
                )
        given |= {"channels": size[0], "size": size[1:]}
    with weightless():
        network = build(name, **given)
    used = known | given
    return inspect_module(network, (used["channels"], *used["size"]), name)


def _inspect_own(given: Own, sizes: Sequence[Size], options: dict[str, Any]) -> Anatomy:
    """Returns the anatomy of a network in a file that the user named."""
    classes = read_options(options).pop("classes", _SOME_CLASSES)
    if others := [option for option in options if option != "classes"]:
        raise UserError(f"the options {', '.join(others)} are not for a network of one's own")
    if not sizes:
        raise UserError(f"say what {given.name} sees: --input CxHxW, such as --input 1x28x28")
    return inspect_module(given.made(classes, sizes[0]), sizes[0], given.name, sizes[1:])


_SOME_CLASSES = 10  # given to a class or function that takes them


def _load(model: str | Path) -> Classifier:
    """Returns the model of a path or a shipped name."""
    if not Path(model).exists() and str(model) not in shipped():
        raise UserError(
            f"there is no network or model {model}; networks are {', '.join(NETWORKS)}, or your "
            "own FILE.py:NAME; a model is a run folder, a .safetensors file, or one that ships "
            "with holmdel: "
            f"{', '.join(shipped()) or 'none does in this version'}"
        )
    return load(model)


def _no_network(what: object) -> str:
    """Returns the sentence for what is neither a network nor the name of one."""
    expected = "expected a network's name, a model on disk, a Classifier or a torch.nn.Module"
    if isinstance(what, type) and issubclass(what, nn.Module):
        return f"the class {what.__name__} was given; make a module of it: {what.__name__}(...)"
    return f"something of type {type(what).__name__} was given; {expected}"


def _size(input: str | Size) -> Size:
    if isinstance(input, str):
        return parse_size(input)
    sides = isinstance(input, tuple | list)
    return parse_size("x".join(map(str, input)) if sides else repr(input)[:40])
