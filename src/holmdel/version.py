"""The version, where every module can import it."""

import platform
from importlib import metadata

__version__ = "0.2.0"


def versions() -> dict[str, str]:
    """Returns the versions that `config.json` names beside a model."""
    return {
        "holmdel": __version__,
        "torch": metadata.version("torch"),
        "python": platform.python_version(),
    }
