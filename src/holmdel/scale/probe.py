"""A question to a node of a cluster; it goes there as code, for the node may have no holmdel."""


def version() -> str | None:
    """Returns the version of holmdel there; None for none."""
    try:
        from holmdel.version import __version__
    except ImportError:
        return None
    return __version__
