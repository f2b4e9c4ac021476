"""Gives files of weights that an older version wrote the checksum of their tensors.

    python bench/seal.py src/holmdel/weights/*.safetensors

The tensors and the header stay as they are; a file that has a checksum is checked and left alone.
"""

import argparse
import json
from pathlib import Path

from holmdel.files.tensors import CHECKSUM, load_checked, load_tensors, save_tensors


def seal(path: Path) -> str:
    """Adds the checksum to a file; returns what was done."""
    tensors, metadata = load_tensors(path)
    ((name, text),) = metadata.items()
    header = json.loads(text)
    if CHECKSUM in header:
        load_checked(path, name)
        return "has its checksum already"
    save_tensors(path, tensors, name, header)
    return "has its checksum now"


def main() -> None:
    """Seals every file given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    for path in parser.parse_args().files:
        print(f"{path} {seal(path)}")


if __name__ == "__main__":
    main()
