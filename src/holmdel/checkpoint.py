"""Models on disk: weights as safetensors, with a JSON header; classifiers and line readers."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.alphabet import ALPHABETS
from holmdel.errors import UserError
from holmdel.files.tensors import load_checked, save_tensors
from holmdel.images.contract import ImageContract
from holmdel.networks import build, network_options
from holmdel.networks.line import LineNetwork
from holmdel.prediction import UNKNOWN
from holmdel.programs.program import build_program
from holmdel.schema import Setting, read_record
from holmdel.settings import LINE_OPTIONS
from holmdel.tracing.call import Call
from holmdel.tracing.operators import result_of
from holmdel.tracing.tracer import Interceptor

FORMAT = 1
_LARGEST = 2**29  # numbers that a call of a program may give for two images
_NAME = "holmdel"  # of the header among a file's texts
_FIELDS = (
    Setting(name="network", type="str"),
    Setting(name="options", type="object"),
    Setting(name="classes", type="texts"),
    Setting(name="image", type="object"),
    Setting(name="program", type="object", optional=True),
    Setting(name="unknown", type="float", optional=True, least=0, most=1),
    Setting(name="format", type="int", default=FORMAT, least=FORMAT, most=FORMAT),
)


@dataclass(frozen=True, kw_only=True)
class Header:
    """What must be known beside the weights to use them; kept inside the file.

    Attributes:
        network: a name for `networks.build`; with a program, what it is called.
        options: its options.
        classes: the label texts, in the order of the logits.
        image: what the network was trained to see.
        format: the version of this header.
        program: of a network that is none of ours, its layers and calls as data.
        unknown: the probability of all classes but the most probable one, together, above which an
            image is of no known class; None for none.
    """

    network: str
    options: dict[str, Any]
    classes: tuple[str, ...]
    image: ImageContract
    format: int = FORMAT
    program: dict[str, Any] | None = field(default=None, repr=False)
    unknown: float | None = None

    def named(self, index: int, others: float) -> tuple[str, int]:
        """Returns label and index of an image whose most probable class is `index`.

        `unknown` and -1 where `others`, the probability of all other classes, is above `unknown`.
        It is compared and not 1 less it, as sure networks are told apart by many zeros.
        """
        if self.unknown is not None and others > self.unknown:
            return UNKNOWN, -1
        return self.classes[index], index

    def build(self) -> nn.Module:
        """Returns the network, its weights freshly drawn.

        Raises:
            UserError: if there is no such network.
        """
        if self.program is not None:
            return build_program(self.program)
        return build(self.network, **self.options)


def save_model(path: Path, network: nn.Module, header: Header) -> None:
    """Writes a network's weights and header to `path`, atomically.

    Raises:
        UserError: if the file cannot be written (a full disk, no permission).
    """
    values = asdict(header)
    for name in ("program", "unknown"):
        if values[name] is None:
            del values[name]  # which older versions do not know
    save_tensors(path, network.state_dict(), _NAME, values)


def load_model(path: Path) -> tuple[nn.Module, Header]:
    """Returns the network of a file, in eval mode on the CPU, and its header.

    Raises:
        UserError: if the file is missing, damaged, of another program, of another network than
            its header says, or has a field this version does not know.
    """
    tensors, values = load_checked(path, _NAME)
    header = _parse_header(path, values)
    _fit(path, header.network, _shapes(path, header), tensors)
    network = header.build()
    network.load_state_dict(tensors)
    return network.eval(), header


@dataclass(frozen=True)
class Began:
    """The data that a training began with.

    Attributes:
        data: the name of a data set, or a folder or file.
        root: the data root that was given.
        test: the fraction that was put aside for testing where there was no test part.
        skip_broken: whether images that cannot be decoded were left out.
    """

    data: str
    root: str | None = None
    test: float = 1.0
    skip_broken: bool = False


def began_with(folder: Path) -> Began | None:
    """Returns the data that the training of a run folder began with, if it says."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        data, settings = config["data"], config["settings"]
        name, path = str(data["name"]), data.get("path")
        if path and not Path(name).exists():  # the training began in another folder
            name = str(path)
        test, skip = float(settings.get("test", 1.0)), bool(settings.get("skip_broken"))
        return Began(name, data.get("root"), test, skip)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def trained_on(folder: Path) -> str | None:
    """Returns the data set that a run folder was trained on: a name or a folder, if it says."""
    began = began_with(folder)
    return began.data if began else None


def _parse_header(path: Path, values: Any) -> Header:
    """Returns the header of a file, each field of which has been checked.

    Raises:
        UserError: if it is none that this version knows.
    """
    if values is None:
        raise UserError(
            f"{path} has no holmdel header; expected a file that holmdel train wrote; `holmdel "
            f"import {path} --as NETWORK --out DIR` makes a run folder of weights of others"
        )
    found = read_record(values, _FIELDS, f"the header of {path}")
    try:
        image = ImageContract.from_json(found["image"])
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in found["options"].items()}
    classes = tuple(found["classes"])
    return Header(**(found | {"classes": classes, "image": image, "options": options}))


