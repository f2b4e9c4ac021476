"""A server for models over HTTP: the playground, JSON routes, the Open Inference Protocol.

The routes are in `routes/`, one file per group.

    serve(settings)         runs until a signal stops it
    create_app(settings)    the ASGI application, for tests and other servers
    serve_review(review)    the page of `holmdel review`

They need the extra `serve`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from holmdel.errors import UserError
from holmdel.server.settings import ServerSettings

if TYPE_CHECKING:
    from holmdel.server.app import create_app as create_app
    from holmdel.server.review import serve_review as serve_review
    from holmdel.server.serving import serve as serve

__all__ = ["ServerSettings", "create_app", "serve", "serve_review"]

_HOMES = {"create_app": "app", "serve": "serving", "serve_review": "review"}


def __getattr__(name: str) -> Any:
    """Returns a public name from its home, importing that, and FastAPI, on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'holmdel.server' has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"holmdel.server.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "holmdel":
            raise
        raise UserError(
            f"the server needs {error.name}, which is not installed; "
            "install it with: pip install 'holmdel[serve]'"
        ) from None
