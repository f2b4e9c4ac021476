"""The page of `holmdel review`: a line, what was read, and a person's word on it.

A small server for one person on this machine. Its middleware is the playground's; every request
but those for the page's files must carry the token of its address.
"""

import contextlib
import secrets
import threading
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from holmdel.errors import UserError
from holmdel.reading.review import Review
from holmdel.server.errors import RequestError, on_user_error
from holmdel.server.gate import Gate
from holmdel.server.listener import address, bind, configured
from holmdel.server.metrics import Metrics
from holmdel.server.middleware import GuardMiddleware
from holmdel.server.settings import LOOPBACK, ServerSettings

_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_FILES = {"/": "index.html", "/review.css": "review.css", "/review.js": "review.js"}
_STOPPING = 5  # seconds in which requests under way may end

Handler = Callable[[Request], Awaitable[Response]]


def create_review_app(review: Review, token: str, finish: Callable[[], None]) -> Starlette:
    """Returns the ASGI application of a review.

    Args:
        review: the lines, and what was said of them.
        token: what requests must carry.
        finish: is called when the person has done.
    """
    app = Starlette(
        routes=[
            *(Route(path, _page_file(name)) for path, name in _FILES.items()),
            Route("/v1/lines", _overview),
            Route("/v1/lines/{number:int}", _line),
            Route("/v1/lines/{number:int}", _say, methods=["POST"]),
            Route("/v1/done", _finish, methods=["POST"]),
        ],
        exception_handlers={UserError: on_user_error},
    )
    app.state.review, app.state.finish = review, finish
    gate = Gate(ServerSettings(token=token), Metrics(), log=None)
    app.add_middleware(GuardMiddleware, gate=gate, open_paths=frozenset(_FILES))
    return app


def serve_review(
    review: Review, port: int = 0, opened: Callable[[str], object] | None = None
) -> None:
    """Runs a review on this machine's own address until the person has done, or a signal comes.

    Args:
        review: the lines.
        port: 0 for a free one.
        opened: is told the page's address, in a thread of its own, once it can be opened.

    Raises:
        UserError: if the port cannot be used.
    """
    token = secrets.token_urlsafe()
    with contextlib.closing(bind(LOOPBACK, port)) as listener:
        listener.listen()
        app = create_review_app(review, token, lambda: setattr(server, "should_exit", True))
        server = uvicorn.Server(configured(app, stopping=_STOPPING))
        if opened is not None:
            url = f"{address(listener)}/#{token}"
            threading.Thread(target=opened, args=[url], daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.run([listener])


def _page_file(name: str) -> Handler:
    """Returns what answers with one of the page's files."""
    file = resources.files("holmdel.server") / "review_page" / name
    kind = _KINDS[name.rpartition(".")[2]]

    async def answer(request: Request) -> Response:
        return Response(file.read_bytes(), media_type=kind, headers={"cache-control": "no-store"})

    return answer


async def _overview(request: Request) -> Response:
    """Returns how many lines there are, how many are done, and with which to begin."""
    review: Review = request.app.state.review
    return JSONResponse(
        {
            "count": len(review.items),
            "done": review.done,
            "first": review.first,
            "folder": str(review.folder),
        }
    )


async def _line(request: Request) -> Response:
    """Returns a line with its image."""
    review: Review = request.app.state.review
    return JSONResponse(review.show(_number(request, review)))


async def _say(request: Request) -> Response:
    """Keeps what the person said of a line."""
    review: Review = request.app.state.review
    number = _number(request, review)
    try:
        values: dict[str, Any] = await request.json()
        digits = str(values["digits"])
    except (ValueError, KeyError, TypeError):
        raise RequestError(400, 'expected a body such as {"digits": "0412"}') from None
    return JSONResponse({"digits": review.say(number, digits), "done": review.done})


async def _finish(request: Request) -> Response:
    """Ends the review."""
    request.app.state.finish()
    return JSONResponse({"done": request.app.state.review.done})


def _number(request: Request, review: Review) -> int:
    number: int = request.path_params["number"]
    if number >= len(review.items):
        raise RequestError(404, f"there is no line {number}; the last is {len(review.items) - 1}")
    return number