def _shapes(path: Path, header: Header) -> dict[str, Tensor]:
    """Returns the tensors of the network that a header names, without numbers and so at no cost.

    Raises:
        UserError: if there is no such network, or it does not fit the header's classes and image.
    """
    try:
        with torch.device("meta"):
            network = header.build()
        shapes = network.state_dict()
        if header.program is not None:
            _expect_runs(network, header)
            return shapes
    except (UserError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"the header of {path} names no network: {reason}") from None
    options = network_options(header.network) | header.options
    seen = (options["channels"], *options["size"])
    if len(header.classes) != options["classes"] or header.image.input != seen:
        raise UserError(
            f"the header of {path} has {len(header.classes)} classes and images of "
            f"{header.image.input}, and {header.network} with {options['classes']} and {seen}; "
            "train it again"
        )
    return shapes


def _expect_runs(network: nn.Module, header: Header) -> None:
    """Raises a UserError unless a program gives the header's classes for the header's images.

    It runs without numbers, so that one that would fill the memory is found before it does.
    """
    try:
        with torch.no_grad(), torch.device("meta"), _Watch(result_of):
            logits = network.eval()(torch.empty(2, *header.image.input))
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"its program does not run ({reason[:200]})") from None
    output = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    expected = (2, len(header.classes))
    if output != expected:
        raise UserError(f"its program gives {output} for two images, where {expected} is expected")


class _Watch(Interceptor):  # type: ignore[no-untyped-call]
    """Refuses a call that would give more numbers than any network needs."""

    def called(self, call: Call, results: list[Tensor]) -> None:
        """Raises a UserError for such a call."""
        for result in results:
            if result.numel() > _LARGEST:
                raise UserError(f"its program's {call.name} gives {result.numel():,} numbers")


def _fit(path: Path, name: str, expected: dict[str, Tensor], given: dict[str, Tensor]) -> None:
    """Raises a UserError that names the first tensor that is not the network's."""
    for key, tensor in expected.items():
        if key not in given:
            raise UserError(
                f"{path} has no tensor {key!r}, which {name} needs; it is of another network"
            )
        if given[key].shape != tensor.shape:
            raise UserError(
                f"{path} has {key!r} of shape {tuple(given[key].shape)}, where {name} has "
                f"{tuple(tensor.shape)}; it is of another network"
            )
        if given[key].is_floating_point() != tensor.is_floating_point():
            raise UserError(f"{path} has {key!r} in {given[key].dtype}, {name} in {tensor.dtype}")
    for key in given:
        if key not in expected:
            raise UserError(
                f"{path} has the tensor {key!r}, which {name} does not have; "
                "it is of another network"
            )


_LINE_FORMAT = 1
_KIND = "line reader"
_LINE_FIELDS = (
    Setting(name="format", type="int", least=_LINE_FORMAT, most=_LINE_FORMAT),
    Setting(name="kind", type="str", choices=(_KIND,)),
    Setting(name="alphabet", type="str", choices=ALPHABETS),
    Setting(name="options", type="object"),
    Setting(name="trust", type="object", optional=True),
)


def save_line_model(path: Path, network: LineNetwork, trust: dict[str, Any] | None) -> None:
    """Writes a line network and its trust to `path` as safetensors of float16, atomically.

    Args:
        path: a file ending in `.safetensors`.
        network: what `load_line_model` gives back.
        trust: plain numbers that turn a score into a confidence; None if not known.

    Raises:
        UserError: if the file cannot be written.
    """
    header = {
        "format": _LINE_FORMAT,
        "kind": _KIND,
        "alphabet": network.alphabet,
        "options": network.options,
        "trust": trust,
    }
    tensors = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
    }
    save_tensors(path, tensors, _NAME, header)


def load_line_model(path: Path) -> tuple[LineNetwork, dict[str, Any] | None]:
    """Returns the line network of a file, float32, in eval mode on the CPU, and its trust.

    Raises:
        UserError: if the file is missing, damaged, or holds no line network of this version.
    """
    tensors, values = load_checked(path, _NAME)
    try:
        header = read_record(values, _LINE_FIELDS, f"the header of {path}")
        options = read_record(header["options"], LINE_OPTIONS, "its options")
        with torch.device("meta"):
            shapes = LineNetwork(**options, alphabet=header["alphabet"]).state_dict()
    except (UserError, RuntimeError) as error:
        raise UserError(
            f"{path} holds no line reader of this version ({str(error)[:200]}); expected a file "
            "that `holmdel train reader` wrote"
        ) from None
    _fit(path, "a line reader of this version", shapes, tensors)
    network = LineNetwork(**options, alphabet=header["alphabet"])
    network.load_state_dict(tensors)
    return network.eval(), header["trust"]
