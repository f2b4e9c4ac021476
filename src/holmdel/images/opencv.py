"""OpenCV, which is loaded when it is first used: exported files that frame go without it."""

import importlib
from typing import TYPE_CHECKING, Any


def load() -> Any:
    """Returns the module `cv2`.

    Raises:
        UserError: where it is not installed.
    """
    try:
        return importlib.import_module("cv2")
    except ModuleNotFoundError:
        from holmdel.errors import UserError

        raise UserError(
            "OpenCV is not installed, and finding what is on an image needs it; "
            "pip install opencv-python-headless, or export with --framing"
        ) from None


if TYPE_CHECKING:
    import cv2 as cv2
else:

    class _OpenCV:
        """Stands for the module until a name of it is asked for."""

        def __getattr__(self, name: str) -> Any:
            self.__dict__.update(vars(load()))
            return getattr(load(), name)

    cv2 = _OpenCV()
