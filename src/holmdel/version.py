"""The version, where every module can import it."""

import platform

__version__ = "0.2.0"


def versions() -> dict[str, str]:
    """Returns the versions that `config.json` names beside a model."""
    from importlib import metadata  # takes 15 ms, which few need

    return {
        "holmdel": __version__,
        "torch": metadata.version("torch"),
        "python": platform.python_version(),
    }
