"""The run folder of weights from elsewhere: all of it, or nothing."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from holmdel.checkpoint import Header, save_model
from holmdel.errors import UserError
from holmdel.exchange.fitting import Converted
from holmdel.exchange.weights import Weights
from holmdel.files import PART, refuse_existing, write_bytes
from holmdel.shapes import parameter_count
from holmdel.version import versions


def write_folder(folder: Path, converted: Converted, header: Header) -> None:
    """Writes `model.safetensors`, `config.json` and the model card, `README.md`.

    The folder is made beside its place under another name, and moved there when it is whole.

    Args:
        folder: new or empty.
        converted: the network, and what it came from.
        header: what must be known to use it.

    Raises:
        UserError: if the folder holds something, or cannot be written.
    """
    refuse_existing(folder)
    config = _config(converted.weights, header)
    folder = folder.absolute()
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}{PART}")
    try:
        save_model(temporary / "model.safetensors", converted.network, header)
        text = json.dumps(config, indent=2) + "\n"
        write_bytes(temporary / "config.json", text.encode())
        write_bytes(temporary / "README.md", _card(config, converted).encode())
        if folder.exists():
            folder.rmdir()  # empty; on Windows, nothing may lie where a folder is moved to
        temporary.rename(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{folder} cannot be written ({reason}); choose another folder") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _config(weights: Weights, header: Header) -> dict[str, Any]:
    """Returns `config.json`."""
    source = Path(weights.file)
    files = _files_of(source)
    return {
        "network": header.network,
        "options": header.options,
        "source": {
            "file": source.name,
            "format": weights.form,
            "bytes": sum(file.stat().st_size for file in files),
            "sha256": _digest(files),
        },
        "classes": header.classes,
        "image": header.image.to_json(),
        "versions": versions(),
    }


def _files_of(source: Path) -> list[Path]:
    """Returns the file, those of a folder, or those of a checkpoint that begin with its name."""
    if source.is_file():
        return [source]
    found = source.rglob("*") if source.is_dir() else source.parent.glob(f"{source.name}.*")
    return sorted(file for file in found if file.is_file())


def _digest(files: list[Path]) -> str:
    """Returns the SHA-256 of files, one behind the other."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)  # goes on with it
    return digest.hexdigest()


def _card(config: dict[str, Any], converted: Converted) -> str:
    """Returns the model card as Markdown."""
    source, image = config["source"], config["image"]
    options = ", ".join(f"{name} {value}" for name, value in config["options"].items())
    stored, seen = ("x".join(map(str, image[key])) for key in ("stored", "input"))
    count = parameter_count(converted.network)
    state = converted.network.state_dict()
    lines = [
        f"# {config['network']} from {source['file']}",
        "",
        "| | |",
        "| --- | --- |",
        f"| weights | {source['file']}, {source['format']}, {source['bytes']:,} bytes |",
        f"| SHA-256 | {source['sha256']} |",
        f"| network | {config['network']}, {options or 'its defaults'}; {count:,} parameters |",
        f"| classes | {', '.join(config['classes'])} |",
        f"| images | stored as {stored} uint8, framing `{image['framing']}`; seen as {seen} |",
        f"| pixels | (pixel / 255 - {image['mean']:g}) / {image['std']:g} |",
        f"| versions | {', '.join(f'{k} {v}' for k, v in config['versions'].items())} |",
        "",
        "Imported, not trained here. Data, recipe and accuracy are not in the file; measure the "
        "accuracy with `holmdel evaluate THIS_FOLDER --data DATA`.",
        "",
        "| layer in the file | layer here | weight |",
        "| --- | --- | --- |",
    ]
    for theirs, ours in converted.pairs:
        weight = state.get(f"{ours}.weight")
        shape = "" if weight is None else "x".join(map(str, weight.shape))
        lines.append(f"| {theirs} | {ours} | {shape} |")
    return "\n".join([*lines, ""])
