"""A line network on disk: its weights, its shape, and how far it can be trusted."""

import json
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.files import load_tensors, save_tensors
from holmdel.networks.line import ALPHABET, LineNetwork

FORMAT = 1
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
        "format": FORMAT,
        "kind": _KIND,
        "alphabet": ALPHABET,
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
    wanted = {"format": FORMAT, "kind": _KIND, "alphabet": ALPHABET}
    if any(header.get(name) != value for name, value in wanted.items()):
        raise UserError(
            f"{path} holds no line reader of this version; expected a file that "
            "`holmdel train reader` wrote"
        )
    network = LineNetwork(**header["options"])
    try:
        network.load_state_dict(tensors)
    except RuntimeError:
        raise UserError(
            f"{path} holds a line reader of other layers than this version's; train it again with "
            "`holmdel train reader`"
        ) from None
    return network.eval(), header["trust"]
