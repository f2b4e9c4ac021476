"""Models on disk: weights as safetensors, with a JSON header; classifiers and line readers."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.files import load_tensors, save_tensors
from holmdel.images.contract import ImageContract
from holmdel.networks import build
from holmdel.networks.line import ALPHABETS, LineNetwork

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Header:
    """What must be known beside the weights to use them; kept inside the file.

    Attributes:
        network: a name for `networks.build`.
        options: its options.
        classes: the label texts, in the order of the logits.
        image: what the network was trained to see.
        format: the version of this header.
    """

    network: str
    options: dict[str, Any]
    classes: tuple[str, ...]
    image: ImageContract
    format: int = FORMAT


def save_model(path: Path, network: nn.Module, header: Header) -> None:
    """Writes a network's weights and header to `path`, atomically.

    Raises:
        UserError: if the file cannot be written (a full disk, no permission).
    """
    save_tensors(path, network.state_dict(), {"holmdel": json.dumps(asdict(header))})


def load_model(path: Path) -> tuple[nn.Module, Header]:
    """Returns the network of a file, in eval mode on the CPU, and its header.

    Raises:
        UserError: if the file is missing, cut short, of another program, of another network than
            its header says, or has a field this version does not know.
    """
    tensors, metadata = load_tensors(path)
    header = _parse_header(path, metadata)
    network = build(header.network, **header.options)
    _fit(path, header.network, network.state_dict(), tensors)
    network.load_state_dict(tensors)
    return network.eval(), header


def trained_on(folder: Path) -> str | None:
    """Returns the data set that a run folder was trained on: a name or a folder, if it says."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        name = config["data"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(name)


def _parse_header(path: Path, metadata: dict[str, str]) -> Header:
    if "holmdel" not in metadata:
        raise UserError(f"{path} has no holmdel header; expected a file that holmdel train wrote")
    try:
        values = json.loads(metadata["holmdel"])
    except ValueError as error:
        raise UserError(f"{path} has a header that is no JSON ({error}); train it again") from None
    known = [field.name for field in fields(Header)]
    for name in values:
        if name not in known:
            raise UserError(
                f"{path} has the header field {name!r}, which this version does not know; it "
                f"knows {', '.join(known)}; upgrade holmdel"
            )
    for name in known:
        if name not in values and name != "format":
            raise UserError(f"{path} has a header without {name!r}; expected one of holmdel train")
    values["classes"] = tuple(values["classes"])
    values["image"] = ImageContract.from_json(values["image"])
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in values["options"].items()}
    return Header(**(values | {"options": options}))


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
    for key in given:
        if key not in expected:
            raise UserError(
                f"{path} has the tensor {key!r}, which {name} does not have; "
                "it is of another network"
            )


_LINE_FORMAT = 1
_KIND = "line reader"


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
    save_tensors(path, tensors, {"holmdel": json.dumps(header)})


def load_line_model(path: Path) -> tuple[LineNetwork, dict[str, Any] | None]:
    """Returns the line network of a file, float32, in eval mode on the CPU, and its trust.

    Raises:
        UserError: if the file is missing, cut short, or holds no line network of this version.
    """
    tensors, metadata = load_tensors(path)
    try:
        header = json.loads(metadata.get("holmdel", "{}"))
    except ValueError:
        header = {}
    wanted = {"format": _LINE_FORMAT, "kind": _KIND}
    known = any(header.get("alphabet") == alphabet for alphabet in ALPHABETS)
    if not known or any(header.get(name) != value for name, value in wanted.items()):
        raise UserError(
            f"{path} holds no line reader of this version; expected a file that "
            "`holmdel train reader` wrote"
        )
    options = {"layers": "pooled"} | header["options"]  # the first readers do not say
    network = LineNetwork(**options, alphabet=header["alphabet"])
    try:
        network.load_state_dict(tensors)
    except RuntimeError:
        raise UserError(
            f"{path} holds a line reader of other layers than this version's; train it again with "
            "`holmdel train reader`"
        ) from None
    return network.eval(), header["trust"]
