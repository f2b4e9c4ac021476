"""Another program that reads: Tesseract, where its command is installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

_HEIGHT = 120  # pixels; lines that are lower are enlarged, as its manual advises


def tesseract(pictures: Sequence[NDArray[np.uint8]], mode: str) -> list[str] | None:
    """Returns the digits that Tesseract reads on each picture; None if it is not installed.

    Args:
        pictures: uint8 (H, W) each.
        mode: page segmentation, `7` for a single line, `6` for a block; lines in `7` are joined.
    """
    if shutil.which("tesseract") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / f"{number:05}.png") for number in range(len(pictures))]
        for file, picture in zip(files, pictures, strict=True):
            scale = max(_HEIGHT / picture.shape[0], 1.0)
            large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(file, cv2.copyMakeBorder(large, 10, 10, 10, 10, cv2.BORDER_REPLICATE))
        listed = Path(folder) / "files.txt"
        listed.write_text("\n".join(files) + "\n")
        words = ["tesseract", str(listed), "stdout", "--psm", mode]
        words += ["-c", "tessedit_char_whitelist=0123456789"]
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
    texts = done.stdout.split("\f")[: len(pictures)]
    return [text if mode != "7" else "".join(text.split()) for text in texts]
