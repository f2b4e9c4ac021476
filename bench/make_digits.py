"""Writes src/holmdel/data/digits.npz: the 1,797 digits that the data set `digits` is made of.

They are read from scikit-learn's copy (`pip install scikit-learn`), which holds the test part of
UCI's "Optical Recognition of Handwritten Digits" unchanged. The same file comes out every time.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FILE = Path(__file__).parents[1] / "src" / "holmdel" / "data" / "digits.npz"


def main() -> None:
    """Writes images uint8 (1797, 8, 8), 0..16, and labels uint8 (1797,)."""
    values, labels = load_digits(return_X_y=True)
    images = values.reshape(-1, 8, 8).astype(np.uint8)
    np.savez_compressed(FILE, images=images, labels=labels.astype(np.uint8))
    print(f"{FILE.name}: {len(images):,} digits, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
