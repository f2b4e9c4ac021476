"""OpenCV, which is loaded when it is first used; `plain` where it is not installed."""

import importlib
from typing import TYPE_CHECKING, Any


def load() -> Any:
    """Returns the module `cv2`, or what framing needs of it in NumPy, to the same numbers."""
    try:
        return importlib.import_module("cv2")
    except ModuleNotFoundError:
        return importlib.import_module("holmdel.images.plain")


if TYPE_CHECKING:
    import cv2 as cv2
else:

    class _OpenCV:
        """Stands for the module until a name of it is asked for."""

        def __getattr__(self, name: str) -> Any:
            self.__dict__.update(vars(load()))
            return getattr(load(), name)

    cv2 = _OpenCV()
