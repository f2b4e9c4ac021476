"""A line network out of an ONNX file that `holmdel export` wrote: no PyTorch."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.images.framing import framed_array
from holmdel.runtime import ExportedClassifier, session_of


class OnRuntime:
    """A line network on ONNX Runtime, with the network of single digits that lies in its file.

    Attributes:
        alphabet: as `LineModel`.
        trust: what makes confidences of scores, as JSON; None where the file has none.

    Raises:
        UserError: for a file that is missing or that `holmdel export` did not write of a reader.
    """

    def __init__(self, file: Path) -> None:
        self._session = session_of(file)
        texts = self._session.get_modelmeta().custom_metadata_map
        try:
            self.alphabet = "".join(json.loads(texts["classes"])[:-1])
            self.trust: dict[str, Any] | None = json.loads(texts["trust"])
            digits = base64.b64decode(texts["digits"])
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise UserError(
                f"{file} is no reader that holmdel export wrote ({error}); export it anew"
            ) from None
        self._digits = ExportedClassifier(digits)

    def log_probabilities(self, lines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns ln of the probabilities (N, T, K) of lines (N, 1, 32, W)."""
        (logits,) = self._session.run(["logits"], {"images": lines})
        away = logits - logits.max(axis=1, keepdims=True)
        found = away - np.log(np.exp(away).sum(axis=1, keepdims=True))
        return np.ascontiguousarray(found.transpose(0, 2, 1), np.float32)

    def digit_chances(self, images: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
        """Returns for each image (h, w) of one digit, dark on white, how probable each digit is."""
        if not images:
            return []
        contract = self._digits.contract
        framed = np.stack([framed_array(image[:, :, None], contract)[0] for image in images])
        found = self._digits.probabilities(framed).astype(np.float64)
        return [dict(zip(self._digits.classes, row.tolist(), strict=True)) for row in found]
