"""The version, where every module can import it."""

__version__ = "0.2.0"


def versions() -> dict[str, str]:
    """Returns the versions that `config.json` names beside a model."""
    import platform  # these two take 20 ms, which few need
    from importlib import metadata

    return {
        "holmdel": __version__,
        "torch": metadata.version("torch"),
        "python": platform.python_version(),
    }
